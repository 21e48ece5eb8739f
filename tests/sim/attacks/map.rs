//! The map of attacks is complete, and every test in it exists.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::statements::sources::Tests;

/// The attackers, and the number of their attacks.
const COUNTED: [(&str, usize); 4] = [("A", 8), ("S", 10), ("M", 6), ("L", 5)];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    attack: Vec<Attack>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    what: String,
    parts: Vec<Part>,
}

/// A form of an attack, or what must hold in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    of: String,
    #[serde(default)]
    tests: Vec<String>,
    /// Why there is no test.
    why: Option<String>,
}

fn map() -> Map {
    toml::from_str(include_str!("../../attacks.toml")).unwrap()
}

#[test]
fn each_of_the_29_attacks_is_there_once_and_in_order() {
    let ids = COUNTED
        .iter()
        .flat_map(|(who, count)| (1..=*count).map(move |number| format!("{who}{number}")));
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 29);
    let attacks = map().attack;
    let seen: Vec<_> = attacks.iter().map(|one| one.id.clone()).collect();
    assert_eq!(seen, ids);
    for attack in attacks {
        let words: BTreeSet<_> = attack.parts.iter().map(|part| &part.of).collect();
        let whole = !attack.what.is_empty() && !words.contains(&String::new());
        assert!(whole && !words.is_empty(), "{}", attack.id);
        assert_eq!(words.len(), attack.parts.len(), "{}: twice", attack.id);
    }
}

#[test]
fn every_part_has_tests_that_exist_or_a_reason() {
    let tests = Tests::read();
    let mut faults = Vec::new();
    for attack in map().attack {
        for part in attack.parts {
            let of = format!("{}, {}", attack.id, part.of);
            let has_reason = part.why.is_some_and(|why| !why.is_empty());
            if part.tests.is_empty() != has_reason {
                faults.push(format!("{of}: either tests or a reason"));
            }
            let gone = part.tests.iter().filter(|name| !tests.knows(name));
            faults.extend(gone.map(|name| format!("{of}: there is no test {name}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
