//! The changes that servers make to a message's octets between delivery and RETR. Each is named,
//! with the reason, and repeated here, so that the suite can distinguish a server's changes from
//! popsync's.

/// One kind of change that a server makes to octets.
#[derive(Debug)]
pub(crate) struct Alteration {
    /// The change, and the reason.
    pub(crate) what: &'static str,
    /// True if every version of the server makes it.
    pub(crate) always: bool,
    /// Makes the change.
    pub(crate) apply: fn(&[u8]) -> Vec<u8>,
}

/// The possible results of all of them in this order.
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

/// POP3 has lines that end with CRLF (RFC 1939 §3); files on Unix have LF.
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

/// The same for a server that treats every line of the file as one with LF.
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

/// The line of the final dot begins with the end of the message (RFC 1939 §3).
pub(crate) const LAST_LINE: Alteration = Alteration {
    what: "a last line without an end gets one, and an empty message becomes an empty line",
    always: true,
    apply: |octets| match octets {
        [.., b'\r', b'\n'] => octets.to_vec(),
        _ => [octets, b"\r\n"].concat(),
    },
};

/// Dovecot 2.3.19 and Courier 1.0.16 look for a dot after a line end, and there is none before the
/// first octet.
pub(crate) const FIRST_DOT: Alteration = Alteration {
    what: "a dot that is the first octet of all is not stuffed, so that a client takes it away",
    always: false,
    apply: |octets| octets.strip_prefix(b".").unwrap_or(octets).to_vec(),
};
