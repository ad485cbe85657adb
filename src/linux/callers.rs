//! Unwinds the stack of a stopped task by the unwind tables of its programs and libraries, and
//! names its functions by their symbols. Main type: [`Callers`].
//!
//! Unwinding is slow compared to a stop (every library is opened once), so it is used for new facts
//! only. It must not fail a run: a stack that cannot be read is cut there.

mod debug_info;
#[cfg(feature = "unstable")]
mod identity;
mod image;
mod layout;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

pub use self::debug_info::SymbolFiles;
pub use self::image::Image;
#[cfg(feature = "unstable")]
pub use self::image::{Function, Functions};
pub use self::layout::{Layout, UnwindRules};
#[cfg(feature = "unstable")]
pub use super::sys::StackRegisters;
#[cfg(not(feature = "unstable"))]
use super::sys::StackRegisters;
use super::{maps, sys};
use crate::model::facts::site::NoSite;
use crate::model::kernel::call::Tid;
use crate::model::observe::call_site::{CallSite, Frame};

/// The most frames that are read of a stack; deep recursion adds no information.
const MAX_FRAMES: usize = 128;

/// Unwind tables and symbols of the programs and libraries seen so far.
pub struct Callers<'a> {
    files: &'a SymbolFiles,
    /// Keyed by the file fields of a maps line: device, inode and path.
    images: HashMap<String, Option<Rc<Image<'a>>>>,
    rules: UnwindRules,
    /// The layout of the last task. The next one is most often the same task, or has the same
    /// layout.
    layout: Option<TaskLayout<'a>>,
    /// The tasks that have that layout for certain: see [`Self::identity`].
    same: HashSet<Tid>,
}

impl fmt::Debug for Callers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("images", &self.images.len()).finish()
    }
}

/// A task that waits until a child executes a program or ends. Until then, its stack is unchanged.
#[derive(Debug, Clone, Copy)]
pub struct WaitingParent(StackRegisters);

impl WaitingParent {
    /// Returns a task that has just created its child; `None` if the task is gone. The task must
    /// still be stopped.
    pub fn new(task: Tid) -> Option<Self> {
        sys::stack_registers(task).ok().map(Self)
    }
}

/// The code of a task, as its maps list it.
struct TaskLayout<'a> {
    /// The lines of the task's maps that are code.
    code: String,
    layout: Layout<'a>,
}

impl<'a> Callers<'a> {
    /// Returns an empty cache. Programs and libraries are read into `files`.
    pub fn new(files: &'a SymbolFiles) -> Self {
        Self { files, images: HashMap::new(), rules: UnwindRules::default(), layout: None, same: HashSet::new() }
    }

    /// Returns the call site of the event's task. Must be called from the sink of that event, while
    /// the task is still stopped.
    pub fn of(&mut self, task: Tid) -> CallSite {
        self.below(task, None)
    }

    /// Returns the call site of a child that its parent waits for. posix_spawn(3) gives the child
    /// its own stack, so the functions of the parent are appended. vfork(2) shares the parent's
    /// stack, so nothing is appended.
    pub fn of_child(&mut self, task: Tid, parent: &WaitingParent) -> CallSite {
        self.below(task, Some(parent))
    }

    fn below(&mut self, task: Tid, parent: Option<&WaitingParent>) -> CallSite {
        self.same.clear();
        let Ok(registers) = sys::stack_registers(task) else { return CallSite::without_frames(NoSite::Unreadable) };
        let files = self.files;
        let mut rules = std::mem::take(&mut self.rules);
        let layout = self.layout(task);
        let mut read = |address| sys::read_word(task, address).map_err(drop);
        let mut stack = |registers| {
            let mut frames = Vec::new();
            let mut visit = |address| name(task, address, files, layout, &mut frames);
            let end = layout.unwind(registers, &mut rules, &mut read, MAX_FRAMES, &mut visit);
            (frames, end)
        };
        let (mut frames, end) = stack(registers);
        if let Some(WaitingParent(registers)) = parent {
            // The child shares the memory of its parent, or has a copy.
            let (of_parent, its_end) = stack(*registers);
            frames.extend(of_parent.into_iter().filter(|_| its_end != end));
        }
        self.rules = rules;
        CallSite { frames, ..CallSite::default() }
    }

    /// Returns for how many programs and libraries symbols were loaded. The first stack through
    /// each waits for that, and `benches/callers.rs` reports it separately.
    #[doc(hidden)]
    pub fn loaded_symbols(&self) -> usize {
        self.images.values().flatten().filter(|image| image.has_symbols()).count()
    }

    /// Returns the current layout of the task.
    fn layout(&mut self, task: Tid) -> &Layout<'a> {
        let layout = match self.layout.take() {
            Some(layout) if self.same.contains(&task) => layout,
            before => {
                let maps = maps::text(task);
                let is_code = |line: &&str| maps::mappings(line).any(|mapping| mapping.is_code);
                let code: String = maps.split_inclusive('\n').filter(is_code).collect();
                let known = before.filter(|layout| layout.code == code);
                known.unwrap_or_else(|| {
                    self.same.clear();
                    self.lay_out(task, code)
                })
            }
        };
        self.same.insert(task);
        &self.layout.insert(layout).layout
    }

    fn lay_out(&mut self, task: Tid, code: String) -> TaskLayout<'a> {
        let mut layout = Layout::new();
        for mapping in maps::mappings(&code) {
            let Some(image) = self.image(task, &mapping) else { continue };
            let name = mapping.path.rsplit('/').next().unwrap_or(mapping.path).to_owned();
            layout.add(name, mapping.range, mapping.offset, image);
        }
        TaskLayout { code, layout }
    }

    fn image(&mut self, task: Tid, mapping: &maps::Mapping<'_>) -> Option<Rc<Image<'a>>> {
        match self.images.get(mapping.file) {
            Some(image) => image.clone(),
            None => {
                let image = Image::of_task(task, mapping).map(Rc::new);
                self.images.entry(mapping.file.to_owned()).or_insert(image).clone()
            }
        }
    }
}

/// Appends the functions at an address, inlined ones first.
fn name<'a>(task: Tid, address: u64, files: &'a SymbolFiles, layout: &Layout<'a>, frames: &mut Vec<Frame>) {
    let Some(module) = layout.module(address) else { return };
    frames.extend(module.functions(&image::root(task), files).iter().map(|function| Frame {
        function: function.name.clone(),
        source: function.source.clone(),
        is_compressed: module.image.is_compressed(),
        module: module.name.to_owned(),
        ..Frame::default()
    }));
}
