//! The arguments of the commands that set accounts up: `account`, `login` and `logout`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::flags::{auth, profile};
use super::keys::ServerFlags;
use crate::account::AuthMethod;
use crate::cli::help;
use crate::profile::Profile;

/// Set accounts up, look at them, and try them
///
/// The accounts are those of the configuration file, which is changed by adding or cutting out
/// one table; whatever else stands in it stays as it is.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccountArguments {
    #[command(subcommand)]
    pub(in crate::cli) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccountCommand {
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
    Rename(Rename),
}

/// An account of the configuration.
#[derive(Debug, Args)]
pub(in crate::cli) struct Named {
    /// Account of the configuration
    #[arg(value_name = "NAME")]
    pub(in crate::cli) account: String,
}

/// Rename an account, with what is remembered of it
///
/// In the configuration, unless OLD is not in it any more; and in the state, so that nothing comes
/// twice. Where NEW is in the configuration already, it takes over what is remembered under OLD,
/// such as the mailbox's host or user as they were spelt before.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rename {
    /// Account of the configuration, or as `status --all` shows it, or USER@HOST
    #[arg(value_name = "OLD")]
    pub(in crate::cli) old: String,

    /// Its name from now on
    #[arg(value_name = "NEW")]
    pub(in crate::cli) new: String,
}

/// Add an account to the configuration
///
/// Finds the server of the address, asks on the terminal for what is missing, tries the login,
/// and writes the account's table at the end of the configuration file. Without a terminal the
/// flags must do; the password is then the first line of standard input, unless it comes from a
/// command or a file.
#[derive(Debug, Args)]
#[command(after_long_help = help::add())]
pub(in crate::cli) struct Add {
    /// Mail address, such as anna@example.com
    #[arg(value_name = "ADDRESS", value_hint = ValueHint::EmailAddress)]
    pub(in crate::cli) address: String,

    /// Name of the account [default: that of the provider]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,

    // Not as doc comment: rustdoc would read the brackets as links.
    #[arg(
        long,
        value_name = "URL",
        value_hint = ValueHint::Url,
        help = "Server: pop3s://HOST[:PORT], or pop3:// for STLS [default: found]"
    )]
    pub(in crate::cli) server: Option<String>,

    /// User name [default: the address]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) user: Option<String>,

    /// How to log in [default: user]
    #[arg(long, value_name = "METHOD", value_parser = auth(), hide_possible_values = true)]
    pub(in crate::cli) auth: Option<AuthMethod>,

    /// Command whose first line of output is the password
    ///
    /// Without this and --password-file the password goes into the keyring.
    #[arg(
        long,
        value_name = "CMD",
        conflicts_with = "password_file",
        value_hint = ValueHint::CommandString
    )]
    pub(in crate::cli) password_command: Option<String>,

    /// File whose first line is the password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) password_file: Option<PathBuf>,

    /// Program's number at Microsoft, to sign in there
    ///
    /// For Outlook.com and Exchange Online, which take OAuth and no passwords. popsync(5),
    /// section OAUTH, tells how to get one. For other providers write `oauth` into the file.
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["password_command", "password_file"]
    )]
    pub(in crate::cli) client_id: Option<String>,

    /// Maildir to store messages in [default: ~/Mail/NAME]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) maildir: Option<PathBuf>,

    /// Version of Outlook to imitate [default: outlook-2019]
    #[arg(long, value_name = "NAME", value_parser = profile(), hide_possible_values = true)]
    pub(in crate::cli) profile: Option<Profile>,

    /// Trust these certificates (PEM) instead of the built-in roots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) ca_file: Option<PathBuf>,

    /// Trust the built-in roots (webpki) or the system's [default: webpki]
    #[arg(long, value_name = "NAME", value_parser = ["webpki", "system"], conflicts_with = "ca_file")]
    pub(in crate::cli) roots: Option<String>,

    /// Accept only the server whose certificate or key has this SHA-256
    #[arg(long, value_name = "SHA256")]
    pub(in crate::cli) fingerprint: Option<String>,

    /// Write the account without trying it
    #[arg(long)]
    pub(in crate::cli) no_test: bool,
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
pub(in crate::cli) struct Login {
    #[command(flatten)]
    pub(in crate::cli) server: NamedServer,

    /// Keep the password without trying it
    #[arg(long)]
    pub(in crate::cli) no_test: bool,

    /// Sign in through a browser on this machine
    ///
    /// For accounts with oauth. Default: with a code that can be typed on any device, where the
    /// provider has that.
    #[arg(long)]
    pub(in crate::cli) browser: bool,
}

/// Take the password of an account out of the keyring, or its tokens
#[derive(Debug, Args)]
pub(in crate::cli) struct Logout {
    #[command(flatten)]
    pub(in crate::cli) server: NamedServer,
}

/// An account of the configuration, or the server of a mailbox that `popsync fetch` fetches.
#[derive(Debug, Args)]
pub(in crate::cli) struct NamedServer {
    /// Account of the configuration, or URL as for fetch
    #[arg(value_name = "ACCOUNT|URL", value_hint = ValueHint::Url)]
    pub(in crate::cli) account: String,

    #[command(flatten)]
    pub(in crate::cli) flags: ServerFlags,
}
