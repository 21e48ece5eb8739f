//! What the file says of an account, to be shown: without what may be a secret.

use std::path::Path;

use toml::{Table, Value};

use super::edit::written;
use super::keys::ACCOUNT_KEYS;

/// An account as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// What it is set to, in the order of the manual.
    pub keys: Vec<ShownKey>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// The key.
    pub key: String,
    /// The value as TOML; none where it is not for showing.
    pub value: Option<String>,
    /// It stands in `[defaults]`.
    pub from_defaults: bool,
}

impl Shown {
    /// The value of a key, without quotes where it is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.keys.iter().find(|shown| shown.key == key)?;
        let value = found.value.as_deref()?;
        let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        Some(bare.unwrap_or(value))
    }
}

/// The account of this name in the file; none where it cannot be read, or has no such account.
pub fn shown(path: &Path, name: &str) -> Option<Shown> {
    of_text(&std::fs::read_to_string(path).ok()?, name)
}

fn of_text(text: &str, name: &str) -> Option<Shown> {
    let document: Table = text.parse().ok()?;
    let own = document.get("accounts")?.get(name)?.as_table()?;
    let none = Table::new();
    let defaults = document.get("defaults").and_then(Value::as_table);
    let defaults = defaults.unwrap_or(&none);
    let below = defaults.iter().filter(|(key, _)| !own.contains_key(*key));
    let shown = |(key, value): (&String, &Value), from_defaults| ShownKey {
        key: key.clone(),
        value: (!is_secret(key)).then(|| written(&without_secrets(value))),
        from_defaults,
    };
    let mut keys: Vec<ShownKey> = own
        .iter()
        .map(|entry| shown(entry, false))
        .chain(below.map(|entry| shown(entry, true)))
        .collect();
    let place = |key: &str| ACCOUNT_KEYS.iter().position(|known| *known == key);
    keys.sort_by_key(|shown| place(&shown.key).unwrap_or(usize::MAX));
    Some(Shown {
        name: name.to_owned(),
        keys,
    })
}

/// A command may have a secret in it, and a key that is not known may be anything.
fn is_secret(key: &str) -> bool {
    key.ends_with("command") || ["exec", "on-new-mail", "on-failure", "proxy"].contains(&key)
}

fn without_secrets(value: &Value) -> Value {
    let Value::Table(table) = value else {
        return value.clone();
    };
    let hidden = |(key, value): (&String, &Value)| {
        let value = if is_secret(key) {
            Value::from("…")
        } else {
            without_secrets(value)
        };
        (key.clone(), value)
    };
    Value::Table(table.iter().map(hidden).collect())
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
        let shown = of_text(text, "work").unwrap();
        assert!(!format!("{shown:?}").contains("geheim"));
        let keys: Vec<_> = shown.keys.iter().map(|key| key.key.as_str()).collect();
        assert_eq!(keys[..2], ["server", "user"]);
        assert_eq!(shown.text("user"), Some("a\\\"b"));
        assert_eq!(shown.text("server"), Some("pop3s://mail"));
        let profile = shown.keys.iter().find(|key| key.key == "profile").unwrap();
        assert!(profile.from_defaults);
        assert_eq!(of_text(text, "home"), None);
    }
}
