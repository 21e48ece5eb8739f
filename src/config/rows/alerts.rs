//! The keys that say when a person hears of the runs.

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
            text: r"
                How long an account may fail because its server cannot be reached (exit status 69),
                or is busy, locks the mailbox or falls silent (75), before a run without a terminal
                says so.
                A server that is away for an hour then makes cron send no mail;
                one that stays away makes each run say so, with the time since when it has failed.
                All other failures are said at once.
                `popsync log` and `popsync status` show each run, and the exit status of popsync is
                what it is without this: cron does not look at it, systemd calls the unit failed.
                The unit may be `d` here, too.",
            flag: Some(Flag {
                help: "Complain of a server that cannot be reached only after TIME",
                more: "
                    For runs without a terminal, as by cron: they stay silent while the mailbox
                    fails with 69 or 75 and has not done so for as long. The exit status is what it
                    is without this. In seconds, or with a unit: s, m, h or d. Default: at once.",
                ..Flag::ACCOUNT
            }),
            ..Key::ACCOUNT
        },
        set: Set::Span(|settings, time| settings.alerts.complain_after = Some(time.value)),
    },
    Row {
        key: &Key {
            name: "on-new-mail",
            value: "CMD",
            example: "\"notmuch new\"",
            section: Section::Alerts,
            text: r"
                A program to run when a run has brought new messages.
                See HOOKS below.",
            secret: true,
            flag: Some(Flag {
                help: "Program to run once new messages have come",
                more: "
                    A program and its arguments; no shell is used. Its standard input has the counts
                    as JSON.",
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
            text: r"
                A program to run when a run has failed.
                See HOOKS below.",
            secret: true,
            flag: Some(Flag {
                help: "Program to run when a run has failed",
                more: "
                    As for --on-new-mail. It is not run while --complain-after keeps popsync
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
