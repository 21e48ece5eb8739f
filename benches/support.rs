//! The account that benchmarks are about.

use std::path::Path;

use popsync::Profile;
use popsync::account::{
    Account, AuthMethod, DEFAULT_TIMEOUT, Identity, Limits, LineEndings, PasswordSource, Retention,
    Route, Security, Server, StoreSettings, TlsSettings,
};

/// Nothing is ever deleted.
pub(crate) const RETENTION: Retention = Retention::new(true, None);

pub(crate) fn account(maildir: &Path) -> Account {
    Account {
        name: "bench".to_owned(),
        identity: Identity {
            key: "bench".to_owned(),
            host: "localhost".to_owned(),
            user: "bench".to_owned(),
        },
        server: Server {
            host: "localhost".to_owned(),
            port: 995,
            security: Security::ImplicitTls,
        },
        user: "bench".to_owned(),
        auth: AuthMethod::User,
        password: PasswordSource::Ask,
        profile: Profile::default(),
        store: StoreSettings::Maildir {
            path: maildir.to_owned(),
            line_endings: LineEndings::Lf,
        },
        retention: RETENTION,
        limits: Limits::default(),
        route: Route::default(),
        tls: TlsSettings::default(),
        timeout: DEFAULT_TIMEOUT,
        alerts: popsync::account::Alerts::default(),
    }
}
