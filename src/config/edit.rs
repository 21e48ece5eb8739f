//! Changes to the configuration file that leave the rest of it as it is, comments included.
//!
//! A table is added at the end, or cut out whole, as text. What comes of it is read again and
//! must say what the old file said, but for that one account; else the file stays as it was and
//! the user hears that this is work for an editor.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::durable;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::patient::without_mark;

/// Why the file was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EditError {
    /// There is an account of this name.
    #[error("there is an account `{name}` already")]
    Exists {
        /// The name.
        name: String,
    },
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The account is a row of a list, which other programs may have made.
    #[error("account `{name}` is in line {line} of {}, which popsync does not change", path.display())]
    Listed {
        /// The name.
        name: String,
        /// The list.
        path: PathBuf,
        /// The line of its row.
        line: u64,
        /// True if it is to get another name.
        is_renamed: bool,
    },
    /// The account is written in a way that cannot be changed safely.
    #[error("account `{name}` cannot be changed in {} without touching the rest", path.display())]
    Entangled {
        /// The name.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl Failure for EditError {
    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } => Exit::Usage,
            Self::Write { .. } => Exit::IoError,
            Self::Entangled { .. } | Self::Listed { .. } => Exit::Config,
        }
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::Exists { .. } => "choose another name with `--name`, or remove that one first",
            Self::Write { .. } => return None,
            Self::Listed {
                is_renamed: true, ..
            } => {
                "write the new name into the list, then run this again for what is remembered of it"
            }
            Self::Listed { .. } => "take the row out of the list",

            Self::Entangled { .. } => {
                "popsync changes tables that begin with `[accounts.NAME]`; change this one by hand"
            }
        };
        Some(hint.into())
    }
}

/// The keys of a new account and their values, as they are to be written.
pub(crate) type Keys = Vec<(&'static str, Value)>;

/// The text of a file that can be edited, without a mark in front, which may not be left alone
/// where the first table goes. A pipe cannot be edited, and would be waited for.
fn read(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let text = fs::read(path)?;
    let text = str::from_utf8(without_mark(&text));
    let text = text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))?;
    Ok(text.to_owned())
}

/// Adds `[accounts.NAME]` to a file, which is made where it is missing.
///
/// # Errors
/// Where there is such an account, or the file cannot be written.
pub(crate) fn add_account(path: &Path, name: &str, keys: &Keys) -> Result<(), EditError> {
    let failed = failed(path);
    let old = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let new = with_account(&old, name, keys).ok_or_else(|| EditError::Exists {
        name: name.to_owned(),
    })?;
    replace(path, &new).map_err(failed)
}

/// The text of the file as it would be with the account; none where it has one of this name, or
/// cannot be read.
pub(crate) fn preview(path: &Path, name: &str, keys: &Keys) -> Option<String> {
    let old = match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.ok()?,
    };
    with_account(&old, name, keys)
}

/// Removes an account from a file.
///
/// # Errors
/// Where it cannot be cut out without touching anything else, or the file cannot be written.
pub(super) fn remove_account(path: &Path, name: &str) -> Result<(), EditError> {
    change(path, name, |text| without_account(text, name))
}

/// Gives an account of a file another name.
///
/// # Errors
/// Where there is one of that name, where the account is written in a way that cannot be changed
/// without touching anything else, or the file cannot be written.
pub(super) fn rename_account(path: &Path, old: &str, new: &str) -> Result<(), EditError> {
    change(path, old, |text| with_name(text, old, new))
}

/// Replaces the text of a file; `change` makes the new one from the old, if it can.
fn change(
    path: &Path,
    name: &str,
    change: impl FnOnce(&str) -> Option<String>,
) -> Result<(), EditError> {
    let failed = failed(path);
    let old = read(path).map_err(&failed)?;
    let new = change(&old).ok_or_else(|| EditError::Entangled {
        name: name.to_owned(),
        path: path.to_owned(),
    })?;
    replace(path, &new).map_err(failed)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> EditError {
    let path = path.to_owned();
    move |source| EditError::Write {
        path: path.clone(),
        source,
    }
}

/// The text with one more account; none where that is in it already, or the text is no TOML.
fn with_account(old: &str, name: &str, keys: &Keys) -> Option<String> {
    let mut expected: Table = old.parse().ok()?;
    let accounts = expected
        .entry("accounts")
        .or_insert_with(|| Value::Table(Table::new()));
    let table: Table = keys
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let accounts = accounts.as_table_mut()?;
    if accounts.contains_key(name) {
        return None;
    }
    accounts.insert(name.to_owned(), Value::Table(table));
    let mut new = old.to_owned();
    if !new.is_empty() {
        let ends = new.ends_with('\n');
        new.push_str(if ends { "\n" } else { "\n\n" });
    }
    // Writing to a string cannot fail.
    let _ = writeln!(new, "[accounts.{}]", written_key(name));
    for (key, value) in keys {
        let _ = writeln!(new, "{key} = {}", written(value));
    }
    (new.parse().ok() == Some(expected)).then_some(new)
}

/// The text without the account; none where that cannot be had by cutting lines.
fn without_account(old: &str, name: &str) -> Option<String> {
    let mut expected: Table = old.parse().ok()?;
    let accounts = expected.get_mut("accounts")?.as_table_mut()?;
    accounts.remove(name)?;
    let none_left = accounts.is_empty();
    let mut new = String::with_capacity(old.len());
    // Comments and blank lines belong to what follows them.
    let mut waiting = String::new();
    let mut inside = false;
    for line in old.split_inclusive('\n') {
        if let Some(header) = header(line) {
            let own = header.len() >= 2 && header[0] == "accounts" && header[1] == name;
            if own {
                if !inside {
                    // What stands above the header stays: it may be about more than this.
                    new.push_str(&waiting);
                }
                waiting.clear();
            }
            inside = own;
        }
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            waiting.push_str(line);
        } else if inside {
            waiting.clear();
        } else {
            new.push_str(&waiting);
            waiting.clear();
            new.push_str(line);
        }
    }
    new.push_str(&waiting);
    let new = format!("{}\n", new.trim_end())
        .trim_start_matches('\n')
        .to_owned();
    let found: Table = new.parse().ok()?;
    let same = found == expected
        || none_left && {
            expected.remove("accounts");
            found == expected
        };
    same.then_some(new)
}

/// The text with an account under another name; none where that cannot be had by changing headers.
fn with_name(text: &str, old: &str, new: &str) -> Option<String> {
    let mut expected: Table = text.parse().ok()?;
    let accounts = expected.get_mut("accounts")?.as_table_mut()?;
    let account = accounts.remove(old)?;
    if accounts.insert(new.to_owned(), account).is_some() {
        return None;
    }
    let mut renamed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match header(line) {
            Some(keys) if keys.len() >= 2 && keys[0] == "accounts" && keys[1] == old => {
                // A comment behind the header may hold brackets, too.
                let ends = line.match_indices(']').map(|(at, _)| at + 1);
                let end = ends
                    .into_iter()
                    .find(|&end| header(&line[..end]).is_some())?;
                let name = std::iter::once(new).chain(keys[2..].iter().map(String::as_str));
                let name: Vec<String> = name.map(written_key).collect();
                renamed.push_str(&format!("[accounts.{}]", name.join(".")));
                renamed.push_str(&line[end..]);
            }
            _ => renamed.push_str(line),
        }
    }
    (renamed.parse().ok() == Some(expected)).then_some(renamed)
}

/// The keys of a line such as `[accounts.work]`.
fn header(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    if !line.starts_with('[') || line.starts_with("[[") {
        return None;
    }
    let mut table: Table = line.parse().ok()?;
    let mut keys = Vec::new();
    while let Some((key, value)) = table.into_iter().next() {
        keys.push(key);
        table = match value {
            Value::Table(table) => table,
            // A line inside a list: no header.
            _ => return None,
        };
    }
    Some(keys)
}

/// A key as it stands in a header.
fn written_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        written_text(key)
    }
}

/// A value on one line.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => written_text(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Datetime(time) => time.to_string(),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(written).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{} = {}", written_key(key), written(value))
            };
            let entries: Vec<_> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A basic string of TOML.
fn written_text(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(written, "\\u{:04X}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// Puts `text` in the place of the file at once: after a crash it is the old one or the new one.
/// A file that is a link elsewhere stays one, and whoever could read it still can.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    publish(path, text, 0o600)
}

/// The same for a file that has this mode where it is new.
pub(crate) fn publish(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::path::absolute(path)?,
        resolved => resolved?,
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mode = match fs::metadata(&path) {
        Ok(metadata) => metadata.mode() & 0o777,
        Err(_) => mode,
    };
    durable::replace(&path, text.as_bytes(), mode)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const FILE: &str = "\
# Mine.
[defaults]
profile = \"outlook-2019\"

# At work.
[accounts.work] # since 2020
server = \"pop3s://mail\"   # the old one

# more about work
[accounts.work.tls]
ca-file = \"x\"

# At home.
[accounts.\"at home\"]
server = \"pop3s://home\"
";

    #[test]
    fn an_account_is_cut_out_and_all_else_stays() {
        let new = without_account(FILE, "work").unwrap();
        assert_eq!(
            new,
            "\
# Mine.
[defaults]
profile = \"outlook-2019\"

# At work.

# At home.
[accounts.\"at home\"]
server = \"pop3s://home\"
"
        );
        let new = without_account(&new, "at home").unwrap();
        assert!(new.ends_with("# At home.\n"), "{new}");
        assert_eq!(without_account(&new, "at home"), None);
    }

    #[test]
    fn what_cannot_be_cut_by_lines_is_left_alone() {
        for text in [
            "accounts = { work = { server = \"x\" }, home = { server = \"y\" } }\n",
            "[accounts]\nwork = { server = \"x\" }\nhome.server = \"y\"\n",
            "accounts.work.server = \"x\"\n[accounts.home]\nserver = \"y\"\n",
            "[accounts.home]\nx = \"\"\"\n[accounts.work]\n\"\"\"\n[accounts.work]\nserver = \"x\"\n",
            "[accounts.work]\nx = \"\"\"\n[accounts.home]\n\"\"\"\n",
        ] {
            assert!(text.parse::<Table>().is_ok(), "{text}");
            assert_eq!(without_account(text, "work"), None, "{text}");
        }
    }

    #[test]
    fn an_account_gets_another_name_in_its_headers_alone() {
        let new = with_name(FILE, "work", "my office").unwrap();
        let by_hand = FILE.replace("[accounts.work", "[accounts.\"my office\"");
        assert_eq!(new, by_hand);
        assert_eq!(with_name(&new, "my office", "work").unwrap(), FILE);
        let new = with_name(FILE, "at home", "home").unwrap();
        assert_eq!(new, FILE.replace("\"at home\"", "home"));
        let odd = "[ accounts . 'work' ] # [accounts.work]\nserver = \"[accounts.work]\"\n";
        let new = with_name(odd, "work", "a]b").unwrap();
        assert_eq!(
            new,
            "[accounts.\"a]b\"] # [accounts.work]\nserver = \"[accounts.work]\"\n"
        );
        assert_eq!(with_name(&new, "a]b", "work").unwrap().len(), new.len() - 1);
        for (text, old, new) in [
            (FILE, "work", "at home"),
            (FILE, "nobody", "new"),
            ("[accounts]\nwork = { server = \"x\" }\n", "work", "new"),
            (
                "[accounts.work]\nx = \"\"\"\n[accounts.work]\n\"\"\"\n",
                "work",
                "new",
            ),
        ] {
            assert_eq!(with_name(text, old, new), None, "{old} in {text}");
        }
    }

    #[test]
    fn an_account_is_added_at_the_end() {
        let keys = vec![
            ("server", Value::from("pop3s://mail")),
            ("password-command", Value::from("echo \"a\\b\"\t'c'")),
            ("remove-after-days", Value::from(14)),
        ];
        for old in ["", "# nothing yet", FILE, "[accounts]\nx = {}\n"] {
            for name in ["new", "anna@example.com", "größe \"7\"", "a.b"] {
                let new = with_account(old, name, &keys).unwrap();
                assert!(new.starts_with(old));
                assert_eq!(with_account(&new, name, &keys), None);
                let cut: Table = without_account(&new, name).unwrap().parse().unwrap();
                let mut before: Table = old.parse().unwrap();
                if old.is_empty() || old.starts_with("# nothing") {
                    before.remove("accounts");
                }
                assert_eq!(cut, before, "{name} in {old}");
            }
        }
        // An inline table cannot be added to.
        assert_eq!(with_account("accounts = {}\n", "new", &keys), None);
    }

    #[test]
    fn a_file_is_replaced_where_it_really_is() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        replace(&real, "one").unwrap();
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, "two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "two");
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let deep = folder.path().join("a/b/config.toml");
        replace(&deep, "three").unwrap();
        assert_eq!(fs::read_to_string(&deep).unwrap(), "three");
    }
}
