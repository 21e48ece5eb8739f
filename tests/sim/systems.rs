//! Every Outlook with every Exchange: each client profile syncs each simulated server, and every
//! line that it sends is the one that the profile must send.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use exchange_sim::Profile as Exchange;
use popsync::Profile as Outlook;
use support::bench::{Bench, By, PASSWORD, Setup, USER, letter};

/// The messages at the beginning.
const FIRST: usize = 5;

/// The transports of a server. Exchange Online documents only TLS from the first octet.
fn transports(exchange: Exchange) -> &'static [By] {
    match exchange {
        Exchange::Exo => &[By::Tls],
        _ => &[By::Tls, By::Stls],
    }
}

/// OPOP3:C0048, by name and without asking the program.
fn deletes(outlook: Outlook) -> bool {
    match outlook {
        Outlook::Outlook2007
        | Outlook::Outlook2010
        | Outlook::Outlook2013
        | Outlook::Outlook2016 => true,
        Outlook::Outlook2019
        | Outlook::Outlook2021
        | Outlook::Outlook2024
        | Outlook::OutlookNew => false,
        Outlook::Rfc1939 => unreachable!("no Outlook"),
    }
}

/// The lines sent in a session that retrieves these message-numbers.
fn lines(outlook: Outlook, by: By, new: &[usize]) -> Vec<String> {
    let mut lines = vec!["CAPA".to_owned()];
    if by == By::Stls {
        // RFC 2595 §4: knowledge from before the handshake is dropped.
        lines.extend(["STLS".to_owned(), "CAPA".to_owned()]);
    }
    // OPOP3:C0042 to C0047, V0008; then C0015, V0007, V0003.
    lines.extend([format!("USER {USER}"), format!("PASS {PASSWORD}")]);
    lines.extend(["STAT", "UIDL"].map(str::to_owned));
    if !new.is_empty() {
        lines.push("LIST".to_owned());
    }
    // OPOP3:V0004, C0024, and V0006: never RSET.
    lines.extend(new.iter().map(|number| format!("RETR {number}")));
    if deletes(outlook) && !new.is_empty() {
        // The fence: popsync's own, alone before the first DELE.
        lines.push("STAT".to_owned());
        lines.extend(new.iter().map(|number| format!("DELE {number}")));
    }
    lines.push("QUIT".to_owned());
    lines
}

/// Runs a sync and asserts the lines that it sent.
#[track_caller]
fn sync(bench: &Bench, outlook: Outlook, by: By, new: &[usize]) {
    let before = bench.sim.transcripts().len();
    let profile = format!("profile = \"{outlook}\"");
    let ended = bench.sync(&profile, &[]).gives(0);
    assert_eq!(ended.err, "", "it is silent when all is well");
    let transcripts = bench.sim.transcripts();
    assert_eq!(transcripts.len(), before + 1, "one session");
    let sent: Vec<_> = transcripts[before]
        .client_lines()
        .iter()
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    assert_eq!(sent, lines(outlook, by, new));
    assert_eq!(bench.sim.violations(), [""; 0]);
}

/// Three runs of one client with one server.
fn pair(outlook: Outlook, exchange: Exchange) {
    for &by in transports(exchange) {
        let bench = Setup::with((1..=FIRST).map(letter))
            .profile(exchange)
            .by(by)
            .start();
        // XPOP3:C0007, C0009: decimals, and beside them the ids migrated from 2003.
        let decimal = |id: &String| id.bytes().all(|octet| octet.is_ascii_digit());
        let carried_over = bench
            .mailbox()
            .unique_ids()
            .iter()
            .filter(|id| !decimal(id))
            .count();
        let migrated = exchange == Exchange::Ex2003Migrated;
        assert_eq!(carried_over, if migrated { FIRST.div_ceil(2) } else { 0 });

        let all: Vec<_> = (1..=FIRST).collect();
        sync(&bench, outlook, by, &all);
        bench.assert_exactly_once();
        let left = if deletes(outlook) { 0 } else { FIRST };
        assert_eq!(bench.mailbox().len(), left);

        sync(&bench, outlook, by, &[]);

        bench.deliver(&letter(FIRST + 1));
        sync(&bench, outlook, by, &[left + 1]);
        bench.assert_exactly_once();
        let left = if deletes(outlook) { 0 } else { FIRST + 1 };
        assert_eq!(bench.mailbox().len(), left);
    }
}

/// A test for each pair, so that a failure names it.
macro_rules! pairs {
    ($($client:ident: $outlook:ident,)*) => { $(
        mod $client {
            use super::{Exchange, Outlook, pair};

            #[test]
            fn at_home_with_ids_of_exchange_2003() {
                pair(Outlook::$outlook, Exchange::Ex2003Migrated);
            }
            #[test]
            fn at_home_with_exchange_2007() {
                pair(Outlook::$outlook, Exchange::Ex2007);
            }
            #[test]
            fn at_home_with_exchange_2010() {
                pair(Outlook::$outlook, Exchange::Ex2010);
            }
            #[test]
            fn at_home_with_exchange_2013() {
                pair(Outlook::$outlook, Exchange::Ex2013);
            }
            #[test]
            fn at_home_with_exchange_15_technical_preview() {
                pair(Outlook::$outlook, Exchange::Ex15Tp);
            }
            #[test]
            fn at_home_with_exchange_2016() {
                pair(Outlook::$outlook, Exchange::Ex2016);
            }
            #[test]
            fn at_home_with_exchange_online() {
                pair(Outlook::$outlook, Exchange::Exo);
            }
        }
    )* };
}

pairs! {
    outlook_2007: Outlook2007,
    outlook_2010: Outlook2010,
    outlook_2013: Outlook2013,
    outlook_2016: Outlook2016,
    outlook_2019: Outlook2019,
    outlook_2021: Outlook2021,
    outlook_2024: Outlook2024,
    outlook_new: OutlookNew,
}
