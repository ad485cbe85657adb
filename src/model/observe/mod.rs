//! Observations of runs: events folded into ordered counts, with the call sites of new uses. Main
//! type: [`observation::Observation`].

pub mod call_site;
pub mod ends;
pub mod first;
pub mod lockfile;
pub mod observation;
pub mod origin;
pub mod selected;
pub mod stacks;
