//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::account::AuthMethod;
use crate::config::{self, quantity};
use crate::import::{Format, Mailbox};
use crate::profile::Profile;
use crate::sync::Allow;

use super::help;
use super::route::RouteFlags;
use super::tls::TlsFlags;

/// Keeps a local Maildir or mbox an exact, durable copy of a POP3 mailbox
///
/// Messages are retrieved once, stored durably, and only then deleted on the server, if at
/// all. A second run fetches what is new. popsync speaks to the server as Outlook does.
#[derive(Debug, Parser)]
#[command(
    name = "popsync",
    version,
    max_term_width = 79,
    after_help = "`popsync COMMAND --help` tells more; `popsync man | man -l -` all of it.",
    after_long_help = help::after(),
)]
pub struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file
    ///
    /// Default: config.toml in the folder popsync of the user's configuration folder, which on
    /// Linux is ~/.config or $XDG_CONFIG_HOME.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "POPSYNC_CONFIG",
        hide_env_values = true,
        value_hint = ValueHint::FilePath
    )]
    pub(super) config: Option<PathBuf>,

    /// Folder for what popsync remembers
    ///
    /// Default: popsync in the user's state folder, which on Linux is ~/.local/state or
    /// $XDG_STATE_HOME. Whoever loses it retrieves everything again.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "POPSYNC_STATE_DIR",
        hide_env_values = true,
        value_hint = ValueHint::DirPath
    )]
    pub(super) state_dir: Option<PathBuf>,

    /// Log each step; twice: the wire too, without secrets
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,

    /// Print nothing but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,

    /// Print one JSON object per line on standard output
    ///
    /// The objects are described in popsync(1). No progress and no summaries for people are
    /// printed; errors go to standard error as well.
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// When to use colour
    ///
    /// With auto, on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(super) color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Account(AccountArguments),
    Fetch(Box<Fetch>),
    Sync(Sync),
    Status(Status),
    List(List),
    Mark(Mark),
    Unmark(Unmark),
    Import(Import),
    Verify(Verify),
    Probe(Box<Probe>),
    Login(Login),
    Logout(Logout),
    Completions(Completions),
    Man(Man),
}

/// Fetch one mailbox, without a configuration file
///
/// What was fetched is remembered under the store's path, so that a second run into the same
/// store fetches only what is new. The configuration file is not read.
#[derive(Debug, Args)]
#[command(
    after_long_help = help::fetch(),
    // clap's own does not fit a terminal.
    override_usage = "popsync fetch [OPTIONS] <URL> <--maildir DIR|--mbox FILE|--exec CMD>"
)]
pub(super) struct Fetch {
    // Not as doc comment: rustdoc would read the brackets as links.
    #[arg(
        value_name = "URL",
        value_hint = ValueHint::Url,
        help = "Server: pop3s://[USER@]HOST[:PORT], or pop3:// for STLS",
        long_help = "Server: pop3s://[USER@]HOST[:PORT], or pop3:// for STLS\n\n\
                     pop3s:// is TLS from the first octet, on port 995. pop3:// is STLS, on \
                     port 110, and nothing is sent without it. IPv6 addresses stand in \
                     brackets. A user name may hold an @ of its own: the last one counts."
    )]
    pub(super) url: String,

    #[command(flatten)]
    pub(super) store: StoreFlags,

    #[command(flatten)]
    pub(super) run: RunFlags,

    #[command(flatten)]
    pub(super) account: AccountFlags,
}

/// How one run is meant.
#[derive(Debug, Args)]
pub(super) struct RunFlags {
    /// Say what would be retrieved and deleted, and do neither
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Delete on the server even what a brake holds back
    ///
    /// popsync deletes nothing when the store was emptied, the clock jumped, its state was rebuilt,
    /// or far more would go than ever before. Use it once, after a look at --dry-run.
    #[arg(long)]
    pub(super) allow_mass_delete: bool,

    /// Take the store as it is for the one that messages were stored in
    ///
    /// popsync stops when the store is gone or is another one, since its volume may not be mounted.
    /// With this it goes on; messages that the store lacks stay on the server.
    #[arg(long)]
    pub(super) accept_store: bool,
}

impl RunFlags {
    /// What is allowed beyond the usual.
    pub(super) fn allow(&self) -> Allow {
        Allow {
            mass_delete: self.allow_mass_delete,
            store_as_is: self.accept_store,
        }
    }
}

/// Where messages go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct StoreFlags {
    /// Maildir to store messages in; made where missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) maildir: Option<PathBuf>,

    /// mbox to append messages to; made where missing
    ///
    /// The file is locked as other mail programs do it, and its lines are quoted as mboxrd has
    /// it. Its folder has to be there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) mbox: Option<PathBuf>,

    /// Delivery agent to hand each message to, on its standard input
    ///
    /// A program and its arguments, such as 'maildrop -d anna'; no shell is used. Status 0 says
    /// that it has taken the message, 75 that it is to be tried again later. Each message is
    /// handed over at least once.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(super) exec: Option<String>,
}

/// The keys of an account as flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(super) struct AccountFlags {
    #[command(flatten)]
    pub(super) server: ServerFlags,

    /// Longest time for the delivery agent with one message [default: 5m]
    ///
    /// In seconds, or with a unit: s, m or h. It is ended then, and tried again in the next run.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub(super) exec_timeout: Option<Duration>,

    /// Whether stored messages stay on the server: true or false
    ///
    /// Default: what the profile does; true for outlook-2019 and later.
    #[arg(long, value_name = "BOOL", hide_possible_values = true)]
    pub(super) leave_on_server: Option<bool>,

    /// Delete from the server this many days after storing
    ///
    /// Default: never. Implies --leave-on-server true.
    #[arg(long, value_name = "DAYS")]
    pub(super) remove_after_days: Option<u64>,

    /// Retrieve only the headers of larger messages
    ///
    /// All of one comes after `popsync mark`. Units as for --max-size.
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(super) headers_only_above: Option<NonZeroU64>,

    /// Whether such a message has a stub in the Maildir: true or false
    ///
    /// The stub is its header, with a body that says how to get the rest; the message replaces
    /// it. Default: false.
    #[arg(long, value_name = "BOOL", hide_possible_values = true)]
    pub(super) header_stubs: Option<bool>,
    /// Delete from the server what was deleted from the Maildir: true or false
    ///
    /// A message counts as deleted when no folder of the Maildir holds it any more; read,
    /// flagged, moved or filed, it stays. Default: false. Implies --leave-on-server true.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(super) remove_when_deleted_locally: Option<bool>,

    /// Delete at most this many messages of earlier runs, else none [default: 500]
    ///
    /// A run that would delete more, or more than half of the mailbox, deletes nothing and says
    /// so. Messages that this run stores do not count. See --allow-mass-delete.
    #[arg(long, value_name = "N")]
    pub(super) max_deletions: Option<NonZeroU64>,

    /// Skip larger messages; they stay on the server
    ///
    /// In octets, or with a unit: B, KB, MB, GB (1000), KiB, MiB, GiB (1024).
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(super) max_size: Option<NonZeroU64>,

    /// Retrieve at most this many messages in this run
    #[arg(long, value_name = "N")]
    pub(super) max_messages: Option<NonZeroU64>,

    /// Retrieve at most this many octets in this run
    ///
    /// Units as for --max-size. One message is retrieved in any case.
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(super) max_octets: Option<NonZeroU64>,

    /// Log in again as long as new messages come, at most this often
    ///
    /// For servers that show a part of the mailbox at a time, as Gmail. Default: 1.
    #[arg(long, value_name = "N")]
    pub(super) sessions_per_run: Option<NonZeroU64>,

    /// Line ends of stored messages: lf or crlf [default: lf]
    ///
    /// crlf stores exactly the octets that the server sent.
    #[arg(
        long,
        value_name = "STYLE",
        value_parser = PossibleValuesParser::new(config::LINE_ENDINGS),
        hide_possible_values = true
    )]
    pub(super) line_endings: Option<String>,
}

/// Those of them that are about getting to the mailbox.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(super) struct ServerFlags {
    /// User name, where the URL has none
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,

    /// How to log in [default: user]
    ///
    /// user is USER and PASS. plain and login are mechanisms of AUTH that send the password as
    /// it is, too. scram-sha-256 and scram-sha-1 show it to nobody, and the server has to prove
    /// that it knows it; with -plus behind the name they are tied to the TLS connection. cram-md5
    /// and ntlm are for servers that have nothing better, gssapi for Kerberos, external for a
    /// client certificate. xoauth2 and oauthbearer take an access token in place of the password.
    /// apop sends a digest of the password, for old servers; it needs --profile rfc1939, since
    /// Outlook does not have it. auto takes the best that the server offers.
    #[arg(long, value_name = "METHOD", value_parser = auth(), hide_possible_values = true)]
    pub(super) auth: Option<AuthMethod>,

    /// Command whose first line of output is the password
    ///
    /// Run by `sh -c`, for at most 60 seconds. Without this and --password-file the password
    /// is in the keyring or a systemd credential, is $POPSYNC_PASSWORD, or is asked for on the
    /// terminal.
    #[arg(
        long,
        value_name = "CMD",
        conflicts_with = "password_file",
        value_hint = ValueHint::CommandString
    )]
    pub(super) password_command: Option<String>,

    /// Command whose first line of output is an access token
    ///
    /// For --auth xoauth2, oauthbearer and auto. Run as for --password-command.
    #[arg(
        long,
        value_name = "CMD",
        conflicts_with_all = ["password_command", "password_file"],
        value_hint = ValueHint::CommandString
    )]
    pub(super) oauth_token_command: Option<String>,

    /// File whose first line is the password
    ///
    /// Nobody but its owner may be able to read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) password_file: Option<PathBuf>,

    /// File in the form of .netrc that has the password
    ///
    /// An entry `machine HOST login USER password PASSWORD` counts for that server and user.
    /// Nobody but its owner may be able to read the file.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["password_command", "password_file"],
        value_hint = ValueHint::FilePath
    )]
    pub(super) password_netrc: Option<PathBuf>,

    /// Version of Outlook to be [default: outlook-2019]
    ///
    /// One of outlook-2007, outlook-2010, outlook-2013, outlook-2016, outlook-2019,
    /// outlook-2021, outlook-2024, outlook-new. Those up to 2016 delete messages from the
    /// server once they are stored, unless --leave-on-server says otherwise. Or rfc1939, the
    /// generic client, for servers that never meant to serve Outlook.
    #[arg(long, value_name = "NAME", value_parser = profile(), hide_possible_values = true)]
    pub(super) profile: Option<Profile>,

    #[command(flatten)]
    pub(super) tls: TlsFlags,

    #[command(flatten)]
    pub(super) route: RouteFlags,

    /// Longest single wait for the server [default: 60s]
    ///
    /// In seconds, or with a unit: s, m or h. From 1 s to 24 h.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub(super) timeout: Option<Duration>,
}

/// Sync the accounts of the configuration
///
/// All of them, or those named. What is new is retrieved, stored durably, and deleted on the
/// server where the account's settings say so.
#[derive(Debug, Args)]
#[command(after_long_help = help::sync())]
pub(super) struct Sync {
    /// Accounts to sync [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(super) accounts: Vec<String>,

    /// Accounts at work at the same time
    #[arg(long, short, value_name = "N", default_value = "4")]
    pub(super) jobs: NonZeroUsize,

    #[command(flatten)]
    pub(super) run: RunFlags,
}

/// Show what is known of accounts, without asking a server
///
/// The last run, what is stored, what the server listed last, what is due for removal there and
/// when, and how the archive grows. Accounts of `popsync fetch` are shown too.
#[derive(Debug, Args)]
#[command(after_long_help = help::status())]
pub(super) struct Status {
    /// Accounts to show [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(super) accounts: Vec<String>,
}

/// List the messages on the server of an account
///
/// Number, size, date, state, author and subject of each: whether it is new or stored, and when it
/// is to leave the server. Nothing is stored, marked or deleted, and no message is retrieved:
/// what is not stored here is asked for by its header alone.
#[derive(Debug, Args)]
#[command(after_long_help = help::list())]
pub(super) struct List {
    /// Account of the configuration
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,

    /// Show what the last sync left behind, without asking the server
    ///
    /// Accounts of `popsync fetch` can be listed so, too, by the name that `popsync status`
    /// gives them.
    #[arg(long)]
    pub(super) local: bool,
}

/// Have large messages retrieved whole by the next sync
///
/// They are those of which `headers-only-above` had only the header retrieved. Once stored, they
/// are treated like all others.
#[derive(Debug, Args)]
#[command(after_long_help = help::mark())]
pub(super) struct Mark {
    #[command(flatten)]
    pub(super) messages: Messages,
}

/// Take back what `popsync mark` said
#[derive(Debug, Args)]
#[command(after_long_help = help::mark())]
pub(super) struct Unmark {
    #[command(flatten)]
    pub(super) messages: Messages,
}

/// Messages of an account.
#[derive(Debug, Args)]
pub(super) struct Messages {
    /// Account of the configuration, or as `popsync status` shows it
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,

    /// Unique-ids as `popsync list` shows them
    ///
    /// Printable ASCII stands for itself, any other octet and the backslash are \xNN.
    #[arg(value_name = "UID", required = true)]
    pub(super) unique_ids: Vec<String>,
}

/// Hold the stored messages against what is recorded of them
///
/// Re-reads every local copy and compares it with the digest of what the server sent. Says which
/// are missing or damaged, and changes nothing unless --repair is given.
#[derive(Debug, Args)]
#[command(after_long_help = help::verify())]
pub(super) struct Verify {
    /// Accounts of the configuration [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(super) accounts: Vec<String>,

    /// Compare with the server's list too
    #[arg(long)]
    pub(super) server: bool,

    /// Download what is stored and on the server, and compare
    ///
    /// Some servers mark messages that were retrieved. Implies --server.
    #[arg(long)]
    pub(super) deep: bool,

    /// Get again what is missing or damaged, as far as the server has it
    ///
    /// A message that you deleted yourself is missing, too.
    #[arg(long)]
    pub(super) repair: bool,
}

/// Take over what was downloaded before, so that it does not come again
///
/// From the list of unique-ids that another program keeps, or, with --seed, everything that is on
/// the server now. What is taken over is neither retrieved nor deleted on the server by any later
/// sync, whatever the account's settings say: popsync holds no copy of it.
#[derive(Debug, Args)]
#[command(
    after_long_help = help::import(),
    group = clap::ArgGroup::new("source").required(true).args(["from", "seed"])
)]
pub(super) struct Import {
    /// Account of the configuration
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,

    /// Program that wrote FILE: mpop, getmail, fetchmail, fdm or thunderbird
    #[arg(
        long,
        value_name = "PROGRAM",
        value_parser = format(),
        hide_possible_values = true,
        requires = "file"
    )]
    pub(super) from: Option<Format>,

    /// Its list of unique-ids
    ///
    /// mpop: below ~/.mpop_uidls. getmail: oldmail-SERVER-PORT-USER in its folder. fetchmail:
    /// ~/.fetchids. fdm: the cache of the account. Thunderbird: popstate.dat below
    /// Mail/SERVER in the profile.
    #[arg(value_name = "FILE", requires = "from", value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,

    /// Mailbox to take over, where FILE names it otherwise than the account
    #[arg(long, value_name = "USER@HOST", requires = "file", value_parser = mailbox)]
    pub(super) mailbox: Option<Mailbox>,

    /// Treat all that is on the server now as had
    ///
    /// Logs in once and reads the list of messages; nothing is retrieved, stored or deleted.
    #[arg(long)]
    pub(super) seed: bool,
}

/// Check a server against the rules, and say what was seen
///
/// Logs in once, reads only, and holds what the server sends against the statements of
/// MS-STANOPOP3, which say what Outlook relies on. Nothing is stored or deleted, no state is
/// touched, and of messages no more is retrieved than one header.
#[derive(Debug, Args)]
#[command(after_long_help = help::probe())]
pub(super) struct Probe {
    /// Account of the configuration, or URL as for fetch
    #[arg(value_name = "ACCOUNT|URL", value_hint = ValueHint::Url)]
    pub(super) account: String,

    /// Retrieve a few messages too, to check framing and sizes
    ///
    /// The three smallest, and the largest of at most 1 MiB. Some servers mark messages that
    /// were retrieved.
    #[arg(long)]
    pub(super) deep: bool,

    #[command(flatten)]
    pub(super) server: ServerFlags,
}

/// Set accounts up, look at them, and try them
///
/// The accounts are those of the configuration file, which is changed by adding or cutting out
/// one table; whatever else stands in it stays as it is.
#[derive(Debug, Args)]
pub(super) struct AccountArguments {
    #[command(subcommand)]
    pub(super) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    Add(Box<Add>),
    /// List the accounts
    List,
    /// Show what an account is set to, without secrets
    Show(Named),
    /// Log in, and say what works
    ///
    /// Reads only: the connection, TLS, the login, what the server can do, and how much is in
    /// the mailbox.
    Test(Named),
    /// Take an account out of the configuration
    ///
    /// Its mail stays where it is, and so does what is remembered of it. Its password goes out
    /// of the keyring, unless another account has the same.
    Remove(Named),
}

/// An account of the configuration.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Account of the configuration
    #[arg(value_name = "NAME")]
    pub(super) account: String,
}

/// Add an account to the configuration
///
/// Finds the server of the address, asks on the terminal for what is missing, tries the login,
/// and writes the account's table at the end of the configuration file. Without a terminal the
/// flags must do; the password is then the first line of standard input, unless it comes from a
/// command or a file.
#[derive(Debug, Args)]
#[command(after_long_help = help::add())]
pub(super) struct Add {
    /// Mail address, such as anna@example.com
    #[arg(value_name = "ADDRESS", value_hint = ValueHint::EmailAddress)]
    pub(super) address: String,

    /// Name of the account [default: that of the provider]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,

    // Not as doc comment: rustdoc would read the brackets as links.
    #[arg(
        long,
        value_name = "URL",
        value_hint = ValueHint::Url,
        help = "Server: pop3s://HOST[:PORT], or pop3:// for STLS [default: found]"
    )]
    pub(super) server: Option<String>,

    /// User name [default: the address]
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,

    /// How to log in [default: user]
    #[arg(long, value_name = "METHOD", value_parser = auth(), hide_possible_values = true)]
    pub(super) auth: Option<AuthMethod>,

    /// Command whose first line of output is the password
    ///
    /// Without this and --password-file the password goes into the keyring.
    #[arg(
        long,
        value_name = "CMD",
        conflicts_with = "password_file",
        value_hint = ValueHint::CommandString
    )]
    pub(super) password_command: Option<String>,

    /// File whose first line is the password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) password_file: Option<PathBuf>,

    /// Program's number at Microsoft, to sign in there
    ///
    /// For Outlook.com and Exchange Online, which take OAuth and no passwords. popsync(5),
    /// section OAUTH, tells how to get one. For other providers write `oauth` into the file.
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["password_command", "password_file"]
    )]
    pub(super) client_id: Option<String>,

    /// Maildir to store messages in [default: ~/Mail/NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) maildir: Option<PathBuf>,

    /// Version of Outlook to be [default: outlook-2019]
    #[arg(long, value_name = "NAME", value_parser = profile(), hide_possible_values = true)]
    pub(super) profile: Option<Profile>,

    /// Trust these certificates (PEM) instead of the built-in roots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) ca_file: Option<PathBuf>,

    /// Write the account without trying it
    #[arg(long)]
    pub(super) no_test: bool,
}

/// Put the password of an account into the keyring, or sign in
///
/// Asks for it without showing it, logs in once to see that it is right, and keeps it in the
/// system's keyring, where every later run finds it. Without a terminal the first line of
/// standard input is the password.
///
/// For an account with oauth there is no password: you sign in at the provider, and what it
/// gives is kept in its place.
#[derive(Debug, Args)]
#[command(after_long_help = help::login())]
pub(super) struct Login {
    /// Account of the configuration
    #[arg(value_name = "NAME")]
    pub(super) account: String,

    /// Keep the password without trying it
    #[arg(long)]
    pub(super) no_test: bool,

    /// Sign in through a browser on this machine
    ///
    /// For accounts with oauth. Default: with a code that can be typed on any device, where the
    /// provider has that.
    #[arg(long)]
    pub(super) browser: bool,
}

/// Take the password of an account out of the keyring, or its tokens
#[derive(Debug, Args)]
pub(super) struct Logout {
    /// Account of the configuration
    #[arg(value_name = "NAME")]
    pub(super) account: String,
}

/// Print completions for a shell
///
/// For example `popsync completions bash > ~/.local/share/bash-completion/completions/popsync`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

/// Print a manual page, for `popsync man | man -l -`
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Page: popsync, popsync-fetch and so on, or popsync.5
    ///
    /// The name of a command alone will do, and `config` for popsync.5, the page of the
    /// configuration file.
    #[arg(default_value = "popsync")]
    pub(super) page: String,

    /// List the pages
    #[arg(long, conflicts_with = "page")]
    pub(super) list: bool,
}

fn auth() -> impl TypedValueParser<Value = AuthMethod> {
    PossibleValuesParser::new(config::AUTH_METHODS)
        .map(|name| AuthMethod::from_name(&name).unwrap_or_default())
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .map(|name| Format::from_name(&name).unwrap_or(Format::Mpop))
}

fn mailbox(text: &str) -> Result<Mailbox, &'static str> {
    match text.rsplit_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() => Ok(Mailbox {
            host: host.to_owned(),
            user: user.to_owned(),
        }),
        _ => Err("expected USER@HOST"),
    }
}

fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
        .try_map(|name| name.parse::<Profile>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_key_of_an_account_is_a_flag_of_fetch() {
        let command = Cli::command();
        let fetch = command.find_subcommand("fetch").unwrap();
        let flags: Vec<_> = fetch.get_arguments().filter_map(|a| a.get_long()).collect();
        for key in config::ACCOUNT_KEYS.iter().chain(&config::TLS_KEYS) {
            // The server is the URL.
            assert!(
                ["oauth", "server"].contains(key) || flags.contains(key),
                "--{key}"
            );
        }
    }

    #[test]
    fn the_help_of_fetch_names_every_profile() {
        let mut command = Cli::command();
        let help = command
            .find_subcommand_mut("fetch")
            .unwrap()
            .render_long_help();
        for profile in Profile::ALL {
            assert!(help.to_string().contains(profile.name()), "{profile}");
        }
    }
}
