//! Errors of single commands.

use rustix::io::Errno;

use super::{Book, every, missing, system};
use crate::auth;
use crate::auth::source::{self, Unanswered};
use crate::cli::account::add;
use crate::cli::output::{Panicked, StartError, StdoutError};
use crate::cli::schedule::{self, InstallError};
use crate::cli::{SameAsSeveral, forget, import, login, man, mark, page_file, server, target};
use crate::config::{self, EditError};
use crate::find::NotAnAddress;
use crate::import::Error as ListError;
use crate::pop3::Keyword;
use crate::session::{self, Refusal};
use crate::stop::Signal;
use crate::{cache, sync};

fn name() -> String {
    "work".to_owned()
}

fn locked() -> cache::Error {
    cache::Error::Locked { holder: None }
}

fn homeless() -> config::Error {
    config::Cause::NoHome { what: "the state" }.into()
}

pub(super) fn add(book: &mut Book) {
    every!(book, "login::Error", login::Error {
        login::Error::Auth(_) => [refused_source()],
        login::Error::Interrupted(_) => [login::Error::Interrupted(Signal::Interrupt)],
        login::Error::Session(_) => [refused_login()],
        login::Error::Source { .. } => [login::Error::Source { key: "password-command" }],
    });
    add_account(book);
    every!(book, "config::EditError", EditError {
        EditError::Exists { .. } => [EditError::Exists { name: name() }],
        EditError::Write { .. } => [EditError::Write {
            path: "/home/anna/.config/popsync/config.toml".into(),
            source: system(Errno::ACCESS),
        }],
        EditError::Listed { .. } => [false, true].map(|is_renamed| EditError::Listed {
            name: name(),
            path: "/home/anna/.config/popsync/users.csv".into(),
            line: 4,
            is_renamed,
        }),
        EditError::Entangled { .. } => [EditError::Entangled {
            name: name(),
            path: "/home/anna/.config/popsync/config.toml".into(),
        }],
    });
    local(book);
    scheduling(book);
    book.begin("the whole program");
    book.add(&SameAsSeveral);
    book.add(&man::Error { name: name() });
    book.add(&Panicked);
    book.add(&StdoutError(system(Errno::NOSPC)));
    every!(book, "output::StartError", StartError {
        StartError::Runtime(_) => [Errno::AGAIN, Errno::MFILE]
            .map(|errno| StartError::Runtime(system(errno))),
        StartError::TooFewFiles { .. } => [StartError::TooFewFiles { limit: 256, jobs: 100 }],
    });
}

fn refused_source() -> login::Error {
    auth::Error::from(source::Error::NoSource { keyring: None }).into()
}

fn refused_login() -> login::Error {
    let refusal = Refusal::of_line(Some(Keyword::Pass), "-ERR Not that.");
    session::Error::Login(refusal).into()
}

fn add_account(book: &mut Book) {
    use add::Error;
    let domain = || "example.com".to_owned();
    every!(book, "account::add::Error", Error {
        Error::Address(_) => [Error::Address(NotAnAddress)],
        Error::Answers(_) => [Error::Answers("the server URL has no valid host name".to_owned())],
        Error::Config(_) => [homeless().into()],
        Error::Edit { .. } => [Error::Edit {
            account: name(),
            error: EditError::Exists { name: name() },
        }],
        Error::Kept { .. } => [Error::Kept {
            path: "/home/anna/.config/popsync/work.password".into(),
            source: system(Errno::NOSPC),
        }],
        Error::Login { .. } => [refused_login(), login::Error::Interrupted(Signal::Interrupt)]
            .map(|error| Error::Login { account: name(), error }),
        Error::NoPop3 { .. } => [Error::NoPop3 {
            domain: domain(),
            note: "it has IMAP alone".to_owned(),
        }],
        Error::NoServer { .. } => [Error::NoServer { domain: domain() }],
        Error::NotUtf8 { .. } => [Error::NotUtf8 { flag: "--maildir" }],
        Error::Nested(_) => [Error::Nested(
            "/home/anna/Mail/work/new lies in the Maildir of `work`".to_owned(),
        )],
        Error::OAuthAlone { .. } => [Error::OAuthAlone { domain: domain() }],
        Error::OthersPassword { .. } => [Error::OthersPassword {
            key: "password-command",
            host: "pop.example.com".to_owned(),
        }],
        Error::OtherDomain { .. } => [Error::OtherDomain {
            server: "pop3s://pop.example.net".to_owned(),
        }],
        Error::Terminal(_) => [Error::Terminal(Unanswered::Io(system(Errno::NXIO)))],
    });
}

/// Errors of commands that ask no server.
fn local(book: &mut Book) {
    every!(book, "target::Error", target::Error {
        target::Error::Cache(_) => [locked().into()],
        target::Error::Config(_) => [homeless().into()],
        target::Error::Unknown { .. } => [target::Error::Unknown { name: name() }],
    });
    every!(book, "forget::Error", forget::Error {
        forget::Error::Configured { .. } => [forget::Error::Configured { name: name() }],
        forget::Error::Several { .. } => [forget::Error::Several {
            name: name(),
            keys: vec!["maildir:/home/anna/a".to_owned(), "maildir:/home/anna/b".to_owned()],
        }],
        forget::Error::Target(_) => [locked().into()],
    });
    every!(book, "page_file::Error", page_file::Error {
        page_file::Error::Target(_) => [locked().into()],
        page_file::Error::Write { .. } => [
            ("--metrics", "/var/lib/metrics/popsync.prom"),
            ("--html", "/srv/www/mail.html"),
        ]
        .map(|(option, path)| page_file::Error::Write {
            option,
            path: path.into(),
            source: system(Errno::ACCESS),
        }),
    });
    every!(book, "mark::Error", mark::Error {
        mark::Error::Cache(_) => [locked().into()],
        mark::Error::Unknown { .. } => [vec!["x".to_owned()], vec!["x".to_owned(), "y".to_owned()]]
            .map(|typed| mark::Error::Unknown { typed }),
    });
    every!(book, "import::Error of the command", import::Error {
        import::Error::Cache(_) => [locked().into()],
        import::Error::Import(_) => [ListError::Empty { path: "/home/anna/.fetchids".into() }.into()],
        import::Error::Sync(_) => [sync::Error::NoHeaders.into()],
    });
    every!(book, "server::Error", server::Error {
        server::Error::Config(_) => [homeless().into()],
        server::Error::Needless { .. } => [server::Error::Needless {
            flag: "--user".to_owned(),
            named: name(),
        }],
    });
}

fn scheduling(book: &mut Book) {
    let refused = |command: &str| InstallError::Refused {
        command: command.to_owned(),
        said: "Failed to connect to bus".to_owned(),
    };
    let path = || "/home/anna/.config/systemd/user/popsync.timer".into();
    every!(book, "schedule::InstallError", InstallError {
        InstallError::NoCron => [InstallError::NoCron],
        InstallError::NoHome => [InstallError::NoHome],
        InstallError::NotOurs(_) => [InstallError::NotOurs(path())],
        InstallError::Path(_) => [InstallError::Path(path())],
        InstallError::Program(_) => [InstallError::Program(missing())],
        InstallError::Refused { .. } => [refused("systemctl --user enable"), refused("crontab -")],
        InstallError::Run { .. } => [InstallError::Run {
            command: "crontab -l".to_owned(),
            source: missing(),
        }],
        InstallError::TooMany => [InstallError::TooMany],
        InstallError::Write { .. } => [InstallError::Write {
            path: path(),
            source: system(Errno::ACCESS),
        }],
    });
    every!(book, "schedule::Error", schedule::Error {
        schedule::Error::Config(_) => [homeless().into()],
        schedule::Error::Install(_) => [InstallError::NoHome.into()],
    });
}
