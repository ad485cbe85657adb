//! What `cargo-sysguard` and the tests, benchmarks and examples of this project use.
//!
//! **No stability promise**: any release may change or remove anything here. The items at the root
//! of the crate are for users.

/// `src/artifacts`, as `src/ARCHITECTURE.md` describes it.
pub mod artifacts {
    pub use crate::artifacts::*;
}

/// `src/harness`, as `src/ARCHITECTURE.md` describes it.
pub mod harness {
    pub use crate::harness::arguments::Arguments;
    pub use crate::harness::custom_test::{CustomTest, run_custom_tests};
    pub use crate::harness::handshake::is_harness;
    pub use crate::harness::lifeline::{Lifeline, follow_lifeline};
    pub use crate::harness::progress::ProgressDisplay;
    pub use crate::harness::session::{Console, Session, Summary};
}

/// `src/linux`, as `src/ARCHITECTURE.md` describes it.
pub mod linux {
    pub use crate::linux::*;
}

/// `src/model`, as `src/ARCHITECTURE.md` describes it.
pub mod model {
    pub use crate::model::*;
}

/// `src/report`, as `src/ARCHITECTURE.md` describes it.
pub mod report {
    pub use crate::report::*;
}

/// `src/runner`, as `src/ARCHITECTURE.md` describes it.
pub mod runner {
    pub use crate::runner::*;
}

/// `src/settings`, as `src/ARCHITECTURE.md` describes it.
pub mod settings {
    pub use crate::settings::*;
}

/// `src/store`, as `src/ARCHITECTURE.md` describes it.
pub mod store {
    pub use crate::store::*;
}
