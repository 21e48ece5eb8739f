//! All that is known of one key of the configuration, but for how its value is read: that is in
//! its [`Row`](super::row::Row).

/// A key of the configuration file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The name.
    pub(crate) name: &'static str,
    /// The table that it stands in.
    pub(crate) table: Table,
    /// A word for its value, such as `SIZE`.
    pub(crate) value: &'static str,
    /// A value as TOML, for hints and for the example of a file.
    pub(crate) example: &'static str,
    /// The content of an inline table that has this key, as `@`, and the keys that it needs.
    pub(crate) inline: &'static str,
    /// The part of the example that it stands in.
    pub(crate) section: Section,
    /// Advice for a missing or wrong value, where the example alone does not say enough.
    pub(crate) hint: Option<&'static str>,
    /// The effect of leaving the key out, as in "leave it out for no limit".
    pub(crate) without: &'static str,
    /// The default: a value of TOML between backticks, or words, or nothing.
    pub(crate) default: &'static str,
    /// Its description. `text` is code and *text* stands for something; a blank line ends a
    /// paragraph.
    pub(crate) text: &'static str,
    /// True if the value may hold a secret, so that it is not shown.
    pub(crate) secret: bool,
    /// The setting that it is one form of, where several keys set the same.
    pub(crate) slot: Option<&'static str>,
    /// Its flag on the command line; none for keys that have no flag.
    pub(crate) flag: Option<Flag>,
}

/// A table of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// `[accounts.NAME]`, and `[defaults]`.
    Account,
    /// `oauth = { … }`.
    OAuth,
    /// `tls = { … }`.
    Tls,
    /// The file itself.
    Top,
}

impl Table {
    /// The key that an inline table is the value of.
    pub(crate) const fn key(self) -> Option<&'static str> {
        match self {
            Self::OAuth => Some("oauth"),
            Self::Tls => Some("tls"),
            Self::Account | Self::Top => None,
        }
    }
}

/// A part of the example of a configuration file, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// `[defaults]`.
    Defaults,
    /// The server and the user.
    Server,
    /// The source of the password.
    Password,
    /// The way to log in.
    Login,
    /// The store.
    Store,
    /// The rules by which mail leaves the server.
    Deletion,
    /// The limits of one run.
    Limits,
    /// The reports to a person.
    Alerts,
    /// The way to the server.
    Route,
    /// The certificates to trust.
    Tls,
    /// Access tokens.
    OAuth,
}

/// The flag of a key. It has the key's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    /// The commands that take it.
    pub(crate) scope: Scope,
    /// One line of help.
    pub(crate) help: &'static str,
    /// More help, for `--help`.
    pub(crate) more: &'static str,
    /// Flags that cannot stand beside it.
    pub(crate) conflicts: &'static [&'static str],
    /// The value that the flag has when it stands alone.
    pub(crate) bare: Option<&'static str>,
}

/// The commands that take a flag.
///
/// In the order of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// `fetch`, which needs exactly one of these.
    Store,
    /// All that take the URL of a server.
    Server,
    /// `fetch` alone.
    Account,
}

impl Flag {
    /// A flag of `fetch`, to be completed.
    pub(crate) const ACCOUNT: Self = Self {
        scope: Scope::Account,
        help: "",
        more: "",
        conflicts: &[],
        bare: None,
    };

    /// A flag of all commands that take a URL, to be completed.
    pub(crate) const SERVER: Self = Self {
        scope: Scope::Server,
        ..Self::ACCOUNT
    };

    /// A flag that names the store, to be completed.
    pub(crate) const STORE: Self = Self {
        scope: Scope::Store,
        ..Self::ACCOUNT
    };

    /// The text of `--help`, where it is longer than that of `-h`.
    #[cfg(feature = "cli")]
    pub(crate) fn long_help(&self) -> Option<String> {
        let words: Vec<_> = self.more.split_whitespace().collect();
        (!words.is_empty()).then(|| format!("{}\n\n{}", self.help, words.join(" ")))
    }
}

impl Key {
    /// A key of an account, to be completed.
    pub(crate) const ACCOUNT: Self = Self {
        name: "",
        table: Table::Account,
        value: "",
        example: "",
        inline: "@",
        section: Section::Defaults,
        hint: None,
        without: "for the default",
        default: "",
        text: "",
        secret: false,
        slot: None,
        flag: None,
    };

    /// A key of `oauth`, to be completed.
    pub(crate) const OAUTH: Self = Self {
        table: Table::OAuth,
        section: Section::OAuth,
        ..Self::ACCOUNT
    };

    /// A key of `tls`, to be completed.
    pub(crate) const TLS: Self = Self {
        table: Table::Tls,
        section: Section::Tls,
        ..Self::ACCOUNT
    };

    /// A key at the top of the file, to be completed.
    pub(crate) const TOP: Self = Self {
        table: Table::Top,
        ..Self::ACCOUNT
    };

    /// The key with its example, as it stands in an account: `tls = { roots = "system" }`.
    pub(crate) fn assignment(&self) -> String {
        let own = format!("{} = {}", self.name, self.example);
        match self.table.key() {
            Some(table) => format!("{table} = {{ {} }}", self.inline.replace('@', &own)),
            None => own,
        }
    }

    /// The example without the quotation marks of TOML, as it stands on a command line.
    pub(crate) fn bare_example(&self) -> &'static str {
        self.example.trim_matches('"')
    }

    /// Advice for a missing or wrong value in the file.
    pub(crate) fn hint(&self) -> String {
        match self.hint {
            Some(hint) => hint.to_owned(),
            None if self.example == "true" => {
                format!("write `{} = true` or `false`, without quotes", self.name)
            }
            None => format!("write for example `{}`", self.assignment()),
        }
    }

    /// Advice for a number that is none or too large.
    pub(crate) fn number_hint(&self) -> String {
        format!(
            "leave it out {}, or write for example `{}`",
            self.without,
            self.assignment()
        )
    }

    /// The default as TOML, where it is a value.
    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn default_value(&self) -> Option<&'static str> {
        self.default.strip_prefix('`')?.strip_suffix('`')
    }

    /// The setting that it sets: its own, or the one that it is a form of.
    pub(crate) fn setting(&self) -> &'static str {
        self.slot.unwrap_or(self.name)
    }
}
