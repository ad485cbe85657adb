//! Facts that a baseline can hold, and differences between them. Main types: [`fact::Fact`] and
//! [`finding::Finding`].

pub mod blind_spot;
pub mod errno_name;
pub mod error_path;
pub mod example;
pub mod fact;
pub mod families;
pub mod finding;
pub mod fingerprint;
pub mod signal_name;
pub mod site;
pub mod version;
