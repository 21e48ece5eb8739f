//! The keys that say where mail goes.

use crate::account::LineEndings;
use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Set};
use crate::config::settings::{Settings, Store};

/// `maildir`.
pub(in crate::config) static MAILDIR: Key = Key {
    name: "maildir",
    value: "DIR",
    example: "\"~/Mail/work\"",
    section: Section::Store,
    hint: Some("write `maildir = \"~/Mail/work\"`, or `mbox` or `exec` instead"),
    text: r"
        Required, or else `mbox` or `exec`.
        The Maildir that messages are stored in, in its *new*; made where missing.
        Nothing but a rename is asked of its file system: FAT and exFAT will do, which have neither
        hard links nor names with a colon.
        Flags are understood behind any other character that a mail program puts in its place.
        Mount such a volume with `umask=077`, since files there have no rights of their own.
        Where it is not mounted, nothing is retrieved, and nothing deleted on the server.",
    slot: Some("store"),
    flag: Some(Flag {
        help: "Maildir to store messages in; made where missing",
        ..Flag::STORE
    }),
    ..Key::ACCOUNT
};

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &MAILDIR,
        set: Set::Path(|settings, folder| settings.set_store(folder.map(Store::Maildir))),
    },
    Row {
        key: &Key {
            name: "mbox",
            value: "FILE",
            example: "\"~/Mail/work.mbox\"",
            section: Section::Store,
            text: r"
                The mbox that messages are appended to; made where missing, but not its folder.
                Several accounts may share one.
                On FAT and exFAT it is refused unless the volume is mounted with `umask=077` or the
                like: anybody could write to it.
                See MBOX below.",
            slot: Some("store"),
            flag: Some(Flag {
                help: "mbox to append messages to; made where missing",
                more: "
                    The file is locked as other mail programs do it, and its lines are quoted as
                    mboxrd has it. Its folder has to be there.",
                ..Flag::STORE
            }),
            ..Key::ACCOUNT
        },
        set: Set::Path(|settings, file| settings.set_store(file.map(Store::Mbox))),
    },
    Row {
        key: &Key {
            name: "exec",
            value: "CMD",
            example: "\"maildrop -d anna\"",
            section: Section::Store,
            hint: Some(
                "write for example `exec = \"maildrop -d anna\"`, or \
                 `[\"maildrop\", \"-d\", \"anna\"]`",
            ),
            text: r"
                The delivery agent that each message is given to, on its standard input.
                No shell is used: the text is split at blanks, with quotation marks and backslashes
                as in a shell, and nothing else in it has a meaning.
                See DELIVERY AGENTS below.",
            secret: true,
            slot: Some("store"),
            flag: Some(Flag {
                help: "Delivery agent to hand each message to, on its standard input",
                more: "
                    A program and its arguments, such as 'maildrop -d anna'; no shell is used.
                    Status 0 says that it has taken the message, 75 that it is to be tried again
                    later. Each message is handed over at least once.",
                ..Flag::STORE
            }),
            ..Key::ACCOUNT
        },
        set: Set::Words(|settings, command| settings.set_store(command.map(Store::Exec))),
    },
    Row {
        key: &Key {
            name: "exec-timeout",
            value: "TIME",
            example: "\"5m\"",
            section: Section::Store,
            default: "`\"5m\"`",
            text: "How long the agent may take over one message before it is ended.",
            flag: Some(Flag {
                help: "Longest time for the delivery agent with one message [default: 5m]",
                more: "
                    In seconds, or with a unit: s, m or h. It is ended then, and tried again in the
                    next run.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Time(|settings, time| settings.exec_timeout = Some(time.value)),
    },
    Row {
        key: &Key {
            name: "line-endings",
            value: "STYLE",
            example: "\"lf\"",
            section: Section::Store,
            default: "`\"lf\"`",
            text: r#"
                With `"lf"` each CRLF becomes LF,
                as mail programs expect it in a Maildir.
                With `"crlf"` the octets are stored exactly as they were sent;
                in an mbox, the lines that are added around each message end with LF all the same."#,
            flag: Some(Flag {
                help: "Line ends of stored messages: lf or crlf [default: lf]",
                more: "crlf stores exactly the octets that the server sent.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Choice(&["lf", "crlf"], |settings, style| {
            settings.line_endings = match style.value {
                "crlf" => LineEndings::Crlf,
                _ => LineEndings::Lf,
            };
        }),
    },
];
