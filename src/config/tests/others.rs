//! Files that somebody else wrote, or may have.

use std::io;
use std::os::unix::fs::{PermissionsExt, chown};

use super::*;
use crate::failure::Failure;

const ACCOUNT: &str = "[accounts.work]\nserver = \"pop3s://anna@mail\"\nmaildir = \"/m\"\n";

fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::File::create(&path)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

#[test]
fn a_file_that_others_can_write_to_is_refused() {
    for mode in [0o660, 0o664, 0o666, 0o602, 0o620] {
        let (_folder, path) = file(ACCOUNT, mode);
        let error = Config::load(&path).unwrap_err();
        let expected = format!(
            "{} can be written to by others (mode {mode:03o})",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.exit(), Exit::Config);
        let advice = format!("run `chmod go-w {}`", path.display());
        assert_eq!(error.hint().unwrap(), advice);
    }
    for mode in [0o400, 0o600, 0o644, 0o755] {
        let (_folder, path) = file(ACCOUNT, mode);
        assert!(Config::load(&path).is_ok(), "{mode:o}");
    }
}

/// It runs them with the rights of whoever runs popsync.
#[test]
fn commands_in_a_file_of_somebody_else_are_not_run() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make such a file.
        return;
    }
    let with = |line: &str| {
        let (folder, path) = file(&format!("{ACCOUNT}{line}\n"), 0o644);
        chown(&path, Some(12_345), None).unwrap();
        (folder, Config::load(&path))
    };
    for line in [
        "password-command = \"pass show work\"",
        "on-new-mail = \"notify-send mail\"",
        "on-failure = \"notify-send failure\"",
        "oauth-token-command = \"oama\"\nauth = \"xoauth2\"",
        "oauth = { provider = \"google\", client-id = \"x\", client-secret-command = \"y\" }\n\
         auth = \"xoauth2\"",
    ] {
        let (_folder, config) = with(line);
        let error = config.expect_err(line);
        assert_eq!(error.exit(), Exit::Config, "{line}: {error}");
        let words = error.to_string();
        assert!(words.contains("belongs to user 12345"), "{line}: {words}");
    }
    let agent = ACCOUNT.replace("maildir = \"/m\"", "exec = \"maildrop\"");
    let (_folder, path) = file(&agent, 0o644);
    assert!(Config::load(&path).is_ok());
    chown(&path, Some(12_345), None).unwrap();
    assert!(Config::load(&path).is_err());
    // A file that names no program does no harm.
    let (_folder, config) = with("password-file = \"/secret\"");
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn a_mark_in_front_of_the_text_is_read_over() {
    let marked = format!("\u{feff}{ACCOUNT}");
    let (_folder, path) = file(&marked, 0o600);
    assert_eq!(Config::load(&path).unwrap().accounts[0].name, "work");
    // Nor does it move the place of a mistake.
    insta::assert_snapshot!(shown(parse("\u{feff}uzer = 1\n")), @r"
    config.toml:1:1: unknown key `uzer`
      |
    1 | uzer = …
      | ^^^^
    known here: defaults, accounts, accounts-from, template; the keys of an account stand below `[defaults]` or `[accounts.NAME]`
    ");
    let keys: Keys = vec![
        ("server", "pop3s://anna@other".into()),
        ("maildir", "/n".into()),
    ];
    add_account(&path, "home", &keys).unwrap();
    assert_eq!(Config::load(&path).unwrap().accounts.len(), 2);
    let config = Config::load(&path).unwrap();
    assert_eq!(config.remove("work").unwrap(), path);
    assert_eq!(Config::load(&path).unwrap().accounts[0].name, "home");
}
