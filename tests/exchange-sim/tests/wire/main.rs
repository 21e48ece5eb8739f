//! The simulated server as a client sees it, and its engine fed by hand.

mod by_hand;
mod concurrency;
mod dialogue;
mod engine;
mod external;
mod knobs_connection;
mod knobs_form;
mod knobs_messages;
mod logins;
mod recorder;
mod support;
mod timers;
