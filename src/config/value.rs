//! The values of a list, and the slots of a template that they may go into.

/// The reading of a text after values were put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A command: a shell reads it, or it is split into words.
    Command,
    /// A path: a value is a part of a name in it.
    Path,
    /// Nothing else reads it.
    Text,
    /// A URL: a value is encoded, unless it is the whole.
    Url,
}

/// A defect of a value for the slot that it would go into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It begins with this.
    #[error("it begins with `{0}`")]
    Start(char),
    /// This is in it.
    #[error("it has `{0}`")]
    Letter(char),
}

impl Slot {
    /// The rule for values, for a hint.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Command => {
                "in a command, a value has letters and digits of ASCII and `@ . _ + -` alone, and \
                 begins with none of `. + -`"
            }
            Self::Path => {
                "in a path, a value is a part of a name: it has no `/`, and begins with none of \
                 `. ~ $`"
            }
            Self::Text | Self::Url => "any value may be here",
        }
    }

    /// Checks that a value does not change how the text around it is read.
    pub(super) fn check(self, value: &str) -> Result<(), Unfit> {
        let (starts, is_letter): (&[char], fn(char) -> bool) = match self {
            Self::Command => (&['.', '+', '-'], |c| {
                c.is_ascii_alphanumeric() || "@._+-".contains(c)
            }),
            Self::Path => (&['.', '~', '$'], |c| c != '/'),
            Self::Text | Self::Url => return Ok(()),
        };
        let first = value.chars().next().ok_or(Unfit::Empty)?;
        if starts.contains(&first) {
            return Err(Unfit::Start(first));
        }
        match value.chars().find(|c| !is_letter(*c)) {
            Some(c) => Err(Unfit::Letter(c)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_not_change_how_its_text_is_read() {
        for value in ["anna", "anna@example.com", "a.b_c+d-e", "7", "_x", "@x"] {
            for slot in [Slot::Command, Slot::Path, Slot::Text, Slot::Url] {
                assert_eq!(slot.check(value), Ok(()), "{value}");
            }
        }
        for (value, command, path) in [
            ("", Err(Unfit::Empty), Err(Unfit::Empty)),
            (".", Err(Unfit::Start('.')), Err(Unfit::Start('.'))),
            ("..", Err(Unfit::Start('.')), Err(Unfit::Start('.'))),
            (".ssh", Err(Unfit::Start('.')), Err(Unfit::Start('.'))),
            ("-rf", Err(Unfit::Start('-')), Ok(())),
            ("+x", Err(Unfit::Start('+')), Ok(())),
            ("~", Err(Unfit::Letter('~')), Err(Unfit::Start('~'))),
            ("$HOME", Err(Unfit::Letter('$')), Err(Unfit::Start('$'))),
            ("a$HOME", Err(Unfit::Letter('$')), Ok(())),
            ("a/b", Err(Unfit::Letter('/')), Err(Unfit::Letter('/'))),
            ("/a", Err(Unfit::Letter('/')), Err(Unfit::Letter('/'))),
            ("a b", Err(Unfit::Letter(' ')), Ok(())),
            ("a;b", Err(Unfit::Letter(';')), Ok(())),
            ("a`b`", Err(Unfit::Letter('`')), Ok(())),
            ("a'b", Err(Unfit::Letter('\'')), Ok(())),
            ("a\\b", Err(Unfit::Letter('\\')), Ok(())),
            ("größe", Err(Unfit::Letter('ö')), Ok(())),
        ] {
            assert_eq!(Slot::Command.check(value), command, "{value}");
            assert_eq!(Slot::Path.check(value), path, "{value}");
            assert_eq!(Slot::Text.check(value), Ok(()), "{value}");
        }
    }
}
