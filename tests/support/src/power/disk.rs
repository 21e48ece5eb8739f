//! Disks after a power cut.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::{Change, Inode, Journal};

/// What a file system loses of the changes that no sync covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing, as where only the program is killed.
    Nothing,
    /// All of it.
    Everything,
    /// All content, where files have their size already: they hold NULs.
    Content,
    /// All content and sizes.
    Sizes,
    /// All names.
    Names,
    /// Some of the last names, in the order in which they were made, and any content.
    InOrder,
    /// Any of the names and any of the blocks.
    Anything,
    /// The same, and a rename may be done by halves.
    Halves,
}

impl Loss {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Everything,
        Self::Content,
        Self::Sizes,
        Self::Names,
        Self::InOrder,
        Self::Anything,
        Self::Halves,
    ];
}

/// The size of the blocks that reach a disk one by one.
const BLOCK: u64 = 4096;

/// The size of those that reach it whole.
const SECTOR: u64 = 512;

/// The files and folders on a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    root: Option<Inode>,
    pub(super) files: HashMap<Inode, Vec<u8>>,
    pub(super) folders: HashMap<Inode, BTreeMap<OsString, Inode>>,
}

/// What happens to the content of a file that was not synced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Kept,
    /// As long as it was to be.
    Zeroed,
    Missing,
    /// Block by block.
    Any,
}

impl Journal {
    /// The disk as it may be when the power goes behind so many changes. The seed decides about
    /// what is left to chance.
    pub fn cut(&self, behind: usize, loss: Loss, seed: u64) -> Disk {
        let mut chance = Chance(seed ^ (behind as u64) << 32 ^ (loss as u64) << 56);
        let entries = || self.entries[..behind].iter().map(|entry| &entry.change);
        let is_durable = durable(entries());
        // Where names come in order, everything before the last sync was committed with it.
        let committed = entries()
            .rposition(|change| matches!(change, Change::Sync(_) | Change::SyncAll))
            .unwrap_or(0);
        let until = committed + chance.below((behind - committed) as u64 + 1) as usize;
        let mut disk = self.before.clone();
        let mut contents = HashMap::new();
        for (at, (change, is_durable)) in entries().zip(is_durable).enumerate() {
            let of_name = match loss {
                Loss::Nothing | Loss::Content | Loss::Sizes => true,
                Loss::Everything | Loss::Names => false,
                Loss::InOrder => at < until,
                Loss::Anything | Loss::Halves => chance.is_kind(),
            };
            let mut of_content = |inode| match loss {
                Loss::Nothing | Loss::Names => Content::Kept,
                Loss::Content => Content::Zeroed,
                Loss::Everything | Loss::Sizes => Content::Missing,
                Loss::InOrder | Loss::Anything | Loss::Halves => *contents
                    .entry(inode)
                    .or_insert_with(|| match chance.below(4) {
                        0 => Content::Kept,
                        1 => Content::Zeroed,
                        2 => Content::Missing,
                        _ => Content::Any,
                    }),
            };
            match change {
                Change::Write { inode, at, octets } => {
                    let content = match is_durable {
                        true => Content::Kept,
                        false => of_content(*inode),
                    };
                    disk.write(*inode, *at, octets, content, &mut chance);
                }
                Change::Resize { inode, size }
                    if is_durable || of_content(*inode) != Content::Missing =>
                {
                    disk.file(*inode).resize(*size as usize, 0);
                }
                Change::Rename { from, to, inode } if loss == Loss::Halves => {
                    if is_durable_in(to.0, entries().skip(at)) || of_name {
                        disk.add(to, *inode);
                    }
                    if is_durable_in(from.0, entries().skip(at)) || chance.is_kind() {
                        disk.remove(from, Some(*inode));
                    }
                }
                change if is_durable || of_name => disk.apply(change),
                _ => {}
            }
        }
        disk
    }
}

/// Which of the changes a later sync covers.
fn durable<'c>(changes: impl DoubleEndedIterator<Item = &'c Change>) -> Vec<bool> {
    let (mut synced, mut all) = (HashSet::new(), false);
    let mut durable: Vec<bool> = changes
        .rev()
        .map(|change| {
            let covered = match change {
                Change::Add { folder, .. } | Change::Remove { folder, .. } => {
                    synced.contains(folder)
                }
                Change::Rename { from, to, .. } => {
                    synced.contains(&from.0) || synced.contains(&to.0)
                }
                Change::Write { inode, .. } | Change::Resize { inode, .. } => {
                    synced.contains(inode)
                }
                Change::Sync(inode) => {
                    synced.insert(*inode);
                    true
                }
                Change::SyncAll => {
                    all = true;
                    true
                }
            };
            covered || all
        })
        .collect();
    durable.reverse();
    durable
}

fn is_durable_in<'c>(folder: Inode, mut later: impl Iterator<Item = &'c Change>) -> bool {
    later.any(|change| *change == Change::Sync(folder) || *change == Change::SyncAll)
}

impl Disk {
    /// An empty one.
    pub(super) fn of(root: Inode) -> Self {
        Self {
            root: Some(root),
            ..Self::default()
        }
    }

    /// Makes this the content of the folder `home`, and nothing else.
    pub fn write_to(&self, home: &Path) {
        for entry in fs::read_dir(home).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => fs::remove_dir_all(path).unwrap(),
                false => fs::remove_file(path).unwrap(),
            }
        }
        self.write_folder(self.root.unwrap(), home, &mut HashMap::new());
    }

    fn write_folder(&self, folder: Inode, to: &Path, written: &mut HashMap<Inode, PathBuf>) {
        let names = self.folders.get(&folder);
        for (name, inode) in names.into_iter().flatten() {
            let path = to.join(name);
            if self.folders.contains_key(inode) {
                // Half a rename would give a folder two names, which no disk has.
                if written.insert(*inode, path.clone()).is_none() {
                    DirBuilder::new().mode(0o700).create(&path).unwrap();
                    self.write_folder(*inode, &path, written);
                }
            } else if let Some(other) = written.get(inode) {
                fs::hard_link(other, &path).unwrap();
            } else {
                let mut file = File::options()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .unwrap();
                let content = self.files.get(inode);
                file.write_all(content.map_or(&[][..], |content| content))
                    .unwrap();
                written.insert(*inode, path);
            }
        }
    }

    /// The first path below the folder `home` that is not as it is here. Memory that SQLite maps is not
    /// recorded.
    pub fn differs_from(&self, home: &Path) -> Option<PathBuf> {
        self.folder_differs(self.root.unwrap(), home)
    }

    fn folder_differs(&self, folder: Inode, path: &Path) -> Option<PathBuf> {
        let mut there: BTreeSet<OsString> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        for (name, inode) in self.folders.get(&folder).into_iter().flatten() {
            let path = path.join(name);
            let differs = if !there.remove(name) {
                Some(path)
            } else if self.folders.contains_key(inode) {
                self.folder_differs(*inode, &path)
            } else if name.to_string_lossy().ends_with("-shm") {
                None
            } else {
                let content = self.files.get(inode).map_or(&[][..], Vec::as_slice);
                (fs::read(&path).unwrap() != content).then_some(path)
            };
            if differs.is_some() {
                return differs;
            }
        }
        there.pop_first().map(|name| path.join(name))
    }

    fn file(&mut self, inode: Inode) -> &mut Vec<u8> {
        self.files.entry(inode).or_default()
    }

    fn add(&mut self, (folder, name): &(Inode, OsString), inode: Inode) {
        let names = self.folders.entry(*folder).or_default();
        names.insert(name.clone(), inode);
    }

    /// Removes a name, if it is that of this inode.
    fn remove(&mut self, (folder, name): &(Inode, OsString), inode: Option<Inode>) {
        let names = self.folders.entry(*folder).or_default();
        if inode.is_none_or(|inode| names.get(name) == Some(&inode)) {
            names.remove(name);
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Add {
                folder,
                name,
                inode,
                is_folder,
            } => {
                self.add(&(*folder, name.clone()), *inode);
                if *is_folder {
                    self.folders.entry(*inode).or_default();
                }
            }
            Change::Remove { folder, name } => self.remove(&(*folder, name.clone()), None),
            Change::Rename { from, to, inode } => {
                self.remove(from, Some(*inode));
                self.add(to, *inode);
            }
            Change::Write { .. } | Change::Resize { .. } | Change::Sync(_) | Change::SyncAll => {}
        }
    }

    /// Writes what arrives of some octets.
    fn write(
        &mut self,
        inode: Inode,
        at: u64,
        octets: &[u8],
        content: Content,
        chance: &mut Chance,
    ) {
        let file = self.file(inode);
        let end = at + octets.len() as u64;
        let had = file.len() as u64;
        let mut from = at;
        while from < end {
            let to = end.min((from / BLOCK + 1) * BLOCK);
            let arrives = match content {
                Content::Kept => to,
                Content::Zeroed | Content::Missing => from,
                Content::Any => match chance.below(4) {
                    0 => from,
                    // A part of a block.
                    1 => to.min(from + SECTOR * chance.below(BLOCK / SECTOR)),
                    _ => to,
                },
            };
            // What was there before stays where the new octets did not arrive.
            let size = match content {
                Content::Kept | Content::Zeroed => to,
                Content::Missing => had,
                Content::Any => arrives,
            };
            if size > file.len() as u64 && (content != Content::Any || arrives > from) {
                file.resize(size as usize, 0);
            }
            let (place, part) = (from as usize, (arrives - from) as usize);
            let source = (from - at) as usize;
            if part > 0 {
                file[place..place + part].copy_from_slice(&octets[source..source + part]);
            }
            from = to;
        }
    }

    /// The names of everything, for a failure.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut folders = vec![(self.root.unwrap(), String::new())];
        let mut seen = HashSet::new();
        while let Some((folder, path)) = folders.pop() {
            for (name, inode) in self.folders.get(&folder).into_iter().flatten() {
                let path = format!("{path}/{}", name.to_string_lossy());
                if self.folders.contains_key(inode) && seen.insert(*inode) {
                    folders.push((*inode, path.clone()));
                }
                let size = self.files.get(inode).map_or(0, Vec::len);
                names.insert(format!("{path} {size}"));
            }
        }
        names
    }
}

/// Numbers that look random, the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn is_kind(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }
}
