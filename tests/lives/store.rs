//! The store as a person, their mail program and their backups treat it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::mail::STATUS;

/// The kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Maildir,
    /// A Maildir that is a folder of another one, by the rules of Maildir++.
    Nested,
    Mbox,
}

/// The way in which a person files a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filed {
    /// The file is moved, and keeps its name.
    Moved,
    /// A mail program writes it anew, with a name and a header of its own.
    Rewritten,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) kind: Kind,
    /// The path in the configuration.
    pub(crate) path: PathBuf,
    /// The part that a backup copies.
    pub(crate) root: PathBuf,
    renamed: u32,
}

/// A message in the store.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) octets: Vec<u8>,
    /// Its file, or its number in an mbox.
    at: At,
}

#[derive(Debug, Clone)]
enum At {
    File(PathBuf),
    Number(usize),
}

impl Store {
    pub(crate) fn new(kind: Kind, home: &Path) -> Self {
        let (path, root) = match kind {
            Kind::Maildir => ("Mail", "Mail"),
            Kind::Nested => ("Mail/.work", "Mail"),
            Kind::Mbox => ("mail.mbox", "mail.mbox"),
        };
        if kind == Kind::Nested {
            fs::create_dir(home.join(root)).unwrap();
        }
        Self {
            kind,
            path: home.join(path),
            root: home.join(root),
            renamed: 0,
        }
    }

    /// Every message, in an order that does not depend on file names.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        if self.kind == Kind::Mbox {
            for (number, entry) in self.entries().iter().enumerate() {
                let octets = unquoted(entry);
                let at = At::Number(number);
                messages.push(Message { octets, at });
            }
            return messages;
        }
        let mut folders = vec![self.root.clone()];
        folders.extend(children(&self.root).filter(|path| path.is_dir()));
        folders.extend(
            folders[1..]
                .to_vec()
                .iter()
                .flat_map(|folder| children(folder)),
        );
        for folder in folders {
            if !matches!(name(&folder), "new" | "cur") {
                continue;
            }
            for file in children(&folder).filter(|file| !name(file).starts_with('.')) {
                let octets = fs::read(&file).unwrap();
                let at = At::File(file);
                messages.push(Message { octets, at });
            }
        }
        messages.sort_by(|a, b| a.octets.cmp(&b.octets));
        messages
    }

    /// A person deletes a message.
    pub(crate) fn delete(&self, message: &Message) {
        match &message.at {
            At::File(file) => fs::remove_file(file).unwrap(),
            At::Number(number) => {
                let mut entries = self.entries();
                entries.remove(*number);
                write(&self.path, &entries.concat());
            }
        }
    }

    /// A person files a message in a folder beside the inbox. An mbox has none.
    pub(crate) fn file(&mut self, message: &Message, how: Filed) {
        let At::File(file) = &message.at else {
            return;
        };
        let folder = if self.kind == Kind::Nested {
            ".work.Archive"
        } else {
            ".Archive"
        };
        let folder = self.root.join(folder);
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let cur = folder.join("cur");
        if how == Filed::Moved {
            rename(file, &cur.join(seen(file)));
            return;
        }
        self.renamed += 1;
        let file_name = format!("1700000000.M{}P1.host:2,S", self.renamed);
        let bare = message.octets.strip_prefix(STATUS);
        let octets = [STATUS, bare.unwrap_or(&message.octets)].concat();
        write(&cur.join(file_name), &octets);
        fs::remove_file(file).unwrap();
    }

    /// A person reads a message.
    pub(crate) fn flag(&self, message: &Message) {
        match &message.at {
            At::File(file) => {
                let cur = file.parent().unwrap().with_file_name("cur");
                rename(file, &cur.join(seen(file)));
            }
            At::Number(number) => {
                let mut entries = self.entries();
                let entry = &mut entries[*number];
                let line = entry.iter().position(|&octet| octet == b'\n').unwrap() + 1;
                if !entry[line..].starts_with(STATUS) {
                    entry.splice(line..line, STATUS.iter().copied());
                    write(&self.path, &entries.concat());
                }
            }
        }
    }

    /// The messages of the mbox in their form there, each with the line in front of it and the one
    /// after it.
    fn entries(&self) -> Vec<Vec<u8>> {
        let octets = fs::read(&self.path).unwrap_or_default();
        let mut entries: Vec<Vec<u8>> = Vec::new();
        for line in octets.split_inclusive(|&octet| octet == b'\n') {
            if line.starts_with(b"From ") || entries.is_empty() {
                entries.push(Vec::new());
            }
            entries.last_mut().unwrap().extend_from_slice(line);
        }
        entries
    }
}

/// A message as it was before it was quoted for an mbox.
fn unquoted(entry: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    for line in entry.split_inclusive(|&octet| octet == b'\n').skip(1) {
        let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
        let quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        octets.extend_from_slice(&line[usize::from(quoted)..]);
    }
    // The blank line after it.
    if octets.ends_with(b"\n") {
        octets.pop();
    }
    octets
}

/// A copy of a file or a folder.
#[derive(Debug, Clone)]
pub(crate) struct Backup(BTreeMap<PathBuf, Option<(Vec<u8>, SystemTime)>>);

impl Backup {
    pub(crate) fn of(root: &Path) -> Self {
        let mut tree = BTreeMap::new();
        let mut waiting = vec![root.to_owned()];
        while let Some(path) = waiting.pop() {
            let kept = if path.is_dir() {
                waiting.extend(children(&path));
                None
            } else if let Ok(octets) = fs::read(&path) {
                let time = fs::metadata(&path).unwrap().modified().unwrap();
                Some((octets, time))
            } else {
                continue;
            };
            tree.insert(path, kept);
        }
        Self(tree)
    }

    /// Restores everything as `rsync --archive --delete` does: equal files are not touched.
    pub(crate) fn restore_in_place(&self, root: &Path) {
        let now = Self::of(root);
        for (path, kept) in now.0.iter().rev() {
            match (kept, self.0.contains_key(path)) {
                (_, true) => {}
                (Some(_), false) => fs::remove_file(path).unwrap(),
                (None, false) => fs::remove_dir(path).unwrap(),
            }
        }
        for (path, kept) in &self.0 {
            if now.0.get(path) == Some(kept) {
                continue;
            }
            match kept {
                None => fs::create_dir_all(path).unwrap(),
                Some((octets, time)) => {
                    write(path, octets);
                    let file = File::options().append(true).open(path).unwrap();
                    file.set_modified(*time).unwrap();
                }
            }
        }
    }

    /// Replaces the folder or the file by a new one.
    pub(crate) fn restore_anew(&self, root: &Path) {
        let old = root.with_extension("old");
        if root.exists() {
            rename(root, &old);
        }
        self.restore_in_place(root);
        let _ = fs::remove_dir_all(&old);
        let _ = fs::remove_file(&old);
    }
}

/// The name of a file after it was read.
fn seen(file: &Path) -> String {
    let name = name(file);
    format!("{}:2,S", name.split(':').next().unwrap())
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path())
}

/// Writes a file as another program would.
pub(crate) fn write(path: &Path, octets: &[u8]) {
    File::create(path).unwrap().write_all(octets).unwrap();
}

/// Renames a file as another program would.
#[expect(clippy::disallowed_methods, reason = "nothing is to be durable here")]
fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}
