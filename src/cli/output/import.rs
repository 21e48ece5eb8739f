//! The output of `popsync import` and `popsync forget`.

use indicatif::HumanCount;

use crate::cache::{AccountOverview, Taken};

use super::Output;
use super::json::Line;
use super::terminal::messages;

impl Output {
    /// Reports the messages imported from this source. `are_sought`: their copies will be looked for
    /// in the store.
    pub(in crate::cli) fn imported(
        &self,
        account: &str,
        source: &str,
        taken: Taken,
        are_sought: bool,
    ) {
        let Taken { new, known, stay } = taken;
        self.json(|| Line::Import {
            account,
            source,
            new,
            known,
        });
        let before = match known {
            0 => String::new(),
            _ => format!("; {} known before", HumanCount(known)),
        };
        self.done(&format!(
            "{account}: {} {} taken over{before}",
            HumanCount(new),
            messages(new)
        ));
        let which = match stay {
            0 => return,
            _ if stay == new => format!("these {}", HumanCount(stay)),
            _ => format!("{} of these", HumanCount(stay)),
        };
        let until = match are_sought {
            true => "until their copies are found in the store",
            false => "whatever the settings say",
        };
        self.done(&format!("{account}: {which} stay on the server {until}"));
    }

    /// Reports that the records of a mailbox were removed.
    pub(in crate::cli) fn forgotten(&self, account: &AccountOverview) {
        let AccountOverview {
            name,
            messages: count,
            store,
            ..
        } = account;
        self.json(|| Line::Forgotten {
            account: name,
            messages: *count,
            store,
        });
        self.done(&format!(
            "{name}: {} {} forgotten; the mail stays in {store}",
            HumanCount(*count),
            messages(*count)
        ));
    }
}
