//! Unwinds copies of user stacks by the unwind tables of the mapped files. Main type:
//! [`Unwinder`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use sysguard::unstable::linux::{Image, Layout, StackRegisters, UnwindRules};

use crate::recording::{FileId, Files, Mapping, VDSO};

/// The most frames of a stack: kernel.perf_event_max_stack has the same default.
const MAX_FRAMES: usize = 127;

/// Unwind tables of the files seen so far.
#[derive(Default)]
pub(super) struct Unwinder {
    images: HashMap<FileId, Option<Rc<Image<'static>>>>,
    vdso: Option<Rc<Image<'static>>>,
    rules: UnwindRules,
}

/// The code of a process, filled when its first stack is unwound. A forked process shares the code
/// of its parent until it maps more.
#[derive(Default, Clone)]
pub(super) struct Code(Option<Rc<Layout<'static>>>);

impl Unwinder {
    /// Returns the addresses of a stack, as in a recording. `registers` and `stack` come from a
    /// sample.
    pub(super) fn unwind(
        &mut self,
        code: &mut Code,
        mappings: &[Mapping],
        files: &Files,
        registers: &[u64],
        stack: &[u8],
    ) -> Vec<u64> {
        let Some(registers) = stack_registers(registers) else { return Vec::new() };
        if code.0.is_none() {
            let mut layout = Layout::new();
            mappings.iter().for_each(|mapping| self.add(&mut layout, mapping, files));
            code.0 = Some(Rc::new(layout));
        }
        let mut addresses = Vec::new();
        let Some(layout) = &code.0 else { return addresses };
        let base = registers.stack;
        let mut read = |address: u64| word(stack, address.wrapping_sub(base)).ok_or(());
        layout.unwind(registers, &mut self.rules, &mut read, MAX_FRAMES, &mut |address| addresses.push(address));
        addresses
    }

    /// Adds a mapping to the code of a process that has been filled.
    pub(super) fn map(&mut self, code: &mut Code, mapping: &Mapping, files: &Files) {
        if let Some(layout) = &mut code.0 {
            self.add(Rc::make_mut(layout), mapping, files);
        }
    }

    fn add(&mut self, layout: &mut Layout<'static>, mapping: &Mapping, files: &Files) {
        match self.image(mapping, files) {
            Some(image) => layout.add(String::new(), mapping.addresses.clone(), mapping.offset, image),
            None => layout.remove(&mapping.addresses),
        }
    }

    fn image(&mut self, mapping: &Mapping, files: &Files) -> Option<Rc<Image<'static>>> {
        if mapping.file == Path::new(VDSO) {
            self.vdso = self.vdso.take().or_else(|| Image::of_vdso(&own_vdso()?).map(Rc::new));
            return self.vdso.clone();
        }
        let read = || {
            let file = match files.get(&mapping.id) {
                Some(file) => file.as_ref()?.try_clone().ok()?,
                None => File::open(&mapping.file).ok()?,
            };
            Image::of_file(file, mapping.file.to_string_lossy().into_owned()).map(Rc::new)
        };
        self.images.entry(mapping.id).or_insert_with(read).clone()
    }
}

/// Returns the vDSO of this process. The kernel maps the same one into every 64-bit process.
pub(crate) fn own_vdso() -> Option<Vec<u8>> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with(VDSO))?;
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    let start = u64::from_str_radix(start, 16).ok()?;
    let length = u64::from_str_radix(end, 16).ok()?.checked_sub(start)?;
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}

/// Returns a word of a stack at this distance from the stack pointer.
fn word(stack: &[u8], offset: u64) -> Option<u64> {
    let bytes = stack.get(usize::try_from(offset).ok()?..)?;
    bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(target_arch = "x86_64")]
fn stack_registers(registers: &[u64]) -> Option<StackRegisters> {
    let &[frame, stack, instruction] = registers else { return None };
    Some(StackRegisters { instruction, stack, frame })
}

#[cfg(target_arch = "aarch64")]
fn stack_registers(registers: &[u64]) -> Option<StackRegisters> {
    let &[frame, link, stack, instruction] = registers else { return None };
    Some(StackRegisters { instruction, link, stack, frame })
}
