//! QUIT if nothing was deleted: the server is told, and its answer is not waited for long. The QUIT
//! after deletions is in [`super::delete`].

use std::time::Duration;

use tokio::time::timeout;

use crate::session::{self, Session};

/// The time limit for a QUIT that changes nothing.
const FAREWELL: Duration = Duration::from_secs(3);

/// Ends a session in which nothing was deleted and nothing stored. Nothing depends on the answer,
/// so an error is ignored.
pub(super) async fn leave(mut session: Session) {
    say(&mut session).await;
}

/// The same for a borrowed session that is no longer used.
pub(super) async fn say(session: &mut Session) {
    match timeout(FAREWELL, session.leave()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the server did not take leave"),
        Err(_) => tracing::debug!("the server did not take leave in time"),
    }
}

/// Ends a session in which messages were stored, and reads to its very end: any octets there belong
/// to a message that seemed complete.
///
/// # Errors
/// If more comes than the answer to QUIT. A server that does not answer has sent no more.
pub(super) async fn leave_at_the_end(mut session: Session) -> Result<(), session::Error> {
    let ended = match timeout(FAREWELL, session.quit()).await {
        Ok(Ok(end)) => end,
        Ok(Err(error)) => Err(error),
        Err(_) => return Ok(()),
    };
    match ended {
        Err(error) if session.is_out_of_step(&error) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "the server did not take leave");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
