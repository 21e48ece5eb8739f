//! Accounts of several files and of a list.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

const ROW: &str = "server = \"pop3s://mail.example.com\"\nuser = \"{user}\"\nauth = \"plain\"\n\
                   maildir = \"mail/{name}\"\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        put(&folder, name, text);
    }
    folder
}

fn put(folder: &TempDir, name: &str, text: &str) {
    replace(&folder.path().join(name), text).unwrap();
}

fn account(name: &str) -> String {
    format!("[accounts.{name}]\nserver = \"pop3s://{name}@mail\"\nmaildir = \"{name}\"\n")
}

/// A list with this content, and its template with further lines.
fn list(rows: &str, more: &str) -> TempDir {
    let config = format!("accounts-from = \"users.csv\"\n[template]\n{ROW}{more}");
    folder(&[("config.toml", &config), ("users.csv", rows)])
}

fn names(folder: &TempDir) -> Vec<String> {
    let config = Config::load(&folder.path().join("config.toml")).unwrap();
    config
        .accounts
        .into_iter()
        .map(|account| account.name)
        .collect()
}

/// All mistakes, with the folder left out.
fn mistakes(folder: &TempDir) -> String {
    let errors = Config::check(&folder.path().join("config.toml")).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    told.join("\n")
        .replace(&format!("{}/", folder.path().display()), "")
}

/// The names of the sound accounts, of the others, and the number of refused files.
fn chosen(folder: &TempDir) -> (Vec<String>, Vec<String>, usize) {
    let chosen = Chosen::load(&folder.path().join("config.toml"), &[]).unwrap();
    let unsound = chosen.unsound.accounts.into_iter();
    (
        chosen
            .accounts
            .into_iter()
            .map(|account| account.name)
            .collect(),
        unsound.map(|account| account.name).collect(),
        chosen.unsound.files.len(),
    )
}

#[test]
fn files_beside_the_configuration_are_read_in_the_order_of_their_names() {
    let main = format!(
        "[defaults]\nprofile = \"outlook-2010\"\n{}",
        account("main")
    );
    let folder = folder(&[
        ("config.toml", &main),
        ("conf.d/20-b.toml", &account("b")),
        ("conf.d/10-a.toml", &(account("z") + &account("a"))),
        ("conf.d/.hidden.toml", "no TOML"),
        ("conf.d/c.toml~", "no TOML"),
        ("conf.d/d.bak", "no TOML"),
        ("conf.d/empty.toml", "# none yet\n"),
    ]);
    assert_eq!(names(&folder), ["main", "z", "a", "b"]);
    let config = Config::load(&folder.path().join("config.toml")).unwrap();
    let last = &config.accounts[3];
    assert_eq!(last.profile, Profile::Outlook2010);
    // Not that of the file, so that an account can be moved between files.
    assert_eq!(last.store.maildir(), Some(&*folder.path().join("b")));
    let place = config.place("b").unwrap();
    assert_eq!(place.path, folder.path().join("conf.d/20-b.toml"));
    assert_eq!(place.line, None);
}

#[test]
fn accounts_may_all_stand_in_other_files() {
    let folder = folder(&[("config.toml", ""), ("conf.d/a.toml", &account("a"))]);
    assert_eq!(names(&folder), ["a"]);
    fs::remove_file(folder.path().join("conf.d/a.toml")).unwrap();
    assert!(mistakes(&folder).contains("has no accounts"));
}

#[test]
fn mistakes_of_all_files_are_told_with_their_places() {
    let folder = folder(&[
        ("config.toml", &(account("main") + "usr = 1\n")),
        (
            "conf.d/a.toml",
            &(account("a") + "max-size = \"5M\"\n" + &account("good")),
        ),
        (
            "conf.d/b.toml",
            "[defaults]\ntimeout = 1\n[accounts.b]\nuser = \"b\"\n",
        ),
        ("conf.d/c.toml", "[accounts.c]\nuser = c\n"),
        ("conf.d/d.toml", &account("d")),
    ]);
    insta::assert_snapshot!(mistakes(&folder), @r"
    config.toml:4:1: unknown key `usr`
    conf.d/a.toml:4:12: `max-size` is not a size: write `MB` (powers of 1000) or `MiB` (powers of 1024) instead of `M`
    conf.d/b.toml:1:2: unknown key `defaults`
    conf.d/b.toml:3:11: account `b`: `server` is missing
    conf.d/b.toml:3:11: account `b`: `maildir` is missing
    conf.d/c.toml:2:8: not valid TOML: string values must be quoted, expected literal string
    ");
    let (sound, unsound, refused) = chosen(&folder);
    assert_eq!(sound, ["good", "d"]);
    assert_eq!(unsound, ["main", "a"]);
    assert_eq!(refused, 4);
    // A file that is not read may have the account that is asked for.
    let path = folder.path().join("config.toml");
    let error = Chosen::load(&path, &["c".to_owned()]).unwrap_err();
    assert!(error.to_string().contains("conf.d/b.toml:1:2"), "{error}");
    // It does not matter to another.
    let one = Chosen::load(&path, &["d".to_owned()]).unwrap();
    assert!(one.unsound.is_empty());
    assert_eq!(one.only().unwrap().name, "d");
}

/// An account's mistake may be one with a default.
#[test]
fn a_mistake_in_the_defaults_is_told_in_their_file() {
    let folder = folder(&[
        ("config.toml", "[defaults]\nremove-after-days = 3\n"),
        (
            "conf.d/a.toml",
            &(account("a") + "leave-on-server = false\n"),
        ),
        ("conf.d/b.toml", &account("b")),
    ]);
    assert_eq!(
        mistakes(&folder),
        "config.toml:2:21: account `a`: `remove-after-days` has no meaning with \
         `leave-on-server = false`"
    );
    let (sound, unsound, refused) = chosen(&folder);
    assert_eq!(
        (sound, unsound, refused),
        (vec!["b".to_owned()], vec!["a".to_owned()], 0)
    );
}

#[test]
fn a_configuration_that_is_not_toml_stops_all_files() {
    let folder = folder(&[
        ("config.toml", "[accounts.a]\nuser = a\n"),
        ("conf.d/a.toml", "[accounts.b]\nusr = \"b\"\n"),
    ]);
    insta::assert_snapshot!(mistakes(&folder), @r"
    config.toml:2:8: not valid TOML: string values must be quoted, expected literal string
    conf.d/a.toml:2:1: unknown key `usr`
    ");
    let error = Chosen::load(&folder.path().join("config.toml"), &[]).unwrap_err();
    assert!(error.to_string().contains("config.toml:2:8"), "{error}");
}

#[test]
fn one_name_in_two_files_is_used_from_neither() {
    let folder = folder(&[
        ("config.toml", &(account("main") + &account("x"))),
        ("conf.d/a.toml", &(account("x") + &account("a"))),
        ("conf.d/b.toml", &account("x").replace("@mail", "@other")),
    ]);
    insta::assert_snapshot!(mistakes(&folder), @r"
    conf.d/a.toml:1:11: account `x`: its name is in config.toml:4 as well
    conf.d/b.toml:1:11: account `x`: its name is in config.toml:4 as well
    ");
    let (sound, unsound, refused) = chosen(&folder);
    assert_eq!(sound, ["main", "a"]);
    assert_eq!((unsound, refused), (vec!["x".to_owned()], 0));
}

#[test]
fn the_same_mailbox_in_two_files_is_found() {
    let twin = account("a").replace("[accounts.a]", "[accounts.twin]");
    let folder = folder(&[("config.toml", &account("a")), ("conf.d/a.toml", &twin)]);
    let told = mistakes(&folder);
    assert_eq!(
        told,
        "conf.d/a.toml:1:11: account `twin`: the same mailbox goes into the same store as account `a`"
    );
}

#[test]
fn files_that_others_can_write_to_are_refused_alone() {
    let files = [
        ("config.toml", account("main")),
        ("conf.d/a.toml", account("a")),
        ("conf.d/b.toml", account("b")),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let folder = folder(&files);
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode| {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("conf.d/a.toml", 0o664);
    assert_eq!(
        mistakes(&folder),
        "conf.d/a.toml can be written to by others (mode 664)"
    );
    let (sound, unsound, refused) = chosen(&folder);
    assert_eq!(sound, ["main", "b"]);
    assert_eq!((unsound.len(), refused), (0, 1));
    mode("conf.d/a.toml", 0o644);
    assert_eq!(names(&folder), ["main", "a", "b"]);
    mode("conf.d", 0o777);
    assert_eq!(
        mistakes(&folder),
        "conf.d can be written to by others (mode 777)"
    );
    assert_eq!(chosen(&folder).0, ["main"]);
}

#[test]
fn commands_in_a_file_of_somebody_else_beside_it_are_not_run() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make such a file.
        return;
    }
    let command = account("a") + "password-command = \"x\"\n";
    let folder = folder(&[
        ("config.toml", &account("main")),
        ("conf.d/a.toml", &command),
        ("conf.d/b.toml", &account("b")),
    ]);
    for name in ["conf.d/a.toml", "conf.d/b.toml"] {
        std::os::unix::fs::chown(folder.path().join(name), Some(12_345), None).unwrap();
    }
    let told = mistakes(&folder);
    assert!(told.starts_with("conf.d/a.toml names commands"), "{told}");
    assert!(!told.contains('\n'), "{told}");
    assert_eq!(chosen(&folder).0, ["main", "b"]);
}

/// Whichever file has the account that runs them.
#[test]
fn commands_in_a_configuration_of_somebody_else_are_not_run_for_other_files() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make such a file.
        return;
    }
    let rows = "name,user\na,u\n";
    let command = "password-command = \"x {name}\"\n";
    let defaults = "[defaults]\npassword-command = \"x\"\n";
    let of_defaults = folder(&[("config.toml", defaults), ("conf.d/a.toml", &account("a"))]);
    let quiet = folder(&[
        ("config.toml", &account("main")),
        (
            "conf.d/a.toml",
            &(account("a") + "password-command = \"x\"\n"),
        ),
    ]);
    for (folder, is_refused) in [
        (list(rows, command), true),
        (list(rows, ""), false),
        (of_defaults, true),
        (quiet, false),
    ] {
        let path = folder.path().join("config.toml");
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        match Config::load(&path) {
            Ok(_) => assert!(!is_refused),
            Err(error) => {
                assert!(is_refused, "{error}");
                let told = error.to_string();
                assert!(told.contains("config.toml names commands"), "{told}");
            }
        }
    }
}

#[test]
fn each_row_of_a_list_is_an_account() {
    let rows = "\u{feff}name, user ,note\r\n\r\nanna,anna@example.com,\r\n\
                \"eva, m\",\"e\"\"va\",x\r\n\r\n\r\nlast,l,";
    let folder = list(rows, "");
    assert_eq!(names(&folder), ["anna", "eva, m", "last"]);
    let config = Config::load(&folder.path().join("config.toml")).unwrap();
    let eva = &config.accounts[1];
    assert_eq!(eva.user, "e\"va");
    assert_eq!(eva.identity.key, "eva, m");
    assert_eq!(
        eva.store.maildir(),
        Some(&*folder.path().join("mail/eva, m"))
    );
    let lines = ["anna", "eva, m", "last"].map(|name| config.place(name).unwrap().line);
    assert_eq!(lines, [Some(3), Some(4), Some(7)]);
}

#[test]
fn the_places_of_a_template_are_in_lists_and_tables_too() {
    let rows = "name,user,host,digits,days\na,u,mail.example.org,5,3\n";
    let more = "password-command = \"cat ${{HOME}}/{name}\"\n\
                tls = { server-name = \"{host}\", roots = \"system\" }\n\
                on-failure = [\"mail\", \"{user}\"]\nmax-size = \"{digits} MB\"\n\
                remove-after-days = 3\n";
    let folder = list(rows, more);
    let config = Config::load(&folder.path().join("config.toml")).unwrap();
    let account = &config.accounts[0];
    assert_eq!(
        account.password,
        PasswordSource::Command("cat ${HOME}/a".to_owned())
    );
    assert_eq!(account.tls.server_name.as_deref(), Some("mail.example.org"));
    let text = format!("{account:?}");
    assert!(text.contains("\"u\"") && text.contains("5000000"), "{text}");
}

#[test]
fn a_url_has_the_values_in_it_or_is_one() {
    let rows = "name,user,url\na,x@y:z/w%41,pop3s://other.example.com:1995\n";
    let user = ROW.replace("user = \"{user}\"\n", "");
    for (server, host, user_found) in [
        (
            "pop3s://{user}@{name}.example.com",
            "a.example.com",
            "x@y:z/w%41",
        ),
        ("{url}", "other.example.com", "x@y:z/w%41"),
    ] {
        let own = if server == "{url}" { ROW } else { &user };
        let own = own.replace("pop3s://mail.example.com", server);
        let text = format!("accounts-from = \"users.csv\"\n[template]\n{own}");
        let folder = folder(&[("config.toml", &text), ("users.csv", rows)]);
        let config = Config::load(&folder.path().join("config.toml")).unwrap();
        let account = &config.accounts[0];
        assert_eq!((&*account.server.host, &*account.user), (host, user_found));
    }
}

#[test]
fn a_mistake_in_a_row_stops_its_account_alone() {
    let rows = "name,user,size\n../up,u,1\na;b,u,1\ngood,u,1\nshort\nlong,u,1,2\n,u,1\n\
                wide,u,many\nbroken,\"u\nnext,u,1\",1\n";
    let folder = list(
        rows,
        "max-size = \"{size} MB\"\npassword-command = \"cat {name}\"\n",
    );
    insta::assert_snapshot!(mistakes(&folder), @r"
    users.csv:2:1: account `../up`: the value in column `name` cannot be a part of `maildir`: it begins with `.`
    users.csv:2:1: account `../up`: the value in column `name` cannot be a part of `password-command`: it begins with `.`
    users.csv:3:1: account `a;b`: the value in column `name` cannot be a part of `password-command`: it has `;`
    users.csv:5:1: account `short`: the number of values is 1, and that of the columns 3
    users.csv:6:1: account `long`: the number of values is 4, and that of the columns 3
    users.csv:7:1: the row has no value in column `name`
    users.csv:8:1: account `wide`: `max-size` is not a size: write whole octets, or a number with B, KB, MB, GB, KiB, MiB or GiB
    users.csv:9:1: account `broken`: the value in column `user` has a line end or another control character
    ");
    let (sound, unsound, refused) = chosen(&folder);
    assert_eq!(
        (sound, unsound.len(), refused),
        (vec!["good".to_owned()], 7, 0)
    );
}

#[test]
fn a_name_that_stands_twice_is_told_with_both_lines() {
    let rows = "name,user\na,1\nb,2\n\na,3\n";
    let folder = list(
        rows,
        "[accounts.b]\nserver = \"pop3s://b@h\"\nmaildir = \"b\"\n",
    );
    insta::assert_snapshot!(mistakes(&folder), @r"
    users.csv:3:1: account `b`: its name is in config.toml:7 as well
    users.csv:5:1: account `a`: its name is in users.csv:2 as well
    ");
}

#[test]
fn a_list_that_cannot_be_understood_is_refused_and_the_others_are_read() {
    for (rows, told) in [
        ("", "no column is called `name`"),
        ("name;user\na;b\n", "no column is called `name`"),
        ("Name,user\n", "no column is called `name`"),
        ("name,user,name\n", "two columns are called `name`"),
        (
            "name,Password\na,b\n",
            "a password does not belong in this list",
        ),
    ] {
        let folder = list(rows, "");
        put(&folder, "conf.d/x.toml", &account("x"));
        let found = mistakes(&folder);
        let place = format!("users.csv:1:1: {told}");
        assert!(found.contains(&place), "{rows}: {found}");
        let (sound, _, refused) = chosen(&folder);
        assert_eq!(sound, ["x"], "{rows}");
        assert!(refused > 0);
    }
    let folder = list("name,user\n", "");
    put(&folder, "conf.d/x.toml", &account("x"));
    assert_eq!(names(&folder), ["x"]);
    fs::remove_file(folder.path().join("users.csv")).unwrap();
    assert_eq!(mistakes(&folder), "cannot read users.csv");
    assert_eq!(chosen(&folder).0, ["x"]);
    put(&folder, "users.csv", "name,user\n");
    let writable = fs::Permissions::from_mode(0o606);
    fs::set_permissions(folder.path().join("users.csv"), writable).unwrap();
    let found = mistakes(&folder);
    assert_eq!(found, "users.csv can be written to by others (mode 606)");
}

#[test]
fn a_mistake_in_the_template_is_told_once() {
    let rows = "name,user\na,1\nb,2\nc,3\n";
    for (more, told) in [
        ("usr = \"{user}\"\n", "config.toml:7:1: unknown key `usr`"),
        (
            "timeout = \"1d\"\n",
            "config.toml:7:11: `timeout` is not a time from",
        ),
        (
            "on-failure = \"x {mail}\"\n",
            "config.toml:7:14: the list has no column `mail`",
        ),
        (
            "on-failure = \"x }\"\n",
            "config.toml:7:14: a brace stands alone",
        ),
    ] {
        let folder = list(rows, more);
        let found = mistakes(&folder);
        assert!(found.starts_with(told), "{found}");
        assert!(!found.contains('\n'), "{found}");
    }
    let alone = folder(&[(
        "config.toml",
        &account("x").replace("[accounts", "[template]\n[accounts"),
    )]);
    assert_eq!(
        mistakes(&alone),
        "config.toml:1:2: `accounts-from` is missing"
    );
    let text = format!("accounts-from = \"users.csv\"\n{}", account("x"));
    let alone = folder(&[("config.toml", &text)]);
    assert_eq!(mistakes(&alone), "config.toml:1:1: `template` is missing");
}

/// Two texts of which one may do harm somewhere.
fn value() -> impl Strategy<Value = String> {
    let odd = "[-.~$/{}'\"\\\\;,=#\\[\\]%:@ \n\t\u{0}aé日]{0,6}";
    prop_oneof![odd, "[a-z0-9@._+-]{1,8}", any::<String>()]
}

proptest! {
    /// Whatever a list holds: an account has the values of its row, or is refused.
    #[test]
    fn an_account_has_exactly_the_values_of_its_row(
        rows in prop::collection::vec((value(), value()), 1..6)
    ) {
        let mut list = csv::Writer::from_writer(Vec::new());
        list.write_record(["name", "user"]).unwrap();
        for (name, user) in &rows {
            list.write_record([name, user]).unwrap();
        }
        let list = String::from_utf8(list.into_inner().unwrap()).unwrap();
        let more = "on-failure = [\"say\", \"{name}\"]\npassword-file = \"secrets/{name}\"\n";
        let folder = self::list(&list, more);
        put(&folder, "conf.d/sound.toml", &account("sound-one"));
        let path = folder.path().join("config.toml");
        let Chosen { accounts, unsound } = Chosen::load(&path, &[]).unwrap();
        prop_assert!(unsound.files.is_empty());
        let mut names: Vec<_> = rows.iter().map(|(name, _)| name.as_str()).collect();
        // Rows without names have their places in messages.
        let nameless = rows.iter().filter(|(name, _)| name.is_empty()).count();
        names.retain(|name| !name.is_empty());
        names.push("sound-one");
        names.sort_unstable();
        names.dedup();
        let mut found: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
        found.extend(unsound.accounts.iter().map(|account| account.name.as_str()));
        let all = found.len();
        found.retain(|name| !name.contains("/users.csv:"));
        prop_assert_eq!(all - found.len(), nameless);
        found.sort_unstable();
        prop_assert_eq!(found, names);
        for account in accounts.iter().filter(|account| account.name != "sound-one") {
            let name = &account.name;
            let of_name: Vec<_> = rows.iter().filter(|(one, _)| one == name).collect();
            prop_assert_eq!(of_name.len(), 1);
            prop_assert_eq!(&account.user, &of_name[0].1);
            let mail = account.store.maildir().unwrap();
            prop_assert_eq!(mail, &*folder.path().join("mail").join(name));
            prop_assert_eq!(mail.parent(), Some(&*folder.path().join("mail")));
            let safe = |c: char| c.is_ascii_alphanumeric() || "@._+-".contains(c);
            prop_assert!(name.chars().all(safe) && !name.starts_with(['.', '+', '-']));
            prop_assert_eq!(
                &account.password,
                &PasswordSource::File(folder.path().join("secrets").join(name))
            );
        }
        // What is harmless everywhere is no mistake.
        for (name, user) in &rows {
            let plain = |text: &str| {
                !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase())
            };
            let is_twice = rows.iter().filter(|(other, _)| other == name).count() > 1;
            if plain(name) && plain(user) && !is_twice {
                prop_assert!(accounts.iter().any(|account| account.name == *name));
            }
        }
    }
}
