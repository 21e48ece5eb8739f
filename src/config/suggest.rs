//! "Did you mean": the known word that is nearest to a mistyped one.

/// The shortest word that says something when another begins with it.
const SHORTEST: usize = 4;

/// The nearest of `known`, unless `word` is too far from all of them to be a slip.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // Underscores for hyphens and other case are no slips of the finger, but habits.
    let word = word.to_lowercase().replace('_', "-");
    // Words too long to be meant need no quadratic comparison.
    if word.len() > 64 {
        return None;
    }
    // Nor is what other programs call it: `username`, `remove-after`.
    let alike = |candidate: &str| {
        let shorter = word.len().min(candidate.len());
        shorter >= SHORTEST && (word.starts_with(candidate) || candidate.starts_with(&word))
    };
    known
        .iter()
        .map(|candidate| (distance(&word, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= candidate.len().div_ceil(3) || alike(candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's: how many letters must be added, left out or exchanged.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word() {
        let known = [
            "server",
            "user",
            "max-size",
            "max-messages",
            "leave-on-server",
        ];
        let table = [
            ("servr", Some("server")),
            ("max_size", Some("max-size")),
            ("MaxSize", Some("max-size")),
            ("leave-on-sever", Some("leave-on-server")),
            ("usre", Some("user")),
            ("username", Some("user")),
            ("leave", Some("leave-on-server")),
            ("colour", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(nearest(word, &known), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), &known), None);
    }
}
