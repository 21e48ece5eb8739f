//! Commands that a sync seldom sends.

use super::*;

/// OPOP3:C0029: a server that refuses even NOOP is given the next command, whose answer counts.
#[tokio::test(start_paused = true)]
async fn a_refused_noop_ends_nothing() {
    let script = vec![
        Expect("NOOP\r\n"),
        Say("-ERR no\r\n"),
        Expect("QUIT\r\n"),
        Say("+OK\r\n"),
    ];
    let (mut session, server) = logged_in(PLAIN, script).await;
    session.keep_alive_while(sleep(30 * SECOND)).await.unwrap();
    session.quit().await.unwrap().unwrap();
    drop(session);
    assert_eq!(server.await.unwrap(), "");
}

/// OPOP3:C0032, C0034: the header, a blank line and lines of the body, un-stuffed; also where the
/// server leaves the blank line out or sends more than was asked for.
#[tokio::test(start_paused = true)]
async fn top_is_read_to_its_end_whatever_it_holds() {
    for (answer, content) in [
        ("+OK\r\nA: b\r\n\r\n.\r\n", "A: b\r\n\r\n"),
        ("+OK\r\nA: b\r\n.\r\n", "A: b\r\n"),
        (
            "+OK\r\nA: b\r\n\r\n..x\r\ny\r\n.\r\n",
            "A: b\r\n\r\n.x\r\ny\r\n",
        ),
    ] {
        let script = vec![Expect("TOP 1 0\r\n"), Say(answer)];
        let (mut session, _server) = logged_in(PLAIN, script).await;
        let mut octets = Vec::new();
        let number = MessageNumber::new(1).unwrap();
        let top = session.top_one(number, 0, |piece| octets.extend_from_slice(piece));
        top.await.unwrap().unwrap();
        assert_eq!(String::from_utf8(octets).unwrap(), content);
    }
}
