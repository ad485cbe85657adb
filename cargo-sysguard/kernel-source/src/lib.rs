//! What an unpacked Linux source tree says of its system calls and of what they act on.
//!
//! One module a source of truth: `tables`, `definitions`, `kbuild` and `kconfig` (with
//! `conditions`), `maintainers`; `subsystems` is the curated part, and `facts` joins them. `kinds`
//! reads what an fd can stand for, `names` the constants of C and `declarations` where they stand,
//! which `compiler` has `cc` evaluate. What a tree does not say without doubt (a definition or
//! Makefile that is missing, a file that no rule places) is an error, never a guess. It writes
//! nothing.

mod compiler;
mod conditions;
mod declarations;
mod definitions;
mod facts;
mod kbuild;
mod kconfig;
mod kinds;
mod maintainers;
mod names;
mod places;
mod subsystems;
mod tables;
mod tree;

pub use compiler::{Compiler, PRELUDE, TARGETS, Target};
pub use declarations::{Declaration, declaration};
pub use facts::{Fact, Facts, derive};
pub use kinds::{Kind, derive as derive_kinds, made};
pub use names::{cases, declared, plain_lines, without_comments};
pub use places::{Options, Place, Places};
pub use tables::{Row, TABLES, Table};
pub use tree::{Tree, Version};

/// What failed, in words: operation, subject, cause.
pub type Result<T> = std::result::Result<T, String>;
