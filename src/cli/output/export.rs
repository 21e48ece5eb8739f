//! The output of `popsync export`.

use std::path::Path;

use indicatif::HumanCount;
use serde::Serialize;

use crate::exit::Exit;
use crate::sync::Counts;

use super::terminal::{messages, octets};
use super::{Output, sanitize};

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    account: &'a str,
    path: String,
    messages: u64,
    bytes: u64,
    left_out: u64,
    missing: u64,
    damaged: u64,
    exit: u8,
}

impl Output {
    /// Reports the export of an account.
    pub(in crate::cli) fn exported(&self, account: &str, to: &Path, counts: Counts) -> Exit {
        let exit = Exit::after(counts.missing + counts.damaged);
        let path = sanitize::text(&to.to_string_lossy()).into_owned();
        if self.options.json {
            let line = Line {
                event: "exported",
                account,
                path,
                messages: counts.messages,
                bytes: counts.octets,
                left_out: counts.left_out,
                missing: counts.missing,
                damaged: counts.damaged,
                exit: exit.code(),
            };
            // Only numbers and strings: this cannot fail.
            self.data(serde_json::to_string(&line).unwrap_or_default());
            return exit;
        }
        let mut text = format!(
            "{account}: {} {}, {} exported to `{path}`",
            HumanCount(counts.messages),
            messages(counts.messages),
            octets(counts.octets)
        );
        for (count, what) in [
            (counts.left_out, "not chosen"),
            (counts.missing, "missing"),
            (counts.damaged, "damaged"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {} {what}", HumanCount(count)));
            }
        }
        self.done(&text);
        if exit != Exit::Success {
            self.hint(Some(
                "`popsync verify --repair` gets again what the server still has; what is damaged was \
                 exported as it is",
            ));
        }
        exit
    }
}
