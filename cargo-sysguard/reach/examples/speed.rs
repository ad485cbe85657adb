//! Measures the analysis of programs, none of which is run: a table of seconds and memory.
//!
//! ```text
//! cargo run --release -p sysguard-reach --example speed -- git redis-server
//! ```
//!
//! A name without a slash is looked for on PATH. Each program is analysed in a process of its own.
//! `seconds` is the time that it takes, `processor` the processor time of it, `kept` the time of a
//! second analysis that finds the results of the first one, and `peak` the largest resident set.
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64"),
    expect(clippy::print_stdout, reason = "a table is what this program is for")
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    measure::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod measure {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::error::Error;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::time::{Duration, Instant};
    use std::{env, fs};

    use reach::survey::Survey;

    /// Precedes the program in the process that analyses it.
    const ONE: &str = "--one";

    pub(super) fn main() -> Result<(), Box<dyn Error>> {
        let programs: Vec<String> = env::args().skip(1).collect();
        if let [one, program] = &programs[..]
            && one == ONE
        {
            return row(program);
        }
        println!("| program | MB of files | calls | seconds | processor | kept | peak |");
        println!("|---|--:|--:|--:|--:|--:|--:|");
        for program in programs {
            Command::new(env::current_exe()?).args([ONE, &program]).status()?;
        }
        Ok(())
    }

    fn row(name: &str) -> Result<(), Box<dyn Error>> {
        let program = find(name);
        let memory = RefCell::<HashMap<String, Vec<u8>>>::default();
        let survey = || {
            let start = Instant::now();
            Survey::of(&program, &[], None, Some(&memory)).map(|survey| (survey, start.elapsed().as_secs_f64()))
        };
        let (fresh, seconds) = survey()?;
        let (processor, peak) = (processor()?.as_secs_f64(), peak()?);
        let (_, kept) = survey()?;
        let size: usize = fresh.modules.found().iter().map(|file| file.bytes.len()).sum();
        let (size, calls) = (size as f64 / 1e6, fresh.reach.calls.len());
        println!("| {name} | {size:.0} | {calls} | {seconds:.2} | {processor:.2} | {kept:.2} | {peak} MB |");
        Ok(())
    }

    fn find(name: &str) -> PathBuf {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut files = env::split_paths(&path).map(|folder| folder.join(name));
        files.find(|file| !name.contains('/') && file.is_file()).unwrap_or_else(|| Path::new(name).to_owned())
    }

    /// Returns the processor time of this process, which has one thread.
    fn processor() -> Result<Duration, Box<dyn Error>> {
        let text = fs::read_to_string("/proc/self/schedstat")?;
        Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
    }

    /// Returns the peak resident set size in MB (VmHWM of proc_pid_status(5), which counts in kB).
    fn peak() -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1000)
    }
}
