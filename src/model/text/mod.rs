//! Names and text of others: escaping, near names, and what could not be removed. Main functions:
//! [`escape::message`] and [`near::near`].

pub mod escape;
pub mod near;
pub mod remains;
