//! The servers that pipelined when this process last logged in there. For the next account of the same
//! server that saves the wait which the account's own record saves later.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::Server;

/// At most so many are remembered. An account at a server that is forgotten waits once more.
const MOST: usize = 64;

/// Those of this process, the one that was noted last at the end.
pub(super) static SERVERS: Servers = Servers(Mutex::new(Vec::new()));

pub(super) struct Servers(Mutex<Vec<Server>>);

impl Servers {
    /// True if the server pipelined at the last login.
    pub(super) fn contains(&self, server: &Server) -> bool {
        self.locked().contains(server)
    }

    /// Notes whether the server pipelines. One where a login failed does not, for all that is known.
    pub(super) fn note(&self, server: &Server, pipelines: bool) {
        let mut servers = self.locked();
        match servers.iter().position(|known| known == server) {
            Some(_) if pipelines => {}
            Some(place) => {
                servers.remove(place);
            }
            None if pipelines => {
                if servers.len() >= MOST {
                    servers.remove(0);
                }
                servers.push(server.clone());
            }
            None => {}
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Server>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Security;

    fn server(port: u16) -> Server {
        Server {
            host: "mail.example.com".to_owned(),
            port,
            security: Security::ImplicitTls,
        }
    }

    #[test]
    fn the_last_login_counts_and_not_all_servers_are_remembered() {
        let servers = Servers(Mutex::default());
        servers.note(&server(1), true);
        servers.note(&server(1), true);
        servers.note(&server(2), false);
        assert!(servers.contains(&server(1)) && !servers.contains(&server(2)));
        servers.note(&server(1), false);
        assert!(!servers.contains(&server(1)));
        for port in 1..=2 * 64 {
            servers.note(&server(port), true);
        }
        assert!(!servers.contains(&server(64)) && servers.contains(&server(65)));
        assert_eq!(servers.locked().len(), MOST);
    }
}
