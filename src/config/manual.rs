//! The lists of keys in popsync(5), in roff, made from the table of settings.

use super::key::{Key, Table};
use super::row::{Kind, Rows};
use super::rows::{self, ACCOUNT};
use super::settings::Settings;
use super::top;

/// The number of choices that stand behind the name of a key, rather than in its text.
const FEW: usize = 3;

/// The keys of an account.
pub fn account_keys() -> String {
    of_rows(&ACCOUNT)
}

/// The keys of `tls`.
pub fn tls_keys() -> String {
    of_keys(rows::keys_of(Table::Tls))
}

/// The keys of `oauth`.
pub fn oauth_keys() -> String {
    of_keys(rows::keys_of(Table::OAuth))
}

/// The keys at the top of the file that are no account's.
pub fn top_keys() -> String {
    let keys = [
        (&top::ACCOUNTS_FROM, Kind::Path),
        (&top::TEMPLATE, Kind::Table(Table::Account)),
    ];
    of_keys(keys.to_vec())
}

/// The entries of these rows.
pub(super) fn of_rows(rows: &Rows<Settings>) -> String {
    of_keys(rows.keys())
}

fn of_keys(keys: Vec<(&'static Key, Kind)>) -> String {
    let entries: Vec<_> = keys.iter().map(|(key, kind)| entry(key, *kind)).collect();
    entries.join("\n")
}

/// The entry of one key.
fn entry(key: &Key, kind: Kind) -> String {
    let name = roff(&format!("`{}`", key.name));
    let form = roff(&form(key, kind));
    let mut paragraphs: Vec<_> = paragraphs(key.text).iter().map(|text| roff(text)).collect();
    if let Some(first) = paragraphs.first_mut() {
        for fact in facts(key, kind) {
            first.push('\n');
            first.push_str(&roff(&fact));
        }
    }
    format!(".TP\n{name} = {form}\n{}", paragraphs.join("\n.IP\n"))
}

/// Sentences about a key that its text need not repeat.
fn facts(key: &Key, kind: Kind) -> Vec<String> {
    let mut facts = Vec::new();
    if let Kind::Choice(names) = kind
        && names.len() > FEW
    {
        let names: Vec<_> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
        facts.push(format!("One of {}.", names.join(",\n")));
    }
    if !key.default.is_empty() {
        facts.push(format!("Default: {}.", key.default));
    }
    facts
}

/// The form of a value.
fn form(key: &Key, kind: Kind) -> String {
    match kind {
        Kind::Boolean => "*true*|*false*".to_owned(),
        Kind::Choice(names) if names.len() <= FEW => {
            let names: Vec<_> = names.iter().map(|name| format!("*\"{name}\"*")).collect();
            names.join("|")
        }
        Kind::Count(_) => "*NUMBER*".to_owned(),
        Kind::Days | Kind::Size | Kind::Patience | Kind::Time => format!("*{}*", key.value),
        Kind::Shell => "*\"COMMAND\"*".to_owned(),
        Kind::Table(Table::Tls) => "`{` *KEY* = *VALUE*, ... `}`|`\"off\"`".to_owned(),
        Kind::Table(_) => "`{` *KEY* = *VALUE*, ... `}`".to_owned(),
        Kind::Words => "*\"COMMAND\"*|*[\"PROGRAM\", \"ARGUMENT\", ...]*".to_owned(),
        Kind::Choice(_) | Kind::Path | Kind::Text => format!("*\"{}\"*", key.value),
    }
}

/// The paragraphs of a text, each with its lines but without their indentation.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    let lines: Vec<_> = text.trim().lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty());
    paragraphs.map(|lines| lines.join("\n")).collect()
}

/// A text with its marks turned into fonts: code is bold, and words that stand for something are
/// in italics.
fn roff(text: &str) -> String {
    let mut roff = String::with_capacity(text.len());
    // The font of the text so far, none where it is the usual one.
    let mut font = None;
    for c in text.chars() {
        match c {
            '`' | '*' if font == Some(c) => {
                font = None;
                roff.push_str(r"\fR");
            }
            '`' if font.is_none() => {
                font = Some(c);
                roff.push_str(r"\fB");
            }
            '*' if font.is_none() => {
                font = Some(c);
                roff.push_str(r"\fI");
            }
            // A hyphen that can be copied from the page.
            '-' if font.is_some() => roff.push_str(r"\-"),
            '\\' => roff.push_str(r"\e"),
            // A line that begins with one of these is a request.
            '.' | '\'' if roff.is_empty() || roff.ends_with('\n') => {
                roff.push_str(r"\&");
                roff.push(c);
            }
            c => roff.push(c),
        }
    }
    roff
}
