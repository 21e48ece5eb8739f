//! The keys that limit one run.

use std::num::NonZeroU8;

use crate::config::given::MOST_MESSAGES;
use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;

/// Exchange gives a user so many.
const MOST_CONNECTIONS: u64 = 16;

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &Key {
            name: "headers-only-above",
            value: "SIZE",
            example: "\"500 KiB\"",
            section: Section::Limits,
            default: "no limit",
            text: "
                popsync retrieves only the headers of larger messages, with TOP.
                `popsync list` shows them.
                `popsync mark` makes the next sync retrieve the whole of one, even if it is larger
                than `max-size`.
                From then on the message is like all others: it is stored,
                and leaves the server by the other keys, counted from that day.
                Until then it is never deleted on the server, whatever the other keys say.
                After a change of this key, the next sync retrieves the messages that are no longer
                too large.
                If the server has no TOP, the headers are missing, which popsync reports once;
                nothing else changes.
                If the server's list has no sizes, popsync retrieves every message whole.",
            flag: Some(Flag {
                help: "Retrieve only the headers of larger messages",
                more: "
                    `popsync mark` then has the whole of one retrieved. Units as for --max-size.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Size(|settings, size| settings.limits.headers_only_above = Some(size.value)),
    },
    Row {
        key: &Key {
            name: "header-stubs",
            value: "BOOL",
            example: "true",
            section: Section::Limits,
            default: "`false`",
            text: "
                `true` puts a stub into the Maildir for each message of which only the header was
                retrieved:
                the header, with a body that explains how to get the whole message.
                The whole message later replaces the stub, wherever a mail program has moved it.
                If you delete a stub, it does not come back, and nothing is deleted on the server.",
            flag: Some(Flag {
                help: "Put a stub into the Maildir for such a message: true or false",
                more: "
                    The stub is its header, with a body that explains how to get the whole message,
                    which replaces the stub later. Default: false.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Boolean(|settings, stubs| settings.header_stubs = Some(stubs)),
    },
    Row {
        key: &Key {
            name: "max-size",
            value: "SIZE",
            example: "\"25 MB\"",
            section: Section::Limits,
            default: "no limit",
            text: "
                popsync skips larger messages; they stay on the server.
                A message that is larger than the server's list said, and than this size, is not
                stored.
                At twice this size popsync breaks it off, and retrieves the others in another
                session.
                It does the same with a message for which the file system has no room, whatever this
                key says.",
            flag: Some(Flag {
                help: "Skip larger messages; they stay on the server",
                more: "In octets, or with a unit: B, KB, MB, GB (1000), KiB, MiB, GiB (1024).",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Size(|settings, size| settings.limits.max_size = Some(size.value)),
    },
    Row {
        key: &Key {
            name: "max-messages",
            value: "N",
            example: "500",
            section: Section::Limits,
            without: "for no limit",
            default: "no limit",
            text: "A run retrieves at most this many messages; the others wait for the next run.",
            flag: Some(Flag {
                help: "Retrieve at most this many messages in this run",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(MOST_MESSAGES, |settings, most| {
            settings.limits.max_messages = Some(most.value)
        }),
    },
    Row {
        key: &Key {
            name: "max-octets",
            value: "SIZE",
            example: "\"1 GiB\"",
            section: Section::Limits,
            default: "no limit",
            text: "A run retrieves at most this many octets, but at least one message.",
            flag: Some(Flag {
                help: "Retrieve at most this many octets in this run",
                more: "Units as for --max-size. At least one message is retrieved.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Size(|settings, most| settings.limits.max_octets = Some(most.value)),
    },
    Row {
        key: &Key {
            name: "sessions-per-run",
            value: "N",
            example: "20",
            section: Section::Limits,
            without: "for one",
            default: "`1`",
            text: "
                popsync logs in again as long as new messages come, at most this many times in one
                run.
                Some servers show a part of the mailbox in each session, as Gmail does with some
                hundred messages;
                there, about 100 sessions retrieve all of it in one run.
                `max-messages` and `max-octets` apply to the run as a whole.
                If the server refuses another session so soon (`[IN-USE]`, `[LOGIN-DELAY]`),
                popsync tries again for some seconds,
                or after the time that the server asks for, if that is shorter than `timeout`.
                If the server still refuses, the run ends with success, and the other messages wait
                for the next run.",
            flag: Some(Flag {
                help: "Log in again while new messages come, at most this many times",
                more: "
                    For servers that show a part of the mailbox at a time, as Gmail does. Default:
                    1.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(MOST_MESSAGES, |settings, most| {
            settings.limits.sessions = Some(most.value)
        }),
    },
    Row {
        key: &Key {
            name: "connections",
            value: "N",
            example: "4",
            section: Section::Limits,
            default: "`1`",
            text: "
                A run retrieves new messages over at most this many connections to the mailbox at
                the same time, 16 at most.
                That saves time with a server that is far away and takes one command at a time, as
                Exchange does.
                It needs a server that does not lock the mailbox: Exchange does not, most others do.
                Each connection costs a login, so there is one for each 16 new messages.
                Messages on different connections are told apart by unique-id and size, and one
                connection deletes, at the end.
                If the server refuses a second connection (`[IN-USE]`), popsync says so, and goes on
                with one.
                The order of messages in an mbox is that in which they came.
                `--per-host` counts each connection.",
            flag: Some(Flag {
                help: "Retrieve over this many connections at the same time, 1 to 16",
                more: "
                    For servers that do not lock the mailbox, as Exchange. Default: 1.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(MOST_CONNECTIONS, |settings, most| {
            settings.limits.connections =
                u8::try_from(most.value.get()).ok().and_then(NonZeroU8::new);
        }),
    },
];
