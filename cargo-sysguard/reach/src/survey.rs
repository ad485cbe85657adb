//! The reach of a program on this system: its modules are found, analysed, and found again until no
//! plug-in is missing. Main type: [`Survey`].

use std::path::{Path, PathBuf};

use crate::analysis::analyse_if;
use crate::modules::{Modules, Unusable};
use crate::observe::Observed;
use crate::result::{Origin, Reach};

/// The modules of a program, what their code could do, and what a run did.
#[derive(Debug)]
pub struct Survey {
    /// The files.
    pub modules: Modules,
    /// What their code could do.
    pub reach: Reach,
    /// What a run did, if there was one.
    pub observed: Option<Observed>,
}

impl Survey {
    /// Analyses a program with the files that the user gives and those that a run mapped.
    ///
    /// # Errors
    ///
    /// [`Unusable`], for the program or a given file.
    pub fn of(program: &Path, given: &[PathBuf], observed: Option<Observed>) -> Result<Self, Unusable> {
        let mut modules = Modules::of(program)?;
        for file in given {
            modules.add(file, Origin::Given)?;
        }
        for file in observed.iter().flat_map(|observed| &observed.mapped) {
            modules.add_mapped(file);
        }
        loop {
            let files = modules.found().to_vec();
            if let Some(reach) = analyse_if(&files, |reached| !modules.add_plug_ins(reached))? {
                return Ok(Self { modules, reach, observed });
            }
        }
    }
}
