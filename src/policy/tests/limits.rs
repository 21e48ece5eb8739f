use super::*;

fn limits(max_size: u64, max_messages: u64, max_octets: u64) -> Limits {
    Limits {
        headers_only_above: None,
        header_stubs: false,
        sessions: None,
        connections: None,
        max_size: NonZeroU64::new(max_size),
        max_messages: NonZeroU64::new(max_messages),
        max_octets: NonZeroU64::new(max_octets),
    }
}

#[test]
fn limits_hold_and_let_no_message_wait_for_ever() {
    let lines = ["1 a 10", "2 b 100", "3 c 10", "4 d"];
    for (limits, retrieved) in [
        (limits(0, 0, 0), "1111"),
        (limits(99, 0, 0), "1011"),
        (limits(100, 0, 0), "1111"),
        (limits(0, 1, 0), "1000"),
        (limits(0, 3, 0), "1110"),
        (limits(0, 0, 110), "1100"),
        (limits(0, 0, 109), "1000"),
        // At least one, however large.
        (limits(0, 0, 1), "1000"),
        // Messages skipped because of max-size do not count.
        (limits(9, 1, 0), "0001"),
    ] {
        let plan = planned(&lines, &[], KEEP, limits);
        let pattern: String = plan
            .iter()
            .map(|line| {
                if line.starts_with("retrieve") {
                    '1'
                } else {
                    '0'
                }
            })
            .collect();
        assert_eq!(pattern, retrieved, "{limits:?}");
    }
}

/// Messages with only their headers, besides the stored ones.
pub(super) struct WithHeaders(
    pub(super) HashMap<Vec<u8>, Remembered>,
    pub(super) HashMap<Vec<u8>, HeaderOnly>,
);

impl Memory for WithHeaders {
    fn recall(&self, unique_id: &[u8]) -> Option<Remembered> {
        self.0.recall(unique_id)
    }

    fn recall_header(&self, unique_id: &[u8]) -> Option<HeaderOnly> {
        self.1.get(unique_id).copied()
    }
}

pub(super) fn header(octets: u64, marked: bool) -> Option<HeaderOnly> {
    Some(HeaderOnly { octets, marked })
}

#[test]
fn of_large_messages_the_header_comes_first_and_the_rest_when_it_is_marked() {
    let whole = ["retrieve: new", "retrieve, then delete: new"];
    let headers = ["headers only: larger than headers-only-above"; 2];
    let known = ["skip: headers only, not marked"; 2];
    let marked = ["retrieve: marked", "retrieve, then delete: marked"];
    for (line, header, above, expected) in [
        ("1 a 100", None, 100, whole),
        ("1 a 101", None, 100, headers),
        ("1 a 101", None, 0, whole),
        // A size that is no number holds nothing back.
        ("1 a x", None, 100, whole),
        ("1 a 101", header(101, false), 100, known),
        ("1 a x", header(101, false), 100, known),
        ("1 a 101", header(101, true), 100, marked),
        // It may be another message.
        ("1 a 150", header(101, false), 100, headers),
        ("1 a 150", header(101, true), 100, marked),
        // The setting has changed since.
        ("1 a 101", header(101, false), 101, whole),
        ("1 a 101", header(101, false), 0, whole),
        ("1 a 101", header(101, true), 0, marked),
    ] {
        let memory = header.map(|header| (b"a".to_vec(), header));
        let memory = WithHeaders(HashMap::new(), memory.into_iter().collect());
        let limits = Limits {
            headers_only_above: NonZeroU64::new(above),
            ..limits(120, 0, 0)
        };
        // `max-size` does not stop a message that a person asked for.
        let limits = if expected == marked {
            limits
        } else {
            Limits {
                max_size: None,
                ..limits
            }
        };
        let shown = [KEEP, DELETE].map(|retention| {
            let plan = decisions(&maildrop(&[line]), &memory, retention, limits);
            format!("{}: {}", plan[0].action, plan[0].reason)
        });
        assert_eq!(shown, expected, "{line} {header:?} {above}");
    }
}

#[test]
fn a_message_that_is_stored_is_under_the_retention_whatever_its_size() {
    let memory = [stored("a", 100, false)];
    let limits = Limits {
        headers_only_above: NonZeroU64::new(1),
        ..Limits::default()
    };
    for (retention, expected) in [
        (KEEP, "keep: stored"),
        (DELETE, "delete: stored, and not left on the server"),
    ] {
        assert_eq!(
            planned(&["1 a 1000"], &memory, retention, limits),
            [expected]
        );
    }
}

/// The messages of earlier sessions of a run count towards its limits.
#[test]
fn limits_are_those_of_the_run_and_not_of_a_session() {
    let lines = ["1 a 10", "2 b 10", "3 c 10"];
    let retrieved = |limits, taken| {
        let maildrop = maildrop(&lines);
        let rules = Rules {
            retention: KEEP,
            limits,
            taken,
            circumstances: &calm(3),
        };
        let memory: HashMap<Vec<u8>, Remembered> = HashMap::new();
        let plan = plan(&maildrop, &memory, &Evidence::default(), rules).decisions;
        plan.iter()
            .filter(|decision| decision.action.retrieves())
            .count()
    };
    assert_eq!(retrieved(limits(0, 4, 0), (0, 0)), 3);
    assert_eq!(retrieved(limits(0, 4, 0), (2, 20)), 2);
    assert_eq!(retrieved(limits(0, 4, 0), (4, 40)), 0);
    assert_eq!(retrieved(limits(0, 0, 50), (4, 40)), 1);
    assert_eq!(retrieved(limits(0, 0, 30), (4, 40)), 0);
}
