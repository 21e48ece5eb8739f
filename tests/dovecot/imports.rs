//! A user who comes from another program downloads nothing twice. The other programs are real, and
//! write their lists themselves.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::home::{Home, assert_holds, run};
use support::bench::rename;
use support::dovecot::{Dovecot, Owner, PASSWORD};
use support::mail::{Mail, ordinary};

/// How many messages the other program fetches.
const BEFORE: usize = 12;

/// Another program's settings.
struct Program {
    name: &'static str,
    /// Its arguments; `HOME` is the home folder.
    arguments: &'static [&'static str],
    /// Its configuration: path and text, with `HOME`, `PORT` and `PASSWORD` in it.
    config: (&'static str, &'static str),
    /// Its list of unique-ids. Of several, the name begins so.
    list: &'static str,
}

/// A server with some mail, all of which this program has fetched and left there; then more mail.
struct Switch {
    server: Dovecot,
    home: Home,
    mails: Vec<Mail>,
    list: PathBuf,
}

impl Switch {
    fn from(program: &Program) -> Self {
        let server = Dovecot::start();
        let mails = ordinary(BEFORE + 3, 41);
        server.deliver_all("anna", &mails[..BEFORE]);
        let home = Home::unprivileged();
        let whole = home
            .path("")
            .to_str()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        let fill = |text: &str| {
            text.replace("HOME", &whole)
                .replace("PORT", &server.plain_port().to_string())
                .replace("PASSWORD", PASSWORD)
        };
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(home.path("old").join(folder)).unwrap();
        }
        home.write(program.config.0, &fill(program.config.1), 0o600);
        Owner::unprivileged().take(&home.path(""));
        let output = Owner::unprivileged()
            .command(program.name)
            .args(program.arguments.iter().map(|argument| fill(argument)))
            .current_dir(home.path(""))
            .env_clear()
            .env("HOME", home.path(""))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap();
        assert!(
            output.status.success(),
            "{} ended with {}; is it installed? `.ci/install-test-servers` does it\n{}{}",
            program.name,
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        // fetchmail retrieves with TOP what it leaves there.
        let retrieved = server.count("RETR") + server.count("TOP");
        assert_eq!(retrieved, BEFORE, "{}", program.name);
        server.deliver_all("anna", &mails[BEFORE..]);
        server.forget();
        let begin = home.path(program.list);
        let entries = fs::read_dir(begin.parent().unwrap()).unwrap();
        let list = entries
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_str().unwrap().starts_with(begin.to_str().unwrap()))
            .unwrap();
        let switch = Self {
            server,
            home,
            mails,
            list,
        };
        switch.configure("");
        switch
    }

    fn configure(&self, keys: &str) {
        let text = format!(
            "[accounts.work]\nserver = \"{}\"\nmaildir = \"~/Mail\"\npassword-file = \
             \"~/password\"\ntls = {{ ca-file = {:?} }}\n{keys}\n",
            self.server.pop3s("anna"),
            self.server.ca_file()
        );
        let path = ".config/popsync/config.toml";
        self.home.write(path, &text, 0o600);
        Owner::unprivileged().take(&self.home.path(".config"));
    }

    fn import(&self, program: &str, more: &[&str]) -> Command {
        let list = self.list.to_str().unwrap();
        let arguments = [&["import", "work", "--from", program, list], more].concat();
        self.home.popsync(&arguments)
    }

    /// Syncs, and asserts that only what the other program had not fetched came.
    #[track_caller]
    fn only_new_mail_comes(&self) {
        self.home.run(&["sync"]).silently();
        assert_eq!(self.server.count("RETR"), self.mails.len() - BEFORE);
        assert_eq!(self.server.count("DELE"), 0);
        assert_holds(&self.home.maildir(), &self.mails[BEFORE..]);
    }
}

/// Takes over the list, twice, and syncs.
#[track_caller]
fn nothing_comes_twice(program: &Program) {
    let switch = Switch::from(program);
    let mut sums = Vec::new();
    for _ in 0..2 {
        let ended = run(&mut switch.import(program.name, &["--json"]));
        assert_eq!((ended.status, ended.err.as_str()), (Some(0), ""));
        sums.push(ended.out);
    }
    let line = |new: usize, known: usize| {
        format!(
            "{{\"event\":\"import\",\"account\":\"work\",\"source\":\"{}\",\"new\":{new},\
             \"known\":{known}}}\n",
            program.name
        )
    };
    assert_eq!(sums, [line(BEFORE, 0), line(0, BEFORE)]);
    assert_eq!(switch.server.commands(), [""; 0]);
    switch.only_new_mail_comes();
}

const MPOP: Program = Program {
    name: "mpop",
    arguments: &["-C", "HOME/mpoprc", "work"],
    config: (
        "mpoprc",
        "account work\nhost 127.0.0.1\nport PORT\nuser anna\nauth user\npassword \"PASSWORD\"\n\
         tls off\nkeep on\nuidls_file HOME/uidls\ndelivery maildir HOME/old\n",
    ),
    list: "uidls",
};

const FETCHMAIL: Program = Program {
    name: "fetchmail",
    arguments: &[
        "-f",
        "HOME/fetchmailrc",
        "-i",
        "HOME/fetchids",
        "--nosyslog",
    ],
    config: (
        "fetchmailrc",
        "poll 127.0.0.1 port PORT proto pop3 uidl user \"anna\" password \"PASSWORD\" keep \
         sslproto \"\" mda \"cat > /dev/null\"\n",
    ),
    list: "fetchids",
};

const GETMAIL: Program = Program {
    name: "getmail",
    arguments: &["--getmaildir", "HOME/getmail"],
    config: (
        "getmail/getmailrc",
        "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = PORT\n\
         username = anna\npassword = PASSWORD\n[destination]\ntype = Maildir\n\
         path = HOME/old/\n[options]\nread_all = false\ndelete = false\n",
    ),
    list: "getmail/oldmail-",
};

const FDM: Program = Program {
    name: "fdm",
    arguments: &["-f", "HOME/fdm.conf", "fetch"],
    config: (
        "fdm.conf",
        "set lock-file \"HOME/fdm.lock\"\naction \"k\" maildir \"HOME/old\"\n\
         account \"a\" pop3 server \"127.0.0.1\" port PORT user \"anna\" pass \"PASSWORD\" \
         new-only cache \"HOME/cache\" no-apop keep\nmatch all action \"k\"\n",
    ),
    list: "cache",
};

#[test]
fn what_mpop_had_does_not_come_again() {
    nothing_comes_twice(&MPOP);
}

#[test]
fn what_fetchmail_had_does_not_come_again() {
    nothing_comes_twice(&FETCHMAIL);
}

#[test]
fn what_getmail_had_does_not_come_again() {
    nothing_comes_twice(&GETMAIL);
}

#[test]
fn what_fdm_had_does_not_come_again() {
    nothing_comes_twice(&FDM);
}

/// The copies that these programs wrote have the whole message, so the message may leave.
#[test]
fn copies_of_other_programs_let_their_messages_go() {
    for program in [&MPOP, &GETMAIL, &FDM] {
        let switch = Switch::from(program);
        run(&mut switch.import(program.name, &[])).silently();
        rename(&switch.home.path("old"), &switch.home.maildir());
        switch.configure("remove-imported = true\nleave-on-server = false");
        switch.home.run(&["sync"]).silently();
        assert_eq!(
            switch.server.count("RETR"),
            switch.mails.len(),
            "{}",
            program.name
        );
        assert_eq!(switch.server.messages("anna"), BEFORE);
        // More than half of the mailbox.
        let ended = switch.home.run(&["sync", "--allow-mass-delete"]);
        assert_eq!(ended.status, Some(0), "{}: {}", program.name, ended.err);
        assert_eq!(switch.server.messages("anna"), 0, "{}", program.name);
        switch.home.run(&["verify"]).silently();
    }
}

/// popsync has no copy of a message that another program downloaded: the server's may be the last.
#[test]
fn what_was_taken_over_is_not_deleted_whatever_the_settings_say() {
    let switch = Switch::from(&MPOP);
    run(&mut switch.import("mpop", &[])).silently();
    switch.configure("leave-on-server = false");
    switch.home.run(&["sync"]).silently();
    assert_eq!(switch.server.count("RETR"), switch.mails.len() - BEFORE);
    assert_eq!(switch.server.count("DELE"), switch.mails.len() - BEFORE);
    assert_eq!(switch.server.messages("anna"), BEFORE);
    switch.server.forget();
    switch.home.run(&["sync"]).silently();
    assert_eq!(
        (switch.server.count("RETR"), switch.server.count("DELE")),
        (0, 0)
    );
    assert_holds(&switch.home.maildir(), &switch.mails[BEFORE..]);
}

#[test]
fn a_list_of_another_mailbox_is_refused_and_one_of_another_name_can_be_named() {
    let switch = Switch::from(&FETCHMAIL);
    let text = fs::read_to_string(&switch.list).unwrap();
    let renamed = text.replace("anna@127.0.0.1 ", "anna@mailhost ");
    switch.home.write("fetchids", &renamed, 0o600);
    run(&mut switch.import("fetchmail", &[])).fails(
        65,
        &[
            "has no unique-ids of anna@127.0.0.1, but of anna@mailhost",
            "hint: ",
            "--mailbox",
        ],
    );
    run(&mut switch.import("fetchmail", &["--mailbox", "anna@MAILHOST"])).silently();
    assert_eq!(imported(&switch), BEFORE);
    switch.only_new_mail_comes();
}

/// A list is taken over as a whole, or not at all.
#[test]
fn of_a_damaged_list_nothing_is_taken_over() {
    let switch = Switch::from(&MPOP);
    let text = fs::read_to_string(&switch.list).unwrap();
    let lines = text.lines().count();
    let cut: Vec<&str> = text.lines().take(lines - 2).collect();
    switch.home.write("uidls", &(cut.join("\n") + "\n"), 0o600);
    run(&mut switch.import("mpop", &[])).fails(
        65,
        &[
            &format!("line {}", lines - 2),
            "2 unique-ids are still to come",
        ],
    );
    assert_eq!(imported(&switch), 0);
    switch.home.write("uidls", "\u{1b}[2Jnonsense\n", 0o600);
    run(&mut switch.import("mpop", &[])).fails(65, &["line 1", "hint: "]);
    fs::remove_file(&switch.list).unwrap();
    run(&mut switch.import("mpop", &[])).fails(74, &["cannot read"]);
}

/// How many messages are recorded as had.
fn imported(switch: &Switch) -> usize {
    let count: i64 = switch
        .home
        .database()
        .query_row("SELECT count(*) FROM imported", [], |row| row.get(0))
        .unwrap();
    usize::try_from(count).unwrap()
}

/// The list of a mailbox that is not this one: what comes then comes with a word.
#[test]
fn a_list_of_which_nothing_is_on_the_server_is_warned_of() {
    let switch = Switch::from(&MPOP);
    switch
        .home
        .write("uidls", " 2 127.0.0.1 anna\nfirst\nsecond\n", 0o600);
    run(&mut switch.import("mpop", &[])).silently();
    let ended = switch.home.run(&["sync"]);
    assert_eq!(ended.status, Some(0));
    assert!(
        ended
            .err
            .contains("none of the 2 messages taken over by `popsync import` is on the server"),
        "{}",
        ended.err
    );
    assert_holds(&switch.home.maildir(), &switch.mails);
    switch.home.run(&["sync"]).silently();
}

/// After `--seed` only what arrives later is retrieved; the session of it reads only.
#[test]
fn after_a_seed_only_what_arrives_later_comes() {
    let switch = Switch::from(&MPOP);
    let ended = switch.home.run(&["import", "work", "--seed", "--json"]);
    assert_eq!(
        (ended.status, ended.out.as_str(), ended.err.as_str()),
        (
            Some(0),
            "{\"event\":\"import\",\"account\":\"work\",\"source\":\"server\",\"new\":15,\
             \"known\":0}\n",
            ""
        )
    );
    let mut commands = switch.server.commands();
    commands.retain(|line| !line.starts_with("CAPA"));
    assert_eq!(commands, ["STAT", "UIDL", "QUIT"]);
    switch.server.forget();
    let later = ordinary(2, 43);
    switch.server.deliver_all("anna", &later);
    switch.configure("leave-on-server = false");
    switch.home.run(&["sync"]).silently();
    assert_eq!(
        (switch.server.count("RETR"), switch.server.count("DELE")),
        (2, 2)
    );
    assert_holds(&switch.home.maildir(), &later);
}
