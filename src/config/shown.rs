//! The settings of an account as the files have them, without those that may be secret.

use toml::Value;
use toml::de::{DeInteger, DeTable, DeValue};

use super::edit::written;
use super::key::Key;
use super::row::{Kind, Rows};
use super::rows;
use super::settings::Settings;

/// An account as the files have it.
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
    /// The table that it stands in, if that is not the account's own.
    pub from: Option<&'static str>,
}

/// The origin of an account's own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// Its table.
    Account,
    /// The template of its list.
    Template,
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

/// The settings of an account that has this table, and where that is silent those of `[defaults]`.
pub(super) fn of_tables(
    name: &str,
    (own, origin): (&DeTable<'_>, Own),
    defaults: Option<&DeTable<'_>>,
    rows: &Rows<Settings>,
) -> Shown {
    let known = rows.keys();
    let below = defaults.into_iter().flatten();
    let below = below.filter(|(key, _)| !own.contains_key(key.get_ref().as_ref()));
    let from = match origin {
        Own::Account => None,
        Own::Template => Some("[template]"),
    };
    let all = own.iter().map(|entry| (entry, from));
    let all = all.chain(below.map(|entry| (entry, Some("[defaults]"))));
    let mut keys: Vec<ShownKey> = all
        .map(|((key, value), from)| ShownKey {
            key: key.get_ref().to_string(),
            value: without_secrets(&known, key.get_ref(), value.get_ref())
                .map(|value| written(&value)),
            from,
        })
        .collect();
    let place = |name: &str| known.iter().position(|(key, _)| key.name == name);
    keys.sort_by_cached_key(|shown| place(&shown.key).unwrap_or(usize::MAX));
    Shown {
        name: name.to_owned(),
        keys,
    }
}

/// The value of a key of a table, with secrets in it replaced; none where it is a secret itself. A
/// key that is not known may hold anything.
fn without_secrets(known: &[(&Key, Kind)], name: &str, value: &DeValue<'_>) -> Option<Value> {
    let (key, kind) = known.iter().find(|(key, _)| key.name == name)?;
    if key.secret {
        return None;
    }
    let (DeValue::Table(table), Kind::Table(of)) = (value, kind) else {
        return Some(plain(value));
    };
    let known = rows::keys_of(*of);
    let hidden = table.iter().map(|(name, value)| {
        let shown = without_secrets(&known, name.get_ref(), value.get_ref());
        let shown = shown.unwrap_or_else(|| Value::from("…"));
        (name.get_ref().to_string(), shown)
    });
    Some(Value::Table(hidden.collect()))
}

/// A value without its place in the file.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(&**text),
        DeValue::Integer(number) => {
            integer(number).map_or_else(|| Value::from(number.as_str()), Value::from)
        }
        DeValue::Float(number) => {
            let read = number.as_str().parse::<f64>();
            read.map_or_else(|_| Value::from(number.as_str()), Value::from)
        }
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Datetime(time) => Value::from(*time),
        DeValue::Array(list) => {
            Value::Array(list.iter().map(|value| plain(value.get_ref())).collect())
        }
        DeValue::Table(table) => {
            let entries = table.iter();
            let entries =
                entries.map(|(name, value)| (name.get_ref().to_string(), plain(value.get_ref())));
            Value::Table(entries.collect())
        }
    }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// An account of a file with this text.
#[cfg(test)]
pub(super) fn of_text(text: &str, name: &str, rows: &Rows<Settings>) -> Option<Shown> {
    let document = DeTable::parse(text).ok()?;
    let table = |key| document.get_ref().get(key)?.get_ref().as_table();
    let own = table("accounts")?.get(name)?.get_ref().as_table()?;
    let defaults = table("defaults");
    Some(of_tables(name, (own, Own::Account), defaults, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::rows::ACCOUNT;

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
        assert_eq!(profile.from, Some("[defaults]"));
        assert_eq!(of_text(text, "home", &ACCOUNT), None);
    }
}
