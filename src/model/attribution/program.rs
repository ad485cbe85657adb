//! The name of an executed program, as it was invoked. Main functions: [`program_name`] and
//! [`program_link`].
//!
//! A name must not change between runs: it has no hash of cargo, no fd number and no process ID.

use std::borrow::Cow;

use crate::model::text::{escape, program::without_hash};

/// A program that is named by a link of proc, which stands for another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramLink<'a> {
    /// The process; `None` for the caller.
    pub process: Option<&'a str>,
    /// The rest of the path: `exe`, `fd/3`.
    pub link: &'a str,
}

/// Parses an absolute path without `.` and `..` as a link of proc to a program or an fd:
/// proc_pid_exe(5), proc_pid_fd(5).
pub fn program_link(path: &str) -> Option<ProgramLink<'_>> {
    if let Some(fd) = path.strip_prefix("/dev/").filter(|rest| is_fd(rest)) {
        return Some(ProgramLink { process: None, link: fd });
    }
    let (process, link) = path.strip_prefix("/proc/")?.split_once('/')?;
    let process = match process {
        "self" | "thread-self" => None,
        _ if process.bytes().all(|byte| byte.is_ascii_digit()) => Some(process),
        _ => return None,
    };
    // /proc/PID/task/TID has the same links.
    let own = link.strip_prefix("task/").and_then(|rest| rest.split_once('/')).map_or(link, |(_, own)| own);
    (own == "exe" || is_fd(own)).then_some(ProgramLink { process, link })
}

fn is_fd(link: &str) -> bool {
    link.strip_prefix("fd/").is_some_and(|fd| !fd.is_empty() && fd.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the name of the program at a path, or of the target of a link of proc: its last part
/// without a hash of cargo. Returns `None` for a path without any part.
pub fn program_name(path: &str) -> Option<Cow<'static, str>> {
    if path.starts_with("/memfd:") {
        return Some(Cow::Borrowed("memfd"));
    }
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    if !path.contains('/') && path.contains(":[") {
        // `pipe:[7]`, which no call can execute.
        return Some(Cow::Borrowed("(unnamed)"));
    }
    let name = path.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(Cow::Owned(escape::name(without_hash(name)).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_the_last_part_of_a_path() {
        for (path, name) in [
            ("/usr/bin/curl", Some("curl")),
            ("curl", Some("curl")),
            ("./target/debug/demo-0123456789abcdef", Some("demo")),
            ("/usr/bin/x (deleted)", Some("x")),
            ("/memfd:name (deleted)", Some("memfd")),
            ("pipe:[4711]", Some("(unnamed)")),
            ("/bin/", Some("bin")),
            ("/a/b c", Some("b c")),
            ("/a/\u{1b}[31m", Some("\\x1b[31m")),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(program_name(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn links_of_proc_are_recognised() {
        let own = |link| Some(ProgramLink { process: None, link });
        for (path, link) in [
            ("/proc/self/exe", own("exe")),
            ("/proc/thread-self/fd/3", own("fd/3")),
            ("/dev/fd/17", own("fd/17")),
            ("/proc/12/fd/3", Some(ProgramLink { process: Some("12"), link: "fd/3" })),
            ("/proc/self/task/9/fd/3", own("task/9/fd/3")),
            ("/proc/self/fd/3/x", None),
            ("/proc/self/fd/", None),
            ("/proc/self/cwd/exe", None),
            ("/proc/sys/exe", None),
            ("/dev/null", None),
            ("/usr/bin/exe", None),
        ] {
            assert_eq!(program_link(path), link, "{path}");
        }
    }
}
