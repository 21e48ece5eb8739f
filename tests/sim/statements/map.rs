//! The map is complete, and every test in it exists.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::collections::{BTreeMap, BTreeSet};

use popsync::Profile;
use serde::Deserialize;

use super::sources::Tests;

/// The products that MS-STANXPOP3 names, over all its editions.
const EXCHANGE: [&str; 6] = [
    "exchange-2003",
    "exchange-2007",
    "exchange-2010",
    "exchange-15-technical-preview",
    "exchange-2013",
    "exchange-2016",
];

/// The highest number of each letter, by document.
const COUNTED: [(&str, &str, usize); 6] = [
    ("OPOP3", "C", 48),
    ("OPOP3", "V", 8),
    ("XPOP3", "C", 11),
    ("XPOP3", "V", 12),
    ("XPOP3", "E", 7),
    ("XPOP3", "N", 5),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    groups: BTreeMap<String, Vec<String>>,
    statement: Vec<Statement>,
    unnumbered: Vec<Unnumbered>,
    decision: Vec<Decision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    id: String,
    section: String,
    products: Vec<String>,
    binds: Binds,
    rule: String,
    duty: String,
    tests: Vec<String>,
}

/// The party that the statement binds.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Binds {
    /// Neither: the statement describes what the client does.
    Behaviour,
    Both,
    Client,
    Server,
}

/// A statement of MS-STANXPOP3 v1.0, which has no numbers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unnumbered {
    section: String,
    rule: String,
    /// The numbered statements with the same content.
    same: Vec<String>,
    duty: String,
    tests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    on: String,
    between: Vec<String>,
    popsync: String,
    why: String,
    tests: Vec<String>,
}

fn map() -> Map {
    toml::from_str(include_str!("../../statements.toml")).unwrap()
}

/// The ids that the two documents have: 91.
fn ids() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (document, letter, count) in COUNTED {
        for number in 1..=count {
            ids.insert(match letter {
                "N" => format!("{document}:N{number}"),
                _ => format!("{document}:{letter}{number:04}"),
            });
        }
    }
    ids
}

#[test]
fn each_of_the_91_statements_is_there_once() {
    let ids = ids();
    assert_eq!(ids.len(), 91);
    let mut seen = BTreeSet::new();
    for statement in map().statement {
        assert!(
            ids.contains(&statement.id),
            "no statement: {}",
            statement.id
        );
        assert!(seen.insert(statement.id.clone()), "twice: {}", statement.id);
        for text in [&statement.section, &statement.rule, &statement.duty] {
            assert!(!text.is_empty(), "{}", statement.id);
        }
    }
    let missing: Vec<_> = ids.difference(&seen).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

/// Those of the first edition, and its section 3, which refers to MS-OXPOP3.
#[test]
fn each_statement_without_a_number_is_there_once() {
    let (map, ids) = (map(), ids());
    let sections = map.unnumbered.iter().map(|one| one.section.as_str());
    let sections: Vec<_> = sections.collect();
    assert_eq!(sections, ["2.1.1", "2.1.2", "2.3.1", "2.3.2", "3"]);
    for one in &map.unnumbered {
        assert!(!one.rule.is_empty() && !one.duty.is_empty());
        let known = one.same.iter().all(|id| ids.contains(id));
        assert!(known && !one.same.is_empty(), "{}", one.section);
    }
}

#[test]
fn every_product_is_one_that_the_documents_name() {
    let map = map();
    let outlook: Vec<_> = Profile::ALL[..8].iter().map(|one| one.name()).collect();
    let expanded = |products: &[String]| -> Vec<String> {
        let group = |name: &String| map.groups.get(name).cloned();
        let one = |name: &String| group(name).unwrap_or_else(|| vec![name.clone()]);
        products.iter().flat_map(one).collect()
    };
    for statement in &map.statement {
        let known: &[&str] = if statement.id.starts_with("OPOP3") {
            &outlook
        } else {
            &EXCHANGE
        };
        let products = expanded(&statement.products);
        assert!(!products.is_empty(), "{}", statement.id);
        for product in products {
            assert!(
                known.contains(&product.as_str()),
                "{}: {product}",
                statement.id
            );
        }
    }
    // The statements that leave out Outlook for Windows (new).
    let before_new = map.statement.iter().filter(|statement| {
        statement.id.starts_with("OPOP3")
            && !expanded(&statement.products).contains(&"outlook-new".to_owned())
    });
    let before_new: Vec<_> = before_new.map(|statement| statement.id.as_str()).collect();
    assert_eq!(
        before_new,
        ["C0010", "C0038", "C0039", "C0040", "C0041"].map(|id| format!("OPOP3:{id}"))
    );
}

#[test]
fn every_statement_has_tests_and_each_of_them_exists() {
    let (map, tests, ids) = (map(), Tests::read(), ids());
    let statements = map.statement.iter().map(|one| (&one.id, &one.tests));
    let decisions = map.decision.iter().map(|one| (&one.on, &one.tests));
    let unnumbered = map.unnumbered.iter().map(|one| (&one.section, &one.tests));
    let mut faults = Vec::new();
    for (of, named) in statements.chain(unnumbered).chain(decisions) {
        if named.is_empty() {
            faults.push(format!("{of} has no test"));
        }
        let gone = named.iter().filter(|name| !tests.has(name));
        faults.extend(gone.map(|name| format!("{of}: there is no test {name}")));
    }
    for decision in &map.decision {
        let known = decision.between.iter().all(|id| ids.contains(id));
        if !known || decision.popsync.is_empty() || decision.why.is_empty() {
            faults.push(format!("the decision on {} is not whole", decision.on));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `cargo test --test sim list_of_statements -- --nocapture`
#[test]
#[expect(clippy::print_stdout, reason = "the list is for reading")]
fn list_of_statements_and_how_many_tests_show_each() {
    let map = map();
    let mut tests = BTreeSet::new();
    for statement in &map.statement {
        let (id, count) = (&statement.id, statement.tests.len());
        println!(
            "{id:<11} {count} {:<9} {}",
            format!("{:?}", statement.binds),
            statement.rule
        );
        tests.extend(&statement.tests);
    }
    let (statements, decisions) = (map.statement.len(), map.decision.len());
    println!(
        "{statements} statements, {} tests, {decisions} decisions",
        tests.len()
    );
}
