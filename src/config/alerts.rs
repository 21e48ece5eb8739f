//! `complain-after`, `on-new-mail` and `on-failure`.

use std::time::Duration;

use crate::account::Alerts;

use super::settings::Setting;

/// These keys of one layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertKeys {
    pub(crate) complain_after: Option<Setting<Duration>>,
    pub(crate) on_new_mail: Option<Setting<Vec<String>>>,
    pub(crate) on_failure: Option<Setting<Vec<String>>>,
}

impl AlertKeys {
    /// These keys, and where they are silent those of `below`.
    pub(super) fn or(self, below: Self) -> Self {
        Self {
            complain_after: self.complain_after.or(below.complain_after),
            on_new_mail: self.on_new_mail.or(below.on_new_mail),
            on_failure: self.on_failure.or(below.on_failure),
        }
    }

    /// The alerts of the account.
    pub(super) fn alerts(self) -> Alerts {
        Alerts {
            complain_after: self.complain_after.map(|time| time.value),
            on_new_mail: self.on_new_mail.map(|command| command.value),
            on_failure: self.on_failure.map(|command| command.value),
        }
    }
}
