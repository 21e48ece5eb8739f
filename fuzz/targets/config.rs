//! Any configuration: no panic, and the same answer twice.

use std::path::Path;

use popsync::Failure;
use popsync::config::{Base, Config};

pub(crate) fn holds(content: &[u8]) {
    let base = Base {
        home: Some("/home/anna".into()),
        folder: "/home/anna/.config/popsync".into(),
    };
    let read = || Config::parse(Path::new("config.toml"), content, &base);
    match (read(), read()) {
        (Ok(config), Ok(again)) => assert_eq!(format!("{config:?}"), format!("{again:?}")),
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            // Names and lines of the file come as they are, and are escaped where they are shown.
            assert!(!error.to_string().is_empty());
            assert_eq!(error.snippet(), again.snippet());
            assert_eq!(error.hint(), again.hint());
        }
        _ => panic!("the same text is right once and wrong once"),
    }
}
