//! Sets the working directory of this process. Main function: [`change_directory`].

use std::ffi::CString;

use libc::c_int;

use super::errno;

/// Calls chdir(2). Async-signal-safe.
pub(in crate::linux) fn change_directory(path: &CString) -> Result<(), c_int> {
    // SAFETY: a live C string; chdir(2).
    if unsafe { libc::chdir(path.as_ptr()) } == -1 { Err(errno()) } else { Ok(()) }
}
