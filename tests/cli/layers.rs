//! Arrows between the layers point one way. What may be used where is written down here, and
//! read off the `use` lines of the sources.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules, and the modules of the crate that they may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("envelope", &[]),
    ("exit", &[]),
    ("find", &[]),
    ("profile", &[]),
    ("import", &["exit"]),
    ("pop3", &[]),
    ("account", &["profile"]),
    ("maildrop", &["pop3"]),
    ("policy", &["account", "maildrop"]),
    ("store", &["exit"]),
    ("session", &["account", "auth", "exit", "pop3", "profile"]),
    (
        "cache",
        &["account", "exit", "maildrop", "policy", "pop3", "store"],
    ),
    ("auth", &["account", "exit", "pop3"]),
    ("config", &["account", "auth", "exit", "profile"]),
    (
        "sync",
        &[
            "account", "auth", "cache", "envelope", "exit", "maildrop", "policy", "pop3",
            "session", "store",
        ],
    ),
];

/// Crates that a module must do without: no I/O, no clock, no database, no output.
const NEVER: &[(&str, &[&str])] = &[
    (
        "pop3",
        &[
            "tokio",
            "std::fs",
            "std::io",
            "std::net",
            "std::time",
            "rusqlite",
            "rustls",
        ],
    ),
    (
        "envelope",
        &["tokio", "std::fs", "std::io", "std::net", "std::time"],
    ),
    (
        "policy",
        &[
            "tokio",
            "std::fs",
            "std::io",
            "std::net",
            "std::time",
            "rusqlite",
            "jiff",
        ],
    ),
    (
        "maildrop",
        &[
            "tokio",
            "std::fs",
            "std::io",
            "std::net",
            "std::time",
            "rusqlite",
        ],
    ),
    ("import", &["tokio", "std::net", "rusqlite"]),
    ("store", &["tokio", "std::net", "rusqlite"]),
    ("session", &["std::fs", "rusqlite"]),
    ("cache", &["tokio", "std::net"]),
    ("sync", &["rusqlite", "clap", "indicatif"]),
];

/// The source files of a module, tests left out.
fn sources(module: &str) -> Vec<PathBuf> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let file = src.join(format!("{module}.rs"));
    if file.exists() {
        files.push(file);
    }
    let mut folders = vec![src.join(module)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Tests may use what they like.
                if !path.ends_with("tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
            {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "no sources of {module}");
    files
}

/// The code of a file, without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules named behind `crate::`.
fn used(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split("};").next().unwrap_or_default();
            modules.extend(
                list.split([',', '\n'])
                    .map(|part| part.trim().split("::").next().unwrap_or_default()),
            );
        } else {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            modules.push(&rest[..end]);
        }
    }
    modules
}

#[test]
fn no_layer_uses_one_above_it() {
    for (module, allowed) in LAYERS {
        for path in sources(module) {
            for other in used(&code(&path)) {
                let known = LAYERS.iter().any(|(name, _)| *name == other) || other == "cli";
                assert!(
                    !known || other == *module || allowed.contains(&other),
                    "{} uses {other}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn layers_do_without_what_is_not_theirs() {
    for (module, never) in NEVER {
        for path in sources(module) {
            let code = code(&path);
            for name in *never {
                let found =
                    code.contains(&format!("{name}::")) || code.contains(&format!("use {name};"));
                assert!(!found, "{} uses {name}", path.display());
            }
        }
    }
}
