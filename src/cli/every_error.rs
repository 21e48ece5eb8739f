//! Every error that the program can print, in `every_error/errors.txt`: message, exit status and
//! hint. A variant that is missing here does not compile.
//!
//! Read the file as whoever is woken by one of them: each says what happened, where, and what to do.
//! `POPSYNC_WRITE_ERRORS=1` writes it anew.

use std::fs;
use std::io;
use std::path::Path;

use crate::causes::chain;
use crate::failure::Failure;

mod auth;
mod command;
mod config;
mod oauth;
mod session;
mod store;
mod sync;
mod tls;

/// The file, as it grows.
#[derive(Default)]
struct Book(String);

impl Book {
    fn begin(&mut self, name: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        self.0.push_str(&format!("{gap}## {name}\n"));
    }

    fn add(&mut self, error: &dyn Failure) {
        self.0.push_str(&format!("\n{}\n", chain(error)));
        for line in error.snippet().iter().flat_map(|snippet| snippet.lines()) {
            self.0.push_str(&format!("{line}\n"));
        }
        self.0
            .push_str(&format!("  exit {}\n", error.exit().code()));
        for line in error.hint().iter().flat_map(|hint| hint.lines()) {
            self.0.push_str(&format!("  hint: {line}\n"));
        }
    }
}

/// Adds examples of each variant of an error. The compiler sees whether a variant is missing, and the
/// test whether an example is of another one.
macro_rules! every {
    ($book:ident, $name:literal, $type:ty { $($pattern:pat => $examples:expr),+ $(,)? }) => {{
        let _is_complete = |error: &$type| match error {
            $($pattern => (),)+
        };
        $book.begin($name);
        $(for error in $examples {
            let error: $type = error;
            assert!(matches!(error, $pattern), "{error} is of another variant");
            $book.add(&error);
        })+
    }};
}
use every;

/// An error of the system.
fn system(errno: rustix::io::Errno) -> io::Error {
    errno.into()
}

fn missing() -> io::Error {
    system(rustix::io::Errno::NOENT)
}

#[test]
fn every_error_says_what_happened_where_and_what_to_do() {
    let mut book = Book::default();
    config::add(&mut book);
    session::add(&mut book);
    tls::add(&mut book);
    auth::add(&mut book);
    oauth::add(&mut book);
    store::add(&mut book);
    sync::add(&mut book);
    command::add(&mut book);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/every_error/errors.txt");
    if std::env::var_os("POPSYNC_WRITE_ERRORS").is_some() {
        #[expect(clippy::disallowed_methods, reason = "a file of the sources")]
        fs::write(&file, &book.0).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    for (number, (is, was)) in book.0.lines().zip(golden.lines()).enumerate() {
        assert_eq!(is, was, "line {} of {}", number + 1, file.display());
    }
    assert_eq!(book.0, golden);
}
