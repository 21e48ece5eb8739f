//! The file as a whole: its accounts, and all that is wrong with it.

use std::ops::Range;

use toml::de::{DeTable, Error as SyntaxError};

use crate::account::Account;

use super::contradiction::Contradiction;
use super::faults::Faults;
use super::keys::TOP_KEYS;
use super::layer::Layer;
use super::paths::Base;
use super::problem::Problem;
use super::settings::{Fault, Key, Origin};
use super::table::{self, Entry};

/// How many mistakes in the syntax are told; nobody reads more.
const MOST: usize = 1_000;

/// The content of a file.
#[derive(Default)]
pub(super) struct Document {
    /// Its accounts, in its order, as far as they are sound.
    pub(super) accounts: Vec<Account>,
    /// Its mistakes.
    pub(super) faults: Faults,
    /// It has no accounts, not even wrong ones.
    pub(super) is_empty: bool,
}

impl Document {
    /// Reads the text of a file.
    pub(super) fn read(text: &str, base: &Base) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Self::of_table(document.get_ref(), base);
        }
        Self {
            faults: with_syntax_errors(text, document.get_ref(), &errors, base),
            ..Self::default()
        }
    }

    fn of_table(document: &DeTable<'_>, base: &Base) -> Self {
        let mut faults = Faults::default();
        let (mut defaults, mut tables) = (None, Some(Vec::new()));
        for (key, value) in table::entries(document) {
            let table = |key| table::Value { key, value }.table();
            match key.get_ref().as_ref() {
                "defaults" => defaults = faults.keep(table("defaults")),
                "accounts" => tables = faults.keep(table("accounts")).map(table::entries),
                _ => {
                    // An account may stand below it.
                    tables = tables.filter(|tables| !tables.is_empty());
                    faults.keep::<()>(Err(table::unknown(key, &TOP_KEYS)));
                }
            }
        }
        let is_empty = tables.as_ref().is_some_and(Vec::is_empty);
        let defaults = defaults.map(|table| Layer::read(table, base, &mut faults));
        let defaults = defaults.unwrap_or_default();
        let mut accounts: Vec<Account> = Vec::new();
        for entry in tables.unwrap_or_default() {
            let account = account(entry, &defaults, base, &accounts);
            accounts.extend(faults.keep(account).flatten());
        }
        Self {
            accounts,
            faults,
            is_empty,
        }
    }
}

/// An account; none where what can be read of it is sound, and not all can.
fn account(
    (name, value): Entry<'_, '_>,
    defaults: &Layer,
    base: &Base,
    others: &[Account],
) -> Result<Option<Account>, Faults> {
    let whole = Origin::File(name.span());
    let name = name.get_ref().as_ref();
    let mut faults = Faults::default();
    if name.is_empty() || name.contains(char::is_control) {
        faults.keep::<()>(Err(Fault::new(&whole, Problem::AccountName)));
    }
    let key = "accounts.NAME";
    let table = faults.keep(table::Value { key, value }.table());
    let Some(table) = table else {
        return Err(faults);
    };
    let layer = Layer::read(table, base, &mut faults).or(defaults);
    let account = layer.settings.clone().resolve(Key::Name(name), &whole);
    let account = account.map_err(|found| {
        let superfluous = |fault: &Fault| layer.explains(&fault.problem);
        found.without(superfluous).of(name)
    });
    let account = faults.keep(account).filter(|_| layer.is_whole());
    let same = |account: &Account| others.iter().find(|other| same_copy(other, account));
    if let Some(other) = account.as_ref().and_then(same) {
        let other = other.name.clone();
        let problem = Contradiction::SameMailbox { other };
        faults.keep::<()>(Err(Fault::new(&whole, problem).of(name)));
    }
    faults.into_result()?;
    Ok(account)
}

/// True if two accounts store the same mailbox at the same place.
fn same_copy(a: &Account, b: &Account) -> bool {
    a.store.to_string() == b.store.to_string()
        && a.identity.host == b.identity.host
        && a.user == b.user
}

/// The mistakes of a file that is not TOML: in its syntax, and in the keys on other lines. Missing
/// keys cannot be known.
fn with_syntax_errors(
    text: &str,
    document: &DeTable<'_>,
    errors: &[SyntaxError],
    base: &Base,
) -> Faults {
    let mut faults = Faults::default();
    let mut lines: Vec<Range<usize>> = Vec::new();
    for error in errors.iter().take(MOST) {
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
        Layer::read(table, base, &mut of_keys);
    }
    let beside = |fault: &Fault| match &fault.origin {
        Origin::File(span) => {
            let touches = |line: &Range<usize>| span.start <= line.end && line.start <= span.end;
            lines.iter().any(touches)
        }
        Origin::Flag(_) => false,
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
