//! `popsync config`: all mistakes of the configuration file at once, the example of one, and its
//! schema.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::cli::Popsync;

const SOUND: &str =
    "[accounts.work]\nserver = \"pop3s://anna@mail.example.com\"\nmaildir = \"m\"\n";

#[test]
fn a_sound_file_gives_silence() {
    Popsync::new(&["config", "check"])
        .config(SOUND)
        .gives(0, "", "");
    let json = Popsync::new(&["config", "check", "--json"]).config(SOUND);
    json.gives(
        0,
        "{\"event\":\"config-check\",\"account\":null,\
         \"config\":\"HOME/.config/popsync/config.toml\",\"mistakes\":0}\n",
        "",
    );
}

#[test]
fn all_mistakes_are_told_with_their_places() {
    let config = "[accounts.work]\nserver = \"https://mail.example.com\"\nusr = \"anna\"\n\
                  password = \"hunter2\"\nmaildir = \"m\"\nmax-size = \"5M\"\n";
    let check = |arguments: &[&str]| Popsync::new(arguments).config(config).run();
    let ended = check(&["config", "check"]);
    assert!(!ended.text().contains("hunter2"));
    insta::assert_snapshot!(ended.text(), @r#"
    status: 78
    out:
    err:
    popsync: HOME/.config/popsync/config.toml:2:10: the server is not a URL that begins with `pop3s://` or `pop3://`
      |
    2 | server = "https://mail.example.com"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `pop3s://mail.example.com` (TLS, port 995) or `pop3://mail.example.com` (STLS, port 110)
    popsync: HOME/.config/popsync/config.toml:3:1: unknown key `usr`
      |
    3 | usr = …
      | ^^^
    hint: did you mean `user`? known here: server, user, auth, password-command, password-file, password-netrc, oauth-token-command, oauth, maildir, mbox, exec, exec-timeout, line-endings, profile, leave-on-server, remove-after-days, remove-when-deleted-locally, remove-imported, max-deletions, headers-only-above, header-stubs, max-size, max-messages, max-octets, sessions-per-run, connections, tls, proxy, proxy-password-file, socket, source-address, timeout, complain-after, on-new-mail, on-failure
    popsync: HOME/.config/popsync/config.toml:4:1: a password does not belong in this file
      |
    4 | password = …
      | ^^^^^^^^
    hint: use `password-command = "pass show mail/work"`, or `password-file = "…"` with a file that only you can read
    popsync: HOME/.config/popsync/config.toml:6:12: `max-size` is not a size: write `MB` (powers of 1000) or `MiB` (powers of 1024) instead of `M`
      |
    6 | max-size = "5M"
      |            ^^^^
    hint: write for example `max-size = "25 MB"`
    "#);
    let json = check(&["config", "check", "--json"]);
    assert_eq!(json.status, 78);
    let lines: Vec<_> = json.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", json.out);
    for (line, place) in lines.iter().zip(["2:10", "3:1", "4:1", "6:12"]) {
        let start = "{\"event\":\"error\",\"account\":null,\"exit\":78,\"message\":\"";
        assert!(line.starts_with(start), "{line}");
        assert!(line.contains(&format!("config.toml:{place}: ")), "{line}");
    }
    assert!(lines[4].ends_with("\"mistakes\":4}"), "{}", lines[4]);
}

#[test]
fn a_file_that_is_not_there_or_can_be_written_by_others_is_told() {
    let ended = Popsync::new(&["config", "check"]).run();
    assert_eq!(ended.status, 78);
    assert!(ended.err.contains("there is no configuration file"));
    let check = Popsync::new(&["config", "check", "--config", "c.toml"]).file("c.toml", "x = 1\n");
    fs::set_permissions(check.path("c.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    let ended = check.run();
    assert_eq!(ended.status, 78);
    assert!(ended.err.contains("written to by others"), "{}", ended.err);
    assert!(
        ended.err.contains("c.toml:1:1: unknown key"),
        "{}",
        ended.err
    );
}

/// The printed example can be used as it is.
#[test]
fn the_example_is_a_sound_file() {
    let example = Popsync::new(&["config", "example"]).run();
    assert_eq!((example.status, example.err.as_str()), (0, ""));
    Popsync::new(&["config", "check"])
        .config(&example.out)
        .gives(0, "", "");
}

/// The printed schema is what editors read.
#[test]
fn the_schema_is_json_with_every_key() {
    let schema = Popsync::new(&["config", "schema"]).run();
    assert_eq!((schema.status, schema.err.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let keys = schema["$defs"]["account"]["properties"]
        .as_object()
        .unwrap();
    assert!(keys.len() > 30, "{keys:?}");
    assert_eq!(keys["max-deletions"]["default"], 500);
}
