//! The text after the options in `--help`.

use crate::exit::Exit;

/// The widest line, as for the rest of the help.
const WIDTH: usize = 79;

/// For the whole program.
pub(super) fn after() -> String {
    format!(
        "\
Examples:
  popsync fetch pop3s://anna@mail.example.com --maildir ~/Mail
          Fetch one mailbox; again later, only what is new
  popsync sync
          Sync all accounts of the configuration file
  popsync sync work --dry-run
          Say what would happen to one account
  popsync man
          Read the manual; `popsync man config` for the configuration file

Files:
  ~/.config/popsync/config.toml
          Accounts and their settings
  ~/.local/state/popsync/
          What was retrieved from where

Environment:
  POPSYNC_CONFIG
          Configuration file, as --config
  POPSYNC_STATE_DIR
          State folder, as --state-dir
  POPSYNC_PASSWORD
          Password of accounts that have it nowhere else
  NO_COLOR
          No colour, as --color never

{}",
        exit_statuses()
    )
}

/// For `popsync fetch`.
pub(super) fn fetch() -> &'static str {
    "\
Examples:
  popsync fetch pop3s://anna@mail.example.com --maildir ~/Mail
  popsync fetch pop3s://anna@mail.example.com --maildir ~/Mail --remember
  popsync fetch pop3s://anna@example.com@mail.example.com --maildir ~/Mail \\
      --password-command 'pass show mail' --leave-on-server false
  popsync fetch pop3s://anna@mail.example.com --mbox ~/Mail/inbox
  popsync fetch pop3s://anna@mail.example.com --exec 'maildrop -d anna'
  popsync fetch pop3://mail.example.com --user anna --maildir ~/Mail --dry-run

Exit statuses are those of `popsync --help`."
}

/// For `popsync account add`.
pub(super) fn add() -> &'static str {
    "\
Examples:
  popsync account add anna@example.com
  popsync account add anna@example.com --name work \\
      --server pop3s://mail.example.com --password-command 'pass show work'

Exit statuses are those of `popsync --help`."
}

/// For `popsync config check`.
pub(super) fn config_check() -> &'static str {
    "\
Examples:
  popsync config check
  popsync config check --config new.toml
  popsync config check --json | jq -r .message

The exit status is 78 where there is a mistake."
}

/// For `popsync config schema`.
pub(super) fn config_schema() -> &'static str {
    "\
Examples:
  popsync config schema > ~/.config/popsync/schema.json
  popsync config schema | jq '.\"$defs\".account.properties | keys'

An editor that uses Taplo reads it where the first line of config.toml is
  #:schema ./schema.json"
}

/// For `popsync verify`.
pub(super) fn verify() -> &'static str {
    "\
Examples:
  popsync verify
  popsync verify work --server
  popsync verify work --repair
  popsync verify work --read-data-subset 5%

The exit status is 1 where a message is missing, damaged, or not recorded."
}

/// For `popsync forget`.
pub(super) fn forget() -> &'static str {
    "\
Examples:
  popsync status --all
  popsync forget old-work

Exit statuses are those of `popsync --help`; 75 while a run is at work on it."
}

/// For `popsync report`.
pub(super) fn report() -> &'static str {
    "\
Examples:
  popsync report --html report.html
  popsync report work home --html ~/public_html/mail.html
  popsync report --html fleet.html --merge /volumes/shard-*/state

Exit statuses are those of `popsync --help`."
}

/// For `popsync export`.
pub(super) fn export() -> &'static str {
    "\
Examples:
  popsync export work --mbox work.mbox
  popsync export --tar backup.tar.zst
  popsync export work --eml 2024 --since 2024-01-01 --until 2024-12-31
  (cd 2024 && sha256sum -c --quiet SHA256SUMS)

The exit status is 1 where a message is missing or damaged, and 73 where
something is at the target already; else as in `popsync --help`."
}

/// For `popsync import`.
pub(super) fn import() -> &'static str {
    "\
Examples:
  popsync import work --from mpop ~/.mpop_uidls/anna_at_mail.example.com
  popsync import work --from fetchmail ~/.fetchids --mailbox anna@mailhost
  popsync import work --from-store
  popsync import work --seed

Exit statuses are those of `popsync --help`; 65 where FILE is not such a list,
or not of this mailbox."
}

/// For `popsync login`.
pub(super) fn login() -> &'static str {
    "\
Examples:
  popsync login work
  popsync login pop3s://anna@mail.example.com
  pass show mail/work | popsync login work --no-test

Exit statuses are those of `popsync --help`."
}

/// For `popsync list`.
pub(super) fn list() -> &'static str {
    "\
Examples:
  popsync list work
  popsync list work --local
  popsync list work --json | jq 'select(.state == \"new\")'

The exit status is the one that a sync would end with."
}

/// For `popsync log`.
pub(super) fn log() -> &'static str {
    "\
Examples:
  popsync log
  popsync log work -n 100
  popsync log --verifications
  popsync log --json | jq 'select(.exit != 0)'"
}

/// For `popsync mark` and `popsync unmark`.
pub(super) fn mark() -> &'static str {
    "\
Examples:
  popsync list work
  popsync mark work 69 71
  popsync unmark work 71"
}

/// For `popsync probe`.
pub(super) fn probe() -> &'static str {
    "\
Examples:
  popsync probe work
  popsync probe pop3s://anna@mail.example.com --deep
  popsync probe work --json | jq 'select(.verdict == \"deviates\")'

The exit status is the one that a sync would end with."
}

/// For `popsync schedule`.
pub(super) fn schedule() -> &'static str {
    "\
Examples:
  popsync schedule
  popsync schedule --install
  popsync schedule work --every 5m --install
  popsync schedule --cron --every 1h

Exit statuses are those of `popsync --help`; 75 where systemd or cron is not
there or refuses."
}

/// For `popsync status`.
pub(super) fn status() -> &'static str {
    "\
Examples:
  popsync status
  popsync status work
  popsync status --json | jq .last_success
  popsync status --merge /volumes/shard-*/state
  popsync status --check --max-age 6h
  popsync status --metrics /var/lib/node_exporter/popsync.prom

With --check the exit status is 0, 1, 2 or 3, as for monitoring plugins."
}

/// For `popsync sync`.
pub(super) fn sync() -> &'static str {
    "\
Examples:
  popsync sync
  popsync sync work home --jobs 2
  popsync sync --every 15m
  popsync sync --json | jq 'select(.event == \"summary\")'

With several accounts the exit status is the highest one of any account;
`popsync --help` lists them."
}

/// The table of exit statuses.
fn exit_statuses() -> String {
    let mut text = String::from("Exit status:");
    for (exit, meaning) in Exit::TABLE {
        let mut line = format!("\n  {:>3}  ", exit.code());
        let mut width = line.len() - 1;
        for word in meaning.split(' ') {
            if width + 1 + word.len() > WIDTH {
                line.push_str("\n      ");
                width = 6;
            }
            line.push(' ');
            line.push_str(word);
            width += 1 + word.len();
        }
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_a_terminal() {
        for text in [
            &after(),
            add(),
            config_check(),
            config_schema(),
            export(),
            fetch(),
            forget(),
            import(),
            verify(),
            list(),
            log(),
            login(),
            mark(),
            probe(),
            schedule(),
            status(),
            sync(),
        ] {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}
