//! Compares observations with expectations, confirms findings and decides what follows. Main types:
//! [`verdict::Verdict`] and [`pending::Pending`].

mod assertions;
pub mod causes;
pub mod compare;
pub mod confirm;
pub mod decide;
#[cfg(feature = "unstable")]
pub mod exploration;
pub mod forbid;
pub mod groups;
pub mod pending;
pub mod revisions;
pub mod verdict;
pub mod weight;
