//! The subcommands, one file each: its options and its `exec`.

pub(crate) mod accept;
pub(crate) mod bless;
pub(crate) mod clean_worktree;
pub(crate) mod diff;
pub(crate) mod doctor;
#[cfg(target_os = "linux")]
pub(crate) mod enforce;
#[cfg(not(target_os = "linux"))]
#[path = "enforce/elsewhere.rs"]
pub(crate) mod enforce;
pub(crate) mod explain;
#[cfg(target_os = "linux")]
pub(crate) mod explore;
#[cfg(not(target_os = "linux"))]
#[path = "explore/elsewhere.rs"]
pub(crate) mod explore;
pub(crate) mod init;
pub(crate) mod layout;
pub(crate) mod list;
pub(crate) mod pending;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod profile;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "profile/elsewhere.rs"]
pub(crate) mod profile;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod reach;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[path = "reach/elsewhere.rs"]
pub(crate) mod reach;
pub(crate) mod reject;
pub(crate) mod report;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod target_runner;
pub(crate) mod test;
pub(crate) mod trace;
