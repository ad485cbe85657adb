//! The environment and the global flags, which every command gets. Main type: [`Context`].

use sysguard::settings::{Flags, Given, Settings, resolve};

use crate::exit_code::Failure;

/// The environment together with the global flags.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) given: Given,
    /// Whether to colour; nothing where the terminal decides.
    pub(crate) colour: Option<bool>,
}

impl Context {
    /// The environment together with what the command line says.
    pub(crate) fn settings(&self, flags: Flags) -> Result<Settings, Failure> {
        let settings = resolve(&self.given, flags).map_err(Failure::usage)?;
        Ok(Settings { colour: self.colour, ..settings })
    }
}
