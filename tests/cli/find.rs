//! Finding the mailbox of an address: name servers and web servers of the test's own, and what
//! these can get wrong.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]
#![cfg(all(feature = "oauth", feature = "srv"))]

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use popsync::internals::find::{Address, Places, Source, search};
use rustls::{ServerConnection, StreamOwned};
use simple_dns::rdata::{RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use tempfile::TempDir;

fn address() -> Address {
    "anna@example.com".parse().unwrap()
}

/// A web server with TLS: what it has, and what it was asked.
struct Web {
    address: SocketAddr,
    folder: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Web {
    fn with(pages: &[(&'static str, &str)]) -> Self {
        let (config, pem) = support::tls::self_signed();
        let folder = TempDir::new().unwrap();
        File::create(folder.path().join("ca.pem"))
            .unwrap()
            .write_all(pem.as_bytes())
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let web = Self {
            address,
            folder,
            asked: Arc::default(),
            ended: Arc::default(),
        };
        let pages: HashMap<String, String> = pages
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), (*answer).to_owned()))
            .collect();
        let (asked, ended) = (Arc::clone(&web.asked), Arc::clone(&web.ended));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(5)))
                    .unwrap();
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let Some(request) = request(&mut stream) else {
                    continue;
                };
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                asked.lock().unwrap().push(request);
                let answer = pages.get(&path).cloned();
                let answer = answer.unwrap_or_else(|| "404 Not Found\r\n\r\n".to_owned());
                let text = format!("HTTP/1.1 {answer}");
                // The client may not wait for the answer.
                let _ = stream.write_all(text.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        web
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    fn places(&self) -> Places {
        Places {
            autoconfig: vec![self.url("/autoconfig.xml")],
            autodiscover: vec![self.url("/autodiscover.xml")],
            name_servers: Vec::new(),
            ca_file: Some(self.folder.path().join("ca.pem")),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it up. If that fails, it has ended by itself.
        let _ = TcpStream::connect(self.address);
    }
}

/// A request, head and body.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        octets.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8(octets.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                let is_length = key.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
    }
}

fn page(xml: &str) -> String {
    format!(
        "200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{xml}",
        xml.len()
    )
}

const AUTOCONFIG: &str = "<clientConfig version=\"1.1\"><emailProvider id=\"example.com\">\
    <incomingServer type=\"pop3\"><hostname>pop.example.com</hostname><port>995</port>\
    <socketType>SSL</socketType><username>%EMAILLOCALPART%</username></incomingServer>\
    </emailProvider></clientConfig>";

const AUTODISCOVER: &str = "<Autodiscover><Response><Account><Protocol><Type>POP3</Type>\
    <Server>outlook.example.com</Server><Port>995</Port><SSL>on</SSL></Protocol></Account>\
    </Response></Autodiscover>";

#[tokio::test]
async fn a_provider_says_where_its_mailboxes_are() {
    let web = Web::with(&[
        ("/autoconfig.xml", &page(AUTOCONFIG)),
        ("/autodiscover.xml", &page(AUTODISCOVER)),
    ]);
    let found = search(&address(), &web.places()).await;
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            (
                found.server.as_deref().unwrap(),
                found.user.as_str(),
                found.source,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("pop3s://pop.example.com", "anna", Source::Autoconfig),
            (
                "pop3s://outlook.example.com",
                "anna@example.com",
                Source::Autodiscover
            ),
        ]
    );
    let asked = web.asked().join("\n");
    assert!(asked.contains("<EMailAddress>anna@example.com</EMailAddress>"));
    assert!(!asked.to_lowercase().contains("authorization:"), "{asked}");
}

/// A server that asks for a password gets none, and a redirection is not followed. Many domains
/// have an address whose port 443 drops all packets.
#[tokio::test]
async fn servers_that_never_answer_do_not_cost_what_others_say() {
    let web = Web::with(&[("/autoconfig.xml", &page(AUTOCONFIG))]);
    // They listen, and nobody ever takes the connection.
    let silent = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let url = |listener: &TcpListener| format!("https://{}/", listener.local_addr().unwrap());
    let places = Places {
        autodiscover: silent.iter().map(url).collect(),
        ..web.places()
    };
    let found = search(&address(), &places).await;
    let told: Vec<_> = found.iter().map(|found| found.source).collect();
    assert_eq!(told, [Source::Autoconfig]);
}

#[tokio::test]
async fn neither_redirections_nor_questions_for_a_password_lead_anywhere() {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let elsewhere = format!(
        "302 Found\r\nLocation: http://{}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        trap.local_addr().unwrap()
    );
    let password = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                    Content-Length: 0\r\nConnection: close\r\n\r\n";
    let web = Web::with(&[
        ("/autoconfig.xml", &elsewhere),
        ("/autodiscover.xml", password),
    ]);
    assert_eq!(search(&address(), &web.places()).await, []);
    assert_eq!(web.asked().len(), 2);
    assert!(trap.accept().is_err());
}

#[tokio::test]
async fn nothing_is_asked_without_tls_or_behind_an_unknown_certificate() {
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let web = Web::with(&[("/autoconfig.xml", &page(AUTOCONFIG))]);
    let places = Places {
        autodiscover: vec![format!("http://{}/x", trap.local_addr().unwrap())],
        ca_file: None,
        ..web.places()
    };
    assert_eq!(search(&address(), &places).await, []);
    assert!(web.asked().is_empty());
    assert!(trap.accept().is_err());
}

/// Priority, weight, port and target.
type Record = (u16, u16, u16, &'static str);

/// The answers of a name server.
#[derive(Clone)]
struct Zone {
    /// By the beginning of the service's name.
    records: HashMap<&'static str, Vec<Record>>,
    /// Every answer by UDP says that it is not all.
    truncates: bool,
    /// A wrong answer comes first: another id, and another question.
    forges: bool,
    /// It fails.
    fails: bool,
}

impl Zone {
    fn of(records: &[(&'static str, &[Record])]) -> Self {
        let records = records
            .iter()
            .map(|(service, records)| (*service, records.to_vec()));
        Self {
            records: records.collect(),
            truncates: false,
            forges: false,
            fails: false,
        }
    }

    fn answer(&self, query: &[u8], by_udp: bool) -> Vec<u8> {
        let query = Packet::parse(query).unwrap();
        let question = query.questions[0].clone();
        let mut reply = Packet::new_reply(query.id());
        reply.questions.push(question.clone());
        if self.fails {
            *reply.rcode_mut() = RCODE::ServerFailure;
        } else if by_udp && self.truncates {
            reply.set_flags(PacketFlag::TRUNCATION);
        } else {
            let name = question.qname.to_string();
            let service = self.records.keys().find(|key| name.starts_with(**key));
            for (priority, weight, port, target) in
                service.map_or(&[][..], |service| &self.records[service])
            {
                let srv = SRV {
                    priority: *priority,
                    weight: *weight,
                    port: *port,
                    target: Name::new(target).unwrap(),
                };
                let name = question.qname.clone();
                let record = ResourceRecord::new(name, CLASS::IN, 60, RData::SRV(srv));
                reply.answers.push(record);
            }
        }
        reply.build_bytes_vec().unwrap()
    }

    /// Serves it; the threads end with the process.
    fn serve(self) -> SocketAddr {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            // The same port for both; where somebody else has it, another.
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let zone = self.clone();
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, client)) = udp.recv_from(&mut buffer) {
                if zone.forges {
                    let mut forged = Self::of(&[("_pop3", &[(0, 0, 995, "evil.example")])])
                        .answer(&buffer[..length], true);
                    forged[0] ^= 0xff;
                    udp.send_to(&forged, client).unwrap();
                    udp.send_to(b"nonsense", client).unwrap();
                }
                let answer = zone.answer(&buffer[..length], true);
                udp.send_to(&answer, client).unwrap();
            }
        });
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut query = vec![0; u16::from_be_bytes(length).into()];
                stream.read_exact(&mut query).unwrap();
                let answer = self.answer(&query, false);
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length[..], &answer].concat()).unwrap();
            }
        });
        address
    }

    async fn search(self) -> Option<(String, Source)> {
        let places = Places {
            name_servers: vec![self.serve()],
            ..Places::default()
        };
        let found = search(&address(), &places).await.pop()?;
        Some((found.server.unwrap(), found.source))
    }
}

const OWN: Source = Source::Srv { same_domain: true };

#[tokio::test]
async fn the_dns_names_a_server_and_tls_comes_first() {
    let zone = Zone::of(&[
        (
            "_pop3s.",
            &[
                (20, 0, 995, "b.example.com"),
                (10, 1, 1995, "a.example.com"),
            ],
        ),
        ("_pop3.", &[(0, 0, 110, "c.example.com")]),
    ]);
    assert_eq!(
        zone.search().await,
        Some(("pop3s://a.example.com:1995".to_owned(), OWN))
    );
    let zone = Zone::of(&[
        ("_pop3s.", &[(0, 0, 0, ".")]),
        ("_pop3.", &[(0, 0, 110, "c.example.com")]),
    ]);
    assert_eq!(
        zone.search().await,
        Some(("pop3://c.example.com".to_owned(), OWN))
    );
    assert_eq!(
        Zone::of(&[("_pop3s.", &[(0, 0, 0, ".")])]).search().await,
        None
    );
    assert_eq!(Zone::of(&[]).search().await, None);
}

/// RFC 6186 §6: whoever can lie in the DNS would get the password.
#[tokio::test]
async fn a_server_of_another_domain_is_marked() {
    for target in [
        "mail.example.net",
        "example.com.evil.example",
        "notexample.com",
    ] {
        let records: &[_] = &[(0, 0, 995, target)];
        let records = records.to_vec();
        let mut zone = Zone::of(&[]);
        zone.records.insert("_pop3s.", records);
        let marked = Source::Srv { same_domain: false };
        let expected = Some((format!("pop3s://{target}"), marked));
        assert_eq!(zone.search().await, expected);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_comes_whole_by_tcp() {
    let zone = Zone {
        truncates: true,
        ..Zone::of(&[("_pop3s.", &[(0, 0, 995, "pop.example.com")])])
    };
    let expected = Some(("pop3s://pop.example.com".to_owned(), OWN));
    assert_eq!(zone.search().await, expected);
}

#[tokio::test]
async fn forged_answers_are_passed_over() {
    let zone = Zone {
        forges: true,
        ..Zone::of(&[("_pop3s.", &[(0, 0, 995, "pop.example.com")])])
    };
    let expected = Some(("pop3s://pop.example.com".to_owned(), OWN));
    assert_eq!(zone.search().await, expected);
}

#[tokio::test]
async fn the_next_name_server_is_asked_where_one_fails() {
    let failing = Zone {
        fails: true,
        ..Zone::of(&[])
    };
    let good = Zone::of(&[("_pop3s.", &[(0, 0, 995, "pop.example.com")])]);
    let places = Places {
        name_servers: vec![failing.serve(), good.serve()],
        ..Places::default()
    };
    let found = search(&address(), &places).await;
    assert_eq!(found[0].server.as_deref(), Some("pop3s://pop.example.com"));
}
