//! The file as a whole: its accounts, and all that is wrong with it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::iter;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, Error as SyntaxError};

use crate::account::Account;

use super::contradiction::Contradiction;
use super::faults::{Fault, Faults, MAX_TOLD};
use super::given::{Given, Source};
use super::key::Key;
use super::layer::{self, Layer, Merged};
use super::origin::Origin;
use super::paths::Base;
use super::problem::Problem;
use super::resolve::StateKey;
use super::row::{self, Rows, entries};
use super::settings::Settings;
use super::suggest;

/// `accounts`.
static ACCOUNTS: Key = Key {
    name: "accounts",
    hint: Some(ACCOUNTS_HINT),
    ..Key::TOP
};

/// The table of an account.
static ACCOUNT: Key = Key {
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

const ACCOUNTS_HINT: &str = "write `[accounts.work]` and the account's keys below it";

/// The content of a file.
#[derive(Default)]
pub(super) struct Document {
    /// Its accounts, in its order, as far as they are sound.
    pub(super) accounts: Vec<Account>,
    /// The names of the others, with their mistakes.
    pub(super) unsound: Vec<(String, Faults)>,
    /// The mistakes that are not those of one account.
    pub(super) faults: Faults,
    /// It has no accounts, not even wrong ones.
    pub(super) is_empty: bool,
}

impl Document {
    /// True if there are mistakes that are not those of one account.
    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// All mistakes, in the order in which they are told.
    pub(super) fn faults_of_all(&self) -> Faults {
        let unsound = self.unsound.iter().map(|(_, faults)| faults);
        iter::once(&self.faults).chain(unsound).cloned().collect()
    }

    /// Reads the text of a file.
    pub(super) fn read(text: &str, base: &Base, rows: &Rows<Settings>) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Self::of_table(document.get_ref(), base, rows);
        }
        Self {
            faults: with_syntax_errors(text, document.get_ref(), &errors, base, rows),
            ..Self::default()
        }
    }

    fn of_table(document: &DeTable<'_>, base: &Base, rows: &Rows<Settings>) -> Self {
        let mut faults = Faults::default();
        let (mut defaults, mut tables) = (None, Some(Vec::new()));
        for (key, value) in entries(document) {
            match key.get_ref().as_ref() {
                "defaults" => defaults = faults.keep(table(&DEFAULTS, value, base)),
                "accounts" => {
                    tables = faults.keep(table(&ACCOUNTS, value, base)).map(entries);
                }
                _ => {
                    // An account may stand below it.
                    tables = tables.filter(|tables| !tables.is_empty());
                    faults.keep::<()>(Err(unknown(key)));
                }
            }
        }
        let is_empty = tables.as_ref().is_some_and(Vec::is_empty);
        let defaults = defaults.map(|table| Layer::read(rows, table, base, &mut faults));
        let defaults = defaults.unwrap_or_default();
        let (mut accounts, mut unsound) = (Vec::new(), Vec::new());
        let mut copies = Copies::default();
        for entry in tables.unwrap_or_default() {
            match account(entry, &defaults, base, &mut copies, rows) {
                Ok(account) => accounts.extend(account),
                Err(faults) => unsound.push((entry.0.get_ref().to_string(), faults)),
            }
        }
        Self {
            accounts,
            unsound,
            faults,
            is_empty,
        }
    }
}

fn table<'a>(
    key: &'static Key,
    value: &'a Spanned<DeValue<'a>>,
    base: &'a Base,
) -> Result<&'a DeTable<'a>, Fault> {
    let source = Source::Toml(value);
    Given { key, source, base }.table("a table")
}

/// A key at the top of the file that nobody knows.
fn unknown(key: &Spanned<DeString<'_>>) -> Fault {
    let known = vec![DEFAULTS.name, ACCOUNTS.name];
    let name = key.get_ref();
    let nearest = suggest::nearest(name, &known);
    let home = nearest.is_none().then(|| {
        format!(
            "known here: {}; the keys of an account stand below `[defaults]` or `[accounts.NAME]`",
            known.join(", ")
        )
    });
    Fault::new(
        &Origin::File(key.span()),
        Problem::UnknownKey {
            key: name.to_string(),
            nearest,
            known,
            home,
        },
    )
}

/// An account; none where what can be read of it is sound, and not all can.
fn account(
    (name, value): row::Entry<'_>,
    defaults: &Layer<'_>,
    base: &Base,
    copies: &mut Copies,
    rows: &Rows<Settings>,
) -> Result<Option<Account>, Faults> {
    let whole = Origin::File(name.span());
    let name = name.get_ref().as_ref();
    let mut faults = Faults::default();
    if name.is_empty() || name.contains(char::is_control) {
        faults.keep::<()>(Err(Fault::new(&whole, Problem::AccountName)));
    }
    let Some(table) = faults.keep(table(&ACCOUNT, value, base)) else {
        return Err(faults);
    };
    let own = Layer::read(rows, table, base, &mut faults);
    let Merged { settings, unread } = own.over(defaults, base);
    let account = settings.resolve(StateKey::Name(name), &whole);
    let account = account.map_err(|found| {
        let superfluous = |fault: &Fault| layer::explains(&unread, &fault.problem);
        found.without(superfluous).of(name)
    });
    let account = faults.keep(account).filter(|_| unread.is_empty());
    if let Some(other) = account.as_ref().and_then(|account| copies.enter(account)) {
        let problem = Contradiction::SameMailbox { other };
        faults.keep::<()>(Err(Fault::new(&whole, problem).of(name)));
    }
    faults.into_result()?;
    Ok(account)
}

/// The names of accounts, by store and mailbox: each mailbox is stored once at one place.
#[derive(Default)]
struct Copies(HashMap<[String; 3], String>);

impl Copies {
    /// Enters an account. Returns the one that stores the same mailbox at the same place.
    fn enter(&mut self, account: &Account) -> Option<String> {
        let mailbox = [
            account.store.to_string(),
            account.identity.host.clone(),
            account.user.clone(),
        ];
        match self.0.entry(mailbox) {
            Entry::Occupied(other) => Some(other.get().clone()),
            Entry::Vacant(place) => {
                place.insert(account.name.clone());
                None
            }
        }
    }
}

/// The mistakes of a file that is not TOML: in its syntax, and in the keys on other lines. Missing
/// keys cannot be known.
fn with_syntax_errors(
    text: &str,
    document: &DeTable<'_>,
    errors: &[SyntaxError],
    base: &Base,
    rows: &Rows<Settings>,
) -> Faults {
    let mut faults = Faults::default();
    let mut lines: Vec<Range<usize>> = Vec::new();
    for error in errors.iter().take(MAX_TOLD) {
        let span = error.span().unwrap_or(text.len()..text.len());
        let line = line_of(text, span.start);
        // One slip often makes several errors.
        if !lines.contains(&line) {
            lines.push(line);
            let message = error.message().to_owned();
            let fault = Fault::new(&Origin::File(span), Problem::Syntax { message });
            faults.keep::<()>(Err(fault));
        }
    }
    // Below a header that cannot be read, keys stand in a wrong table.
    if lines
        .iter()
        .any(|line| text[line.clone()].trim_start().starts_with('['))
    {
        return faults;
    }
    let table = |key| {
        document
            .get(key)
            .and_then(|value| value.get_ref().as_table())
    };
    let accounts = table("accounts").into_iter().flat_map(|accounts| {
        let tables = accounts.values();
        tables.filter_map(|value| value.get_ref().as_table())
    });
    let mut of_keys = Faults::default();
    for table in table("defaults").into_iter().chain(accounts) {
        Layer::read(rows, table, base, &mut of_keys);
    }
    let beside = |fault: &Fault| match &fault.origin {
        Origin::File(span) => {
            let touches = |line: &Range<usize>| span.start <= line.end && line.start <= span.end;
            lines.iter().any(touches)
        }
        Origin::Flag(_) | Origin::Url => false,
    };
    faults.keep::<()>(Err(of_keys.without(beside)));
    faults
}

/// The line with this place, without the end of it.
fn line_of(text: &str, at: usize) -> Range<usize> {
    let text = text.as_bytes();
    let at = at.min(text.len());
    let start = text[..at].iter().rposition(|byte| *byte == b'\n');
    let end = text[at..].iter().position(|byte| *byte == b'\n');
    start.map_or(0, |start| start + 1)..end.map_or(text.len(), |end| at + end)
}
