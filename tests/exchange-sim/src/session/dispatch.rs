//! From a line to its command: rules before and after, hooks, and which command is legal where.

use super::output::Piece;
use super::{Phase, Session};
use crate::knobs::{Act, At, CloseHow, CutAt, Missing, NoCapa};
use crate::profile::Profile;
use crate::site::Seen;
use crate::text::Text;
use crate::transcript::What;

/// The keyword under which rules find SASL continuation lines.
const SASL: &str = "SASL";

/// A command, taken apart.
pub(super) struct Command {
    /// The keyword in upper case.
    pub(super) verb: String,
    /// The text after the keyword and one separator: the argument of PASS (XPOP3:V0011).
    pub(super) rest: Vec<u8>,
    /// The arguments, split at runs of spaces and tabs (XPOP3, variation of RFC 1939 §3).
    pub(super) args: Vec<Vec<u8>>,
}

impl Command {
    fn parse(line: &[u8]) -> Self {
        let blank = |octet: &u8| matches!(octet, b' ' | b'\t');
        let end = line.iter().position(blank).unwrap_or(line.len());
        let rest = line.get(end + 1..).unwrap_or_default();
        Self {
            verb: String::from_utf8_lossy(&line[..end]).to_ascii_uppercase(),
            rest: rest.to_vec(),
            args: rest
                .split(blank)
                .filter(|arg| !arg.is_empty())
                .map(<[u8]>::to_vec)
                .collect(),
        }
    }
}

impl Session {
    pub(super) fn greet(&mut self) {
        match self.knobs.greeting.clone() {
            Some(own) => self.push_octets(own),
            None => self.ok(Text::Greeting),
        }
        let rules = self.rules_at(|at| *at == At::Greeting);
        if let Some(Act::Close(how)) = rules.iter().find(|act| matches!(act, Act::Close(_))) {
            self.out.clear();
            self.close(*how);
        }
        if let Some(Act::Instead(octets)) = rules.iter().find(|act| matches!(act, Act::Instead(_)))
        {
            self.out.clear();
            self.push_octets(octets.clone());
        }
        self.apply(&rules);
        self.cut_answer(|at| *at == At::Greeting);
    }

    /// Carries out one line of input, which ends in LF.
    pub(super) fn carry_out(&mut self, raw: &[u8]) {
        self.busy = true;
        self.armed_at = self.site.clock.now();
        let line = raw.strip_suffix(b"\n").unwrap_or(raw);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.log(What::Client(line.to_vec()));
        let in_sasl = matches!(self.phase, Phase::Sasl(_));
        let command = Command::parse(line);
        self.judge_line(raw, &command.verb, !in_sasl);
        if self.knobs.pipelining_unsupported {
            let dropped = self.input.clear();
            if dropped > 0 {
                self.note(format!("{dropped} octets behind the command thrown away"));
            }
        }
        let verb = if in_sasl { SASL } else { &command.verb };
        let times = self.verbs.entry(verb.to_owned()).or_default();
        *times += 1;
        let times = *times;
        if !in_sasl {
            self.commands += 1;
            self.site.log.add_command(line);
            self.show(&command);
        }
        let nth = self.commands;
        let is_here = |at: &At| match at {
            At::Greeting => false,
            At::Nth(n) => !in_sasl && *n == nth,
            At::Verb(name) => name == verb,
            At::VerbNth(name, n) => name == verb && *n == times,
            At::Line(text) => text.as_bytes() == line,
            At::Every => true,
        };
        let rules = self.rules_at(is_here);
        match self.first_veto(&rules) {
            Some(Act::Close(how)) => self.close(how),
            Some(Act::Instead(octets)) => self.push_octets(octets),
            _ if in_sasl => self.sasl_line(line),
            _ => self.dispatch(&command),
        }
        self.apply(&rules);
        self.cut_answer(is_here);
        self.cut_retr(&command);
    }

    /// A rule that keeps the command from being carried out.
    fn first_veto(&self, rules: &[Act]) -> Option<Act> {
        rules
            .iter()
            .find(|act| matches!(act, Act::Close(_) | Act::Instead(_)))
            .cloned()
    }

    fn rules_at(&self, is_here: impl Fn(&At) -> bool) -> Vec<Act> {
        let rules = self.tuned.rules.iter();
        rules
            .filter(|rule| is_here(&rule.at))
            .map(|rule| rule.act.clone())
            .collect()
    }

    /// Applies rules to the answer, which is all of the output that is not made yet.
    fn apply(&mut self, rules: &[Act]) {
        for act in rules {
            match act {
                Act::Instead(_) | Act::Close(_) => {}
                Act::Rewrite(octets) => {
                    self.out.retain(is_control);
                    self.out.push_front(Piece::Octets(octets.clone(), 0));
                }
                Act::FirstLine(line) => {
                    self.drop_first_line();
                    self.out.push_front(Piece::Octets(line.clone(), 0));
                }
                Act::FirstLineLong(octets) => {
                    let positive = match self.out.front() {
                        Some(Piece::Octets(line, _)) => line.starts_with(b"+"),
                        _ => true,
                    };
                    self.drop_first_line();
                    let start = self.status(positive, b"x");
                    let start = start.trim_ascii_end().to_vec();
                    let fill = octets.map(|n| n.saturating_sub(start.len() as u64 + 2));
                    if octets.is_some() {
                        self.out.push_front(Piece::Octets(b"\r\n".to_vec(), 0));
                    }
                    self.out.push_front(Piece::Fill(b'x', fill));
                    self.out.push_front(Piece::Octets(start, 0));
                }
                Act::Before(octets) => self.out.push_front(Piece::Octets(octets.clone(), 0)),
                Act::After(octets) => self.push_before_control(octets.clone()),
                Act::Delay(by) => self.out.push_front(Piece::Delay(*by)),
                Act::Silent => self.out.retain(is_control),
                Act::CloseAfter(how) => self.close(*how),
            }
        }
    }

    fn drop_first_line(&mut self) {
        if matches!(self.out.front(), Some(Piece::Octets(..))) {
            self.out.pop_front();
        }
    }

    /// Puts octets behind the answer, in front of the close or handshake that follows it.
    pub(super) fn push_before_control(&mut self, octets: Vec<u8>) {
        let at = self.out.iter().position(is_control);
        let at = at.unwrap_or(self.out.len());
        self.out.insert(at, Piece::Octets(octets, 0));
    }

    /// Arms the cut when this answer is the one to be cut.
    fn cut_answer(&mut self, is_here: impl Fn(&At) -> bool) {
        let Some(cut) = self.knobs.cut.clone() else {
            return;
        };
        let octets = match &cut.at {
            CutAt::Answer(at, octets) if is_here(at) => *octets,
            CutAt::InQuit(octets) if is_here(&At::verb("QUIT")) => *octets,
            _ => return,
        };
        self.cut = Some((self.made_octets() + octets, cut.how));
        // An answer that is shorter is cut at its end.
        self.out.retain(|piece| !matches!(piece, Piece::Close(_)));
        self.out.push_back(Piece::Close(cut.how));
    }

    fn cut_retr(&mut self, command: &Command) {
        let Some(cut) = self.knobs.cut.clone() else {
            return;
        };
        let number = match command.args.as_slice() {
            [number] if command.verb == "RETR" => super::transaction::number(number),
            _ => return,
        };
        let status = match self.out.front() {
            Some(Piece::Octets(line, _)) => line.len() as u64,
            _ => 0,
        };
        match cut.at {
            CutAt::MidRetr { number: n, octets } if number == Some(n) => {
                self.cut = Some((self.made_octets() + status + octets, cut.how));
            }
            CutAt::AfterRetr(n) if number == Some(n) => self.close(cut.how),
            _ => {}
        }
    }

    /// Calls the hook.
    fn show(&self, command: &Command) {
        let Some(hook) = &self.site.on_command else {
            return;
        };
        let numbered = ["RETR", "TOP", "DELE", "LIST", "UIDL"].contains(&command.verb.as_str());
        let number = match command.args.first() {
            Some(arg) if numbered => super::transaction::number(arg),
            _ => None,
        };
        let (message, user) = match &self.phase {
            Phase::Transaction(maildrop) => (
                number.and_then(|number| maildrop.stored(number)),
                Some(maildrop.opened.user.clone()),
            ),
            _ => (None, None),
        };
        hook(&Seen {
            session: self.id,
            user,
            verb: command.verb.clone(),
            argument: command.rest.clone(),
            number,
            unique_id: message.as_ref().map(|message| message.uid().to_vec()),
            retrieved: message.is_some_and(|message| message.is_retrieved()),
        });
    }

    pub(super) fn too_long(&mut self, line: &[u8], limit: usize) {
        self.log(What::Client(line.to_vec()));
        self.violation(format!("a line of more than {limit} octets"));
        self.err(Text::TooLong);
        self.close(CloseHow::Fin);
    }

    fn dispatch(&mut self, command: &Command) {
        let missing = match command.verb.as_str() {
            "UIDL" => self.knobs.no_uidl,
            "TOP" => self.knobs.no_top,
            "LIST" => self.knobs.no_list,
            _ => None,
        };
        if matches!(missing, Some(Missing::Absent | Missing::Refused)) {
            return self.err(Text::UnknownCommand);
        }
        let arguments = command.args.len();
        match (command.verb.as_str(), arguments) {
            ("QUIT", 0) => return self.quit(),
            ("CAPA", 0) => return self.capa_or_not(),
            ("UTF8", 0) | ("LANG", _) if self.knobs.utf8 => return self.utf8(command),
            _ => {}
        }
        let allowed = match command.verb.as_str() {
            "USER" => (1..=1, false),
            // The argument may be blank or begin with blanks (XPOP3:V0011).
            "PASS" => (0..=usize::MAX, false),
            "AUTH" => (0..=2, false),
            "STLS" => (0..=0, false),
            "STAT" | "NOOP" | "RSET" => (0..=0, true),
            "LIST" | "UIDL" => (0..=1, true),
            "RETR" | "DELE" => (1..=1, true),
            "TOP" => (2..=2, true),
            "QUIT" | "CAPA" => return self.err(Text::WrongArguments),
            _ => return self.err(Text::UnknownCommand),
        };
        let (count, wants_login) = allowed;
        if wants_login != matches!(self.phase, Phase::Transaction(_)) {
            return self.err(Text::WrongState);
        }
        if !count.contains(&arguments) {
            return self.err(Text::WrongArguments);
        }
        match command.verb.as_str() {
            "USER" => self.user(&command.args[0]),
            "PASS" => self.pass(&command.rest),
            "AUTH" => self.auth(&command.args),
            "STLS" => self.stls(),
            _ => self.transaction(command),
        }
    }

    fn capa_or_not(&mut self) {
        match self.knobs.no_capa {
            None => self.capa(),
            Some(NoCapa::Err) => self.err(Text::UnknownCommand),
            Some(NoCapa::Close) => self.close(CloseHow::Fin),
            Some(NoCapa::Hang) => {}
        }
    }

    /// RFC 6856, as far as a client can see it.
    fn utf8(&mut self, command: &Command) {
        if command.verb == "UTF8" && !matches!(self.phase, Phase::Start(_)) {
            return self.err(Text::WrongState);
        }
        self.ok_text("gr\u{fc}\u{df}e".as_bytes());
    }

    /// STLS works on the plain port before login (RFC 2595 §4).
    pub(super) fn may_stls(&self) -> bool {
        !self.tls && self.site.profile != Profile::Ex2003
    }
}

/// True if the piece must follow an answer even if the answer itself is replaced.
fn is_control(piece: &Piece) -> bool {
    matches!(piece, Piece::StartTls | Piece::Close(_))
}
