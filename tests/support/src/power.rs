//! A model of a power cut: the changes that runs make below a folder are recorded in order, and
//! then a disk is made as it may be after a cut behind any of them.
//!
//! What a sync covers is there. Of everything else the model keeps or drops each name and each
//! block on its own, as [`Loss`] says. It knows no more about the medium: a disk that says it has
//! synced has done so, and no block that is not written to decays.
//!
//! Assumptions, from weak to strong:
//!
//! - strict POSIX ([`Loss::Anything`], [`Loss::Halves`]): a sync of a file covers its content and its size, a sync
//!   of a folder its names, and nothing else is in any order. With [`Loss::Halves`] not even a
//!   rename is whole: the new name may come without the old one's end.
//! - btrfs: as strict POSIX, but a rename is whole ([`Loss::Anything`]).
//! - ext4 (`data=ordered`) and XFS ([`Loss::InOrder`]): names come in the order of the journal, and a
//!   sync of anything commits all names before it. Content that was not synced may be missing.
//!
//! Memory that SQLite maps (`-shm`) is not recorded: SQLite makes it anew after a crash.

mod disk;
mod record;

pub use disk::{Disk, Loss};
pub use record::{Change, Inode, Journal};
