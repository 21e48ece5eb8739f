//! What CAPA says the server can do (RFC 2449 §6).

/// More capability lines than any server has; the rest is ignored.
const MAX_CAPABILITIES: usize = 256;

/// The capabilities of a server at one point of one session. After STLS and after login they
/// may be others.
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

    /// Whether the server announced this tag.
    pub fn has(&self, tag: &str) -> bool {
        self.arguments(tag).is_some()
    }

    /// The words behind a tag.
    pub fn arguments(&self, tag: &str) -> Option<impl Iterator<Item = &str>> {
        self.lines.iter().find_map(|line| {
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            words.next()?.eq_ignore_ascii_case(tag).then_some(words)
        })
    }

    /// Whether several commands may be on their way at once (RFC 2449 §6.6).
    pub fn pipelining(&self) -> bool {
        self.has("PIPELINING")
    }

    /// The lines as the server sent them.
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
    fn an_endless_list_is_cut() {
        let mut capabilities = Capabilities::default();
        for n in 0..10_000 {
            capabilities.push(format!("X-{n}").as_bytes());
        }
        assert_eq!(capabilities.lines().len(), MAX_CAPABILITIES);
    }
}
