//! The page of a small report, and what hostile text does to it: nothing.

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::account::Identity;
use crate::cache::{AccountOverview, Figure, LastRun, PastRun, PastVerification};

const NOW: i64 = 1_767_225_600;
const DAY: i64 = 24 * 60 * 60;

/// Text that would run a script, end an attribute, or turn the line around.
const HOSTILE: &str = "<script>alert('1')</script>\" onload=\"x\" & \u{202e}gnp.exe";

fn moment() -> Moment {
    Moment {
        zone: TimeZone::UTC,
        now: NOW,
    }
}

fn run(started_at: i64, exit: u8, error: Option<&str>) -> PastRun {
    PastRun {
        account: String::new(),
        started_at,
        finished_at: started_at + 95,
        exit,
        retrieved: 3,
        octets: 5_000,
        deleted: 1,
        skipped: 0,
        failed: 0,
        on_server: Some(12),
        error: error.map(str::to_owned),
    }
}

/// A verification that found something, and could not repair all of it.
fn verification() -> PastVerification {
    PastVerification {
        started_at: NOW - 2 * DAY - 40,
        finished_at: NOW - 2 * DAY,
        exit: 1,
        parts: 1,
        messages: 12,
        compared: 11,
        missing: 1,
        damaged: 2,
        repaired: 2,
        ..PastVerification::default()
    }
}

/// An account with some messages and runs. The last run ended so.
fn account(name: &str, last: PastRun) -> AccountReport {
    let identity = Identity {
        key: name.to_owned(),
        host: "mail.example.com".to_owned(),
        user: "anna@example.com".to_owned(),
    };
    let retention = Retention::new(true, Some(14));
    let mut figures = Figures::new(&moment(), Some(14 * DAY));
    for number in 0..12_i64 {
        figures.add(Figure {
            stored_at: NOW - number * number * DAY,
            octets: 3_000_u64.pow(2) / (number.cast_unsigned() + 1) / 3,
            is_listed: number < 4,
            is_provable: number > 0,
            absence_accepted: number == 5,
        });
    }
    let overview = AccountOverview {
        messages: 12,
        octets: figures.all.octets,
        recent_messages: 6,
        recent_octets: 7_350_000,
        stored_on_server: 4,
        missing: 1,
        doubtful: 2,
        last_success_at: Some(NOW - 3_600),
        last_complete_at: Some(NOW - 3_600),
        last_verification: Some(verification()),
        last_verified_at: Some(NOW - 9 * DAY),
        last_run: Some(LastRun {
            finished_at: last.finished_at,
            exit: last.exit,
            retrieved: last.retrieved,
            deleted: last.deleted,
            failed: last.failed,
            on_server: last.on_server,
            error: last.error.clone(),
        }),
        ..AccountOverview::blank(name, &identity, format!("/home/anna/Mail/{name}"))
    };
    let mut runs = Runs::new(&moment());
    runs.add(last);
    runs.add(run(NOW - DAY, 0, None));
    runs.add(run(NOW - 2 * DAY, 69, Some("no route to host")));
    runs.add(run(NOW - 3 * DAY, 69, Some("no route to host")));
    let mut senders = Senders::default();
    senders.add(b"From: Eva <eva@example.org>\n\n", 9_000);
    let from = format!("From: \"x\" <{name}@example.org>\n\n");
    senders.add(from.as_bytes(), 1_000);
    AccountReport {
        status: AccountStatus {
            overview,
            is_configured: true,
            due: Some(0),
            next_due: Some(NOW + 5 * DAY),
            listed: Some(12),
            is_held: false,
            running: None,
            state_dir: None,
        },
        retention: Some(retention),
        figures,
        runs,
        senders: Ok(senders),
        loss: Some(Loss {
            gap: 1,
            missing: 1,
            told: 1,
            counted_at: NOW - 3_600,
        }),
        parts: 3,
        verifications: vec![
            verification(),
            PastVerification {
                finished_at: NOW - 9 * DAY,
                exit: 0,
                parts: 20,
                messages: 11,
                compared: 1,
                ..PastVerification::default()
            },
        ],
    }
}

/// An account that was never synced.
fn fresh() -> AccountReport {
    let mut fresh = account("fresh", run(NOW, 0, None));
    let overview = &mut fresh.status.overview;
    *overview = AccountOverview::blank("fresh", &overview.identity(), "/var/mail/anna".to_owned());
    fresh.status.listed = None;
    fresh.verifications = Vec::new();
    fresh.figures = Figures::new(&moment(), None);
    fresh.runs = Runs::new(&moment());
    fresh.senders = Err("the messages went to a delivery agent".to_owned());
    (fresh.loss, fresh.parts, fresh.status.due) = (None, 0, None);
    fresh.retention = Some(Retention::new(false, None));
    fresh
}

/// Asserts that each element ends where it must.
fn assert_well_formed(page: &str) {
    const VOID: [&str; 8] = [
        "!DOCTYPE", "meta", "link", "rect", "line", "polyline", "polygon", "circle",
    ];
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        let name = tag.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}>"),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Asserts that a browser loads nothing and runs nothing because of the page.
fn assert_self_contained(page: &str) {
    for forbidden in [
        "http:",
        "https:",
        "<script",
        "@import",
        "url(",
        "<iframe",
        "<img",
        " src=",
        " onload=\"",
        "javascript:",
        "\u{202e}",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for link in page.split(" href=\"").skip(1) {
        assert!(
            link.starts_with('#') || link.starts_with("data:,\""),
            "{link:.40}"
        );
    }
}

#[test]
fn a_small_report_is_the_page_of_the_golden_file() {
    let failed = run(
        NOW - 600,
        77,
        Some("the server refused the login: -ERR No."),
    );
    let accounts = [
        account("work", run(NOW - 600, 0, None)),
        account("home", failed),
        fresh(),
    ];
    let page = report(&accounts, &[], &moment());
    assert_well_formed(&page);
    assert_self_contained(&page);
    // The style sheet is a file of its own already.
    let page = page
        .replace(STYLE, "STYLE")
        .replace(&STANDARD.encode(Sha256::digest(STYLE)), "DIGEST")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/output/report/golden.html");
    if std::env::var_os("POPSYNC_UPDATE").is_some_and(|value| value == "1") {
        crate::durable::replace(&golden, page.as_bytes(), 0o644).unwrap();
    }
    assert!(
        fs::read_to_string(&golden).unwrap_or_default() == page,
        "golden.html is out of date: run the tests with POPSYNC_UPDATE=1, and look at what has changed"
    );
}

#[test]
fn hostile_text_stays_text() {
    let mut accounts = [account(HOSTILE, run(NOW, 77, Some(HOSTILE))), fresh()];
    accounts[1].senders = Err(HOSTILE.to_owned());
    let overview = &mut accounts[1].status.overview;
    (overview.user, overview.host) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    let page = report(&accounts, &[], &moment());
    assert_well_formed(&page);
    assert_self_contained(&page);
    let shown = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&quot; &amp; \
                 \\u{202e}gnp.exe";
    // The name (three times) and the store, the error (twice), user and host, the reason.
    assert_eq!(page.matches(shown).count(), 9);
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload"));
    assert!(report(&[], &[], &moment()).contains("No account is configured"));
    let left_out = ["the state in `/pods/2` is <left> out".to_owned()];
    let page = report(&accounts, &left_out, &moment());
    assert!(
        page.contains("<code>/pods/2</code> is &lt;left&gt; out"),
        "{page}"
    );
}

#[test]
fn every_drawing_has_a_name_and_a_description() {
    let page = report(&[account("work", run(NOW, 0, None))], &[], &moment());
    let drawings = page.matches("<svg ").count();
    assert!(drawings >= 6, "{drawings}");
    assert_eq!(page.matches(" role=\"img\" ").count(), drawings);
    for attribute in ["aria-labelledby=\"", "aria-describedby=\""] {
        for of in page.split(attribute).skip(1) {
            let (id, _) = of.split_once('"').unwrap();
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
    }
    let tables = page.matches("<table>").count();
    assert_eq!(page.matches("<caption>").count(), tables);
}

/// Who reads the page on paper or without a stylesheet reads the same.
#[test]
fn a_page_tells_in_words_how_accounts_stand() {
    let mut held = account("held", run(NOW - 60, 0, None));
    held.status.is_held = true;
    let mut old = account("old", run(NOW - 3 * DAY, 0, None));
    old.status.overview.missing = 0;
    old.status.overview.last_complete_at = Some(NOW - 3 * DAY);
    let mut removed = account("removed", run(NOW - 60, 0, None));
    removed.status.is_configured = false;
    removed.retention = None;
    let page = report(&[held, old, removed, fresh()], &[], &moment());
    for words in [
        ">deletions held<",
        ">no recent run<",
        ">messages missing<",
        ">never synced<",
        "1 message is not in the store: <code>popsync verify</code> names it.",
        "2 messages perhaps did not come whole",
        "It is not in the configuration",
        "A message leaves the server 14 days after it was stored here.",
        "A message leaves the server once it is stored here.",
        "nothing leaves the server",
    ] {
        assert!(page.contains(words), "{words}");
    }
}
