//! Every function of a kernel tree with its source file. Main function: [`functions`].
//!
//! `scan` reads C, `assembly` reads assembly, `macros` expands macros that make functions. `areas`
//! gives each file a subsystem.

mod areas;
mod assembly;
mod family;
mod macros;
mod scan;
mod tokens;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::Result;
use crate::maintainers::Maintainers;
use crate::tree::{Tree, Version};

use family::PREFIXES;
pub use family::family;
pub use scan::Linkage;

use areas::Areas;
use macros::{Call, Macro, Macros};
use scan::{Item, scan};

/// The functions of a tree.
#[derive(Debug)]
pub struct Functions {
    /// The version of the tree.
    pub version: Version,
    /// The files that define functions, ordered by path.
    pub files: Vec<SourceFile>,
}

/// A file that defines functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path in the tree.
    pub path: String,
    /// Its subsystem: `network`, or a helper such as `locking`.
    pub subsystem: String,
    /// Its section of MAINTAINERS, or `None` if only the catch-all covers it.
    pub section: Option<String>,
    /// The files that include it as a part of themselves (`#include "rt.c"`).
    pub included_by: Vec<String>,
    /// Its functions, ordered by name.
    pub functions: Vec<(String, Linkage)>,
}

/// Folders without code of a running kernel, and unsupported architectures.
const SKIPPED: [&str; 23] = [
    "Documentation/",
    "LICENSES/",
    "arch/arm64/boot/",
    "arch/riscv/boot/",
    "arch/riscv/purgatory/",
    "arch/x86/boot/compressed/",
    "arch/x86/boot/tools/",
    "arch/x86/entry/vdso/common/",
    "arch/x86/entry/vdso/vclock",
    "arch/x86/entry/vdso/vdso32/",
    "arch/x86/entry/vdso/vdso64/",
    "arch/x86/entry/vdso/vget",
    "arch/x86/math-emu/",
    "arch/x86/purgatory/",
    "arch/x86/realmode/",
    "arch/x86/tools/",
    "arch/x86/um/",
    "include/uapi/",
    "samples/",
    "scripts/",
    "tools/",
    "usr/",
    "drivers/firmware/efi/libstub/",
];

/// Files of `tools/` that kernel/bpf/ includes.
const SHARED_WITH_TOOLS: [&str; 3] =
    ["tools/lib/bpf/btf_iter.c", "tools/lib/bpf/btf_relocate.c", "tools/lib/bpf/relo_core.c"];

/// Files of 32-bit programs on 64-bit kernels. Other files with `_32` are for 32-bit kernels.
const COMPAT: [&str; 2] = ["arch/x86/entry/syscall_32.c", "arch/x86/kernel/signal_32.c"];

/// Headers with lines that become functions in the file that includes them: header, file.
const EXPANDED: [(&str, &str); 2] = [
    ("arch/x86/include/asm/idtentry.h", "arch/x86/entry/entry_64.S"),
    ("include/linux/lsm_hook_defs.h", "kernel/bpf/bpf_lsm.c"),
];

/// Returns whether a running kernel may contain functions of the file.
fn is_kernel_text(path: &str) -> bool {
    let for_32_bits = path.starts_with("arch/x86/") && path.contains("_32.") && !COMPAT.contains(&path);
    if for_32_bits || SHARED_WITH_TOOLS.contains(&path) {
        return !for_32_bits;
    }
    let is_supported = !path.starts_with("arch/")
        || ["arch/arm64/", "arch/riscv/", "arch/x86/"].iter().any(|arch| path.starts_with(arch));
    let in_boot = path.strip_prefix("arch/x86/boot/").is_some_and(|rest| !rest.contains('/'));
    is_supported && !in_boot && !SKIPPED.iter().any(|skipped| path.starts_with(skipped))
}

/// Returns the functions of a tree.
///
/// # Errors
/// Fails if a file of the tree cannot be read.
pub fn functions(tree: &Tree) -> Result<Functions> {
    let paths = sources(tree)?;
    let mut scanned = in_parallel(&paths, |path| Scanned::read(tree, path))?;
    let macros = Macros::of(scanned.iter_mut().flat_map(|file| file.macros.drain(..)).collect());
    for file in &mut scanned {
        file.expand(&macros);
    }
    add_exported(&mut scanned);
    move_expanded(&mut scanned);
    add_families(&mut scanned);
    let areas = Areas::new(&Maintainers::read(tree)?, &paths);
    let included_by = included_by(&scanned);
    let includers: HashSet<&String> = included_by.values().flatten().collect();
    scanned.retain(|file| !file.functions.is_empty() || includers.contains(&file.path));
    let files = scanned.into_iter().map(|file| SourceFile {
        subsystem: areas.subsystem(&file.path),
        section: areas.section(&file.path).map(str::to_owned),
        included_by: included_by.get(&file.path).cloned().unwrap_or_default(),
        functions: file.functions.into_iter().collect(),
        path: file.path,
    });
    Ok(Functions { version: tree.version(), files: files.collect() })
}

/// Returns the path and subsystem of every file of a tree that a running kernel may contain code
/// of. The subsystem is `None` if no rule, section or other file decides it: it counts as core.
///
/// # Errors
/// Fails if a folder of the tree cannot be read.
pub fn subsystems_of_files(tree: &Tree) -> Result<Vec<(String, Option<String>)>> {
    let paths = sources(tree)?;
    let areas = Areas::new(&Maintainers::read(tree)?, &paths);
    Ok(paths.iter().map(|path| (path.clone(), areas.decided(path).map(str::to_owned))).collect())
}

fn sources(tree: &Tree) -> Result<Vec<String>> {
    let is_source = |name: &str| [".c", ".h", ".S"].iter().any(|ending| name.ends_with(ending));
    let mut paths = tree.files("", is_source)?;
    paths.retain(|path| is_kernel_text(path));
    Ok(paths)
}

/// The items of one file.
#[derive(Debug, Default)]
struct Scanned {
    path: String,
    functions: BTreeMap<String, Linkage>,
    calls: Vec<Call>,
    macros: Vec<(String, Macro)>,
    includes: Vec<String>,
    exported: Vec<String>,
}

impl Scanned {
    fn read(tree: &Tree, path: &str) -> Result<Self> {
        Ok(Self::of(path, &tree.read(path)?))
    }

    fn of(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        if path.ends_with(".S") {
            assembly::functions(text, &mut |name, linkage| add(&mut file.functions, name, linkage));
            return file;
        }
        // A third of the tree is headers that only define register numbers: skip them.
        if path.ends_with(".h")
            && !["{", "DECLARE_", "DEFINE_", "TRACE_", "LSM_"].iter().any(|sign| text.contains(sign))
        {
            return file;
        }
        scan(text, &mut |item| match item {
            Item::Function { name, linkage } => add(&mut file.functions, name, linkage),
            Item::Label(name) => add(&mut file.functions, name, Linkage::Static),
            Item::Call { name, arguments, .. } if name.starts_with("EXPORT_") => {
                file.exported.extend(macros::split(arguments).first().map(|&name| name.to_owned()));
            }
            Item::Call { name, .. } if name.starts_with("MODULE_") => {}
            Item::Call { name, arguments, is_static, has_body } => {
                file.calls.push(Call { name: name.to_owned(), arguments: arguments.to_owned(), is_static, has_body })
            }
            Item::Macro { name, parameters, body } => {
                let parameters = macros::split(parameters).into_iter().map(str::to_owned).collect();
                let made = Macro { file: path.to_owned(), parameters, body: body.to_owned() };
                file.macros.push((name.to_owned(), made));
            }
            Item::Include(included) => file.includes.push(included.to_owned()),
        });
        file
    }

    fn expand(&mut self, macros: &Macros) {
        for call in std::mem::take(&mut self.calls) {
            macros.expand(&self.path, &call, &mut |name, linkage| add(&mut self.functions, name, linkage));
        }
    }
}

/// Adds a function. Of several definitions in one file, the most visible counts: the others are for
/// kernels without an option.
fn add(functions: &mut BTreeMap<String, Linkage>, name: &str, linkage: Linkage) {
    let known = functions.entry(name.to_owned()).or_insert(linkage);
    if *known == Linkage::Static {
        *known = linkage;
    }
}

/// Adds functions that a file exports and no file defines: an unknown macro defines them.
fn add_exported(files: &mut [Scanned]) {
    let defined: HashSet<String> = files.iter().flat_map(|file| file.functions.keys().cloned()).collect();
    for file in files {
        for name in std::mem::take(&mut file.exported) {
            let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            if is_name && !defined.contains(&name) {
                add(&mut file.functions, &name, Linkage::Global);
            }
        }
    }
}

/// Moves the functions of a header to the file that makes them.
fn move_expanded(files: &mut [Scanned]) {
    for (header, maker) in EXPANDED {
        let Some(header) = files.iter_mut().find(|file| file.path == header) else { continue };
        let is_made = |name: &String| name.starts_with("asm_") || name.starts_with("bpf_lsm_");
        let made: Vec<_> = header.functions.extract_if(.., |name, _| is_made(name)).collect();
        if let Some(maker) = files.iter_mut().find(|file| file.path == maker) {
            made.into_iter().for_each(|(name, linkage)| add(&mut maker.functions, &name, linkage));
        }
    }
}

/// Adds the families that are known by the beginning of their names.
fn add_families(files: &mut [Scanned]) {
    for (prefix, maker) in PREFIXES {
        if let Some(maker) = files.iter_mut().find(|file| file.path == maker) {
            add(&mut maker.functions, &format!("prefix {prefix}"), Linkage::Global);
        }
    }
}

/// Returns which files include a C file.
fn included_by(files: &[Scanned]) -> HashMap<String, Vec<String>> {
    let known: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut included = HashMap::<String, Vec<String>>::new();
    for file in files.iter().filter(|file| file.path.ends_with(".c")) {
        for include in &file.includes {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let path = joined(folder, include);
            if known.contains(path.as_str()) && path != file.path {
                included.entry(path).or_default().push(file.path.clone());
            }
        }
    }
    included
}

/// `kernel/sched` and `../x.c` → `kernel/x.c`
fn joined(folder: &str, include: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in include.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Maps the paths on all CPUs, in their order.
fn in_parallel<T: Send>(paths: &[String], map: impl Fn(&str) -> Result<T> + Sync) -> Result<Vec<T>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = paths
            .chunks(share)
            .map(|paths| scope.spawn(|| paths.iter().map(|path| map(path)).collect::<Result<Vec<T>>>()))
            .collect();
        let mut all = Vec::with_capacity(paths.len());
        for worker in workers {
            // Propagate a worker's panic.
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests;
