//! Reads the version of this process's C library.

#[cfg(target_env = "gnu")]
use std::ffi::CStr;

/// Returns the version of the glibc in this process, such as `2.36`; `None` with another C library.
#[cfg(target_env = "gnu")]
pub(in crate::linux) fn glibc_version() -> Option<String> {
    // SAFETY: takes nothing and cannot fail; gnu_get_libc_version(3).
    let version = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: "returns a string", which stays valid while glibc is loaded; gnu_get_libc_version(3).
    unsafe { CStr::from_ptr(version) }.to_str().ok().map(str::to_owned)
}

/// Returns the version of the glibc in this process, such as `2.36`; `None` with another C library.
#[cfg(not(target_env = "gnu"))]
pub(in crate::linux) fn glibc_version() -> Option<String> {
    None
}
