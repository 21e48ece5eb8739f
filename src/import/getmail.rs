//! getmail's `oldmail-SERVER-PORT-USER`: unique-id, NUL, and the time it was first seen. Every `/`
//! of a unique-id was written as `-`. A file has one mailbox, which its name shows.

use std::path::Path;

use super::{LineError, Mailbox, Parsed, Parser};

pub(super) struct Getmail;

impl Parser for Getmail {
    fn line<'a>(&mut self, line: &'a [u8]) -> Result<Parsed<'a>, LineError> {
        let form = LineError::Form {
            expected: "a unique-id, a NUL and a time",
        };
        if line.is_empty() {
            return Ok(Parsed::Nothing);
        }
        let nul = line.iter().position(|&octet| octet == 0).ok_or(form)?;
        let (unique_id, time) = (&line[..nul], &line[nul + 1..]);
        if time.is_empty() || !time.iter().all(u8::is_ascii_digit) {
            return Err(form);
        }
        Ok(Parsed::Had(unique_id))
    }
}

/// The mailbox in the file's name, if it is not this one.
pub(super) fn other_mailbox(path: &Path, mailbox: &Mailbox) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("oldmail-")?;
    let lower = rest.to_ascii_lowercase();
    let host = format!("{}-", replaced(&mailbox.host).to_ascii_lowercase());
    let is_it = lower.starts_with(&host)
        && rest[host.len()..]
            .split_once('-')
            .is_some_and(|(port, user)| {
                port.bytes().all(|octet| octet.is_ascii_digit()) && user == replaced(&mailbox.user)
            });
    (!is_it).then(|| rest.to_owned())
}

/// The text as getmail writes it in the file's name.
fn replaced(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if !matches!(c, '/' | '\\' | ':' | ';' | '<' | '>' | '|') {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_name_tells_the_mailbox() {
        let mailbox = Mailbox {
            host: "Mail.example.com".to_owned(),
            user: "anna:work".to_owned(),
        };
        for (name, other) in [
            ("oldmail-mail.example.com-995-anna-work", None),
            ("renamed-by-its-owner", None),
            (
                "oldmail-mail.example.com-995-bert",
                Some("mail.example.com-995-bert"),
            ),
            (
                "oldmail-mail.example.org-995-anna-work",
                Some("mail.example.org-995-anna-work"),
            ),
            ("oldmail-", Some("")),
        ] {
            let found = other_mailbox(&Path::new("/home/anna/.getmail").join(name), &mailbox);
            assert_eq!(found.as_deref(), other, "{name}");
        }
    }
}
