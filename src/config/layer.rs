//! One table of settings, as far as it can be read.
//!
//! A key that cannot be read is one mistake. It must not become a second one because it is missing
//! then, or because another key needs it.

use toml::de::DeTable;

use super::contradiction::Contradiction;
use super::faults::Faults;
use super::keys::ACCOUNT_KEYS;
use super::paths::Base;
use super::problem::Problem;
use super::settings::Settings;
use super::suggest;
use super::table;

/// `[defaults]` or the table of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub(super) settings: Settings,
    /// The settings that it sets.
    set: Vec<&'static str>,
    /// The settings that it would set if they could be read.
    unread: Vec<&'static str>,
}

impl Layer {
    /// Reads a table; what is wrong with it is added to `faults`.
    pub(super) fn read(table: &DeTable<'_>, base: &Base, faults: &mut Faults) -> Self {
        let mut layer = Self::default();
        for (key, value) in table::entries(table) {
            let name = key.get_ref().as_ref();
            match faults.keep(table::set(&mut layer.settings, key, value, base)) {
                Some(()) => layer.set.extend(setting(name)),
                None => layer.unread.extend(meant(name)),
            }
        }
        if faults.keep(layer.settings.finish_layer()).is_none() {
            layer.unread.push("user");
        }
        layer
    }

    /// This layer, and where it is silent the one below.
    pub(super) fn or(self, below: &Self) -> Self {
        let hidden = |setting: &&'static str| !self.set.contains(setting);
        let mut unread: Vec<_> = below.unread.iter().copied().filter(hidden).collect();
        unread.extend(&self.unread);
        Self {
            settings: self.settings.or(&below.settings),
            set: self.set,
            unread,
        }
    }

    /// True if all of it could be read.
    pub(super) fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    /// True if the problem may be gone once everything can be read.
    pub(super) fn explains(&self, problem: &Problem) -> bool {
        let causes: &[&str] = match problem {
            Problem::Missing { key: "server" } => &["server"],
            Problem::Missing { key: "user" } => &["server", "user"],
            Problem::Missing { key: "maildir" } => &["store"],
            Problem::User(_) | Problem::UserBlanks => &["auth"],
            Problem::Contradiction(contradiction) => match contradiction {
                Contradiction::ApopWithOutlook { .. } => &["profile"],
                Contradiction::ExternalWithoutCertificate => &["tls"],
                Contradiction::OAuthUnused { .. } | Contradiction::TokenWithoutOAuth { .. } => {
                    &["auth"]
                }
                Contradiction::ProxyPasswordWithoutUser => &["proxy"],
                Contradiction::ProxyUserWithoutPassword => &["proxy-password-file"],
                _ => &[],
            },
            _ => &[],
        };
        causes.iter().any(|cause| self.unread.contains(cause))
    }
}

/// The setting of a key: an account has one store, and one source of its password.
fn setting(key: &str) -> Option<&'static str> {
    match key {
        "maildir" | "mbox" | "exec" => Some("store"),
        "password-command"
        | "password-file"
        | "password-netrc"
        | "oauth-token-command"
        | "oauth" => Some("password"),
        _ => ACCOUNT_KEYS.iter().find(|known| **known == key).copied(),
    }
}

/// The setting that a key, perhaps mistyped, was meant for.
fn meant(key: &str) -> Option<&'static str> {
    setting(key).or_else(|| setting(suggest::nearest(key, &ACCOUNT_KEYS)?))
}
