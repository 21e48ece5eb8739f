//! Messages to fill mailboxes with.

/// This many messages, made from a seed: the same in every run. They follow RFC 5322, end in CRLF,
/// and have 500 to some 40,000 octets.
pub fn messages(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
    (1..=count).map(|n| message(n, seed, &mut random)).collect()
}

fn message(n: usize, seed: u64, random: &mut Random) -> Vec<u8> {
    let day = n % 28 + 1;
    let mut text = format!(
        "Received: from relay{relay}.example (192.0.2.{host})\r\n\
         \tby sim01.exchange.example with SMTP id {id:016x};\r\n\
         \tThu, {day} Nov 2024 10:00:00 +0000\r\n\
         From: \"Sender {n}\" <sender{n}@sender.example>\r\n\
         To: <anna@example.com>\r\n\
         Subject: message {n} of seed {seed}\r\n\
         Date: Thu, {day} Nov 2024 10:00:00 +0000\r\n\
         Message-ID: <{n}.{seed}.{id:016x}@sender.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        relay = random.below(9),
        host = random.below(254) + 1,
        id = random.next(),
    );
    // Mostly short, now and then long, like mail.
    let words = match random.below(10) {
        0 => random.below(6000),
        1..=3 => random.below(600),
        _ => random.below(60) + 5,
    };
    let mut column = 0;
    for _ in 0..words {
        let word = WORDS[random.below(WORDS.len() as u64) as usize];
        if column + word.len() > 72 {
            text.push_str("\r\n");
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push_str("\r\n");
    text.into_bytes()
}

const WORDS: [&str; 16] = [
    "mail",
    "server",
    "the",
    "a",
    "of",
    "letter",
    "meeting",
    ".",
    "on",
    "Tuesday",
    "please",
    "..",
    "regards",
    "attachment",
    "quarterly",
    "figures",
];

/// A generator after Vigna's SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
}

/// A message that causes trouble in clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nasty {
    /// Its description.
    pub name: &'static str,
    /// The stored octets: the form on the wire before byte-stuffing, except the CRLF that the
    /// server adds if there is none at the end (see [`wire_form`](crate::wire_form)).
    pub octets: Vec<u8>,
}

/// Messages that clients trip over, one of each kind.
pub fn nasty() -> Vec<Nasty> {
    let header = "From: a@example.com\r\nSubject: nasty\r\n\r\n";
    let with = |body: &str| [header.as_bytes(), body.as_bytes()].concat();
    let one = |name, octets| Nasty { name, octets };
    let long = "x".repeat(100 * 1024);
    let every: Vec<u8> = (0..=255_u8)
        .filter(|octet| !b"\r\n".contains(octet))
        .collect();
    vec![
        one("empty", Vec::new()),
        one("one octet", b"x".to_vec()),
        one("one CRLF", b"\r\n".to_vec()),
        one("headers only", header.into()),
        one(
            "headers without a blank line",
            b"From: a@example.com\r\nSubject: s\r\n".to_vec(),
        ),
        one("body only", b"\r\nno header at all\r\n".to_vec()),
        one(
            "no blank line, then text",
            b"this is not a header\r\nnor is this\r\n".to_vec(),
        ),
        one("no final CRLF", with("the end is missing")),
        one("final dot without CRLF", with("the end is a dot\r\n.")),
        one("dots", with(".\r\n..\r\n.x\r\n...\r\n. \r\nx.\r\n")),
        one("dot first", b".\r\n.header: x\r\n\r\n.\r\n".to_vec()),
        one(
            "terminator inside",
            with("before\r\n.\r\nRETR 1\r\n.\r\nafter\r\n"),
        ),
        one(
            "status lines inside",
            with("+OK 2 320\r\n-ERR no\r\n+ \r\n"),
        ),
        one("a line of 100 KiB", with(&format!("{long}\r\nafter\r\n"))),
        one(
            "a line of 998 dots",
            with(&format!("{}\r\n", ".".repeat(998))),
        ),
        one(
            "NUL and 8-bit",
            [header.as_bytes(), &every, b"\r\n"].concat(),
        ),
        one("bare CR", with("a\rb\r.\rc\r\r\nd\r\n")),
        one("bare LF", with("a\nb\n.\nc\n..\n\n.d\n")),
        one("bare LF only", b"Subject: unix\n\nline\n.\n.x\n".to_vec()),
        one("ends in CR", with("the LF is missing\r")),
        one(
            "From lines",
            with("From me\r\n>From you\r\nFrom \r\n\r\nFrom a Thu Jan  1\r\n"),
        ),
        one("blank lines at the end", with("text\r\n\r\n\r\n\r\n")),
        one("spaces only", with("   \r\n\t\r\n \r\n")),
        one(
            "Maildir flags in the subject",
            b"Subject: :2,S /../ \\ \x07\r\n\r\nx\r\n".to_vec(),
        ),
        one(
            "UTF-8 header",
            "Subject: Gr\u{fc}\u{df}e \u{1f4e7}\r\n\r\nx\r\n".into(),
        ),
        one(
            "folder internal data",
            b"From: Mail System Internal Data <MAILER-DAEMON@example.com>\r\n\
              Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\n\
              This text is part of the internal format of your mail folder.\r\n"
                .to_vec(),
        ),
    ]
}
