//! The keys that say when mail leaves the server.

use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;
use crate::profile::Profile;

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &Key {
            name: "profile",
            value: "NAME",
            example: "\"outlook-2019\"",
            section: Section::Defaults,
            default: "`\"outlook-2019\"`",
            text: r#"
                The version of Outlook to be, or `"rfc1939"` for the generic client.
                The generic client keeps to RFC 1939 and its extensions where Outlook does otherwise:
                over TLS it sends USER and PASS together where the server announces PIPELINING,
                it can use APOP, and only a lone dot ends a list for it."#,
            flag: Some(Flag {
                help: "Version of Outlook to be [default: outlook-2019]",
                more: "
                    One of outlook-2007, outlook-2010, outlook-2013, outlook-2016, outlook-2019,
                    outlook-2021, outlook-2024, outlook-new. Those up to 2016 delete messages from
                    the server once they are stored, unless --leave-on-server says otherwise. Or
                    rfc1939, the generic client, for servers that never meant to serve Outlook.",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Choice(&PROFILES, |settings, name| {
            settings.profile = Some(name.value.parse().unwrap_or_default());
        }),
    },
    Row {
        key: &Key {
            name: "leave-on-server",
            value: "BOOL",
            example: "true",
            section: Section::Deletion,
            default: "that of the profile",
            text: r"
                Whether messages stay on the server once they are stored.
                The profile says `false` up to `outlook-2016`, and `true` from `outlook-2019` on
                and for `rfc1939`.
                With `false` a message is deleted in the session that stored it, or later,
                when its copy is found in the store.
                A message that was deleted here first stays on the server,
                unless `remove-when-deleted-locally` is `true`: the server's copy is the last one.
                With `remove-after-days` or `remove-when-deleted-locally` it is `true`,
                unless `false` is written with the latter: then all is deleted at once.",
            flag: Some(Flag {
                help: "Whether stored messages stay on the server: true or false",
                more: "Default: what the profile does; true for outlook-2019 and later.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Boolean(|settings, leave| settings.leave_on_server = Some(leave.value)),
    },
    Row {
        key: &Key {
            name: "remove-after-days",
            value: "DAYS",
            example: "14",
            section: Section::Deletion,
            without: "to keep messages on the server",
            default: "never",
            text: r"
                Delete a message on the server this many days after it was stored,
                when its copy is found in the store.
                A message that was deleted here first stays on the server,
                unless `remove-when-deleted-locally` is `true`.
                From 1 to 36500.",
            flag: Some(Flag {
                help: "Delete from the server this many days after storing",
                more: "Default: never. Implies --leave-on-server true.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Days(|settings, days| settings.remove_after_days = Some(days)),
    },
    Row {
        key: &Key {
            name: "remove-when-deleted-locally",
            value: "BOOL",
            example: "true",
            section: Section::Deletion,
            default: "`false`",
            text: r"
                Delete a message on the server once no folder of the Maildir holds it any more.
                A message that was read, flagged, moved or filed, under its name or another,
                in a sub-folder of whatever layout, in a Maildir++ folder beside the account's,
                also by a link or compressed, is not deleted.
                As long as a folder cannot be read, or other programs keep changing the Maildir,
                nothing is deleted for this reason, which is said once.
                A Maildir or mbox that was brought back from a backup has lost what came later;
                nobody deleted that, and it stays on the server.
                So do the last messages of an mbox where these are missing and nothing in front of
                them has changed, since a restored file looks the same.
                A message that was deleted here does not come back.
                Where the server shows it under another unique-id, its content has to tell:
                it is retrieved, and not stored.",
            flag: Some(Flag {
                help: "Delete from the server what was deleted from the Maildir: true or false",
                more: "
                    A message counts as deleted when no folder of the Maildir holds it any more;
                    read, flagged, moved or filed, it stays. Default: false. Implies
                    --leave-on-server true.",
                bare: Some("true"),
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Boolean(|settings, follow| settings.remove_when_deleted_locally = Some(follow)),
    },
    Row {
        key: &Key {
            name: "max-deletions",
            value: "N",
            example: "500",
            section: Section::Deletion,
            default: "`500`",
            text: r"
                A run that would delete more than so many messages of earlier runs deletes none;
                see Brakes below.",
            flag: Some(Flag {
                help: "Delete at most this many messages of earlier runs, else none [default: 500]",
                more: "
                    A run that would delete more, or more than half of the mailbox, deletes nothing
                    and says so. Messages that this run stores do not count, and to the half those
                    do not count that --remove-after-days has announced. See --allow-mass-delete.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(|settings, most| settings.retention.max_deletions = most.value.get()),
    },
];

/// The values of `profile`.
const PROFILES: [&str; Profile::ALL.len()] = {
    let mut names = [""; Profile::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Profile::ALL[index].name();
        index += 1;
    }
    names
};
