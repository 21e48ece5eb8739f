//! A service and a timer for the user's systemd: systemd.service(5), systemd.timer(5).

use std::fmt::Write as _;

use super::{Interval, Plan, Reach};

/// The line that marks a unit as one that popsync may replace.
pub(super) const MARK: &str = "# Written by `popsync schedule`.";

/// The longest name of a unit, without `.service`: systemd allows 255 octets in all.
const LONGEST: usize = 200;

/// The service and the timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Units {
    /// The name of both, without the suffix.
    pub(in crate::cli) name: String,
    /// The text of the service.
    pub(in crate::cli) service: String,
    /// The text of the timer.
    pub(in crate::cli) timer: String,
}

impl Units {
    /// The units of a plan. None if their name would be too long.
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let name = name(&plan.accounts);
        (name.len() <= LONGEST).then(|| Self {
            service: service(plan),
            timer: timer(&name, plan.every),
            name,
        })
    }
}

/// `popsync` without accounts; otherwise with their names, so that several schedules can exist side
/// by side. Characters that a unit's name cannot have are escaped as by systemd-escape(1), and so
/// is a hyphen inside a name, which could be a separator. `systemd-analyze verify` gives a colon a
/// meaning.
fn name(accounts: &[String]) -> String {
    let mut name = String::from("popsync");
    for (place, account) in accounts.iter().enumerate() {
        name.push_str(if place == 0 { "-" } else { "--" });
        let bytes = account.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            let letter = |at: usize| bytes.get(at).is_some_and(|byte| *byte != b'-');
            let hyphen = byte == b'-' && at > 0 && letter(at - 1) && letter(at + 1);
            if byte.is_ascii_alphanumeric() || b"_.".contains(&byte) || hyphen {
                name.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(name, "\\x{byte:02x}");
            }
        }
    }
    name
}

fn service(plan: &Plan) -> String {
    let mut command = Vec::new();
    for (place, word) in plan.words().into_iter().enumerate() {
        command.push(quoted(&word, place > 0));
    }
    let mut text = format!(
        "{MARK}\n\
         [Unit]\n\
         Description=Fetch mail with popsync\n\
         Documentation=man:popsync-sync(1)\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={}\n\
         # \"Try again later\" is what the timer does anyway.\n\
         SuccessExitStatus=75\n",
        command.join(" ")
    );
    text.push_str(match plan.reach {
        Reach::Itself => ALONE,
        Reach::PasswordCommands => WITH_COMMANDS,
        Reach::DeliveryAgents => WITH_AGENTS,
    });
    text
}

/// Only popsync runs in the unit.
const ALONE: &str = "\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
# What needs a namespace, as ProtectSystem= and PrivateTmp=, is not here: many systems give users
# none, and in one of their own the files of root belong to nobody.
";

/// A password command is unknown, but it seldom needs the rights of another user.
const WITH_COMMANDS: &str = "\
UMask=0077
# Account settings name commands, which run in here: no limits on memory and system calls.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
";

/// A delivery agent may be setgid `mail`, and write for a group.
const WITH_AGENTS: &str = "\
# An account gives its mail to a delivery agent, which runs in here and may need other rights than
# popsync: this unit limits nothing.
";

fn timer(name: &str, every: Interval) -> String {
    format!(
        "{MARK}\n\
         # It runs while you are logged in; `loginctl enable-linger` lets it run without that.\n\
         # To stop it: systemctl --user disable --now '{name}.timer'\n\
         [Unit]\n\
         Description=Fetch mail with popsync every {every}\n\
         Documentation=man:popsync-schedule(1)\n\
         \n\
         [Timer]\n\
         OnCalendar={}\n\
         RandomizedDelaySec={}\n\
         FixedRandomDelay=yes\n\
         AccuracySec={}\n\
         Persistent=yes\n\
         \n\
         [Install]\n\
         WantedBy=timers.target\n",
        every.calendar(),
        every.longest_delay(),
        every.accuracy(),
    )
}

/// Quotes a word for `ExecStart=`, where quotes, backslashes and `%` are special, and `$` in all
/// words but the first.
fn quoted(word: &str, dollar: bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            '$' if dollar => text.push_str("$$"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(accounts: &[&str], program: &str) -> Plan {
        Plan {
            program: program.to_owned(),
            config: None,
            state_dir: None,
            accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
            every: "15m".parse().unwrap(),
            reach: Reach::Itself,
        }
    }

    #[test]
    fn two_schedules_never_share_a_name() {
        let names = [
            &[][..],
            &["work"],
            &["work", "home"],
            &["work:home"],
            &["work-home"],
            &["work--home"],
            &["work-", "home"],
            &["work", "-home"],
            &["work", "-", "home"],
            &["work home"],
            &["work/../home"],
            &["wörk"],
        ];
        let names: Vec<_> = names
            .iter()
            .map(|accounts| Units::new(&plan(accounts, "/p")).unwrap().name)
            .collect();
        insta::assert_debug_snapshot!(names, @r#"
        [
            "popsync",
            "popsync-work",
            "popsync-work--home",
            "popsync-work\\x3ahome",
            "popsync-work-home",
            "popsync-work\\x2d\\x2dhome",
            "popsync-work\\x2d--home",
            "popsync-work--\\x2dhome",
            "popsync-work--\\x2d--home",
            "popsync-work\\x20home",
            "popsync-work\\x2f..\\x2fhome",
            "popsync-w\\xc3\\xb6rk",
        ]
        "#);
        assert!(Units::new(&plan(&["x"; 200], "/p")).is_none());
    }

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        for (word, first, later) in [
            ("/usr/bin/popsync", "/usr/bin/popsync", "/usr/bin/popsync"),
            ("/a b", "\"/a b\"", "\"/a b\""),
            ("/100%", "\"/100%%\"", "\"/100%%\""),
            ("/$x", "\"/$x\"", "\"/$$x\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""),
            (";", "\";\"", "\";\""),
            ("it's", "\"it's\"", "\"it's\""),
            ("ä", "\"ä\"", "\"ä\""),
            ("", "\"\"", "\"\""),
        ] {
            assert_eq!(quoted(word, false), first);
            assert_eq!(quoted(word, true), later);
        }
    }

    #[test]
    fn a_unit_is_as_tight_as_what_runs_in_it_allows() {
        let service = |reach| {
            let plan = Plan {
                reach,
                ..plan(&[], "/p")
            };
            Units::new(&plan).unwrap().service
        };
        let alone = service(Reach::Itself);
        assert!(alone.contains("\nMemoryDenyWriteExecute=yes\n"));
        let commands = service(Reach::PasswordCommands);
        assert!(commands.contains("\nNoNewPrivileges=yes\n"));
        assert!(!commands.contains("\nSystemCallFilter="));
        let agents = service(Reach::DeliveryAgents);
        assert!(!agents.contains("\nNoNewPrivileges=") && !agents.contains("\nUMask="));
    }
}
