use super::*;

fn chosen(offered: &str, change: impl Fn(&mut Situation<'_>)) -> Option<AuthMethod> {
    let offered: Vec<_> = offered.split_whitespace().map(str::to_owned).collect();
    let mut situation = Situation {
        offered: &offered,
        user: true,
        protected: true,
        secret: Secret::Password,
    };
    change(&mut situation);
    choose(&situation).map(|choice| choice.method)
}

#[test]
fn the_best_of_what_is_offered_is_taken() {
    let all = "PLAIN LOGIN NTLM CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS \
                   SCRAM-SHA-256-PLUS XOAUTH2 OAUTHBEARER GSSAPI EXTERNAL DIGEST-MD5";
    assert_eq!(chosen(all, |_| {}), Some(ScramSha256));
    assert_eq!(chosen("scram-sha-1 plain", |_| {}), Some(ScramSha1));
    assert_eq!(
        chosen("SCRAM-SHA-256-PLUS SCRAM-SHA-1", |_| {}),
        Some(ScramSha1)
    );
    // Exchange, and a server without SASL.
    assert_eq!(chosen("NTLM GSSAPI PLAIN LOGIN", |_| {}), Some(Plain));
    assert_eq!(chosen("NTLM", |_| {}), Some(User));
    assert_eq!(chosen("", |_| {}), Some(User));
    assert_eq!(
        chosen("CRAM-MD5 LOGIN NTLM", |s| s.user = false),
        Some(Login)
    );
    assert_eq!(chosen("NTLM CRAM-MD5", |s| s.user = false), Some(CramMd5));
    assert_eq!(chosen("NTLM", |s| s.user = false), Some(Ntlm));
    assert_eq!(chosen("ANONYMOUS", |s| s.user = false), None);
}

#[test]
fn each_secret_goes_to_what_it_is_for() {
    let all = "PLAIN SCRAM-SHA-256 XOAUTH2 OAUTHBEARER GSSAPI EXTERNAL";
    assert_eq!(chosen(all, |s| s.secret = Secret::Token), Some(OAuthBearer));
    assert_eq!(
        chosen("PLAIN XOAUTH2", |s| s.secret = Secret::Token),
        Some(XOauth2)
    );
    assert_eq!(chosen("PLAIN", |s| s.secret = Secret::Token), None);
    assert_eq!(
        chosen(all, |s| s.secret = Secret::Certificate),
        Some(External)
    );
    assert_eq!(chosen(all, |s| s.secret = Secret::Ticket), Some(Gssapi));
    assert_eq!(chosen("PLAIN", |s| s.secret = Secret::Ticket), None);
}

/// Attack A7: an attacker who shortens the list gains nothing.
#[test]
fn without_tls_nothing_that_a_listener_could_use_is_taken() {
    let clear = |offered: &str| chosen(offered, |s| s.protected = false);
    assert_eq!(
        clear("PLAIN SCRAM-SHA-256-PLUS SCRAM-SHA-256"),
        Some(ScramSha256)
    );
    assert_eq!(clear("PLAIN SCRAM-SHA-1"), Some(ScramSha1));
    for offered in [
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "NTLM",
        "PLAIN LOGIN NTLM CRAM-MD5",
        "",
    ] {
        assert_eq!(clear(offered), None, "{offered}");
    }
    for secret in [Secret::Token, Secret::Certificate] {
        let all = "XOAUTH2 OAUTHBEARER EXTERNAL";
        assert_eq!(
            chosen(all, |s| (s.protected, s.secret) = (false, secret)),
            None
        );
    }
}
