//! The keys of the file, and the values of some.

use crate::account::AuthMethod;

/// The keys of an account, in the order of the manual.
pub const ACCOUNT_KEYS: [&str; 33] = [
    "server",
    "user",
    "auth",
    "password-command",
    "password-file",
    "password-netrc",
    "oauth-token-command",
    "oauth",
    "maildir",
    "mbox",
    "exec",
    "exec-timeout",
    "profile",
    "leave-on-server",
    "remove-after-days",
    "headers-only-above",
    "header-stubs",
    "remove-when-deleted-locally",
    "max-deletions",
    "max-size",
    "max-messages",
    "max-octets",
    "sessions-per-run",
    "tls",
    "proxy",
    "proxy-password-file",
    "socket",
    "source-address",
    "timeout",
    "line-endings",
    "complain-after",
    "on-new-mail",
    "on-failure",
];

/// The keys at the top of the file.
pub const TOP_KEYS: [&str; 2] = ["defaults", "accounts"];

/// The keys of `tls = { … }`.
pub const TLS_KEYS: [&str; 7] = [
    "ca-file",
    "roots",
    "fingerprint",
    "client-cert",
    "client-key",
    "min-version",
    "server-name",
];

/// The keys of `oauth = { … }`.
pub const OAUTH_KEYS: [&str; 11] = [
    "provider",
    "client-id",
    "client-secret-command",
    "tenant",
    "issuer",
    "auth-endpoint",
    "device-endpoint",
    "token-endpoint",
    "scope",
    "token-file",
    "ca-file",
];

/// The values of `provider` in it.
pub(super) const OAUTH_PROVIDERS: [&str; 2] = ["google", "microsoft"];

/// The values of `auth`.
pub const AUTH_METHODS: [&str; AuthMethod::ALL.len()] = {
    let mut names = [""; AuthMethod::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = AuthMethod::ALL[index].name();
        index += 1;
    }
    names
};

/// The values of `line-endings`.
pub const LINE_ENDINGS: [&str; 2] = ["lf", "crlf"];
