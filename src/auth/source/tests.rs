use std::fs::{self, File, Permissions};
use std::io::{IsTerminal, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::process::Pid;

use super::*;
use crate::auth::argument::BadByte;
use crate::auth::private_file::{self, FileError};
use crate::exit::Exit;
use crate::failure::Failure;

const KEY: &str = "password-command";

const SHORT: Duration = Duration::from_millis(300);

/// A file in a folder of its own, with this mode.
fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    File::create(&path).unwrap().write_all(content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

async fn from_file(path: &Path) -> Result<SecretString, Error> {
    let content = file::content(path.to_owned(), SHORT).await?;
    first_line(content, Origin::File(path.to_owned()))
}

async fn from_command(line: &str) -> Result<SecretString, Error> {
    first_line(
        command::output(line, KEY, Duration::from_secs(20)).await?,
        Origin::Command(KEY),
    )
}

#[tokio::test]
async fn the_first_line_of_a_file_counts() {
    let table: [(&[u8], &str); 5] = [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b" two words \nuser: anna\n", " two words "),
        (b"a\n\n\n", "a"),
    ];
    for (content, expected) in table {
        let (_folder, path) = file(content, 0o600);
        let secret = from_file(&path).await.unwrap();
        assert_eq!(secret.expose_secret(), expected);
    }
}

#[tokio::test]
async fn a_file_without_a_password_is_refused() {
    for content in [&b""[..], b"\n", b"\r\nhunter2"] {
        let (_folder, path) = file(content, 0o600);
        let error = from_file(&path).await.unwrap_err();
        assert!(matches!(error, Error::Empty { .. }), "{error:?}");
        assert_eq!(error.exit(), Exit::NoPermission);
    }
}

#[tokio::test]
async fn what_pass_cannot_carry_is_refused_without_being_shown() {
    let table: [(&[u8], BadByte); 4] = [
        (b"geheim\rDELE 1", BadByte::CarriageReturn),
        (b"geheim\0", BadByte::Nul),
        (b"geheim\x1b[2J", BadByte::Control),
        (b"geheim\xff", BadByte::NotUtf8),
    ];
    for (content, expected) in table {
        let (_folder, path) = file(content, 0o600);
        let error = from_file(&path).await.unwrap_err();
        assert!(matches!(&error, Error::BadByte { byte, .. } if *byte == expected));
        assert_eq!(error.exit(), Exit::Config);
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("geheim"));
    }
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o644, 0o660] {
        let (_folder, path) = file(b"hunter2", mode);
        let error = from_file(&path).await.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::File {
                    error: FileError::Mode { .. },
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(error.exit(), Exit::Config);
        let hint = error.hint().unwrap();
        assert_eq!(hint, format!("run `chmod 600 {}`", path.display()));
    }
    for mode in [0o400, 0o600, 0o620] {
        let (_folder, path) = file(b"hunter2", mode);
        assert!(from_file(&path).await.is_ok(), "{mode:o}");
    }
}

/// Some editors write a byte order mark.
#[tokio::test]
async fn a_mark_in_front_of_the_password_is_read_over() {
    for content in ["\u{feff}hunter2", "\u{feff}hunter2\r\nuser: anna\n"] {
        let (_folder, path) = file(content.as_bytes(), 0o600);
        assert_eq!(from_file(&path).await.unwrap().expose_secret(), "hunter2");
        let line = private_file::first_line(&path, 7).unwrap();
        assert_eq!(line.as_slice(), b"hunter2");
        assert!(private_file::first_line(&path, 6).is_err());
    }
    let (_folder, path) = file("\u{feff}".as_bytes(), 0o600);
    let error = from_file(&path).await.unwrap_err();
    assert!(matches!(error, Error::Empty { .. }), "{error:?}");
    let netrc = "\u{feff}machine m login anna password hunter2";
    let (_folder, path) = file(netrc.as_bytes(), 0o600);
    let server = crate::account::Server {
        host: "m".to_owned(),
        port: 995,
        security: crate::account::Security::ImplicitTls,
    };
    let password = netrc::read(&path, &server, "anna").unwrap();
    assert_eq!(password.as_slice(), b"hunter2");
}

#[tokio::test]
async fn a_file_of_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make such a file.
        return;
    }
    let (_folder, path) = file(b"hunter2", 0o600);
    std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
    let error = from_file(&path).await.unwrap_err();
    let Error::File { error, .. } = error else {
        panic!("{error:?}");
    };
    assert!(matches!(error, FileError::Owner { owner: 12_345, .. }));
}

#[tokio::test]
async fn an_endless_file_ends() {
    let error = first_line(
        Zeroizing::new(vec![b'a'; LIMIT + 1]),
        Origin::File("/dev/zero".into()),
    )
    .unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }));
    let (_folder, path) = file(&vec![b'a'; 10 * LIMIT], 0o600);
    assert!(matches!(from_file(&path).await, Err(Error::TooLong { .. })));
}

#[tokio::test]
async fn a_missing_file_and_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let error = from_file(&path).await.unwrap_err();
        assert!(
            matches!(
                &error,
                Error::File {
                    error: FileError::Io(_),
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains(path.to_str().unwrap()));
    }
}

#[tokio::test]
async fn a_pipe_gives_the_password() {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"hunter2\n").unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    // The writer stays open: only the first line is waited for.
    let secret = from_file(&path).await.unwrap();
    assert_eq!(secret.expose_secret(), "hunter2");
}

#[tokio::test]
async fn a_silent_pipe_times_out() {
    let (reader, _writer) = io::pipe().unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    let error = from_file(&path).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn the_first_line_of_a_command_counts() {
    for line in ["echo hunter2", "printf 'hunter2\\r\\nuser: anna\\n'"] {
        let secret = from_command(line).await.unwrap();
        assert_eq!(secret.expose_secret(), "hunter2");
    }
}

#[tokio::test]
async fn a_failing_command_tells_its_status_and_not_its_output() {
    let error = from_command("echo geheim; exit 3").await.unwrap_err();
    assert_eq!(error.to_string(), "password-command failed: exit status: 3");
    assert_eq!(error.exit(), Exit::NoPermission);
    let error = from_command("kill -9 $$").await.unwrap_err();
    assert!(error.to_string().contains("SIGKILL"), "{error}");
}

#[tokio::test]
async fn a_command_that_prints_nothing_gives_no_password() {
    let error = from_command("true").await.unwrap_err();
    assert_eq!(error.to_string(), "password-command gave no password");
}

#[tokio::test]
async fn a_command_that_prints_for_ever_is_ended() {
    let error = from_command("yes").await.unwrap_err();
    assert!(matches!(error, Error::TooLong { .. }), "{error:?}");
}

#[tokio::test]
async fn a_command_and_its_children_are_killed_when_time_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late");
    let line = format!("(sleep 1; echo > '{}') & sleep 30", late.display());
    let start = Instant::now();
    let error = command::output(&line, KEY, SHORT).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
    if !io::stdin().is_terminal() {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!late.exists(), "a child of the command lived on");
    }
}

#[test]
fn a_path_in_advice_can_be_pasted_into_a_shell() {
    let error = FileError::Mode {
        path: "/home/anna/it's mine".into(),
        mode: 0o644,
    };
    assert_eq!(
        error.hint().unwrap(),
        r"run `chmod 600 '/home/anna/it'\''s mine'`"
    );
}

#[tokio::test]
async fn a_command_that_fails_is_quoted() {
    for (line, expected) in [
        ("echo no such entry >&2; exit 3", Some("no such entry")),
        (
            "echo one >&2; echo ' two ' >&2; echo >&2; exit 3",
            Some("two"),
        ),
        ("exit 3", None),
        // The password itself, for example by `set -x`.
        ("echo hunter2; echo + echo hunter2 >&2; exit 3", None),
        (
            "echo hunter2-hunter2; echo HUNTER2 HUNTER2 >&2; exit 3",
            None,
        ),
        ("printf 'pw\n'; echo it is pw >&2; exit 3", None),
        // A line so long that its beginning is not kept.
        (
            "token=$(seq -s x 2000); echo $token; echo $token >&2; exit 3",
            None,
        ),
        (
            "yes 0123456789 | head -c 1100000 >&2; echo end >&2; exit 3",
            Some("end"),
        ),
    ] {
        let said = match from_command(line).await.unwrap_err() {
            Error::CommandFailed { said, .. } => said,
            error => panic!("{line}: {error:?}"),
        };
        // On a terminal the output goes there.
        if !io::stdin().is_terminal() {
            assert_eq!(said.as_deref(), expected, "{line}");
        }
    }
}

#[tokio::test]
async fn a_daemon_that_a_command_leaves_behind_is_not_waited_for() {
    if io::stdin().is_terminal() {
        // On a terminal it inherits that, not a pipe.
        return;
    }
    let error = from_command("sleep 60 >/dev/null & echo $! >&2; exit 3").await;
    let Error::CommandFailed { said, .. } = error.unwrap_err() else {
        panic!("it was waited for");
    };
    let daemon = Pid::from_raw(said.unwrap().parse().unwrap()).unwrap();
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).unwrap();
}

/// It may even hold stdout open: only the output of the command itself counts.
#[tokio::test]
async fn a_child_that_holds_stdout_open_is_not_waited_for() {
    for line in [
        "sleep 20 & echo $!",
        "echo $$-$(sleep 20 >&2 & echo $!); sleep 20 &",
        "(sleep 20; echo late) & echo $!",
    ] {
        let began = Instant::now();
        let password = from_command(line).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(15), "{line}");
        assert!(!password.expose_secret().is_empty());
    }
    // The end of its output is read, however long that is.
    for octets in [0, 1, 4096, 5000, 60_000] {
        let line = format!("head -c {octets} /dev/zero | tr '\\0' x; echo end");
        let printed = from_command(&line).await.unwrap();
        let printed = printed.expose_secret();
        assert_eq!(printed.len(), octets + "end".len());
        assert!(printed.ends_with("end"));
    }
}
