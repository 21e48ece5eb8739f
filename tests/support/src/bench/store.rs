//! The store seen from outside, and the actions of mail programs on it.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{Digest, digest, lock};

/// The store seen from outside. Clones see the same.
#[derive(Clone)]
pub struct Store {
    /// The Maildir or the mbox.
    pub root: PathBuf,
    /// The folder of messages on their way into an mbox. None for a Maildir.
    pub spool: Option<PathBuf>,
    /// Files do not change once they are visible, so each is read once.
    known: Arc<Mutex<HashMap<PathBuf, Digest>>>,
}

impl Store {
    /// The Maildir or the mbox at this path.
    pub fn at(root: PathBuf) -> Self {
        Self {
            root,
            spool: None,
            known: Arc::default(),
        }
    }

    /// The messages that readers see, in `new`, `cur` and sub-folders, with their digests.
    /// In an mbox they are numbered.
    pub fn files(&self) -> HashMap<PathBuf, Digest> {
        if self.spool.is_some() {
            let messages = self.messages_of_mbox().into_iter().enumerate();
            return messages
                .map(|(number, message)| (self.root.join(number.to_string()), digest(&message)))
                .collect();
        }
        let mut known = lock(&self.known);
        let mut found = HashMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for path in entries(&folder) {
                if path.is_dir() {
                    if !path.ends_with("tmp") {
                        folders.push(path);
                    }
                } else if ["new", "cur"].iter().any(|name| folder.ends_with(name)) {
                    let digest = *known
                        .entry(path.clone())
                        .or_insert_with(|| digest(&fs::read(&path).unwrap()));
                    found.insert(path, digest);
                }
            }
        }
        found
    }

    /// Forgets the files read, so that the next look reads everything.
    pub fn look_anew(&self) {
        lock(&self.known).clear();
    }

    /// True if readers see this message.
    pub fn holds(&self, stored: &[u8]) -> bool {
        let wanted = digest(stored);
        self.files().into_values().any(|digest| digest == wanted)
    }

    /// The number of messages that readers see.
    #[expect(clippy::len_without_is_empty, reason = "tests ask for the number")]
    pub fn len(&self) -> usize {
        self.files().len()
    }

    /// The names in `tmp`, or in the spool.
    pub fn tmp(&self) -> Vec<String> {
        match &self.spool {
            Some(spool) => self.names(spool.to_str().unwrap()),
            None => self.names("tmp"),
        }
    }

    /// The messages of an mbox as they were stored.
    #[track_caller]
    pub fn messages_of_mbox(&self) -> Vec<Vec<u8>> {
        let (messages, part) = self.messages_and_part_of_mbox();
        assert_eq!(part, None, "the last message is not whole");
        messages
    }

    /// The messages of an mbox as they were stored, and the octets after the last blank line: the
    /// part of a message that was being appended when the program was killed. Messages begin with a
    /// `From ` line after a blank one, and their lines are quoted as mboxrd; the parser knows
    /// nothing else.
    #[track_caller]
    pub fn messages_and_part_of_mbox(&self) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
        let content = fs::read(&self.root).unwrap_or_default();
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let mut after_blank = true;
        for line in content.split_inclusive(|&octet| octet == b'\n') {
            if line.starts_with(b"From ") || (after_blank && b"From ".starts_with(line)) {
                assert!(after_blank, "no blank line in front of a message");
                messages.push(Vec::new());
            } else {
                let marks = line.iter().take_while(|&&octet| octet == b'>').count();
                let quoted = marks > 0 && line[marks..].starts_with(b"From ");
                let line = &line[usize::from(quoted)..];
                // The line that `mark_read` added.
                if line != READ {
                    messages.last_mut().unwrap().extend_from_slice(line);
                }
            }
            after_blank = line == b"\n";
        }
        let part = if after_blank { None } else { messages.pop() };
        for message in &mut messages {
            assert_eq!(message.pop(), Some(b'\n'));
        }
        (messages, part)
    }

    /// A mail program writes the whole mbox anew, with one more field in every `every`th message
    /// except the last, which nobody has read yet.
    pub fn mark_read(&self, every: usize) {
        let content = fs::read(&self.root).unwrap_or_default();
        let lines = || content.split_inclusive(|&octet| octet == b'\n');
        let messages = lines().filter(|line| line.starts_with(b"From ")).count();
        let mut written = Vec::with_capacity(content.len());
        let mut number = 0;
        for line in lines() {
            written.extend_from_slice(line);
            if line.starts_with(b"From ") {
                number += 1;
                if number % every == 0 && number < messages {
                    written.extend_from_slice(READ);
                }
            }
        }
        let mut file = File::options().write(true).open(&self.root).unwrap();
        file.write_all(&written).unwrap();
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = entries(&self.root.join(folder))
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// A mail program sees this message in `new`: it moves it to `cur` and flags it.
    pub fn read(&self, name: &str) {
        self.move_to(name, "cur", ":2,FS");
    }

    /// A mail program files this message of `new` into a folder.
    pub fn archive(&self, name: &str) {
        for folder in [".Archive", ".Archive/cur"] {
            let folder = self.root.join(folder);
            if !folder.is_dir() {
                DirBuilder::new().mode(0o700).create(folder).unwrap();
            }
        }
        self.move_to(name, ".Archive/cur", ":2,S");
    }

    fn move_to(&self, name: &str, folder: &str, flags: &str) {
        let to = self.root.join(folder).join(format!("{name}{flags}"));
        rename(&self.root.join("new").join(name), &to);
    }
}

/// The line that a mail program adds to a read message.
const READ: &[u8] = b"X-Status: RO of a test\n";

/// Renames a file as another program would.
#[expect(clippy::disallowed_methods, reason = "nothing is to be durable here")]
pub fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}
