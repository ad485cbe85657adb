//! From an event to what it used: which subsystem a call reached, by which argument, on which object.
//!
//! Tables are generated and carry their provenance; rules are functions of plain data. Main type: [`Use`].

pub mod ambient;
pub mod answers;
mod arguments;
pub mod attribute;
mod blind;
pub(crate) mod calls;
pub mod entry_points;
pub mod files;
mod meant;
pub mod objects;
pub(crate) mod reach;
pub mod subsystem;
pub mod values;

pub use answers::{Answers, Memory, Place, Question, Receiver};
pub use attribute::{Use, attribute, made};
pub use blind::blind_spot;
pub use objects::Object;
pub use subsystem::Subsystem;
