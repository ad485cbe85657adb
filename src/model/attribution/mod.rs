//! From an event to what it used: which subsystem a call reached, by which argument, on which object.
//!
//! Tables are generated and carry their provenance; rules are functions of plain data. Main type: [`Use`].

pub mod ambient;
pub mod attribute;
pub mod entry_points;
pub mod subsystem;

pub use attribute::{Use, attribute};
pub use subsystem::Subsystem;
