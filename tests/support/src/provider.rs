//! A small OAuth provider for one test, on an address of this machine. It checks every request
//! against the RFCs, and a wrong one fails the test.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

/// The name under which the program is registered.
pub const CLIENT: &str = "popsync-test";

/// The client secret, if the provider requires one.
pub const SECRET: &str = "no secret at all";

/// The scope of the token.
pub const SCOPE: &str = "https://mail.test/POP.Access offline_access";

/// The code that a person types.
pub const USER_CODE: &str = "WDJB-MJHT";

/// The answer to one question of the device flow.
#[derive(Debug, Clone)]
pub enum Poll {
    /// The tokens.
    Grant,
    /// This error of RFC 8628 §3.5 or RFC 6749 §5.2.
    Error(&'static str),
    /// The connection is closed without a word.
    Hangup,
    /// This status and body.
    Raw(u16, String),
}

/// Receives access tokens.
type Hear = Box<dyn FnMut(&str) + Send>;

/// The behaviour of a provider, and its observations.
#[derive(Default)]
pub struct State {
    /// The answers to the questions of the device flow; the last one stays.
    pub polls: VecDeque<Poll>,
    /// The number of questions so far.
    pub polled: usize,
    /// The seconds between two of them, if the provider names them.
    pub interval: Option<u64>,
    /// Seconds that a device code lives.
    pub code_life: u64,
    /// Seconds that an access token lives.
    pub life: u64,
    /// True if a refresh token can be used only once.
    pub rotates: bool,
    /// The answer to every refresh, instead of tokens.
    pub refresh: Option<Poll>,
    /// The number of refreshes.
    pub refreshed: usize,
    /// True if the client secret is required.
    pub wants_secret: bool,
    /// The issuer in the metadata; its own address if none.
    pub issuer: Option<String>,
    /// True if there is no metadata of RFC 8414, but of OpenID Connect.
    pub only_openid: bool,
    /// True if the person at the browser refuses.
    pub denies: bool,
    /// The valid access tokens.
    pub access: HashSet<String>,
    /// Called with each of them.
    pub on_token: Option<Hear>,
    refresh_tokens: HashSet<String>,
    codes: HashMap<String, (String, String)>,
    issued: usize,
    violations: Vec<String>,
    ended: bool,
}

/// A running provider.
pub struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    scheme: &'static str,
    thread: Option<JoinHandle<()>>,
}

/// One answer.
struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Provider {
    /// Without TLS.
    pub fn start() -> Self {
        Self::serve(None)
    }

    /// With TLS, and the certificate that its clients have to trust.
    pub fn start_tls() -> (Self, String) {
        let (config, pem) = crate::tls::self_signed();
        (Self::serve(Some(config)), pem)
    }

    fn serve(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            code_life: 900,
            life: 3600,
            polls: [Poll::Grant].into(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if lock(&shared).ended {
                    return;
                }
                stream
                    .set_read_timeout(Some(Duration::from_secs(10)))
                    .unwrap();
                match &tls {
                    None => answer(stream, &shared, &base),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        answer(StreamOwned::new(connection, stream), &shared, &base);
                    }
                }
            }
        });
        Self {
            address,
            state,
            scheme,
            thread: Some(thread),
        }
    }

    /// The address of an end point.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The state, which tests can change and read.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// True if it accepts this access token.
    pub fn accepts(&self, access: &str) -> bool {
        self.state().access.contains(access)
    }

    /// Revokes all tokens.
    pub fn revoke(&self) {
        let mut state = self.state();
        state.refresh_tokens.clear();
        state.access.clear();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.state().ended = true;
        // Wakes it up. If that fails, it has ended by itself.
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        let violations = std::mem::take(&mut self.state().violations);
        if !thread::panicking() {
            assert!(violations.is_empty(), "{violations:#?}");
            assert!(ended.is_none_or(|ended| ended.is_ok()));
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: impl Read + Write, state: &Mutex<State>, base: &str) {
    let Some((line, headers, body)) = request(&mut stream) else {
        return;
    };
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut state = lock(state);
    let reply = match (method, path) {
        ("POST", "/device" | "/token") => {
            let form = "content-type: application/x-www-form-urlencoded";
            if !headers.iter().any(|header| header.starts_with(form)) {
                state.violations.push(format!("{path}: no form"));
            }
            if !query.is_empty() {
                state.violations.push(format!("{path}: a query"));
            }
            let form = fields(&body);
            state.check_client(path, &form);
            match path {
                "/device" => Some(state.device(&form, base)),
                _ => state.token(&form),
            }
        }
        ("GET", "/authorize") => Some(state.authorize(&fields(query))),
        ("GET", path) if path.contains("/.well-known/") => Some(state.metadata(path, base)),
        ("GET" | "POST", "/elsewhere") => {
            let mut reply = Reply::json(307, "{}".to_owned());
            reply.headers = format!("Location: {base}/token\r\n");
            Some(reply)
        }
        _ => {
            state.violations.push(format!("{method} {path}"));
            Some(Reply::json(404, String::new()))
        }
    };
    drop(state);
    if let Some(reply) = reply {
        let text = format!(
            "HTTP/1.1 {} X\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{}",
            reply.status,
            reply.headers,
            reply.body.len(),
            reply.body
        );
        // The client may not wait for the answer.
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.flush();
    }
}

fn request(stream: &mut impl Read) -> Option<(String, Vec<String>, String)> {
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    let (head, length) = loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        octets.extend_from_slice(&buffer[..count]);
        if let Some(end) = octets.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8(octets.drain(..end + 4).collect()).unwrap();
            let length = head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().unwrap())
            });
            break (head, length.unwrap_or(0));
        }
    };
    while octets.len() < length {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        octets.extend_from_slice(&buffer[..count]);
    }
    let mut lines = head.lines().map(str::to_owned);
    let line = lines.next()?;
    let headers = lines.map(|line| line.to_ascii_lowercase()).collect();
    Some((line, headers, String::from_utf8(octets).unwrap()))
}

/// The fields of a form or a query, each once.
pub fn fields(text: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap();
        let before = fields.insert(decoded(key), decoded(value));
        assert!(before.is_none(), "{key} stands twice");
    }
    fields
}

fn decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            b'+' => b' ',
            _ => octet,
        });
    }
    String::from_utf8(octets).unwrap()
}

impl Reply {
    fn json(status: u16, body: String) -> Self {
        Self {
            status,
            headers: String::new(),
            body,
        }
    }

    fn error(error: &str) -> Self {
        Self::json(
            400,
            format!(r#"{{"error":"{error}","error_description":"Sorry.\r\nTrace: 1"}}"#),
        )
    }
}

impl State {
    fn expect(&mut self, place: &str, form: &HashMap<String, String>, key: &str, value: &str) {
        let found = form.get(key).map(String::as_str);
        if found != Some(value) {
            let found = found.unwrap_or("nothing");
            self.violations
                .push(format!("{place}: {key} is {found}, not {value}"));
        }
    }

    fn only(&mut self, place: &str, form: &HashMap<String, String>, known: &[&str]) {
        for key in form.keys() {
            if !known.contains(&key.as_str()) {
                self.violations.push(format!("{place}: {key}"));
            }
        }
    }

    fn check_client(&mut self, place: &str, form: &HashMap<String, String>) {
        self.expect(place, form, "client_id", CLIENT);
        if self.wants_secret {
            self.expect(place, form, "client_secret", SECRET);
        } else if form.contains_key("client_secret") {
            self.violations.push(format!("{place}: client_secret"));
        }
    }

    /// RFC 8628 §3.1, §3.2.
    fn device(&mut self, form: &HashMap<String, String>, base: &str) -> Reply {
        self.expect("/device", form, "scope", SCOPE);
        self.only("/device", form, &["client_id", "client_secret", "scope"]);
        let interval = self
            .interval
            .map_or_else(String::new, |interval| format!(r#","interval":{interval}"#));
        Reply::json(
            200,
            format!(
                r#"{{"device_code":"device-code-1","user_code":"{USER_CODE}",
                "verification_uri":"{base}/activate","expires_in":{}{interval}}}"#,
                self.code_life
            ),
        )
    }

    fn token(&mut self, form: &HashMap<String, String>) -> Option<Reply> {
        let kind = form.get("grant_type").map_or("", String::as_str);
        match kind {
            "urn:ietf:params:oauth:grant-type:device_code" => {
                self.expect("/token", form, "device_code", "device-code-1");
                let known = ["client_id", "client_secret", "device_code", "grant_type"];
                self.only("/token", form, &known);
                self.polled += 1;
                let poll = if self.polls.len() > 1 {
                    self.polls.pop_front()
                } else {
                    self.polls.front().cloned()
                };
                self.reply(poll.unwrap())
            }
            "refresh_token" => {
                let known = ["client_id", "client_secret", "grant_type", "refresh_token"];
                self.only("/token", form, &known);
                self.refreshed += 1;
                if let Some(poll) = self.refresh.clone() {
                    return self.reply(poll);
                }
                let token = form.get("refresh_token").cloned().unwrap_or_default();
                if !self.refresh_tokens.contains(&token) {
                    return Some(Reply::error("invalid_grant"));
                }
                if self.rotates {
                    self.refresh_tokens.remove(&token);
                }
                Some(self.grant(self.rotates))
            }
            "authorization_code" => {
                let known = ["client_id", "client_secret", "grant_type"];
                let more = ["code", "redirect_uri", "code_verifier"];
                self.only("/token", form, &[&known[..], &more].concat());
                let code = form.get("code").cloned().unwrap_or_default();
                let Some((challenge, redirect)) = self.codes.remove(&code) else {
                    return Some(Reply::error("invalid_grant"));
                };
                self.expect("/token", form, "redirect_uri", &redirect);
                // RFC 7636 §4.1, §4.6.
                let verifier = form.get("code_verifier").cloned().unwrap_or_default();
                let same = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)) == challenge;
                if !same || !(43..=128).contains(&verifier.len()) {
                    self.violations.push("/token: code_verifier".to_owned());
                }
                Some(self.grant(true))
            }
            other => {
                self.violations.push(format!("/token: {other}"));
                Some(Reply::error("unsupported_grant_type"))
            }
        }
    }

    fn reply(&mut self, poll: Poll) -> Option<Reply> {
        match poll {
            Poll::Grant => Some(self.grant(true)),
            Poll::Error(error) => Some(Reply::error(error)),
            Poll::Hangup => None,
            Poll::Raw(status, body) => Some(Reply::json(status, body)),
        }
    }

    fn grant(&mut self, with_refresh: bool) -> Reply {
        self.issued += 1;
        let access = format!("access-token-{}", self.issued);
        if let Some(hear) = &mut self.on_token {
            hear(&access);
        }
        self.access.insert(access.clone());
        let refresh = with_refresh.then(|| format!("refresh-token-{}", self.issued));
        let field = refresh.as_ref().map_or_else(String::new, |token| {
            format!(r#","refresh_token":"{token}""#)
        });
        self.refresh_tokens.extend(refresh);
        let life = self.life;
        Reply::json(
            200,
            format!(
                r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{life}{field}}}"#
            ),
        )
    }

    /// RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8252 §7.3.
    fn authorize(&mut self, query: &HashMap<String, String>) -> Reply {
        let place = "/authorize";
        self.expect(place, query, "response_type", "code");
        self.expect(place, query, "client_id", CLIENT);
        self.expect(place, query, "scope", SCOPE);
        self.expect(place, query, "code_challenge_method", "S256");
        let text = |key: &str| query.get(key).cloned().unwrap_or_default();
        let (state, challenge, redirect) =
            (text("state"), text("code_challenge"), text("redirect_uri"));
        if state.len() < 20 || challenge.len() != 43 {
            self.violations.push(format!("{place}: {query:?}"));
        }
        if !redirect.starts_with("http://127.0.0.1:") || !redirect.ends_with('/') {
            self.violations.push(format!("{place}: {redirect}"));
        }
        self.issued += 1;
        let code = format!("code/+={}", self.issued);
        let answer = if self.denies {
            "error=access_denied".to_owned()
        } else {
            self.codes
                .insert(code.clone(), (challenge, redirect.clone()));
            format!("code={}", code.replace('/', "%2F").replace('+', "%2B"))
        };
        let mut reply = Reply::json(302, String::new());
        reply.headers = format!("Location: {redirect}?{answer}&state={state}\r\n");
        reply
    }

    /// RFC 8414 §3, OpenID Connect Discovery 1.0 §4.
    fn metadata(&mut self, path: &str, base: &str) -> Reply {
        let issuer = format!("{base}/tenant");
        let known = match path {
            "/.well-known/oauth-authorization-server/tenant" => !self.only_openid,
            "/tenant/.well-known/openid-configuration" => self.only_openid,
            _ => {
                self.violations.push(path.to_owned());
                false
            }
        };
        if !known {
            return Reply::json(404, "{}".to_owned());
        }
        let issuer = self.issuer.clone().unwrap_or(issuer);
        Reply::json(
            200,
            format!(
                r#"{{"issuer":"{issuer}","token_endpoint":"{base}/token",
                "device_authorization_endpoint":"{base}/device",
                "authorization_endpoint":"{base}/authorize","more":[1]}}"#
            ),
        )
    }
}

/// Follows an address as a browser does: returns the bodies of the pages, in order.
pub fn browse(url: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut next = Some(url.to_owned());
    while let Some(url) = next.take() {
        assert!(bodies.len() < 5, "it goes round in circles");
        let rest = url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        next = text
            .lines()
            .find_map(|line| line.strip_prefix("Location: "))
            .map(str::to_owned);
        bodies.push(text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned());
    }
    bodies
}
