//! All files together: their accounts, and all that is wrong with them.
//!
//! A mistake in an account is that account's. A mistake elsewhere in one of the files beside the
//! configuration file, or in the head of a list, hides which accounts that file has: it is refused as
//! a whole, and the others are read. A mistake elsewhere in the configuration file may be about
//! every account.

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet};
use std::iter;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::account::Account;

use super::contradiction::Contradiction;
use super::error::Cause;
use super::faults::{Fault, Faults};
use super::file::ConfigFile;
use super::files::Files;
use super::layer::{self, Layer, Merged};
use super::list::List;
use super::origin::{FileId, Origin};
use super::paths::Base;
use super::problem::Problem;
use super::resolve::StateKey;
use super::row::{self, Rows};
use super::settings::Settings;
use super::shown::{self, Own, Shown};
use super::syntax;
use super::template::Template;
use super::top::{self, Top};

/// The place of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) path: PathBuf,
    /// The line of its row, if the file is a list.
    pub(crate) line: Option<u64>,
}

/// An account, as it was found.
pub(super) struct Found {
    pub(super) account: Account,
    pub(super) place: Place,
    /// Its settings as the files have them, if they were asked for.
    pub(super) shown: Option<Shown>,
}

/// The content of the files.
#[derive(Default)]
pub(super) struct Document {
    /// The accounts, in the order of the files, as far as they are sound.
    pub(super) accounts: Vec<Found>,
    /// The names of the others, with their mistakes.
    pub(super) unsound: Vec<(String, Faults)>,
    /// The mistakes in the configuration file that are not those of one account.
    pub(super) faults: Faults,
    /// The reasons not to use the configuration file.
    pub(super) objections: Vec<Cause>,
    /// The reasons why the accounts of other files are not known.
    pub(super) refused: Vec<Cause>,
    /// There are no accounts, not even wrong ones.
    pub(super) is_empty: bool,
}

impl Document {
    /// True if there are mistakes that may be about every account.
    pub(super) fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// All mistakes, in the order in which they are told.
    pub(super) fn faults_of_all(&self) -> Faults {
        let unsound = self.unsound.iter().map(|(_, faults)| faults);
        iter::once(&self.faults).chain(unsound).cloned().collect()
    }

    /// Reads the texts of the files. `wants_shown` asks for the settings as the files have them.
    pub(super) fn read(
        files: &Files,
        base: &Base,
        rows: &Rows<Settings>,
        wants_shown: bool,
    ) -> Self {
        let main = files.main();
        let (parsed, errors) = DeTable::parse_recoverable(&main.text);
        if !main.is_utf8 || !errors.is_empty() {
            let parsed = parsed.get_ref();
            let faults = syntax::mistakes((FileId::MAIN, main), parsed, &errors, base, rows);
            return Self::without_main(faults, files, base, rows);
        }
        let mut faults = Faults::default();
        let top = Top::of_main(parsed.get_ref(), base, &mut faults);
        let defaults = top.defaults.map_or_else(Layer::empty, |table| {
            Layer::read(rows, table, FileId::MAIN, base, &mut faults)
        });
        let mut reader = Reader {
            files,
            base,
            rows,
            defaults: &defaults,
            default_table: top.defaults,
            wants_shown,
            copies: Copies::default(),
            names: HashMap::new(),
            twice: HashSet::new(),
        };
        let own = reader.tables(FileId::MAIN, top.accounts.as_deref().unwrap_or_default());
        let mut names_commands = own.runs_commands();
        let mut document = Self::default();
        document.add(own);
        for (id, file) in files.others() {
            let (batch, faults) = reader.other(id, file);
            names_commands |= batch.runs_commands() && defaults.names_commands();
            document.add_unless_refused(file, batch, faults, files);
        }
        let mut has_unread_list = false;
        if let Some((template, list)) = top.fleet {
            let read = document.add_fleet(template, &list.value, &mut reader, &mut faults);
            has_unread_list = read.is_none();
            names_commands |= read.unwrap_or_default();
        }
        document.objections = main.objections(names_commands);
        document.faults = faults;
        document.is_empty = top.accounts.is_some_and(|accounts| accounts.is_empty())
            && document.accounts.is_empty()
            && document.unsound.is_empty()
            && document.refused.is_empty()
            && files.refused.is_empty()
            && !has_unread_list;
        document.divide(&reader.twice);
        document
    }

    /// The mistakes where the configuration file is not TOML. What accounts lack cannot be known.
    fn without_main(faults: Faults, files: &Files, base: &Base, rows: &Rows<Settings>) -> Self {
        let others = files.others().flat_map(|(id, file)| {
            let (parsed, errors) = DeTable::parse_recoverable(&file.text);
            let faults = syntax::mistakes((id, file), parsed.get_ref(), &errors, base, rows);
            files.mistakes(faults)
        });
        Self {
            objections: files.main().objections(false),
            refused: others.collect(),
            faults,
            ..Self::default()
        }
    }

    fn add(&mut self, batch: Batch) {
        self.accounts.extend(batch.accounts);
        self.unsound.extend(batch.unsound);
    }

    /// Adds the accounts of a file, unless it has mistakes beside them or must not be used.
    fn add_unless_refused(
        &mut self,
        file: &ConfigFile,
        batch: Batch,
        faults: Faults,
        files: &Files,
    ) {
        let objections = file.objections(batch.runs_commands());
        if objections.is_empty() && faults.is_empty() {
            return self.add(batch);
        }
        self.refused.extend(objections);
        let of_accounts = batch.unsound.into_iter().map(|(_, faults)| faults);
        let all = iter::once(faults).chain(of_accounts).collect();
        self.refused.extend(files.mistakes(all));
    }

    /// Adds the accounts of a list. Returns whether they run commands. None if something in the
    /// template is wrong, also that the list has no column for a placeholder: then nothing is known
    /// of them.
    fn add_fleet(
        &mut self,
        template: row::Entry<'_>,
        path: &Path,
        reader: &mut Reader<'_>,
        faults: &mut Faults,
    ) -> Option<bool> {
        let template = Template::read(template, reader.rows, reader.base, faults)?;
        let file = match ConfigFile::read(path) {
            Ok(file) => file,
            Err(error) => {
                self.refused.push(error);
                return Some(false);
            }
        };
        let (batch, of_list) = match List::read(&file) {
            Ok(list) => {
                let template = faults.keep(template.for_columns(list.columns()))?;
                (reader.list(&list, &template), Faults::default())
            }
            Err(found) => (Batch::default(), found),
        };
        let runs_commands = batch.runs_commands();
        self.add_unless_refused(&file, batch, of_list, reader.files);
        Some(runs_commands)
    }

    /// Takes the accounts whose names stand twice out of the sound ones: nobody knows which is
    /// meant. Each name is among the others once.
    fn divide(&mut self, twice: &HashSet<String>) {
        self.accounts
            .retain(|found| !twice.contains(&found.account.name));
        if twice.is_empty() {
            return;
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut merged: Vec<(String, Faults)> = Vec::new();
        for (name, faults) in self.unsound.drain(..) {
            match places.entry(name.clone()) {
                Slot::Occupied(at) => {
                    merged[*at.get()].1.keep::<()>(Err(faults));
                }
                Slot::Vacant(place) => {
                    place.insert(merged.len());
                    merged.push((name, faults));
                }
            }
        }
        self.unsound = merged;
    }
}

/// The accounts of one file.
#[derive(Default)]
struct Batch {
    accounts: Vec<Found>,
    unsound: Vec<(String, Faults)>,
}

impl Batch {
    fn runs_commands(&self) -> bool {
        let mut accounts = self.accounts.iter();
        accounts.any(|found| found.account.runs_commands())
    }
}

/// Reads accounts, of one file after the other, and remembers those that it has seen.
struct Reader<'r> {
    files: &'r Files,
    base: &'r Base,
    rows: &'r Rows<Settings>,
    defaults: &'r Layer<'r>,
    default_table: Option<&'r DeTable<'r>>,
    wants_shown: bool,
    copies: Copies,
    /// The places of the names so far.
    names: HashMap<String, Origin>,
    /// The names that stand at two places.
    twice: HashSet<String>,
}

impl Reader<'_> {
    /// A file beside the configuration file, with the mistakes that are not those of one account.
    fn other(&mut self, id: FileId, file: &ConfigFile) -> (Batch, Faults) {
        let (parsed, errors) = DeTable::parse_recoverable(&file.text);
        if !file.is_utf8 || !errors.is_empty() {
            let parsed = parsed.get_ref();
            let faults = syntax::mistakes((id, file), parsed, &errors, self.base, self.rows);
            return (Batch::default(), faults);
        }
        let mut faults = Faults::default();
        let accounts = top::accounts_of_other(parsed.get_ref(), id, self.base, &mut faults);
        (self.tables(id, &accounts), faults)
    }

    /// The accounts of these tables.
    fn tables(&mut self, file: FileId, entries: &[row::Entry<'_>]) -> Batch {
        let mut batch = Batch::default();
        for entry @ (name, value) in entries {
            let whole = Origin::File(file, name.span());
            let name = name.get_ref();
            let place = Place {
                path: self.files.get(file).path.clone(),
                line: None,
            };
            match self.account(*entry, file, &whole) {
                Ok(Some(account)) => batch.accounts.push(Found {
                    shown: self.shown(name, value, Own::Account),
                    account,
                    place,
                }),
                Ok(None) => {}
                Err(faults) => batch.unsound.push((name.to_string(), faults)),
            }
        }
        batch
    }

    /// The accounts of the rows of a list.
    fn list(&mut self, list: &List, template: &Template<'_>) -> Batch {
        let mut batch = Batch::default();
        for row in list.rows() {
            let whole = row.origin();
            let Some(name) = row.name() else {
                let faults = Fault::new(&whole, Problem::NoName).into();
                batch.unsound.push((row.label(), faults));
                continue;
            };
            let read = match template.filled(&row) {
                Ok(table) => {
                    let (key, value) = template.entry(name, table);
                    let read = self.account((&key, &value), FileId::MAIN, &whole);
                    read.map(|account| (account, self.shown(name, &value, Own::Template)))
                        .map_err(|faults| template.at_row(faults, &whole))
                }
                Err(mut faults) => {
                    faults.keep(self.enter(name, &whole));
                    Err(faults)
                }
            };
            match read {
                Ok((Some(account), shown)) => batch.accounts.push(Found {
                    account,
                    place: Place {
                        path: list.path().to_owned(),
                        line: Some(row.line()),
                    },
                    shown,
                }),
                Ok((None, _)) => {}
                Err(faults) => batch.unsound.push((name.to_owned(), faults.of(name))),
            }
        }
        batch
    }

    fn shown(&self, name: &str, own: &Spanned<DeValue<'_>>, origin: Own) -> Option<Shown> {
        let own = own.get_ref().as_table().filter(|_| self.wants_shown)?;
        let own = (own, origin);
        Some(shown::of_tables(name, own, self.default_table, self.rows))
    }

    /// An account; none where what can be read of it is sound, and not all can.
    fn account(
        &mut self,
        (name, value): row::Entry<'_>,
        file: FileId,
        whole: &Origin,
    ) -> Result<Option<Account>, Faults> {
        let name = name.get_ref().as_ref();
        let mut faults = Faults::default();
        if name.is_empty() || name.contains(char::is_control) {
            faults.keep::<()>(Err(Fault::new(whole, Problem::AccountName)));
        }
        let is_first = faults.keep(self.enter(name, whole)).is_some();
        let table = top::table(&top::ACCOUNT, value, file, self.base);
        let Some(table) = faults.keep(table) else {
            return Err(faults);
        };
        let own = Layer::read(self.rows, table, file, self.base, &mut faults);
        let Merged { settings, unread } = own.over(self.defaults, self.base);
        let account = settings.resolve(StateKey::Name(name), whole);
        let account = account.map_err(|found| {
            let superfluous = |fault: &Fault| layer::explains(&unread, &fault.problem);
            found.without(superfluous).of(name)
        });
        let account = faults.keep(account).filter(|_| unread.is_empty());
        if let Some(account) = account.as_ref().filter(|_| is_first)
            && let Some(other) = self.copies.enter(account)
        {
            let problem = Contradiction::SameMailbox { other };
            faults.keep::<()>(Err(Fault::new(whole, problem).of(name)));
        }
        faults.into_result()?;
        Ok(account)
    }

    /// Enters the name of an account, which may stand at one place only.
    fn enter(&mut self, name: &str, whole: &Origin) -> Result<(), Fault> {
        match self.names.entry(name.to_owned()) {
            Slot::Vacant(place) => {
                place.insert(whole.clone());
                Ok(())
            }
            Slot::Occupied(other) => {
                self.twice.insert(name.to_owned());
                let (other, line) = match other.get() {
                    Origin::Row(list, line) => (list.to_path_buf(), *line),
                    Origin::File(file, span) => {
                        let file = self.files.get(*file);
                        (file.path.clone(), file.line(span.start) as u64)
                    }
                    Origin::Flag(_) | Origin::Url => return Ok(()),
                };
                Err(Fault::new(whole, Problem::Twice { other, line }).of(name))
            }
        }
    }
}

/// The names of accounts, by store and mailbox: each mailbox is stored once at one place.
#[derive(Default)]
struct Copies(HashMap<[String; 3], String>);

impl Copies {
    /// Enters an account. Returns the one that stores the same mailbox at the same place.
    fn enter(&mut self, account: &Account) -> Option<String> {
        let mailbox = [
            account.store.to_string(),
            account.identity.host.clone(),
            account.user.clone(),
        ];
        match self.0.entry(mailbox) {
            Slot::Occupied(other) => Some(other.get().clone()),
            Slot::Vacant(place) => {
                place.insert(account.name.clone());
                None
            }
        }
    }
}
