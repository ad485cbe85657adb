//! What to run, and how often. Main types: [`workload::Workload`] and [`recording::Growth`].

pub mod platform;
pub mod recording;
pub mod test_name;
#[cfg(feature = "unstable")]
pub mod tools;
pub mod workload;
