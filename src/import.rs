//! Reads other programs' lists of the messages that they have downloaded.
//!
//! Every program keeps a list of unique-ids in a text file of its own. These files are read line by
//! line, and not trusted more than necessary: a line has a limit, a count allocates nothing, and a
//! line that makes no sense ends the import with its number, before anything is recorded. If a list
//! may hold several mailboxes, only one is read.
//!
//! A message in the list was downloaded, but the other program's copy may be gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

mod error;
mod fdm;
mod fetchmail;
mod getmail;
mod lines;
mod mpop;
mod thunderbird;

use crate::patient::{Patient, READ_TIMEOUT};

pub use error::{Error, LineError};

use lines::Lines;

/// The maximum number of mailboxes to name if a file does not have the wanted one.
const NAMED: usize = 10;

/// The program whose list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The cache of fdm.
    Fdm,
    /// `.fetchids`.
    Fetchmail,
    /// An `oldmail` file.
    Getmail,
    /// A file below `.mpop_uidls`.
    Mpop,
    /// `popstate.dat`.
    Thunderbird,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Mpop,
        Self::Getmail,
        Self::Fetchmail,
        Self::Fdm,
        Self::Thunderbird,
    ];

    /// The program's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fdm => "fdm",
            Self::Fetchmail => "fetchmail",
            Self::Getmail => "getmail",
            Self::Mpop => "mpop",
            Self::Thunderbird => "thunderbird",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    fn parser(self) -> Box<dyn Parser> {
        match self {
            Self::Fdm => Box::new(fdm::Fdm),
            Self::Fetchmail => Box::new(fetchmail::Fetchmail),
            Self::Getmail => Box::new(getmail::Getmail),
            Self::Mpop => Box::new(mpop::Mpop::default()),
            Self::Thunderbird => Box::new(thunderbird::Thunderbird::default()),
        }
    }
}

/// A mailbox as the other program names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The server.
    pub host: String,
    /// The user.
    pub user: String,
}

impl Mailbox {
    fn is(&self, host: &[u8], user: &[u8]) -> bool {
        self.host.as_bytes().eq_ignore_ascii_case(host) && self.user.as_bytes() == user
    }
}

/// A message that another program has downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its unique-id, as popsync reads it.
    pub unique_id: Vec<u8>,
    /// The number of messages with this unique-id, as popsync reads it.
    pub copies: u32,
    /// True if every `/` of the unique-id was written as `-`.
    pub without_slashes: bool,
}

/// A parser for the lines of one format.
trait Parser: Send {
    /// Parses one line.
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError>;

    /// Fails if the file may not end here.
    fn end(&self) -> Result<(), LineError> {
        Ok(())
    }
}

/// The meaning of one line.
#[derive(Debug, PartialEq, Eq)]
enum Parsed<'a> {
    /// The line is ignored.
    Nothing,
    /// The next lines are about this mailbox.
    Mailbox { host: &'a [u8], user: &'a [u8] },
    /// A message of the current mailbox was downloaded.
    Had(&'a [u8]),
    /// A message of this mailbox was downloaded.
    HadIn {
        host: &'a [u8],
        user: &'a [u8],
        unique_id: &'a [u8],
    },
}

/// The messages of one mailbox that a file lists as downloaded. The last one may be an error; then
/// the earlier ones must not be trusted either.
pub struct Entries<R> {
    path: PathBuf,
    format: Format,
    parser: Box<dyn Parser>,
    lines: Lines<R>,
    mailbox: Mailbox,
    /// True if the current lines are about this mailbox; always true if a file has only one.
    wanted: bool,
    /// The mailboxes in the file that are not the wanted one.
    others: BTreeSet<String>,
    found: u64,
    /// The shortened unique-ids of those with blanks, as popsync reads them, and how many share
    /// each.
    blanks: BTreeMap<Vec<u8>, u32>,
    ended: bool,
}

/// Opens the list of this program, to be read for this mailbox.
///
/// # Errors
/// [`Error::Io`]; and [`Error::OtherMailbox`] if the file's name already shows it.
pub fn open(
    format: Format,
    path: &Path,
    mailbox: Mailbox,
) -> Result<Entries<BufReader<Patient>>, Error> {
    if format == Format::Getmail
        && let Some(other) = getmail::other_mailbox(path, &mailbox)
    {
        return Err(Error::OtherMailbox {
            path: path.to_owned(),
            mailbox,
            found: vec![other],
        });
    }
    let failed = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    let file = Patient::open(path, READ_TIMEOUT).map_err(failed)?;
    // A folder can be opened, and reads as empty.
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(Entries::new(format, path, mailbox, BufReader::new(file)))
}

impl<R: BufRead> Entries<R> {
    fn new(format: Format, path: &Path, mailbox: Mailbox, input: R) -> Self {
        Self {
            path: path.to_owned(),
            format,
            parser: format.parser(),
            lines: Lines::new(input),
            mailbox,
            wanted: true,
            others: BTreeSet::new(),
            found: 0,
            blanks: BTreeMap::new(),
            ended: false,
        }
    }

    fn advance(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let line = match self.lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    self.end()?;
                    let left = self.blanks.pop_first();
                    return Ok(left.map(|(unique_id, copies)| self.entry(unique_id, copies)));
                }
                Err(lines::Error::Io(source)) => {
                    return Err(Error::Io {
                        path: self.path.clone(),
                        source,
                    });
                }
                Err(lines::Error::TooLong) => return Err(self.malformed(LineError::TooLong)),
            };
            let parsed = match self.parser.line(line) {
                Ok(parsed) => parsed,
                Err(fault) => return Err(self.malformed(fault)),
            };
            let unique_id = match parsed {
                Parsed::Nothing => continue,
                Parsed::Mailbox { host, user } => {
                    self.wanted = self.mailbox.is(host, user);
                    note(&mut self.others, self.wanted, host, user);
                    continue;
                }
                Parsed::Had(unique_id) => unique_id,
                Parsed::HadIn {
                    host,
                    user,
                    unique_id,
                } => {
                    self.wanted = self.mailbox.is(host, user);
                    note(&mut self.others, self.wanted, host, user);
                    unique_id
                }
            };
            let Some(word) = first_word(unique_id) else {
                return Err(self.malformed(LineError::NoUniqueId));
            };
            if !self.wanted {
                continue;
            }
            self.found += 1;
            let (is_whole, word) = (word.len() == unique_id.len(), word.to_vec());
            if is_whole {
                return Ok(Some(self.entry(word, 1)));
            }
            // Other programs take the rest of the line for the unique-id. As popsync reads it,
            // several messages may share one.
            *self.blanks.entry(word).or_default() += 1;
        }
    }

    fn entry(&self, unique_id: Vec<u8>, copies: u32) -> Entry {
        Entry {
            unique_id,
            copies,
            without_slashes: self.format == Format::Getmail,
        }
    }

    fn end(&self) -> Result<(), Error> {
        if let Err(fault) = self.parser.end() {
            return Err(self.malformed(fault));
        }
        if self.found > 0 {
            return Ok(());
        }
        let path = self.path.clone();
        if self.others.is_empty() {
            return Err(Error::Empty { path });
        }
        Err(Error::OtherMailbox {
            path,
            mailbox: self.mailbox.clone(),
            found: self.others.iter().cloned().collect(),
        })
    }

    fn malformed(&self, fault: LineError) -> Error {
        Error::Malformed {
            path: self.path.clone(),
            line: self.lines.number(),
            format: self.format.name(),
            fault,
        }
    }
}

/// The unique-id as popsync reads it in UIDL's answer: blanks separate fields there, and the text
/// after the second field is ignored (`OPOP3:C0038`).
fn first_word(unique_id: &[u8]) -> Option<&[u8]> {
    let mut words = unique_id.split(|&octet| octet == b' ' || octet == b'\t');
    words.find(|word| !word.is_empty())
}

/// Records the name of a mailbox that is not the wanted one, if it is one of the first.
fn note(others: &mut BTreeSet<String>, wanted: bool, host: &[u8], user: &[u8]) {
    if !wanted && others.len() < NAMED {
        let (user, host) = (String::from_utf8_lossy(user), String::from_utf8_lossy(host));
        others.insert(format!("{user}@{host}"));
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests;
