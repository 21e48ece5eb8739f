//! A server that names other servers leads to none of them. (Attack S9.)

use exchange_sim::Act;

use super::*;

/// As HTTP, IMAP and SMTP servers may do, and POP3 ones may not.
#[test]
fn s9_a_refusal_that_names_another_server_leads_to_no_other() {
    let other = Bench::with(letters(1));
    let (pop3, pop3s) = (other.sim.pop3_port(), other.sim.pop3s_port());
    for words in [
        format!("[REFERRAL pop3s://{USER}@127.0.0.1:{pop3s}/] moved"),
        format!("301 Location: pop3://127.0.0.1:{pop3}/"),
        format!("try 127.0.0.1:{pop3s} or localhost:{pop3}"),
    ] {
        for verb in ["CAPA", "USER", "PASS", "STAT", "UIDL", "RETR", "QUIT"] {
            let line = format!("-ERR {words}\r\n").into_bytes();
            let bench = Setup::with(letters(1))
                .knobs(Knobs::default().rule(At::verb(verb), Act::Instead(line)))
                .start();
            let ended = bench.fetch(&["-v"]).end();
            let none = other.sim.transcripts().is_empty();
            assert!(none, "{verb}: {}", ended.text());
        }
        let greeting = Act::Instead(format!("-ERR {words}\r\n").into_bytes());
        let bench = Setup::with(letters(1))
            .knobs(Knobs::default().rule(At::Greeting, greeting))
            .start();
        bench.fetch(&[]).gives(69).says(&words);
        assert!(other.sim.transcripts().is_empty());
    }
}
