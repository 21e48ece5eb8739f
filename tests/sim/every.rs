//! `popsync sync --every`: keeps running, and syncs again and again.

use rustix::process::Signal;

use support::bench::{Bench, letter, letters};

const HOURLY: [&str; 3] = ["-v", "--every", "1h"];

#[test]
fn the_first_sync_comes_at_once_and_others_follow_until_sigterm() {
    let bench = Bench::with(letters(2));
    let running = bench.sync("", &["-v", "--every", "1s"]).start();
    running.wait_until_it_says("run 1 ended with 0; the next one begins 1 s after it began");
    assert_eq!(bench.store.len(), 2);
    bench.deliver(&letter(3));
    running.wait_until_it_says("run 2 ended with 0");
    running.process.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.status, Some(143), "{}", ended.text());
    bench.settle();
    bench.assert_exactly_once();
    bench.assert_no_violations();
}

#[test]
fn sighup_reads_the_configuration_again_and_a_mistake_in_it_ends_nothing() {
    let bench = Bench::with(letters(3));
    let running = bench.sync("max-messages = 1", &HOURLY).start();
    running.wait_until_it_says("run 1 ended with 0");
    assert_eq!(bench.store.len(), 1);
    // Only for the configuration file that the bench writes; nothing is run.
    drop(bench.configured("sync", "nonsense = 1", &[]));
    running.process.signal(Signal::HUP);
    running.wait_until_it_says("unknown key `nonsense`");
    // The configuration read before is still in force.
    running.wait_until_it_says("run 2 ended with 0");
    assert_eq!(bench.store.len(), 2);
    drop(bench.configured("sync", "max-messages = 10", &[]));
    running.process.signal(Signal::HUP);
    running.wait_until_it_says("the configuration was read again");
    running.wait_until_it_says("run 3 ended with 0");
    running.process.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.status, Some(143), "{}", ended.text());
    bench.settle();
    bench.assert_exactly_once();
}

#[test]
fn sigterm_in_the_middle_of_a_sync_keeps_what_is_complete() {
    let bench = Bench::with(letters(40));
    bench.on_command(|seen, process| {
        if seen.verb == "RETR" && seen.number == Some(20) {
            process.signal(Signal::TERM);
        }
    });
    let ended = bench.sync("", &HOURLY).start().end();
    assert_eq!(ended.status, Some(143), "{}", ended.text());
    bench.no_hooks();
    bench.settle();
    let stored = bench.store.len();
    assert!(stored > 0, "{}", ended.text());
    bench.sync("", &[]).gives(0);
    bench.assert_exactly_once();
    assert!(bench.store.len() >= stored);
}

#[test]
fn a_failed_sync_is_followed_by_others() {
    let bench = Bench::with(letters(1));
    let keys = format!("socket = {:?}", bench.path("nobody"));
    let running = bench.sync(&keys, &HOURLY).start();
    running.wait_until_it_says("run 1 ended with 69");
    running.wait_until_it_says("hint: check that the server which owns the socket is running");
    drop(bench.configured("sync", "", &[]));
    running.process.signal(Signal::HUP);
    running.wait_until_it_says("run 2 ended with 0");
    running.process.signal(Signal::INT);
    assert_eq!(running.end().status, Some(130));
    bench.settle();
    bench.assert_exactly_once();
}

/// Options for one run do not apply to later ones.
#[test]
fn a_brake_is_not_released_again_and_again() {
    let bench = Bench::with([]);
    for flag in ["--allow-mass-delete", "--accept-store", "--dry-run"] {
        bench.sync("", &["--every", "1h", flag]).gives(64);
    }
    bench
        .sync("", &["--every", "0s"])
        .gives(64)
        .says("not a time");
    bench.sync("nonsense = 1", &["--every", "1h"]).gives(78);
}
