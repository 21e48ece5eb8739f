//! The words of warnings.

use crate::account::StoreSettings;
use crate::policy::Brake;
use crate::store::Notice;
use crate::sync::{Obstacle, Warning, Worry};

/// A warning in one sentence, not yet safe for a terminal.
pub(super) fn words(warning: &Warning<'_>) -> String {
    match *warning {
        Warning::BehindQuit { error } => format!("behind the answer to QUIT, {error}"),
        Warning::Contradiction { contradiction } => {
            format!("the listing contradicts itself, so nothing is deleted: {contradiction}")
        }
        Warning::DeletionsHeld { messages, brakes } => held(messages, brakes),
        Warning::DeletionsRefused { refusal } => {
            format!("{refusal}; what is still there is deleted next time")
        }
        Warning::DigestsUnrecorded { messages, error } => {
            format!("the digests of {messages} messages are not recorded: {error}")
        }
        Warning::ImportedInVain { messages } => format!(
            "none of the {messages} messages taken over by `popsync import` is on the server: was \
             that the list of another mailbox?"
        ),
        Warning::LeftoverStays { error } => {
            format!("a file that a whole message has replaced is left: {error}")
        }
        Warning::ListingChanged { messages } => format!(
            "STAT or UIDL lists other messages than at the beginning of the session, so nothing is \
             deleted on the server now, where {messages} messages were to be"
        ),
        Warning::LocalDeletionsUnknown { worry } => {
            let why = match worry {
                Worry::Doubtful(doubt) => doubt.to_string(),
                Worry::Unreadable(error) => format!("the store cannot be read: {error}"),
            };
            format!("nothing is deleted on the server for being deleted here: {why}")
        }
        Warning::MessagesMissing {
            messages,
            stored,
            store,
        } => format!(
            "{messages} of {stored} messages are not in `{store}` any more: `popsync verify` names \
             them, with --repair it gets again what the server has, with --accept-deletions it \
             takes them as deleted by you"
        ),
        Warning::MissingUncounted { error } => {
            format!("it is not known whether messages are missing: {error}")
        }
        Warning::NoFurtherSession { error } => {
            format!("the server takes no further session now: {error}")
        }
        Warning::NoneInStore { messages, store } => format!(
            "none of {messages} messages on the server is in `{store}`, as far as their headers tell"
        ),
        Warning::NoUniqueIds => "the server has no unique-ids (UIDL): messages are told apart by \
                                 their headers, and none is deleted there"
            .to_owned(),
        Warning::OneSession { obstacle } => {
            let why = match obstacle {
                Obstacle::Session(error) => error.to_string(),
                Obstacle::OtherListing => "it lists other messages there".to_owned(),
            };
            format!("the server takes no second connection to this mailbox: {why}")
        }
        Warning::Renamed { known, unknown } => format!(
            "the server has renamed its messages: {known} of {unknown} unknown ones are known by \
             their headers"
        ),
        Warning::StoreCut { messages, store } => format!(
            "`{store}` ends in the middle of a message: what was stored in it and is missing, \
             {messages} messages, is not deleted on the server"
        ),
        Warning::StoreMended { notice, store } => mended(notice, store),
        Warning::VerificationUnrecorded { error } => {
            format!("this verification is not recorded: {error}")
        }
        Warning::WithoutHeader { messages } => format!(
            "the server gives no header (TOP) of {messages} large messages: they stay there, and \
             are retrieved whole once `popsync mark` asks for them"
        ),
        Warning::WithoutSize { messages } => format!(
            "the server gives no sizes of {messages} messages, so that headers-only-above holds \
             none of them back"
        ),
        Warning::WithoutUniqueId { messages } => format!(
            "messages to which the server gives no unique-id: {messages}; they cannot be told \
             apart, and stay where they are"
        ),
    }
}

fn held(messages: u64, brakes: &[Brake]) -> String {
    let reasons: Vec<String> = brakes.iter().map(ToString::to_string).collect();
    let way_out = match brakes.iter().all(|brake| brake.is_releasable()) {
        true => "; if that is meant, run it once with --allow-mass-delete",
        false => "",
    };
    format!(
        "nothing is deleted on the server, where {messages} messages are due for removal: \
         {}{way_out}",
        reasons.join("; ")
    )
}

fn mended(notice: &Notice, store: &StoreSettings) -> String {
    match notice {
        Notice::MadeAnew => format!(
            "`{store}` was not there any more, and is begun anew; what it held is not retrieved \
                 again"
        ),
        Notice::PartStays { at } => format!(
            "`{store}` holds a part of a message at octet {at}, which an interrupted run left: \
                 another program has written behind it, so it stays; the message is stored anew"
        ),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manual_names_every_kind() {
        let source = include_str!("../../sync/warning.rs");
        let kinds: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim().split_once("=> \"")?.1.strip_suffix("\","))
            .collect();
        assert!(kinds.len() >= 20, "{kinds:?}");
        let manual = include_str!("../../../man/parts/popsync.roff").replace('\\', "");
        for kind in kinds {
            assert!(manual.contains(&format!("fB{kind}fR")), "{kind}");
        }
    }
}
