//! The top level of a file: the tables of the accounts, and in the configuration file what they
//! share.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::faults::{Fault, Faults};
use super::given::{Given, Source};
use super::key::Key;
use super::origin::{FileId, Origin, Setting};
use super::paths::Base;
use super::problem::Problem;
use super::row::{Entry, entries};
use super::suggest;

/// `accounts`.
static ACCOUNTS: Key = Key {
    name: "accounts",
    hint: Some(ACCOUNTS_HINT),
    ..Key::TOP
};

/// The table of an account.
pub(super) static ACCOUNT: Key = Key {
    name: "accounts.NAME",
    hint: Some(ACCOUNTS_HINT),
    ..Key::TOP
};

/// `defaults`.
static DEFAULTS: Key = Key {
    name: "defaults",
    hint: Some("write `[defaults]` and the keys below it"),
    ..Key::TOP
};

/// `accounts-from`.
pub(super) static ACCOUNTS_FROM: Key = Key {
    name: "accounts-from",
    value: "FILE",
    example: "\"users.csv\"",
    hint: Some("write `accounts-from = \"users.csv\"` above the first table"),
    text: "
        One account for each row of this list, a CSV file.
        Needs `[template]`; see ACCOUNTS FROM A LIST below.
        Stands above the first table of the file.",
    ..Key::TOP
};

/// `template`.
pub(super) static TEMPLATE: Key = Key {
    name: "template",
    value: "TABLE",
    example: "{ server = \"pop3s://mail.example.com\", user = \"{name}\", maildir = \"{name}\" }",
    hint: Some(
        "write `[template]` and the keys of an account below it, with the columns of the list in \
         braces: `user = \"{name}\"`",
    ),
    text: "
        The account that each row of `accounts-from` describes.
        `{`*COLUMN*`}` in a text stands for the row's value in that column.",
    ..Key::TOP
};

const ACCOUNTS_HINT: &str = "write `[accounts.work]` and the account's keys below it";

/// The top level of the configuration file.
pub(super) struct Top<'a> {
    /// The accounts; none if they cannot be told.
    pub(super) accounts: Option<Vec<Entry<'a>>>,
    pub(super) defaults: Option<&'a DeTable<'a>>,
    /// The template and its list.
    pub(super) fleet: Option<(Entry<'a>, Setting<PathBuf>)>,
}

impl<'a> Top<'a> {
    /// Reads it; what is wrong with it is added to `faults`.
    pub(super) fn of_main(document: &'a DeTable<'a>, base: &'a Base, faults: &mut Faults) -> Self {
        let file = FileId::MAIN;
        let (mut defaults, mut accounts) = (None, Some(Vec::new()));
        let (mut template, mut list) = (None, None);
        for entry @ (key, value) in entries(document) {
            match key.get_ref().as_ref() {
                "defaults" => defaults = faults.keep(table(&DEFAULTS, value, file, base)),
                "accounts" => {
                    let tables = table(&ACCOUNTS, value, file, base);
                    accounts = faults.keep(tables).map(entries);
                }
                "accounts-from" => list = Some((key, faults.keep(path(value, base)))),
                "template" => {
                    let table = faults.keep(table(&TEMPLATE, value, file, base));
                    template = Some((key, table.map(|_| entry)));
                }
                _ => {
                    // An account may stand below it.
                    accounts = accounts.filter(|accounts| !accounts.is_empty());
                    faults.keep::<()>(Err(unknown(key)));
                }
            }
        }
        let missing = |of: &Spanned<DeString<'_>>, key| {
            Fault::new(&Origin::File(file, of.span()), Problem::Missing { key })
        };
        let fleet = match (template, list) {
            (Some((_, template)), Some((_, list))) => template.zip(list),
            (Some((key, _)), None) => faults.keep(Err(missing(key, &ACCOUNTS_FROM))),
            (None, Some((key, _))) => faults.keep(Err(missing(key, &TEMPLATE))),
            (None, None) => None,
        };
        Self {
            accounts,
            defaults,
            fleet,
        }
    }
}

/// The accounts of a file beside the configuration file, which has nothing else.
pub(super) fn accounts_of_other<'a>(
    document: &'a DeTable<'a>,
    file: FileId,
    base: &'a Base,
    faults: &mut Faults,
) -> Vec<Entry<'a>> {
    let mut accounts = Vec::new();
    for (key, value) in entries(document) {
        if key.get_ref() == ACCOUNTS.name {
            let tables = faults.keep(table(&ACCOUNTS, value, file, base));
            accounts.extend(tables.map(entries).unwrap_or_default());
        } else {
            faults.keep::<()>(Err(misplaced(key, file)));
        }
    }
    accounts
}

/// The table that is the value of a key.
pub(super) fn table<'a>(
    key: &'static Key,
    value: &'a Spanned<DeValue<'a>>,
    file: FileId,
    base: &'a Base,
) -> Result<&'a DeTable<'a>, Fault> {
    let source = Source::Toml(value, file);
    Given { key, source, base }.table("a table")
}

fn path(value: &Spanned<DeValue<'_>>, base: &Base) -> Result<Setting<PathBuf>, Fault> {
    let source = Source::Toml(value, FileId::MAIN);
    let key = &ACCOUNTS_FROM;
    Given { key, source, base }.path()
}

/// A key at the top of the configuration file that nobody knows.
fn unknown(key: &Spanned<DeString<'_>>) -> Fault {
    let known = vec![
        DEFAULTS.name,
        ACCOUNTS.name,
        ACCOUNTS_FROM.name,
        TEMPLATE.name,
    ];
    let name = key.get_ref();
    let nearest = suggest::nearest(name, &known);
    let home = nearest.is_none().then(|| {
        format!(
            "known here: {}; the keys of an account stand below `[defaults]` or `[accounts.NAME]`",
            known.join(", ")
        )
    });
    unknown_key(key, FileId::MAIN, known, nearest, home)
}

/// A key at the top of another file.
fn misplaced(key: &Spanned<DeString<'_>>, file: FileId) -> Fault {
    let known = vec![ACCOUNTS.name];
    let nearest = suggest::nearest(key.get_ref(), &known);
    let of_main = [DEFAULTS.name, ACCOUNTS_FROM.name, TEMPLATE.name];
    let home = if of_main.contains(&key.get_ref().as_ref()) {
        Some("it belongs into `config.toml`; the files of `conf.d` hold accounts alone".to_owned())
    } else {
        let below = "the keys of an account stand below `[accounts.NAME]`";
        nearest.is_none().then(|| below.to_owned())
    };
    unknown_key(key, file, known, nearest, home)
}

fn unknown_key(
    key: &Spanned<DeString<'_>>,
    file: FileId,
    known: Vec<&'static str>,
    nearest: Option<&'static str>,
    home: Option<String>,
) -> Fault {
    Fault::new(
        &Origin::File(file, key.span()),
        Problem::UnknownKey {
            key: key.get_ref().to_string(),
            nearest,
            known,
            home,
        },
    )
}
