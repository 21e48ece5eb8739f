//! What servers make of a message's octets between delivery and RETR: named, with the reason, and
//! done again here, so that the suite can tell a server's doing from popsync's.

/// One way in which a server sends other octets than it was given.
#[derive(Debug)]
pub(crate) struct Alteration {
    /// What is altered, and why.
    pub(crate) what: &'static str,
    /// Whether every version of the server does it.
    pub(crate) always: bool,
    /// Does it.
    pub(crate) apply: fn(&[u8]) -> Vec<u8>,
}

/// What may come of all of them in this order.
pub(crate) fn forms(alterations: &[Alteration], content: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![content.to_vec()];
    for Alteration { always, apply, .. } in alterations {
        let altered: Vec<_> = forms.iter().map(|octets| apply(octets)).collect();
        if *always {
            forms.clear();
        }
        forms.extend(altered);
    }
    forms
}

/// POP3 has lines that end with CRLF (RFC 1939 §3), the files of Unix have LF.
pub(crate) const BARE_LF: Alteration = Alteration {
    what: "a bare LF becomes CRLF, as lines end in POP3",
    always: true,
    apply: |octets| {
        let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
        for (at, &octet) in octets.iter().enumerate() {
            if octet == b'\n' && (at == 0 || octets[at - 1] != b'\r') {
                out.push(b'\r');
            }
            out.push(octet);
        }
        out
    },
};

/// So where the file's lines are taken for Unix's, whatever is in them.
pub(crate) const EVERY_LF: Alteration = Alteration {
    what: "every LF becomes CRLF, also one that has its CR, which makes it CR CR LF",
    always: true,
    apply: |octets| {
        let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
        for &octet in octets {
            if octet == b'\n' {
                out.push(b'\r');
            }
            out.push(octet);
        }
        out
    },
};

/// The line of the final dot begins with what ends the message (RFC 1939 §3).
pub(crate) const LAST_LINE: Alteration = Alteration {
    what: "a last line without an end gets one, and an empty message becomes an empty line",
    always: true,
    apply: |octets| match octets {
        [.., b'\r', b'\n'] => octets.to_vec(),
        _ => [octets, b"\r\n"].concat(),
    },
};

/// Dovecot 2.3.19 and Courier 1.0.16 look for a dot behind a line end, and there is none before the first
/// octet.
pub(crate) const FIRST_DOT: Alteration = Alteration {
    what: "a dot that is the first octet of all is not stuffed, so that a client takes it away",
    always: false,
    apply: |octets| octets.strip_prefix(b".").unwrap_or(octets).to_vec(),
};
