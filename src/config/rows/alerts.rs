//! The keys of the reports to a person.

use crate::config::key::{Flag, Key, Section};
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &Key {
            name: "complain-after",
            value: "TIME",
            example: "\"3h\"",
            section: Section::Alerts,
            default: "at once",
            text: "
                A run without a terminal reports some failures only after an account has failed for
                this long:
                its server cannot be reached (exit status 69), or is busy, locks the mailbox or
                falls silent (75).
                So cron sends no mail if a server is away for an hour.
                If it stays away, each run reports it, with the time of the first failure.
                popsync reports all other failures at once.
                `popsync log` and `popsync status` show each run.
                The exit status does not change: cron ignores it, and systemd marks the unit as
                failed.
                The unit may also be `d`, or `runs`:
                `\"3 runs\"` reports from the third failed run in a row on.",
            flag: Some(Flag {
                help: "Report a server that cannot be reached only after TIME",
                more: "
                    For runs without a terminal, as from cron: they are silent until the mailbox has
                    failed with 69 or 75 for this long. The exit status does not change. In seconds,
                    or with a unit: s, m, h, d, or runs, as in \"3 runs\". Default: at once.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Patience(|settings, patience| {
            settings.alerts.complain_after = Some(patience.value);
        }),
    },
    Row {
        key: &Key {
            name: "on-new-mail",
            value: "CMD",
            example: "\"notmuch new\"",
            section: Section::Alerts,
            text: "
                popsync runs this program after a run that brought new messages.
                See HOOKS below.",
            secret: true,
            flag: Some(Flag {
                help: "Program to run after new messages have come",
                more: "
                    A program and its arguments; no shell is used. It gets the counts as JSON on its
                    standard input.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Words(|settings, command| {
            settings.alerts.on_new_mail = Some(command.value);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "on-failure",
            value: "CMD",
            example: "\"notify-send 'popsync failed'\"",
            section: Section::Alerts,
            text: "
                popsync runs this program after a run that failed.
                See HOOKS below.",
            secret: true,
            flag: Some(Flag {
                help: "Program to run after a run has failed",
                more: "
                    As for --on-new-mail. It does not run while --complain-after keeps popsync
                    silent.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Words(|settings, command| {
            settings.alerts.on_failure = Some(command.value);
            Ok(())
        }),
    },
];
