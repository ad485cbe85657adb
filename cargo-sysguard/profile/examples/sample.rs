//! Samples a command and prints its totals and its functions by their own time, one a line with
//! tabs between: `user|kernel`, samples, name or address, file. Names of kernel functions come from
//! `/proc/kallsyms`. Its output can be compared with `perf report`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use profile::perf::{self, CallGraph, Options};
use profile::user::Programs;
use sysguard::unstable::linux::{Command, Environment, Limits, Stream, SymbolFiles};
use sysguard::unstable::runner::{Lookup, find_command};

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut options = Options::new(Limits { timeout: None, stop: None, grace: Duration::from_secs(2) });
    let (mut is_stacks, mut is_count) = (false, false);
    while let Some(first) = arguments.first().and_then(|word| word.to_str()).filter(|word| word.starts_with('-')) {
        match first {
            "--fp" => options.call_graph = CallGraph::FramePointers,
            "--stacks" => is_stacks = true,
            "--count" => is_count = true,
            other => options.frequency = other.trim_start_matches("-F").parse()?,
        }
        arguments.remove(0);
    }
    let Lookup::Found(program) = find_command(arguments.first().ok_or("no command")?) else {
        return Err("not found".into());
    };
    let stdio = [Stream::Inherited, Stream::Inherited, Stream::Inherited];
    let environment = Environment::Inherited;
    let command = Command {
        program,
        argv: arguments,
        environment,
        cwd: None,
        scratch: None,
        stdio,
        isolated: false,
        filters: Vec::new(),
    };
    if is_count {
        let counted = perf::count(command, &options.limits)?;
        println!("totals\t{:?}", counted.totals);
        return Ok(());
    }
    let perf::Recorded { recording, exit, killed_stragglers, .. } = perf::record(command, &options)?;
    println!("exit\t{exit:?}\tkilled {killed_stragglers}");
    println!("samples\t{}\t{:?}", recording.samples.iter().map(|sample| sample.count).sum::<u64>(), recording.clock);
    println!("lost\t{}\tthrottled {}", recording.lost, recording.throttled);
    println!("distinct\t{}\tprocesses {}", recording.samples.len(), recording.processes.len());
    println!("missing\t{:?}", recording.missing);
    println!(
        "elapsed\t{:?}\tuser {:?} system {:?}",
        recording.totals.elapsed, recording.totals.user, recording.totals.system
    );
    recording.totals.counts.iter().for_each(|count| println!("{}\t{}\t{}", count.event, count.value, count.counted));
    let files = SymbolFiles::with_debug_packages();
    let programs = Programs::new(&recording, &files);
    let kernel = kallsyms()?;
    let name_kernel = |address: u64| kernel.range(..=address).next_back().map_or("?", |(_, name)| name.as_str());
    let mut own: BTreeMap<(&str, String, PathBuf), u64> = BTreeMap::new();
    for sample in &recording.samples {
        let user = |address: &u64| programs.functions(sample.pid, sample.time, *address);
        let key = match (sample.kernel.first(), sample.user.first()) {
            (Some(address), _) => ("kernel", name_kernel(*address).to_owned(), PathBuf::new()),
            (None, Some(address)) => {
                // perf report counts inlined functions for the function that holds them.
                let function = user(address).pop().ok_or("a function")?;
                ("user", function.name.clone().unwrap_or_default(), PathBuf::from(&*function.file))
            }
            (None, None) => ("none", String::new(), PathBuf::new()),
        };
        *own.entry(key).or_default() += sample.count;
        if is_stacks {
            let kernel = sample.kernel.iter().map(|address| name_kernel(*address).to_owned());
            let user = sample
                .user
                .iter()
                .flat_map(user)
                .map(|function| function.name.clone().unwrap_or_else(|| format!("[{}]", function.file)));
            let stack: Vec<String> = kernel.chain(user).collect();
            println!("stack\t{}\t{}", sample.count, stack.join(";"));
        }
    }
    let mut own: Vec<_> = own.into_iter().collect();
    own.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples));
    own.iter().for_each(|((mode, name, file), samples)| println!("{mode}\t{samples}\t{name}\t{}", file.display()));
    Ok(())
}

fn kallsyms() -> std::io::Result<BTreeMap<u64, String>> {
    let text = fs::read_to_string("/proc/kallsyms")?;
    let symbols = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        words.next().filter(|kind| matches!(*kind, "t" | "T" | "w" | "W"))?;
        Some((address, words.next()?.to_owned()))
    });
    Ok(symbols.collect())
}
