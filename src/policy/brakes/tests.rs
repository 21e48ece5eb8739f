use super::*;

const NOW: i64 = 1_700_000_000;

/// Circumstances in which nothing is unusual.
const CALM: Circumstances = Circumstances {
    now: NOW,
    trusted_at: Some(NOW - 3_600),
    on_server: 1_000,
    has_history: true,
    store: StoreState::Holds,
    max_deletions: 100,
    allowed: false,
    contradicted: false,
    held: false,
};

/// A plan that deletes this many messages for this reason, retrieves and deletes one, and keeps
/// one.
fn deletes(count: usize, reason: Reason) -> Vec<Decision> {
    let mut decisions = vec![Decision::new(Action::Delete, reason, Some(NOW)); count];
    let at_once = Action::RetrieveThenDelete;
    decisions.push(Decision::new(at_once, Reason::New, Some(NOW)));
    decisions.push(Decision::new(Action::Keep, Reason::Stored, None));
    decisions
}

#[test]
fn each_brake_by_table() {
    let (old, here) = (Reason::OlderThanRemoveAfter, Reason::DeletedLocally);
    let at = |trusted_at| Circumstances {
        trusted_at: Some(trusted_at),
        ..CALM
    };
    let store = |store| Circumstances { store, ..CALM };
    let on_server = |on_server| Circumstances { on_server, ..CALM };
    let rebuilt = Circumstances {
        has_history: false,
        ..CALM
    };
    let held = Circumstances { held: true, ..CALM };
    let first = Circumstances {
        trusted_at: None,
        ..CALM
    };
    for (name, count, reason, circumstances, expected) in [
        ("calm", 100, old, CALM, vec![]),
        ("first run", 1, old, first, vec![]),
        (
            "emptied",
            1,
            old,
            store(StoreState::Emptied),
            vec![Brake::StoreEmptied],
        ),
        (
            "unreadable",
            1,
            old,
            store(StoreState::Unreadable),
            vec![Brake::StoreUnreadable],
        ),
        ("rebuilt", 1, old, rebuilt, vec![Brake::NoHistory]),
        ("a day back", 1, old, at(NOW + DAY), vec![]),
        (
            "more",
            1,
            old,
            at(NOW + DAY + 1),
            vec![Brake::ClockBack { days: 1 }],
        ),
        ("a quiet quarter", 1, old, at(NOW - 90 * DAY), vec![]),
        (
            "more",
            1,
            old,
            at(NOW - 91 * DAY),
            vec![Brake::ClockAhead { days: 91 }],
        ),
        (
            "too many",
            101,
            old,
            CALM,
            vec![Brake::TooMany {
                deletions: 101,
                most: 100,
            }],
        ),
        // Deletions that were asked for before, or had begun, are not news.
        ("again", 900, Reason::AskedBefore, CALM, vec![]),
        (
            "interrupted",
            900,
            Reason::DeletionInterrupted,
            CALM,
            vec![],
        ),
        (
            "at last",
            101,
            Reason::NotLeftOnServer,
            CALM,
            vec![Brake::TooMany {
                deletions: 101,
                most: 100,
            }],
        ),
        (
            "here too",
            101,
            Reason::DeletedLocally,
            CALM,
            vec![Brake::TooMany {
                deletions: 101,
                most: 100,
            }],
        ),
        ("half", 50, here, on_server(100), vec![]),
        (
            "over half",
            51,
            here,
            on_server(100),
            vec![Brake::OverHalf {
                deletions: 51,
                messages: 100,
            }],
        ),
        // A brake does not hinder small mailboxes.
        ("all of a small one", 10, here, on_server(10), vec![]),
        (
            "not so small",
            11,
            here,
            on_server(11),
            vec![Brake::OverHalf {
                deletions: 11,
                messages: 11,
            }],
        ),
        // Deletions by age were announced, if the clock is right.
        ("by age", 100, old, on_server(100), vec![]),
        // Only a person releases deletions that were held back once, however large the mailbox
        // grows.
        ("held", 11, here, held, vec![Brake::Held { deletions: 11 }]),
        ("held and hardly any left", 10, here, held, vec![]),
        ("held and by age", 100, old, held, vec![]),
    ] {
        let plan = deletes(count, reason);
        assert_eq!(brakes(&plan, &circumstances), expected, "{name}");
        let allowed = Circumstances {
            allowed: true,
            ..circumstances
        };
        let held: Vec<_> = expected
            .into_iter()
            .filter(|brake| !brake.is_releasable())
            .collect();
        assert_eq!(brakes(&plan, &allowed), held, "{name}, allowed");
    }
}

/// A message of this session is safely stored when its DELE goes out, whatever happened before.
#[test]
fn messages_that_the_session_stores_make_no_brake_bite() {
    let worst = Circumstances {
        now: 0,
        on_server: 1,
        has_history: false,
        store: StoreState::Emptied,
        max_deletions: 1,
        ..CALM
    };
    let at_once = Action::RetrieveThenDelete;
    let plan = vec![Decision::new(at_once, Reason::New, Some(NOW)); 5_000];
    assert_eq!(brakes(&plan, &worst), []);
}

#[test]
fn a_plan_that_is_held_back_deletes_nothing_and_still_retrieves() {
    let mut plan = deletes(3, Reason::OlderThanRemoveAfter);
    assert_eq!(hold_back(&mut plan), 3);
    let text: Vec<_> = plan
        .iter()
        .map(|decision| format!("{}: {}", decision.action, decision.reason))
        .collect();
    assert_eq!(
        text,
        [
            "keep: due for removal, and held back",
            "keep: due for removal, and held back",
            "keep: due for removal, and held back",
            "retrieve: new",
            "keep: stored",
        ]
    );
    assert_eq!(plan[0].leaves_at(), Some(NOW));
}

#[test]
fn several_brakes_are_all_named() {
    let circumstances = Circumstances {
        now: NOW,
        trusted_at: Some(NOW - 400 * DAY),
        on_server: 20,
        has_history: true,
        store: StoreState::Emptied,
        max_deletions: 5,
        ..CALM
    };
    let named: Vec<_> = brakes(&deletes(20, Reason::DeletedLocally), &circumstances)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        named,
        [
            "the store holds none of the messages stored in it",
            "the clock is 400 days ahead of the last run",
            "20 messages would be, and max-deletions is 5",
        ]
    );
}
