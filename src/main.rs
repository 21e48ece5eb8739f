//! popsync keeps a local Maildir an exact, durable copy of a POP3 mailbox.

use std::process::ExitCode;

fn main() -> ExitCode {
    popsync::main()
}
