//! The command line: the program, its global options, and what each command takes.
//!
//! The keys of an account as flags are in `keys`, the arguments that set accounts up in `account`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::config::quantity;
use crate::import::{Format, Mailbox};

use super::help;
use super::shard::Shard;

mod account;
mod config_file;
mod export;
mod flags;
mod keys;
mod known;
mod schedule;

pub(super) use account::{
    AccountArguments, AccountCommand, Add, Login, Logout, NamedServer, Rename,
};
pub(super) use config_file::{ConfigArguments, ConfigCommand};
pub(super) use export::Export;
pub(super) use flags::RunFlags;
pub(super) use keys::{FetchFlags, ServerFlags};
pub(super) use known::{Forget, Log, Merge, Report, Status};
pub(super) use schedule::Schedule;

use flags::number;

/// Keeps a local Maildir or mbox an exact, durable copy of a POP3 mailbox
///
/// Messages are retrieved once, stored durably, and only then deleted on the server, if at
/// all. A second run fetches what is new. popsync speaks to the server as Outlook does.
#[derive(Debug, Parser)]
#[command(
    name = "popsync",
    version,
    max_term_width = 79,
    after_help = "`popsync COMMAND --help` tells more; `popsync man` all of it.",
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
    Log(Log),
    Report(Report),
    Forget(Forget),
    List(List),
    Mark(Mark),
    Unmark(Unmark),
    Import(Import),
    Verify(Verify),
    Export(Export),
    Probe(Box<Probe>),
    Login(Box<Login>),
    Logout(Box<Logout>),
    Config(ConfigArguments),
    Schedule(Schedule),
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
    pub(super) keys: FetchFlags,

    #[command(flatten)]
    pub(super) run: RunFlags,

    /// Keep the typed password in the keyring, once the server took it
    ///
    /// Later runs find it there. `popsync logout` with the same URL takes it out.
    #[arg(long)]
    pub(super) remember: bool,
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
    #[arg(long, short, value_name = "N", default_value = "4", value_parser = number::<NonZeroUsize>)]
    pub(super) jobs: NonZeroUsize,

    /// Of these, at most so many of one server
    ///
    /// A server that says that it has too many connections or logins gets fewer in the same run.
    #[arg(long, value_name = "N", default_value = "8", value_parser = number::<NonZeroUsize>)]
    pub(super) per_host: NonZeroUsize,

    /// Only the accounts whose last sync failed or was killed, and those that never had one
    #[arg(long, conflicts_with = "accounts")]
    pub(super) failed: bool,

    /// Only the accounts of part I of N
    ///
    /// For several machines that share the accounts, each with a state folder of its own: 0/4, 1/4,
    /// 2/4 and 3/4 are all accounts. The part of an account depends on its name alone. With /N, I is
    /// the JOB_COMPLETION_INDEX that Kubernetes sets.
    #[arg(long, value_name = "I/N", conflicts_with = "accounts")]
    pub(super) shard: Option<Shard>,

    /// Stay, and sync again each TIME
    ///
    /// For containers and others without cron and systemd; the first sync begins at once. SIGTERM
    /// ends it in good order, SIGHUP reads the configuration again and syncs at once. In seconds, or
    /// with a unit: s, m, h or d.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = quantity::span,
        conflicts_with_all = ["dry_run", "allow_mass_delete", "accept_store", "same_as"]
    )]
    pub(super) every: Option<Duration>,

    #[command(flatten)]
    pub(super) run: RunFlags,
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
    /// Accounts of `popsync fetch` can be listed so, too, by the name that `popsync
    /// status --all` gives them.
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
    /// Account of the configuration, or as `status --all` shows it
    #[arg(value_name = "ACCOUNT")]
    pub(super) account: String,

    /// Numbers or unique-ids as `popsync list` shows them
    ///
    /// A number is that of the last list. If a message has it as its unique-id, that one is meant. In
    /// unique-ids printable ASCII stands for itself, any other octet and the backslash are \xNN.
    #[arg(value_name = "UID", required = true)]
    pub(super) unique_ids: Vec<String>,
}

/// Hold the stored messages against what is recorded of them
///
/// Re-reads every local copy and compares it with the digests that were recorded. Says which are
/// missing or damaged, and changes no mail unless --repair is given.
#[derive(Debug, Args)]
#[command(after_long_help = help::verify())]
pub(super) struct Verify {
    /// Accounts of the configuration [default: all]
    #[arg(value_name = "ACCOUNT")]
    pub(super) accounts: Vec<String>,

    /// Accounts at work at the same time
    #[arg(long, short, value_name = "N", default_value = "2", value_parser = number::<NonZeroUsize>)]
    pub(super) jobs: NonZeroUsize,

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
    /// A damaged file is kept in the folder popsync-damaged of the Maildir; to an mbox the message is
    /// appended. A message that you deleted yourself is missing, too: see --accept-deletions.
    #[arg(long)]
    pub(super) repair: bool,

    /// Take what is missing as deleted by you, from now on
    ///
    /// Messages that are missing now are not reported again. Nothing else changes: what becomes of
    /// them on the server, the account's settings say.
    #[arg(long, conflicts_with = "repair")]
    pub(super) accept_deletions: bool,

    /// Read so much of the messages only, such as 5%: another part each time
    ///
    /// With 5%, twenty runs read every message. Whether messages are missing is looked at for all of
    /// a Maildir each time.
    #[arg(long, value_name = "PERCENT", value_parser = parts, conflicts_with = "deep")]
    pub(super) read_data_subset: Option<NonZeroU64>,
}

/// How many parts a percentage makes.
fn parts(text: &str) -> Result<NonZeroU64, &'static str> {
    let percent = text
        .strip_suffix('%')
        .and_then(|number| number.parse().ok());
    let percent = percent.filter(|percent: &f64| *percent >= 0.01 && *percent <= 100.0);
    let parts = percent.map(|percent| (100.0 / percent).ceil() as u64);
    parts
        .and_then(NonZeroU64::new)
        .ok_or("not a percentage from 0.01% to 100%")
}

/// Take over what was downloaded before, so that it does not come again
///
/// From the list of unique-ids that another program keeps; or, with --from-store, what the store
/// holds already; or, with --seed, everything that is on the server now. What is taken over is
/// neither retrieved nor deleted on the server by any later sync, whatever the account's settings
/// say: popsync holds no copy of it. Only `remove-imported` lets those go whose copies are found.
#[derive(Debug, Args)]
#[command(
    after_long_help = help::import(),
    group = clap::ArgGroup::new("source").required(true).args(["from", "from_store", "seed"])
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

    /// Recognise what the account's Maildir or mbox holds already
    ///
    /// Logs in once and compares the headers of the messages on the server with those in the
    /// store, whatever program put them there; nothing is retrieved, stored or deleted. Where a
    /// file of a Maildir is the server's message as it is, it counts as stored by popsync.
    #[arg(long)]
    pub(super) from_store: bool,

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

/// Print completions for a shell
///
/// For example `popsync completions bash > ~/.local/share/bash-completion/completions/popsync`.
/// The shell then asks `popsync` itself what may come next, so that names of accounts are
/// completed, too.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to complete in
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

/// Open a manual page on a terminal; else print it, for `popsync man | man -l -`
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Page: popsync, popsync-fetch and so on, or popsync.5
    ///
    /// The name of a command alone will do, such as `account add`, and `config` for popsync.5, the
    /// page of the configuration file.
    #[arg(default_value = "popsync")]
    pub(super) page: Vec<String>,

    /// List the pages
    #[arg(long, conflicts_with = "page")]
    pub(super) list: bool,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::profile::Profile;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
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
