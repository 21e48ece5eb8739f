//! The JSON Schema of the configuration file, made from the table of settings.
//!
//! Editors check a TOML file against it and complete its keys. It describes each value by itself;
//! contradictions between keys are found by `popsync config check` alone.

use serde_json::{Map, Value, json};

use super::given::MOST_DAYS;
use super::key::{Key, Table};
use super::manual;
use super::quantity::{LONGEST, LONGEST_SPAN};
use super::row::{Kind, Rows};
use super::rows::{self, ACCOUNT};
use super::settings::Settings;
use super::top::{ACCOUNTS_FROM, TEMPLATE};

/// The version of JSON Schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A size, as `quantity::size` reads it.
const SIZE: &str = r"^\s*[0-9]+\s*(([kKmMgG][iI]?)?[bB])?\s*$";

/// A time, as `quantity::time` reads it.
const TIME: &str = r"^\s*[0-9]+\s*[sSmMhH]?\s*$";

/// A time, as `quantity::span` reads it.
const PATIENCE: &str = r"^\s*[0-9]+\s*([sSmMhHdD]?|[rR][uU][nN][sS]?)\s*$";

/// The schema of the file.
pub(crate) fn schema() -> Value {
    of_rows(&ACCOUNT)
}

/// The schema of a file whose accounts have the keys of these rows.
pub(super) fn of_rows(rows: &Rows<Settings>) -> Value {
    json!({
        "$schema": DIALECT,
        "title": "Configuration of popsync",
        "description": "The file config.toml of popsync, and those of conf.d beside it, see popsync(5).",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            ACCOUNTS_FROM.name: {
                "description": description(&ACCOUNTS_FROM),
                "type": "string",
                "minLength": 1,
                "examples": [json_of(ACCOUNTS_FROM.example)],
            },
            "accounts": {
                "description": "A table for each mailbox, by a name of your choice.",
                "type": "object",
                "propertyNames": { "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$" },
                "additionalProperties": { "$ref": "#/$defs/account" },
            },
            "defaults": {
                "description": "Settings of all accounts that do not set the key themselves.",
                "$ref": "#/$defs/account",
            },
            TEMPLATE.name: {
                "description": description(&TEMPLATE),
                "$ref": "#/$defs/template",
            },
        },
        "$defs": {
            "account": object(rows.keys()),
            "oauth": object(rows::keys_of(Table::OAuth)),
            "template": template(rows.keys()),
            "tls": object(rows::keys_of(Table::Tls)),
        },
    })
}

/// The schema of a table.
fn object(keys: Vec<(&'static Key, Kind)>) -> Value {
    let property = |(key, kind): (&Key, Kind)| (key.name.to_owned(), property(key, kind));
    let properties: Map<String, Value> = keys.into_iter().map(property).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// The schema of the table of a template: those keys, each also with a text that has a column in it.
fn template(keys: Vec<(&'static Key, Kind)>) -> Value {
    let property = |(key, _): (&Key, Kind)| {
        let of_account = format!("#/$defs/account/properties/{}", key.name);
        let forms = json!([{ "$ref": of_account }, { "type": "string", "pattern": r"\{" }]);
        (key.name.to_owned(), json!({ "anyOf": forms }))
    };
    let properties: Map<String, Value> = keys.into_iter().map(property).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// The schema of one key.
fn property(key: &Key, kind: Kind) -> Value {
    let mut schema = match kind {
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Choice(names) => json!({ "type": "string", "enum": names }),
        Kind::Count(most) => number(most),
        Kind::Days => number(MOST_DAYS.into()),
        Kind::Path | Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Shell => json!({ "type": "string", "pattern": r"\S" }),
        Kind::Size => quantity(u64::MAX, SIZE),
        Kind::Patience => quantity(LONGEST_SPAN, PATIENCE),
        Kind::Time => quantity(LONGEST, TIME),
        Kind::Table(Table::Tls) => json!({
            "type": ["object", "string"],
            "anyOf": [{ "const": "off" }, { "$ref": "#/$defs/tls" }],
        }),
        Kind::Table(_) => json!({ "type": "object", "$ref": "#/$defs/oauth" }),
        Kind::Words => json!({
            "type": ["string", "array"],
            "minLength": 1,
            "minItems": 1,
            "items": { "type": "string" },
        }),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), description(key).into());
        let values = [
            ("default", key.default_value()),
            ("examples", Some(key.example)),
        ];
        for (name, value) in values {
            let Some(value) = value.and_then(json_of) else {
                continue;
            };
            let value = if name == "examples" {
                json!([value])
            } else {
                value
            };
            schema.insert(name.to_owned(), value);
        }
    }
    schema
}

fn number(most: u64) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": most })
}

fn quantity(most: u64, pattern: &str) -> Value {
    json!({ "type": ["integer", "string"], "minimum": 1, "maximum": most, "pattern": pattern })
}

/// The description of a key, without its marks.
fn description(key: &Key) -> String {
    let mut text = manual::paragraphs(key.text).join("\n\n");
    if !key.default.is_empty() && key.default_value().is_none() {
        text.push_str(&format!("\nDefault: {}.", key.default));
    }
    // Lines end where sentences do, for roff; here only paragraphs matter.
    let paragraphs: Vec<_> = text
        .split("\n\n")
        .map(|text| text.replace('\n', " "))
        .collect();
    paragraphs.join("\n\n").replace(['`', '*'], "")
}

/// A value of TOML as JSON.
fn json_of(value: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {value}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
