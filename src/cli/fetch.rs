//! `popsync fetch`: the flags of one account as settings.

use std::path::{Path, PathBuf};

use crate::account::{Account, LineEndings, PasswordSource};
use crate::config::{
    AlertKeys, Base, Error, Fault, Key, Origin, Problem, Setting, Settings, Store,
};
use crate::words;

use super::args::{Fetch, ServerFlags};

/// Makes an account of the command line.
pub(super) fn account(fetch: &Fetch, base: &Base) -> Result<Account, Error> {
    let account = settings(fetch, base)?.resolve(Key::Store, &Origin::Flag("URL"));
    Ok(account.map_err(Fault::from)?)
}

fn settings(fetch: &Fetch, base: &Base) -> Result<Settings, Fault> {
    let flags = &fetch.account;
    let mut settings = Settings {
        exec_timeout: flags.exec_timeout.map(|time| set("--exec-timeout", time)),
        leave_on_server: flags
            .leave_on_server
            .map(|leave| set("--leave-on-server", leave)),
        headers_only_above: flags
            .headers_only_above
            .map(|size| set("--headers-only-above", size)),
        header_stubs: flags.header_stubs.map(|stubs| set("--header-stubs", stubs)),
        remove_when_deleted_locally: flags
            .remove_when_deleted_locally
            .map(|follow| set("--remove-when-deleted-locally", follow)),
        max_deletions: flags
            .max_deletions
            .map(|count| set("--max-deletions", count)),
        max_size: flags.max_size.map(|size| set("--max-size", size)),
        max_messages: flags.max_messages.map(|count| set("--max-messages", count)),
        max_octets: flags.max_octets.map(|size| set("--max-octets", size)),
        sessions: flags
            .sessions_per_run
            .map(|count| set("--sessions-per-run", count)),
        line_endings: flags.line_endings.as_deref().map(|style| {
            let style = match style {
                "crlf" => LineEndings::Crlf,
                _ => LineEndings::Lf,
            };
            set("--line-endings", style)
        }),
        alerts: AlertKeys {
            complain_after: flags
                .complain_after
                .map(|time| set("--complain-after", time)),
            ..AlertKeys::default()
        },
        ..server(&fetch.url, &flags.server, base)?
    };
    if let Some(folder) = &fetch.store.maildir {
        let folder = path("--maildir", "maildir", folder, base)?;
        settings.set_store(folder.map(Store::Maildir))?;
    }
    if let Some(file) = &fetch.store.mbox {
        settings.set_store(path("--mbox", "mbox", file, base)?.map(Store::Mbox))?;
    }
    if let Some(line) = &fetch.store.exec {
        let command = command_words("--exec", "exec", line)?;
        settings.set_store(command.map(Store::Exec))?;
    }
    if let Some(line) = &flags.on_new_mail {
        let command = command_words("--on-new-mail", "on-new-mail", line)?;
        settings.alerts.on_new_mail = Some(command);
    }
    if let Some(line) = &flags.on_failure {
        let command = command_words("--on-failure", "on-failure", line)?;
        settings.alerts.on_failure = Some(command);
    }
    if let Some(days) = flags.remove_after_days {
        settings.set_days(set("--remove-after-days", Some(days)))?;
    }
    settings.finish_layer()?;
    Ok(settings)
}

/// What a URL and its flags say about getting to a mailbox.
pub(super) fn server(url: &str, flags: &ServerFlags, base: &Base) -> Result<Settings, Fault> {
    let url = url
        .parse()
        .map_err(|error| Fault::new(&Origin::Flag("URL"), Problem::Server(error)))?;
    let mut settings = Settings {
        server: Some(set("URL", url)),
        auth: flags.auth.map(|method| set("--auth", method)),
        profile: flags.profile.map(|name| set("--profile", name)),
        timeout: flags.timeout.map(|time| set("--timeout", time)),
        route: flags.route.keys(base)?,
        tls: flags.tls.setting(base)?,
        ..Settings::default()
    };
    if let Some(user) = &flags.user {
        settings.set_user(set("--user", user.clone()))?;
    }
    if let Some(command) = &flags.password_command {
        let line = command_line("--password-command", "password-command", command)?;
        settings.set_password(line.map(PasswordSource::Command))?;
    }
    if let Some(command) = &flags.oauth_token_command {
        let line = command_line("--oauth-token-command", "oauth-token-command", command)?;
        settings.set_password(line.map(PasswordSource::TokenCommand))?;
    }
    if let Some(file) = &flags.password_file {
        let file = path("--password-file", "password-file", file, base)?;
        settings.set_password(file.map(PasswordSource::File))?;
    }
    if let Some(file) = &flags.password_netrc {
        let file = path("--password-netrc", "password-netrc", file, base)?;
        settings.set_password(file.map(PasswordSource::Netrc))?;
    }
    Ok(settings)
}

pub(super) fn path(
    flag: &'static str,
    key: &'static str,
    path: &Path,
    base: &Base,
) -> Result<Setting<PathBuf>, Fault> {
    let path = base
        .expand(path)
        .map_err(|error| Fault::new(&Origin::Flag(flag), Problem::Path { key, error }))?;
    Ok(set(flag, path))
}

fn command_line(
    flag: &'static str,
    key: &'static str,
    command: &str,
) -> Result<Setting<String>, Fault> {
    if command.trim().is_empty() {
        return Err(Fault::new(
            &Origin::Flag(flag),
            Problem::EmptyCommand { key },
        ));
    }
    Ok(set(flag, command.to_owned()))
}

/// A command in one line, split into words without a shell.
fn command_words(
    flag: &'static str,
    key: &'static str,
    line: &str,
) -> Result<Setting<Vec<String>>, Fault> {
    let words = words::split(line);
    let command =
        words.map_err(|error| Fault::new(&Origin::Flag(flag), Problem::Command { key, error }))?;
    Ok(set(flag, command))
}

pub(super) fn set<T>(flag: &'static str, value: T) -> Setting<T> {
    Setting {
        value,
        origin: Origin::Flag(flag),
    }
}
