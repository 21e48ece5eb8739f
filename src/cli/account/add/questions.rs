//! The questions of `popsync account add`: the server, the Maildir. After an unusable answer the
//! question is repeated with the reason.

use std::path::Path;

use toml::Value;

use super::{ATTEMPTS, Adding, Error, path};
use crate::account::Account;
use crate::auth::source::Prompt;
use crate::config::{Base, ServerUrl};
use crate::find::{self, Address, Found, Places, Source};

impl Adding<'_> {
    /// The server: given, known, found, or asked for.
    pub(super) async fn found(&self, address: &Address) -> Result<Found, Error> {
        let named = |server: &str| Found {
            server: Some(server.to_owned()),
            user: address.to_string(),
            note: None,
            oauth: None,
            source: Source::User,
        };
        if let Some(server) = &self.arguments.server {
            return Ok(named(server));
        }
        let domain = address.domain();
        match find::known(address) {
            Some(Found {
                server: None, note, ..
            }) => {
                return Err(Error::NoPop3 {
                    domain: domain.to_owned(),
                    note: note.unwrap_or_default(),
                });
            }
            Some(found) => return Ok(found),
            None => {}
        }
        if self.terminal.is_there() {
            self.output
                .note(&format!("looking for the POP3 server of {domain} …"));
        }
        for found in find::search(address, &Places::of(address)).await {
            if self.agreed(&found)? {
                return Ok(found);
            }
        }
        let usual = format!("pop3s://pop.{domain}");
        let question = format!("POP3 server of {domain} [{usual}]: ");
        let server = self.checked(&question, |answer| {
            let url = match answer {
                "" => usual.clone(),
                url if url.contains("://") => url.to_owned(),
                host => format!("pop3s://{host}"),
            };
            match url.parse::<ServerUrl>() {
                Ok(_) => Ok(url),
                Err(error) => Err(error.to_string()),
            }
        })?;
        match server {
            Some(server) => Ok(named(&server)),
            None => Err(Error::NoServer {
                domain: domain.to_owned(),
            }),
        }
    }

    /// True if a found server is to be used. Without a terminal it is, unless a person must confirm
    /// it (RFC 6186 §6).
    fn agreed(&self, found: &Found) -> Result<bool, Error> {
        let server = found.server.as_deref().unwrap_or_default();
        let (user, source) = (&found.user, found.source);
        let question = format!("{server}, user {user}, says {source}. Use it? [Y/n] ");
        let answer = self.ask(&question)?.map(|answer| answer.to_lowercase());
        match (answer.as_deref(), source) {
            (Some(answer), _) => Ok(["", "y", "yes"].contains(&answer)),
            (None, Source::Srv { same_domain: false }) => Err(Error::OtherDomain {
                server: server.to_owned(),
            }),
            (None, _) => {
                self.output
                    .note(&format!("{server}, user {user}, says {source}"));
                Ok(true)
            }
        }
    }

    /// The Maildir: that of the flag, or the answer.
    pub(super) fn maildir(&self, name: &str, others: &[Account]) -> Result<Value, Error> {
        let nested = |folder: &Path| nested(folder, others).map(Error::Nested);
        if let Some(folder) = &self.arguments.maildir {
            let written = path("--maildir", "maildir", folder)?;
            return nested(folder).map_or(Ok(written), Err);
        }
        let usual = format!("~/Mail/{}", name.replace('/', "_"));
        let question = format!("Maildir [{usual}]: ");
        let answer = self.checked(&question, |answer| {
            let folder = match answer {
                "" => usual.as_str(),
                answer => answer,
            };
            let refused = self::nested(Path::new(folder), others);
            refused.map_or_else(|| Ok(folder.to_owned()), Err)
        })?;
        let folder = answer.unwrap_or(usual);
        let written = path("--maildir", "maildir", Path::new(&folder))?;
        nested(Path::new(&folder)).map_or(Ok(written), Err)
    }

    /// An answer that `check` accepts. None if nobody is there to ask.
    ///
    /// # Errors
    /// If the terminal fails, or no answer is accepted.
    fn checked(
        &self,
        question: &str,
        check: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Option<String>, Error> {
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            let Some(answer) = self.ask(question)? else {
                return Ok(None);
            };
            match check(&answer) {
                Ok(answer) => return Ok(Some(answer)),
                Err(refused) => {
                    self.output.problem(None, &refused);
                    reason = refused;
                }
            }
        }
        Err(Error::Answers(reason))
    }

    /// Asks on the terminal. None if there is no terminal.
    pub(super) fn ask(&self, question: &str) -> Result<Option<String>, Error> {
        self.terminal.question(question).map_err(Error::Terminal)
    }
}

/// The reason why a folder cannot hold a separate Maildir: it is inside the Maildir of an account,
/// or inside one on disk. A folder of Maildir++, whose name begins with a dot, is allowed.
fn nested(folder: &Path, others: &[Account]) -> Option<String> {
    let folder = Base::current().expand(folder).ok()?;
    let outer = folder.ancestors().skip(1).zip(folder.ancestors());
    for (outer, inner) in outer {
        let name = inner.file_name().unwrap_or_default();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let owner = others
            .iter()
            .find(|account| account.store.maildir() == Some(outer));
        if let Some(owner) = owner {
            let (folder, name) = (folder.display(), &owner.name);
            return Some(format!("{folder} lies in the Maildir of `{name}`"));
        }
        if ["cur", "new", "tmp"]
            .iter()
            .all(|part| outer.join(part).is_dir())
        {
            let (folder, outer) = (folder.display(), outer.display());
            return Some(format!("{folder} lies in the Maildir {outer}"));
        }
    }
    None
}
