//! The output of `popsync account`.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::account::{Account, Security};
use crate::config::{Config, Shown};
use crate::pop3::Capabilities;
use crate::pop3::listing::DropListing;
use crate::session::Peer;
use crate::words;

use super::terminal::{messages, octets};
use super::{Output, sanitize};

/// The observations of a test of an account, until it ended.
#[derive(Debug, Default)]
pub(in crate::cli) struct Trial {
    /// The connection.
    pub(in crate::cli) peer: Option<Peer>,
    /// The time it took to connect and to log in.
    pub(in crate::cli) logged_in: Option<Duration>,
    /// The server's capabilities.
    pub(in crate::cli) capabilities: Option<Capabilities>,
    /// The size of the mailbox.
    pub(in crate::cli) mailbox: Option<DropListing>,
}

#[derive(Serialize)]
struct AccountLine<'a> {
    event: &'static str,
    account: &'a str,
    server: String,
    security: &'static str,
    user: &'a str,
    auth: &'static str,
    profile: String,
    password: &'static str,
    config: String,
    line: Option<u64>,
    settings: Map<String, Value>,
}

#[derive(Serialize)]
struct TrialLine<'a> {
    event: &'static str,
    account: &'a str,
    address: Option<String>,
    tls: Option<&'a str>,
    logged_in: bool,
    capabilities: Option<Vec<String>>,
    messages: Option<u64>,
    bytes: Option<u64>,
    seconds: Option<f64>,
}

#[derive(Serialize)]
struct ChangedLine<'a> {
    event: &'static str,
    account: &'a str,
    config: String,
}

impl Output {
    /// Prints all accounts, one line each, with the file of those that are not in the configuration
    /// file itself. `shown` has their settings.
    pub(in crate::cli) fn accounts(&self, config: &Config, shown: &[Shown]) {
        let accounts = config.accounts.iter().zip(shown);
        if self.options.json {
            for (account, shown) in accounts {
                self.account_line(config, account, shown);
            }
            return;
        }
        let rows: Vec<[String; 5]> = accounts
            .map(|(account, shown)| {
                [
                    account.name.clone(),
                    account.user.clone(),
                    url(account),
                    store(shown),
                    elsewhere(config, account).unwrap_or_default(),
                ]
                .map(|text| sanitize::text(&text).into_owned())
            })
            .collect();
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].width());
            widths.max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        for row in &rows {
            let mut line = String::new();
            for (text, width) in row.iter().zip(widths) {
                line.push_str(text);
                line.push_str(&" ".repeat(width.saturating_sub(text.width()) + 2));
            }
            line.push_str(&row[4]);
            self.data(line.trim_end().to_owned());
        }
    }

    /// Prints the settings of one account.
    pub(in crate::cli) fn account(&self, config: &Config, account: &Account, shown: &Shown) {
        if self.options.json {
            self.account_line(config, account, shown);
            return;
        }
        self.text(&format!("[accounts.{}]", account.name));
        for setting in &shown.keys {
            let value = setting.value.as_deref().unwrap_or("…");
            let place = setting.from.map(|table| format!("  # from {table}"));
            let place = place.unwrap_or_default();
            self.text(&format!("{} = {value}{place}", setting.key));
        }
        self.text(&format!(
            "# server: {}, {}",
            account.server,
            protection(account)
        ));
        self.text(&format!("# profile: {}", account.profile));
        self.text(&format!("# password: {}", source(account)));
        if let Some(file) = elsewhere(config, account) {
            self.text(&format!("# file: {file}"));
        }
    }

    fn account_line(&self, config: &Config, account: &Account, shown: &Shown) {
        let settings = shown.keys.iter().map(|setting| {
            let value = setting.value.clone().map_or(Value::Null, Value::String);
            (setting.key.clone(), value)
        });
        self.line_of(&AccountLine {
            event: "account",
            account: &account.name,
            server: account.server.to_string(),
            security: match account.server.security {
                Security::ImplicitTls => "tls",
                Security::Plain => "plain",
                Security::Stls => "stls",
            },
            user: &account.user,
            auth: account.auth.name(),
            profile: account.profile.to_string(),
            password: source(account),
            config: config.file_of(&account.name).display().to_string(),
            line: config.place(&account.name).and_then(|place| place.line),
            settings: settings.collect(),
        });
    }

    /// Reports the observations of a test.
    pub(in crate::cli) fn trial(&self, account: &Account, trial: &Trial) {
        let peer = trial.peer.as_ref();
        if self.options.json {
            self.line_of(&TrialLine {
                event: "account-test",
                account: &account.name,
                address: peer.map(|peer| peer.address.to_string()),
                tls: peer.and_then(|peer| peer.tls.as_deref()),
                logged_in: trial.logged_in.is_some(),
                capabilities: trial.capabilities.as_ref().map(safe_lines),
                messages: trial.mailbox.map(|mailbox| mailbox.messages),
                bytes: trial.mailbox.and_then(|mailbox| mailbox.octets),
                seconds: trial.logged_in.map(|time| time.as_secs_f64()),
            });
            return;
        }
        let row = |what: &str, seen: &str| self.text(&format!("{what:<13} {seen}"));
        if let Some(peer) = peer {
            row(
                "connection",
                &format!("{} ({})", account.server, peer.address),
            );
            row(
                "TLS",
                peer.tls
                    .as_deref()
                    .unwrap_or("off: everybody on the way can read it"),
            );
        }
        if let Some(time) = trial.logged_in {
            let seconds = time.as_secs_f64();
            row(
                "login",
                &format!(
                    "{} as {}, in {seconds:.2} s",
                    account.auth.name(),
                    account.user
                ),
            );
        }
        if let Some(capabilities) = &trial.capabilities {
            let lines = capabilities.lines();
            let told = match lines {
                [] => "none announced".to_owned(),
                lines => lines.join(", "),
            };
            row("capabilities", &told);
        }
        if let Some(mailbox) = trial.mailbox {
            let count = mailbox.messages;
            let size = mailbox.octets.map(|size| format!(", {}", octets(size)));
            let size = size.unwrap_or_default();
            row("mailbox", &format!("{count} {}{size}", messages(count)));
        }
    }

    /// Reports that an account was added.
    pub(in crate::cli) fn account_added(&self, account: &Account, path: &Path) {
        if self.options.json {
            self.changed("account-added", account, path);
        }
        self.done(&format!("{}: added to {}", account.name, path.display()));
    }

    /// The commands to run next with a new account.
    pub(in crate::cli) fn next_steps(&self, account: &Account) {
        let name = words::quoted(&account.name);
        self.done(&format!(
            "next: `popsync sync {name}`; then `popsync schedule {name} --every 15m --install`"
        ));
    }

    /// Reports that an account was removed.
    pub(in crate::cli) fn account_removed(&self, account: &Account, path: &Path) {
        if self.options.json {
            self.changed("account-removed", account, path);
        }
        let name = &account.name;
        self.done(&format!(
            "{name}: removed from {}; its mail stays where it is",
            path.display()
        ));
    }

    /// Reports that an account was renamed.
    pub(in crate::cli) fn account_renamed(&self, old: &str, account: &Account, path: &Path) {
        if self.options.json {
            self.changed("account-renamed", account, path);
        }
        let name = &account.name;
        self.done(&format!(
            "{old}: it is {name} from now on, with all that is remembered of it"
        ));
    }

    fn changed(&self, event: &'static str, account: &Account, path: &Path) {
        self.line_of(&ChangedLine {
            event,
            account: &account.name,
            config: path.display().to_string(),
        });
    }

    pub(super) fn line_of(&self, line: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(line) {
            self.data(line);
        }
    }

    fn text(&self, line: &str) {
        self.data(sanitize::text(line).into_owned());
    }
}

/// The lines, escaped for a terminal.
fn safe_lines(capabilities: &Capabilities) -> Vec<String> {
    let safe = |line: &String| sanitize::text(line).into_owned();
    capabilities.lines().iter().map(safe).collect()
}

fn url(account: &Account) -> String {
    let scheme = match account.server.security {
        Security::ImplicitTls => "pop3s",
        Security::Plain | Security::Stls => "pop3",
    };
    let server = &account.server;
    let usual = server.security.default_port() == server.port;
    let text = server.to_string();
    let text = if usual {
        text.rsplit_once(':')
            .map_or(text.as_str(), |(host, _)| host)
    } else {
        &text
    };
    format!("{scheme}://{text}")
}

fn protection(account: &Account) -> &'static str {
    match account.server.security {
        Security::ImplicitTls => "TLS from the first octet",
        Security::Plain => "not encrypted",
        Security::Stls => "TLS by STLS",
    }
}

/// The source of the password. Shows neither the password nor the command that prints it.
fn source(account: &Account) -> &'static str {
    account
        .password
        .key()
        .unwrap_or("keyring, systemd credential, POPSYNC_PASSWORD or prompt")
}

/// The file of an account that is not in the configuration file itself, as it is called from there.
fn elsewhere(config: &Config, account: &Account) -> Option<String> {
    let place = config.place(&account.name)?;
    if place.path == config.path {
        return None;
    }
    let folder = config.path.parent()?;
    let path = place.path.strip_prefix(folder).unwrap_or(&place.path);
    let line = place.line.map(|line| format!(":{line}"));
    Some(format!("{}{}", path.display(), line.unwrap_or_default()))
}

/// The store that the mail goes to.
fn store(shown: &Shown) -> String {
    ["maildir", "mbox"]
        .iter()
        .find_map(|key| shown.text(key))
        .unwrap_or_default()
        .to_owned()
}
