//! Finds the files that a call would change, by the paths and fds that it names. Main type:
//! [`WrittenFiles`].
//!
//! An fd that is open for writing counts where it was opened. Mounts are those of the first call.

use super::objects::Objects;
use super::{memory, named_paths};
use crate::model::attribution::{Answers, attribute, can_write, names_path};
use crate::model::conditions::{Named, PathTarget};
use crate::model::kernel::call::{Call, CallOutcome, Tid};

/// Resolves the paths of calls at their entry.
#[derive(Debug, Default)]
pub struct WrittenFiles(Objects);

impl WrittenFiles {
    /// Returns the files that a call of this task can change, as absolute paths: with links
    /// resolved, or as named if the task's view of them is unknown.
    pub fn of(&mut self, task: Tid, call: &Call) -> Vec<String> {
        if !names_path(call.syscall) {
            return Vec::new();
        }
        let answers = Answers { memory: memory::of_call(task, call), ..Answers::default() };
        let used = attribute(call, CallOutcome::Unknown, &answers);
        if !can_write(&call.syscall.name(), used.argument.as_deref()) {
            return Vec::new();
        }
        let mut named = Named::default();
        named_paths::of_call(&mut self.0, task, call, &answers.memory, &mut named);
        let file = |path: crate::model::conditions::NamedPath| match path.target {
            PathTarget::Path(path) => Some(path),
            PathTarget::Unknown => Some(path.named),
            PathTarget::Nothing => None,
        };
        named.paths.into_iter().filter_map(file).collect()
    }
}
