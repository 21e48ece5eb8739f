//! SRV records (RFC 6186): a domain publishes its mail servers in the DNS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// The file that lists the system's name servers (resolv.conf(5)).
const FILE: &str = "/etc/resolv.conf";

/// The time limit for one name server.
const TIME_OUT: Duration = Duration::from_secs(3);

/// The maximum number of name servers that are asked.
const SERVERS: usize = 3;

/// One target of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
}

/// The system's name servers.
pub(super) fn system() -> Vec<SocketAddr> {
    let text = std::fs::read(FILE).unwrap_or_default();
    let servers = resolv_conf::Config::parse(text).map(|config| config.nameservers);
    let address = |server| SocketAddr::new(IpAddr::from(server), 53);
    servers
        .unwrap_or_default()
        .into_iter()
        .map(address)
        .collect()
}

/// The best target of a service of a domain. None if there is none, or the service is not offered.
pub(super) async fn best(servers: &[SocketAddr], service: &str, domain: &str) -> Option<Target> {
    let name = format!("{service}.{domain}");
    for server in servers.iter().take(SERVERS) {
        match timeout(TIME_OUT, ask(*server, &name)).await {
            Ok(Ok(targets)) => return choose(targets),
            Ok(Err(error)) => tracing::debug!(%server, %error, "no answer about {name}"),
            Err(_) => tracing::debug!(%server, "no answer about {name} in time"),
        }
    }
    None
}

/// Priority, weight and target.
type Record = (u16, u16, Target);

/// RFC 2782: the lowest priority. Weights only share a load, so one mailbox ignores them.
fn choose(mut records: Vec<Record>) -> Option<Target> {
    records.sort_by_key(|(priority, weight, _)| (*priority, u16::MAX - weight));
    let (_, _, target) = records.into_iter().next()?;
    // RFC 2782, RFC 6186 §3.4: the root as target means that there is no such service.
    (!target.host.is_empty()).then_some(target)
}

async fn ask(server: SocketAddr, name: &str) -> io::Result<Vec<Record>> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    let id = u16::from_ne_bytes(id);
    let query = query(id, name)?;
    let here = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    // Port 0: the system chooses one that nobody can guess. The socket is connected, so that only
    // this server can answer.
    let socket = UdpSocket::bind((here, 0)).await?;
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        match read(&answer[..length], id, name) {
            // From another sender, or a guess: the right answer may still come.
            None => {}
            Some(Answer::Records(records)) => return Ok(records),
            Some(Answer::Truncated) => return ask_by_tcp(server, &query, id, name).await,
            Some(Answer::Failed) => return Err(io::Error::other("the name server failed")),
        }
    }
}

/// Asks by TCP. RFC 1035 §4.2.2: the length comes first.
async fn ask_by_tcp(
    server: SocketAddr,
    query: &[u8],
    id: u16,
    name: &str,
) -> io::Result<Vec<Record>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes()[..], query].concat())
        .await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    match read(&answer, id, name) {
        Some(Answer::Records(records)) => Ok(records),
        _ => Err(io::Error::other("no answer to the question")),
    }
}

fn query(id: u16, name: &str) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(io::Error::other)?;
    let (kind, class) = (QTYPE::TYPE(TYPE::SRV), QCLASS::CLASS(CLASS::IN));
    packet
        .questions
        .push(Question::new(name, kind, class, false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

enum Answer {
    Failed,
    Records(Vec<Record>),
    Truncated,
}

/// Reads an answer. None if it is not an answer to this question.
fn read(octets: &[u8], id: u16, name: &str) -> Option<Answer> {
    let packet = Packet::parse(octets).ok()?;
    let question = packet.questions.first()?;
    let same = question.qname.to_string().eq_ignore_ascii_case(name);
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !same {
        return None;
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Some(Answer::Truncated);
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Some(Answer::Records(Vec::new())),
        _ => return Some(Answer::Failed),
    }
    let records = packet
        .answers
        .iter()
        .filter_map(|record| match &record.rdata {
            RData::SRV(srv) => {
                let host = srv.target.to_string().trim_end_matches('.').to_owned();
                let target = Target {
                    host,
                    port: srv.port,
                };
                Some((srv.priority, srv.weight, target))
            }
            _ => None,
        });
    Some(Answer::Records(records.collect()))
}
