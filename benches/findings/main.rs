//! Measures the cost of findings by their number: every step from an observation to its reports.
//!
//! `cargo bench --bench findings` makes observations of 1,000, 4,000 and 40,000 facts and takes
//! each through comparison, confirmation, recording, review and every report format. It prints
//! microseconds per fact, and the growth of the cost per fact from the smallest size to the
//! largest: about 1 where a step is linear, up to 4 where it looks up in a tree, which outgrows the
//! processor's caches, and 40 where it is quadratic.
//!
//! `-- --facts 1000,4000` measures other sizes. `-- --write FOLDER` writes each text that a step
//! makes, so that `diff -r` shows whether two versions of sysguard write the same bytes.

mod shapes;
mod steps;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use shapes::Shape;

const FACTS: &[usize] = &[1_000, 4_000, 40_000];

struct Options {
    facts: Vec<usize>,
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    match options().and_then(|options| measure(&options, &mut io::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Parses the arguments; cargo adds arguments of its own.
fn options() -> io::Result<Options> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let mut options = Options { facts: FACTS.to_vec(), folder: None };
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| io::Error::other(format!("{word} needs a value")))?;
        match word.as_str() {
            "--facts" => {
                let facts: Result<_, _> = value.split(',').map(str::parse).collect();
                options.facts = facts.map_err(|_| io::Error::other("--facts takes numbers: 1000,4000"))?;
            }
            "--write" => options.folder = Some(value.into()),
            _ => return Err(io::Error::other(format!("unknown option {word}: use --facts or --write"))),
        }
    }
    Ok(options)
}

fn measure(options: &Options, out: &mut dyn Write) -> io::Result<()> {
    for shape in Shape::ALL {
        let mut costs: BTreeMap<usize, Vec<(&str, Duration)>> = BTreeMap::new();
        for &facts in &options.facts {
            let made = steps::all(shape, facts, options.folder.is_some());
            if let Some(folder) = &options.folder {
                let folder = folder.join(shape.name()).join(facts.to_string());
                std::fs::create_dir_all(&folder)?;
                made.iter().try_for_each(|step| std::fs::write(folder.join(step.name), &step.text))?;
            }
            costs.insert(facts, made.iter().map(|step| (step.name, step.elapsed)).collect());
        }
        table(shape, &costs, out)?;
    }
    Ok(())
}

/// Prints one line per step: microseconds per fact at each size, and the growth from the first to
/// the last.
fn table(shape: Shape, costs: &BTreeMap<usize, Vec<(&str, Duration)>>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}: µs per fact", shape.meaning())?;
    write!(out, "{:<24}", "facts")?;
    costs.keys().try_for_each(|facts| write!(out, "{facts:>12}"))?;
    writeln!(out, "{:>10}", "growth")?;
    let names = costs.values().next().map(|steps| steps.iter().map(|(name, _)| *name)).into_iter().flatten();
    for (at, name) in names.enumerate() {
        let each = costs.iter().map(|(&facts, steps)| steps[at].1.as_secs_f64() * 1e6 / facts as f64);
        let each: Vec<f64> = each.collect();
        write!(out, "{name:<24}")?;
        each.iter().try_for_each(|cost| write!(out, "{cost:>12.2}"))?;
        let growth = each.last().zip(each.first()).map_or(1.0, |(last, first)| last / first);
        writeln!(out, "{growth:>10.1}")?;
    }
    Ok(())
}
