//! The keys of the server, the user and the login.

use crate::account::{AuthMethod, PasswordSource};
use crate::config::faults::Fault;
use crate::config::key::{Flag, Key, Section};
use crate::config::problem::Problem;
use crate::config::row::{Row, Set};
use crate::config::settings::Settings;

/// `server`.
pub(in crate::config) static SERVER: Key = Key {
    name: "server",
    value: "URL",
    example: "\"pop3s://mail.example.com\"",
    section: Section::Server,
    hint: Some("write `server = \"pop3s://mail.example.com\"`"),
    text: "
        Required.
        `pop3s://`*HOST* uses TLS from the first octet, on port 995.
        `pop3://`*HOST* uses STLS, on port 110;
        if the server does not offer STLS, popsync stops before it sends anything.
        Write another port as `pop3s://`*HOST*`:`*PORT*,
        an IPv6 address as `pop3s://[2001:db8::1]`, with its zone as `pop3s://[fe80::1%eth0]`.",
    ..Key::ACCOUNT
};

/// `user`.
pub(in crate::config) static USER: Key = Key {
    name: "user",
    value: "NAME",
    example: "\"anna@example.com\"",
    section: Section::Server,
    hint: Some("write `user = \"anna@example.com\"`"),
    text: "
        Required, here or in the URL: `pop3s://`*USER*`@`*HOST*.
        In the URL, write `%` as `%25` and `:` as `%3A`.
        `@` needs no escape: the last one ends the name.
        With USER the name is printable ASCII, without blanks at its ends and without two in a row,
        which servers read as one.
        With other logins it is UTF-8.",
    flag: Some(Flag {
        help: "User name, if the URL has none",
        ..Flag::SERVER
    }),
    ..Key::ACCOUNT
};

pub(super) static ROWS: &[Row<Settings>] = &[
    Row {
        key: &SERVER,
        set: Set::Text(|settings, text| {
            let url = text.value.parse();
            let url = url.map_err(|error| Fault::new(&text.origin, Problem::Server(error)))?;
            settings.server = Some(text.map(|_| url));
            Ok(())
        }),
    },
    Row {
        key: &USER,
        set: Set::Text(|settings, user| settings.set_user(user.map(str::to_owned))),
    },
    Row {
        key: &Key {
            name: "auth",
            value: "METHOD",
            example: "\"user\"",
            section: Section::Login,
            default: "`\"user\"`",
            text: AUTH_TEXT,
            flag: Some(Flag {
                help: "How to log in [default: user]",
                more: AUTH_HELP,
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Choice(&AUTH_METHODS, |settings, name| {
            settings.auth = Some(name.map(|name| AuthMethod::from_name(name).unwrap_or_default()));
        }),
    },
    Row {
        key: &Key {
            name: "password-command",
            value: "CMD",
            example: "\"pass show mail/work\"",
            section: Section::Password,
            text: "
                The password is the first line that this command prints.
                `sh -c` runs it, for at most 60 seconds.
                An account has one source of its password; see Passwords below.",
            secret: true,
            slot: Some("password"),
            flag: Some(Flag {
                help: "Command whose first line of output is the password",
                more: "
                    `sh -c` runs it, for at most 60 seconds. Without this flag and --password-file,
                    popsync takes the password from the keyring, a systemd credential or
                    $POPSYNC_PASSWORD, or asks for it on the terminal.",
                conflicts: &["password-file"],
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Shell(|settings, command| {
            settings.set_password(command.map(PasswordSource::Command))
        }),
    },
    Row {
        key: &Key {
            name: "password-file",
            value: "FILE",
            example: "\"~/.config/popsync/work.password\"",
            section: Section::Password,
            text: "
                The password is the first line of this file.
                The file must belong to you or to root, and nobody else may read it.",
            slot: Some("password"),
            flag: Some(Flag {
                help: "File whose first line is the password",
                more: "Only its owner may be able to read it.",
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Path(|settings, file| settings.set_password(file.map(PasswordSource::File))),
    },
    Row {
        key: &Key {
            name: "password-netrc",
            value: "FILE",
            example: "\"~/.netrc\"",
            section: Section::Password,
            text: "
                The password is in this file, which has the form of *.netrc*:
                `machine` *HOST* `login` *USER* `password` *PASSWORD*,
                or `default` in place of the machine.
                *HOST* is the host of `server`, and *USER* is optional.
                An entry with `port` applies to that port, or to `pop3` and `pop3s`.
                A password with blanks needs double quotes.
                The file must belong to you or to root, and nobody else may read it.",
            slot: Some("password"),
            flag: Some(Flag {
                help: "File in the form of .netrc that has the password",
                more: "
                    popsync uses the entry `machine HOST login USER password PASSWORD` of the server
                    and the user. Only its owner may be able to read the file.",
                conflicts: &["password-command", "password-file"],
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Path(|settings, file| settings.set_password(file.map(PasswordSource::Netrc))),
    },
    Row {
        key: &Key {
            name: "oauth-token-command",
            value: "CMD",
            example: "\"oama access anna@example.com\"",
            section: Section::Password,
            text: r#"
                The first line that this command prints is an access token,
                for `"xoauth2"`, `"oauthbearer"` and `"auto"`.
                It replaces `password-command`, and runs in the same way."#,
            secret: true,
            slot: Some("password"),
            flag: Some(Flag {
                help: "Command whose first line of output is an access token",
                more: "
                    For --auth xoauth2, oauthbearer and auto. It runs as --password-command does.",
                conflicts: &["password-command", "password-file"],
                ..Flag::SERVER
            }),
            ..Key::ACCOUNT
        },
        set: Set::Shell(|settings, command| {
            settings.set_password(command.map(PasswordSource::TokenCommand))
        }),
    },
];

/// The values of `auth`.
const AUTH_METHODS: [&str; AuthMethod::ALL.len()] = {
    let mut names = [""; AuthMethod::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = AuthMethod::ALL[index].name();
        index += 1;
    }
    names
};

const AUTH_HELP: &str = "
    user is USER and PASS. plain and login are mechanisms of AUTH that send the password itself,
    too. scram-sha-256 and scram-sha-1 do not reveal it, and the server must prove that it knows it;
    with -plus after the name they are tied to the TLS connection. cram-md5 and ntlm are for servers
    that have nothing better, gssapi for Kerberos, external for a client certificate. xoauth2 and
    oauthbearer use an access token instead of a password. apop sends a digest of the password, for
    old servers; it needs --profile rfc1939, since Outlook does not have it. auto takes the best
    that the server offers.";

const AUTH_TEXT: &str = r#"
    The way to log in.
    `"user"` is USER and PASS.

    `"plain"` and `"login"` are mechanisms of AUTH.
    They send the password itself, too, and it may have characters outside ASCII.

    `"scram-sha-256"` and `"scram-sha-1"` reveal the password to nobody,
    and the server must prove that it knows it: otherwise popsync stops.
    With `-plus` after the name the login is tied to the TLS connection as well.

    `"cram-md5"` and `"ntlm"` do not send the password either,
    but a listener can try guesses, and the server proves nothing.
    NTLM is version 2; the user may be written *DOMAIN*`\\`*USER*.

    `"gssapi"` is Kerberos, with the ticket from `kinit`(1).
    It loads the MIT Kerberos library of the system.

    `"xoauth2"` (Exchange Online, Gmail) and `"oauthbearer"`
    use an access token instead of a password.

    `"external"` uses the client certificate of `tls`, and nothing else.

    `"auto"` takes the best that the server offers:
    SCRAM, else PLAIN, USER and PASS, LOGIN, CRAM-MD5 or NTLM;
    with an access token OAUTHBEARER or XOAUTH2; without a password GSSAPI.
    Without TLS it takes SCRAM or GSSAPI or nothing,
    since anybody on the way could have shortened the server's list.
    It chooses once and does not try a second way; `-v` shows the choice and its reason.

    `"apop"` sends a digest of the password and of the server's greeting,
    for old servers that have nothing else.
    It needs `profile = "rfc1939"`, since Outlook does not have it.
    Its digest is MD5, which is broken: USER and PASS over TLS are safer."#;
