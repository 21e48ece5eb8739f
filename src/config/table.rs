//! TOML tables to layers of settings.

use std::num::NonZeroU64;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::account::{AuthMethod, LineEndings, PasswordSource};
use crate::profile::Profile;

use super::faults::Faults;
use super::keys::{ACCOUNT_KEYS, AUTH_METHODS, LINE_ENDINGS};
use super::oauth;
use super::paths::Base;
use super::problem::Problem;
use super::proxy;
use super::quantity;
use super::settings::{Fault, Origin, Setting, Settings, Store, Tls};
use super::suggest;
use super::tls::TlsKeys;
use crate::words;

/// The largest `max-messages`. POP3 servers number messages with 32 bits.
const MOST_MESSAGES: u64 = 4_294_967_295;

/// A key and its value as they stand in the file.
pub(super) type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The entries in the order of the file, so that the first mistake is the one reported.
pub(super) fn entries<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// A key that nobody knows.
pub(super) fn unknown(key: &Spanned<DeString<'_>>, known: &'static [&'static str]) -> Fault {
    let name = key.get_ref();
    Fault::new(
        &Origin::File(key.span()),
        Problem::UnknownKey {
            key: name.to_string(),
            nearest: suggest::nearest(name, known),
            known,
        },
    )
}

/// Reads one key of an account, or of the defaults of all.
pub(super) fn set(
    settings: &mut Settings,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    base: &Base,
) -> Result<(), Faults> {
    let value = |name| Value { key: name, value };
    match key.get_ref().as_ref() {
        "server" => settings.server = Some(value("server").server()?),
        "user" => settings.set_user(value("user").text()?.map(str::to_owned))?,
        "auth" => settings.auth = Some(value("auth").auth()?),
        "password-command" => {
            let line = value("password-command").command()?;
            settings.set_password(line.map(PasswordSource::Command))?;
        }
        "oauth-token-command" => {
            let line = value("oauth-token-command").command()?;
            settings.set_password(line.map(PasswordSource::TokenCommand))?;
        }
        "oauth" => {
            let value = value("oauth");
            let oauth = oauth::read(value.table()?, base, &value.origin())?;
            settings.set_password(value.setting(PasswordSource::OAuth(Box::new(oauth))))?;
        }
        "password-file" => {
            let path = value("password-file").path(base)?;
            settings.set_password(path.map(PasswordSource::File))?;
        }
        "password-netrc" => {
            let path = value("password-netrc").path(base)?;
            settings.set_password(path.map(PasswordSource::Netrc))?;
        }
        "maildir" => {
            settings.set_store(value("maildir").path(base)?.map(Store::Maildir))?;
        }
        "exec" => settings.set_store(value("exec").words()?.map(Store::Exec))?,
        "exec-timeout" => {
            settings.exec_timeout = Some(value("exec-timeout").exec_time()?);
        }
        "mbox" => settings.set_store(value("mbox").path(base)?.map(Store::Mbox))?,
        "profile" => settings.profile = Some(value("profile").profile()?),
        "leave-on-server" => {
            settings.leave_on_server = Some(value("leave-on-server").boolean()?);
        }
        "remove-after-days" => {
            let value = value("remove-after-days");
            settings.set_days(value.setting(value.integer()?))?;
        }
        "headers-only-above" => {
            settings.headers_only_above = Some(value("headers-only-above").size()?);
        }
        "header-stubs" => settings.header_stubs = Some(value("header-stubs").boolean()?),
        "remove-when-deleted-locally" => {
            settings.remove_when_deleted_locally =
                Some(value("remove-when-deleted-locally").boolean()?);
        }
        "max-deletions" => settings.max_deletions = Some(value("max-deletions").count()?),
        "max-size" => settings.max_size = Some(value("max-size").size()?),
        "max-messages" => settings.max_messages = Some(value("max-messages").count()?),
        "max-octets" => settings.max_octets = Some(value("max-octets").size()?),
        "proxy" => settings.route.proxy = Some(proxy::proxy(value("proxy").text()?)?),
        "proxy-password-file" => {
            let path = value("proxy-password-file").path(base)?;
            settings.route.proxy_password_file = Some(path);
        }
        "socket" => settings.route.socket = Some(value("socket").path(base)?),
        "source-address" => {
            let text = value("source-address").text()?;
            settings.route.source_address = Some(proxy::source_address(text)?);
        }
        "sessions-per-run" => {
            settings.sessions = Some(value("sessions-per-run").count()?);
        }
        "tls" => settings.tls = Some(value("tls").tls(base)?),
        "timeout" => settings.timeout = Some(value("timeout").time()?),
        "line-endings" => settings.line_endings = Some(value("line-endings").line_endings()?),
        "complain-after" => {
            settings.alerts.complain_after = Some(value("complain-after").long_time()?);
        }
        "on-new-mail" => settings.alerts.on_new_mail = Some(value("on-new-mail").words()?),
        "on-failure" => settings.alerts.on_failure = Some(value("on-failure").words()?),
        "password" | "passwd" | "pass" => {
            return Err(Fault::new(&Origin::File(key.span()), Problem::Password).into());
        }
        _ => return Err(unknown(key, &ACCOUNT_KEYS).into()),
    }
    Ok(())
}

/// The value of one key.
pub(super) struct Value<'a, 'i> {
    pub(super) key: &'static str,
    pub(super) value: &'a Spanned<DeValue<'i>>,
}

impl<'a, 'i> Value<'a, 'i> {
    pub(super) fn table(&self) -> Result<&'a DeTable<'i>, Fault> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.wrong_type("a table")),
        }
    }

    pub(super) fn text(&self) -> Result<Setting<&'a str>, Fault> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(self.setting(text.as_ref())),
            _ => Err(self.wrong_type("a text in quotes")),
        }
    }

    fn boolean(&self) -> Result<Setting<bool>, Fault> {
        match self.value.get_ref() {
            DeValue::Boolean(value) => Ok(self.setting(*value)),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    /// A whole number from 0 on; `None` for any other number.
    fn integer(&self) -> Result<Option<u64>, Fault> {
        match self.value.get_ref() {
            DeValue::Integer(number) => {
                Ok(u64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            _ => Err(self.wrong_type("a whole number")),
        }
    }

    /// What may be a number or a text, as a text.
    fn quantity(&self) -> Result<String, Fault> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(_) => Ok(self
                .integer()?
                .map_or_else(String::new, |number| number.to_string())),
            _ => Err(self.wrong_type("a number or a text in quotes")),
        }
    }

    fn server(&self) -> Result<Setting<super::url::ServerUrl>, Fault> {
        let url = self.text()?.value.parse();
        Ok(self.setting(url.map_err(|error| self.fault(Problem::Server(error)))?))
    }

    pub(super) fn command(&self) -> Result<Setting<String>, Fault> {
        let command = self.text()?;
        if command.value.trim().is_empty() {
            return Err(self.fault(Problem::EmptyCommand { key: self.key }));
        }
        if command.value.contains('\0') {
            return Err(self.wrong_type("a command for `sh -c`"));
        }
        Ok(command.map(str::to_owned))
    }

    pub(super) fn path(&self, base: &Base) -> Result<Setting<PathBuf>, Fault> {
        let path = base.expand(Path::new(self.text()?.value));
        let key = self.key;
        Ok(self.setting(path.map_err(|error| self.fault(Problem::Path { key, error }))?))
    }

    /// A command in one text, or its words in a list.
    fn words(&self) -> Result<Setting<Vec<String>>, Fault> {
        let words = match self.value.get_ref() {
            DeValue::String(line) => words::split(line),
            DeValue::Array(list) => {
                let word = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
                    DeValue::String(word) => Some(word.to_string()),
                    _ => None,
                };
                let list: Option<Vec<String>> = list.iter().map(word).collect();
                words::check(list.ok_or_else(|| self.wrong_type("a list of texts"))?)
            }
            _ => return Err(self.wrong_type("a text in quotes or a list of texts")),
        };
        let key = self.key;
        Ok(self.setting(words.map_err(|error| self.fault(Problem::Command { key, error }))?))
    }

    fn exec_time(&self) -> Result<Setting<std::time::Duration>, Fault> {
        let time = quantity::time(&self.quantity()?);
        Ok(self.setting(time.map_err(|error| self.fault(Problem::ExecTime(error)))?))
    }

    pub(super) fn choice(&self, known: &[&'static str]) -> Result<&'a str, Fault> {
        let value = self.text()?.value;
        if known.contains(&value) {
            return Ok(value);
        }
        Err(self.fault(Problem::Choice {
            key: self.key,
            value: value.to_owned(),
            nearest: suggest::nearest(value, known),
            known: known.to_vec(),
        }))
    }

    fn auth(&self) -> Result<Setting<AuthMethod>, Fault> {
        let name = self.choice(&AUTH_METHODS)?;
        Ok(self.setting(AuthMethod::from_name(name).unwrap_or_default()))
    }

    fn profile(&self) -> Result<Setting<Profile>, Fault> {
        let name = self.choice(&Profile::ALL.map(Profile::name))?;
        Ok(self.setting(name.parse().unwrap_or_default()))
    }

    fn line_endings(&self) -> Result<Setting<LineEndings>, Fault> {
        let value = match self.choice(&LINE_ENDINGS)? {
            "crlf" => LineEndings::Crlf,
            _ => LineEndings::Lf,
        };
        Ok(self.setting(value))
    }

    fn count(&self) -> Result<Setting<NonZeroU64>, Fault> {
        match self.integer()?.and_then(NonZeroU64::new) {
            Some(count) if count.get() <= MOST_MESSAGES => Ok(self.setting(count)),
            _ => Err(self.not_a_number(MOST_MESSAGES)),
        }
    }

    fn size(&self) -> Result<Setting<NonZeroU64>, Fault> {
        let size = quantity::size(&self.quantity()?);
        let key = self.key;
        Ok(self.setting(size.map_err(|error| self.fault(Problem::Size { key, error }))?))
    }

    fn time(&self) -> Result<Setting<std::time::Duration>, Fault> {
        let time = quantity::time(&self.quantity()?);
        Ok(self.setting(time.map_err(|error| self.fault(Problem::Time(error)))?))
    }

    fn long_time(&self) -> Result<Setting<std::time::Duration>, Fault> {
        let span = quantity::span(&self.quantity()?);
        let key = self.key;
        Ok(self.setting(span.map_err(|error| self.fault(Problem::Span { key, error }))?))
    }

    fn tls(&self, base: &Base) -> Result<Setting<Tls>, Faults> {
        let table = match self.value.get_ref() {
            DeValue::String(_) => {
                self.choice(&["off"])?;
                return Ok(self.setting(Tls::Off));
            }
            DeValue::Table(table) => table,
            _ => return Err(self.wrong_type("`\"off\"` or a table").into()),
        };
        let settings = TlsKeys::read(table, base)?;
        Ok(self.setting(Tls::On(settings)))
    }

    pub(super) fn setting<T>(&self, value: T) -> Setting<T> {
        Setting {
            value,
            origin: self.origin(),
        }
    }

    fn origin(&self) -> Origin {
        Origin::File(self.span())
    }

    fn span(&self) -> Range<usize> {
        self.value.span()
    }

    fn fault(&self, problem: Problem) -> Fault {
        Fault::new(&self.origin(), problem)
    }

    fn not_a_number(&self, most: u64) -> Fault {
        let key = self.key;
        self.fault(Problem::Number { key, most })
    }

    pub(super) fn wrong_type(&self, expected: &'static str) -> Fault {
        self.fault(Problem::WrongType {
            key: self.key,
            expected,
            found: match self.value.get_ref() {
                DeValue::String(_) => "a text",
                DeValue::Integer(_) => "a whole number",
                DeValue::Float(_) => "a number with a fraction",
                DeValue::Boolean(true) => "`true`",
                DeValue::Boolean(false) => "`false`",
                DeValue::Datetime(_) => "a date",
                DeValue::Array(_) => "a list",
                DeValue::Table(_) => "a table",
            },
        })
    }
}
