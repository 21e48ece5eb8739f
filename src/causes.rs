//! An error in one line, with its causes.

use std::error::Error;

/// An error with its causes: `A: B: C`. Skips a cause whose text is already part of the error above
/// it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Layer {
        words: &'static str,
        source: Option<Box<Self>>,
    }

    #[test]
    fn causes_are_said_once() {
        let layer = |words, source: Option<Layer>| Layer {
            words,
            source: source.map(Box::new),
        };
        let error = layer(
            "cannot connect",
            Some(layer("tls: bad name", Some(layer("bad name", None)))),
        );
        assert_eq!(chain(&error), "cannot connect: tls: bad name");
    }
}
