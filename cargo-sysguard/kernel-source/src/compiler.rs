//! Evaluates constants of a tree's raw uapi headers with `cc`. Main type: [`Compiler`].
//!
//! An ioctl number contains the size of its argument, so only a compiler can compute it. Nothing is
//! linked or run: values are read from the assembly, as the kernel's asm-offsets does, so any
//! 64-bit machine can evaluate other targets. It must not choose names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Result;
use crate::tree::Tree;

/// The headers of one architecture in one tree.
pub struct Compiler {
    folder: tempfile::TempDir,
    includes: Vec<PathBuf>,
    wide: bool,
}

/// An architecture with its own numbers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its directory below arch/.
    pub arch: &'static str,
    /// Whether its words have 64 bits.
    pub wide: bool,
}

/// Every target, the most common first.
pub const TARGETS: [Target; 4] = [
    Target { arch: "x86", wide: true },
    Target { arch: "arm64", wide: true },
    Target { arch: "riscv", wide: true },
    Target { arch: "x86", wide: false },
];

impl Target {
    /// Returns whether this is the first of [`TARGETS`] with words of this width.
    pub fn is_first_of_its_width(self) -> bool {
        self.arch == TARGETS[0].arch
    }
}

/// Replacements for headers that a kernel build or the C library provides, as far as sizes need
/// them.
const STAND_INS: &[(&str, &str)] = &[
    ("linux/compiler_types.h", ""),
    ("linux/compiler.h", ""),
    // Of include/xen/interface/xen.h.
    ("xen/interface/xen.h", "typedef unsigned long xen_pfn_t;\n"),
    ("linux/version.h", ""),
    ("asm/unistd_64.h", ""),
    ("asm/unistd_32.h", ""),
    ("sys/types.h", "#include <linux/types.h>\n"),
    ("sys/time.h", "#include <linux/time.h>\n"),
    ("sys/ioctl.h", "#include <linux/ioctl.h>\n"),
    ("time.h", "#include <linux/time.h>\ntypedef __kernel_old_time_t time_t;\n"),
    ("endian.h", ""),
    ("limits.h", ""),
    ("stdlib.h", ""),
    ("string.h", ""),
    (
        "sys/socket.h",
        "#ifndef STAND_IN\n#define STAND_IN\n#include <linux/socket.h>\n#define MSG_FIN 0x200\ntypedef __kernel_sa_family_t sa_family_t;\n#define sockaddr_storage __kernel_sockaddr_storage\n\
         struct sockaddr { unsigned short sa_family; char sa_data[14]; };\n#endif\n",
    ),
    ("netinet/in.h", "#include <linux/in.h>\n"),
    ("netinet/if_ether.h", "#include <linux/if_ether.h>\n"),
];

/// The includes before any other header. The last ones define types for headers that do not include
/// them themselves.
pub const PRELUDE: &str = "#include <stddef.h>\n#include <stdint.h>\n#include <linux/types.h>\n#include <linux/ioctl.h>\n#include <sys/socket.h>\n\
    #include <linux/time.h>\n#include <linux/major.h>\n#include <asm/termbits.h>\n#include <asm/ioctls.h>\n#include <linux/serial.h>\n#include <linux/fiemap.h>\n\
    #include <linux/blktrace_api.h>\n#include <linux/sockios.h>\n#include <linux/filter.h>\n#include <linux/atmdev.h>\ntypedef __u16 domid_t;\n";

impl Compiler {
    /// Lays out the headers of one architecture.
    pub fn new(tree: &Tree, target: Target) -> Result<Self> {
        let folder =
            tempfile::tempdir().map_err(|cause| format!("cannot create a folder for the compiler: {cause}"))?;
        let own = format!("arch/{}/include/uapi", target.arch);
        let generated = folder.path().join("include");
        for header in tree.files("include/uapi/asm-generic", |name| name.ends_with(".h"))? {
            let name = header.trim_start_matches("include/uapi/asm-generic/");
            // `generic-y` in include/uapi/asm-generic/Kbuild does the same for a header that an
            // architecture lacks.
            if tree.read_if_present(&format!("{own}/asm/{name}")).is_none() {
                write(&generated.join("asm").join(name), &format!("#include <asm-generic/{name}>\n"))?;
            }
        }
        for (name, text) in STAND_INS {
            write(&generated.join(name), text)?;
        }
        let includes = vec![generated, tree.path(&own), tree.path("include/uapi")];
        Ok(Self { folder, includes, wide: target.wide })
    }

    /// Returns the value of every name that is a constant after this prelude. Other names are left
    /// out.
    pub fn values(&self, prelude: &str, names: &[String]) -> Result<BTreeMap<String, i64>> {
        let mut names: Vec<&String> = names.iter().collect();
        loop {
            let (source, first) = self.question(prelude, &names)?;
            let output = self.cc(&["-S", "-O1", "-o", "-"], &source)?;
            if output.status.success() {
                return Ok(answers(&String::from_utf8_lossy(&output.stdout)));
            }
            let refused = refused_lines(&String::from_utf8_lossy(&output.stderr), &source);
            let before = names.len();
            let mut line = first;
            names.retain(|_| {
                line += 1;
                !refused.contains(&(line - 1))
            });
            // The prelude itself does not compile: it has a header of another architecture.
            if names.len() == before || names.is_empty() {
                return Ok(BTreeMap::new());
            }
        }
    }

    /// Returns the expansion of each name, without expanding `_IOC`. An undefined name expands to
    /// itself.
    ///
    /// # Errors
    ///
    /// The prelude includes a header that neither the tree nor `STAND_INS` has.
    pub fn expansions(&self, prelude: &str, names: &[String]) -> Result<BTreeMap<String, String>> {
        let mut text = format!("{prelude}\n#undef _IOC\n");
        names.iter().for_each(|name| text += &format!("@@\"{name}\" {name}\n"));
        let source = self.write_source(&text)?;
        let output = self.cc(&["-E", "-P"], &source)?;
        if !output.status.success() {
            let messages = String::from_utf8_lossy(&output.stderr).into_owned();
            let first = messages.lines().find(|line| line.contains("error:")).unwrap_or("cc failed");
            return Err(format!("cannot preprocess the headers: {first}"));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().filter_map(|line| line.strip_prefix("@@\"")?.split_once("\" "));
        Ok(lines.map(|(name, expansion)| (name.to_owned(), expansion.to_owned())).collect())
    }

    /// Writes the source with one name per line, and returns the number of the first of these
    /// lines.
    fn question(&self, prelude: &str, names: &[&String]) -> Result<(PathBuf, usize)> {
        let mut text = format!("{prelude}\nvoid answer(void) {{\n");
        let first = text.lines().count() + 1;
        for name in names {
            // A value that does not fit into 32 bits is refused, not truncated.
            let value = match self.wide {
                true => format!("(long)({name})"),
                false => format!("(unsigned int)({name}) * sizeof(char[({name}) > 0xffffffffLL ? -1 : 1])"),
            };
            text += &format!("asm volatile(\"\\n->{name} %0\" :: \"i\" ({value}));\n");
        }
        Ok((self.write_source(&(text + "}\n"))?, first))
    }

    fn write_source(&self, text: &str) -> Result<PathBuf> {
        let path = self.folder.path().join("question.c");
        write(&path, text)?;
        Ok(path)
    }

    fn cc(&self, action: &[&str], source: &Path) -> Result<Output> {
        let mut cc = Command::new("cc");
        cc.args(action).args(["-w", "-nostdinc", "-ffreestanding", "-ftrack-macro-expansion=0", "-fmax-errors=0"]);
        cc.args([
            "-D__user=",
            "-D__force=",
            "-D__EXPORTED_HEADERS__",
            "-D__attribute_const__=",
            "-D__packed=__attribute__((packed))",
        ]);
        if !self.wide {
            cc.arg("-m32");
        }
        for include in &self.includes {
            cc.arg("-I").arg(include);
        }
        // The compiler provides stdint.h, stddef.h and stdbool.h.
        cc.arg("-isystem").arg(compilers_own()?).arg(source);
        cc.output().map_err(|cause| format!("cannot run cc: {cause}\nhelp: install a C compiler"))
    }
}

fn compilers_own() -> Result<PathBuf> {
    let output = Command::new("cc")
        .arg("-print-file-name=include")
        .output()
        .map_err(|cause| format!("cannot run cc: {cause}\nhelp: install a C compiler"))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

/// Parses lines of the assembly such as `->NAME $21505`.
fn answers(assembly: &str) -> BTreeMap<String, i64> {
    let lines = assembly.lines().filter_map(|line| line.strip_prefix("->")?.split_once(' '));
    lines
        .filter_map(|(name, value)| Some((name.to_owned(), value.trim().trim_start_matches('$').parse().ok()?)))
        .collect()
}

/// Returns the lines of errors such as `PATH:LINE:COLUMN: error: …`.
fn refused_lines(messages: &str, source: &Path) -> BTreeSet<usize> {
    let source = format!("{}:", source.display());
    let errors = messages.lines().filter(|line| line.contains("error:"));
    errors.filter_map(|line| line.strip_prefix(&source)?.split(':').next()?.parse().ok()).collect()
}

fn write(path: &Path, text: &str) -> Result<()> {
    let fail = |cause| format!("cannot write `{}`: {cause}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(fail)?;
    fs::write(path, text).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_errors_are_parsed() {
        let assembly = "\t.text\n#APP\n# 3 \"question.c\" 1\n->TCGETS $21505\n->CLONE_IO 2147483648\n#NO_APP\n";
        let expected = [("TCGETS".to_owned(), 21505), ("CLONE_IO".to_owned(), 2_147_483_648)];
        assert_eq!(answers(assembly), BTreeMap::from(expected));
        let messages =
            "/t/question.c:7:2: error: 'X' undeclared\n/t/a.h:3:1: error: no\n/t/question.c:9:2: note: here\n";
        assert_eq!(refused_lines(messages, Path::new("/t/question.c")), BTreeSet::from([7]));
    }
}
