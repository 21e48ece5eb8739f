//! Breaks lines for people between words, where the terminal would break them anywhere.

use unicode_width::UnicodeWidthStr;

/// Breaks a line so that no part is wider than `width`. The first part has `used` columns less; the
/// others begin with `indent` blanks. Text between backticks is to be copied, and stays together. A
/// word that is too wide for a line gets one of its own.
pub(super) fn wrap(text: &str, used: usize, indent: usize, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len() + 16);
    let mut column = used;
    let mut is_first = true;
    for word in words(text) {
        let needed = word.width() + usize::from(!is_first);
        if !is_first && column + needed > width {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent + word.width();
        } else {
            if !is_first {
                wrapped.push(' ');
            }
            column += needed;
        }
        wrapped.push_str(word);
        is_first = false;
    }
    wrapped
}

/// The words. Text between backticks counts as one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        for (text, width, expected) in [
            ("one two three", 80, "one two three"),
            ("one two three", 13, "one two\n  three"),
            ("one two three", 12, "one\n  two three"),
            ("one `two three` four", 14, "one\n  `two three`\n  four"),
            (
                "one-that-is-far-too-wide two",
                10,
                "one-that-is-far-too-wide\n  two",
            ),
            ("wide: größe 日本語 x", 18, "wide: größe\n  日本語 x"),
            ("", 5, ""),
        ] {
            assert_eq!(wrap(text, 6, 2, width), expected, "{text}, {width}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(text in "[a-z` ]{0,80}", width in 0_usize..40) {
            let wrapped = wrap(&text, 6, 2, width);
            let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(plain(&wrapped), plain(&text));
        }
    }
}
