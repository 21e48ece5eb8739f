//! The system calls of a run that change something below a folder. They are counted over all
//! threads, and one of them, or all from there on, can be made to fail; or they are recorded, for
//! [`crate::power`].
//!
//! This uses ptrace, on Linux on x86-64. `strace --inject` counts each thread by itself, so it
//! cannot name the same call twice.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use nix::errno::Errno;
pub(crate) use nix::libc::{self, c_long, user_regs_struct};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
pub(crate) use nix::unistd::Pid;

/// A fault that happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before it.
    Kill,
    /// It fails with this error.
    Fails(Errno),
    /// It fails with this error, and so do all later ones.
    AllFail(Errno),
    /// Only half of the data is written.
    Short,
}

/// A call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number in the kernel's table.
    number: c_long,
    /// The file that it changes, or that is below the folder of the two that it names.
    pub path: PathBuf,
}

impl Call {
    /// True if it can end with this fault: only a write is short, and calls that only change names are not
    /// interrupted.
    pub fn can(&self, fault: Fault) -> bool {
        let writes = [libc::SYS_write, libc::SYS_pwrite64].contains(&self.number);
        let waits = [
            libc::SYS_openat,
            libc::SYS_fsync,
            libc::SYS_fdatasync,
            libc::SYS_ftruncate,
        ];
        match fault {
            Fault::Short => writes,
            Fault::Fails(Errno::EINTR) => writes || waits.contains(&self.number),
            Fault::Kill | Fault::Fails(_) | Fault::AllFail(_) => true,
        }
    }
}

/// The script as whose `"$@"` a program is started so that it can be seized before its first call.
pub const STOPPED: &str = "kill -STOP $$; exec \"$@\"";

/// Follows the child `pid` of this thread, which was started with [`STOPPED`], to its end. Returns
/// the calls that change something below `folder`, and the status from `waitpid`.
pub fn follow(pid: i32, folder: &Path, fault: Option<(usize, Fault)>) -> (Vec<Call>, WaitStatus) {
    let mut faults = Faults {
        process: Pid::from_raw(pid),
        folder,
        fault,
        calls: Vec::new(),
        failing: HashMap::new(),
    };
    let status = watch(pid, &mut faults);
    (faults.calls, status)
}

/// Sees the calls of a program, of all threads.
pub(crate) trait Watcher {
    /// A thread is about to enter a call.
    fn begins(&mut self, thread: Pid, registers: &user_regs_struct);

    /// The call of this thread has ended with this result, and the thread waits to go on.
    fn ended(&mut self, thread: Pid, result: i64);
}

/// Shows the calls of the child `pid` of this thread, which was started with [`STOPPED`], to this
/// watcher until it ends. Returns the status from `waitpid`.
pub(crate) fn watch(pid: i32, watcher: &mut dyn Watcher) -> WaitStatus {
    let pid = Pid::from_raw(pid);
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).unwrap();
    kill(pid, Signal::SIGCONT).unwrap();
    let tracer = Tracer {
        process: pid,
        watcher,
        has_begun: false,
    };
    tracer.run()
}

struct Tracer<'a> {
    process: Pid,
    watcher: &'a mut dyn Watcher,
    /// The shell has become the program.
    has_begun: bool,
}

impl Tracer<'_> {
    fn run(mut self) -> WaitStatus {
        // Only this thread's children; other tests have their own.
        let own = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            let status = match waitpid(Pid::from_raw(-1), Some(own)) {
                Err(Errno::EINTR) => continue,
                status => status.unwrap(),
            };
            let (thread, signal) = match status {
                WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, ..) => {
                    if thread == self.process {
                        return status;
                    }
                    continue;
                }
                WaitStatus::PtraceSyscall(thread) => {
                    self.at_call(thread);
                    (thread, None)
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    self.has_begun |= event == libc::PTRACE_EVENT_EXEC;
                    (thread, None)
                }
                WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
                WaitStatus::Continued(_) | WaitStatus::StillAlive => continue,
            };
            // It may have been killed meanwhile.
            let _ = ptrace::syscall(thread, signal);
        }
    }

    /// At the beginning or the end of a call.
    fn at_call(&mut self, thread: Pid) {
        let Ok(info) = ptrace::syscall_info(thread) else {
            return;
        };
        let Ok(registers) = ptrace::getregs(thread) else {
            return;
        };
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY if self.has_begun => {
                self.watcher.begins(thread, &registers);
            }
            libc::PTRACE_SYSCALL_INFO_EXIT => {
                self.watcher.ended(thread, registers.rax.cast_signed());
            }
            _ => {}
        }
    }
}

/// Counts the calls that change something, and makes one fail.
struct Faults<'a> {
    process: Pid,
    folder: &'a Path,
    fault: Option<(usize, Fault)>,
    calls: Vec<Call>,
    /// Threads in a call that the kernel skips, and the error that it returns.
    failing: HashMap<Pid, Errno>,
}

impl Watcher for Faults<'_> {
    fn begins(&mut self, thread: Pid, registers: &user_regs_struct) {
        let Some(path) = changed(thread, registers, self.folder) else {
            return;
        };
        let number = registers.orig_rax.cast_signed();
        let call = Call { number, path };
        let place = self.calls.len();
        let is_possible = |fault: Fault| call.can(fault);
        match self.fault {
            Some((at, fault)) if at == place && is_possible(fault) => match fault {
                // The whole process, whichever thread this is.
                Fault::Kill => kill(self.process, Signal::SIGKILL).unwrap(),
                Fault::Fails(errno) | Fault::AllFail(errno) => self.fail(thread, errno),
                Fault::Short => change(thread, |registers| {
                    registers.rdx = registers.rdx.div_ceil(2);
                }),
            },
            Some((at, Fault::AllFail(errno))) if at < place => self.fail(thread, errno),
            _ => {}
        }
        self.calls.push(call);
    }

    fn ended(&mut self, thread: Pid, _: i64) {
        if let Some(errno) = self.failing.remove(&thread) {
            change(thread, |registers| {
                registers.rax = -i64::from(errno as i32) as u64;
            });
        }
    }
}

impl Faults<'_> {
    /// Makes the kernel skip the call, and return this error.
    fn fail(&mut self, thread: Pid, errno: Errno) {
        change(thread, |registers| registers.orig_rax = u64::MAX);
        self.failing.insert(thread, errno);
    }
}

/// Changes a thread's registers, unless it was killed meanwhile.
fn change(thread: Pid, change: impl FnOnce(&mut user_regs_struct)) {
    if let Ok(mut registers) = ptrace::getregs(thread) {
        change(&mut registers);
        let _ = ptrace::setregs(thread, registers);
    }
}

/// The file below the folder that a call changes, if any.
fn changed(thread: Pid, registers: &user_regs_struct, folder: &Path) -> Option<PathBuf> {
    let user_regs_struct {
        rdi, rsi, rdx, r10, ..
    } = *registers;
    let here = libc::AT_FDCWD as u64;
    let named = |folder: u64, path: u64| named(thread, folder, path);
    let paths = match registers.orig_rax.cast_signed() {
        libc::SYS_write
        | libc::SYS_pwrite64
        | libc::SYS_writev
        | libc::SYS_pwritev
        | libc::SYS_ftruncate
        | libc::SYS_fallocate
        | libc::SYS_fsync
        | libc::SYS_fdatasync
        | libc::SYS_syncfs
        | libc::SYS_sync_file_range
        | libc::SYS_sendfile
        | libc::SYS_fchmod => [open(thread, rdi), None],
        libc::SYS_copy_file_range => [open(thread, rdx), None],
        libc::SYS_openat if creates(rdx) => [named(rdi, rsi), None],
        libc::SYS_open if creates(rsi) => [named(here, rdi), None],
        libc::SYS_mkdir
        | libc::SYS_rmdir
        | libc::SYS_unlink
        | libc::SYS_creat
        | libc::SYS_chmod => [named(here, rdi), None],
        libc::SYS_mkdirat | libc::SYS_unlinkat | libc::SYS_utimensat | libc::SYS_fchmodat => {
            [named(rdi, rsi), None]
        }
        libc::SYS_symlink => [named(here, rsi), None],
        libc::SYS_symlinkat => [named(rsi, rdx), None],
        libc::SYS_rename | libc::SYS_link => [named(here, rdi), named(here, rsi)],
        libc::SYS_renameat | libc::SYS_renameat2 | libc::SYS_linkat => {
            [named(rdi, rsi), named(rdx, r10)]
        }
        _ => return None,
    };
    let mut paths = paths.into_iter().flatten();
    paths.find(|path| path.starts_with(folder))
}

fn creates(flags: u64) -> bool {
    let making = libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY);
    flags as i32 & making != 0
}

/// The file behind a descriptor.
pub(crate) fn open(thread: Pid, descriptor: u64) -> Option<PathBuf> {
    let descriptor = descriptor as i32;
    fs::read_link(format!("/proc/{thread}/fd/{descriptor}")).ok()
}

/// The file that a path names, seen from an open folder.
pub(crate) fn named(thread: Pid, folder: u64, address: u64) -> Option<PathBuf> {
    let path = text(thread, address)?;
    let path = Path::new(OsStr::from_bytes(&path));
    let base = match folder as i32 {
        _ if path.is_absolute() => PathBuf::new(),
        libc::AT_FDCWD => fs::read_link(format!("/proc/{thread}/cwd")).ok()?,
        _ => open(thread, folder)?,
    };
    Some(base.join(path))
}

/// A text that ends with a NUL, from the memory of a thread.
fn text(thread: Pid, address: u64) -> Option<Vec<u8>> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut text = vec![0; libc::PATH_MAX as usize];
    // The page after it may be missing.
    let read = memory.read_at(&mut text, address).ok()?;
    text.truncate(read);
    let end = text.iter().position(|&octet| octet == 0)?;
    text.truncate(end);
    Some(text)
}
