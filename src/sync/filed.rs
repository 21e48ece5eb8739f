//! Messages that a mail program filed under a new name.
//!
//! Some programs move a message by renaming its file; others write it anew under another name, with
//! fields of their own, or compressed. By names alone, the latter looks like a deletion. So before
//! a message is deleted on the server because its file is gone, it is searched for by all its
//! marks. A file that could be the message prevents the deletion: a wrong match deletes nothing,
//! but a missed one loses mail.

use super::likeness::{Index, Kind, Likeness, Reading};
use crate::cache::Digest;
use crate::store::{self, Gap, Inventory, Name, Readers, Viewer};

/// The end of every name that popsync makes.
const OURS: &str = ".popsync";

/// The messages of a store whose names are not recorded.
#[derive(Debug, Default)]
pub(super) struct Filed {
    names: Vec<Name>,
    index: Index,
    gap: Option<Gap>,
}

/// A file that could be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match<'a> {
    pub(super) name: &'a Name,
    pub(super) by: By,
}

/// The common part of a file and a message. The later, the stronger the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// Date, From and Subject: it may be the message.
    Origin,
    /// The body.
    Body,
    /// The Message-ID.
    MessageId,
    /// The header, without the fields that programs add.
    Header,
    /// Every octet.
    Whole,
}

impl Filed {
    /// Reads each message that has no record, once. Stubs are left out.
    ///
    /// # Errors
    /// If the store itself cannot be read.
    pub(super) fn read(store: &dyn Readers, recorded: &Inventory) -> Result<Self, store::Error> {
        let mut filing = Filing::default();
        let known = |name: &str| recorded.holds(&Name(name.to_owned()));
        let gap = store.strangers(&known, &mut filing)?;
        let mut filed = filing.filed;
        filed.index.sort();
        filed.gap = gap;
        Ok(filed)
    }

    /// Their files.
    pub(super) fn names(&self) -> &[Name] {
        &self.names
    }

    /// The reason why any message may be there under another name, if there is one. Then no message
    /// is known to be deleted.
    pub(super) fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// The file that could be the message with this recorded header and content.
    pub(super) fn recorded(&self, header: &Digest, whole: &Digest) -> Option<Match<'_>> {
        self.find(Kind::Whole, Some(whole), By::Whole)
            .or_else(|| self.find(Kind::Header, Some(header), By::Header))
    }

    /// The file that could be the message with this header, as the server sends it.
    pub(super) fn like(&self, header: &Likeness) -> Option<Match<'_>> {
        self.find(Kind::Header, header.as_sent.as_ref(), By::Header)
            .or_else(|| self.find(Kind::Header, header.without_added.as_ref(), By::Header))
            .or_else(|| self.find(Kind::Plain, header.plain.as_ref(), By::Header))
            .or_else(|| self.find(Kind::MessageId, header.message_id.as_ref(), By::MessageId))
            .or_else(|| self.find(Kind::Origin, header.origin.as_ref(), By::Origin))
    }

    /// The file that could be the message with this body.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for whoever has the whole message")
    )]
    pub(super) fn with_body(&self, body: &Digest) -> Option<Match<'_>> {
        self.find(Kind::Body, Some(body), By::Body)
    }

    fn find(&self, kind: Kind, digest: Option<&Digest>, by: By) -> Option<Match<'_>> {
        let place = self.index.places(kind, digest).next()?;
        let name = &self.names[place];
        Some(Match { name, by })
    }
}

/// The stubs of a store that a mail program has filed under new names.
#[derive(Debug, Default)]
pub(super) struct FiledStubs {
    names: Vec<Name>,
    index: Index,
}

impl FiledStubs {
    /// Reads the headers of all messages that another program has named.
    ///
    /// # Errors
    /// If the store itself cannot be read.
    pub(super) fn read(store: &dyn Readers) -> Result<Self, store::Error> {
        let mut looking = StubLook::default();
        store.strangers(&|name| name.ends_with(OURS), &mut looking)?;
        let mut stubs = looking.stubs;
        stubs.index.sort();
        Ok(stubs)
    }

    /// The stub of the message with this header. None if there are several: nobody knows which one
    /// a person kept.
    pub(super) fn of(&self, header: &Likeness) -> Option<&Name> {
        let (kind, digest) = match &header.message_id {
            Some(id) => (Kind::MessageId, Some(id)),
            None => (Kind::Origin, header.origin.as_ref()),
        };
        let mut places = self.index.places(kind, digest);
        let place = places.next()?;
        places.next().is_none().then(|| &self.names[place])
    }
}

/// Reads one header after another, and keeps those of stubs.
#[derive(Default)]
struct StubLook {
    stubs: FiledStubs,
    reading: Reading,
}

impl Viewer for StubLook {
    fn content(&mut self, octets: &[u8]) -> bool {
        !self.reading.take(octets)
    }

    fn end(&mut self, name: &str) {
        let header = std::mem::take(&mut self.reading).header();
        let FiledStubs { names, index } = &mut self.stubs;
        if let (true, Ok(place)) = (header.is_stub, u32::try_from(names.len())) {
            index.put(Kind::MessageId, header.message_id.as_ref(), place);
            index.put(Kind::Origin, header.origin.as_ref(), place);
            names.push(Name(name.to_owned()));
        }
    }

    fn abandon(&mut self) {
        self.reading = Reading::default();
    }
}

/// Reads one message after another, and keeps the marks of each.
#[derive(Default)]
struct Filing {
    filed: Filed,
    reading: Reading,
}

impl Viewer for Filing {
    fn content(&mut self, octets: &[u8]) -> bool {
        self.reading.take(octets);
        true
    }

    fn end(&mut self, name: &str) {
        let portrait = std::mem::take(&mut self.reading).finish();
        let header = &portrait.header;
        if header.is_stub {
            return;
        }
        let Filed { names, index, .. } = &mut self.filed;
        // Nobody has so many messages.
        let Ok(place) = u32::try_from(names.len()) else {
            return;
        };
        index.put_header(header, place);
        index.put(Kind::MessageId, header.message_id.as_ref(), place);
        index.put(Kind::Origin, header.origin.as_ref(), place);
        index.put(Kind::Whole, Some(&portrait.whole), place);
        index.put(Kind::Body, portrait.body.as_ref(), place);
        names.push(Name(name.to_owned()));
    }

    fn abandon(&mut self) {
        self.reading = Reading::default();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;

    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::store::Maildir;
    use crate::sync::headers;

    const HEADER: &str = "Received: from a\r\n\tby b\r\nMessage-ID: <1@x>\r\nSubject: s\r\n\
        From: eva@example.com\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n";
    const BODY: &str = "body\r\n\r\nand more\r\n";

    struct Mail {
        root: tempfile::TempDir,
        maildir: Maildir,
    }

    impl Mail {
        fn new() -> Self {
            // A name without a dot: that would have siblings.
            let root = tempfile::Builder::new().prefix("mail").tempdir().unwrap();
            let maildir = Maildir::open(root.path(), "0123456789abcdef").unwrap();
            Self { root, maildir }
        }

        fn put(&self, path: &str, content: &[u8]) {
            let path = self.root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().write_all(content).unwrap();
        }

        fn filed(&self) -> Filed {
            let mut recorded = Inventory::default();
            recorded.add("recorded");
            Filed::read(&self.maildir, &recorded).unwrap()
        }

        /// The evidence by which a message is found after a program has filed it with this content.
        fn found(header: &str, stored: &str) -> (Option<By>, Option<By>) {
            let mail = Self::new();
            mail.put(".Kept/cur/1700000000.M1.host:2,S", stored.as_bytes());
            let filed = mail.filed();
            assert_eq!(filed.gap(), None);
            let whole = Sha256::digest(format!("{header}{BODY}")).into();
            let recorded = filed.recorded(&headers::digest(header.as_bytes()), &whole);
            let like = filed.like(&Likeness::of_sent(header.as_bytes()));
            (recorded.map(|found| found.by), like.map(|found| found.by))
        }
    }

    /// The fields of the header with LF, without some, and the body.
    fn stored(without: &[&str]) -> String {
        let text = format!("{HEADER}{BODY}").replace("\r\n\t", " \t");
        let lines = text.split("\r\n");
        let kept = lines.filter(|line| !without.iter().any(|name| line.starts_with(name)));
        kept.collect::<Vec<_>>().join("\n").replace(" \t", "\n\t")
    }

    #[test]
    fn a_message_is_found_whatever_the_program_made_of_it() {
        let same = stored(&[]);
        let own = same.strip_prefix("Received: from a\n\tby b\n").unwrap();
        for (content, recorded, like) in [
            (same.clone(), Some(By::Whole), By::Header),
            (same.replace('\n', "\r\n"), Some(By::Whole), By::Header),
            (format!("Status: RO\n{same}"), Some(By::Header), By::Header),
            (
                same.replacen("\n\n", "\nContent-Length: 17\nLines: 3\nStatus: RO\n\n", 1),
                Some(By::Header),
                By::Header,
            ),
            (format!("{same}\n\n"), Some(By::Header), By::Header),
            (
                format!("Return-Path: <a@x>\nReceived: by c\n{own}"),
                None,
                By::Header,
            ),
            (format!("X-Filter: 1\n{own}"), None, By::MessageId),
            (
                same.replacen("Subject: s", "Subject:\n s", 1),
                None,
                By::Header,
            ),
            (
                same.replacen("Subject: s", "Subject: [list] s", 1),
                None,
                By::MessageId,
            ),
            (
                same.replacen("Subject: s", "X: y\nSubject: s", 1),
                None,
                By::MessageId,
            ),
            (stored(&["Message-ID"]), None, By::Origin),
            (same.replacen("<1@x>", "<>", 1), None, By::Origin),
            (same.replacen("<1@x>", "<local@host>", 1), None, By::Origin),
        ] {
            assert_eq!(
                Mail::found(HEADER, &content),
                (recorded, Some(like)),
                "{content}"
            );
        }
        for other in [
            same.replacen("<1@x>", "<2@x>", 1)
                .replacen("2024", "2025", 1),
            stored(&["Message-ID", "Date"]),
            "body\n".to_owned(),
            String::new(),
            format!("X-Popsync-Stub: x\n{same}"),
            format!("Status: RO\nX-Popsync-Stub: x\n{same}"),
        ] {
            assert_eq!(Mail::found(HEADER, &other), (None, None), "{other}");
        }
    }

    #[test]
    fn mail_without_a_name_is_found_by_the_rest() {
        for id in ["", "Message-ID:\r\n", "Message-ID: <>\r\n"] {
            let header = HEADER.replacen("Message-ID: <1@x>\r\n", id, 1);
            let same = format!("{header}{BODY}").replace("\r\n", "\n");
            for (content, recorded, like) in [
                (same.clone(), Some(By::Whole), By::Header),
                (format!("Status: RO\n{same}"), Some(By::Header), By::Header),
                (format!("Delivered-To: b\n{same}"), None, By::Header),
                (format!("X-Filter: 1\n{same}"), None, By::Origin),
            ] {
                assert_eq!(
                    Mail::found(&header, &content),
                    (recorded, Some(like)),
                    "{content}"
                );
            }
            let other = same.replacen("Subject: s", "Subject: t", 1);
            assert_eq!(Mail::found(&header, &other), (None, None));
        }
    }

    #[test]
    fn a_body_alone_tells_too() {
        let mail = Mail::new();
        mail.put("cur/1.a", b"X: y\n\nbody\n\nand more\n\n");
        let mut reading = Reading::default();
        reading.take(format!("\r\n{BODY}").as_bytes());
        let body = reading.finish().body.unwrap();
        let filed = mail.filed();
        let found = filed.with_body(&body).unwrap();
        assert_eq!((found.name.as_str(), found.by), ("1.a", By::Body));
    }

    #[test]
    fn recorded_files_are_none_and_compressed_ones_are_read() {
        let mail = Mail::new();
        let same = stored(&[]);
        mail.put("cur/recorded:2,S", same.as_bytes());
        let whole = Sha256::digest(format!("{HEADER}{BODY}")).into();
        let header = headers::digest(HEADER.as_bytes());
        assert_eq!(mail.filed().recorded(&header, &whole), None);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(same.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        mail.put(".Kept/cur/2.b,S=200:2,SZ", &gzip);
        let filed = mail.filed();
        let found = filed.recorded(&header, &whole).unwrap();
        assert_eq!((found.name.as_str(), found.by), ("2.b,S=200", By::Whole));
        assert_eq!(filed.gap(), None);
    }

    #[test]
    fn what_cannot_be_searched_may_be_any_message() {
        let mail = Mail::new();
        mail.put(".Kept/cur/2.b,S=200:2,SZ", b"\x28\xb5\x2f\xfd\x04\x00");
        mail.put(".Kept/cur/3.b,S=200:2,SZ", b"BZh91AY&SY\x00");
        let filed = mail.filed();
        assert!(matches!(
            filed.gap(),
            Some(Gap::Unsearchable { files: 2, .. })
        ));
        assert!(Path::new(&mail.root.path().join(".Kept")).exists());
    }

    #[test]
    fn stubs_under_strange_names_are_known_by_the_messages_they_stand_for() {
        let mail = Mail::new();
        let stub = |id: &str| format!("Status: RO\nX-Popsync-Stub: x\nMessage-ID: {id}\n\nbody\n");
        mail.put(".Kept/cur/1.mutt:2,S", stub("<1@x>").as_bytes());
        mail.put(".Kept/cur/2.mutt:2,S", stub("<2@x>").as_bytes());
        mail.put("cur/2.copy:2,S", stub("<2@x>").as_bytes());
        mail.put("cur/1.AxR1Q3.popsync:2,S", stub("<3@x>").as_bytes());
        mail.put("cur/4.mutt", b"Message-ID: <4@x>\n\nno stub\n");
        mail.put(
            "cur/5.mutt",
            b"X-Popsync-Stub: x\nDate: d\nFrom: f\n\nbody\n",
        );
        let stubs = FiledStubs::read(&mail.maildir).unwrap();
        let of = |header: &str| {
            stubs
                .of(&Likeness::of_sent(header.as_bytes()))
                .map(Name::as_str)
        };
        assert_eq!(of("Message-ID: <1@x>\r\n"), Some("1.mutt"));
        // Two copies, a stub under its own name, a message, and nothing.
        for id in 2..6 {
            assert_eq!(of(&format!("Message-ID: <{id}@x>\r\n")), None);
        }
        assert_eq!(of("Date: d\r\nFrom: f\r\n"), Some("5.mutt"));
        assert_eq!(of(""), None);
    }

    /// Thousand hostile headers take no more memory than as many ordinary ones.
    #[test]
    fn what_is_kept_of_a_message_does_not_grow_with_it() {
        let mail = Mail::new();
        let long = "a".repeat(900_000);
        for number in 0..3 {
            let text = format!("Message-ID: <{number}{long}@x>\nSubject: {long}\n\n");
            mail.put(&format!("cur/{number}.a"), text.as_bytes());
        }
        let filed = mail.filed();
        assert_eq!(filed.names.len(), 3);
        let id = format!("Message-ID: <1{long}@x>\r\n\r\n");
        let found = filed.like(&Likeness::of_sent(id.as_bytes())).unwrap();
        assert_eq!((found.name.as_str(), found.by), ("1.a", By::MessageId));
    }
}
