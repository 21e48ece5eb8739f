//! Ways to a server: proxies, good and hostile, a Unix socket, a local address.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use support::bench::{Bench, By, Ended, Setup, letters};
use support::front::write;
use support::proxies::{Proxy, http, socks};

/// The time limit for a run if the proxy hangs and the time-out is a second.
const HANGING: Duration = Duration::from_secs(20);

const OK: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A password that must not appear anywhere.
const SECRET: &str = "proxy pass: 100% s3cret";

/// `anna` and this password, as Basic (RFC 7617).
const BASIC: &str = "Basic YW5uYTpwcm94eSBwYXNzOiAxMDAlIHMzY3JldA==";

fn bench(by: By) -> (Bench, u16) {
    let bench = Setup::with(letters(3)).by(by).start();
    let port = match by {
        By::Tls => bench.sim.pop3s_port(),
        By::Stls | By::Plain => bench.sim.pop3_port(),
    };
    write(
        &bench.path("proxy-password"),
        &format!("{SECRET}\r\n"),
        0o600,
    );
    (bench, port)
}

fn through(bench: &Bench, url: &str, arguments: &[&str]) -> Ended {
    let all = [&["-vv", "--proxy", url], arguments].concat();
    let ended = bench.fetch(&all).within(HANGING).end();
    for secret in [SECRET, BASIC, "YW5uYTpw"] {
        assert!(!ended.text().contains(secret), "{}", ended.text());
    }
    ended
}

#[test]
fn a_socks_proxy_connects_by_address() {
    for by in [By::Tls, By::Stls, By::Plain] {
        let (bench, port) = bench(by);
        let proxy = Proxy::start(port, socks(None));
        let ended = through(&bench, &format!("socks5://127.0.0.1:{}", proxy.port), &[]);
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        bench.assert_exactly_once();
        assert_eq!(proxy.asked(), [format!("127.0.0.1:{port}")]);
    }
}

#[test]
fn the_proxy_looks_up_the_servers_name() {
    // RFC 6761 §6.4: no resolver here can know it.
    for scheme in ["socks5", "http"] {
        let (bench, port) = bench(By::Plain);
        let proxy = match scheme {
            "socks5" => Proxy::start(port, socks(None)),
            _ => Proxy::start(port, http(None, OK)),
        };
        let proxy_url = format!("{scheme}://localhost:{}", proxy.port);
        let arguments = ["--tls", "off", "--proxy", &proxy_url];
        bench
            .fetch_bare("pop3://mail.invalid:1234", &arguments)
            .gives(0);
        bench.assert_exactly_once();
        let asked = proxy.asked();
        assert!(asked[0].contains("mail.invalid:1234"), "{asked:?}");
    }
}

#[test]
fn a_proxy_that_wants_a_login_gets_one() {
    let (bench, port) = bench(By::Tls);
    for (scheme, proxy) in [
        ("socks5", Proxy::start(port, socks(Some(("anna", SECRET))))),
        ("http", Proxy::start(port, http(Some(BASIC), OK))),
    ] {
        let url = format!("{scheme}://anna@127.0.0.1:{}", proxy.port);
        let password = ["--proxy-password-file", "proxy-password"];
        let ended = through(&bench, &url, &password);
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        bench.assert_exactly_once();

        bench.settle();
        bench.sim.clear_log();
        let anonymous = format!("{scheme}://127.0.0.1:{}", proxy.port);
        let ended = through(&bench, &anonymous, &[]);
        assert_eq!(ended.status, Some(77), "{}", ended.text());
        ended.says("it wants a user name and a password");
        let other = format!("{scheme}://eva@127.0.0.1:{}", proxy.port);
        let ended = through(&bench, &other, &password);
        assert_eq!(ended.status, Some(77), "{}", ended.text());
        ended.says("it refused user and password");
        ended.says("hint: check the user in `proxy`");
        assert_eq!(bench.sim.commands(), [""; 0]);
    }
}

#[test]
fn a_password_for_the_proxy_is_kept_as_one_for_the_server() {
    let (bench, port) = bench(By::Tls);
    let proxy = Proxy::start(port, socks(Some(("anna", SECRET))));
    let url = format!("socks5://anna@127.0.0.1:{}", proxy.port);
    write(&bench.path("open"), SECRET, 0o644);
    write(&bench.path("empty"), "\n", 0o600);
    write(&bench.path("long"), &"x".repeat(300), 0o600);
    for (file, words) in [
        ("open", "can be read by others (mode 644)"),
        ("empty", "cannot be its password"),
        ("long", "larger than 255 bytes"),
        ("none", "No such file"),
    ] {
        let ended = through(&bench, &url, &["--proxy-password-file", file]);
        assert_eq!(ended.status, Some(78), "{}", ended.text());
        ended.says(words);
    }
    let ended = through(&bench, &url, &[]);
    assert_eq!(ended.status, Some(64), "{}", ended.text());
    let ended = through(&bench, "socks5://anna:hunter2@127.0.0.1", &[]);
    assert_eq!(ended.status, Some(64), "{}", ended.text());
    assert!(!ended.err.contains("hunter2"), "{}", ended.text());
    assert_eq!(proxy.asked(), [""; 0], "dialled without a password");
}

#[test]
fn an_http_proxy_may_be_talkative() {
    for answer in [
        OK,
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 299 Fine\nVia: somebody\nContent-Length: 5\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\nY: \x1b[2J\xff\r\n\r\n",
    ] {
        for by in [By::Tls, By::Stls, By::Plain] {
            let (bench, port) = bench(by);
            let proxy = Proxy::start(port, http(None, answer));
            let ended = through(&bench, &format!("http://127.0.0.1:{}", proxy.port), &[]);
            assert_eq!(ended.status, Some(0), "{}", ended.text());
            bench.assert_exactly_once();
            let expected = format!("CONNECT 127.0.0.1:{port} HTTP/1.1|Host: 127.0.0.1:{port}");
            assert_eq!(proxy.asked(), [expected]);
        }
    }
}

/// The greeting can come in one packet with the head of the proxy's answer.
#[test]
fn what_comes_right_behind_the_head_is_the_servers() {
    let (bench, port) = bench(By::Plain);
    let proxy = Proxy::start(port, move |client| {
        let (question, _) = http(None, b"")(client)?;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        let mut greeting = [0; 4096];
        let length = server.read(&mut greeting)?;
        client.write_all(&[OK, &greeting[..length]].concat())?;
        let mut back = client.try_clone()?;
        let mut down = server.try_clone()?;
        thread::spawn(move || std::io::copy(&mut down, &mut back));
        std::io::copy(client, &mut server)?;
        Ok((question, false))
    });
    let ended = through(&bench, &format!("http://127.0.0.1:{}", proxy.port), &[]);
    assert_eq!(ended.status, Some(0), "{}", ended.text());
    bench.assert_exactly_once();
}

#[test]
fn words_put_into_the_servers_mouth_by_a_proxy_give_no_password_away() {
    for words in [
        &b"+OK POP3 server ready\r\n"[..],
        b"+OK ready\r\n+OK\r\n+OK\r\n+OK\r\n",
        b"\x16\x03\x03\x00\x02\x02\x28",
        b"\0\0\0\0\0\0\0\0",
    ] {
        let (bench, port) = bench(By::Tls);
        let answer: &'static [u8] = [OK, words].concat().leak();
        let proxy = Proxy::start(port, http(None, answer));
        let ended = through(&bench, &format!("http://127.0.0.1:{}", proxy.port), &[]);
        assert_eq!(ended.status, Some(69), "{}", ended.text());
        ended.says("no TLS connection");
        assert_eq!(bench.sim.commands(), [""; 0]);
    }
    // Before STLS the proxy can say anything, and forge the answer; TLS must still begin.
    let (bench, port) = bench(By::Stls);
    let proxy = Proxy::start(
        port,
        http(None, [OK, b"+OK\r\n+OK\r\n.\r\n+OK\r\n"].concat().leak()),
    );
    let ended = through(&bench, &format!("http://127.0.0.1:{}", proxy.port), &[]);
    assert!(
        matches!(ended.status, Some(69 | 75 | 76)),
        "{}",
        ended.text()
    );
    for verb in ["USER", "PASS", "AUTH"] {
        assert_eq!(bench.sim.commands_of(verb), [""; 0]);
    }
}

#[test]
fn a_hostile_proxy_costs_neither_memory_nor_time() {
    let endless = |octets: &'static [u8]| {
        move |client: &mut TcpStream| {
            // Ends when the client hangs up.
            while client.write_all(octets).is_ok() {}
            Ok((String::new(), false))
        }
    };
    let says = |octets: &'static [u8]| {
        move |client: &mut TcpStream| {
            let mut first = [0; 512];
            let _ = client.read(&mut first)?;
            client.write_all(octets)?;
            Ok((String::new(), false))
        }
    };
    let silent = |client: &mut TcpStream| {
        // Until the client hangs up.
        let _ = std::io::copy(client, &mut std::io::sink());
        Ok((String::new(), false))
    };
    let (bench, to) = bench(By::Tls);
    for (scheme, proxy, status, words) in [
        (
            "http",
            Proxy::start(to, endless(b"x")),
            76,
            "longer than 16384 bytes",
        ),
        (
            "http",
            Proxy::start(to, endless(b"HTTP/1.1 200 OK\r\nA: b\r\n")),
            76,
            "longer than",
        ),
        (
            "http",
            Proxy::start(to, endless(b"HTTP/1.1 100 Wait\r\n\r\n")),
            76,
            "longer than",
        ),
        (
            "http",
            Proxy::start(to, says(b"+OK POP3\r\n")),
            76,
            "it does not speak HTTP",
        ),
        (
            "http",
            Proxy::start(to, says(b"\x05\x00")),
            76,
            "it does not speak HTTP",
        ),
        (
            "http",
            Proxy::start(to, says(b"HTTP/1.1 200")),
            75,
            "it closed the connection",
        ),
        (
            "http",
            Proxy::start(to, says(b"HTTP/1.1 200 OK\r\n")),
            75,
            "it closed the connection",
        ),
        (
            "http",
            Proxy::start(to, says(b"")),
            75,
            "it closed the connection",
        ),
        (
            "http",
            Proxy::start(to, says(b"HTTP/1.1 403 \x1b[31mNo\x07 way\r\n\r\n")),
            69,
            "it did not connect: `403 \\u{1b}[31mNo\\u{7} way`",
        ),
        (
            "http",
            Proxy::start(to, says(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")),
            69,
            "502 Bad",
        ),
        (
            "http",
            Proxy::start(to, silent),
            75,
            "timed out after 1 s connecting",
        ),
        (
            "socks5",
            Proxy::start(to, endless(b"\x05\x00\x05\x01")),
            69,
            "general failure",
        ),
        (
            "socks5",
            Proxy::start(to, endless(b"x")),
            76,
            "it does not speak SOCKS 5",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"HTTP/1.1 400 Bad\r\n\r\n")),
            76,
            "SOCKS 5",
        ),
        ("socks5", Proxy::start(to, says(b"\x04\x00")), 76, "SOCKS 5"),
        ("socks5", Proxy::start(to, says(b"\x05\x02")), 76, "SOCKS 5"),
        (
            "socks5",
            Proxy::start(to, says(b"\x05\xff")),
            77,
            "it wants a user name",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"\x05")),
            75,
            "it closed the connection",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"\x05\x00\x05\x00\x00\x09")),
            76,
            "SOCKS 5",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"\x05\x00\x05\x00\x00\x03\xff")),
            75,
            "closed",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"\x05\x00\x05\x05\x00\x01")),
            69,
            "refused",
        ),
        (
            "socks5",
            Proxy::start(to, says(b"\x05\x00\x05\x63\x00\x01")),
            69,
            "failure 99",
        ),
        (
            "socks5",
            Proxy::start(to, silent),
            75,
            "timed out after 1 s connecting",
        ),
    ] {
        let url = format!("{scheme}://127.0.0.1:{}", proxy.port);
        let ended = through(&bench, &url, &["--timeout", "1s"]);
        // A reset instead of an end: some of its data was never read.
        let lost = ended.status == Some(75) && ended.err.contains("the connection to it was lost");
        assert!(
            ended.status == Some(status) || lost,
            "{words}: {}",
            ended.text()
        );
        assert!(
            ended.err.contains(words) || lost,
            "{words}: {}",
            ended.text()
        );
        assert_eq!(bench.sim.commands(), [""; 0]);
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let (bench, _) = bench(By::Tls);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let ended = through(&bench, &format!("socks5://127.0.0.1:{port}"), &[]);
    assert_eq!(ended.status, Some(69), "{}", ended.text());
    ended.says(&format!("the proxy 127.0.0.1:{port}: cannot connect to it"));
    let ended = through(&bench, "socks5://proxy.invalid", &["--timeout", "5s"]);
    assert!(matches!(ended.status, Some(69 | 75)), "{}", ended.text());
    ended.says("the proxy proxy.invalid:1080");
    assert_eq!(bench.sim.commands(), [""; 0], "it went around the proxy");
}

#[test]
fn a_unix_socket_leads_to_the_server() {
    for by in [By::Tls, By::Plain] {
        let (bench, port) = bench(by);
        let path = bench.path("pop3.sock");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client?;
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                let (mut up, mut back) = (client.try_clone()?, server.try_clone()?);
                thread::spawn(move || {
                    std::io::copy(&mut up, &mut back)?;
                    back.shutdown(std::net::Shutdown::Write)
                });
                std::io::copy(&mut server, &mut client)?;
                client.shutdown(std::net::Shutdown::Both)?;
            }
            Ok::<_, std::io::Error>(())
        });
        let ended = bench.fetch(&["-vv", "--socket", "pop3.sock"]).end();
        assert_eq!(ended.status, Some(0), "{}", ended.text());
        ended.says("pop3.sock");
        bench.assert_exactly_once();
        let ended = bench.fetch(&["--socket", "none.sock"]).gives(69);
        ended.says("none.sock");
        ended.says("hint: check that the server which owns the socket is running");
    }
}

#[test]
fn an_address_to_start_from_is_used() {
    let (bench, _) = bench(By::Tls);
    bench.fetch(&["--source-address", "127.0.0.9"]).gives(0);
    bench.assert_exactly_once();
    let ended = bench.fetch(&["--source-address", "192.0.2.1"]).gives(69);
    ended.says("hint: `source-address` must be an address of this computer");
    let ended = bench.fetch(&["--source-address", "::1"]).gives(69);
    ended.says("cannot connect");
}

#[test]
fn the_environments_proxies_are_not_used() {
    let (bench, _) = bench(By::Tls);
    let mut run = bench.fetch(&[]);
    for name in [
        "ALL_PROXY",
        "all_proxy",
        "http_proxy",
        "HTTPS_PROXY",
        "SOCKS_SERVER",
    ] {
        run = run.env(name, "socks5://127.0.0.1:1");
    }
    run.gives(0);
    bench.assert_exactly_once();
}
