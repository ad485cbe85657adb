//! Writes and reads a Rust module for the program itself. Main functions: [`write`] and [`read`].
//!
//! It holds a compiled filter, so that the program needs no crate but libc.

use std::fmt::Write as _;

use seccompiler::sock_filter;

use super::bpf::{read_program, target_arch};
use super::profile::Profile;
use super::rules::rules;
use super::{Input, NotWritten};
use crate::filter;
use crate::policy::Calls;

pub(super) fn write(input: &Input<'_>) -> Result<String, NotWritten> {
    let policy = input.policy;
    let program = filter::program(policy)?;
    let rules = rules(policy)?;
    let mut text = String::new();
    let mut line = |line: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line.trim_end());
    };
    input.heading.lines(policy).iter().for_each(|of_heading| line(&format!("//! {of_heading}")));
    line("//!");
    let names = |calls: &std::collections::BTreeMap<String, Calls>| {
        let name = |(name, calls): (&String, &Calls)| match calls {
            Calls::All => name.clone(),
            Calls::Some(_) => format!("{name} (some arguments)"),
        };
        calls.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    for (reason, calls) in &rules.allowed {
        line(&format!("//! - {reason}: {}", names(calls)));
    }
    if !rules.refused.is_empty() {
        line(&format!("//! - refused by a `forbid:` rule: {}", names(&rules.refused)));
    }
    line("");
    let arch = target_arch(policy.native);
    line(&format!("#[cfg(not(all(target_os = \"linux\", target_arch = \"{arch}\")))]"));
    line(&format!("compile_error!(\"this filter is for Linux on {arch}\");"));
    line("");
    line("/// The filter, as seccomp(2) takes it.");
    line(&format!("static FILTER: [libc::sock_filter; {}] = [", program.len()));
    for sock_filter { code, jt, jf, k } in &program {
        line(&format!("    op({code:#04x}, {jt}, {jf}, {k:#x}),"));
    }
    line("];");
    text.push_str(INSTALL);
    Ok(text)
}

const INSTALL: &str = r#"
const fn op(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// Installs the filter for all threads of this process, and for all processes that they start. It
/// cannot be removed. From now on, executed programs gain no privileges: prctl(2),
/// PR_SET_NO_NEW_PRIVS.
///
/// # Errors
///
/// Those of prctl(2) and seccomp(2). A thread with a filter that the caller lacks is an error.
pub fn install() -> std::io::Result<()> {
    const ZERO: libc::c_ulong = 0;
    const ONE: libc::c_ulong = 1;
    // SAFETY: this option takes numbers only.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, ONE, ZERO, ZERO, ZERO) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let program = libc::sock_fprog { len: FILTER.len() as libc::c_ushort, filter: FILTER.as_ptr().cast_mut() };
    let (operation, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
    // SAFETY: the kernel reads the program and the filter during the call, and writes neither.
    match unsafe { libc::syscall(libc::SYS_seccomp, operation, flags, &raw const program) } {
        0 => Ok(()),
        -1 => Err(std::io::Error::last_os_error()),
        thread => Err(std::io::Error::other(format!("thread {thread} has a seccomp filter of its own"))),
    }
}
"#;

pub(super) fn read(text: &str) -> Result<Profile, String> {
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix("op(")?.strip_suffix("),"));
    let instruction = |row: &str| {
        let mut words = row.split(", ");
        let mut number = || {
            let word = words.next()?;
            match word.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            }
        };
        Some(sock_filter {
            code: number()?.try_into().ok()?,
            jt: number()?.try_into().ok()?,
            jf: number()?.try_into().ok()?,
            k: number()?,
        })
    };
    let program: Option<Vec<sock_filter>> = rows.map(instruction).collect();
    read_program(&program.ok_or("an instruction has another form")?)
}
