//! The benchmark as a tracer: it calls itself again for sysguard's own engines, so that what is measured is a whole run of a process of its own.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use sysguard::linux::{Command as Traced, Environment, Limits, Stream};
use sysguard::runner::{Lookup, find_command, observe};

use crate::engines::Engine;

const WORD: &str = "--watch";

/// This benchmark, called as the tracer of a command.
pub(crate) fn command(engine: Engine, words: &[OsString]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe")));
    command.args([WORD, engine.name(), "--"]).args(words);
    command
}

/// Does the tracer's work where this process was called for it.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let [word, engine, _, words @ ..] = arguments else { return None };
    if word != WORD {
        return None;
    }
    let watched = Engine::from_name(&engine.to_string_lossy()).ok_or("no such engine".to_owned());
    match watched.and_then(|_| traced(words)) {
        Ok(status) => Some(ExitCode::from(status)),
        Err(message) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            Some(ExitCode::from(125))
        }
    }
}

fn traced(words: &[OsString]) -> Result<u8, String> {
    let name = words.first().map(OsString::as_os_str).unwrap_or(OsStr::new(""));
    let Lookup::Found(program) = find_command(name) else { return Err(format!("{} is not found", name.display())) };
    let command = Traced {
        program,
        argv: words.to_vec(),
        environment: Environment::Inherited,
        cwd: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: false,
    };
    let limits = Limits { timeout: None, stop: None, grace: Duration::from_secs(2) };
    let (_, outcome) = observe(command, &limits).map_err(|error| error.to_string())?;
    Ok(u8::try_from(outcome.exit.shell_status()).unwrap_or(u8::MAX))
}
