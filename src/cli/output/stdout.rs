//! Standard output, written by a thread of its own.
//!
//! Events come from the thread that serves a socket. A pipe that nobody reads must not make it
//! miss the server.

use std::io::{self, BufWriter, Write};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};

/// Takes lines and writes them in order.
pub(super) struct Stdout(Mutex<Option<Writer>>);

struct Writer {
    sender: Sender<Item>,
    /// An error if the system allows no more threads: then nothing is written.
    thread: io::Result<JoinHandle<io::Result<()>>>,
}

enum Item {
    Line(String),
    /// Says that all lines before it are written.
    Mark(SyncSender<()>),
}

impl Stdout {
    pub(super) fn new(to: impl Write + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || write(BufWriter::new(to), &receiver));
        Self(Mutex::new(Some(Writer { sender, thread })))
    }

    /// Writes a line, in a moment.
    pub(super) fn write(&self, line: String) {
        if let Ok(guard) = self.0.lock()
            && let Some(writer) = &*guard
        {
            // Nobody receives after an error, which `finish` tells.
            let _ = writer.sender.send(Item::Line(line));
        }
    }

    /// Writes a line, and waits until it is there: for a screen from which bars are away meanwhile.
    pub(super) fn write_now(&self, line: String) {
        self.write(line);
        let (sender, written) = mpsc::sync_channel(1);
        if let Ok(guard) = self.0.lock()
            && let Some(writer) = &*guard
            && writer.sender.send(Item::Mark(sender)).is_ok()
        {
            // The mark is lost if the writer ends with an error.
            let _ = written.recv();
        }
    }

    /// Waits until all is written. That the reader has gone away is no error: it has seen what
    /// it wanted.
    pub(super) fn finish(&self) -> io::Result<()> {
        let Some(writer) = self.0.lock().ok().and_then(|mut guard| guard.take()) else {
            return Ok(());
        };
        drop(writer.sender);
        match writer.thread?.join() {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn write(mut to: impl Write, items: &Receiver<Item>) -> io::Result<()> {
    loop {
        let item = match items.try_recv() {
            Ok(item) => item,
            Err(TryRecvError::Disconnected) => return to.flush(),
            Err(TryRecvError::Empty) => {
                to.flush()?;
                match items.recv() {
                    Ok(item) => item,
                    Err(_) => return Ok(()),
                }
            }
        };
        match item {
            Item::Line(line) => {
                to.write_all(line.as_bytes())?;
                to.write_all(b"\n")?;
            }
            Item::Mark(sender) => {
                to.flush()?;
                // Nobody may wait any more.
                let _ = sender.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        for (kind, expected) in [
            (io::ErrorKind::BrokenPipe, None),
            (io::ErrorKind::StorageFull, Some(io::ErrorKind::StorageFull)),
        ] {
            let lines = Stdout::new(Broken(kind));
            lines.write("a".to_owned());
            lines.write("b".to_owned());
            assert_eq!(lines.finish().err().map(|error| error.kind()), expected);
            lines.write("after the end".to_owned());
        }
    }
}
