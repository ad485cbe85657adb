//! Names the functions at the addresses of a recording. Main function: [`name`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::kernel::Kernel;
use crate::profile::{Frame, KernelFunction, KnownBy, Profile, Stack};
use crate::recording::{Recording, Sample};
use crate::user::Programs;

/// Returns the profile of a recording. Without a `kernel`, kernel functions appear as addresses.
pub fn name(recording: &Recording, kernel: Option<&Kernel>, programs: &Programs<'_>) -> Profile {
    let mut names: HashMap<(u32, u64), Arc<str>> = HashMap::new();
    let mut program = |sample: &Sample| {
        let process = programs.process(sample.pid, sample.time);
        let since = process.map_or(0, |process| process.since);
        let name = || Arc::from(process.map_or("", |process| &process.name));
        Arc::clone(names.entry((sample.pid, since)).or_insert_with(name))
    };
    // One for each address, so that equal stacks share their functions.
    let mut kernel_frames: HashMap<u64, Frame> = HashMap::new();
    let mut stacks = Vec::with_capacity(recording.samples.len());
    for sample in &recording.samples {
        let function = |address| kernel.map_or_else(|| unnamed(address), |kernel| kernel.function(address));
        let mut frames: Vec<Frame> = Vec::with_capacity(sample.kernel.len() + sample.user.len());
        for &address in &sample.kernel {
            frames.push(kernel_frames.entry(address).or_insert_with(|| Frame::Kernel(function(address))).clone());
        }
        for &address in &sample.user {
            frames.extend(programs.functions(sample.pid, sample.time, address).into_iter().map(Frame::User));
        }
        stacks.push(Stack {
            program: program(sample),
            frames,
            samples: sample.count,
            ticks: sample.period,
            in_kernel: sample.in_kernel,
        });
    }
    Profile {
        clock: recording.clock,
        frequency: recording.frequency,
        stacks,
        lost: recording.lost,
        throttled: recording.throttled,
        totals: recording.totals.clone(),
        missing: recording.missing.clone(),
    }
}

fn unnamed(address: u64) -> Arc<KernelFunction> {
    let name = format!("{address:#x}");
    Arc::new(KernelFunction { name, module: None, place: None, known_by: KnownBy::Nothing })
}
