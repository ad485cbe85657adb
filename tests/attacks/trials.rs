//! A trial for each attack, run by the user that the attack asks for.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Completion, Failed, Trial};
use nix::unistd::{Gid, Uid, fexecve, setgid, setgroups, setuid};

use crate::attack::Attack;
use crate::fuzz;
use crate::judge::{Judged, build, judge};
use crate::needs::{self, Need};

/// The ordinary user of a suite that runs as root.
const ORDINARY_USER: u32 = 65534;

pub(crate) fn all() -> Vec<Trial> {
    let attacks = Attack::all().into_iter();
    let attacks = attacks.map(|(name, attack)| Trial::ignorable_test(name, move || trial(&attack?)));
    attacks.chain([Trial::ignorable_test("fuzz::same_findings", fuzz::trial)]).collect()
}

fn trial(attack: &Attack) -> Result<Completion, Failed> {
    let compiler = [Need::Program("cc".to_owned())];
    if let Some(unmet) = needs::unmet(&compiler).or_else(|| needs::unmet(&attack.needs)) {
        return unmet;
    }
    let folder = tempfile::tempdir()?;
    let program = build(attack, folder.path())?;
    let judged = if attack.by_ordinary_user && needs::is_root() {
        by_ordinary_user(attack, &program, folder.path())?
    } else {
        judge(attack, &program, folder.path())
    };
    match judged {
        Judged::Right => Ok(Completion::Completed),
        Judged::Impossible(reason) => needs::without(reason),
        Judged::Wrong(reason) => Err(reason.into()),
    }
}

/// Runs this binary as an ordinary user to judge the attack. That user may not be able to read the
/// sources, so they are passed on standard input.
fn by_ordinary_user(attack: &Attack, program: &Path, folder: &Path) -> io::Result<Judged> {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    let own = folder.join("runs");
    std::fs::create_dir(&own)?;
    chown(&own, Some(ORDINARY_USER), Some(ORDINARY_USER))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--become").args(["--judge", &attack.name]).arg(program).arg(own).current_dir("/");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut text) = child.stdin.take() {
        text.write_all(&std::fs::read(&attack.source)?)?;
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(match output.status.code() {
        Some(0) => Judged::Right,
        Some(77) => Judged::Impossible(text),
        code => Judged::Wrong(format!("as an ordinary user, exit {code:?}: {text}")),
    })
}

/// Executes this binary again as an ordinary user, by fd, since its path may not be reachable.
pub(crate) fn become_ordinary(arguments: &[String]) -> io::Result<()> {
    let executable = File::open(std::env::current_exe()?)?;
    setgroups(&[])?;
    setgid(Gid::from_raw(ORDINARY_USER))?;
    setuid(Uid::from_raw(ORDINARY_USER))?;
    let words = std::iter::once("attacks").chain(arguments.iter().map(String::as_str));
    let words: Vec<CString> = words.map(CString::new).collect::<Result<_, _>>()?;
    let environment: [&CStr; 1] = [c"PATH=/usr/bin:/bin"];
    fexecve(&executable, &words, &environment)?;
    Ok(())
}

/// Judges the attack given on standard input.
pub(crate) fn judge_text(name: &str, program: &str, folder: &str) -> ExitCode {
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text).map_err(|error| error.to_string());
    let attacks = read.and_then(|_| Attack::read(file_of(name), Path::new(name), &text));
    let found = attacks.map(|attacks| attacks.into_iter().find(|attack| attack.name == name));
    let judged = match found {
        Ok(Some(attack)) => judge(&attack, Path::new(program), Path::new(folder)),
        Ok(None) => Judged::Wrong(format!("no attack is named {name}")),
        Err(fault) => Judged::Wrong(fault),
    };
    let (code, reason) = match judged {
        Judged::Right => (0, String::new()),
        Judged::Impossible(reason) => (77, reason),
        Judged::Wrong(reason) => (1, reason),
    };
    match io::stdout().write_all(reason.as_bytes()) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Returns the name without its variant.
fn file_of(name: &str) -> &str {
    name.match_indices("::").nth(1).map_or(name, |(end, _)| &name[..end])
}
