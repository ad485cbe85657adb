//! Finds and removes what outlives the processes that made it: System V objects, and files in
//! `/dev/shm`. Main type: [`Outliving`].

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::sys::ipc::{remove_memory, remove_queue, remove_semaphores};
use super::written_files::WrittenFiles;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::kernel::uapi::IPC_OPERATION_MASK;

/// Where shm_open(3) makes its files.
const SHARED_MEMORY: &str = "/dev/shm";

/// A System V object: its kind and its identifier.
type IpcObject = (IpcKind, i32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum IpcKind {
    Memory,
    Semaphores,
    Queue,
}

/// What a run has made that outlives its processes.
#[derive(Debug, Default)]
pub struct Outliving {
    files: WrittenFiles,
    /// What did not exist when a task entered its call.
    entered: HashMap<Tid, Entered>,
    objects: BTreeSet<IpcObject>,
    /// Files with their device and inode.
    made: BTreeSet<(String, u64, u64)>,
}

#[derive(Debug)]
enum Entered {
    /// The call returns an object, and these existed before.
    Ipc(IpcKind, BTreeSet<IpcObject>),
    /// The call may make this file.
    File(String),
}

impl Outliving {
    /// Looks at a call that a task is entering.
    pub fn entered(&mut self, task: Tid, call: &Call) {
        self.entered.remove(&task);
        if let Some(kind) = returned_kind(call) {
            // An identifier is that of the task's namespace: ipc_namespaces(7).
            if shares_namespace(task) {
                self.entered.insert(task, Entered::Ipc(kind, existing()));
            }
        } else if makes_file(call) {
            let is_new = |file: &String| file.starts_with(SHARED_MEMORY) && !Path::new(file).exists();
            let file = self.files.of(task, call).into_iter().find(is_new);
            self.entered.extend(file.map(|file| (task, Entered::File(file))));
        }
    }

    /// Looks at the result of a call.
    pub fn left(&mut self, task: Tid, outcome: CallOutcome) {
        let (Some(entered), CallOutcome::Returned(value)) = (self.entered.remove(&task), outcome) else { return };
        match entered {
            Entered::Ipc(kind, before) => {
                let object = i32::try_from(value).map(|id| (kind, id));
                self.objects.extend(object.ok().filter(|object| !before.contains(object)));
            }
            Entered::File(file) => {
                let made = fs::symlink_metadata(&file).ok();
                self.made.extend(made.map(|metadata| (file, metadata.dev(), metadata.ino())));
            }
        }
    }

    /// Removes what still exists, once the processes of the run have ended.
    pub fn remove(self) {
        let existing = if self.objects.is_empty() { BTreeSet::new() } else { existing() };
        for (kind, id) in self.objects.intersection(&existing) {
            match kind {
                IpcKind::Memory => remove_memory(*id),
                IpcKind::Semaphores => remove_semaphores(*id),
                IpcKind::Queue => remove_queue(*id),
            }
        }
        for (file, device, inode) in self.made {
            let is_it = fs::symlink_metadata(&file).is_ok_and(|its| (its.dev(), its.ino()) == (device, inode));
            if is_it {
                let _ = fs::remove_file(file);
            }
        }
    }
}

/// Returns the kind of object of the identifier that a call returns. On 32-bit systems, ipc(2)
/// carries these calls: include/uapi/linux/ipc.h.
fn returned_kind(call: &Call) -> Option<IpcKind> {
    const SEMGET: u64 = 2;
    const MSGGET: u64 = 13;
    const SHMGET: u64 = 23;
    match (&*call.syscall.name(), call.args[0] & IPC_OPERATION_MASK) {
        ("shmget", _) | ("ipc", SHMGET) => Some(IpcKind::Memory),
        ("semget", _) | ("ipc", SEMGET) => Some(IpcKind::Semaphores),
        ("msgget", _) | ("ipc", MSGGET) => Some(IpcKind::Queue),
        _ => None,
    }
}

/// Returns whether a call may make a regular file by a path.
fn makes_file(call: &Call) -> bool {
    matches!(&*call.syscall.name(), "creat" | "open" | "openat" | "openat2")
}

fn shares_namespace(task: Tid) -> bool {
    let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/ipc")).ok();
    namespace("self").is_some_and(|own| namespace(&task.to_string()) == Some(own))
}

/// Returns the System V objects that exist: sysvipc(7), "Listing" in proc_sysvipc(5).
fn existing() -> BTreeSet<IpcObject> {
    let kinds = [("shm", IpcKind::Memory), ("sem", IpcKind::Semaphores), ("msg", IpcKind::Queue)];
    let of = |(name, kind)| {
        let listed = fs::read_to_string(format!("/proc/sysvipc/{name}")).unwrap_or_default();
        listed_ids(&listed).map(|id| (kind, id)).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).collect()
}

/// Returns the identifiers in a list: the second column.
fn listed_ids(list: &str) -> impl Iterator<Item = i32> {
    list.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    #[test]
    fn identifiers_are_the_second_column() {
        let list = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n         0         12   600          1     0     0     0     0          0 1764540000\n";
        assert_eq!(listed_ids(list).collect::<Vec<_>>(), [12]);
        assert_eq!(listed_ids("").count(), 0);
    }

    #[test]
    fn carried_calls_return_identifiers_too() {
        let kind = |abi, name, first| {
            let syscall = Syscall::from_name(abi, name).expect(name);
            let call = Call { syscall, args: [first, 0, 0, 0, 0, 0], instruction_pointer: 0 };
            returned_kind(&call)
        };
        assert_eq!(kind(Abi::X86_64, "semget", 0), Some(IpcKind::Semaphores));
        assert_eq!(kind(Abi::I386, "ipc", 0x1_0017), Some(IpcKind::Memory));
        assert_eq!(kind(Abi::I386, "ipc", 21), None);
    }
}
