//! What runs showed: events folded into ordered counts, with the call sites of what is new. Main
//! type: [`observation::Observation`].

pub mod call_site;
pub mod lockfile;
pub mod observation;
