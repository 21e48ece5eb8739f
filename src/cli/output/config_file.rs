//! The output of `popsync config check`.

use std::path::Path;

use serde::Serialize;

use crate::config;
use crate::exit::Exit;

use super::{Output, sanitize};

#[derive(Serialize)]
struct CheckLine {
    event: &'static str,
    account: Option<&'static str>,
    config: String,
    mistakes: usize,
}

impl Output {
    /// Reports that the configuration file has no mistakes.
    pub(in crate::cli) fn sound_config(&self, path: &Path, accounts: usize) {
        self.checked(path, 0);
        let plural = if accounts == 1 { "" } else { "s" };
        let path = path.display();
        self.done(&format!("{path}: {accounts} account{plural}, no mistakes"));
    }

    /// Reports all mistakes in the configuration file.
    pub(in crate::cli) fn config_mistakes(&self, path: &Path, errors: &[config::Cause]) -> Exit {
        let mut exit = Exit::Success;
        for error in errors {
            exit = exit.merge(self.failure(None, error));
        }
        self.checked(path, errors.len());
        if errors.len() > 1 {
            self.done(&format!("{}: {} mistakes", path.display(), errors.len()));
        }
        exit
    }

    fn checked(&self, path: &Path, mistakes: usize) {
        if self.options.json {
            self.line_of(&CheckLine {
                event: "config-check",
                account: None,
                config: sanitize::text(&path.display().to_string()).into_owned(),
                mistakes,
            });
        }
    }
}
