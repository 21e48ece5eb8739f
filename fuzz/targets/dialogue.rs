//! Any answer of a server, in any pieces: no panic, nothing left unread, a bounded number of
//! events, and the same events as in one piece.

use popsync::pop3::{Command, Connection, Event, MessageNumber};
use secrecy::SecretString;

/// An event as a reader sees it; content in one piece, however it came.
#[derive(Debug, PartialEq)]
enum Seen {
    Content(Vec<u8>),
    Event(String),
    /// The connection broke.
    Broken(String),
}

pub(crate) fn holds(data: &[u8]) {
    let [commands, size, stream @ ..] = data else {
        return;
    };
    let whole = dialogue(*commands, stream, usize::MAX);
    let pieces = dialogue(*commands, stream, usize::from(*size % 32) + 1);
    // An unsolicited line is quoted as far as it has come.
    match (whole.last(), pieces.last()) {
        (Some(Seen::Broken(_)), Some(Seen::Broken(_))) => {
            assert_eq!(whole[..whole.len() - 1], pieces[..pieces.len() - 1]);
        }
        _ => assert_eq!(whole, pieces),
    }
}

fn dialogue(commands: u8, stream: &[u8], size: usize) -> Vec<Seen> {
    let mut connection = Connection::default();
    let mut seen = Vec::new();
    let password = SecretString::from("secret");
    let login: [(&[u8], Command<'_>); 2] = [
        (b"+OK\r\n", Command::User("anna")),
        (b"+OK\r\n", Command::Pass(&password)),
    ];
    for (reply, command) in login {
        feed(&mut connection, reply, usize::MAX, &mut seen);
        let sent = connection.send(command, &mut Vec::new());
        sent.expect("the login is in order");
    }
    feed(&mut connection, b"+OK\r\n", usize::MAX, &mut seen);
    let first = MessageNumber::new(1).expect("one is not zero");
    let all = [
        Command::Capa,
        Command::Stat,
        Command::Uidl,
        Command::List,
        Command::Top(first, 0),
        Command::Retr(first),
        Command::Dele(first),
        Command::Noop,
    ];
    for (bit, command) in all.into_iter().enumerate() {
        if commands & (1 << bit) != 0 {
            let sent = connection.send(command, &mut Vec::new());
            sent.expect("all of them may be sent behind a login");
        }
    }
    seen.clear();
    feed(&mut connection, stream, size, &mut seen);
    seen
}

fn feed(connection: &mut Connection, stream: &[u8], size: usize, seen: &mut Vec<Seen>) {
    for mut piece in stream.chunks(size.min(stream.len().max(1))) {
        loop {
            // Every event takes an octet at least, or ends a reply.
            assert!(seen.len() <= 2 * stream.len() + 16);
            match connection.next_event(&mut piece) {
                Ok(Some(Event::Content(octets))) => match seen.last_mut() {
                    Some(Seen::Content(content)) => content.extend_from_slice(octets),
                    _ => seen.push(Seen::Content(octets.to_vec())),
                },
                Ok(Some(event)) => seen.push(Seen::Event(format!("{event:?}"))),
                Ok(None) => break,
                Err(error) => {
                    seen.push(Seen::Broken(error.to_string()));
                    assert!(connection.next_event(&mut piece).is_err());
                    return;
                }
            }
        }
        assert!(piece.is_empty());
    }
}
