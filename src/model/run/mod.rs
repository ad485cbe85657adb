//! What to run, and how often. Main types: [`workload::Workload`] and [`recording::Growth`].

pub mod platform;
pub mod recording;
pub mod test_name;
pub mod workload;
