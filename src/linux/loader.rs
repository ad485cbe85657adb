//! Recognizes the calls of the dynamic loader: all calls from its code until the first call from
//! elsewhere. Main type: [`Loaders`].
//!
//! The program is not changed: each call carries its instruction pointer. Constructors of libraries
//! therefore count as the program's calls. A static program has no loader. In a musl program, the C
//! library is the loader, so none of its calls are recognized.

use std::collections::HashMap;
use std::ops::Range;

use super::maps::{mappings, text};
use crate::model::kernel::call::{Call, Tid};

/// The address range of the loader of each task that is still loading.
#[derive(Debug, Default)]
pub(super) struct Loaders(HashMap<Tid, Range<u64>>);

impl Loaders {
    /// Handles an execve of a task, with its former number. Only the program and its loader are
    /// mapped yet.
    pub(super) fn executed(&mut self, task: Tid, former: Tid) {
        self.0.remove(&former);
        self.0.remove(&task);
        self.0.extend(code(&text(task)).map(|range| (task, range)));
    }

    /// Returns whether the loader makes this call.
    pub(super) fn make(&mut self, task: Tid, call: &Call) -> bool {
        let Some(range) = self.0.get(&task) else { return false };
        let is_inside = range.contains(&call.instruction_pointer);
        if !is_inside {
            self.0.remove(&task);
        }
        is_inside
    }

    /// Drops a task that has ended.
    pub(super) fn leave(&mut self, task: Tid) {
        self.0.remove(&task);
    }
}

/// Returns the address range of the loader's code.
fn code(maps: &str) -> Option<Range<u64>> {
    mappings(maps).find(|mapping| mapping.is_code && is_loader(mapping.path)).map(|mapping| mapping.range)
}

/// Returns whether a path names a loader: `ld-linux-x86-64.so.2`, before glibc 2.34 `ld-2.33.so`;
/// `ld64.so.2` and `ld.so.1` on other architectures.
pub(super) fn is_loader(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let begins = |start: &&str| name.starts_with(*start);
    ["ld-", "ld64.so", "ld.so"].iter().any(begins) && !begins(&"ld-musl")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    const MAPS: &str = "\
00400000-00500000 r-xp 00000000 fe:00 1                      /usr/bin/demo
7f00000000-7f00001000 r--p 00000000 fe:00 2                  /usr/lib/ld-linux-x86-64.so.2
7f00001000-7f00002000 r-xp 00001000 fe:00 2                  /usr/lib/ld-linux-x86-64.so.2
7ffd0000-7ffd2000 r-xp 00000000 00:00 0                      [vdso]
";

    #[test]
    fn loading_ends_with_first_call_from_elsewhere() {
        let mut loaders = Loaders(code(MAPS).map(|range| (7, range)).into_iter().collect());
        let syscall = Syscall { abi: Abi::X86_64, number: 257 };
        let mut makes =
            |task, instruction_pointer| loaders.make(task, &Call { syscall, args: [0; 6], instruction_pointer });
        const LOADER: u64 = 0x7f_0000_1008;
        assert!(!makes(8, LOADER), "another task");
        assert!(makes(7, LOADER) && makes(7, LOADER));
        assert!(!makes(7, 0x40_0000));
        assert!(!makes(7, LOADER), "dlopen(3) counts as the program");
    }

    #[test]
    fn loaders_are_recognized_by_name() {
        for (path, known) in [
            ("/usr/lib64/ld-linux-x86-64.so.2", true),
            ("/lib/aarch64-linux-gnu/ld-2.31.so", true),
            ("/lib/ld64.so.2", true),
            ("/lib/ld-musl-x86_64.so.1", false),
            ("/usr/bin/ld", false),
            ("/usr/lib/libld-linux.so", false),
        ] {
            assert_eq!(is_loader(path), known, "{path}");
        }
        assert_eq!(code("00400000-00500000 r-xp 00000000 fe:00 1  /usr/bin/static\n"), None);
    }
}
