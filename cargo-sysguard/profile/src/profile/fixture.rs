//! Profiles for tests.

use std::sync::Arc;

use super::{Frame, KernelFunction, KnownBy, Place, Profile, Stack, UserFunction};

/// Returns a kernel function with a known place.
pub(crate) fn kernel(name: &str, file: &str, subsystem: &str) -> Frame {
    let section = Some(Arc::from(subsystem.to_uppercase()));
    let place = Some(Place { file: file.into(), subsystem: subsystem.into(), section });
    Frame::Kernel(Arc::new(KernelFunction { name: name.to_owned(), module: None, place, known_by: KnownBy::Name }))
}

/// Returns a user function.
pub(crate) fn user(name: &str, file: &str) -> Frame {
    Frame::User(Arc::new(UserFunction { name: Some(name.to_owned()), file: file.into(), source: None }))
}

/// Returns a profile of stacks, innermost first, with their samples of a millisecond.
pub(crate) fn profile(stacks: &[(&[Frame], u64)]) -> Profile {
    let stack = |(frames, samples): &(&[Frame], u64)| Stack {
        program: "demo".into(),
        frames: frames.to_vec(),
        samples: *samples,
        ticks: samples * 1_000_000,
        in_kernel: matches!(frames.first(), Some(Frame::Kernel(_))),
    };
    Profile { frequency: 1000, stacks: stacks.iter().map(stack).collect(), ..Profile::default() }
}
