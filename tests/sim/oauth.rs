//! OAuth from end to end against a provider of the test's own: signing in by device and by
//! browser, renewing, and everything that a provider can refuse or get wrong.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]
#![cfg(feature = "oauth")]

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use popsync::config::{Base, Config};
use popsync::internals::account::{self, Endpoint, Endpoints, OAuth};
use popsync::internals::auth::oauth::{self, Error, Flow, Invitation, SignIn, TokenError};
use popsync::{Account, Exit, Failure};
use secrecy::{ExposeSecret, SecretString};
use support::provider::{CLIENT, Poll, Provider, SCOPE, SECRET, USER_CODE, browse};
use tempfile::TempDir;
use tokio::time::Instant;

/// The time of all events here.
const NOW: i64 = 1_800_000_000;

fn now() -> i64 {
    NOW
}

/// Two settings of an account that uses this provider.
struct Bench {
    provider: Provider,
    folder: TempDir,
    account: Account,
    oauth: OAuth,
}

impl Bench {
    fn new() -> Self {
        Self::of(Provider::start())
    }

    fn of(provider: Provider) -> Self {
        let folder = TempDir::new().unwrap();
        let endpoint = |path| provider.url(path).parse::<Endpoint>().unwrap();
        let oauth = OAuth {
            provider: account::Provider::Other(Endpoints {
                auth: Some(endpoint("/authorize")),
                device: Some(endpoint("/device")),
                token: endpoint("/token"),
            }),
            client_id: CLIENT.to_owned(),
            client_secret_command: None,
            scope: SCOPE.to_owned(),
            token_file: Some(folder.path().join("tokens")),
            ca_file: None,
        };
        Self {
            provider,
            account: account(folder.path()),
            oauth,
            folder,
        }
    }

    async fn sign_in(&self, flow: Flow, person: &dyn SignIn) -> Result<String, Error> {
        let flow = Some(flow);
        let signed_in = oauth::sign_in(&self.account, &self.oauth, flow, person, now).await?;
        signed_in.keep().await?;
        Ok(signed_in.access_token().expose_secret().to_owned())
    }

    async fn by_device(&self) -> Result<String, Error> {
        self.sign_in(Flow::Device, &Person::default()).await
    }

    async fn token(&self, now: i64) -> Result<String, Error> {
        let token = oauth::access_token(&self.account, &self.oauth, now).await?;
        Ok(token.expose_secret().to_owned())
    }

    fn kept(&self) -> String {
        fs::read_to_string(self.folder.path().join("tokens")).unwrap_or_default()
    }
}

fn account(folder: &Path) -> Account {
    let text = "[accounts.work]\n\
                server = \"pop3s://localhost:1\"\n\
                user = \"anna\"\n\
                maildir = \"mail\"\n\
                timeout = \"5s\"\n";
    let file = folder.join("config.toml");
    let config = Config::parse(&file, text.as_bytes(), &Base::of_file(&file)).unwrap();
    config.accounts.into_iter().next().unwrap()
}

/// The person who is invited, and the invitations.
#[derive(Default)]
struct Person {
    heard: Mutex<Vec<String>>,
    /// Opens the address.
    browses: bool,
}

impl SignIn for Person {
    fn invite(&self, invitation: &Invitation<'_>) {
        let heard = match invitation {
            Invitation::Browser { address } => {
                let address = (*address).to_owned();
                if self.browses {
                    let address = address.clone();
                    thread::spawn(move || browse(&address));
                }
                address
            }
            Invitation::Device { address, code, .. } => format!("{address} {code}"),
        };
        self.heard.lock().unwrap().push(heard);
    }
}

fn errors(list: &[&'static str]) -> impl Iterator<Item = Poll> {
    list.iter().map(|error| Poll::Error(error))
}

/// RFC 8628 §3.5: five seconds by default, five more after each `slow_down`.
#[tokio::test(start_paused = true)]
async fn a_device_asks_at_the_pace_that_the_provider_sets() {
    let bench = Bench::new();
    bench.provider.state().polls = errors(&[
        "authorization_pending",
        "slow_down",
        "authorization_pending",
    ])
    .chain([Poll::Grant])
    .collect();
    let person = Person::default();
    let begun = Instant::now();
    let token = bench.sign_in(Flow::Device, &person).await.unwrap();
    let seconds = begun.elapsed().as_secs();
    assert_eq!(seconds, 5 + 5 + 10 + 10);
    assert!(bench.provider.accepts(&token));
    let place = bench.provider.url("/activate");
    assert_eq!(
        *person.heard.lock().unwrap(),
        [format!("{place} {USER_CODE}")]
    );
    // Stored where nobody else can read it, and valid without asking again.
    let file = fs::metadata(bench.folder.path().join("tokens")).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(bench.token(NOW).await.unwrap(), token);
    assert_eq!(bench.provider.state().refreshed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_the_provider_is_kept() {
    let bench = Bench::new();
    bench.provider.state().interval = Some(7);
    bench.provider.state().polls = errors(&["authorization_pending"])
        .chain([Poll::Grant])
        .collect();
    let begun = Instant::now();
    bench.by_device().await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 14);
}

/// A network failure while a person types does not start the sign-in anew.
#[tokio::test(start_paused = true)]
async fn a_device_outlives_a_network_that_fails_for_a_moment() {
    let bench = Bench::new();
    bench.provider.state().polls = [
        Poll::Hangup,
        Poll::Raw(503, "busy".to_owned()),
        Poll::Error("authorization_pending"),
        Poll::Grant,
    ]
    .into();
    let begun = Instant::now();
    bench.by_device().await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5 + 10 + 20 + 20);
}

#[tokio::test(start_paused = true)]
async fn a_refused_device_ends_and_nothing_is_kept() {
    for (error, words) in [
        ("access_denied", "the sign-in was refused: `Sorry.`"),
        ("expired_token", "the code expired before anybody signed in"),
        ("invalid_client", "refused: invalid_client: `Sorry.`"),
    ] {
        let bench = Bench::new();
        bench.provider.state().polls = [Poll::Error(error)].into();
        let failed = bench.by_device().await.unwrap_err();
        assert!(failed.to_string().ends_with(words), "{failed}");
        assert_eq!(failed.exit(), Exit::NoPermission);
        assert!(failed.hint().is_some());
        assert_eq!(bench.provider.state().polled, 1);
        assert_eq!(bench.kept(), "");
        let none = bench.token(NOW).await.unwrap_err();
        assert!(matches!(none.error, TokenError::NotSignedIn), "{none:?}");
        assert_eq!(none.hint().unwrap(), "run `popsync login work`");
    }
}

/// Even if the provider never says so.
#[tokio::test(start_paused = true)]
async fn a_code_is_not_waited_for_longer_than_it_lives() {
    let bench = Bench::new();
    bench.provider.state().polls = errors(&["authorization_pending"]).collect();
    bench.provider.state().code_life = 21;
    let begun = Instant::now();
    let failed = bench.by_device().await.unwrap_err();
    assert!(
        matches!(failed.error, TokenError::ExpiredCode),
        "{failed:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 20);
    assert_eq!(bench.provider.state().polled, 4);
}

#[tokio::test(start_paused = true)]
async fn nonsense_from_a_provider_is_told_and_held_in_bounds() {
    let good = r#""token_type":"Bearer","expires_in":3600"#;
    for (status, body) in [
        (200, "<html>sign in</html>".to_owned()),
        (200, String::new()),
        (200, "[".repeat(10_000)),
        (200, "{}".to_owned()),
        (200, r#"{"access_token":7}"#.to_owned()),
        (200, format!(r#"{{"access_token":"a\r\nQUIT",{good}}}"#)),
        (
            200,
            format!(r#"{{"access_token":"{}",{good}}}"#, "a".repeat(1 << 20)),
        ),
        (200, r#"{"access_token":"a","token_type":"mac"}"#.to_owned()),
    ] {
        let bench = Bench::new();
        bench.provider.state().polls = [Poll::Raw(status, body.clone())].into();
        let failed = bench.by_device().await.unwrap_err();
        let shown = &body[..body.len().min(80)];
        assert!(
            matches!(failed.error, TokenError::Answer { .. }),
            "{shown}: {failed:?}"
        );
        assert_eq!(failed.exit(), Exit::Protocol);
        assert_eq!(bench.kept(), "");
    }
}

/// A form with secrets is sent only to the configured endpoint.
#[tokio::test(start_paused = true)]
async fn a_redirection_is_not_followed() {
    let mut bench = Bench::new();
    let elsewhere = bench.provider.url("/elsewhere").parse().unwrap();
    if let account::Provider::Other(endpoints) = &mut bench.oauth.provider {
        endpoints.token = elsewhere;
    }
    let failed = bench.by_device().await.unwrap_err();
    assert!(
        matches!(failed.error, TokenError::Redirected { .. }),
        "{failed:?}"
    );
    assert_eq!(bench.provider.state().polled, 0);
}

#[tokio::test]
async fn a_browser_brings_a_code_that_is_good_with_the_verifier_alone() {
    let bench = Bench::new();
    let person = Person {
        browses: true,
        ..Person::default()
    };
    let token = bench.sign_in(Flow::Browser, &person).await.unwrap();
    assert!(bench.provider.accepts(&token));
    assert_eq!(bench.token(NOW).await.unwrap(), token);
    // The shown text has neither the verifier nor another secret.
    let heard = person.heard.lock().unwrap().join("\n");
    assert!(!heard.contains("verifier") && !heard.contains("token-"));
}

#[tokio::test]
async fn a_person_can_refuse_in_the_browser() {
    let bench = Bench::new();
    bench.provider.state().denies = true;
    let person = Person {
        browses: true,
        ..Person::default()
    };
    let failed = bench.sign_in(Flow::Browser, &person).await.unwrap_err();
    assert!(
        matches!(failed.error, TokenError::Denied { .. }),
        "{failed:?}"
    );
    assert_eq!(bench.kept(), "");
}

/// Any page can send a browser to our address. Without the state, such a request has no effect.
#[tokio::test]
async fn whoever_does_not_know_the_state_is_sent_away() {
    struct Forger;
    impl SignIn for Forger {
        fn invite(&self, invitation: &Invitation<'_>) {
            let Invitation::Browser { address } = invitation else {
                panic!("{invitation:?}");
            };
            let (_, query) = address.split_once('?').unwrap();
            let redirect = support::provider::fields(query)["redirect_uri"].clone();
            let address = (*address).to_owned();
            thread::spawn(move || {
                for query in [
                    "code=stolen&state=guessed",
                    "code=stolen",
                    "error=access_denied&state=guessed",
                ] {
                    assert_eq!(browse(&format!("{redirect}?{query}")), ["Nothing is here."]);
                }
                browse(&address)
            });
        }
    }
    let bench = Bench::new();
    let token = bench.sign_in(Flow::Browser, &Forger).await.unwrap();
    assert!(bench.provider.accepts(&token));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends() {
    let bench = Bench::new();
    let first = bench.by_device().await.unwrap();
    assert_eq!(bench.token(NOW + 3200).await.unwrap(), first);
    let second = bench.token(NOW + 3400).await.unwrap();
    assert_ne!(second, first);
    assert!(bench.provider.accepts(&second));
    // Without a new refresh token the old one stays.
    let third = bench.token(NOW + 7200).await.unwrap();
    assert!(third != second && bench.provider.accepts(&third));
    assert_eq!(bench.provider.state().refreshed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_good_once_is_replaced() {
    let bench = Bench::new();
    bench.provider.state().rotates = true;
    bench.by_device().await.unwrap();
    for run in 1..5 {
        let token = bench.token(NOW + run * 10_000).await.unwrap();
        assert!(bench.provider.accepts(&token), "run {run}");
    }
}

/// Two accounts with the same tokens, and two runs of the same account.
#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_good_once_is_used_once() {
    let bench = Bench::new();
    bench.provider.state().rotates = true;
    bench.by_device().await.unwrap();
    let later = NOW + 3590;
    let (one, two) = tokio::join!(bench.token(later), bench.token(later));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(bench.provider.state().refreshed, 1);
}

/// Two runs at once, such as a timer and a manual one, are two processes.
#[tokio::test(start_paused = true)]
async fn no_other_process_renews_a_token_at_the_same_time() {
    let bench = Bench::new();
    bench.provider.state().rotates = true;
    let folder = bench.folder.path().to_owned();
    let held = Arc::new(Mutex::new(Vec::new()));
    bench.by_device().await.unwrap();
    let seen = Arc::clone(&held);
    bench.provider.state().on_token = Some(Box::new(move |_| {
        let lock = File::open(&folder).unwrap().try_lock();
        let is_held = matches!(lock, Err(TryLockError::WouldBlock));
        seen.lock().unwrap().push(is_held);
    }));
    bench.token(NOW + 10_000).await.unwrap();
    assert_eq!(*held.lock().unwrap(), [true]);
    let free = File::open(bench.folder.path()).unwrap().try_lock();
    assert!(free.is_ok());
}

/// A token that another run has got since then is not the refused one.
#[tokio::test(start_paused = true)]
async fn only_the_token_that_was_refused_is_doubted() {
    let bench = Bench::new();
    let old = bench.by_device().await.unwrap();
    let new = bench.token(NOW + 10_000).await.unwrap();
    assert_ne!(old, new);
    let doubt = async |token: &str| {
        let token = SecretString::from(token);
        oauth::doubt(&bench.account, &bench.oauth, &token).await;
    };
    doubt(&old).await;
    assert_eq!(bench.token(NOW + 10_001).await.unwrap(), new);
    doubt(&new).await;
    assert_ne!(bench.token(NOW + 10_001).await.unwrap(), new);
}

/// New tokens that cannot be stored are not used: the next run would have none.
#[tokio::test(start_paused = true)]
async fn new_tokens_that_cannot_be_kept_are_told() {
    let mut bench = Bench::new();
    bench.by_device().await.unwrap();
    let folder = bench.folder.path().join("folder");
    fs::create_dir(&folder).unwrap();
    bench.oauth.token_file = Some(folder);
    let failed = bench.token(NOW).await.unwrap_err();
    assert!(matches!(failed.error, TokenError::Store(_)), "{failed:?}");
    assert_eq!(failed.exit(), Exit::IoError);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_sign_in_says_to_sign_in_again() {
    let bench = Bench::new();
    bench.by_device().await.unwrap();
    bench.provider.revoke();
    let failed = bench.token(NOW + 10_000).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "the provider does not take the stored sign-in any more: `Sorry.`"
    );
    assert_eq!(failed.exit(), Exit::NoPermission);
    assert!(failed.hint().unwrap().ends_with("run `popsync login work`"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_hurts_only_once_the_token_has_ended() {
    let bench = Bench::new();
    let token = bench.by_device().await.unwrap();
    bench.provider.state().refresh = Some(Poll::Raw(503, String::new()));
    assert_eq!(bench.token(NOW + 3590).await.unwrap(), token);
    let failed = bench.token(NOW + 3600).await.unwrap_err();
    assert_eq!(failed.exit(), Exit::TemporaryFailure);
    bench.provider.state().refresh = Some(Poll::Hangup);
    let failed = bench.token(NOW + 3600).await.unwrap_err();
    assert_eq!(failed.exit(), Exit::Unavailable);
}

/// A refresh token is sent only to the provider that gave it, for the client that got it.
#[tokio::test(start_paused = true)]
async fn tokens_are_not_shown_to_another_provider() {
    let mut bench = Bench::new();
    bench.by_device().await.unwrap();
    let other = Provider::start();
    if let account::Provider::Other(endpoints) = &mut bench.oauth.provider {
        endpoints.token = other.url("/token").parse().unwrap();
    }
    let failed = bench.token(NOW + 10_000).await.unwrap_err();
    assert!(
        matches!(failed.error, TokenError::NotSignedIn),
        "{failed:?}"
    );
    assert_eq!(
        other.state().refreshed + bench.provider.state().refreshed,
        0
    );
}

#[tokio::test]
async fn a_client_secret_comes_from_a_command() {
    let mut bench = Bench::new();
    bench.provider.state().wants_secret = true;
    bench.provider.state().interval = Some(1);
    bench.oauth.client_secret_command = Some(format!("echo '{SECRET}'"));
    bench.by_device().await.unwrap();
    bench.token(NOW + 10_000).await.unwrap();
    bench.oauth.client_secret_command = Some("echo geheim; exit 1".to_owned());
    let failed = bench.token(NOW + 20_000).await.unwrap_err().to_string();
    assert_eq!(failed, "client-secret-command failed: exit status: 1");
}

#[tokio::test]
async fn an_issuer_says_where_its_end_points_are() {
    for only_openid in [false, true] {
        let (provider, pem) = Provider::start_tls();
        provider.state().only_openid = only_openid;
        provider.state().interval = Some(1);
        let mut bench = Bench::of(provider);
        let ca_file = bench.folder.path().join("ca.pem");
        File::create(&ca_file)
            .and_then(|mut file| std::io::Write::write_all(&mut file, pem.as_bytes()))
            .unwrap();
        let issuer = bench.provider.url("/tenant").parse().unwrap();
        bench.oauth.provider = account::Provider::Issuer(issuer);
        // Unknown certificates are not trusted.
        let failed = bench.by_device().await.unwrap_err();
        assert!(
            matches!(failed.error, TokenError::Unreachable { .. }),
            "{failed:?}"
        );
        bench.oauth.ca_file = Some(ca_file);
        let token = bench.by_device().await.unwrap();
        assert!(bench.provider.accepts(&token));
        let renewed = bench.token(NOW + 10_000).await.unwrap();
        assert!(bench.provider.accepts(&renewed));

        bench.provider.state().issuer = Some("https://login.example.com".to_owned());
        let failed = bench.by_device().await.unwrap_err();
        assert!(
            failed
                .to_string()
                .ends_with("the metadata of another issuer")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn signing_out_leaves_nothing() {
    let bench = Bench::new();
    bench.by_device().await.unwrap();
    assert!(oauth::sign_out(&bench.account, &bench.oauth).await.unwrap());
    assert!(!oauth::sign_out(&bench.account, &bench.oauth).await.unwrap());
    assert_eq!(bench.kept(), "");
}
