//! The system's Kerberos library. It is loaded when an account asks for it, so that popsync can be
//! built and run without it.
//!
//! Beside one call in `cli::arenas`, this is the only module with `unsafe` in it. Its invariants:
//!
//! - The types are those of RFC 2744 as MIT Kerberos has them in `gssapi/gssapi.h` on everything
//!   but macOS, whose header packs them; there, the library has another name, and is not found.
//! - The library is never unloaded, so that what was found in it stays good.
//! - Whatever the library allocates it is asked to release, once, by the `Drop` of its owner.
//! - Every buffer that is lent to it outlives the call, and it writes to none of ours.
#![expect(
    unsafe_code,
    reason = "a library that is loaded at run time can only be called so"
)]

use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr::{from_ref, null, null_mut};
use std::sync::OnceLock;

use libloading::Library;

use super::SecurityContext;
use crate::auth::sasl_error::SaslError;

/// MIT Kerberos.
const NAME: &str = "libgssapi_krb5.so.2";

/// `gss_buffer_desc` (RFC 2744 §3.2).
#[repr(C)]
struct Buffer {
    length: usize,
    value: *mut c_void,
}

/// `gss_OID_desc` (RFC 2744 §3.4).
#[repr(C)]
struct Oid {
    length: u32,
    elements: *const c_void,
}

/// `gss_channel_bindings_struct` (RFC 2744 §3.11).
#[repr(C)]
struct Bindings {
    initiator_type: u32,
    initiator: Buffer,
    acceptor_type: u32,
    acceptor: Buffer,
    data: Buffer,
}

/// `GSS_C_NT_HOSTBASED_SERVICE` (RFC 2744 appendix A).
const HOST_BASED: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";
/// Kerberos (RFC 4121 §2).
const KERBEROS: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";

/// RFC 2744 §5.19: the server proves itself too.
const MUTUAL: u32 = 2;
/// Messages can be sealed against change.
const INTEGRITY: u32 = 32;
/// RFC 2744 §3.9.1: another token is needed.
const CONTINUE_NEEDED: u32 = 1;
/// The bits of errors.
const ERRORS: u32 = 0xffff_0000;
/// RFC 2744 §5.11: which of the two codes is to be put into words.
const MAJOR: c_int = 1;
const MINOR: c_int = 2;

type Display = unsafe extern "C" fn(*mut u32, u32, c_int, *const Oid, *mut u32, *mut Buffer) -> u32;
type Delete = unsafe extern "C" fn(*mut u32, *mut *mut c_void, *mut Buffer) -> u32;
type Import = unsafe extern "C" fn(*mut u32, *const Buffer, *const Oid, *mut *mut c_void) -> u32;
type Init = unsafe extern "C" fn(
    *mut u32,
    *mut c_void,
    *mut *mut c_void,
    *mut c_void,
    *const Oid,
    u32,
    u32,
    *const Bindings,
    *const Buffer,
    *mut *const Oid,
    *mut Buffer,
    *mut u32,
    *mut u32,
) -> u32;
type ReleaseBuffer = unsafe extern "C" fn(*mut u32, *mut Buffer) -> u32;
type ReleaseName = unsafe extern "C" fn(*mut u32, *mut *mut c_void) -> u32;
type Unwrap = unsafe extern "C" fn(
    *mut u32,
    *mut c_void,
    *const Buffer,
    *mut Buffer,
    *mut c_int,
    *mut u32,
) -> u32;
type Wrap = unsafe extern "C" fn(
    *mut u32,
    *mut c_void,
    c_int,
    u32,
    *const Buffer,
    *mut c_int,
    *mut Buffer,
) -> u32;

/// The functions of the library that popsync uses.
struct Functions {
    delete_sec_context: Delete,
    display_status: Display,
    import_name: Import,
    init_sec_context: Init,
    release_buffer: ReleaseBuffer,
    release_name: ReleaseName,
    unwrap: Unwrap,
    wrap: Wrap,
}

impl Functions {
    /// The library of this process, loaded at the first call.
    fn get() -> Result<&'static Self, SaslError> {
        static FUNCTIONS: OnceLock<Result<Functions, String>> = OnceLock::new();
        let found = FUNCTIONS.get_or_init(|| Self::load().map_err(|error| error.to_string()));
        found
            .as_ref()
            .map_err(|why| SaslError::NoKerberos { why: why.clone() })
    }

    fn load() -> Result<Self, libloading::Error> {
        // SAFETY: the initialisers of MIT Kerberos touch nothing but the library's own memory. It
        // is found where the system's loader looks, which whoever runs us controls as he controls
        // us.
        let library = ManuallyDrop::new(unsafe { Library::new(NAME) }?);
        // SAFETY: each type is that of the function of this name in RFC 2744, and as `library` is
        // never dropped, the pointers copied out of the symbols stay good.
        unsafe {
            Ok(Self {
                delete_sec_context: *library.get::<Delete>("gss_delete_sec_context")?,
                display_status: *library.get::<Display>("gss_display_status")?,
                import_name: *library.get::<Import>("gss_import_name")?,
                init_sec_context: *library.get::<Init>("gss_init_sec_context")?,
                release_buffer: *library.get::<ReleaseBuffer>("gss_release_buffer")?,
                release_name: *library.get::<ReleaseName>("gss_release_name")?,
                unwrap: *library.get::<Unwrap>("gss_unwrap")?,
                wrap: *library.get::<Wrap>("gss_wrap")?,
            })
        }
    }

    /// An error with the library's text for the codes.
    fn error(&self, major: u32, minor: u32) -> SaslError {
        // The text of the first code is usually "unspecified failure"; the second one has the
        // reason.
        let mut words = self.words(minor, MINOR);
        if minor == 0 || words.is_empty() {
            words = self.words(major, MAJOR);
        }
        SaslError::Kerberos { words }
    }

    fn words(&self, code: u32, kind: c_int) -> String {
        let oid = oid(KERBEROS);
        let mut more = 0;
        let mut words: Vec<String> = Vec::new();
        // A code may have several sentences, but not infinitely many.
        for _ in 0..4 {
            let mut output = Output::new(self);
            let mut minor = 0;
            // SAFETY: all pointers are to live values of ours; `output` is empty, and is released
            // when it is dropped.
            let major = unsafe {
                (self.display_status)(
                    &raw mut minor,
                    code,
                    kind,
                    &raw const oid,
                    &raw mut more,
                    &raw mut output.buffer,
                )
            };
            if major & ERRORS != 0 {
                break;
            }
            let text = String::from_utf8_lossy(output.octets()).into_owned();
            words.push(text.chars().filter(|c| !c.is_control()).take(200).collect());
            if more == 0 {
                break;
            }
        }
        words.join("; ")
    }
}

fn oid(elements: &'static [u8]) -> Oid {
    Oid {
        // The two that there are have ten octets and nine.
        length: elements.len() as u32,
        elements: elements.as_ptr().cast(),
    }
}

/// Local octets for the library to read.
fn input(octets: &[u8]) -> Buffer {
    Buffer {
        length: octets.len(),
        value: octets.as_ptr().cast_mut().cast(),
    }
}

/// An empty buffer.
fn empty() -> Buffer {
    Buffer {
        length: 0,
        value: null_mut(),
    }
}

/// A buffer of the library.
struct Output<'l> {
    functions: &'l Functions,
    buffer: Buffer,
}

impl<'l> Output<'l> {
    fn new(functions: &'l Functions) -> Self {
        let buffer = empty();
        Self { functions, buffer }
    }

    fn octets(&self) -> &[u8] {
        if self.buffer.value.is_null() {
            return &[];
        }
        // SAFETY: the library made the buffer, it says how long it is, and it stays as it is
        // until the release, which needs `self` for itself.
        unsafe { std::slice::from_raw_parts(self.buffer.value.cast(), self.buffer.length) }
    }
}

impl Drop for Output<'_> {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: the buffer is empty, which is allowed, or the library's, and is not looked at
        // again: it is being dropped.
        unsafe { (self.functions.release_buffer)(&raw mut minor, &raw mut self.buffer) };
    }
}

/// The client's side of a proof.
pub(super) struct Context {
    functions: &'static Functions,
    handle: *mut c_void,
    name: *mut c_void,
    /// The channel binding of the login.
    bound_to: Option<Vec<u8>>,
}

// SAFETY: a context is used by whoever owns it, by one thread at a time, as the library demands
// (MIT Kerberos: "one thread per context at a time"); it does not care which thread that is.
unsafe impl Send for Context {}

impl Context {
    /// For a service as `pop@mail.example.com`.
    pub(super) fn new(service: &str, end_point: Option<&[u8]>) -> Result<Self, SaslError> {
        let functions = Functions::get()?;
        let mut name = null_mut();
        let mut minor = 0;
        let (text, kind) = (input(service.as_bytes()), oid(HOST_BASED));
        // SAFETY: `text` and `kind` are read only and outlive the call; a name that comes of it
        // is released by the drop of the context.
        let major = unsafe {
            (functions.import_name)(
                &raw mut minor,
                &raw const text,
                &raw const kind,
                &raw mut name,
            )
        };
        if major & ERRORS != 0 {
            return Err(functions.error(major, minor));
        }
        Ok(Self {
            functions,
            handle: null_mut(),
            name,
            bound_to: end_point.map(|end_point| [b"tls-server-end-point:", end_point].concat()),
        })
    }
}

impl SecurityContext for Context {
    fn step(&mut self, token: Option<&[u8]>) -> Result<(Vec<u8>, bool), SaslError> {
        let bindings = self.bound_to.as_ref().map(|data| Bindings {
            initiator_type: 0,
            initiator: empty(),
            acceptor_type: 0,
            acceptor: empty(),
            data: input(data),
        });
        let bindings = bindings.as_ref().map_or(null(), from_ref);
        let token = token.map(input);
        let token = token.as_ref().map_or(null(), from_ref);
        let kind = oid(KERBEROS);
        let mut output = Output::new(self.functions);
        let (mut minor, mut flags) = (0, 0);
        // SAFETY: the handle is null or the library's own, and the name the library's own.
        // `bindings`, `token` and `kind` are null or live, and read only; null is allowed for the
        // credentials (the user's), the mechanism's name and the time.
        let major = unsafe {
            (self.functions.init_sec_context)(
                &raw mut minor,
                null_mut(),
                &raw mut self.handle,
                self.name,
                &raw const kind,
                MUTUAL | INTEGRITY,
                0,
                bindings,
                token,
                null_mut(),
                &raw mut output.buffer,
                &raw mut flags,
                null_mut(),
            )
        };
        if major & ERRORS != 0 {
            return Err(self.functions.error(major, minor));
        }
        let complete = major & CONTINUE_NEEDED == 0;
        if complete && flags & MUTUAL == 0 {
            return Err(SaslError::NoProof);
        }
        Ok((output.octets().to_vec(), complete))
    }

    fn unwrap(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SaslError> {
        let sealed = input(sealed);
        let mut output = Output::new(self.functions);
        let mut minor = 0;
        // SAFETY: the handle is the library's own, `sealed` is live and read only, and null is
        // allowed for what is not wanted to be known.
        let major = unsafe {
            (self.functions.unwrap)(
                &raw mut minor,
                self.handle,
                &raw const sealed,
                &raw mut output.buffer,
                null_mut(),
                null_mut(),
            )
        };
        if major & ERRORS != 0 {
            return Err(self.functions.error(major, minor));
        }
        Ok(output.octets().to_vec())
    }

    fn wrap(&mut self, message: &[u8]) -> Result<Vec<u8>, SaslError> {
        let message = input(message);
        let mut output = Output::new(self.functions);
        let mut minor = 0;
        // SAFETY: as for `unwrap`. The message is sealed and not hidden, in the usual quality.
        let major = unsafe {
            (self.functions.wrap)(
                &raw mut minor,
                self.handle,
                0,
                0,
                &raw const message,
                null_mut(),
                &raw mut output.buffer,
            )
        };
        if major & ERRORS != 0 {
            return Err(self.functions.error(major, minor));
        }
        Ok(output.octets().to_vec())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        let mut minor = 0;
        // SAFETY: both are null, which is allowed, or the library's own, and neither is used
        // again: they are being dropped.
        unsafe {
            (self.functions.delete_sec_context)(&raw mut minor, &raw mut self.handle, null_mut());
            (self.functions.release_name)(&raw mut minor, &raw mut self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a library, the error says that there is no ticket; without one, it says that.
    #[test]
    fn without_a_ticket_or_a_library_there_is_an_error_in_words() {
        match Context::new("pop@mail.popsync.invalid", Some(b"digest")) {
            Ok(mut context) => match context.step(None) {
                Err(SaslError::Kerberos { words }) => assert!(words.len() > 10, "{words}"),
                other => panic!("a ticket for a host that is none: {other:?}"),
            },
            Err(SaslError::NoKerberos { why }) => assert!(why.contains(NAME), "{why}"),
            Err(other) => panic!("{other}"),
        }
    }
}
