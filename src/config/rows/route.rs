//! The keys of the way to the server.

use crate::config::faults::Fault;
use crate::config::key::{Flag, Key, Section};
use crate::config::problem::Problem;
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &Key {
            name: "proxy",
            value: "URL",
            example: "\"socks5://127.0.0.1:1080\"",
            section: Section::Route,
            default: "none",
            text: r#"
                popsync reaches the server through this proxy:
                `socks5://`*HOST*, on port 1080, or `socks5://`*HOST*`:`*PORT* (SOCKS 5),
                or `http://`*HOST*`:`*PORT* (HTTP's CONNECT).
                The proxy gets the server's name and looks it up.
                Write a user as `socks5://`*USER*`@`*HOST*; it needs `proxy-password-file`.
                Nothing protects the user and the password on the way to the proxy: neither kind of
                proxy can do that.
                `"off"` cancels a proxy of `[defaults]`.
                popsync ignores the proxies in the environment."#,
            secret: true,
            flag: Some(Flag {
                help: "Use a proxy: socks5://[USER@]HOST[:PORT], or http",
                more: "
                    The proxy looks up the server's name. http://[USER@]HOST:PORT uses HTTP's
                    CONNECT. off means no proxy. The proxies in the environment are ignored.",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Text(|settings, text| {
            let url = match text.value {
                "off" => None,
                url => Some(
                    url.parse()
                        .map_err(|error| Fault::new(&text.origin, Problem::Proxy(error)))?,
                ),
            };
            settings.route.proxy = Some(text.map(|_| url));
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "proxy-password-file",
            value: "FILE",
            example: "\"~/.config/popsync/proxy.password\"",
            section: Section::Route,
            text: "
                The password for the proxy is the first line of this file, of at most 255 octets.
                Nobody else may be able to read the file.",
            flag: Some(Flag {
                help: "File whose first line is the password for the proxy",
                more: "Only its owner may be able to read it.",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Path(|settings, file| {
            settings.route.proxy_password_file = Some(file);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "socket",
            value: "PATH",
            example: "\"/run/pop3.sock\"",
            section: Section::Route,
            text: r#"
                popsync connects to this Unix socket.
                `server` still names the server, and decides how the connection is protected:
                here too, no password is sent in plain text without `tls = "off"`.
                Not together with `proxy` and `source-address`."#,
            flag: Some(Flag {
                help: "Connect to this Unix socket; the URL still names the server",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Path(|settings, socket| {
            settings.route.socket = Some(socket);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "source-address",
            value: "IP",
            example: "\"192.0.2.7\"",
            section: Section::Route,
            default: "as the system chooses",
            text: "
                popsync connects from this address of this computer,
                to those addresses of the server, or of the proxy, that are of the same kind.",
            flag: Some(Flag {
                help: "Connect from this address of this computer",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Text(|settings, text| {
            let address = text.value.parse();
            let address = address.map_err(|_| Fault::new(&text.origin, Problem::SourceAddress))?;
            settings.route.source_address = Some(text.map(|_| address));
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "timeout",
            value: "TIME",
            example: "\"60s\"",
            section: Section::Route,
            default: "`\"60s\"`",
            text: "
                The longest silence of the server, whatever it sent before.
                A server that sends a few bytes at a time gets hardly more time,
                and a session without any progress ends after thirty times this limit.
                A password file that is a pipe has this much time too.",
            flag: Some(Flag {
                help: "Longest single wait for the server [default: 60s]",
                more: "In seconds, or with a unit: s, m or h. From 1 s to 24 h.",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Time(|settings, time| settings.timeout = Some(time.value)),
    },
];
