//! One table of settings, as far as it can be read, and two of them on top of each other.
//!
//! A key that cannot be read is one mistake. It must not become a second one because it is missing
//! then, or because another key needs it.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::contradiction::Contradiction;
use super::faults::{Fault, Faults};
use super::foreign;
use super::given::Source;
use super::origin::{FileId, Origin, Setting};
use super::paths::Base;
use super::problem::Problem;
use super::row::{Kind, Row, Rows, entries};
use super::rows;
use super::settings::Settings;

/// `[defaults]` or the table of an account.
pub(super) struct Layer<'a> {
    /// The file that it stands in.
    file: FileId,
    /// The keys that could be read.
    entries: Vec<(&'static Row<Settings>, &'a Spanned<DeValue<'a>>)>,
    /// The user, named by a key or by the URL of the server.
    user: Option<Setting<String>>,
    /// The settings that it would set if they could be read.
    unread: Vec<&'static str>,
}

/// The settings of an account: its own, and those of `[defaults]` that it does not set.
pub(super) struct Merged {
    pub(super) settings: Settings,
    /// The settings that could not be read.
    pub(super) unread: Vec<&'static str>,
}

impl<'a> Layer<'a> {
    /// A layer that sets nothing.
    pub(super) const fn empty() -> Self {
        Self {
            file: FileId::MAIN,
            entries: Vec::new(),
            user: None,
            unread: Vec::new(),
        }
    }

    /// Reads a table; what is wrong with it is added to `faults`.
    pub(super) fn read(
        rows: &Rows<Settings>,
        table: &'a DeTable<'a>,
        file: FileId,
        base: &Base,
        faults: &mut Faults,
    ) -> Self {
        let mut settings = Settings::default();
        let mut layer = Self {
            file,
            ..Self::empty()
        };
        for (key, value) in entries(table) {
            let name = key.get_ref().as_ref();
            let read = match rows.find(name) {
                Some(row) => {
                    let read = row.read(&mut settings, Source::Toml(value, file), base);
                    read.map(|()| row)
                }
                None => Err(unknown(rows, key, file).into()),
            };
            match faults.keep(read) {
                Some(row) => layer.entries.push((row, value)),
                None => {
                    let meant = rows.meant(name).map(|row| row.key.setting());
                    layer.unread.extend(meant);
                }
            }
        }
        if faults.keep(settings.take_user_of_url()).is_none() {
            layer.unread.push("user");
        }
        layer.user = settings.user;
        layer
    }

    /// True if it names programs that popsync starts.
    pub(super) fn names_commands(&self) -> bool {
        let is_command = |kind: Kind| matches!(kind, Kind::Shell | Kind::Words);
        self.entries.iter().any(|(row, value)| match row.kind() {
            Kind::Table(of) => {
                let table = value.get_ref().as_table();
                let mut keys = rows::keys_of(of).into_iter();
                keys.any(|(key, kind)| {
                    is_command(kind) && table.is_some_and(|table| table.contains_key(key.name))
                })
            }
            kind => is_command(kind),
        })
    }

    /// This layer, and where it is silent the one below.
    pub(super) fn over(&self, below: &Self, base: &Base) -> Merged {
        let set: Vec<_> = self
            .entries
            .iter()
            .map(|(row, _)| row.key.setting())
            .collect();
        let shows = |setting: &str| !set.contains(&setting);
        let visible = below.entries.iter();
        let visible = visible.filter(|(row, _)| shows(row.key.setting()));
        let visible = visible.map(|entry| (below.file, entry));
        let own = self.entries.iter().map(|entry| (self.file, entry));
        let mut settings = Settings::default();
        for (file, (row, value)) in visible.chain(own) {
            // It was read without a mistake before.
            let _ = row.read(&mut settings, Source::Toml(value, file), base);
        }
        settings.user = self.user.clone().or_else(|| below.user.clone());
        let unread = below.unread.iter().filter(|setting| shows(setting));
        Merged {
            settings,
            unread: unread.chain(&self.unread).copied().collect(),
        }
    }
}

/// True if the problem may be gone once the settings that are unread now can be read.
pub(super) fn explains(unread: &[&str], problem: &Problem) -> bool {
    let causes: &[&str] = match problem {
        Problem::Missing { key } => match key.name {
            "server" => &["server"],
            "user" => &["server", "user"],
            _ => &["store"],
        },
        Problem::User(_) | Problem::UserBlanks => &["auth"],
        Problem::Contradiction(contradiction) => match contradiction {
            Contradiction::ApopWithOutlook { .. } => &["profile"],
            Contradiction::ExternalWithoutCertificate => &["tls"],
            Contradiction::OAuthUnused { .. } | Contradiction::TokenWithoutOAuth { .. } => {
                &["auth"]
            }
            Contradiction::ProxyPasswordWithoutUser => &["proxy"],
            Contradiction::ProxyUserWithoutPassword => &["proxy-password-file"],
            _ => &[],
        },
        _ => &[],
    };
    causes.iter().any(|cause| unread.contains(cause))
}

/// A key that is none of an account's, with the place where it belongs.
fn unknown(rows: &Rows<Settings>, key: &Spanned<DeString<'_>>, file: FileId) -> Fault {
    let name = key.get_ref().as_ref();
    if foreign::is_password(name) {
        return Fault::new(&Origin::File(file, key.span()), Problem::Password);
    }
    let foreign = foreign::home(name).map(str::to_owned);
    let home = foreign.or_else(|| {
        let table = rows::table_of(name)?;
        Some(format!(
            "it is a key of `{table}`: write `{table} = {{ {name} = … }}`"
        ))
    });
    rows.unknown(key, file, home)
}
