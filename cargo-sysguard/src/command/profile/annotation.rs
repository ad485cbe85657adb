//! `profile --annotate`: the instructions of one function with their share of its samples.

use std::path::Path;

use profile::annotate::{Annotation, Code, Fault, kernel, user};

use super::Options;
use super::runs::{KernelNames, Sampled};
use crate::command_line::Failed;

/// The kernel's memory (proc_kcore(5)).
const KCORE: &str = "/proc/kcore";

impl Options {
    /// Returns the annotated instructions of a user function, or else of a kernel function.
    pub(super) fn annotation(&self, function: &str, sampled: &Sampled, names: &KernelNames) -> Result<String, Failed> {
        let recordings = &sampled.recordings;
        let in_kernel = || {
            let code = self.vmlinux.as_deref().map_or(Code::Memory(Path::new(KCORE)), Code::File);
            names.kernel.as_ref().map(|names| kernel(recordings, names, function, code))
        };
        let found: Result<Annotation, Fault> = match user(recordings, function) {
            Err(Fault::NotSampled { name, sampled }) => match in_kernel() {
                // Neither has it: the error suggests names of both.
                Some(Err(Fault::NotSampled { sampled: more, .. })) => Err(Fault::NotSampled {
                    name,
                    sampled: sampled.into_iter().take(3).chain(more.into_iter().take(3)).collect(),
                }),
                Some(found) => found,
                None => Err(Fault::NotSampled { name, sampled }),
            },
            found => found,
        };
        let mut text = Vec::new();
        let annotation = found.map_err(Failed::ours)?;
        annotation.write(&mut text).map_err(Failed::ours)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
