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
    ("blocking", &[]),
    ("durable", &[]),
    ("envelope", &[]),
    ("exit", &[]),
    ("failure", &["exit"]),
    ("find", &[]),
    ("profile", &[]),
    ("patient", &[]),
    ("words", &[]),
    ("import", &["exit", "failure", "patient"]),
    ("pop3", &[]),
    ("account", &["profile"]),
    ("maildrop", &["pop3"]),
    ("policy", &["account", "maildrop"]),
    ("store", &["durable", "exit", "failure"]),
    (
        "session",
        &[
            "account", "auth", "blocking", "exit", "failure", "pop3", "profile",
        ],
    ),
    (
        "cache",
        &[
            "account", "durable", "exit", "failure", "maildrop", "policy", "pop3", "store",
        ],
    ),
    (
        "auth",
        &[
            "account", "blocking", "durable", "exit", "failure", "patient", "pop3", "words",
        ],
    ),
    (
        "config",
        &[
            "account", "auth", "durable", "exit", "failure", "patient", "profile", "words",
        ],
    ),
    (
        "sync",
        &[
            "account", "auth", "blocking", "cache", "envelope", "exit", "failure", "maildrop",
            "policy", "pop3", "session", "store",
        ],
    ),
];

/// The rooms of `sync`, and those that each may look into, the lowest first: what a room uses stands
/// above it here, so that there are no circles.
const ROOMS: &[(&str, &[&str])] = &[
    ("again", &[]),
    ("broke", &[]),
    ("error", &[]),
    ("event", &[]),
    ("in_step", &[]),
    ("ledger", &[]),
    ("progress", &[]),
    ("quit", &[]),
    ("senders", &[]),
    ("sent_form", &[]),
    ("storage", &[]),
    ("stub", &[]),
    ("waited", &[]),
    ("warning", &[]),
    ("transfer", &["in_step", "quit", "warning"]),
    ("headers", &["broke", "transfer"]),
    ("likeness", &["headers"]),
    ("filed", &["likeness"]),
    ("loss", &["filed", "ledger"]),
    ("header_index", &["likeness"]),
    (
        "decide",
        &[
            "broke",
            "filed",
            "headers",
            "ledger",
            "likeness",
            "quit",
            "header_index",
            "transfer",
        ],
    ),
    (
        "large",
        &["broke", "filed", "headers", "ledger", "likeness", "stub"],
    ),
    // A DELE depends on the findings of `decide` and the commits of `transfer`.
    ("delete", &["broke", "decide", "in_step", "transfer"]),
    ("record", &["decide", "ledger", "transfer"]),
    ("visit", &["ledger", "quit"]),
    (
        "from_store",
        &[
            "decide",
            "headers",
            "likeness",
            "quit",
            "header_index",
            "sent_form",
            "transfer",
            "visit",
        ],
    ),
    (
        "imported",
        &[
            "broke",
            "decide",
            "delete",
            "headers",
            "ledger",
            "likeness",
            "header_index",
            "sent_form",
            "transfer",
        ],
    ),
    ("rehearse", &["broke", "decide", "ledger", "quit", "visit"]),
    ("seed", &["decide", "quit", "visit"]),
    ("survey", &["decide", "headers", "quit", "visit"]),
    (
        "verify",
        &[
            "decide", "likeness", "progress", "quit", "storage", "transfer", "visit",
        ],
    ),
    ("untried", &["record"]),
    ("export", &["likeness", "progress", "verify", "visit"]),
    ("leftovers", &["large", "ledger", "verify"]),
    (
        "run",
        &[
            "broke",
            "decide",
            "delete",
            "imported",
            "large",
            "ledger",
            "leftovers",
            "loss",
            "quit",
            "record",
            "header_index",
            "storage",
            "transfer",
            "visit",
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
    behind(code, "crate::")
}

/// The first names behind such a path.
fn behind<'a>(code: &'a str, path: &str) -> Vec<&'a str> {
    let mut modules = Vec::new();
    for rest in code.split(path).skip(1) {
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

/// The rooms of `sync` that the code of a file names. `depth` is how many modules it lies below
/// `sync`.
fn rooms_used(code: &str, depth: usize) -> Vec<&str> {
    let above = "super::".repeat(depth);
    let mut names = behind(code, "crate::sync::");
    // With more of them it is another path.
    let marked = code.match_indices(&above);
    for (at, _) in marked {
        if !code[..at].ends_with("super::") {
            names.extend(behind(&code[at..], &above).into_iter().take(1));
            let rest = &code[at + above.len()..];
            if rest.starts_with('{') {
                names.extend(behind(&code[at..], &above));
            }
        }
    }
    names
}

#[test]
fn no_room_of_sync_looks_into_one_that_it_may_not() {
    let sync = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sync");
    let mut found = Vec::new();
    for path in sources("sync") {
        let Ok(inside) = path.strip_prefix(&sync) else {
            continue;
        };
        let room = inside.iter().next().unwrap().to_str().unwrap();
        let room = room.trim_end_matches(".rs");
        let depth = inside.iter().count();
        let known = ROOMS.iter().find(|(name, _)| *name == room);
        let (_, allowed) = known.unwrap_or_else(|| panic!("`{room}` is no room of sync"));
        for other in rooms_used(&code(&path), depth) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == other);
            assert!(
                !is_room || other == room || allowed.contains(&other),
                "{} uses {other}",
                path.display()
            );
            found.push((room.to_owned(), other.to_owned()));
        }
    }
    for (place, (room, allowed)) in ROOMS.iter().enumerate() {
        for other in *allowed {
            let is_lower = ROOMS[..place].iter().any(|(name, _)| name == other);
            assert!(is_lower, "{room} and {other} go round in a circle");
            let is_used = found.contains(&((*room).to_owned(), (*other).to_owned()));
            assert!(is_used, "{room} does not use {other}");
        }
    }
}

/// OAuth reads its client secret from a source of secrets, so the sources must not use OAuth.
#[test]
fn only_two_files_of_auth_use_oauth() {
    let auth = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/auth");
    for path in sources("auth") {
        let inside = path.strip_prefix(&auth).unwrap_or(&path);
        let is_above = ["error.rs", "password.rs"].map(Path::new).contains(&inside);
        let is_oauth = inside.starts_with("oauth") || inside.starts_with("oauth.rs");
        let code = code(&path);
        let uses = code.contains("oauth::") || code.contains(" oauth,") || code.contains("oauth}");
        assert!(is_above || is_oauth || !uses, "{}", path.display());
    }
}

/// Files that use each other can only be read together. Above all, the rows of the table of settings
/// know nothing of the files that read them.
#[test]
fn no_two_files_use_each_other() {
    for module in ["config", "cli/args"] {
        let mut files = Vec::new();
        for path in sources(module) {
            let code = code(&path);
            let name = name_within(&path, module);
            files.push((used_within(&code, &name, module), name));
        }
        loop {
            let names: Vec<_> = files.iter().map(|(_, name)| name.clone()).collect();
            // Takes away the files that use none of those left, until only a circle is left.
            files.retain(|(used, _)| used.iter().any(|other| names.contains(other)));
            if files.len() == names.len() {
                break;
            }
        }
        assert!(files.is_empty(), "{module} has a circle: {files:#?}");
    }
}

/// The path of a file inside a module, such as `rows/login`; empty for the file of the module.
fn name_within(path: &Path, module: &str) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let path = path.strip_prefix(src).unwrap().with_extension("");
    let name = path.to_str().unwrap().strip_prefix(module).unwrap();
    name.trim_start_matches('/').to_owned()
}

/// The other files of the module that this one names; its own parts are those that it declares.
fn used_within(code: &str, name: &str, module: &str) -> Vec<String> {
    let own = |part: &str| match name {
        "" => part.to_owned(),
        name => format!("{name}/{part}"),
    };
    let declared = code.lines().filter_map(|line| {
        let declared = line.strip_suffix(';')?;
        let part = declared.rsplit_once("mod ")?.1;
        Some(own(part))
    });
    let mut used: Vec<String> = declared.collect();
    let root = format!("crate::{}::", module.replace('/', "::"));
    used.extend(behind(code, &root).into_iter().map(str::to_owned));
    if name.is_empty() {
        return used;
    }
    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
    for other in behind(code, "super::") {
        used.push(
            format!("{parent}/{other}")
                .trim_start_matches('/')
                .to_owned(),
        );
        // A name in capitals is an item of the file above.
        if other.starts_with(char::is_uppercase) {
            used.push(parent.to_owned());
        }
    }
    used
}

/// When may DELE go out? What has to be read for an answer is `policy` and this one file.
#[test]
fn one_file_alone_deletes_on_the_server() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let deleting = |module: &str| {
        let files = sources(module).into_iter();
        let files = files.filter(|path| code(path).contains(".dele("));
        files.collect::<Vec<_>>()
    };
    let everywhere = LAYERS.iter().map(|(module, _)| *module);
    let everywhere = everywhere.chain(["cli", "probe", "main"]);
    let deleting: Vec<_> = everywhere.flat_map(deleting).collect();
    assert_eq!(deleting, [src.join("sync/delete.rs")]);
    // Nobody else makes the proofs that it asks for.
    for path in sources("sync") {
        let is_there = path.ends_with("sync/delete.rs");
        for made in ["Fence(", "Deletable {", "Proof::"] {
            let code = code(&path);
            let makes = code.contains(made);
            assert!(is_there || !makes, "{} makes {made}", path.display());
        }
        let is_committer = path.ends_with("transfer/committer.rs");
        let commits = code(&path).contains("Committed::after_publishing");
        assert!(is_committer || !commits, "{}", path.display());
    }
}
