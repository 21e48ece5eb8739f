//! The multi-line answer of RETR and TOP: byte-stuffing, the terminator, and their faults. It is
//! made in blocks, so that a message of any size needs the memory of one.

use std::sync::Arc;

use memchr::memchr;

use crate::knobs::Knobs;
use crate::mailbox::{Content, Stored};

/// How much of a message is read at a time.
const BLOCK: u64 = 16 * 1024;

/// An answer that is being made.
pub(super) struct Body {
    pub(super) message: Arc<Stored>,
    /// The message-number, for the transcript.
    pub(super) number: u64,
    /// RETR, not TOP.
    pub(super) whole: bool,
    knobs: Arc<Knobs>,
    /// The parts of the content that are still to be read.
    parts: Vec<(u64, u64)>,
    top: Option<Top>,
    state: State,
    /// Made, and not yet handed out from `at` on.
    ready: Vec<u8>,
    at: usize,
    /// Handed out so far.
    pub(super) octets: u64,
    /// Octets of content made so far, for `top_octets`.
    made: u64,
    line_start: bool,
    last_was_cr: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Content,
    Endless,
    Done,
}

/// The position of TOP in the message.
struct Top {
    in_header: bool,
    lines_left: u64,
    line_is_empty: bool,
}

impl Body {
    /// The answer to RETR, or to TOP with this many lines.
    pub(super) fn new(
        message: Arc<Stored>,
        number: u64,
        top: Option<u64>,
        empty: bool,
        knobs: Arc<Knobs>,
    ) -> Self {
        let len = message.content.len();
        let mut parts = vec![(0, len)];
        if top.is_none() && knobs.drop_received {
            parts = without_received(&message.content);
        }
        if empty {
            parts.clear();
        }
        let mut ready = Vec::new();
        if let Some(line) = &knobs.retr_dotline {
            ready.extend_from_slice(line);
            ready.extend_from_slice(b"\r\n");
        }
        if top.is_some() && knobs.top_header_differs {
            ready.extend_from_slice(b"X-Top-Only: yes\r\n");
        }
        let lines = |asked: u64| knobs.top_lines.map_or(asked, |most| asked.min(most));
        parts.reverse();
        Self {
            whole: top.is_none(),
            top: top.map(|asked| Top {
                in_header: true,
                lines_left: lines(asked),
                line_is_empty: true,
            }),
            message,
            number,
            knobs,
            parts,
            state: State::Content,
            ready,
            at: 0,
            octets: 0,
            made: 0,
            line_start: true,
            last_was_cr: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done && self.at == self.ready.len()
    }

    /// Appends to `out` until it has `max` octets or the answer ends.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, max: usize) {
        while out.len() < max && !self.is_done() {
            if self.at == self.ready.len() {
                self.ready.clear();
                self.at = 0;
                self.make();
                continue;
            }
            let n = (max - out.len()).min(self.ready.len() - self.at);
            out.extend_from_slice(&self.ready[self.at..self.at + n]);
            self.at += n;
            self.octets += n as u64;
        }
    }

    fn make(&mut self) {
        match self.state {
            State::Content => match self.next_block() {
                Some(block) => self.stuff(&block),
                None => self.end(),
            },
            State::Endless => {
                for _ in 0..256 {
                    self.ready
                        .extend_from_slice(b"and this goes on, and on, for ever\r\n");
                }
            }
            State::Done => {}
        }
    }

    /// The next block of content, with TOP and its limits applied.
    fn next_block(&mut self) -> Option<Vec<u8>> {
        let (start, end) = self.parts.pop()?;
        let stop = end.min(start + BLOCK);
        if stop < end {
            self.parts.push((stop, end));
        }
        let mut block = vec![0; (stop - start) as usize];
        self.message.content.read(start, &mut block);
        if let Some(top) = &mut self.top {
            if let Some(keep) = top.stop_in(&block) {
                block.truncate(keep);
                self.parts.clear();
            }
            if let Some(most) = self.knobs.top_octets {
                let left = (most - self.made.min(most)) as usize;
                if left < block.len() {
                    block.truncate(left);
                    self.parts.clear();
                }
            }
        }
        self.made += block.len() as u64;
        Some(block)
    }

    /// Doubles the dot that begins a line (RFC 1939 §3). Only CRLF ends a line: a dot behind a
    /// bare LF stays single, so that such messages go out octet for octet.
    fn stuff(&mut self, block: &[u8]) {
        let lf_only = self.knobs.bare_lf.body;
        let mut rest = block;
        while !rest.is_empty() {
            let n = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, tail) = rest.split_at(n);
            rest = tail;
            if self.line_start && line[0] == b'.' && !self.knobs.no_stuffing {
                self.ready.push(b'.');
            }
            let before_lf_is_cr = match line {
                [.., before, _] => *before == b'\r',
                _ => self.last_was_cr,
            };
            self.line_start = line.ends_with(b"\n") && before_lf_is_cr;
            self.last_was_cr = line.ends_with(b"\r");
            self.ready.extend_from_slice(line);
            if lf_only && self.line_start {
                // The CR may have gone out with the block before; then it stays.
                let lf = self.ready.len() - 1;
                if lf > 0 && self.ready[lf - 1] == b'\r' {
                    self.ready.remove(lf - 1);
                }
            }
        }
    }

    fn end(&mut self) {
        if self.knobs.endless_body {
            self.state = State::Endless;
            return;
        }
        self.state = State::Done;
        if !self.line_start && !self.knobs.no_final_crlf {
            self.ready.extend_from_slice(b"\r\n");
        }
        self.ready.extend_from_slice(match () {
            () if self.knobs.term_no_lf => b".\r".as_slice(),
            () if self.knobs.bare_lf.body => b".\n",
            () => b".\r\n",
        });
    }
}

impl Top {
    /// The index in this block at which the answer to TOP ends, if it does.
    fn stop_in(&mut self, block: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < block.len() {
            if !self.in_header && self.lines_left == 0 {
                return Some(at);
            }
            let end = memchr(b'\n', &block[at..]).map(|lf| at + lf + 1);
            let line = &block[at..end.unwrap_or(block.len())];
            let blank = self.line_is_empty && line.iter().all(|octet| b"\r\n".contains(octet));
            self.line_is_empty = blank;
            let Some(end) = end else { break };
            if !self.in_header {
                self.lines_left -= 1;
            } else if blank {
                self.in_header = false;
            }
            self.line_is_empty = true;
            at = end;
        }
        (!self.in_header && self.lines_left == 0).then_some(at.min(block.len()))
    }
}

/// The parts of a message around its first Received field.
fn without_received(content: &Content) -> Vec<(u64, u64)> {
    let len = content.len();
    let mut start = vec![0; len.min(BLOCK * 4) as usize];
    content.read(0, &mut start);
    let mut at = 0;
    let mut field = None;
    for line in start.split_inclusive(|octet| *octet == b'\n') {
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if let Some(from) = field
            && !folded
        {
            return vec![(0, from), (at as u64, len)];
        }
        let name = line.get(..9).unwrap_or_default();
        if field.is_none() && name.eq_ignore_ascii_case(b"received:") {
            field = Some(at as u64);
        }
        if line == b"\r\n" {
            break;
        }
        at += line.len();
    }
    vec![(0, len)]
}
