//! Names that other programs give to settings that popsync names otherwise or has elsewhere.

/// True if a password would be the value of this key, or would stand in this column.
pub(super) fn is_password(name: &str) -> bool {
    ["password", "passwd", "pass"].contains(&name)
}

/// Where the setting of this foreign name is.
pub(super) fn home(key: &str) -> Option<&'static str> {
    let key = key.to_lowercase().replace('_', "-");
    let home = match key.as_str() {
        "host" | "hostname" | "port" | "protocol" | "ssl" | "use-ssl" | "starttls" | "stls" => {
            "the server is one URL: `server = \"pop3s://mail.example.com:995\"`, or `pop3://` for STLS"
        }
        "every" | "interval" | "daemon" | "poll" | "schedule" => {
            "a timer runs the syncs: `popsync schedule --every 15m --install`"
        }
        "keep" | "nokeep" | "delete" | "delete-after" | "fetchall" => {
            "`leave-on-server = false` deletes mail once it is stored, and `remove-after-days = 14` \
             later"
        }
        "folder" | "path" | "destination" | "delivery" | "mailbox" | "mda" => {
            "messages go into a `maildir`, an `mbox`, or to a program with `exec`"
        }
        _ => return None,
    };
    Some(home)
}
