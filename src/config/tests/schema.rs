//! The JSON Schema: it describes every key, and what it allows is what the program allows.

use serde_json::{Map, Value};

use crate::config::example;
use crate::config::key::Table;
use crate::config::rows;
use crate::config::schema::schema;

/// The mistakes of a value, by the words of JSON Schema that the schema uses. Patterns are left
/// out.
fn mistakes(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().unwrap() {
        let sound = match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                let schema = root.pointer(pointer).unwrap();
                found.extend(mistakes(root, schema, value, at));
                true
            }
            "type" => types(rule).any(|name| is_of_type(value, name)),
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "anyOf" => {
                let forms = rule.as_array().unwrap().iter();
                forms
                    .clone()
                    .any(|form| mistakes(root, form, value, at).is_empty())
            }
            "minimum" => value.as_u64().is_none_or(|n| n >= rule.as_u64().unwrap()),
            "maximum" => value.as_u64().is_none_or(|n| n <= rule.as_u64().unwrap()),
            "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
            "minItems" => value.as_array().is_none_or(|list| !list.is_empty()),
            "minProperties" => value.as_object().is_none_or(|table| !table.is_empty()),
            "required" => {
                let names = rule.as_array().unwrap().iter();
                value.as_object().is_none_or(|table| {
                    names
                        .clone()
                        .all(|name| table.contains_key(name.as_str().unwrap()))
                })
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    found.extend(mistakes(root, rule, item, at));
                }
                true
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        found.extend(mistakes(root, rule, value, &format!("{at}.{name}")));
                    }
                }
                true
            }
            "additionalProperties" => {
                let none = Map::new();
                let known = schema.get("properties").and_then(Value::as_object);
                let known = known.unwrap_or(&none);
                let table = value.as_object().into_iter().flatten();
                for (name, value) in table.filter(|(name, _)| !known.contains_key(*name)) {
                    let at = format!("{at}.{name}");
                    if *rule == Value::Bool(false) {
                        found.push(format!("{at} is unknown"));
                    } else {
                        found.extend(mistakes(root, rule, value, &at));
                    }
                }
                true
            }
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "pattern"
            | "propertyNames" => true,
            other => panic!("the schema uses `{other}`"),
        };
        if !sound {
            found.push(format!("{at}: {word} is {rule}, and the value {value}"));
        }
    }
    found
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let one = rule.as_str();
    let several = rule.as_array().into_iter().flatten();
    one.into_iter().chain(several.filter_map(Value::as_str))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        other => panic!("`{other}` is no type of a setting"),
    }
}

fn of_file(text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap();
    let schema = schema();
    mistakes(
        &schema,
        &schema,
        &serde_json::to_value(table).unwrap(),
        "file",
    )
}

#[test]
fn the_schema_has_every_key_with_type_and_description() {
    let schema = schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    for (table, name) in [
        (Table::Account, "account"),
        (Table::Tls, "tls"),
        (Table::OAuth, "oauth"),
    ] {
        let properties = schema["$defs"][name]["properties"].as_object().unwrap();
        let keys = rows::keys_of(table);
        assert_eq!(properties.len(), keys.len(), "{name}");
        for (key, _) in keys {
            let property = &properties[key.name];
            assert!(types(&property["type"]).count() > 0, "{}", key.name);
            let description = property["description"].as_str().unwrap();
            assert!(!description.is_empty(), "{}", key.name);
            assert!(!description.contains(['`', '*', '\t']), "{description}");
            // The example and the default are values that the key may have.
            let examples = property["examples"].as_array().unwrap();
            for value in examples.iter().chain(property.get("default")) {
                let found = mistakes(&schema, property, value, key.name);
                assert!(found.is_empty(), "{found:?}");
            }
        }
    }
}

#[test]
fn every_line_of_the_example_fits_the_schema() {
    let example = example::commented();
    assert_eq!(of_file(&example), Vec::<String>::new());
    let mut lines = 0;
    for line in example.lines().filter_map(|line| line.strip_prefix('#')) {
        if line.starts_with(|first: char| first.is_ascii_lowercase()) {
            lines += 1;
            let table = if line.starts_with("accounts-from") {
                ""
            } else {
                "[accounts.work]\n"
            };
            let found = of_file(&format!("{table}{line}\n"));
            assert!(found.is_empty(), "{line}: {found:?}");
        }
    }
    assert!(lines > 25, "{lines}");
}

#[test]
fn mistakes_do_not_fit_the_schema() {
    for line in [
        "servr = \"pop3s://h\"",
        "leave-on-server = \"no\"",
        "profile = \"outlook-2003\"",
        "max-messages = 0",
        "remove-after-days = 40000",
        "timeout = 90000",
        "exec = []",
        "exec = [1]",
        "tls = \"on\"",
        "tls = { cafile = \"x\" }",
        "tls = { roots = \"none\" }",
        "oauth = \"google\"",
        "oauth = { provider = \"nobody\" }",
    ] {
        assert!(
            !of_file(&format!("[accounts.work]\n{line}\n")).is_empty(),
            "{line}"
        );
        assert!(
            !of_file(&format!("[defaults]\n{line}\n[accounts.a]\n")).is_empty(),
            "{line}"
        );
    }
    for text in [
        "[account.work]\n",
        "accounts = 1\n",
        "accounts-from = 1\n",
        "accounts-from = \"\"\n",
        "template = \"x\"\n",
        "[template]\nservr = \"pop3s://{host}\"\n",
        "[template]\nleave-on-server = 1\n",
        "[template]\ntls = { roots = \"none\" }\n",
    ] {
        assert!(!of_file(text).is_empty(), "{text}");
    }
    // Other files may have the accounts.
    for text in ["", "[accounts]\n"] {
        assert!(of_file(text).is_empty(), "{text}");
    }
}

#[test]
fn a_template_may_have_a_column_in_the_place_of_any_value() {
    let template = "accounts-from = \"users.csv\"\n[template]\nserver = \"pop3s://{host}\"\n\
                    profile = \"{profile}\"\nmax-size = \"{size}\"\n\
                    leave-on-server = true\nexec = [\"deliver\", \"{name}\"]\n\
                    tls = { server-name = \"{host}\" }\n";
    assert_eq!(of_file(template), Vec::<String>::new());
}
