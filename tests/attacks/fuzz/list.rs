//! Lists of operations: generated at random, written for the interpreter and for readers. Main
//! type: [`List`].

use std::fmt::{self, Write as _};

/// The names of the interpreter's operations, in the order of their numbers.
const CODES: &[&str] = &[
    "open",
    "close",
    "dup",
    "dup2",
    "dup3",
    "F_DUPFD",
    "read",
    "write",
    "pread",
    "pwrite",
    "readv",
    "writev",
    "lseek",
    "fstat",
    "FIONREAD",
    "tcgetattr",
    "SO_TYPE",
    "SO_KEEPALIVE",
    "F_GETFL",
    "FIONBIO",
    "send_fd",
    "receive_fd",
    "receive_fd_by_recvmmsg",
    "pidfd_getfd",
    "splice",
    "sendfile",
    "copy_file_range",
    "tee",
    "mmap",
    "mmap_exec",
    "poll",
    "epoll_add",
    "epoll_wait",
    "fsync",
    "ftruncate",
    "fadvise",
    "flock",
    "getdents",
    "reopen_proc_self",
    "reopen_dev_fd",
    "reopen_thread_self",
    "openat",
    "listen",
    "connect",
    "accept",
    "recvfrom",
    "sendto",
    "send",
    "timerfd_settime",
    "close_range",
    "unshare_files",
    "ask",
    "inotify_add_watch",
    "fstatfs",
    "shutdown",
    "FD_CLOEXEC",
    "relink",
    "open_link",
    "write_path",
    "open_path",
    "PR_SET_DUMPABLE",
    "PR_GET_DUMPABLE",
];
/// The kinds that the interpreter opens, in the order of its numbers.
const KINDS: &[&str] = &[
    "file",
    "file_to_write",
    "folder",
    "null",
    "zero",
    "urandom",
    "full",
    "status",
    "maps",
    "meminfo",
    "sys_file",
    "proc_sys_file",
    "proc_folder",
    "namespace",
    "ptmx",
    "limits_odd_path",
    "comm_thread_self",
    "random",
    "sys_folder",
    "nowhere",
    "pipe",
    "fifo",
    "unix_stream",
    "unix_dgram",
    "tcp",
    "udp",
    "udp6",
    "netlink",
    "eventfd",
    "timerfd",
    "epoll",
    "inotify",
    "memfd",
    "pidfd",
    "signalfd",
    "path",
    "tmpfile",
    "unix_seqpacket",
    "userfaultfd",
];
/// How an operation is carried out, in the order of the interpreter's numbers.
const WAYS: &[&str] =
    &["", "in_handler", "in_fork", "in_exec", "in_thread", "in_sharer", "in_memory_sharer", "in_unreadable_exec"];
/// The operations from this number on make a task, or execute a program.
const MAKES: u32 = 62;
const MAKING: &[&str] = &["make_thread", "make_process", "make_sharer", "exec", "exec_unreadable"];
/// How many of them make a task.
const TASK_KINDS: u32 = 3;
/// Kinds that can be read, or have nothing to read but support it.
const READABLE: &[u32] = &[0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 20, 21, 22, 28, 32, 36];
const KINDS_END: u32 = KINDS.len() as u32;
const WAYS_END: u32 = WAYS.len() as u32;
/// The interpreter has paths with numbers below this one.
const PATHS: u32 = 20;
const QUESTIONS: u32 = 14;
const SLOTS: u32 = 12;
const TASKS: u32 = 5;
/// Operations that only a call on an fd of an odd kind shows, or that pass an fd on: chosen more
/// often than others.
const FREQUENT: &[u32] = &[0, 0, 0, 0, 1, 2, 3, 6, 6, 6, 7, 7, 20, 21, 23, 56, 57, 58, 59, 60];

/// A seeded random number generator: splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap_or_default()
    }

    /// Returns a slot. Few slots are used often, so that one task uses what another one opened.
    fn slot(&mut self) -> u32 {
        let end = [2, 2, 2, 4, 4, SLOTS][usize::try_from(self.below(6)).unwrap_or_default()];
        self.below(end)
    }

    fn one_of(&mut self, numbers: &[u32]) -> Option<u32> {
        let at = self.below(u32::try_from(numbers.len()).unwrap_or_default());
        usize::try_from(at).ok().and_then(|at| numbers.get(at).copied())
    }

    fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    task: u32,
    how: u32,
    code: u32,
    a: u32,
    b: u32,
}

impl Operation {
    fn any(chance: &mut Chance, task: u32, usual: &[u32]) -> Self {
        let codes = u32::try_from(CODES.len()).unwrap_or_default();
        let at = usize::try_from(chance.below(u32::try_from(FREQUENT.len()).unwrap_or_default())).unwrap_or_default();
        let code = if chance.happens(60) { FREQUENT[at] } else { chance.below(codes) };
        let how = if chance.happens(65) { 0 } else { 1 + chance.below(WAYS_END - 1) };
        let a = match name(CODES, code) {
            "open" if chance.happens(75) => chance.one_of(usual).unwrap_or_else(|| chance.below(KINDS_END)),
            "open" => chance.below(KINDS_END),
            "ask" => chance.below(QUESTIONS),
            "relink" | "write_path" => chance.below(PATHS),
            "PR_SET_DUMPABLE" => u32::from(chance.happens(25)),
            _ => chance.slot(),
        };
        Self { task, how, code, a, b: chance.slot() }
    }

    fn makes(self) -> Option<u32> {
        (MAKES..MAKES + TASK_KINDS).contains(&self.code).then_some(self.a)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.task)?;
        match self.code {
            0 => write!(f, "open({} → {})", name(KINDS, self.a), self.b)?,
            code if code >= MAKES => write!(f, "{}({})", name(MAKING, code - MAKES), self.a)?,
            code => write!(f, "{}({}, {})", name(CODES, code), self.a, self.b)?,
        }
        if self.how > 0 { write!(f, " {}", name(WAYS, self.how)) } else { Ok(()) }
    }
}

fn name(names: &[&'static str], at: u32) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or("?")
}

/// What the interpreter carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List {
    /// True if every operation waits for its turn; else each task runs freely.
    pub(crate) is_ordered: bool,
    /// The kinds that are opened, read, written and closed before anything else.
    usual: Vec<u32>,
    pub(crate) operations: Vec<Operation>,
}

impl List {
    pub(crate) fn any(chance: &mut Chance) -> Self {
        // If every kind is read, a guard lets reads pass; else it stops each of them, and little
        // can be missed.
        let is_calm = chance.happens(65);
        let kind = |chance: &mut Chance| match is_calm {
            true => chance.one_of(READABLE).unwrap_or_default(),
            false => chance.below(KINDS_END),
        };
        let usual: Vec<u32> = (0..1 + chance.below(4)).map(|_| kind(chance)).collect();
        let mut operations: Vec<Operation> = Vec::new();
        let mut tasks = Tasks(vec![Task { is_process: true, has_threads: false }]);
        for _ in 0..4 + chance.below(14) {
            let task = chance.below(tasks.count());
            if tasks.count() < TASKS && chance.happens(22) {
                operations.push(tasks.make(chance, task));
            } else if tasks.can_execute(task) && chance.happens(4) {
                let code = MAKES + TASK_KINDS + chance.below(2);
                operations.push(Operation { task, how: 0, code, a: 0, b: 0 });
            } else {
                let operation = Operation::any(chance, task, &usual);
                let is_odd = is_calm && operation.code == 0 && !usual.contains(&operation.a);
                operations.push(Operation { a: if is_odd { usual[0] } else { operation.a }, ..operation });
            }
        }
        Self { is_ordered: chance.happens(80), usual, operations }
    }

    /// Returns the list with one more operation.
    pub(crate) fn and_another(&self, chance: &mut Chance) -> (Self, usize) {
        let at =
            usize::try_from(chance.below(u32::try_from(self.operations.len() + 1).unwrap_or(1))).unwrap_or_default();
        let made: Vec<u32> = self.operations[..at].iter().filter_map(|operation| operation.makes()).collect();
        let task = chance.below(u32::try_from(made.len() + 1).unwrap_or(1));
        let task = usize::try_from(task).ok().and_then(|at| at.checked_sub(1)).map_or(0, |at| made[at]);
        let mut operations = self.operations.clone();
        // A later operation uses the kind that is opened into its slot.
        let other = Operation { code: 0, a: chance.below(KINDS_END), ..Operation::any(chance, task, &[]) };
        operations.insert(at, if chance.happens(40) { other } else { Operation::any(chance, task, &[]) });
        (Self { operations, usual: self.usual.clone(), ..*self }, at)
    }

    /// Returns the list without one operation, and without those of a task that would not be made.
    pub(crate) fn without(&self, at: usize) -> Self {
        let gone = self.operations[at].makes();
        let stays = |(index, operation): &(usize, &Operation)| *index != at && Some(operation.task) != gone;
        let kept = self.operations.iter().enumerate().filter(stays).map(|(_, operation)| *operation).collect();
        Self { operations: kept, usual: self.usual.clone(), ..*self }
    }

    /// Returns the interpreter's argument.
    pub(crate) fn argument(&self) -> String {
        let mut text = if self.is_ordered { "o" } else { "f" }.to_owned();
        self.usual.iter().for_each(|kind| _ = write!(text, ":{kind}"));
        for Operation { task, how, code, a, b } in &self.operations {
            let _ = write!(text, " {task}.{how}.{code}.{a}.{b}");
        }
        text
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; usual", if self.is_ordered { "in turn" } else { "freely" })?;
        self.usual.iter().try_for_each(|kind| write!(f, " {}", name(KINDS, *kind)))?;
        self.operations.iter().try_for_each(|operation| write!(f, "; {operation}"))
    }
}

#[derive(Debug, Clone, Copy)]
struct Task {
    is_process: bool,
    has_threads: bool,
}

/// The tasks of a list so far.
struct Tasks(Vec<Task>);

impl Tasks {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or_default()
    }

    fn make(&mut self, chance: &mut Chance, task: u32) -> Operation {
        let kind = [0, 0, 0, 1, 2, 2][usize::try_from(chance.below(6)).unwrap_or_default()];
        let a = self.count();
        if let (0, Some(maker)) = (kind, self.get(task)) {
            maker.has_threads = true;
        }
        self.0.push(Task { is_process: kind != 0, has_threads: false });
        Operation { task, how: 0, code: MAKES + kind, a, b: 0 }
    }

    /// An exec ends the other threads of its process, which would leave their turns undone.
    fn can_execute(&mut self, task: u32) -> bool {
        self.get(task).is_some_and(|task| task.is_process && !task.has_threads)
    }

    fn get(&mut self, task: u32) -> Option<&mut Task> {
        usize::try_from(task).ok().and_then(|at| self.0.get_mut(at))
    }
}
