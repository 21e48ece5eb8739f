//! A command in one line: split into words without a shell, or quoted for one.

/// The reason why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// There is no word.
    #[error("empty")]
    Empty,
    /// A NUL, which no argument can have.
    #[error("not a command: it holds a NUL")]
    Nul,
    /// A quotation without end.
    #[error("not a command: a quotation mark has no partner")]
    Open,
}

/// Splits at blanks. Between `'` every character is literal. Between `"` a backslash quotes `"` and
/// another backslash; elsewhere it quotes any character. Nothing else is special: no variables, no
/// patterns, no pipes.
pub(crate) fn split(line: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(WordsError::Open)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(WordsError::Open)? {
                        '"' => break,
                        '\\' => match rest.next().ok_or(WordsError::Open)? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let next = rest.next().ok_or(WordsError::Open)?;
                word.get_or_insert_default().push(next);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    check(words)
}

/// Quotes a word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Checks that words are a command.
pub(crate) fn check(words: Vec<String>) -> Result<Vec<String>, WordsError> {
    if words.first().is_none_or(String::is_empty) {
        return Err(WordsError::Empty);
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(WordsError::Nul);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_one_word_again() {
        for word in [
            "plain", "", "a b", "it's", "100%", "$HOME", "a\\b", "\"", "größe",
        ] {
            // `split` reads words as a shell does, except variables and the like.
            assert_eq!(split(&format!("run {}", quoted(word))).unwrap()[1], word);
        }
    }

    #[test]
    fn lines_by_table() {
        let table: [(&str, Result<&[&str], WordsError>); 13] = [
            ("maildrop", Ok(&["maildrop"])),
            ("  maildrop   -d\tanna ", Ok(&["maildrop", "-d", "anna"])),
            ("a 'b c' d", Ok(&["a", "b c", "d"])),
            (r#"a "b \"c\" \n" d"#, Ok(&["a", r#"b "c" \n"#, "d"])),
            (r"a b\ c", Ok(&["a", "b c"])),
            ("a '' b", Ok(&["a", "", "b"])),
            ("a'b'\"c\"d", Ok(&["abcd"])),
            (
                "a $HOME | b; `c` *",
                Ok(&["a", "$HOME", "|", "b;", "`c`", "*"]),
            ),
            ("", Err(WordsError::Empty)),
            ("  ", Err(WordsError::Empty)),
            ("'' a", Err(WordsError::Empty)),
            ("a 'b", Err(WordsError::Open)),
            ("a b\\", Err(WordsError::Open)),
        ];
        for (line, expected) in table {
            let expected = expected.map(|words| words.iter().map(|w| (*w).to_owned()).collect());
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
