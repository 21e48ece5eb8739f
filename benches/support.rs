//! The account that benchmarks are about.

use std::path::Path;

use popsync::Account;
use popsync::config::{Base, Config};

pub(crate) fn account(maildir: &Path) -> Account {
    let text = format!(
        "[accounts.bench]\n\
         server = \"pop3s://localhost\"\n\
         user = \"bench\"\n\
         leave-on-server = true\n\
         maildir = {maildir:?}\n"
    );
    let config = Config::parse("config.toml".as_ref(), text.as_bytes(), &Base::current());
    config.unwrap().accounts.swap_remove(0)
}
