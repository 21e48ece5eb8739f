//! Many accounts in one configuration: a mistake in one stops no other, and several machines can
//! share them.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use popsync::internals::account::Identity;
use popsync::internals::cache::Lock;
use rusqlite::Connection;
use serde_json::Value;
use support::bench::{Bench, Ended, USER, letter, letters};
use support::unanswered::Unanswered;

/// A second and a third account of the same server, behind the keys of `work`.
fn more(bench: &Bench, keys: &str) -> String {
    let account = |name: &str, keys: &str| {
        let url = bench.url();
        format!(
            "\n[accounts.{name}]\nserver = {url:?}\nuser = {USER:?}\ntls = {{ ca-file = {:?} }}\n\
             password-file = {:?}\nmaildir = {:?}\n{keys}\n",
            bench.path("ca.pem"),
            bench.path("password"),
            bench.path(name)
        )
    };
    account("second", keys) + &account("third", "")
}

fn stored(bench: &Bench, account: &str) -> usize {
    fs::read_dir(bench.path(account).join("new")).map_or(0, |folder| folder.count())
}

fn bench() -> Bench {
    Bench::with(letters(3))
}

fn lines(ended: &Ended) -> Vec<Value> {
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_mistake_in_one_account_stops_that_account_alone() {
    let bench = bench();
    let keys = more(&bench, "maildri = \"x\"");
    let ended = bench.sync(&keys, &[]).gives(78);
    ended.says("unknown key `maildri`");
    ended.says("did you mean `maildir`?");
    assert_eq!(bench.store.len(), 3);
    assert_eq!((stored(&bench, "second"), stored(&bench, "third")), (0, 3));
    // Programs are told of it as of any account that fails.
    let ended = bench.sync(&keys, &["--json"]).gives(78);
    let of = |account: &str, event: &str| {
        let is_it = |line: &&Value| line["account"] == account && line["event"] == event;
        lines(&ended).iter().filter(is_it).count()
    };
    assert_eq!(of("second", "error"), 1, "{}", ended.text());
    assert_eq!(of("second", "summary"), 1, "{}", ended.text());
    assert_eq!(of("third", "summary"), 1, "{}", ended.text());
    assert_eq!(of("third", "error"), 0, "{}", ended.text());
}

#[test]
fn only_accounts_that_were_asked_for_are_told_of() {
    let bench = bench();
    let keys = more(&bench, "timeout = \"never\"");
    let ended = bench.sync(&keys, &["third"]).gives(0);
    assert_eq!(ended.err, "", "{}", ended.text());
    assert_eq!(stored(&bench, "third"), 3);
    bench
        .sync(&keys, &["second", "third"])
        .gives(78)
        .says("timeout");
    let ended = bench.configured("list", &keys, &["second"]).gives(78);
    ended.says("timeout");
    bench.configured("list", &keys, &["third"]).gives(0);
    bench.sync(&keys, &["fourth"]).gives(64);
    // A check is of the whole file.
    let ended = bench.configured("config", &keys, &["check"]).gives(78);
    ended.says("timeout");
}

#[test]
fn a_mistake_that_is_not_one_account_s_stops_all() {
    let bench = bench();
    for keys in [
        more(&bench, "") + "\n[default]\ntimeout = \"5s\"\n",
        more(&bench, "") + "\n[defaults]\ntimeuot = \"5s\"\n",
        more(&bench, "") + "\n[accounts.fourth\n",
    ] {
        bench.sync(&keys, &[]).gives(78);
        assert_eq!(bench.store.len() + stored(&bench, "third"), 0);
    }
}

#[test]
fn the_state_of_the_others_is_shown_and_verified() {
    let bench = bench();
    bench.sync(&more(&bench, ""), &[]).gives(0);
    let keys = more(&bench, "max-size = \"large\"");
    let ended = bench.configured("status", &keys, &[]).gives(78);
    ended.says("max-size");
    for account in ["work", "second", "third"] {
        assert!(ended.out.contains(account), "{}", ended.text());
    }
    let ended = bench.configured("status", &keys, &["--check"]).gives(3);
    assert!(ended.out.contains("max-size"), "{}", ended.text());
    let ended = bench.configured("verify", &keys, &[]).gives(78);
    ended.says("max-size");
    let ended = bench
        .configured("verify", &keys, &["work", "third"])
        .gives(0);
    assert_eq!(ended.err, "", "{}", ended.text());
}

/// Three machines, and the same with one more account than parts.
#[test]
fn each_account_is_synced_by_exactly_one_of_several_machines() {
    let bench = bench();
    let keys = more(&bench, "");
    let synced = |shard: &str| {
        let ended = bench.sync(&keys, &["--json", "--shard", shard]).gives(0);
        let of_summaries = |line: &Value| {
            let name = line["account"].as_str().map(str::to_owned);
            name.filter(|_| line["event"] == "summary")
        };
        lines(&ended)
            .iter()
            .filter_map(of_summaries)
            .collect::<Vec<_>>()
    };
    for of in [1, 2, 5] {
        let mut all: Vec<String> = (0..of)
            .flat_map(|index| synced(&format!("{index}/{of}")))
            .collect();
        all.sort();
        assert_eq!(all, ["second", "third", "work"], "{of}");
    }
    bench.assert_exactly_once();
    assert_eq!((stored(&bench, "second"), stored(&bench, "third")), (3, 3));
    let ended = bench.sync(&keys, &["--shard", "2/2"]).gives(64);
    ended.says("must be less than N");
    bench.sync(&keys, &["--shard", "0/2", "work"]).gives(64);
}

/// Accounts `lost1` and so on of a server where nobody listens, behind the keys of `work`.
fn lost(bench: &Bench, port: u16, accounts: u32) -> String {
    let account = |number: u32| {
        format!(
            "\n[accounts.lost{number}]\nserver = \"pop3s://127.0.0.1:{port}\"\nuser = \"u{number}\"\n\
             password-file = {:?}\nmaildir = {:?}\n",
            bench.path("password"),
            bench.path(&format!("lost{number}"))
        )
    };
    (1..=accounts).map(account).collect()
}

#[test]
fn a_server_that_does_not_answer_is_asked_twice_and_told_of_once() {
    let bench = bench();
    let nobody = Unanswered::bind();
    let keys = lost(&bench, nobody.port(), 5);
    let ended = bench.sync(&keys, &["--per-host", "1"]).gives(69);
    assert_eq!(bench.store.len(), 3);
    let told = |text: &str| ended.err.lines().filter(|line| line.contains(text)).count();
    assert_eq!(told("cannot connect"), 2, "{}", ended.text());
    let rest = format!(
        "127.0.0.1:{}: nobody answers, so 3 more accounts were not tried",
        nobody.port()
    );
    assert_eq!(told(&rest), 1, "{}", ended.text());
    // Programs are told of each account, and so is the state.
    let ended = bench.sync(&keys, &["--per-host", "1", "--json"]).gives(69);
    let lines = lines(&ended);
    for number in 1..=5 {
        let name = format!("lost{number}");
        let events = lines.iter().filter(|line| line["account"] == name.as_str());
        let events: Vec<_> = events.filter_map(|line| line["event"].as_str()).collect();
        assert_eq!(events, ["error", "summary"], "{name}: {}", ended.text());
        let log = bench.configured("log", &keys, &[&name]).gives(0);
        assert_eq!(log.out.matches("  69 ").count(), 2, "{}", log.text());
    }
}

/// They need fewer open files at the same time than there are accounts.
#[test]
fn accounts_that_are_not_tried_are_all_recorded_with_few_descriptors() {
    let bench = bench();
    let nobody = Unanswered::bind();
    let keys = lost(&bench, nobody.port(), 40);
    let run = bench.sync(&keys, &["--jobs", "1", "--per-host", "1"]);
    run.through("ulimit -n 40; exec \"$@\"").gives(69);
    let log = bench.configured("log", &keys, &["--number", "99"]).gives(0);
    assert_eq!(log.out.matches("  69 ").count(), 40, "{}", log.text());
}

#[test]
fn what_failed_last_is_run_again_and_nothing_else() {
    let bench = bench();
    let nobody = Unanswered::bind();
    let keys = lost(&bench, nobody.port(), 5);
    bench.sync(&keys, &[]).gives(69);
    bench.sim.clear_log();
    let ended = bench.sync(&keys, &["--failed", "--json"]).gives(69);
    assert_eq!(bench.sim.commands().len(), 0, "{}", ended.text());
    let lines = lines(&ended);
    let summaries = lines.iter().filter(|line| line["event"] == "summary");
    assert_eq!(summaries.count(), 5, "{}", ended.text());
    // Nothing is recorded of a new account, so it has not been synced.
    let keys = more(&bench, "");
    let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
    assert_eq!(stored(&bench, "second"), 3, "{}", ended.text());
    let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
    assert_eq!(ended.out, "", "{}", ended.text());
}

/// Nothing records that a run begins, but its lock and the messages that are on their way.
#[test]
fn a_sync_that_was_killed_counts_as_failed() {
    let bench = bench();
    let keys = more(&bench, "");
    bench.sync(&keys, &[]).gives(0);
    let passed_over = || {
        bench.sim.clear_log();
        let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
        assert_eq!((ended.out.as_str(), bench.sim.commands().len()), ("", 0));
    };
    passed_over();
    for verb in ["UIDL", "RETR", "QUIT"] {
        bench.deliver(&letter(4));
        bench.on_command(move |seen, process| {
            if seen.verb == verb {
                process.kill();
            }
        });
        let ended = bench.sync(&keys, &["second"]).end();
        assert!(ended.was_killed(), "{}", ended.text());
        bench.no_hooks();
        // Who only looks, or fails to begin, does not finish it.
        bench.configured("list", &keys, &["second"]).gives(0);
        bench.configured("verify", &keys, &["second"]).end();
        // One that is at work now is not cut short.
        let second = Identity {
            key: "second".to_owned(),
            host: "127.0.0.1".to_owned(),
            user: USER.to_owned(),
        };
        let run = Lock::acquire(&bench.path("state"), &second).unwrap();
        passed_over();
        drop(run);
        let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
        let lines = lines(&ended);
        let summaries = lines.iter().filter(|line| line["event"] == "summary");
        let names: Vec<_> = summaries.map(|line| line["account"].clone()).collect();
        assert_eq!(names, ["second"], "{verb}: {}", ended.text());
        passed_over();
    }
    assert_eq!(stored(&bench, "second"), 6);
}

/// A power cut takes the mark in the lock, which nothing waited for.
#[test]
fn messages_on_their_way_are_enough_to_know_a_sync_that_was_cut_short() {
    let bench = bench();
    let keys = more(&bench, "");
    bench.sync(&keys, &[]).gives(0);
    let state = Connection::open(bench.path("state/popsync.sqlite3")).unwrap();
    let staging = "INSERT INTO staged SELECT max(id) FROM messages
        WHERE account = (SELECT id FROM accounts WHERE key = 'third')";
    assert_eq!(state.execute(staging, []).unwrap(), 1);
    drop(state);
    let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
    assert!(
        ended.out.contains("\"account\":\"third\""),
        "{}",
        ended.text()
    );
    assert!(
        !ended.out.contains("\"account\":\"work\""),
        "{}",
        ended.text()
    );
    let ended = bench.sync(&keys, &["--failed", "--json"]).gives(0);
    assert_eq!(ended.out, "");
    assert_eq!(stored(&bench, "third"), 3);
}

/// Writes a file that nobody else can write to, whatever the umask, and its folder.
fn put(bench: &Bench, name: &str, text: &str) {
    let path = bench.path(name);
    let folder = path.parent().unwrap();
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).unwrap();
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true);
    let mut file = options.mode(0o600).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Nobody knows which accounts it has.
#[test]
fn a_file_that_is_not_toml_stops_its_own_accounts_alone() {
    let bench = bench();
    let accounts = more(&bench, "");
    let (second, third) = accounts.split_at(accounts.find("\n[accounts.third]").unwrap());
    put(&bench, "conf.d/a.toml", "[accounts.lost]\nuser = lost\n");
    put(&bench, "conf.d/b.toml", third);
    let ended = bench.sync(second, &["--json"]).gives(78);
    ended.says("a.toml:2:8: not valid TOML");
    assert_eq!(bench.store.len(), 3);
    assert_eq!((stored(&bench, "second"), stored(&bench, "third")), (3, 3));
}

#[test]
fn the_accounts_of_a_list_are_synced_but_for_those_with_mistakes() {
    let bench = bench();
    let sync = bench.sync("", &["--json"]);
    let text = format!(
        "accounts-from = \"users.csv\"\n[template]\nserver = {:?}\nuser = \"{{user}}\"\n\
         tls = {{ ca-file = {:?} }}\npassword-command = \"cat {{secret}}\"\n\
         maildir = \"{{name}}\"\n",
        bench.url(),
        bench.path("ca.pem"),
    );
    put(&bench, "config.toml", &text);
    let list = format!(
        "name,user,secret\nsecond,{USER},password\nbad,{USER},password;touch harm\n\
         third,{USER},password\n../up,{USER},password\n"
    );
    put(&bench, "users.csv", &list);
    let ended = sync.gives(78);
    ended.says("users.csv:3:1: account `bad`");
    ended.says("users.csv:5:1: account `../up`");
    assert_eq!((stored(&bench, "second"), stored(&bench, "third")), (3, 3));
    assert!(!bench.path("harm").exists());
}
