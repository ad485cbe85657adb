//! Measures how well kernel functions are resolved to source files.
//!
//! Without options, it counts all functions of the running kernel. With `--samples FILE`, it counts
//! the innermost kernel functions of samples:
//!
//! ```text
//! perf record -F 997 -g -e cpu-clock -- COMMAND
//! perf script -F ip > samples
//! cargo run -p sysguard-profile --example resolution -- --samples samples
//! ```
//!
//! With `--vmlinux FILE`, it compares all functions of a kernel with its debug information, as in
//! Debian's package `linux-image-VERSION-dbg`:
//!
//! ```text
//! cargo run -p sysguard-profile --example resolution -- --release 6.12.117 \
//!     --vmlinux /usr/lib/debug/boot/vmlinux-6.12.117+deb13-amd64
//! ```

mod debug_info;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use profile::kernel::Kernel;
use profile::profile::{KernelFunction, KnownBy};

use debug_info::Truth;

/// Measure how well kernel functions are resolved to source files
#[derive(Parser)]
struct Options {
    /// Count the innermost kernel functions of these samples: output of `perf script -F ip`
    #[arg(long, value_name = "FILE", conflicts_with = "vmlinux")]
    samples: Option<PathBuf>,
    /// Compare the functions of this kernel with its debug information
    #[arg(long, value_name = "FILE", requires = "release")]
    vmlinux: Option<PathBuf>,
    /// The release of the kernel given with --vmlinux
    #[arg(long, value_name = "VERSION")]
    release: Option<String>,
    /// Look up source files in this kernel source tree instead of the built-in index
    #[arg(long, value_name = "DIR")]
    kernel_source: Option<PathBuf>,
    /// Print every function that is not resolved, decided by neighbours, or wrong
    #[arg(long)]
    list: bool,
}

/// Counts of functions or samples.
#[derive(Default)]
struct Counts {
    known: BTreeMap<KnownBy, u64>,
    wrong: BTreeMap<KnownBy, u64>,
    checked: BTreeMap<KnownBy, u64>,
    lines: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // A closed stderr cannot be reported.
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options, out: &mut impl Write) -> Result<(), String> {
    let source = options.kernel_source.as_deref();
    let mut counts = Counts::default();
    let kernel = if let (Some(path), Some(release)) = (&options.vmlinux, &options.release) {
        let truth = Truth::read(path)?;
        let kernel = Kernel::of(&truth.symbols, release, source).map_err(|cause| format!("{cause:?}"))?;
        for (address, function) in kernel.functions() {
            counts.check(address, function, truth.at(address));
        }
        kernel
    } else {
        let kernel = Kernel::running(source).map_err(|cause| format!("{cause:?}"))?;
        match &options.samples {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|cause| format!("cannot read {path:?}: {cause}"))?;
                leaves(&text).for_each(|address| counts.add(None, &kernel.function(address)));
            }
            None => kernel.functions().for_each(|(address, function)| counts.add(Some(address), function)),
        }
        kernel
    };
    counts.print(kernel.index_version(), options.list, out).map_err(|cause| format!("cannot write: {cause}"))
}

/// Returns the innermost address of each sample that is in the kernel.
fn leaves(text: &str) -> impl Iterator<Item = u64> {
    let stacks = text.split("\n\n").filter_map(|stack| stack.split_whitespace().next());
    stacks.filter_map(|word| u64::from_str_radix(word, 16).ok()).filter(|address| *address >> 63 == 1)
}

impl Counts {
    fn add(&mut self, address: Option<u64>, function: &KernelFunction) {
        *self.known.entry(function.known_by).or_default() += 1;
        if function.known_by != KnownBy::Name {
            *self.lines.entry(line(address, function)).or_default() += 1;
        }
    }

    /// Compares with the file that declares the function, and with the compiled file. Either is
    /// right for a function of a header or a macro.
    fn check(&mut self, address: u64, function: &KernelFunction, truth: Option<(&str, &str)>) {
        *self.known.entry(function.known_by).or_default() += 1;
        let Some((declared, compiled)) = truth else {
            if function.place.is_none() {
                *self.lines.entry(format!("{} (no debug information)", line(Some(address), function))).or_default() +=
                    1;
            }
            return;
        };
        *self.checked.entry(function.known_by).or_default() += 1;
        let found = function.place.as_ref().map_or("", |place| &place.file);
        if found == declared || found == compiled {
            return;
        }
        *self.wrong.entry(function.known_by).or_default() += 1;
        *self.lines.entry(format!("{}: {declared} in {compiled}", line(Some(address), function))).or_default() += 1;
    }

    fn print(&self, version: &str, list: bool, out: &mut impl Write) -> io::Result<()> {
        let all: u64 = self.known.values().sum();
        writeln!(out, "{all} functions or samples, index of Linux {version}")?;
        for (known_by, count) in &self.known {
            let get = |counts: &BTreeMap<KnownBy, u64>| counts.get(known_by).copied().unwrap_or(0);
            write!(out, "{:>10} {count:>7} {:>6.2} %", format!("{known_by:?}"), share(*count, all))?;
            if !self.checked.is_empty() && *known_by != KnownBy::Nothing {
                let (checked, wrong) = (get(&self.checked), get(&self.wrong));
                write!(out, "; wrong {wrong} of {checked} = {:.3} %", share(wrong, checked))?;
            }
            writeln!(out)?;
        }
        let mut lines: Vec<_> = self.lines.iter().filter(|_| list).collect();
        lines.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        lines.into_iter().try_for_each(|(line, count)| writeln!(out, "{count:>7} {line}"))
    }
}

fn share(part: u64, whole: u64) -> f64 {
    let [part, whole] = [part, whole].map(|number| f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
    if whole == 0.0 { 0.0 } else { 100.0 * part / whole }
}

fn line(address: Option<u64>, function: &KernelFunction) -> String {
    let address = address.map_or_else(String::new, |address| format!("{address:x} "));
    let module = function.module.as_deref().map_or_else(String::new, |module| format!(" [{module}]"));
    let file = function.place.as_ref().map_or("?", |place| &place.file);
    format!("{:?} {address}{}{module} {file}", function.known_by, function.name)
}
