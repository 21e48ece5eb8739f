//! The table of settings: each row is complete and true, and nothing else has to know a key.

use std::path::Path;

use super::{invented, parse, with};
use crate::config::document::Document;
use crate::config::example;
use crate::config::file::ConfigFile;
use crate::config::files::Files;
use crate::config::key::{Key, Table};
use crate::config::manual;
use crate::config::row::{Kind, Rows};
use crate::config::rows::{self, ACCOUNT};
use crate::config::settings::Settings;
use crate::config::{Base, Cause, Config, Contradiction, Problem, schema, shown};
use crate::failure::Failure;

const SOUND: &str = "[accounts.work]\nserver = \"pop3s://anna@h\"\nmaildir = \"/m\"\n";

fn all_keys() -> Vec<(&'static Key, Kind)> {
    let tables = [Table::Account, Table::Tls, Table::OAuth];
    tables.into_iter().flat_map(rows::keys_of).collect()
}

fn read(text: &str, base: &Base, rows: &Rows<Settings>) -> Document {
    let file = ConfigFile::of_content(Path::new("c"), text.as_bytes());
    Document::read(&Files::alone(file), base, rows, false)
}

/// The mistakes in an account with the invented key, each with its hint.
fn mistakes(line: &str, rows: &Rows<Settings>) -> Vec<String> {
    let base = Base::of_file(Path::new("/c"));
    let document = read(&format!("{SOUND}{line}\n"), &base, rows);
    let faults = document.faults_of_all().distinct(9).into_iter();
    let told = faults.map(|fault| {
        let hint = fault.problem.hint();
        format!("{}: {}", fault.problem, hint.unwrap_or_default())
    });
    told.collect()
}

/// Its flag is tested where the flags are made, in `cli::args::keys`.
#[test]
fn an_invented_key_is_added_in_one_place_and_found_everywhere() {
    let rows = invented::rows();
    let base = Base::of_file(Path::new("/c"));
    let text = format!("[defaults]\nmost-stamps = 3\n{SOUND}");
    let document = read(&text, &base, rows);
    let limits = document.accounts[0].account.limits;
    assert_eq!(limits.max_messages.map(|most| most.get()), Some(3));
    let shown = shown::of_text(&text, "work", rows).unwrap();
    assert_eq!(shown.text("most-stamps"), Some("3"));
    let [wrong] = &mistakes("most-stamps = 0", rows)[..] else {
        panic!("one mistake");
    };
    assert_eq!(
        wrong,
        "`most-stamps` is not a whole number from 1 to 4294967295: leave it out for all stamps, or \
         write for example `most-stamps = 12`"
    );
    let [misspelt] = &mistakes("most_stamp = 1", rows)[..] else {
        panic!("one mistake");
    };
    assert!(
        misspelt.contains("did you mean `most-stamps`?"),
        "{misspelt}"
    );
    assert!(misspelt.ends_with(", most-stamps"), "{misspelt}");
    assert!(example::of_rows(rows).contains("\n#most-stamps = 12\n"));
    let schema = schema::of_rows(rows);
    let property = &schema["$defs"]["account"]["properties"]["most-stamps"];
    assert_eq!(property["type"], "integer");
    assert_eq!(property["examples"], serde_json::json!([12]));
    let description = property["description"].as_str().unwrap();
    assert!(description.ends_with("The postman brings the rest. Default: no limit."));
    let manual = manual::of_rows(rows);
    let entry = "\\fBmost\\-stamps\\fR = \\fINUMBER\\fR\nTake at most this many stamps in one run.\n\
                 The postman brings \\fBthe rest\\fR.\nDefault: no limit.";
    assert!(manual.ends_with(entry), "{manual}");
    // Without the row nobody knows it.
    assert!(mistakes("most-stamps = 3", &ACCOUNT)[0].starts_with("unknown key"));
}

#[test]
fn every_row_says_all_that_there_is_to_say() {
    for (key, _) in all_keys() {
        let name = key.name;
        assert!(!key.text.is_empty() && !key.value.is_empty(), "{name}");
        let assignment = key.assignment();
        assert!(assignment.contains(&format!("{name} = {}", key.example)));
        let assignment: Result<toml::Table, _> = assignment.parse();
        assert!(assignment.is_ok(), "{name}: {assignment:?}");
        assert!(
            key.hint().starts_with("write ") || key.hint().starts_with("leave "),
            "{name}"
        );
        // A server is the argument of the command line, and a provider needs a file.
        let has_no_flag = key.table == Table::OAuth || ["oauth", "server"].contains(&name);
        assert_eq!(key.flag.is_none(), has_no_flag, "{name}");
        if let Some(flag) = &key.flag {
            assert!(!flag.help.is_empty() && !flag.help.ends_with('.'), "{name}");
            // The help has no other default than the key.
            let default = key.default_value().map(|value| value.trim_matches('"'));
            let help = flag.long_help().unwrap_or_else(|| flag.help.to_owned());
            let told = help.to_lowercase();
            let told = default.is_none_or(|value| told.contains(&format!("default: {value}")));
            assert!(told, "{name}: {help}");
        }
    }
}

#[test]
fn every_key_stands_once_in_its_table() {
    for table in [Table::Account, Table::Tls, Table::OAuth] {
        let mut names: Vec<_> = rows::keys_of(table)
            .iter()
            .map(|(key, _)| key.name)
            .collect();
        assert!(!names.is_empty());
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{table:?}");
    }
}

/// Writing a default changes nothing.
#[test]
fn every_default_is_the_one_of_the_program() {
    let usual = format!("{:?}", with("").unwrap());
    for (key, _) in rows::keys_of(Table::Account) {
        if let Some(value) = key.default_value() {
            let written = with(&format!("{} = {value}", key.name)).unwrap();
            // For sessions and connections, none means one.
            let written = format!("{written:?}").replace("ions: Some(1)", "ions: None");
            assert_eq!(written, usual, "{}", key.name);
        }
    }
}

#[test]
fn the_example_of_a_file_is_sound_and_has_every_key() {
    let example = example::commented();
    assert_eq!(parse(&example).unwrap().accounts.len(), 1);
    for (key, _) in all_keys() {
        let assigned = format!("{} = ", key.name);
        assert!(example.contains(&assigned), "{}", key.name);
    }
    for line in example.lines().filter(|line| !is_setting(line)) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// True for a line that is a setting, once its `#` is taken away.
fn is_setting(line: &str) -> bool {
    line.strip_prefix('#')
        .is_some_and(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
}

/// Every line of it can be put in force, but for those that need or replace another one.
#[test]
fn every_setting_of_the_example_can_be_read() {
    let example = example::commented();
    let lines: Vec<&str> = example.lines().collect();
    let settings: Vec<usize> = (0..lines.len())
        .filter(|at| is_setting(lines[*at]))
        .collect();
    assert!(settings.len() > 25, "{settings:?}");
    for at in settings {
        let mut lines = lines.clone();
        lines[at] = &lines[at][1..];
        let Err(error) = parse(&lines.join("\n")) else {
            continue;
        };
        let Cause::Invalid { problem, .. } = error.cause() else {
            panic!("{}: {error}", lines[at]);
        };
        assert!(
            matches!(**problem, Problem::Missing { key } if key.name == "template")
                || matches!(
                    **problem,
                    Problem::Contradiction(
                        Contradiction::TwoSources
                            | Contradiction::TwoStores
                            | Contradiction::TokenWithoutOAuth { .. }
                            | Contradiction::ProxyPasswordWithoutUser
                    )
                ),
            "{}: {problem}",
            lines[at]
        );
    }
}

/// Every form of a provider in it is sound where no password command is.
#[test]
fn the_examples_of_inline_tables_are_sound() {
    let example = example::commented();
    let tables = example.lines().filter_map(|line| line.strip_prefix('#'));
    let tables: Vec<_> = tables
        .filter(|line| line.starts_with("oauth = ") || line.starts_with("tls = "))
        .collect();
    assert!(tables.len() > 8, "{tables:?}");
    for line in tables {
        let base = Base::of_file(Path::new("/c"));
        let text = format!("{SOUND}{line}\n");
        let config = Config::parse(Path::new("c"), text.as_bytes(), &base);
        assert!(config.is_ok(), "{line}: {config:?}");
    }
}
