//! The settings of an account as the file has them, without those that may be secret.

use std::path::Path;

use toml::{Table, Value};

use super::edit::written;
use super::key::Key;
use super::row::{Kind, Rows};
use super::rows::{self, ACCOUNT};
use super::settings::Settings;

/// An account as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its name.
    pub name: String,
    /// What it is set to, in the order of the manual.
    pub keys: Vec<ShownKey>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownKey {
    /// The key.
    pub key: String,
    /// The value as TOML; none where it is not for showing.
    pub value: Option<String>,
    /// It stands in `[defaults]`.
    pub from_defaults: bool,
}

impl Shown {
    /// The value of a key, without quotes where it is a text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let found = self.keys.iter().find(|shown| shown.key == key)?;
        let value = found.value.as_deref()?;
        let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        Some(bare.unwrap_or(value))
    }
}

/// A file, read once for all of its accounts.
pub(crate) struct ShownFile(Table);

impl ShownFile {
    /// Reads a file. It has no accounts if it cannot be read.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Self(text.parse().unwrap_or_default())
    }

    /// The account of this name. None if the file has no such account.
    pub(crate) fn account(&self, name: &str) -> Option<Shown> {
        of_document(&self.0, name, &ACCOUNT)
    }
}

#[cfg(test)]
pub(super) fn of_text(text: &str, name: &str, rows: &Rows<Settings>) -> Option<Shown> {
    of_document(&text.parse().ok()?, name, rows)
}

fn of_document(document: &Table, name: &str, rows: &Rows<Settings>) -> Option<Shown> {
    let own = document.get("accounts")?.get(name)?.as_table()?;
    let none = Table::new();
    let defaults = document.get("defaults").and_then(Value::as_table);
    let defaults = defaults.unwrap_or(&none);
    let below = defaults.iter().filter(|(key, _)| !own.contains_key(*key));
    let known = rows.keys();
    let shown = |(key, value): (&String, &Value), from_defaults| ShownKey {
        key: key.clone(),
        value: without_secrets(&known, key, value).map(|value| written(&value)),
        from_defaults,
    };
    let mut keys: Vec<ShownKey> = own
        .iter()
        .map(|entry| shown(entry, false))
        .chain(below.map(|entry| shown(entry, true)))
        .collect();
    let place = |name: &str| known.iter().position(|(key, _)| key.name == name);
    keys.sort_by_key(|shown| place(&shown.key).unwrap_or(usize::MAX));
    Some(Shown {
        name: name.to_owned(),
        keys,
    })
}

/// The value of a key of a table, with secrets in it replaced; none where it is a secret itself. A
/// key that is not known may hold anything.
fn without_secrets(known: &[(&Key, Kind)], name: &str, value: &Value) -> Option<Value> {
    let (key, kind) = known.iter().find(|(key, _)| key.name == name)?;
    if key.secret {
        return None;
    }
    let (Value::Table(table), Kind::Table(of)) = (value, kind) else {
        return Some(value.clone());
    };
    let known = rows::keys_of(*of);
    let hidden = |(name, value): (&String, &Value)| {
        let shown = without_secrets(&known, name, value);
        (name.clone(), shown.unwrap_or_else(|| Value::from("…")))
    };
    Some(Value::Table(table.iter().map(hidden).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_settings_come_before_the_defaults_and_no_secret_is_shown() {
        let text = "[defaults]\nuser = \"anna\"\nprofile = \"outlook-2024\"\n\
                    [accounts.work]\npassword-command = \"echo geheim\"\nuser = \"a\\\"b\"\n\
                    oauth = { client-id = \"x\", client-secret-command = \"echo geheim\" }\n\
                    server = \"pop3s://mail\"\n";
        let shown = of_text(text, "work", &ACCOUNT).unwrap();
        assert!(!format!("{shown:?}").contains("geheim"));
        let keys: Vec<_> = shown.keys.iter().map(|key| key.key.as_str()).collect();
        assert_eq!(keys[..2], ["server", "user"]);
        assert_eq!(shown.text("user"), Some("a\\\"b"));
        assert_eq!(shown.text("server"), Some("pop3s://mail"));
        let profile = shown.keys.iter().find(|key| key.key == "profile").unwrap();
        assert!(profile.from_defaults);
        assert_eq!(of_text(text, "home", &ACCOUNT), None);
    }
}
