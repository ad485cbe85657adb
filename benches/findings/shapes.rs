//! Observations of many facts; in each shape another part of a fact differs. Main type: [`Shape`].

use std::collections::BTreeMap;

use sysguard::unstable::model::attribution::{ObjectKind, Subsystem, Use};
use sysguard::unstable::model::kernel::call::Errno;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};
use sysguard::unstable::model::observe::call_site::{CallSite, Frame};
use sysguard::unstable::model::observe::first::First;
use sysguard::unstable::model::observe::observation::{Observation, Tally};

/// What differs between the facts of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Syscalls,
    Arguments,
    Objects,
    Refused,
    Phases,
}

const READ: i64 = 0;
const IOCTL: i64 = 16;
const PHASE: &str = "serving";
const ENOTTY: Errno = Errno(25);

impl Shape {
    pub(crate) const ALL: [Self; 5] = [Self::Syscalls, Self::Arguments, Self::Objects, Self::Refused, Self::Phases];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Syscalls => "syscalls",
            Self::Arguments => "arguments",
            Self::Objects => "objects",
            Self::Refused => "refused",
            Self::Phases => "phases",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Syscalls => "syscalls, each called once",
            Self::Arguments => "arguments of one syscall",
            Self::Objects => "objects of one syscall",
            Self::Refused => "refused arguments of one syscall",
            Self::Phases => "syscalls of a phase",
        }
    }

    /// Returns one run with this many facts and the caller of each.
    pub(crate) fn observation(self, facts: usize) -> Observation {
        let mut seen = Observation::new();
        (seen.processes, seen.threads) = (1, 1);
        // A syscall of a phase is also a fact of the workload.
        let uses = if self == Self::Phases { facts / 2 } else { facts };
        for number in 0..uses {
            let (used, tally) = self.used(number);
            let phase = (self == Self::Phases).then(|| PHASE.to_owned());
            seen.sites.add(&First { used: used.clone(), phase, of_run: true, error: None }, &site(number));
            if self == Self::Phases {
                seen.phases.entry(PHASE.to_owned()).or_default().insert(used.clone(), tally.clone());
            }
            let all = seen.uses.entry(used).or_default();
            all.calls += tally.calls;
            all.errors.extend(tally.errors);
        }
        seen
    }

    fn used(self, number: usize) -> (Use, Tally) {
        let syscall = |number: i64| Syscall { abi: Abi::X86_64, number };
        let base = |syscall| Use {
            subsystem: Subsystem::Device,
            syscall,
            argument: None,
            object: None,
            ambient: false,
            met: Default::default(),
        };
        let argument = || Some(format!("0x{:x}", 0x1000_0000 + number).into());
        let calls = |errors: &[Errno]| Tally { calls: 1, errors: errors.iter().map(|&errno| (errno, 1)).collect() };
        match self {
            Self::Syscalls | Self::Phases => {
                let syscall = syscall(10_000 + i64::try_from(number).unwrap_or_default());
                (Use { subsystem: Subsystem::None, ..base(syscall) }, calls(&[]))
            }
            Self::Arguments => (Use { argument: argument(), ..base(syscall(IOCTL)) }, calls(&[])),
            Self::Objects => {
                let object = Some(ObjectKind::new(format!("char:d{number}")));
                (Use { object, ..base(syscall(READ)) }, calls(&[]))
            }
            Self::Refused => (Use { argument: argument(), ..base(syscall(IOCTL)) }, calls(&[ENOTTY])),
        }
    }
}

fn site(number: usize) -> CallSite {
    let source = Some(("src/main.rs".to_owned(), u32::try_from(number).unwrap_or_default()));
    let frame =
        Frame { function: Some(format!("demo::f{number}")), source, module: "demo".to_owned(), ..Frame::default() };
    CallSite { frames: vec![frame], ..CallSite::default() }
}

/// Returns the uses of an observation at the indices that are kept.
pub(crate) fn part(seen: &Observation, is_kept: fn(usize) -> bool) -> Observation {
    let kept = |uses: &BTreeMap<Use, Tally>| {
        let numbered = uses.iter().enumerate().filter(|(place, _)| is_kept(*place));
        numbered.map(|(_, (used, tally))| (used.clone(), tally.clone())).collect::<BTreeMap<_, _>>()
    };
    let phases = seen.phases.iter().map(|(phase, uses)| (phase.clone(), kept(uses))).collect();
    let mut part = seen.clone();
    (part.uses, part.phases) = (kept(&seen.uses), phases);
    part
}
