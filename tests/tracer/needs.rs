//! What a trial needs of the machine, and what happens where it is missing. Main type: [`Need`].

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Completion, Failed};

/// A program, right or feature that not every machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// 64-bit x86.
    X86,
    /// A compiler and a kernel for 32-bit programs.
    Programs32,
    /// A kernel that takes `int 0x80`.
    Calls32,
    /// A kernel with memfd_secret(2).
    SecretMemory,
    /// The right to make a user namespace.
    UserNamespaces,
    /// A user other than root.
    OrdinaryUser,
    /// Root, with its capabilities.
    Root,
    /// The cargo that builds these tests, and its compiler.
    Cargo,
    /// This program.
    Program(String),
}

impl Need {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "x86_64" => Self::X86,
            "32-bit programs" => Self::Programs32,
            "32-bit calls" => Self::Calls32,
            "secret memory" => Self::SecretMemory,
            "user namespaces" => Self::UserNamespaces,
            "ordinary user" => Self::OrdinaryUser,
            "root" => Self::Root,
            _ => return None,
        })
    }

    /// Returns the reason if this need is not met.
    fn missing(&self) -> Option<String> {
        let (met, reason) = match self {
            Self::X86 => (cfg!(target_arch = "x86_64"), "only x86_64 has that".to_owned()),
            Self::Programs32 => (runs_32_bit_programs(), "32-bit programs cannot be built or run here".to_owned()),
            Self::Calls32 => (takes_32_bit_calls(), "this kernel takes no 32-bit calls".to_owned()),
            Self::SecretMemory => (gives_secret_memory(), "memfd_secret is not in this kernel".to_owned()),
            Self::UserNamespaces => (makes_user_namespaces(), "user namespaces cannot be made here".to_owned()),
            Self::OrdinaryUser => (!is_root(), "root loses no privileges by being traced".to_owned()),
            Self::Root => (is_root(), "only root may do that".to_owned()),
            Self::Cargo => (cargo().is_some(), "the toolchain that built these tests cannot be reached".to_owned()),
            Self::Program(program) => (is_installed(program), format!("{program} is not installed")),
        };
        (!met).then_some(reason)
    }
}

/// Returns the result of a trial with unmet needs; `None` if all are met.
///
/// The trial is ignored, or fails under `SYSGUARD_REQUIRE=1`.
pub(crate) fn unmet(needs: &[Need]) -> Option<Result<Completion, Failed>> {
    let reason = needs.iter().find_map(Need::missing)?;
    // No user is both root and ordinary, so this can always be ignored.
    let is_of_one_user = needs.contains(&Need::OrdinaryUser) || needs.contains(&Need::Root);
    Some(if is_of_one_user { Ok(Completion::ignored_with(reason)) } else { without(reason) })
}

/// Returns the result of a trial that lacks something, for this reason.
pub(crate) fn without(reason: String) -> Result<Completion, Failed> {
    let required = std::env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1");
    if required { Err(reason.into()) } else { Ok(Completion::ignored_with(reason)) }
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn is_installed(program: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"].iter().any(|folder| Path::new(folder).join(program).exists())
}

/// Returns the cargo of the toolchain that built these tests.
pub(crate) fn cargo() -> Option<&'static Path> {
    let cargo = Path::new(option_env!("CARGO")?);
    succeeds(Command::new(cargo).arg("--version")).then_some(cargo)
}

/// Returns the factor by which all timeouts grow, `SYSGUARD_SLOWNESS`, for emulated machines.
pub(crate) fn slowness() -> u32 {
    std::env::var("SYSGUARD_SLOWNESS").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn makes_user_namespaces() -> bool {
    static MAKES: OnceLock<bool> = OnceLock::new();
    *MAKES.get_or_init(|| succeeds(Command::new("unshare").args(["--user", "--pid", "--fork", "true"])))
}

fn gives_secret_memory() -> bool {
    const PROBE: &str = "#include <unistd.h>\nint main(void) { return syscall(447, 0) < 0; }\n";
    static GIVES: OnceLock<bool> = OnceLock::new();
    *GIVES.get_or_init(|| runs(PROBE, &["-D_GNU_SOURCE"]))
}

/// Builds and runs a program that exits at once.
fn runs(text: &str, flags: &[&str]) -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let (source, program) = (folder.path().join("leave.c"), folder.path().join("leave"));
    std::fs::write(&source, text).is_ok()
        && succeeds(Command::new("cc").args(flags).arg(&source).arg("-o").arg(&program))
        && succeeds(&mut Command::new(&program))
}

const LEAVE_BY_INT80: &str = r#"void _start(void) { __asm__ volatile("int $0x80" : : "a"(1), "b"(0)); }"#;

fn runs_32_bit_programs() -> bool {
    static RUNS: OnceLock<bool> = OnceLock::new();
    *RUNS.get_or_init(|| runs(LEAVE_BY_INT80, &["-m32", "-nostdlib", "-static", "-fno-pie", "-no-pie"]))
}

fn takes_32_bit_calls() -> bool {
    static TAKES: OnceLock<bool> = OnceLock::new();
    *TAKES.get_or_init(|| runs(LEAVE_BY_INT80, &["-nostdlib", "-static"]))
}
