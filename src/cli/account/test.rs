//! `popsync account test`: one login, and a report of what works.

use std::time::Instant;

use crate::account::Account;
use crate::cli::args::Global;
use crate::cli::login::{self, Error};
use crate::cli::output::Trial;
use crate::cli::prompt::Terminal;
use crate::exit::Exit;
use crate::session::{self, Listing, Session};

/// Logs in and reads. After an error, reports what was seen until then.
pub(super) fn test(global: &Global, name: &str) -> Exit {
    login::with_account(global, name, async |account, output, stop| {
        let terminal = Terminal::new(std::sync::Arc::clone(output), stop.clone());
        let mut trial = Trial::default();
        let result = tokio::select! {
            result = visit(account, &terminal, &mut trial) => result,
            signal = stop.wait() => Err(Error::Interrupted(signal)),
        };
        output.trial(account, &trial);
        result
    })
}

async fn visit(account: &Account, terminal: &Terminal, trial: &mut Trial) -> Result<(), Error> {
    let password = session::password::<Error>(account, terminal).await?;
    let begun = Instant::now();
    let peer = &mut trial.peer;
    let mut session = Session::begin(account, &password, None, |connected| {
        *peer = Some(connected.clone());
    })
    .await?;
    trial.logged_in = Some(begun.elapsed());
    trial.capabilities = Some(session.capabilities().clone());
    let mailbox = &mut trial.mailbox;
    session
        .stat(|listing| {
            if let Listing::Drop(drop) = listing {
                *mailbox = Some(drop);
            }
        })
        .await?;
    session.quit().await??;
    Ok(())
}
