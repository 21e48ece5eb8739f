//! `popsync man`: the manual pages, which are built into the program.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::exit::Exit;
use crate::failure::Failure;

use super::args::{Global, Man};
use super::output::Output;
use super::{options, print};

/// A manual page.
pub(super) struct Page {
    /// Its name, with the section unless that is 1.
    pub(super) name: &'static str,
    /// Its source in roff.
    pub(super) text: &'static str,
}

/// There is no page of this name.
#[derive(Debug, thiserror::Error)]
#[error("there is no manual page `{name}`")]
pub(super) struct Error {
    pub(super) name: String,
}

impl Failure for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        Some("`popsync man --list` prints the names".into())
    }
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
        name: "popsync-log",
        text: include_str!("../../man/popsync-log.1"),
    },
    Page {
        name: "popsync-report",
        text: include_str!("../../man/popsync-report.1"),
    },
    Page {
        name: "popsync-forget",
        text: include_str!("../../man/popsync-forget.1"),
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
        name: "popsync-export",
        text: include_str!("../../man/popsync-export.1"),
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
        name: "popsync-config-schema",
        text: include_str!("../../man/popsync-config-schema.1"),
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

/// Prints the source of a page, or the list of all pages. On a terminal, opens the page.
pub(super) fn man(global: &Global, arguments: &Man) -> Exit {
    if arguments.list {
        let names: Vec<_> = PAGES.iter().map(|page| page.name).collect();
        return print(global, &names.join("\n"));
    }
    let name = arguments.page.join("-");
    let Some(page) = find(&name) else {
        let output = Output::standard(options(global, false));
        return output.failure(None, &Error { name });
    };
    if io::stdout().is_terminal() && opened(page) {
        return Exit::Success;
    }
    print(global, page.text.trim_end())
}

/// Shows a page with the system's `man`. Returns false if that is missing or fails.
fn opened(page: &Page) -> bool {
    let reader = Command::new("man")
        .args(["-l", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut reader) = reader else {
        return false;
    };
    if let Some(mut pipe) = reader.stdin.take() {
        // A reader may quit before the end.
        let _ = pipe.write_all(page.text.as_bytes());
    }
    reader.wait().is_ok_and(|status| status.success())
}

/// The page of this name, of this command, or of the configuration file.
fn find(name: &str) -> Option<&'static Page> {
    // The page of the file is wanted more often than that of `popsync config`.
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
