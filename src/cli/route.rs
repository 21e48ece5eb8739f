//! The flags that say how a server is reached.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::config::{Base, Fault, RouteKeys, proxy};

use super::fetch::{path, set};

/// How a server is reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Account options")]
pub(super) struct RouteFlags {
    // Not as doc comment: rustdoc would read the brackets as links.
    #[arg(
        long,
        value_name = "URL",
        value_hint = ValueHint::Url,
        help = "Go through a proxy: socks5://[USER@]HOST[:PORT], or http",
        long_help = "Go through a proxy: socks5://[USER@]HOST[:PORT], or http\n\n\
                     The proxy looks up the server's name. http://[USER@]HOST:PORT is HTTP's \
                     CONNECT. off is the same as leaving it out. The environment's proxies are \
                     not used."
    )]
    pub(super) proxy: Option<String>,

    /// File whose first line is the password for the proxy
    ///
    /// Nobody but its owner may be able to read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) proxy_password_file: Option<PathBuf>,

    /// Connect to this Unix socket; the URL still names the server
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) socket: Option<PathBuf>,

    /// Connect from this address of this computer
    #[arg(long, value_name = "IP")]
    pub(super) source_address: Option<String>,
}

impl RouteFlags {
    /// The flags by name, and whether each is given.
    pub(super) fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--proxy", self.proxy.is_some()),
            ("--proxy-password-file", self.proxy_password_file.is_some()),
            ("--socket", self.socket.is_some()),
            ("--source-address", self.source_address.is_some()),
        ]
    }

    /// What they say.
    pub(super) fn keys(&self, base: &Base) -> Result<RouteKeys, Fault> {
        let file = |flag, key, file: &Option<PathBuf>| {
            file.as_ref()
                .map(|file| path(flag, key, file, base))
                .transpose()
        };
        let url = self.proxy.as_deref();
        let source = self.source_address.as_deref();
        let password = &self.proxy_password_file;
        Ok(RouteKeys {
            proxy: url
                .map(|url| proxy::proxy(set("--proxy", url)))
                .transpose()?,
            proxy_password_file: file("--proxy-password-file", "proxy-password-file", password)?,
            socket: file("--socket", "socket", &self.socket)?,
            source_address: source
                .map(|address| proxy::source_address(set("--source-address", address)))
                .transpose()?,
        })
    }
}
