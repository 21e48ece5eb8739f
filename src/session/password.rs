//! The password, and the server before it: nobody types a password for a server that is not there,
//! or that cannot prove who it is.

use secrecy::SecretString;

use super::{Error, Session};
use crate::account::Account;
use crate::auth;
use crate::auth::source::Prompt;

/// Gets the account's password as [`auth::password`] does. Before a person is asked, a connection
/// is made and ended: a session that waited for a person would be closed meanwhile, which Exchange
/// does after a minute (`XPOP3:V0002`).
///
/// # Errors
/// Those of the password's source; those of the connection.
pub(crate) async fn password<E: From<auth::Error> + From<Error>>(
    account: &Account,
    prompt: &dyn Prompt,
) -> Result<SecretString, E> {
    let greeted = async || Ok(Session::greet(account).await?);
    auth::password(account, prompt, greeted).await
}
