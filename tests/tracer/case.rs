//! A tracee in C and what must be observed of it, both read from one file of `tests/tracees`. Main
//! type: [`Case`].
//!
//! The comment at the head of such a file says what happens, and below that what must be observed:
//!
//! | line | meaning | default |
//! |---|---|---|
//! | `exit: 3`, `exit: SIGTRAP` | how the first process ends | `0` |
//! | `untraced: 0` | how it ends without a tracer, if tracing makes a difference | as `exit` |
//! | `output: LINE` | a line of its output | no output |
//! | `processes: 2`, `threads: 3` | how many were started (`any`: this varies) | 1 process; as many threads as processes |
//! | `vanished: 1` | threads without an end event, because another thread of their process called execve | 0 |
//! | `killed: SIGSEGV 2, SIGTERM 1` | processes other than the first that each signal ended (`any`: this varies) | none |
//! | `calls: read 3 errors 1, i386/fork 1` | exact counts; `calls on x86_64:` for one architecture | |
//! | `blind: setuid_exec` | the reported blind spots | none |
//! | `stack: getppid < f at 8 < main at 12` | the stack of the first such call: the functions of this file, with their lines | not checked |
//! | `varies: futex, read`, `varies: all` | calls with counts that vary from run to run: strace's may differ | none |
//! | `strace: REASON` | why the counts are not compared with strace's | they are compared |
//! | `needs: x86_64, user namespaces` | what else it needs than a C compiler | nothing |
//! | `build: -m32 -static` | further arguments of the compiler | none |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sysguard::unstable::model::facts::signal_name::SignalName;
use sysguard::unstable::model::kernel::signal;
use sysguard::unstable::model::kernel::syscall::Abi;
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::Need;
use crate::seen::NATIVE;

/// A tracee and its truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Its place below `tests/tracees`: `births::vfork`.
    pub(crate) name: String,
    pub(crate) source: PathBuf,
    /// What happens in it.
    pub(crate) summary: String,
    pub(crate) build: Vec<String>,
    pub(crate) needs: Vec<Need>,
    pub(crate) truth: Truth,
}

/// What must be observed of a tracee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) exit: Exit,
    pub(crate) untraced: Option<Exit>,
    pub(crate) output: String,
    pub(crate) processes: Amount,
    pub(crate) threads: Option<Amount>,
    pub(crate) vanished: Amount,
    /// `None`: this varies.
    pub(crate) killed: Option<BTreeMap<SignalName, u64>>,
    pub(crate) calls: Vec<Expected>,
    pub(crate) blind: Vec<String>,
    pub(crate) stack: Option<Stack>,
    pub(crate) referee: Referee,
}

/// An exact number, or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    Any,
    Exactly(u64),
}

impl Amount {
    pub(crate) fn allows(self, number: u64) -> bool {
        self == Self::Any || self == Self::Exactly(number)
    }
}

/// The expected count of one syscall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) abi: Abi,
    pub(crate) name: String,
    pub(crate) calls: u64,
    /// `None`: errors are not checked.
    pub(crate) errors: Option<u64>,
}

/// The stack of the first call with this name: the functions of the case's own file, innermost
/// first, each with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) call: String,
    pub(crate) functions: Vec<(String, u32)>,
}

/// How far the counts must agree with strace's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Referee {
    /// For all calls except these.
    AllBut(Vec<String>),
    /// Not compared, for this reason.
    No(String),
}

impl Case {
    /// Returns every case, ordered by name, or the error of a file that cannot be parsed.
    pub(crate) fn all() -> Vec<(String, Result<Self, String>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tracees");
        let mut sources: Vec<PathBuf> = folder(&root)
            .iter()
            .flat_map(|group| folder(group))
            .filter(|path| path.extension() == Some("c".as_ref()))
            .collect();
        sources.sort();
        sources
            .into_iter()
            .map(|source| {
                let below = source.strip_prefix(&root).expect("a path below").with_extension("");
                let name = below.to_string_lossy().replace('/', "::");
                let case = std::fs::read_to_string(&source)
                    .map_err(|error| error.to_string())
                    .and_then(|text| Self::read(&name, &source, &text))
                    .map_err(|fault| format!("{}: {fault}", source.display()));
                (name, case)
            })
            .collect()
    }

    fn read(name: &str, source: &Path, text: &str) -> Result<Self, String> {
        let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
        let mut parts = head.splitn(2, |line| line.is_empty());
        let summary = parts.next().unwrap_or_default().join(" ");
        if summary.is_empty() {
            return Err("no sentence about what happens".to_owned());
        }
        let mut case = Self {
            name: name.to_owned(),
            source: source.to_owned(),
            summary,
            build: Vec::new(),
            needs: Vec::new(),
            truth: Truth::default(),
        };
        for line in parts.next().unwrap_or_default() {
            let (key, value) = line.split_once(": ").ok_or_else(|| format!("expected `key: value`, found: {line}"))?;
            case.take(key, value).ok_or_else(|| format!("unknown key or value: {line}"))?;
        }
        Ok(case)
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        let truth = &mut self.truth;
        match key {
            "exit" => truth.exit = exit(value)?,
            "untraced" => truth.untraced = Some(exit(value)?),
            "output" => truth.output.extend([value, "\n"]),
            "processes" => truth.processes = amount(value)?,
            "threads" => truth.threads = Some(amount(value)?),
            "vanished" => truth.vanished = amount(value)?,
            "killed" if value == "any" => truth.killed = None,
            "killed" => {
                let more = list(value).iter().map(|item| killed(item)).collect::<Option<Vec<_>>>()?;
                truth.killed.get_or_insert_default().extend(more);
            }
            "blind" => truth.blind = list(value),
            "stack" => truth.stack = Some(stack(value)?),
            "strace" => truth.referee = Referee::No(value.to_owned()),
            "varies" if value == "all" => truth.referee = Referee::No("its calls vary".to_owned()),
            "varies" => truth.referee = Referee::AllBut(list(value)),
            "needs" => self.needs = list(value).iter().map(|word| Need::from_word(word)).collect::<Option<_>>()?,
            "build" => self.build = value.split_whitespace().map(str::to_owned).collect(),
            _ => {
                let on = key.strip_prefix("calls")?;
                let here = on.is_empty() || Abi::from_name(on.strip_prefix(" on ")?)? == NATIVE;
                let expected: Vec<Expected> = list(value).iter().map(|item| expected(item)).collect::<Option<_>>()?;
                truth.calls.extend(expected.into_iter().filter(|_| here));
            }
        }
        Some(())
    }
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            exit: Exit::Exited(0),
            untraced: None,
            output: String::new(),
            processes: Amount::Exactly(1),
            threads: None,
            vanished: Amount::Exactly(0),
            killed: Some(BTreeMap::new()),
            calls: Vec::new(),
            blind: Vec::new(),
            stack: None,
            referee: Referee::AllBut(Vec::new()),
        }
    }
}

fn folder(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn list(value: &str) -> Vec<String> {
    value.split(", ").map(str::to_owned).collect()
}

fn exit(value: &str) -> Option<Exit> {
    match signal::from_name(value) {
        Some(number) => Some(Exit::Signaled(number)),
        None => value.parse().ok().map(Exit::Exited),
    }
}

fn amount(value: &str) -> Option<Amount> {
    if value == "any" { Some(Amount::Any) } else { value.parse().ok().map(Amount::Exactly) }
}

/// `SIGSEGV 2`
fn killed(item: &str) -> Option<(SignalName, u64)> {
    let (signal, count) = item.split_once(' ')?;
    Some((SignalName::from_name(signal)?, count.parse().ok()?))
}

/// `getppid < innermost at 8 < main at 12`
fn stack(value: &str) -> Option<Stack> {
    let mut parts = value.split(" < ");
    let call = parts.next()?.to_owned();
    let function = |part: &str| {
        let (name, line) = part.split_once(" at ")?;
        Some((name.to_owned(), line.parse().ok()?))
    };
    Some(Stack { call, functions: parts.map(function).collect::<Option<_>>()? })
}

/// `read 3`, `read 3 errors 1`, `i386/read 3`
fn expected(item: &str) -> Option<Expected> {
    let mut words = item.split_whitespace();
    let name = words.next()?;
    let (abi, name) = match name.split_once('/') {
        Some((abi, name)) => (Abi::from_name(abi)?, name),
        None => (NATIVE, name),
    };
    let calls = words.next()?.parse().ok()?;
    let errors = match (words.next(), words.next(), words.next()) {
        (None, ..) => None,
        (Some("errors"), Some(errors), None) => Some(errors.parse().ok()?),
        _ => return None,
    };
    Some(Expected { abi, name: name.to_owned(), calls, errors })
}
