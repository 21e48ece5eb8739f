//! Every login that Cyrus SASL can check, at a server that offers one mechanism and no other.
//!
//! It announces `SCRAM-SHA-1-PLUS` and `SCRAM-SHA-256-PLUS` too. They are left out: Cyrus 3.6 binds
//! by `tls-unique` alone, which TLS 1.3 does not have (RFC 9266 §1).

use super::Cyrus;
use crate::server::Server;
use crate::suite::Home;
use support::dovecot::PASSWORD;
use support::mail::ordinary;

/// Logs in by this mechanism with TLS, and retrieves mail; a wrong password is refused.
fn logs_in(auth: &str, mechanism: &str, more: &[&str]) {
    let server = Cyrus::with_mechanisms(mechanism);
    let mails = ordinary(2, 1);
    server.deliver(&mails);
    let home = Home::new();
    let flags = [&["--maildir", "Mail", "--auth", auth, "-vv"], more].concat();
    let ended = home.run(&server, "fetch", &flags);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    home.holds(&server, &mails);
    let dialogue = format!("{}{}", ended.out, ended.err);
    let sent = if auth == "apop" {
        "APOP".to_owned()
    } else {
        format!("AUTH {mechanism}")
    };
    assert!(dialogue.contains(&sent), "`{sent}`: {dialogue}");
    assert!(!dialogue.contains("PASS "), "{dialogue}");
    assert!(!dialogue.contains(PASSWORD), "{dialogue}");

    home.password("not the password");
    let ended = home.run(&server, "fetch", &flags);
    assert_eq!(ended.status, Some(77), "{ended:#?}");
    assert!(!ended.err.contains("not the password"), "{ended:#?}");
}

macro_rules! logins {
    ($($test:ident: $auth:literal by $mechanism:literal $(with $flags:expr)?;)*) => {
        $(
            #[test]
            #[ignore = "needs root and an unpacked Cyrus: run by .ci/test"]
            fn $test() {
                logs_in($auth, $mechanism, [$(&$flags[..],)? &[]][0]);
            }
        )*
    };
}

logins! {
    apop: "apop" by "PLAIN" with ["--profile", "rfc1939"];
    cram_md5: "cram-md5" by "CRAM-MD5";
    login: "login" by "LOGIN";
    ntlm: "ntlm" by "NTLM";
    plain: "plain" by "PLAIN";
    scram_sha_1: "scram-sha-1" by "SCRAM-SHA-1";
    scram_sha_256: "scram-sha-256" by "SCRAM-SHA-256";
}

#[test]
#[ignore = "needs root and an unpacked Cyrus: run by .ci/test"]
fn auto_takes_one_that_works() {
    let server = Cyrus::start();
    let mails = ordinary(2, 1);
    server.deliver(&mails);
    let home = Home::new();
    let flags = ["--maildir", "Mail", "--auth", "auto", "-vv"];
    let ended = home.run(&server, "fetch", &flags);
    assert_eq!(ended.status, Some(0), "{ended:#?}");
    home.holds(&server, &mails);
}
