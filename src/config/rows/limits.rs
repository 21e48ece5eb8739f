//! The keys that say how much of a mailbox one run retrieves.

use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &Key {
            name: "headers-only-above",
            value: "SIZE",
            example: "\"500 KiB\"",
            section: Section::Limits,
            default: "no limit",
            text: r"
                Of larger messages only the headers are retrieved, with TOP.
                `popsync list` shows them, and `popsync mark` has the next sync retrieve all of one,
                also above `max-size`.
                From then on it is a message like all others: it is stored,
                and leaves the server as the other keys have it, counted from that day.
                Until then it is never deleted there, whatever they say.
                When this key is changed or removed, the next sync retrieves all of those that are
                not larger any more.
                Where the server has no TOP, the headers are missing, which is said once, and all
                else is the same.
                Where its list gives no sizes, every message is retrieved whole.",
            flag: Some(Flag {
                help: "Retrieve only the headers of larger messages",
                more: "All of one comes after `popsync mark`. Units as for --max-size.",
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
            text: r"
                Whether such a message has a stub in the Maildir:
                its header, with a body that says how to get the rest.
                Once all of the message is stored, it takes the place of the stub,
                wherever a mail program has moved that.
                Who deletes a stub does not get it again, and deletes nothing on the server.",
            flag: Some(Flag {
                help: "Whether such a message has a stub in the Maildir: true or false",
                more: "
                    The stub is its header, with a body that says how to get the rest; the message
                    replaces it. Default: false.",
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
            text: r"
                Larger messages are skipped and stay on the server.
                A message that is listed as smaller and comes larger is not stored;
                at twice this size it is broken off, and the others are fetched in a further session.
                So is a message for which the file system has no room, whatever this key says.",
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
            text: "Retrieve at most this many messages in one run; the rest waits for the next.",
            flag: Some(Flag {
                help: "Retrieve at most this many messages in this run",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(|settings, most| settings.limits.max_messages = Some(most.value)),
    },
    Row {
        key: &Key {
            name: "max-octets",
            value: "SIZE",
            example: "\"1 GiB\"",
            section: Section::Limits,
            default: "no limit",
            text: "Retrieve at most this much in one run, but at least one message.",
            flag: Some(Flag {
                help: "Retrieve at most this many octets in this run",
                more: "Units as for --max-size. One message is retrieved in any case.",
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
            text: r"
                Log in again as long as new messages come, but at most this often.
                Some servers show a part of the mailbox in each session and the next part in the
                next one, as Gmail does with some hundred messages;
                there, something like 100 fetches all of it in one run.
                `max-messages` and `max-octets` count for the run as a whole.
                When the server takes no further session so soon (`[IN-USE]`, `[LOGIN-DELAY]`),
                it is tried again for some seconds, or after the time that the server wants,
                where that is shorter than `timeout`.
                When it still takes none, the run ends well, and the rest waits for the next.",
            flag: Some(Flag {
                help: "Log in again as long as new messages come, at most this often",
                more: "
                    For servers that show a part of the mailbox at a time, as Gmail. Default: 1.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(|settings, most| settings.limits.sessions = Some(most.value)),
    },
];
