//! The keys of the way to the server, and the route that they describe together.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::account::{Proxy, ProxyLogin, Route, Via};

use super::contradiction::Contradiction;
use super::faults::Fault;
use super::origin::Setting;
use super::proxy::ProxyUrl;

/// The keys of the way to the server, as far as they are set.
#[derive(Debug, Clone, Default)]
pub(super) struct RouteKeys {
    pub(super) proxy: Option<Setting<Option<ProxyUrl>>>,
    pub(super) proxy_password_file: Option<Setting<PathBuf>>,
    pub(super) socket: Option<Setting<PathBuf>>,
    pub(super) source_address: Option<Setting<IpAddr>>,
}

impl RouteKeys {
    /// The route that they describe.
    pub(super) fn route(self) -> Result<Route, Fault> {
        let source = self.source_address;
        let proxy = self.proxy.filter(|proxy| proxy.value.is_some());
        if let Some(socket) = self.socket {
            if proxy.is_some() || source.is_some() {
                return Err(Fault::new(&socket.origin, Contradiction::SocketAndRoute));
            }
            return Ok(Route {
                via: Via::Socket(socket.value),
                source: None,
            });
        }
        let source = source.map(|source| source.value);
        let Some(Setting {
            value: Some(url),
            origin,
        }) = proxy
        else {
            return Ok(Route {
                via: Via::Direct,
                source,
            });
        };
        let login = match (url.user, self.proxy_password_file) {
            (Some(user), Some(file)) => Some(ProxyLogin {
                user,
                password_file: file.value,
            }),
            (Some(_), None) => {
                return Err(Fault::new(&origin, Contradiction::ProxyUserWithoutPassword));
            }
            (None, Some(file)) => {
                return Err(Fault::new(
                    &file.origin,
                    Contradiction::ProxyPasswordWithoutUser,
                ));
            }
            (None, None) => None,
        };
        let proxy = Proxy {
            protocol: url.protocol,
            host: url.host,
            port: url.port,
            login,
        };
        Ok(Route {
            via: Via::Proxy(proxy),
            source,
        })
    }
}
