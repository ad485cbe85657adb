//! The handshake: detects whether a test binary is a harness of sysguard. Main function:
//! [`is_harness`].
//!
//! A section of the file marks a possible harness, and its answer confirms it. A binary without the
//! section is never executed for this, because a foreign binary may do anything.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::linux::may_be_harness;
use crate::runner::output_of;
use crate::settings::RawSettings;

/// Set, this variable asks a harness to write [`ANSWER`] and exit.
const QUESTION: &str = "SYSGUARD_HANDSHAKE";
const ANSWER: &str = "sysguard harness\n";

/// Returns whether the executable is a test binary with [`Harness::main`](super::Harness::main) as
/// its `main`.
///
/// `command` runs it; the arguments that list tests are added.
///
/// # Errors
/// The file cannot be read, or the command cannot be started.
pub fn is_harness(executable: &Path, command: &mut Command) -> io::Result<bool> {
    if !may_be_harness(executable)? {
        return Ok(false);
    }
    // A test binary that ignores the variable lists its tests and runs none.
    command.args(["--list", "--format", "terse"]).env(QUESTION, "1").stdin(Stdio::null()).stderr(Stdio::null());
    Ok(output_of(command)?.stdout == ANSWER.as_bytes())
}

/// Writes the answer if this process is asked for it. Returns whether it was asked.
pub(super) fn answer_handshake(raw: &RawSettings) -> bool {
    let asked = raw.variables.contains_key(QUESTION);
    if asked {
        // If standard output is closed, the other process is gone too.
        let _ = io::stdout().write_all(ANSWER.as_bytes());
    }
    asked
}
