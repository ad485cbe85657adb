//! Names the addresses of programs and libraries. Main type: [`Programs`].

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use sysguard::unstable::linux::{Function, Image, SymbolFiles};

use crate::perf::own_vdso;
use crate::profile::UserFunction;
use crate::recording::{FileId, Mapping, Process, Recording, VDSO};

/// The programs of a recording, with their symbols. Symbols are read when they are first needed.
pub struct Programs<'a> {
    recording: &'a Recording,
    files: &'a SymbolFiles,
    /// The processes by number, in the order of their starts.
    processes: HashMap<u32, Vec<&'a Process>>,
    found: RefCell<Found<'a>>,
}

/// The file and offset of an address.
#[derive(Debug)]
pub struct CodePlace {
    /// The path by which the file can be read now.
    pub file: PathBuf,
    /// The offset in the file.
    pub offset: u64,
    /// The path by which the program mapped it.
    pub shown: String,
}

/// Cache of looked-up functions.
#[derive(Default)]
struct Found<'a> {
    images: HashMap<(FileId, &'a Path), Option<Rc<Image<'a>>>>,
    names: HashMap<&'a Path, Arc<str>>,
    /// By file and offset.
    functions: HashMap<(FileId, &'a Path, u64), Vec<Arc<UserFunction>>>,
    /// Each function once.
    shared: HashSet<Arc<UserFunction>>,
}

/// The file name shown for code without a file, which a JIT compiler generated.
const GENERATED: &str = "[generated]";

/// The file name shown for addresses without mapped code.
const UNKNOWN: &str = "[unknown]";

/// The kernel's name for memory without a file.
const ANONYMOUS: &str = "//anon";

impl fmt::Debug for Programs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").field("processes", &self.recording.processes.len()).finish()
    }
}

impl<'a> Programs<'a> {
    /// Returns the programs of a recording. Symbols are read into `files`.
    pub fn new(recording: &'a Recording, files: &'a SymbolFiles) -> Self {
        let mut processes: HashMap<u32, Vec<&Process>> = HashMap::new();
        for process in &recording.processes {
            processes.entry(process.pid).or_default().push(process);
        }
        Self { recording, files, processes, found: RefCell::default() }
    }

    /// Returns the functions at an address of [`Sample::user`](crate::recording::Sample::user), for
    /// a process at the time of the sample, inlined ones first. There is at least one; an unknown
    /// one has no name.
    pub fn functions(&self, pid: u32, time: u64, address: u64) -> Vec<Arc<UserFunction>> {
        let mut found = self.found.borrow_mut();
        let Some(mapping) = self.process(pid, time).and_then(|process| mapping(process, time, address)) else {
            return vec![found.share(UserFunction { name: None, file: UNKNOWN.into(), source: None })];
        };
        let offset = address - mapping.addresses.start + mapping.offset;
        let place = (mapping.id, mapping.file.as_path(), offset);
        if let Some(functions) = found.functions.get(&place) {
            return functions.clone();
        }
        let file = found.names.entry(&mapping.file).or_insert_with(|| shown(&mapping.file).into()).clone();
        let image = match found.images.get(&(mapping.id, mapping.file.as_path())) {
            Some(image) => image.clone(),
            None => {
                let image = self.image(mapping).map(Rc::new);
                found.images.entry((mapping.id, &mapping.file)).or_insert(image).clone()
            }
        };
        let named = image.and_then(|image| Some(image.functions("", self.files, image.address(offset)?)));
        let name = |function: &Function| UserFunction {
            name: function.name.clone(),
            file: file.clone(),
            source: function.source.as_ref().map(|(file, line)| (file.as_str().into(), *line)),
        };
        let functions: Vec<UserFunction> = match &named {
            Some(functions) => functions.iter().map(name).collect(),
            None => vec![UserFunction { name: None, file: file.clone(), source: None }],
        };
        let functions: Vec<Arc<UserFunction>> = functions.into_iter().map(|function| found.share(function)).collect();
        found.functions.insert(place, functions.clone());
        functions
    }

    /// Returns the program that a process executed at this time.
    pub fn process(&self, pid: u32, time: u64) -> Option<&'a Process> {
        let programs = self.processes.get(&pid)?;
        programs.iter().rev().find(|program| program.since <= time).or(programs.first()).copied()
    }

    /// Returns the file and offset of an address. `None` for memory without a file, and for files
    /// that can no longer be read.
    pub fn place(&self, pid: u32, time: u64, address: u64) -> Option<CodePlace> {
        let mapping = mapping(self.process(pid, time)?, time, address)?;
        let file = self.readable(mapping)?;
        Some(CodePlace {
            file,
            offset: address - mapping.addresses.start + mapping.offset,
            shown: shown(&mapping.file),
        })
    }

    fn image(&self, mapping: &Mapping) -> Option<Image<'a>> {
        if mapping.file == Path::new(VDSO) {
            return Image::of_vdso(&own_vdso()?);
        }
        let path = self.readable(mapping)?;
        Image::of_file(File::open(&path).ok()?, path.to_string_lossy().into_owned())
    }

    /// Returns the path by which a mapped file can be read.
    fn readable(&self, mapping: &Mapping) -> Option<PathBuf> {
        let kept = self.recording.files.get(&mapping.id).and_then(Option::as_ref);
        // Debug information may lie next to the file.
        let is_it = fs::metadata(&mapping.file).is_ok_and(|found| found.ino() == mapping.id.inode);
        // Symbols are read by a path that is text.
        let is_text = mapping.file.to_str().is_some();
        match kept {
            Some(kept) if !is_it || !is_text => Some(PathBuf::from(format!("/proc/self/fd/{}", kept.as_raw_fd()))),
            _ if is_it => Some(mapping.file.clone()),
            _ => None,
        }
    }
}

impl Found<'_> {
    fn share(&mut self, function: UserFunction) -> Arc<UserFunction> {
        if let Some(shared) = self.shared.get(&function) {
            return shared.clone();
        }
        let shared = Arc::new(function);
        self.shared.insert(shared.clone());
        shared
    }
}

/// Returns the mapping of an address at this time.
fn mapping(process: &Process, time: u64, address: u64) -> Option<&Mapping> {
    let is_it = |mapping: &&Mapping| mapping.since <= time && mapping.addresses.contains(&address);
    process.mappings.iter().rev().find(is_it)
}

/// Returns the name of a file for reports.
fn shown(file: &Path) -> String {
    if file == Path::new(ANONYMOUS) { GENERATED.to_owned() } else { file.to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests;
