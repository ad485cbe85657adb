//! Escapes and hashes text, finds similar names, and describes what could not be removed. Main
//! functions: [`escape::message`] and [`near::near`].

pub mod escape;
pub mod hash;
pub mod near;
pub mod program;
pub mod remains;
