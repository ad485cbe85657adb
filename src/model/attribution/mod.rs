//! Attribution: which subsystem a call reached, by which argument, on which object. Main type:
//! [`Use`].
//!
//! Tables are generated and name their kernel sources. Rules are functions of plain data.

mod address;
pub mod ambient;
pub mod answers;
mod arguments;
pub mod attribute;
mod blind;
pub mod blind_spot;
pub(crate) mod calls;
mod decode;
pub mod entry_points;
pub mod files;
mod memory;
mod met;
mod named;
mod named_paths;
mod object_kind;
pub mod objects;
pub mod places;
mod program;
pub(crate) mod reach;
mod refusal;
#[cfg(feature = "unstable")]
mod registers;
pub mod subsystem;
pub mod values;
mod writes;

pub(crate) use address::{CLASSES as ADDRESS_CLASSES, is_address_class};
pub use answers::{Answer, Answers, ArgumentAnswer, PathArgument, Question, Receiver};
pub use attribute::{KnownArguments, Use, attribute, made, takes_address};
pub use blind::{blind_spot, unanswerable};
pub use decode::meant;
pub use memory::Memory;
pub use met::{Condition, Extent, Met, Undecided};
pub use named::{AddressQuestion, Addresses, ArgumentQuestion, question as argument_question};
pub use named_paths::{named_paths, names_path};
pub use object_kind::{ObjectClass, ObjectKind};
pub use objects::Object;
pub use program::{ProgramLink, program_link, program_name};
pub use refusal::{Failure, Query};
#[cfg(feature = "unstable")]
pub use registers::{RegisterTest, registers};
pub use subsystem::Subsystem;
pub(crate) use writes::can_write;
