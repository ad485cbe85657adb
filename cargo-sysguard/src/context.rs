//! The environment and the global flags, as passed to every command. Main type: [`Context`].

use sysguard::unstable::settings::{Flags, RawSettings, Settings, resolve};

use crate::exit_code::Failure;

/// The environment together with the global flags.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) raw: RawSettings,
    /// Whether to colour the output, or nothing if the terminal decides.
    pub(crate) colour: Option<bool>,
}

impl Context {
    /// Returns the settings from the environment and these flags.
    pub(crate) fn settings(&self, flags: Flags) -> Result<Settings, Failure> {
        let settings = resolve(&self.raw, flags).map_err(Failure::usage)?;
        Ok(Settings { colour: self.colour, ..settings })
    }
}
