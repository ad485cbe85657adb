//! What a baseline can hold, and differences between such facts. Main types: [`fact::Fact`] and
//! [`finding::Finding`].

pub mod fact;
pub mod families;
pub mod finding;
pub mod fingerprint;
