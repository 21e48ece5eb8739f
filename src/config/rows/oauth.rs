//! `oauth`, and the keys of its table.

use crate::account::{Endpoint, PasswordSource};
use crate::config::faults::{Fault, Faults};
use crate::config::key::{Key, Section, Table};
use crate::config::oauth::{
    CLIENT_ID, ISSUER, OAuthKeys, PROVIDER, PROVIDER_HINT, SCOPE, TOKEN_ENDPOINT,
};
use crate::config::origin::Setting;
use crate::config::problem::Problem;
use crate::config::row::{Row, Rows, Set};
use crate::config::settings::Settings;

/// The keys of `oauth = { … }`.
pub(super) static OAUTH_ROWS: Rows<OAuthKeys> = Rows(&[KEYS]);

pub(super) static ROWS: &[Row<Settings>] = &[Row {
    key: &Key {
        name: "oauth",
        value: "TABLE",
        example: "{ provider = \"microsoft\", client-id = \"YOUR-ID\" }",
        section: Section::OAuth,
        hint: Some(PROVIDER_HINT),
        text: r#"
            Access tokens instead of a password; see OAUTH below.
            `auth` is then `"xoauth2"` by default, and may be `"oauthbearer"` or `"auto"`."#,
        slot: Some("password"),
        ..Key::ACCOUNT
    },
    set: Set::Table(Table::OAuth, |settings, given| {
        let (mut keys, mut faults) = (OAuthKeys::default(), Faults::default());
        let table = given.table("a table")?;
        OAUTH_ROWS.read(&mut keys, table, given, &mut faults);
        // A missing key may be one that could not be read.
        faults.into_result()?;
        let oauth = keys.settings(&given.origin())?;
        settings.set_password(given.setting(PasswordSource::OAuth(Box::new(oauth))))?;
        Ok(())
    }),
}];

static KEYS: &[Row<OAuthKeys>] = &[
    Row {
        key: &PROVIDER,
        set: Set::Choice(&["google", "microsoft"], |oauth, name| {
            oauth.provider = Some(name);
        }),
    },
    Row {
        key: &CLIENT_ID,
        set: Set::Text(|oauth, id| {
            oauth.client_id = Some(printable(&CLIENT_ID, id)?);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "client-secret-command",
            value: "CMD",
            example: "\"pass show popsync/google\"",
            inline: "provider = \"google\", client-id = \"YOUR-ID\", @",
            text: "This command prints the program's secret, if the provider wants one, as \
                   Google does.",
            secret: true,
            ..Key::OAUTH
        },
        set: Set::Shell(|oauth, command| {
            oauth.client_secret_command = Some(command.value);
            Ok(())
        }),
    },
    Row {
        key: &TENANT,
        set: Set::Text(|oauth, tenant| {
            let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            let letter = |c: char| c.is_ascii_alphanumeric();
            if !tenant.value.chars().all(part) || !tenant.value.contains(letter) {
                let expected = "the name or number of a tenant";
                return Err(not_text(&TENANT, &tenant, expected));
            }
            oauth.tenant = Some(tenant.map(str::to_owned));
            Ok(())
        }),
    },
    Row {
        key: &ISSUER,
        set: Set::Text(|oauth, url| {
            oauth.issuer = Some(endpoint(&ISSUER, url)?);
            Ok(())
        }),
    },
    Row {
        key: &AUTH_ENDPOINT,
        set: Set::Text(|oauth, url| {
            oauth.auth_endpoint = Some(endpoint(&AUTH_ENDPOINT, url)?);
            Ok(())
        }),
    },
    Row {
        key: &DEVICE_ENDPOINT,
        set: Set::Text(|oauth, url| {
            oauth.device_endpoint = Some(endpoint(&DEVICE_ENDPOINT, url)?);
            Ok(())
        }),
    },
    Row {
        key: &TOKEN_ENDPOINT,
        set: Set::Text(|oauth, url| {
            oauth.token_endpoint = Some(endpoint(&TOKEN_ENDPOINT, url)?);
            Ok(())
        }),
    },
    Row {
        key: &SCOPE,
        set: Set::Text(|oauth, scope| {
            oauth.scope = Some(printable(&SCOPE, scope)?.value);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "token-file",
            value: "FILE",
            example: "\"~/.local/share/popsync/work\"",
            inline: "provider = \"microsoft\", client-id = \"YOUR-ID\", @",
            text: "
                The file for the tokens; nobody else may read it.
                Without it they are in the keyring, and if there is none, popsync refuses.",
            ..Key::OAUTH
        },
        set: Set::Path(|oauth, file| {
            oauth.token_file = Some(file.value);
            Ok(())
        }),
    },
    Row {
        key: &Key {
            name: "ca-file",
            value: "FILE",
            example: "\"ca.pem\"",
            inline: "issuer = \"https://login.example.com\", client-id = \"YOUR-ID\", scope = \"pop\", @",
            text: "Trust the certificates in this PEM file instead of the built-in ones, for the \
                   provider.",
            ..Key::OAUTH
        },
        set: Set::Path(|oauth, file| {
            oauth.ca_file = Some(file.value);
            Ok(())
        }),
    },
];

static TENANT: Key = Key {
    name: "tenant",
    value: "NAME",
    example: "\"common\"",
    inline: "provider = \"microsoft\", client-id = \"YOUR-ID\", @",
    hint: Some(PROVIDER_HINT),
    default: "`\"common\"`",
    text: "For `microsoft`: `common`, `organizations`, `consumers`, or the tenant of your \
           company.",
    ..Key::OAUTH
};

static AUTH_ENDPOINT: Key = Key {
    name: "auth-endpoint",
    value: "URL",
    example: "\"https://login.example.com/auth\"",
    inline: ENDPOINTS,
    text: "The address at which you sign in through a browser, together with `token-endpoint`.",
    ..Key::OAUTH
};

static DEVICE_ENDPOINT: Key = Key {
    name: "device-endpoint",
    value: "URL",
    example: "\"https://login.example.com/device\"",
    inline: ENDPOINTS,
    text: "The address that gives codes for other devices, together with `token-endpoint`.",
    ..Key::OAUTH
};

const ENDPOINTS: &str = "token-endpoint = \"https://login.example.com/token\", @, \
                         client-id = \"YOUR-ID\", scope = \"pop\"";

fn endpoint(key: &'static Key, url: Setting<&str>) -> Result<Setting<Endpoint>, Fault> {
    match url.value.parse() {
        Ok(endpoint) => Ok(url.map(|_| endpoint)),
        Err(error) => Err(Fault::new(&url.origin, Problem::Endpoint { key, error })),
    }
}

/// Checks a text that goes into a form as it is.
fn printable(key: &'static Key, text: Setting<&str>) -> Result<Setting<String>, Fault> {
    let printable = |c: char| c == ' ' || c.is_ascii_graphic();
    if text.value.trim().is_empty() || !text.value.chars().all(printable) {
        return Err(not_text(key, &text, "printable ASCII"));
    }
    Ok(text.map(str::to_owned))
}

fn not_text(key: &'static Key, text: &Setting<&str>, expected: &'static str) -> Fault {
    let found = "a text";
    Fault::new(
        &text.origin,
        Problem::WrongType {
            key,
            expected,
            found,
        },
    )
}
