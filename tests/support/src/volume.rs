//! Volumes with the manners of other file systems: FAT, a server behind SFTP or NFS, a quota.
//! Linux mounts them through FUSE, and a thread of the test plays them on a folder.

mod manners;
mod model;
mod serve;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;

use fuser::{Config, Session, SessionACL};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

pub use manners::{Answer, Manners, Request};
pub use rustix::io::Errno;

use crate::mounted::Mounted;
use model::{Hook, Model};

/// The descriptor of `/dev/fuse` in the keeper.
const DEVICE: i32 = 3;

/// The kernel takes only a device that was opened in the namespace of the mount, so the keeper opens
/// it. Root is the owner of everything.
const MOUNT: &str = "exec 3<>/dev/fuse && mount -i -t fuse \
     -o fd=3,rootmode=40000,user_id=0,group_id=0 volume \"$1\"";

/// A volume, mounted where only its keeper can see it.
pub struct Volume {
    /// The mount.
    pub mounted: Mounted,
    /// The folder that holds the files.
    pub folder: PathBuf,
    hook: Hook,
}

impl Volume {
    /// Mounts the files of `folder`, with these manners, at `path`.
    pub fn mount(path: PathBuf, folder: &Path, manners: Manners) -> Self {
        let mounted = Mounted::with(path, MOUNT, &[]);
        let device = device_of(&mounted).unwrap();
        let hook = Hook::default();
        let model = Model::new(folder, manners, hook.clone());
        let session = Session::from_fd(model, device, SessionACL::All, Config::default()).unwrap();
        // It ends with the mount.
        thread::spawn(move || session.run());
        Self {
            mounted,
            folder: folder.to_owned(),
            hook,
        }
    }

    /// Sets a hook that decides on each request that changes something.
    pub fn on_request(&self, hook: impl FnMut(&Request) -> Answer + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Removes the hook.
    pub fn no_hook(&self) {
        *self.hook.lock().unwrap() = None;
    }
}

/// The keeper's own descriptor of the device: another one would be another device.
fn device_of(mounted: &Mounted) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(mounted.keeper().cast_signed()).unwrap();
    let keeper = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(pidfd_getfd(keeper, DEVICE, PidfdGetfdFlags::empty())?)
}
