//! The server's capabilities, from CAPA (RFC 2449 §6).

/// More capability lines than any server has. The rest is ignored.
const MAX_CAPABILITIES: usize = 256;

/// Words that many servers send, from RFC 2449, 2595, 3206, 6856 and the mechanisms of SASL.
const COMMON: [&str; 30] = [
    "ANONYMOUS",
    "APOP",
    "AUTH-RESP-CODE",
    "CRAM-MD5",
    "DIGEST-MD5",
    "EXPIRE",
    "EXTERNAL",
    "GSS-SPNEGO",
    "GSSAPI",
    "IMPLEMENTATION",
    "LANG",
    "LOGIN",
    "LOGIN-DELAY",
    "NEVER",
    "NTLM",
    "OAUTHBEARER",
    "PIPELINING",
    "PLAIN",
    "RESP-CODES",
    "SASL",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "STLS",
    "TOP",
    "UIDL",
    "USER",
    "UTF8",
    "XOAUTH2",
];

/// The capabilities of a server at one point of one session. They may change after STLS and after
/// login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    lines: Vec<String>,
}

impl Capabilities {
    /// Adds one line of the reply. Tags are compared without regard to case (RFC 2449 §3).
    pub fn push(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if !line.is_empty() && self.lines.len() < MAX_CAPABILITIES {
            self.lines.push(String::from_utf8_lossy(line).into_owned());
        }
    }

    /// The same lines after `hide`, which removes secrets. Lines of common words stay as they are:
    /// they reveal no secret, and hiding them would hide the server's capabilities.
    pub fn shown(&self, hide: impl Fn(&str) -> String) -> Self {
        let is_common = |line: &str| {
            line.split_ascii_whitespace()
                .all(|word| COMMON.iter().any(|known| known.eq_ignore_ascii_case(word)))
        };
        let shown = |line: &String| match is_common(line) {
            true => line.clone(),
            false => hide(line),
        };
        Self {
            lines: self.lines.iter().map(shown).collect(),
        }
    }

    /// True if the server announced this tag.
    pub fn has(&self, tag: &str) -> bool {
        self.arguments(tag).is_some()
    }

    /// The words after a tag.
    pub fn arguments(&self, tag: &str) -> Option<impl Iterator<Item = &str>> {
        self.lines.iter().find_map(|line| {
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            words.next()?.eq_ignore_ascii_case(tag).then_some(words)
        })
    }

    /// True if several commands may be sent before their replies come (RFC 2449 §6.6).
    pub fn pipelining(&self) -> bool {
        self.has("PIPELINING")
    }

    /// The seconds between two logins that the server requires (RFC 2449 §6.5).
    pub fn login_delay(&self) -> Option<u64> {
        self.arguments("LOGIN-DELAY")?.next()?.parse().ok()
    }

    /// The lines, without the blanks around them.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl<'a> FromIterator<&'a str> for Capabilities {
    fn from_iter<I: IntoIterator<Item = &'a str>>(lines: I) -> Self {
        let mut capabilities = Self::default();
        for line in lines {
            capabilities.push(line.as_bytes());
        }
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_any_case_and_place() {
        let capabilities: Capabilities = ["top", "  Pipelining ", "SASL\tPLAIN  XOAUTH2", ""]
            .into_iter()
            .collect();
        assert!(capabilities.has("TOP"));
        assert!(capabilities.pipelining());
        let sasl: Vec<_> = capabilities.arguments("sasl").unwrap().collect();
        assert_eq!(sasl, ["PLAIN", "XOAUTH2"]);
        assert!(!capabilities.has("STLS"));
        assert_eq!(capabilities.lines().len(), 3);
    }

    #[test]
    fn the_delay_between_logins_is_a_number() {
        for (line, expected) in [
            ("LOGIN-DELAY 900", Some(900)),
            ("login-delay  60 USER", Some(60)),
            ("LOGIN-DELAY soon", None),
            ("LOGIN-DELAY", None),
        ] {
            let capabilities = Capabilities::from_iter([line]);
            assert_eq!(capabilities.login_delay(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_hidden_is_not_what_the_server_can_do() {
        let lines = ["pipelining", "SASL PLAIN NTLM", "X-PLAIN plain", "TOP"];
        let capabilities: Capabilities = lines.into_iter().collect();
        let shown = capabilities.shown(|line| line.to_lowercase().replace("plain", "***"));
        let expected = ["pipelining", "SASL PLAIN NTLM", "x-*** ***", "TOP"];
        assert_eq!(shown.lines(), expected);
    }

    #[test]
    fn an_endless_list_is_cut() {
        let mut capabilities = Capabilities::default();
        for n in 0..10_000 {
            capabilities.push(format!("X-{n}").as_bytes());
        }
        assert_eq!(capabilities.lines().len(), MAX_CAPABILITIES);
    }
}
