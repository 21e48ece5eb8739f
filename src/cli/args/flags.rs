//! The keys of an account as flags, and how one run is meant.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};

use crate::account::AuthMethod;
use crate::cli::route::RouteFlags;
use crate::cli::tls::TlsFlags;
use crate::config::{self, quantity};
use crate::profile::Profile;
use crate::sync::Allow;

/// How one run is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunFlags {
    /// Say what would be retrieved and deleted, and do neither
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,

    /// Delete on the server even what a brake holds back
    ///
    /// popsync deletes nothing when the store was emptied, the clock jumped, its state was rebuilt,
    /// or far more would go than ever before. Use it once, after a look at --dry-run. A message
    /// without a copy here stays on the server even so, unless --remove-when-deleted-locally is set.
    #[arg(long)]
    pub(in crate::cli) allow_mass_delete: bool,

    /// Take the store as it is for the one that messages were stored in
    ///
    /// popsync stops when the store is gone or is another one, since its volume may not be mounted.
    /// With this it goes on; messages that the store lacks stay on the server.
    #[arg(long)]
    pub(in crate::cli) accept_store: bool,

    /// Take over what is remembered of the mailbox under another name
    ///
    /// For an account that was renamed, and for a host or user that is spelt otherwise now: nothing
    /// comes twice. NAME is what `popsync status --all` shows, or USER@HOST. Once that is done, the
    /// flag does nothing more.
    #[arg(long, value_name = "NAME", conflicts_with = "dry_run")]
    pub(in crate::cli) same_as: Option<String>,
}

impl RunFlags {
    /// What is allowed beyond the usual.
    pub(in crate::cli) fn allow(&self) -> Allow {
        Allow {
            mass_delete: self.allow_mass_delete,
            store_as_is: self.accept_store,
        }
    }
}

/// Where messages go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct StoreFlags {
    /// Maildir to store messages in; made where missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) maildir: Option<PathBuf>,

    /// mbox to append messages to; made where missing
    ///
    /// The file is locked as other mail programs do it, and its lines are quoted as mboxrd has
    /// it. Its folder has to be there.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) mbox: Option<PathBuf>,

    /// Delivery agent to hand each message to, on its standard input
    ///
    /// A program and its arguments, such as 'maildrop -d anna'; no shell is used. Status 0 says
    /// that it has taken the message, 75 that it is to be tried again later. Each message is
    /// handed over at least once.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) exec: Option<String>,
}

/// The keys of an account as flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(in crate::cli) struct AccountFlags {
    #[command(flatten)]
    pub(in crate::cli) server: ServerFlags,

    /// Longest time for the delivery agent with one message [default: 5m]
    ///
    /// In seconds, or with a unit: s, m or h. It is ended then, and tried again in the next run.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub(in crate::cli) exec_timeout: Option<Duration>,

    /// Whether stored messages stay on the server: true or false
    ///
    /// Default: what the profile does; true for outlook-2019 and later.
    #[arg(long, value_name = "BOOL", hide_possible_values = true)]
    pub(in crate::cli) leave_on_server: Option<bool>,

    /// Delete from the server this many days after storing
    ///
    /// Default: never. Implies --leave-on-server true.
    #[arg(long, value_name = "DAYS", value_parser = number::<u64>)]
    pub(in crate::cli) remove_after_days: Option<u64>,

    /// Retrieve only the headers of larger messages
    ///
    /// All of one comes after `popsync mark`. Units as for --max-size.
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(in crate::cli) headers_only_above: Option<NonZeroU64>,

    /// Whether such a message has a stub in the Maildir: true or false
    ///
    /// The stub is its header, with a body that says how to get the rest; the message replaces
    /// it. Default: false.
    #[arg(long, value_name = "BOOL", hide_possible_values = true)]
    pub(in crate::cli) header_stubs: Option<bool>,

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
    pub(in crate::cli) remove_when_deleted_locally: Option<bool>,

    /// Delete at most this many messages of earlier runs, else none [default: 500]
    ///
    /// A run that would delete more, or more than half of the mailbox, deletes nothing and says
    /// so. Messages that this run stores do not count, and to the half those do not count that
    /// --remove-after-days has announced. See --allow-mass-delete.
    #[arg(long, value_name = "N", value_parser = number::<NonZeroU64>)]
    pub(in crate::cli) max_deletions: Option<NonZeroU64>,

    /// Skip larger messages; they stay on the server
    ///
    /// In octets, or with a unit: B, KB, MB, GB (1000), KiB, MiB, GiB (1024).
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(in crate::cli) max_size: Option<NonZeroU64>,

    /// Retrieve at most this many messages in this run
    #[arg(long, value_name = "N", value_parser = number::<NonZeroU64>)]
    pub(in crate::cli) max_messages: Option<NonZeroU64>,

    /// Retrieve at most this many octets in this run
    ///
    /// Units as for --max-size. One message is retrieved in any case.
    #[arg(long, value_name = "SIZE", value_parser = quantity::size)]
    pub(in crate::cli) max_octets: Option<NonZeroU64>,

    /// Log in again as long as new messages come, at most this often
    ///
    /// For servers that show a part of the mailbox at a time, as Gmail. Default: 1.
    #[arg(long, value_name = "N", value_parser = number::<NonZeroU64>)]
    pub(in crate::cli) sessions_per_run: Option<NonZeroU64>,

    /// Line ends of stored messages: lf or crlf [default: lf]
    ///
    /// crlf stores exactly the octets that the server sent.
    #[arg(
        long,
        value_name = "STYLE",
        value_parser = PossibleValuesParser::new(config::LINE_ENDINGS),
        hide_possible_values = true
    )]
    pub(in crate::cli) line_endings: Option<String>,

    /// Complain of a server that cannot be reached only after TIME
    ///
    /// For runs without a terminal, as by cron: they stay silent while the mailbox fails with 69
    /// or 75 and has not done so for as long. The exit status is what it is without this. In
    /// seconds, or with a unit: s, m, h or d. Default: at once.
    #[arg(long, value_name = "TIME", value_parser = quantity::span)]
    pub(in crate::cli) complain_after: Option<Duration>,

    /// Program to run once new messages have come
    ///
    /// A program and its arguments; no shell is used. Its standard input has the counts as JSON.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) on_new_mail: Option<String>,

    /// Program to run when a run has failed
    ///
    /// As for --on-new-mail. It is not run while --complain-after keeps popsync silent.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) on_failure: Option<String>,
}

/// Those of them that are about getting to the mailbox.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(in crate::cli) struct ServerFlags {
    /// User name, where the URL has none
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,

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
    pub(in crate::cli) auth: Option<AuthMethod>,

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
    pub(in crate::cli) password_command: Option<String>,

    /// Command whose first line of output is an access token
    ///
    /// For --auth xoauth2, oauthbearer and auto. Run as for --password-command.
    #[arg(
        long,
        value_name = "CMD",
        conflicts_with_all = ["password_command", "password_file"],
        value_hint = ValueHint::CommandString
    )]
    pub(in crate::cli) oauth_token_command: Option<String>,

    /// File whose first line is the password
    ///
    /// Nobody but its owner may be able to read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) password_file: Option<PathBuf>,

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
    pub(in crate::cli) password_netrc: Option<PathBuf>,

    /// Version of Outlook to be [default: outlook-2019]
    ///
    /// One of outlook-2007, outlook-2010, outlook-2013, outlook-2016, outlook-2019,
    /// outlook-2021, outlook-2024, outlook-new. Those up to 2016 delete messages from the
    /// server once they are stored, unless --leave-on-server says otherwise. Or rfc1939, the
    /// generic client, for servers that never meant to serve Outlook.
    #[arg(long, value_name = "NAME", value_parser = profile(), hide_possible_values = true)]
    pub(in crate::cli) profile: Option<Profile>,

    #[command(flatten)]
    pub(in crate::cli) tls: TlsFlags,

    #[command(flatten)]
    pub(in crate::cli) route: RouteFlags,

    /// Longest single wait for the server [default: 60s]
    ///
    /// In seconds, or with a unit: s, m or h. From 1 s to 24 h.
    #[arg(long, value_name = "TIME", value_parser = quantity::time)]
    pub(in crate::cli) timeout: Option<Duration>,
}

/// Reads a way to log in.
pub(super) fn auth() -> impl TypedValueParser<Value = AuthMethod> {
    PossibleValuesParser::new(config::AUTH_METHODS)
        .map(|name| AuthMethod::from_name(&name).unwrap_or_default())
}

/// Reads a profile.
pub(super) fn profile() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name))
        .try_map(|name| name.parse::<Profile>())
}

/// Reads a number, and says what it has to be in words that are not Rust's.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "not a whole number from 1 on")
}
