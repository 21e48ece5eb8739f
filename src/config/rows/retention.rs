//! The keys by which mail leaves the server.

use crate::config::given::MOST_MESSAGES;
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
                The version of Outlook to imitate, or `"rfc1939"` for the generic client.
                The generic client follows RFC 1939 and its extensions where Outlook differs from
                them:
                over TLS it sends USER and PASS together if the server announces PIPELINING,
                it can use APOP, and only a lone dot ends a list."#,
            flag: Some(Flag {
                help: "Version of Outlook to imitate [default: outlook-2019]",
                more: "
                    One of outlook-2007, outlook-2010, outlook-2013, outlook-2016, outlook-2019,
                    outlook-2021, outlook-2024, outlook-new. Those up to 2016 delete messages on the
                    server once they are stored, unless --leave-on-server true is set. Or rfc1939,
                    the generic client, for servers that were not made for Outlook.",
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
            text: "
                `true` keeps messages on the server after they are stored.
                `false` deletes a message in the session that stored it,
                or later, when its copy is found in the store.
                A message that you deleted here first stays on the server, since that is the last
                copy,
                unless `remove-when-deleted-locally` is `true`.
                The profiles up to `outlook-2016` have `false`;
                `outlook-2019`, later ones and `rfc1939` have `true`.
                With `remove-after-days` or `remove-when-deleted-locally` the default is `true`.
                With the latter you may write `false`; then every message is deleted at once.",
            flag: Some(Flag {
                help: "Keep stored messages on the server: true or false",
                more: "Default: that of the profile, which is true for outlook-2019 and later.",
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
            text: "
                Deletes a message on the server this many days after it was stored,
                if its copy is found in the store.
                A message that you deleted here first stays on the server,
                unless `remove-when-deleted-locally` is `true`.
                From 1 to 36500.",
            flag: Some(Flag {
                help: "Delete messages on the server this many days after storing them",
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
            text: "
                Deletes a message on the server when no folder of the Maildir has it any more.
                A message that was read, flagged, moved or filed is not deleted:
                it may have another name, be compressed or be a link,
                and it may be in a sub-folder of any layout or in a Maildir++ folder beside the
                account's.
                While a folder cannot be read, or other programs keep changing the Maildir,
                nothing is deleted for this reason, and popsync reports that once.
                A Maildir or mbox that was restored from a backup lacks later messages;
                nobody deleted them, and they stay on the server.
                If only the last messages of an mbox are missing, they stay on the server too,
                since a restored file looks the same.
                A message that was deleted here does not come back.
                If the server shows it under another unique-id, only its content can identify it:
                popsync retrieves it, and does not store it.",
            flag: Some(Flag {
                help: "Delete messages on the server that you deleted here: true or false",
                more: "
                    A message counts as deleted when no folder of the Maildir has it any more; a
                    message that was read, flagged, moved or filed stays. Default: false. Implies
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
            name: "remove-imported",
            value: "BOOL",
            example: "true",
            section: Section::Deletion,
            default: "`false`",
            text: "
                `true` lets messages that `popsync import` took over leave the server by the keys
                above, once their copies are found in the Maildir.
                Without it they stay there, whatever the other keys say:
                another program downloaded them, and only it knew where it put them.
                popsync looks for a file with the message's header, in the Maildir and the folders
                beside it that bear its name, and retrieves the message once.
                The file is its copy only if it has the retrieved message in full:
                the same bytes to the end, apart from line ends and from fields that the other
                program wrote above the header.
                Each message needs a file of its own.
                The next run counts it as stored at that time, and decides as for any other.
                If no copy is found, popsync looks again after a day.
                A dry run does not look.
                Needs a Maildir.",
            flag: Some(Flag {
                help: "Let imported messages leave the server once their copies are found",
                more: "
                    Messages that popsync import took over stay on the server, whatever the other
                    settings say. With this, popsync looks for their copies in the Maildir,
                    retrieves each message once to compare it, and treats those with the same
                    content as stored. Default: false.",
                bare: Some("true"),
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Boolean(|settings, imported| settings.remove_imported = Some(imported)),
    },
    Row {
        key: &Key {
            name: "max-deletions",
            value: "N",
            example: "500",
            section: Section::Deletion,
            default: "`500`",
            text: "
                A run that would delete more messages of earlier runs than this deletes none;
                see Brakes below.",
            flag: Some(Flag {
                help: "Delete at most this many messages of earlier runs, or none [default: 500]",
                more: "
                    A run that would delete more, or more than half of the mailbox, deletes nothing
                    and reports it. Messages that this run stores do not count. Messages that
                    --remove-after-days has announced do not count towards the half. See --allow-
                    mass-delete.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Count(MOST_MESSAGES, |settings, most| {
            settings.retention.max_deletions = most.value.get()
        }),
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
