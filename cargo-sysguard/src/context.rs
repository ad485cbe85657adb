//! The environment and the global flags, as passed to every command. Main type: [`Context`].

use std::io::Write;

use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::settings::{Flags, RawSettings, Settings, resolve};

use crate::exit_code::Failure;
use crate::message;

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

    /// Returns the engine of a command that supports only some: that of the flag, else that of
    /// `SYSGUARD_ENGINE`, else ptrace. Warns if the variable has no effect.
    pub(crate) fn engine(&self, flag: Option<Engine>, command: &str, supported: &[Engine]) -> Result<Engine, Failure> {
        if let Some(engine) = flag {
            return Ok(engine);
        }
        match self.raw.engine().map_err(Failure::usage)? {
            Some(engine) if supported.contains(&engine) => Ok(engine),
            Some(engine) => {
                let name = engine.name();
                let line = format!("SYSGUARD_ENGINE={name} has no effect on `{command}`, which uses ptrace");
                // Ignore a closed standard error: this is only a warning.
                let _ = writeln!(anstream::stderr(), "{}", message::warning(&line));
                Ok(Engine::Ptrace)
            }
            None => Ok(Engine::Ptrace),
        }
    }
}
