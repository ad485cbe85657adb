//! Turns records, in the order of their times, into samples and processes. Main type:
//! [`Collector`].
//!
//! Memory grows with the number of distinct stacks, not with the length of a run.

use std::collections::HashMap;
use std::rc::Rc;

use super::record::{Map, RawSample, Record, UserStack};
use super::unwind::{Code, Unwinder};
use crate::recording::{Files, Mapping, Process, Sample};

/// Samples and processes of the records so far.
#[derive(Default)]
pub(super) struct Collector {
    programs: Vec<Program>,
    /// Live processes by number.
    live: HashMap<u32, Live>,
    ticks: HashMap<Stack, Ticks>,
    unwinder: Unwinder,
    /// Files that were open when they were mapped.
    pub(super) files: Files,
    pub(super) lost: u64,
    pub(super) throttled: u64,
}

/// A program that a process executed.
struct Program {
    pid: u32,
    name: String,
    since: u64,
    mappings: Rc<Vec<Mapping>>,
    has_samples: bool,
}

/// A live process.
struct Live {
    program: usize,
    tasks: u32,
    /// Number of mappings that replaced others.
    remapped: u32,
    code: Code,
}

/// Samples with equal keys are merged.
#[derive(PartialEq, Eq, Hash)]
struct Stack {
    program: usize,
    remapped: u32,
    in_kernel: bool,
    kernel: Vec<u64>,
    user: Vec<u64>,
}

struct Ticks {
    tid: u32,
    time: u64,
    count: u64,
    period: u64,
}

/// The name of a program if its start was not recorded.
const UNKNOWN: &str = "[unknown]";

impl Collector {
    /// Adds a record.
    pub(super) fn add(&mut self, record: Record) {
        match record {
            Record::Sample(sample) => self.sample(*sample),
            Record::Map(map) => self.map(map),
            Record::Name { pid, time, name, is_exec: true, .. } => {
                let program = self.start(pid, name, time, Rc::default());
                let tasks = 1;
                self.live.insert(pid, Live { program, tasks, remapped: 0, code: Code::default() });
            }
            // Only the name of the first task is that of the process.
            Record::Name { pid, tid, time, name, is_exec: false } if pid == tid => self.rename(pid, time, name),
            Record::Name { .. } => {}
            Record::Fork { pid, parent, time } if pid == parent => self.live(pid, time).tasks += 1,
            Record::Fork { pid, parent, time } => self.fork(pid, parent, time),
            Record::Exit { pid, .. } => self.exit(pid),
            Record::Lost(lost) => self.lost += lost,
            Record::Throttled => self.throttled += 1,
        }
    }

    /// Returns samples and processes.
    pub(super) fn finish(self) -> (Vec<Sample>, Vec<Process>, Files) {
        let programs = &self.programs;
        let sample = |(stack, ticks): (Stack, Ticks)| Sample {
            pid: programs[stack.program].pid,
            tid: ticks.tid,
            time: ticks.time,
            count: ticks.count,
            period: ticks.period,
            kernel: stack.kernel,
            user: stack.user,
            in_kernel: stack.in_kernel,
        };
        let mut samples: Vec<Sample> = self.ticks.into_iter().map(sample).collect();
        samples.sort_by_key(|sample| (sample.time, sample.tid));
        let process = |program: Program| Process {
            pid: program.pid,
            name: program.name,
            since: program.since,
            mappings: Rc::unwrap_or_clone(program.mappings),
        };
        let processes = self.programs.into_iter().filter(|program| program.has_samples).map(process).collect();
        (samples, processes, self.files)
    }

    fn sample(&mut self, sample: RawSample) {
        let RawSample { pid, tid, time, period, in_kernel, kernel, user } = sample;
        self.live(pid, time);
        let Self { programs, live, ticks, unwinder, files, .. } = self;
        let Some(live) = live.get_mut(&pid) else { return };
        let program = &mut programs[live.program];
        program.has_samples = true;
        let user = match user {
            UserStack::Chain(chain) => chain,
            UserStack::Copy { registers, stack } => {
                unwinder.unwind(&mut live.code, &program.mappings, files, &registers, &stack)
            }
        };
        let stack = Stack { program: live.program, remapped: live.remapped, in_kernel, kernel, user };
        let ticks = ticks.entry(stack).or_insert(Ticks { tid, time, count: 0, period: 0 });
        ticks.count += 1;
        ticks.period += period;
    }

    fn map(&mut self, map: Map) {
        let Map { pid, time, addresses, offset, path, file, .. } = map;
        self.live(pid, time);
        let Self { programs, live, unwinder, files, .. } = self;
        let Some(live) = live.get_mut(&pid) else { return };
        let program = &mut programs[live.program];
        let mapping = Mapping { addresses, offset, file: path, id: file, since: time };
        let overlaps = |other: &Mapping| {
            other.addresses.start < mapping.addresses.end && mapping.addresses.start < other.addresses.end
        };
        live.remapped += u32::from(program.mappings.iter().any(overlaps));
        unwinder.map(&mut live.code, &mapping, files);
        Rc::make_mut(&mut program.mappings).push(mapping);
    }

    fn rename(&mut self, pid: u32, time: u64, name: String) {
        let at = self.live(pid, time).program;
        let program = &mut self.programs[at];
        if !program.has_samples {
            program.name = name;
        } else if program.name != name {
            let mappings = program.mappings.clone();
            let renamed = self.start(pid, name, time, mappings);
            self.live(pid, time).program = renamed;
        }
    }

    fn fork(&mut self, pid: u32, parent: u32, time: u64) {
        let Live { program: parent, code, .. } = self.live(parent, time);
        let (parent, code) = (*parent, code.clone());
        let Program { name, mappings, .. } = &self.programs[parent];
        let (name, mappings) = (name.clone(), mappings.clone());
        let program = self.start(pid, name, time, mappings);
        self.live.insert(pid, Live { program, tasks: 1, remapped: 0, code });
    }

    fn exit(&mut self, pid: u32) {
        let Some(live) = self.live.get_mut(&pid) else { return };
        live.tasks = live.tasks.saturating_sub(1);
        if live.tasks == 0 {
            let program = live.program;
            self.live.remove(&pid);
            self.release(program);
        }
    }

    /// Starts a program of a process.
    fn start(&mut self, pid: u32, name: String, since: u64, mappings: Rc<Vec<Mapping>>) -> usize {
        let former = self.live.get(&pid).map(|live| live.program);
        former.into_iter().for_each(|former| self.release(former));
        self.programs.push(Program { pid, name, since, mappings, has_samples: false });
        self.programs.len() - 1
    }

    /// Frees the mappings of a program that ended without a sample.
    fn release(&mut self, program: usize) {
        let program = &mut self.programs[program];
        if !program.has_samples {
            program.mappings = Rc::default();
        }
    }

    /// Returns a process, and adds it if the record of its start was lost.
    fn live(&mut self, pid: u32, time: u64) -> &mut Live {
        if !self.live.contains_key(&pid) {
            let program = self.start(pid, UNKNOWN.to_owned(), time, Rc::default());
            self.live.insert(pid, Live { program, tasks: 1, remapped: 0, code: Code::default() });
        }
        self.live.get_mut(&pid).unwrap_or_else(|| unreachable!("inserted above"))
    }
}

#[cfg(test)]
mod tests;
