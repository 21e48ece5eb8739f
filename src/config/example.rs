//! The example of a configuration file, made from the table of settings.

use super::key::{Key, Section, Table};
use super::row::{Kind, Rows};
use super::rows::{self, ACCOUNT, SHORTEST};
use super::settings::Settings;
use super::top;

/// The beginning. `@` is the place of the list, whose key stands above the first table.
const HEAD: &str = "\
# Configuration of popsync: ~/.config/popsync/config.toml, with mode 0600.
#
# To enable a setting, remove the `#` in front of its key. Its value is an example, not always the
# default. `popsync man config` explains each setting, and `popsync config check` reports the
# mistakes in this file.

@
# Settings of all accounts. Any key of an account can be here.
[defaults]
";

/// The comment above the key of the list.
const LIST: &str = "\
# More accounts, one for each row of a CSV file. They need a table [template]: `popsync man config`,
# section ACCOUNTS FROM A LIST, shows one. More accounts may also be in files conf.d/*.toml.
";

/// The sections, each with the comment above it.
const SECTIONS: [(Section, &str); 11] = [
    (
        Section::Defaults,
        "\
# The Outlook version to follow: outlook-2016 and earlier delete mail once it is stored, later ones
# leave it on the server. rfc1939 is the generic client.
",
    ),
    (
        Section::Server,
        "
# One table for each mailbox. Choose any name.
[accounts.work]
# pop3s:// uses TLS, on port 995. pop3:// uses STLS, on port 110; plain text needs `tls = \"off\"`.
",
    ),
    (
        Section::Password,
        "
# The source of the password: one of these. Without them popsync takes it from the keyring
# (`popsync login work`), or asks for it.
",
    ),
    (
        Section::Login,
        "
# The way to log in: USER and PASS, or for example plain, scram-sha-256, xoauth2, or auto for the
# best that the server offers.
",
    ),
    (
        Section::Store,
        "
# The store: one of these.
",
    ),
    (
        Section::Deletion,
        "
# The rules by which mail leaves the server. Without any of these the profile decides.
",
    ),
    (
        Section::Limits,
        "
# Limits of one run.
",
    ),
    (
        Section::Alerts,
        "
# Reports: a delay for servers that cannot be reached, and programs that get the counts as JSON.
",
    ),
    (
        Section::Route,
        "
# The way to the server.
",
    ),
    (
        Section::Tls,
        "
# The certificates to trust, if the built-in ones will not do. `tls = \"off\"` with pop3:// allows
# plain text.
",
    ),
    (
        Section::OAuth,
        "
# Access tokens, from a provider that is known by its name, its issuer or its addresses.
",
    ),
];

/// A file with every key.
pub(crate) fn commented() -> String {
    of_rows(&ACCOUNT)
}

/// The example with the keys of these rows.
pub(super) fn of_rows(rows: &Rows<Settings>) -> String {
    let list = top::ACCOUNTS_FROM.assignment();
    let mut text = HEAD.replace("@\n", &format!("{LIST}#{list}\n\n"));
    let keys = rows.keys();
    for (section, comment) in SECTIONS {
        text.push_str(comment);
        for (key, kind) in keys.iter().filter(|(key, _)| key.section == section) {
            match kind {
                Kind::Table(table) => add_table(&mut text, *table),
                _ => add_line(&mut text, key),
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn add_line(text: &mut String, key: &Key) {
    if !SHORTEST.contains(&key.name) {
        text.push('#');
    }
    text.push_str(&key.assignment());
    text.push('\n');
}

/// Adds a line for each key of an inline table that no line before has shown.
fn add_table(text: &mut String, table: Table) {
    let start = text.len();
    for (key, _) in rows::keys_of(table) {
        let assigned = [" ", key.name, " = "].concat();
        if !text[start..].contains(&assigned) {
            add_line(text, key);
        }
    }
}
