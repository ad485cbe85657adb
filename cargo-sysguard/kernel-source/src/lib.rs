//! Reads the system calls of an unpacked Linux source tree, and the objects that they act on.
//!
//! Each source of facts has a module: `tables`, `definitions`, `kbuild` and `kconfig` (with
//! `conditions`), and `maintainers`. `subsystems` is the curated part, and `facts` joins them.
//! `functions` finds every function, with a subsystem for its file.
//! `kinds` reads the kinds of objects behind fds, `names` the constants of C, and `declarations`
//! their places; `compiler` evaluates them with `cc`. Any doubt is an error and never a guess: a
//! missing definition or Makefile, or a file without a rule. It must not write to a tree.

mod compiler;
mod conditions;
mod declarations;
mod definitions;
mod facts;
mod functions;
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
pub use functions::{Functions, Linkage, SourceFile, family, functions, subsystems_of_files};
pub use kinds::{Kind, derive as derive_kinds, made};
pub use maintainers::CATCH_ALL;
pub use names::{cases, declared, plain_lines, without_comments};
pub use places::{Options, Place, Places};
pub use tables::{Row, TABLES, Table};
pub use tree::{Tree, Version};

/// A result with an error message: operation, subject, cause, and what to do.
pub type Result<T> = std::result::Result<T, String>;
