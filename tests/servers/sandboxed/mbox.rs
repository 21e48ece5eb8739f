//! The common parts of servers with mbox files: a system user with a password and a mail file, and
//! delivery to it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; clippy.toml's exception is for test functions"
)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::alteration::Alteration;
use crate::server::USER;
use support::dovecot::PASSWORD;
use support::mail::Mail;

/// The part of `furnish` that creates the user and the mail file, which is in the folder `mail`.
pub(crate) fn furnish(service: &str) -> String {
    format!(
        "\
# Where systemd looks users up as well, it hides the password of this one.
printf 'passwd: files\\ngroup: files\\nshadow: files\\nhosts: files dns\\n' > /etc/nsswitch.conf
echo '{service}:x:64001:64001::/var/lib/{service}:/usr/sbin/nologin' >> /etc/passwd
echo '{service}:x:64001:' >> /etc/group
echo '{USER}:x:64002:8::/nonexistent:/bin/sh' >> /etc/passwd
password=$(perl -e 'print crypt(\"{PASSWORD}\", q($6$salt$))')
echo \"{USER}:$password:19000:0:99999:7:::\" >> /etc/shadow

mkdir $1/mail
chown 0:8 $1/mail
chmod 2775 $1/mail
mount --bind $1/mail /var/mail
touch /var/mail/{USER}
chown 64002:8 /var/mail/{USER}
chmod 660 /var/mail/{USER}
"
    )
}

/// Appends a message, as delivery agents do.
pub(crate) fn deliver(folder: &Path, mail: &Mail) {
    let path = folder.join("mail").join(USER);
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    let from = b"From sender@example.org Tue Nov 14 22:13:20 2023\n";
    let text = (DELIVERY.apply)(&mail.content);
    file.write_all(&[&from[..], &text, b"\n"].concat()).unwrap();
}

/// The changes to a message before the server sees it.
pub(crate) const DELIVERY: Alteration = Alteration {
    what: "delivery to an mbox file ends the last line, and quotes `From ` at the start of a line",
    always: true,
    apply: |octets| {
        let mut out = Vec::with_capacity(octets.len() + 64);
        for line in octets.split_inclusive(|&octet| octet == b'\n') {
            let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
            if line[quotes..].starts_with(b"From ") {
                out.push(b'>');
            }
            out.extend_from_slice(line);
        }
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        out
    },
};
