//! What rustls makes of the settings, for all accounts with the same ones. The files are then read once,
//! and a server need not prove its key again to each of them: a session is resumed (RFC 8446 §2.2).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use crate::account::TlsSettings;

/// After this time the files are read again, and the server proves its key again: a certificate may have
/// been replaced.
const LIFETIME: Duration = Duration::from_secs(60);

/// At most so many are kept. Each has a set of authorities of its own.
const MOST: usize = 16;

/// Those of this process.
pub(super) static ALL: Configurations = Configurations(Mutex::new(Vec::new()));

/// Configurations, the newest last.
pub(super) struct Configurations(Mutex<Vec<Shared>>);

struct Shared {
    settings: TlsSettings,
    made_at: Instant,
    config: Arc<ClientConfig>,
}

impl Configurations {
    /// The configuration for these settings, which `make` makes if there is none yet. `now` is the
    /// time.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn get<E>(
        &self,
        settings: &TlsSettings,
        now: Instant,
        make: impl FnOnce() -> Result<ClientConfig, E>,
    ) -> Result<Arc<ClientConfig>, E> {
        if let Some(config) = self.find(settings, now) {
            return Ok(config);
        }
        // Without the lock: a file may be a pipe, and its other end slow.
        let config = Arc::new(make()?);
        let mut shared = self.open();
        if shared.len() >= MOST {
            shared.remove(0);
        }
        shared.push(Shared {
            settings: settings.clone(),
            made_at: now,
            config: Arc::clone(&config),
        });
        Ok(config)
    }

    /// The configuration for these settings, if there is one. `now` is the time.
    pub(super) fn find(&self, settings: &TlsSettings, now: Instant) -> Option<Arc<ClientConfig>> {
        let mut shared = self.open();
        shared.retain(|one| now.saturating_duration_since(one.made_at) < LIFETIME);
        let one = shared.iter().find(|one| one.settings == *settings)?;
        Some(Arc::clone(&one.config))
    }

    fn open(&self) -> MutexGuard<'_, Vec<Shared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rustls::RootCertStore;
    use rustls::crypto::ring;

    use super::*;
    use crate::account::TlsVersion;

    fn make() -> Result<ClientConfig, Infallible> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(RootCertStore::empty());
        Ok(builder.with_no_client_auth())
    }

    #[test]
    fn only_equal_settings_share_and_only_for_a_minute() {
        let settings = |name: &str, min_version| TlsSettings {
            server_name: Some(name.to_owned()),
            min_version,
            ..TlsSettings::default()
        };
        let all = Configurations(Mutex::default());
        let now = Instant::now();
        let one = settings("shared.example", TlsVersion::Tls12);
        let first = all.get(&one, now, make).unwrap();
        let second = all.get(&one, now + Duration::from_secs(59), make).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        let stricter = settings("shared.example", TlsVersion::Tls13);
        let stricter = all.get(&stricter, now, make).unwrap();
        assert!(!Arc::ptr_eq(&first, &stricter));
        let later = all.get(&one, now + LIFETIME, make).unwrap();
        assert!(!Arc::ptr_eq(&first, &later));
    }

    #[test]
    fn no_more_are_kept_than_some() {
        let all = Configurations(Mutex::default());
        let now = Instant::now();
        for number in 0..3 * MOST {
            let settings = TlsSettings {
                server_name: Some(format!("{number}.many.example")),
                ..TlsSettings::default()
            };
            all.get(&settings, now, make).unwrap();
        }
        assert!(all.0.lock().unwrap().len() <= MOST);
    }
}
