//! Messages to deliver, and the form in which a correct client receives them.

use sha2::{Digest, Sha256};

/// A message on the server.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its description, for failures.
    pub name: String,
    /// The octets in the server's file.
    pub content: Vec<u8>,
}

/// A digest of a message's octets.
pub type Sha = [u8; 32];

/// The digest of these octets.
pub fn sha256(octets: &[u8]) -> Sha {
    Sha256::digest(octets).into()
}

impl Mail {
    /// A message of this name.
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
        }
    }

    /// The forms in which a client may receive it by RETR, with byte-stuffing undone. Mostly there
    /// is only one.
    ///
    /// Dovecot adds a CR to a bare LF, ends the last line, and sends an empty message as one empty
    /// line. Some versions (2.3.19 is one) do not stuff a dot that is the very first octet of a
    /// message, so that a correct client treats it as stuffing.
    pub fn on_the_wire(&self) -> Vec<Vec<u8>> {
        let mut sent = with_crlf(&self.content);
        if !sent.ends_with(b"\r\n") {
            sent.extend_from_slice(b"\r\n");
        }
        match sent.split_first() {
            Some((b'.', rest)) => vec![rest.to_vec(), sent],
            _ => vec![sent],
        }
    }
}

/// Adds a CR to every LF without one in front.
fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for (i, &octet) in octets.iter().enumerate() {
        if octet == b'\n' && (i == 0 || octets[i - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}

/// The sent form of a message that was stored with LF for every CRLF.
pub fn as_sent(stored: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stored.len() + stored.len() / 32);
    for &octet in stored {
        if octet == b'\n' {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}

/// This many messages, the same in every run with the same seed: mostly a few kilobytes of text,
/// some with an attachment.
pub fn ordinary(count: usize, seed: u64) -> Vec<Mail> {
    let mut random = Random(seed);
    (0..count)
        .map(|number| {
            let size = match random.below(20) {
                0 => 20_000 + random.below(150_000),
                1..=5 => 4_000 + random.below(12_000),
                _ => 100 + random.below(3_000),
            };
            sized(number, seed, size, &mut random)
        })
        .collect()
}

/// This many messages of about this size.
pub fn of_size(count: usize, size: u64, seed: u64) -> Vec<Mail> {
    let mut random = Random(seed);
    (0..count)
        .map(|number| sized(number, seed, size, &mut random))
        .collect()
}

fn sized(number: usize, seed: u64, size: u64, random: &mut Random) -> Mail {
    let mut text = format!(
        "Received: from mx.example.org (mx.example.org [192.0.2.{host}])\n\
         \tby mail.example.net with ESMTPS id {id:016X}\n\
         From: Sender {host} <sender{host}@example.org>\n\
         To: Anna <anna@example.net>\n\
         Subject: Message {number} of {seed}\n\
         Date: Tue, 14 Nov 2023 22:{minute:02}:{second:02} +0000\n\
         Message-ID: <{number}.{seed}.{id:016x}@example.org>\n\
         \n",
        host = random.below(250) + 1,
        id = random.next(),
        minute = number / 60 % 60,
        second = number % 60,
    );
    let end = text.len() + usize::try_from(size).unwrap_or(usize::MAX);
    while text.len() < end {
        // Lines of different length, some of which begin with a dot.
        if random.below(40) == 0 {
            text.push('.');
        }
        for _ in 0..=random.below(10) {
            text.push_str(WORDS[random.index(WORDS.len())]);
        }
        text.push('\n');
    }
    Mail::new(format!("message {number} of {seed}"), text)
}

const WORDS: [&str; 8] = [
    "meeting ",
    "invoice ",
    "Zürich ",
    "regards ",
    "on Tuesday ",
    "see below ",
    "budget ",
    "№1 ",
];

/// SplitMix64 after Vigna: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}

/// Messages that cause trouble in mail programs: one of each kind, and three that are equal.
pub fn nasty() -> Vec<Mail> {
    let mut mails = Vec::new();
    let mut add = |name: &str, content: Vec<u8>| mails.push(Mail::new(name, content));
    let header = |name: &str| {
        format!(
            "From: Nasty <nasty@example.org>\nSubject: {name}\n\
             Message-ID: <{name}@example.org>\n"
        )
    };
    let with_body = |name: &str, body: &[u8]| [header(name).as_bytes(), b"\n", body].concat();
    let bodies: [(&str, Vec<u8>); 22] = [
        (
            "leading dots",
            b".one\n..two\n...three\n. x\n.\ty\n".to_vec(),
        ),
        ("a dot alone", b"before\n.\nafter\n.\n.\nend\n".to_vec()),
        ("two dots alone", b"before\n..\nafter\n".to_vec()),
        ("a dot as the last line", b"before\n.\n".to_vec()),
        ("a dot as the first line", b".\nafter\n".to_vec()),
        (
            "a dot and a CR",
            b"before\n.\rmiddle\n.\r\r\nend\n".to_vec(),
        ),
        ("a dot as the last octet", b"before\n.".to_vec()),
        ("dots only", [vec![b'.'; 70_000], b"\n".to_vec()].concat()),
        ("replies", b"+OK 1 2\n-ERR no\n.\nRETR 1\n".to_vec()),
        ("bare CR", b"one\rtwo\n\rlead\ntrail\r\r\nend\n".to_vec()),
        ("CRLF and LF", b"lf\ncrlf\r\nlf\ncrlf\r\n".to_vec()),
        ("NUL", b"before\0after\n\0\n\0\0end\n".to_vec()),
        (
            "controls",
            [
                (1..32).filter(|c| ![10, 13].contains(c)).collect(),
                b"\x7f\n".to_vec(),
            ]
            .concat(),
        ),
        (
            "all octets",
            (0..=255)
                .filter(|c| ![10, 13].contains(c))
                .chain([b'\n'])
                .collect(),
        ),
        (
            "a line of a MiB",
            [vec![b'L'; 1 << 20], b"\nend\n".to_vec()].concat(),
        ),
        (
            "lines around 1000",
            [998, 999, 1000, 1001]
                .iter()
                .flat_map(|&n| [vec![b'x'; n], b"\n".to_vec()].concat())
                .collect(),
        ),
        ("no final newline", b"the last line has no end".to_vec()),
        ("blank lines at the end", b"text\n\n\n\n\n".to_vec()),
        (
            "From lines",
            b"From here on\n>From you\n\nFrom a@b Tue Nov 14 22:13:20 2023\nend\n".to_vec(),
        ),
        (
            "spaces at line ends",
            b"spaces   \ntab\t\n   \n\t\n".to_vec(),
        ),
        (
            "dots at every offset",
            (0..9_000)
                .flat_map(|n| format!(".{n:04}\n").into_bytes())
                .collect(),
        ),
        (
            "lines of every length",
            (0..400)
                .flat_map(|n| [vec![b'c'; n], b"\n".to_vec()].concat())
                .collect(),
        ),
    ];
    for (name, body) in bodies {
        add(name, with_body(name, &body));
    }
    let folded: String = (0..3_000)
        .map(|n| format!("\n <{n}.long@example.org>"))
        .collect();
    add(
        "a folded header of 64 KiB",
        format!("{}References:{folded}\n\nbody\n", header("folded")).into(),
    );
    add(
        "a header line of a MiB",
        format!(
            "{}X-Long: {}\n\nbody\n",
            header("long"),
            "h".repeat(1 << 20)
        )
        .into(),
    );
    add(
        "NUL in the header",
        format!("{}X-Nul: a\0b\n\nbody\n", header("nul")).into(),
    );
    add(
        "8-bit header",
        b"From: J\xfcrgen <j@example.org>\nSubject: Gr\xfc\xdfe\n\n\xe4\xf6\xfc \xff\xfe\n"
            .to_vec(),
    );
    add(
        "UTF-8 header",
        "From: Jürgen <j@example.org>\nSubject: Grüße 你好 🎉\n\nÜmläute €\n".into(),
    );
    add(
        "stored with CRLF",
        with_body("crlf", b"all lines\nend so\n")
            .iter()
            .flat_map(|&c| if c == b'\n' { vec![b'\r', c] } else { vec![c] })
            .collect(),
    );
    add("empty body", with_body("empty-body", b""));
    add("headers only", header("headers-only").into());
    add("body only", b"\nno header at all\n".to_vec());
    add(
        "no header",
        b"this is no header line\nnor is this\n\nbody\n".to_vec(),
    );
    add(
        "a folded line first",
        b" folded: from nowhere\nSubject: x\n\nbody\n".to_vec(),
    );
    add(
        "a dot as the first octet",
        format!(".X-Dot: 1\n{}\nbody\n", header("dot-first")).into(),
    );
    add(
        "an mbox From line first",
        format!(
            "From a@b Tue Nov 14 22:13:20 2023\n{}\nbody\n",
            header("from-first")
        )
        .into(),
    );
    add(
        "another program's headers",
        format!(
            "X-UIDL: 12345\nStatus: RO\nContent-Length: 5\nLines: 1\n{}\nbody\n",
            header("status")
        )
        .into(),
    );
    add("empty message", Vec::new());
    add("one newline", b"\n".to_vec());
    for number in 1..=3 {
        add(
            &format!("the same, {number}"),
            with_body("twin", b"identical\n"),
        );
    }
    mails
}
