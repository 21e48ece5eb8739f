//! The knobs: settings by which a test deviates from the profile.

mod values;

use std::collections::BTreeMap;
use std::time::Duration;

pub use values::{
    Act, At, BareLf, BrokenMechanism, CapaOdd, Certificate, CloseAfterErr, CloseHow, Cut, CutAt,
    DeleErr, Drip, ExtendedProtection, LoginType, Missing, NoCapa, Numbers, RefuseLogins, Rule,
    SaslOdd, Separator, Sizes, Sort, StatusCase, StlsStrip, UidlOne, Unsolicited, UpdateFail,
};

use crate::text::Text;

/// All knobs. The default is a well-behaved server of its profile.
///
/// ```
/// use exchange_sim::{At, Cut, CutAt, Knobs};
///
/// let knobs = Knobs {
///     cut: Some(Cut::reset(CutAt::MidRetr { number: 2, octets: 100 })),
///     ..Knobs::default()
/// };
/// assert_ne!(knobs, Knobs::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Knobs {
    // Settings that an administrator of Exchange has (Set-PopSettings).
    /// `LoginType`; `None` is the profile's: all without TLS on 2003, nothing later.
    pub login_type: Option<LoginType>,
    /// `MaxCommandSize`, octets with CRLF, 40 to 1024 (XPOP3:E0006); `None` is the profile's.
    pub max_command: Option<usize>,
    /// `PreAuthenticatedConnectionTimeout`, 30 to 3600 s (XPOP3:V0002).
    pub pre_auth_timeout: Duration,
    /// `AuthenticatedConnectionTimeout`, 30 to 86,400 s (XPOP3:V0002).
    pub auth_timeout: Duration,
    /// `MaxConnectionsPerUser`.
    pub max_connections_per_user: usize,
    /// `MessageRetrievalSortOrder`.
    pub sort: Sort,
    /// `EnableExactRFC822Size` and its older forms; `None` is the profile's.
    pub sizes: Option<Sizes>,
    /// `ExtendedProtectionPolicy`.
    pub extended_protection: ExtendedProtection,

    // Texts.
    /// Texts to replace, without status indicator and CRLF.
    pub texts: BTreeMap<Text, Vec<u8>>,
    /// 2007 greets as its later builds do, like 2010.
    pub modern_2007_banner: bool,
    /// The whole greeting with its CRLF, or several lines, or `-ERR`.
    pub greeting: Option<Vec<u8>>,
    /// The line before the close on idle timeout, without CRLF; `None` closes in silence, as
    /// RFC 1939 §3 asks. Exchange sends a line (XPOP3:V0003); its text is not public.
    pub idle_notice: Option<Vec<u8>>,
    /// 8-bit text in positive answers, in UTF-8.
    pub eight_bit_text: bool,

    // Login.
    /// When an `-ERR` ends the connection (XPOP3:C0005).
    pub close_after_err: CloseAfterErr,
    /// How long a refused login waits for its answer, by the server's clock.
    pub refusal_delay: Duration,
    /// 2007 only: the user's mailbox is in another site, so the login fails (XPOP3:C0010).
    pub wrong_site: bool,
    /// USER is refused also where it would be allowed (XPOP3:V0010).
    pub refuse_user: bool,
    /// Refuses good logins, with a text that may hold a response code (RFC 2449 §8, RFC 3206).
    pub refuse_logins: Option<RefuseLogins>,
    /// Advertises RESP-CODES and AUTH-RESP-CODE; refused logins begin with `[AUTH]`.
    pub resp_codes: bool,
    /// Advertises `LOGIN-DELAY n USER` and refuses earlier logins with `[LOGIN-DELAY]`.
    pub login_delay: Option<u32>,
    /// Refuses a login for so long after a QUIT (qpopper: "lock busy"), by the server's clock.
    pub busy_after_quit: Option<Duration>,
    /// Advertises `EXPIRE` with this argument: `0`, `5 USER`, `NEVER`.
    pub expire: Option<String>,
    /// Advertises UTF8 and LANG and takes both commands (RFC 6856).
    pub utf8: bool,
    /// AUTH between USER and PASS ends the connection (fetchmail OLDNEWS).
    pub auth_after_user_breaks: bool,

    // SASL.
    /// Mechanisms without TLS; `None` is the profile's.
    pub mechanisms_plain: Option<Vec<String>>,
    /// Mechanisms under TLS; `None` is the profile's.
    pub mechanisms_tls: Option<Vec<String>>,
    /// Mechanisms that work though CAPA does not show them (Thunderbird: XOAUTH2).
    pub unannounced_mechanisms: Vec<String>,
    /// Mechanisms that CAPA shows though they do not work.
    pub broken_mechanisms: Vec<BrokenMechanism>,
    /// Odd challenges.
    pub sasl_odd: Option<SaslOdd>,
    /// Continuation lines are held to the limit of commands too.
    pub sasl_counts_against_limit: bool,
    /// NTLMv1 responses are accepted.
    pub ntlm_v1: bool,
    /// The server's layers in the fake GSSAPI mechanism (RFC 4752 §3.3): one octet of bits,
    /// three of the largest size.
    pub gss_layers: [u8; 4],
    /// The fake GSSAPI mechanism ends when the context is complete.
    pub gss_skip_layer: bool,
    /// XOAUTH2 with an initial response is taken; Exchange Online closes the connection.
    pub xoauth2_inline: bool,
    /// A refused XOAUTH2 first sends this JSON as a challenge and waits for a line, as Gmail.
    pub xoauth2_challenge: Option<String>,

    // Capabilities.
    /// Advertises PIPELINING, on any profile. (2003 does without being asked.)
    pub pipelining: bool,
    /// Input that arrived behind a command before its answer was sent is thrown away, as by
    /// servers that do not understand pipelining.
    pub pipelining_unsupported: bool,
    /// CAPA does not work.
    pub no_capa: Option<NoCapa>,
    /// Oddities of the answer.
    pub capa_odd: Vec<CapaOdd>,
    /// The lines without TLS before login; `None` is the profile's.
    pub capa_plain: Option<Vec<String>>,
    /// The lines under TLS before login (`stls_capa_change`); `None` is the profile's.
    pub capa_tls: Option<Vec<String>>,
    /// The lines after login (Gmail shows more then); `None` is as before login.
    pub capa_after_login: Option<Vec<String>>,
    /// Lines beyond these.
    pub capa_extra: Vec<String>,
    /// UIDL.
    pub no_uidl: Option<Missing>,
    /// TOP.
    pub no_top: Option<Missing>,
    /// LIST; it has no capability to hide.
    pub no_list: Option<Missing>,

    // The form of answers.
    /// Between fields.
    pub sep: Separator,
    /// Letters of the status indicators.
    pub status_case: StatusCase,
    /// The first line (without CRLF) at some command: `+`, `+YES`, `+ERR text`, `OK`, nothing.
    pub status_odd: Option<(At, Vec<u8>)>,
    /// A first line of so many octets at some command; `None` never ends.
    pub first_line_long: Option<(At, Option<u64>)>,
    /// Text behind the fields of STAT, LIST and UIDL.
    pub extra: Option<String>,
    /// The line that ends LIST, UIDL and CAPA, without CRLF (OPOP3:V0002: `.trailing`).
    pub term: Option<Vec<u8>>,
    /// Octets behind that line.
    pub term_then_more: Option<Vec<u8>>,
    /// Line ends without CR.
    pub bare_lf: BareLf,
    /// LIST says `+OK <count> <size>`.
    pub list_counts: bool,

    // Listings.
    /// Message-numbers.
    pub numbers: Numbers,
    /// Message-numbers without a row in LIST.
    pub hide_in_list: Vec<u64>,
    /// Message-numbers without a row in UIDL.
    pub hide_in_uidl: Vec<u64>,
    /// STAT's line with status indicator, without CRLF: `+OK 3`, `+OK x y`, `+OK 2 -5`.
    pub stat_line: Option<Vec<u8>>,
    /// The size of every row in LIST: `0`, `xx`, `-5`, 2^63, nothing at all.
    pub size_lie: Option<String>,
    /// STAT, LIST and UIDL say there is no mail (fetchmail: no room for a temporary file).
    pub pretend_empty: bool,
    /// Only the newest n messages are in the maildrop of a session (WildDuck: 250).
    pub only_newest: Option<usize>,
    /// Only the oldest n messages are in the maildrop of a session (Gmail: some hundred).
    pub only_oldest: Option<usize>,
    /// No snapshot: mail that arrives shows in the next listing (getmail 4.23.0).
    pub live_listing: bool,
    /// LIST and UIDL never end.
    pub endless_list: bool,

    // Unique-ids.
    /// Every second message has the id of the one before it (OPOP3:C0041).
    pub uid_dup: bool,
    /// New mail gets the id of removed mail (OPOP3:C0040). Read when mail is delivered.
    pub uid_reuse: bool,
    /// Ids are filled up to so many characters (OPOP3:C0039 has 70).
    pub uid_long: Option<usize>,
    /// These octets stand inside each id.
    pub uid_bytes: Option<Vec<u8>>,
    /// Ids are empty.
    pub uid_empty: bool,
    /// Rows of UIDL hold the number alone, without a blank behind it.
    pub uid_missing: bool,
    /// Rows of UIDL hold wrong numbers: each is one too high (MailKit `uidl-error2`).
    pub uid_wrong_number: bool,
    /// Ids come in pairs that differ only in case.
    pub uid_case: bool,
    /// Ids are other ones at each login.
    pub uid_change: bool,
    /// An empty line before the first row of UIDL (OpaqueMail#60).
    pub uidl_blank_first: bool,
    /// The answer to `UIDL n`.
    pub uidl_one: UidlOne,

    // Messages.
    /// A line sent as it is, without CRLF and unstuffed, as the first of RETR and TOP.
    pub retr_dotline: Option<Vec<u8>>,
    /// No byte-stuffing (mailpit#299).
    pub no_stuffing: bool,
    /// The server adds no CRLF to a message without one, so the terminator is not on a line of
    /// its own (Exchange 2000, fetchmail FAQ S2).
    pub no_final_crlf: bool,
    /// The last LF of the terminator is missing (cyrus#4717).
    pub term_no_lf: bool,
    /// RETR and TOP never end.
    pub endless_body: bool,
    /// RETR says `+OK` and sends an empty body (getmail).
    pub empty_body: bool,
    /// RETR leaves out the first Received field (geocities).
    pub drop_received: bool,
    /// TOP stops after so many octets (Maillennium).
    pub top_octets: Option<u64>,
    /// TOP sends at most so many body lines (usa.net, OpenMail).
    pub top_lines: Option<u64>,
    /// TOP refuses a larger number of lines (CompuServe: 99,999,999).
    pub top_max_argument: Option<u64>,
    /// TOP says `+OK` twice (FTGate).
    pub top_two_ok: bool,
    /// TOP shows a header that RETR does not (JavaMail `forgettopheaders`).
    pub top_header_differs: bool,

    // Deletion and UPDATE.
    /// DELEs that are refused.
    pub dele_err: DeleErr,
    /// DELE says `+OK`, and nothing is removed.
    pub dele_ignored: bool,
    /// QUIT says `-ERR` though all was removed.
    pub quit_err: bool,
    /// The messages that are not removed (XPOP3:V0006).
    pub update_fail: UpdateFail,
    /// QUIT says `+OK` though not all was removed.
    pub update_fail_ok: bool,
    /// Messages go away so long after the answer to QUIT, by the server's clock.
    pub update_delay: Option<Duration>,
    /// After a drop without QUIT, marked messages are hidden for so long (fetchmail FAQ D2).
    pub hidden_after_drop: Option<Duration>,
    /// After a drop without QUIT the whole maildrop is gone (old poppers, fetchmail FAQ D2).
    pub drop_empties: bool,

    // The connection.
    /// Output goes out in pieces of so many octets, each in a write of its own.
    pub chunk: Option<usize>,
    /// A piece ends behind each CR.
    pub cr_split: bool,
    /// Real time between two pieces of `chunk` and `cr_split`, to keep the packets apart.
    pub chunk_pause: Duration,
    /// A few octets at a time, by the server's clock.
    pub drip: Option<Drip>,
    /// Nothing is sent behind this octet of the output, and the connection stays open.
    pub stall: Option<u64>,
    /// The connection ends at some octet.
    pub cut: Option<Cut>,
    /// This command is not answered; later ones are.
    pub silent_at: Option<At>,
    /// This command is not carried out; the connection ends. To end it behind the answer, use
    /// [`Act::CloseAfter`] or a [`Cut`].
    pub close_at: Option<(At, CloseHow)>,
    /// A line that nobody asked for, while the client waits. (Lines around answers:
    /// [`Act::Before`] and [`Act::After`]; a banner sent twice: `greeting`.)
    pub unsolicited: Option<Unsolicited>,
    /// Octets behind the answer to a command: a second answer.
    pub pipelined_junk: Option<(At, Vec<u8>)>,
    /// The answer to a command waits, by the server's clock.
    pub delay: Option<(At, Duration)>,

    // TLS.
    /// The certificate.
    pub certificate: Certificate,
    /// The handshake is answered with the alert `protocol_version`: to the client this is a
    /// server that has TLS 1.1 at most. (TLS 1.1 itself cannot be played: rustls has none.)
    pub tls_version_alert: bool,
    /// Connections are closed without close_notify.
    pub no_close_notify: bool,
    /// Octets in the clear behind `+OK` of STLS.
    pub stls_inject: Option<Vec<u8>>,
    /// STLS is not what it should be.
    pub stls_strip: Option<StlsStrip>,

    // Everything else.
    /// Rules for single commands, applied in this order.
    pub rules: Vec<Rule>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            login_type: None,
            max_command: None,
            pre_auth_timeout: Duration::from_secs(60),
            auth_timeout: Duration::from_secs(1800),
            max_connections_per_user: 16,
            sort: Sort::default(),
            sizes: None,
            extended_protection: ExtendedProtection::default(),
            texts: BTreeMap::new(),
            modern_2007_banner: false,
            greeting: None,
            idle_notice: Some(b"-ERR Connection is closed. Idle timeout".to_vec()),
            eight_bit_text: false,
            close_after_err: CloseAfterErr::OnLogin(3),
            refusal_delay: Duration::ZERO,
            wrong_site: false,
            refuse_user: false,
            refuse_logins: None,
            resp_codes: false,
            login_delay: None,
            busy_after_quit: None,
            expire: None,
            utf8: false,
            auth_after_user_breaks: false,
            mechanisms_plain: None,
            mechanisms_tls: None,
            unannounced_mechanisms: Vec::new(),
            broken_mechanisms: Vec::new(),
            sasl_odd: None,
            sasl_counts_against_limit: false,
            ntlm_v1: false,
            gss_layers: [1, 0, 0, 0],
            gss_skip_layer: false,
            xoauth2_inline: false,
            xoauth2_challenge: None,
            pipelining: false,
            pipelining_unsupported: false,
            no_capa: None,
            capa_odd: Vec::new(),
            capa_plain: None,
            capa_tls: None,
            capa_after_login: None,
            capa_extra: Vec::new(),
            no_uidl: None,
            no_top: None,
            no_list: None,
            sep: Separator::default(),
            status_case: StatusCase::default(),
            status_odd: None,
            first_line_long: None,
            extra: None,
            term: None,
            term_then_more: None,
            bare_lf: BareLf::default(),
            list_counts: false,
            numbers: Numbers::default(),
            hide_in_list: Vec::new(),
            hide_in_uidl: Vec::new(),
            stat_line: None,
            size_lie: None,
            pretend_empty: false,
            only_newest: None,
            only_oldest: None,
            live_listing: false,
            endless_list: false,
            uid_dup: false,
            uid_reuse: false,
            uid_long: None,
            uid_bytes: None,
            uid_empty: false,
            uid_missing: false,
            uid_wrong_number: false,
            uid_case: false,
            uid_change: false,
            uidl_blank_first: false,
            uidl_one: UidlOne::default(),
            retr_dotline: None,
            no_stuffing: false,
            no_final_crlf: false,
            term_no_lf: false,
            endless_body: false,
            empty_body: false,
            drop_received: false,
            top_octets: None,
            top_lines: None,
            top_max_argument: None,
            top_two_ok: false,
            top_header_differs: false,
            dele_err: DeleErr::default(),
            dele_ignored: false,
            quit_err: false,
            update_fail: UpdateFail::default(),
            update_fail_ok: false,
            update_delay: None,
            hidden_after_drop: None,
            drop_empties: false,
            chunk: None,
            cr_split: false,
            chunk_pause: Duration::ZERO,
            drip: None,
            stall: None,
            cut: None,
            silent_at: None,
            close_at: None,
            unsolicited: None,
            pipelined_junk: None,
            delay: None,
            certificate: Certificate::default(),
            tls_version_alert: false,
            no_close_notify: false,
            stls_inject: None,
            stls_strip: None,
            rules: Vec::new(),
        }
    }
}

impl Knobs {
    /// Replaces one text.
    #[must_use]
    pub fn text(mut self, text: Text, to: impl Into<Vec<u8>>) -> Self {
        self.texts.insert(text, to.into());
        self
    }

    /// Adds one rule.
    #[must_use]
    pub fn rule(mut self, at: At, act: Act) -> Self {
        self.rules.push(Rule::new(at, act));
        self
    }

    /// Checks that Exchange would let an administrator set these values.
    pub(crate) fn check(&self) -> Result<(), String> {
        let seconds = |duration: Duration| duration.as_secs();
        if self
            .max_command
            .is_some_and(|max| !(40..=1024).contains(&max))
        {
            return Err("max_command must be 40 to 1024 (XPOP3:E0006)".to_owned());
        }
        if !(30..=3600).contains(&seconds(self.pre_auth_timeout)) {
            return Err("pre_auth_timeout must be 30 to 3600 s".to_owned());
        }
        if !(30..=86_400).contains(&seconds(self.auth_timeout)) {
            return Err("auth_timeout must be 30 to 86,400 s".to_owned());
        }
        if self.max_connections_per_user == 0 {
            return Err("max_connections_per_user must be 1 or more".to_owned());
        }
        if self.chunk == Some(0) || self.drip.is_some_and(|drip| drip.octets == 0) {
            return Err("chunk and drip must be 1 octet or more".to_owned());
        }
        Ok(())
    }

    /// The knobs that are rules in another form, and the rules themselves, in one list.
    pub(crate) fn all_rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut add = |at: &At, act: Act| rules.push(Rule::new(at.clone(), act));
        if let Some(at) = &self.silent_at {
            add(at, Act::Silent);
        }
        if let Some((at, how)) = &self.close_at {
            add(at, Act::Close(*how));
        }
        if let Some((at, line)) = &self.status_odd {
            add(at, Act::FirstLine([line.as_slice(), b"\r\n"].concat()));
        }
        if let Some((at, octets)) = &self.first_line_long {
            add(at, Act::FirstLineLong(*octets));
        }
        if let Some((at, octets)) = &self.pipelined_junk {
            add(at, Act::After(octets.clone()));
        }
        if let Some((at, by)) = &self.delay {
            add(at, Act::Delay(*by));
        }
        rules.extend(self.rules.iter().cloned());
        rules
    }

    /// True if a client has no reason to end without QUIT with these knobs: all answers are well
    /// formed, whatever they mean. A client that read something malformed must send nothing more,
    /// not even QUIT.
    pub(crate) fn is_orderly(&self) -> bool {
        let harmless = Self {
            login_type: self.login_type,
            max_command: self.max_command,
            pre_auth_timeout: self.pre_auth_timeout,
            auth_timeout: self.auth_timeout,
            max_connections_per_user: self.max_connections_per_user,
            sort: self.sort,
            sizes: self.sizes,
            extended_protection: self.extended_protection,
            texts: self.texts.clone(),
            modern_2007_banner: self.modern_2007_banner,
            close_after_err: self.close_after_err,
            refusal_delay: self.refusal_delay,
            wrong_site: self.wrong_site,
            refuse_user: self.refuse_user,
            refuse_logins: self.refuse_logins.clone(),
            resp_codes: self.resp_codes,
            login_delay: self.login_delay,
            busy_after_quit: self.busy_after_quit,
            expire: self.expire.clone(),
            utf8: self.utf8,
            mechanisms_plain: self.mechanisms_plain.clone(),
            mechanisms_tls: self.mechanisms_tls.clone(),
            unannounced_mechanisms: self.unannounced_mechanisms.clone(),
            xoauth2_challenge: self.xoauth2_challenge.clone(),
            pipelining: self.pipelining,
            capa_plain: self.capa_plain.clone(),
            capa_tls: self.capa_tls.clone(),
            capa_after_login: self.capa_after_login.clone(),
            capa_extra: self.capa_extra.clone(),
            no_uidl: self.no_uidl,
            no_top: self.no_top,
            no_list: self.no_list,
            sep: self.sep,
            status_case: self.status_case,
            extra: self.extra.clone(),
            list_counts: self.list_counts,
            only_newest: self.only_newest,
            only_oldest: self.only_oldest,
            uid_dup: self.uid_dup,
            uid_reuse: self.uid_reuse,
            uid_case: self.uid_case,
            uid_change: self.uid_change,
            dele_err: self.dele_err.clone(),
            dele_ignored: self.dele_ignored,
            quit_err: self.quit_err,
            update_fail: self.update_fail,
            update_fail_ok: self.update_fail_ok,
            update_delay: self.update_delay,
            chunk: self.chunk,
            cr_split: self.cr_split,
            chunk_pause: self.chunk_pause,
            ..Self::default()
        };
        *self == harmless
    }
}
