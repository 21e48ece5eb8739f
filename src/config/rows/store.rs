//! The keys of the store.

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
    text: "
        Required, unless `mbox` or `exec` is set.
        popsync stores messages in the folder *new* of this Maildir, and creates the Maildir if it
        is missing.
        Its file system needs nothing but a rename: FAT and exFAT will do,
        although they have neither hard links nor names with a colon.
        popsync reads flags behind any other character that a mail program puts in place of the
        colon.
        Mount such a volume with `umask=077`, since files there have no rights of their own.
        If the volume is not mounted, popsync retrieves nothing and deletes nothing on the server.",
    slot: Some("store"),
    flag: Some(Flag {
        help: "Maildir to store messages in; created if missing",
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
            text: "
                popsync appends messages to this mbox.
                It creates the file if it is missing, but not its folder.
                Several accounts may share one mbox.
                On FAT and exFAT popsync refuses the file, which anybody could write to,
                unless the volume is mounted with `umask=077` or the like.
                See MBOX below.",
            slot: Some("store"),
            flag: Some(Flag {
                help: "mbox to append messages to; created if missing",
                more: "
                    popsync locks the file as other mail programs do, and quotes lines in the mboxrd
                    form. The folder of the file must exist.",
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
            text: "
                popsync gives each message to this delivery agent, on its standard input.
                It uses no shell: it splits the text at blanks, with quotation marks and backslashes
                as in a shell, and nothing else has a special meaning.
                See DELIVERY AGENTS below.",
            secret: true,
            slot: Some("store"),
            flag: Some(Flag {
                help: "Delivery agent that gets each message on its standard input",
                more: "
                    A program and its arguments, such as 'maildrop -d anna'; no shell is used.
                    Status 0 means that the agent has accepted the message, 75 that popsync should
                    try again later. The agent gets each message at least once.",
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
            text: "The time limit of the agent for one message. popsync ends an agent that takes longer.",
            flag: Some(Flag {
                help: "Time limit of the delivery agent for one message [default: 5m]",
                more: "
                    In seconds, or with a unit: s, m or h. popsync then ends the agent, and tries
                    again in the next run.",
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
                `"lf"` turns each CRLF into LF, as mail programs expect it in a Maildir.
                `"crlf"` stores the octets exactly as the server sent them;
                in an mbox, the lines around each message end with LF all the same."#,
            flag: Some(Flag {
                help: "Line ends of stored messages: lf or crlf [default: lf]",
                more: "crlf stores the octets exactly as the server sent them.",
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
