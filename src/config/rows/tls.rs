//! `tls`, and the keys of its table.

use rustls::pki_types::ServerName;

use crate::account::{Roots, TlsVersion};
use crate::config::contradiction::Contradiction;
use crate::config::faults::{Fault, Faults};
use crate::config::given::Given;
use crate::config::key::{Flag, Key, Section, Table};
use crate::config::problem::Problem;
use crate::config::row::{Row, Rows, Set};
use crate::config::settings::{Settings, Tls};
use crate::config::tls::TlsKeys;

/// The keys of `tls = { … }`.
pub(in crate::config) static TLS_ROWS: Rows<TlsKeys> = Rows(&[KEYS]);

pub(super) static ROWS: &[Row<Settings>] = &[Row {
    key: &Key {
        name: "tls",
        value: "off",
        example: "{ ca-file = \"/etc/ssl/our-ca.pem\" }",
        section: Section::Tls,
        hint: Some(
            "leave it out for TLS as it is everywhere, or write for example \
             `tls = { ca-file = \"/etc/ssl/our-ca.pem\" }`; `tls = \"off\"` allows plain text",
        ),
        text: r#"
            The certificates to trust, and the certificate to show; see TLS below.
            The `tls` of an account replaces all of the `tls` of `[defaults]`.

            `"off"` allows plain text, with `pop3://` only.
            Then everybody on the way can read the password and all mail."#,
        flag: Some(Flag {
            help: "off: allow plain text, with pop3:// only",
            more: "Then everybody on the way can read the password and all mail.",
            ..Flag::SERVER
        }),
        ..Key::ACCOUNT
    },
    set: Set::Table(Table::Tls, |settings, given| {
        let tls = match given.text() {
            Ok(text) if text.value == "off" => Tls::Off,
            Ok(text) => {
                let value = text.value.to_owned();
                return Err(given.fault(Problem::Tls { value }).into());
            }
            Err(_) => Tls::On(read(given)?),
        };
        settings.tls = Some(given.setting(tls));
        Ok(())
    }),
}];

/// Reads the table.
fn read(given: &Given<'_>) -> Result<crate::account::TlsSettings, Faults> {
    let table = given.table("`\"off\"` or a table")?;
    let (mut keys, mut faults) = (TlsKeys::default(), Faults::default());
    let unread = TLS_ROWS.read(&mut keys, table, given, &mut faults);
    // A certificate that cannot be read is not missing as well.
    let certificate = |name: &&str| {
        let meant = TLS_ROWS.meant(name);
        meant.is_some_and(|row| row.key.name == "client-cert")
    };
    let certificate_is_unread = keys.client_cert.is_none() && unread.iter().any(certificate);
    let settings = keys.settings().map_err(|found| {
        found.without(|fault| {
            let contradiction = Contradiction::KeyWithoutCertificate.into();
            certificate_is_unread && *fault.problem == contradiction
        })
    });
    let settings = faults.keep(settings);
    faults.into_result()?;
    Ok(settings.unwrap_or_default())
}

static KEYS: &[Row<TlsKeys>] = &[
    Row {
        key: &Key {
            name: "ca-file",
            value: "FILE",
            example: "\"/etc/ssl/our-ca.pem\"",
            text: "Trust only the authorities in this PEM file.",
            flag: Some(Flag {
                help: "Trust these certificates (PEM) instead of the built-in roots",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Path(|tls, file| {
            tls.ca_file = Some(file);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "roots",
            value: "NAME",
            example: "\"system\"",
            default: "`\"webpki\"`, unless `fingerprint` is set",
            text: r#"
                The authorities to trust.
                `"webpki"` are the built-in ones (Mozilla's).
                `"system"` are those of the system:
                on Debian */etc/ssl/certs*, or the files that `SSL_CERT_FILE` and `SSL_CERT_DIR`
                name.
                Not together with `ca-file`."#,
            flag: Some(Flag {
                help: "Trust the built-in roots (webpki) or the system's [default: webpki]",
                more: "
                    The roots of the system are those that its administrator trusts: on Debian
                    /etc/ssl/certs, or those in $SSL_CERT_FILE and $SSL_CERT_DIR.",
                conflicts: &["ca-file"],
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Choice(&Roots::NAMES, |tls, name| {
            tls.roots = Some(name.map(|name| match name {
                "system" => Roots::System,
                _ => Roots::Webpki,
            }));
        }),
    },
    Row {
        key: &Key {
            name: "fingerprint",
            value: "SHA256",
            example: "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
            hint: Some("write `tls = { fingerprint = \"sha256:…\" }`"),
            text: r#"
                The SHA-256 of the server's certificate (`"sha256:..."`), as `popsync probe`
                and `openssl x509 -fingerprint -sha256` show it,
                or of its public key (`"spki-sha256:..."`),
                which may stay the same when the certificate is renewed.
                It has 64 hexadecimal digits, with or without colons.
                Alone it replaces the authorities:
                popsync then ignores the issuer, the name and the dates of the certificate.
                So the fingerprint lets you trust an expired certificate, one of X.509 version 1,
                or one with an RSA key of 1024 bits, which old devices have and which popsync
                otherwise refuses.
                With `ca-file` or `roots`, the certificate must be valid as well."#,
            flag: Some(Flag {
                help: "Accept only the server whose certificate or key has this SHA-256",
                more: "
                    sha256: and 64 digits for the certificate, as `popsync probe` shows them, or
                    spki-sha256: for its public key. Without --ca-file and --roots nothing else in
                    the certificate is checked; with one of them it must be valid as well.",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Text(|tls, text| {
            let fingerprint = text.value.parse();
            let fingerprint = fingerprint
                .map_err(|error| Fault::new(&text.origin, Problem::Fingerprint(error)))?;
            tls.fingerprint = Some(text.map(|_| fingerprint));
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "client-cert",
            value: "FILE",
            example: "\"anna.pem\"",
            text: "
                Your own certificate (PEM), for a server that asks for one.
                It is the first in its file; those between it and its authority follow.",
            flag: Some(Flag {
                help: "Certificate (PEM) to show to a server that asks for one",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Path(|tls, file| {
            tls.client_cert = Some(file);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "client-key",
            value: "FILE",
            example: "\"anna.key\"",
            inline: "client-cert = \"anna.pem\", @",
            text: "
                The key (PEM) of `client-cert`.
                Without it the key must be in the file of the certificate.
                The key must not be encrypted, and nobody else may read it.",
            flag: Some(Flag {
                help: "Its key (PEM), if it is in another file",
                more: "Only its owner may be able to read it. It must not be encrypted.",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Path(|tls, file| {
            tls.client_key = Some(file);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "min-version",
            value: "VERSION",
            example: "\"1.3\"",
            default: "`\"1.2\"`",
            text: "
                The oldest version of TLS to accept.
                TLS 1.1 and older versions are broken, and popsync does not have them.",
            flag: Some(Flag {
                help: "Oldest version of TLS to accept: 1.2 or 1.3 [default: 1.2]",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Choice(&TlsVersion::NAMES, |tls, name| {
            let version = |name| TlsVersion::from_name(name).unwrap_or_default();
            tls.min_version = Some(name.map(version));
        }),
    },
    Row {
        key: &Key {
            name: "server-name",
            value: "HOST",
            example: "\"mail.example.com\"",
            default: "the host of `server`",
            text: "The name that the certificate must be for, and that popsync asks the server \
                   for (SNI).",
            flag: Some(Flag {
                help: "Name in the server's certificate, if it is not the one in the URL",
                ..Flag::SERVER
            }),
            ..Key::TLS
        },
        set: Set::Text(|tls, name| {
            ServerName::try_from(name.value)
                .map_err(|_| Fault::new(&name.origin, Problem::ServerName))?;
            tls.server_name = Some(name.map(str::to_owned));
            Ok(())
        }),
    },
];
