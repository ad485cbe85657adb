//! Measures the cost of tracing: each workload under each engine, as ratios to its native time.
//!
//! `cargo bench --bench engines -- [--quick] [--growth] [--rounds N] [--engine NAME]… [--svg FILE]
//! [WORKLOAD]…`. Runs are paired and interleaved: every round runs every engine once, and a ratio
//! is taken within its round, so that drift of the machine affects both sides. It must not judge
//! the results.

mod engines;
mod floor;
mod growth;
mod loads;
mod measure;
mod options;
mod plot;
mod table;
mod watch;
mod workloads;

use std::io::{self, Write};
use std::process::ExitCode;

use engines::Engine;
use measure::{Cell, measure};
use options::Options;

/// One workload's row of the table: a cell per engine, `None` where it could not run.
struct Row {
    workload: &'static str,
    native: f64,
    cells: Vec<(Engine, Option<Cell>)>,
}

fn main() -> ExitCode {
    if let Some(package) = std::env::var_os(growth::SUITE) {
        return sysguard::harness::Harness::new(package).main();
    }
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(code) = loads::run(&arguments).or_else(|| watch::run(&arguments)) {
        return code;
    }
    match Options::read(&arguments).and_then(|options| bench(&options).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(2)
        }
    }
}

fn bench(options: &Options) -> io::Result<()> {
    let engines: Vec<Engine> = Engine::ALL.into_iter().filter(|engine| options.wants_engine(*engine)).collect();
    let mut out = io::stdout().lock();
    if options.growth {
        return growth::print(&mut out, options, &engines);
    }
    let mut rows = Vec::new();
    table::head(&mut out, &engines)?;
    for workload in workloads::all(options.quick) {
        if !options.wants_workload(workload.name) {
            continue;
        }
        match workload.obstacle() {
            Some(reason) => table::skipped(&mut out, workload.name, &reason)?,
            None => {
                let row = measure(&workload, &engines, options.rounds)?;
                table::row(&mut out, &row)?;
                rows.push(row);
            }
        }
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, plot::svg(&rows, &engines))?;
        writeln!(out, "\nplot: {}", file.display())?;
    }
    Ok(())
}
