//! The reach of a program on this system: its modules are found, analysed, and found again until no
//! plug-in is missing. Main type: [`Survey`].

use std::path::{Path, PathBuf};

use crate::analysis::{Analysis, analyse_if};
use crate::cache::{Cache, Kept};
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
    /// Analyses a program with the files that the user gives and those that a run mapped. The cache
    /// may have the result of the same files.
    ///
    /// # Errors
    ///
    /// [`Unusable`], for the program or a given file.
    pub fn of(
        program: &Path,
        given: &[PathBuf],
        observed: Option<Observed>,
        cache: Option<&dyn Cache>,
    ) -> Result<Self, Unusable> {
        let mut modules = Modules::of(program)?;
        for file in given {
            modules.add(file, Origin::Given)?;
        }
        for file in observed.iter().flat_map(|observed| &observed.mapped) {
            modules.add_mapped(file);
        }
        let mut kept = Kept::new(cache);
        loop {
            let files = modules.found().to_vec();
            let known = kept.load(&files);
            if known.as_ref().is_some_and(|known| modules.add_plug_ins(known.modules())) {
                continue;
            }
            let analysis = match known {
                Some(known @ Analysis::Complete(_)) => known,
                // None is kept, or the plug-ins that there were are gone.
                _ => {
                    let analysis = analyse_if(&files, |reached| !modules.add_plug_ins(reached))?;
                    kept.save(&files, &analysis);
                    analysis
                }
            };
            if let Analysis::Complete(reach) = analysis {
                return Ok(Self { modules, reach: *reach, observed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::fs;

    use super::*;
    use crate::image::fixture::program;

    /// xor %eax,%eax; mov $39,%al; syscall; hlt
    const GETPID: [u8; 7] = [0x31, 0xc0, 0xb0, 39, 0x0f, 0x05, 0xf4];

    type Memory = RefCell<HashMap<String, Vec<u8>>>;

    /// Changes every result.
    fn change(memory: &Memory, change: impl Fn(&str) -> String) {
        for result in memory.borrow_mut().values_mut() {
            *result = change(std::str::from_utf8(result).expect("JSON")).into_bytes();
        }
    }

    /// A program in a scratch folder. Its code changes.
    struct Changing(tempfile::TempDir);

    impl Changing {
        fn reach(&self, code: &[u8], cache: Option<&dyn Cache>) -> String {
            let file = self.0.path().join("program");
            fs::write(&file, &program(code)[0].bytes).expect("a file");
            format!("{:?}", Survey::of(&file, &[], None, cache).expect("a survey").reach)
        }
    }

    #[test]
    fn kept_result_is_that_of_a_fresh_analysis() {
        let (changing, memory) = (Changing(tempfile::tempdir().expect("a folder")), Memory::default());
        let fresh = changing.reach(&GETPID, None);
        assert!(fresh.contains("number: 39") && fresh.contains("sites: 1"), "{fresh}");
        for _ in 0..2 {
            assert_eq!(changing.reach(&GETPID, Some(&memory)), fresh);
        }
        assert_eq!(memory.borrow().len(), 1);
        change(&memory, |result| result.replace("\"sites\":1", "\"sites\":2"));
        assert!(changing.reach(&GETPID, Some(&memory)).contains("sites: 2"), "the second one is the kept one");
    }

    #[test]
    fn changed_file_is_analysed_again() {
        let (changing, memory) = (Changing(tempfile::tempdir().expect("a folder")), Memory::default());
        changing.reach(&GETPID, Some(&memory));
        let mut other = GETPID;
        other[3] = 60;
        assert_eq!(changing.reach(&other, Some(&memory)), changing.reach(&other, None));
        assert_eq!(memory.borrow().len(), 2);
    }

    #[test]
    fn unreadable_result_is_replaced() {
        let (changing, memory) = (Changing(tempfile::tempdir().expect("a folder")), Memory::default());
        let fresh = changing.reach(&GETPID, Some(&memory));
        let whole = memory.borrow().clone();
        change(&memory, |result| result[..result.len() / 2].to_owned());
        assert_eq!(changing.reach(&GETPID, Some(&memory)), fresh);
        assert_eq!(*memory.borrow(), whole);
    }
}
