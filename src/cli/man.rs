//! `popsync man`: the manual pages, which are part of the program.

/// A manual page.
pub(super) struct Page {
    /// Its name, with the section where that is not 1.
    pub(super) name: &'static str,
    /// Its source in roff.
    pub(super) text: &'static str,
}

/// All pages.
pub(super) const PAGES: &[Page] = &[
    Page {
        name: "popsync",
        text: include_str!("../../man/popsync.1"),
    },
    Page {
        name: "popsync-fetch",
        text: include_str!("../../man/popsync-fetch.1"),
    },
    Page {
        name: "popsync-sync",
        text: include_str!("../../man/popsync-sync.1"),
    },
    Page {
        name: "popsync-status",
        text: include_str!("../../man/popsync-status.1"),
    },
    Page {
        name: "popsync-list",
        text: include_str!("../../man/popsync-list.1"),
    },
    Page {
        name: "popsync-mark",
        text: include_str!("../../man/popsync-mark.1"),
    },
    Page {
        name: "popsync-unmark",
        text: include_str!("../../man/popsync-unmark.1"),
    },
    Page {
        name: "popsync-verify",
        text: include_str!("../../man/popsync-verify.1"),
    },
    Page {
        name: "popsync-import",
        text: include_str!("../../man/popsync-import.1"),
    },
    Page {
        name: "popsync-probe",
        text: include_str!("../../man/popsync-probe.1"),
    },
    Page {
        name: "popsync-login",
        text: include_str!("../../man/popsync-login.1"),
    },
    Page {
        name: "popsync-logout",
        text: include_str!("../../man/popsync-logout.1"),
    },
    Page {
        name: "popsync-account",
        text: include_str!("../../man/popsync-account.1"),
    },
    Page {
        name: "popsync-account-add",
        text: include_str!("../../man/popsync-account-add.1"),
    },
    Page {
        name: "popsync-account-list",
        text: include_str!("../../man/popsync-account-list.1"),
    },
    Page {
        name: "popsync-account-show",
        text: include_str!("../../man/popsync-account-show.1"),
    },
    Page {
        name: "popsync-account-test",
        text: include_str!("../../man/popsync-account-test.1"),
    },
    Page {
        name: "popsync-account-remove",
        text: include_str!("../../man/popsync-account-remove.1"),
    },
    Page {
        name: "popsync-account-rename",
        text: include_str!("../../man/popsync-account-rename.1"),
    },
    Page {
        name: "popsync-config",
        text: include_str!("../../man/popsync-config.1"),
    },
    Page {
        name: "popsync-config-check",
        text: include_str!("../../man/popsync-config-check.1"),
    },
    Page {
        name: "popsync-config-example",
        text: include_str!("../../man/popsync-config-example.1"),
    },
    Page {
        name: "popsync-schedule",
        text: include_str!("../../man/popsync-schedule.1"),
    },
    Page {
        name: "popsync-completions",
        text: include_str!("../../man/popsync-completions.1"),
    },
    Page {
        name: "popsync-man",
        text: include_str!("../../man/popsync-man.1"),
    },
    Page {
        name: "popsync.5",
        text: include_str!("../../man/popsync.5"),
    },
];

/// The page of this name, of this command, or of the configuration file.
pub(super) fn find(name: &str) -> Option<&'static Page> {
    // The page of the file is sought more often than that of `popsync config`.
    if ["config", "config.toml"].contains(&name) {
        return find("popsync.5");
    }
    let name = name.strip_suffix(".1").unwrap_or(name);
    PAGES
        .iter()
        .find(|page| page.name == name || page.name.strip_prefix("popsync-") == Some(name))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn every_command_has_a_page() {
        for command in Cli::command().get_subcommands() {
            let page = find(command.get_name());
            assert!(page.is_some_and(|page| page.text.contains(".SH NAME")));
        }
        assert!(find("popsync").is_some() && find("config").is_some());
        assert!(find("popsync-").is_none() && find("").is_none());
    }
}
