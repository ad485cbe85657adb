//! How a program learns that a test binary is a harness of ours: [`is_harness`].
//!
//! A section of the file says that it may be one, and its answer that it is. A binary without the
//! section is never executed for the question, because a foreign one may do anything when it runs.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::linux::may_be_harness;
use crate::settings::Given;

/// Asks a harness to write [`ANSWER`] and to end.
const QUESTION: &str = "SYSGUARD_HANDSHAKE";
const ANSWER: &str = "sysguard harness\n";

/// Whether the executable is a test binary whose `main` is [`Harness::main`](super::Harness::main).
///
/// `command` runs it; the arguments that list tests are added.
///
/// # Errors
/// The file cannot be read, or the command cannot be started.
pub fn is_harness(executable: &Path, command: &mut Command) -> io::Result<bool> {
    if !may_be_harness(executable)? {
        return Ok(false);
    }
    // A test binary that does not know the question lists its tests, and runs none.
    command.args(["--list", "--format", "terse"]).env(QUESTION, "1").stdin(Stdio::null()).stderr(Stdio::null());
    Ok(command.output()?.stdout == ANSWER.as_bytes())
}

/// Answers, where this process is asked.
pub(super) fn is_answered(given: &Given) -> bool {
    let asked = given.variables.contains_key(QUESTION);
    if asked {
        // Where standard output is gone, the question is, too.
        let _ = io::stdout().write_all(ANSWER.as_bytes());
    }
    asked
}
