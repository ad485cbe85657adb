//! Measures the cost of call sites: the time from a stopped call to its stack with names, files and
//! lines, in real programs.
//!
//! `cargo bench --bench callers` traces each program several times (`-- --rounds N`) and asks for
//! the stack of every call that is the first of its kind, as `trace -k` does. Stacks that lead
//! through a program or library for the first time in a run are listed separately, since its
//! symbols are loaded then. Both the clock and the processor time of the tracing thread are
//! measured; the latter is steadier on a busy machine. Then the same runs under a guard, where
//! stacks are taken only for calls that the baseline lacks. `-- [--rounds N] PROGRAM ARGUMENT…`
//! measures another program.
//!
//! The benchmark's own program has the debug information of `[profile.bench]`
//! (`CARGO_PROFILE_BENCH_DEBUG=2`: all of it).

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::{self, Write};
    use std::net::TcpStream;
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;
    use std::process::{Command, ExitCode};
    use std::thread;
    use std::time::{Duration, Instant};

    use nix::time::{ClockId, clock_gettime};
    use sysguard::unstable::linux::{
        self, Callers, Environment, Limits, Stream, SymbolFiles, Watching, inherited, trace, watch,
    };
    use sysguard::unstable::model::attribution::Use;
    use sysguard::unstable::model::expectation::{Baseline, Document, FirstCallFilter, Version, format, project};
    use sysguard::unstable::model::facts::fact::Fact;
    use sysguard::unstable::model::guard::Guard;
    use sysguard::unstable::model::judge::compare::compare;
    use sysguard::unstable::model::observe::observation::{First, Observation, Observer, Part};
    use sysguard::unstable::model::trace::event::Event;
    use sysguard::unstable::settings;

    const ROUNDS: usize = 5;
    /// Set in the environment of a process that runs the benchmark's own program.
    const OWN: &str = "SYSGUARD_BENCH_OWN";
    const LIMITS: Limits = Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_secs(2) };

    const PYTHON: &str = "import json, socket, sqlite3, ssl, subprocess, threading
threading.Thread(target=sqlite3.connect, args=[':memory:']).start()
subprocess.run(['/bin/true'])
ssl.create_default_context()
socket.socket().connect_ex(('127.0.0.1', 1))";

    pub(crate) fn main() -> ExitCode {
        if std::env::var_os(OWN).is_some() {
            return own();
        }
        let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let measured = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["--rounds", number, ref program @ ..] => match number.parse() {
                Ok(rounds) if rounds > 0 => measure(rounds, program, &mut io::stdout()),
                _ => Err(io::Error::other("--rounds takes a number, 1 or more")),
            },
            ref program => measure(ROUNDS, program, &mut io::stdout()),
        };
        measured.map_or_else(complain, |()| ExitCode::SUCCESS)
    }

    fn complain(error: io::Error) -> ExitCode {
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::FAILURE
    }

    /// Runs a program with many dependencies: lists the workloads with this framework, after common
    /// actions of programs.
    fn own() -> ExitCode {
        let greeting = thread::spawn(|| -> io::Result<()> {
            let (mut here, there) = UnixStream::pair()?;
            here.write_all(b"hello")?;
            drop(there);
            Command::new("/bin/true").status()?;
            tempfile::tempfile()?.write_all(b"hello")
        });
        drop(TcpStream::connect("127.0.0.1:1"));
        if !matches!(greeting.join(), Ok(Ok(()))) {
            return ExitCode::FAILURE;
        }
        sysguard::harness::Harness::new(env!("CARGO_MANIFEST_DIR")).main()
    }

    /// Returns name, program and arguments of the selected programs.
    fn programs<'a>(wanted: &[&'a str]) -> io::Result<Vec<(&'a str, PathBuf, Vec<&'a str>)>> {
        if let [program, args @ ..] = wanted {
            return Ok(vec![("it", PathBuf::from(program), args.to_vec())]);
        }
        Ok(vec![
            ("own", std::env::current_exe()?, vec!["--list"]),
            ("python3", PathBuf::from("/usr/bin/python3"), vec!["-c", PYTHON]),
            ("curl", PathBuf::from("/usr/bin/curl"), vec!["-s", "file:///etc/passwd", "http://127.0.0.1:1/"]),
        ])
    }

    fn command(program: &PathBuf, args: &[&str]) -> io::Result<linux::Command> {
        let null =
            || Ok::<_, io::Error>(Stream::Given(File::options().read(true).write(true).open("/dev/null")?.into()));
        let own = [(OWN, "1"), ("PATH", "/usr/bin:/bin"), ("HOME", "/")];
        Ok(linux::Command {
            program: program.clone(),
            argv: [program.into()].into_iter().chain(args.iter().map(Into::into)).collect(),
            environment: Environment::Exactly(own.map(|(name, value)| (name.into(), value.into())).into()),
            cwd: None,
            scratch: None,
            stdio: [null()?, null()?, null()?],
            isolated: true,
            filters: Vec::new(),
        })
    }

    /// The cost of one stack, in milliseconds.
    #[derive(Clone, Copy)]
    struct Cost {
        elapsed: f64,
        processor: f64,
    }

    fn measure(rounds: usize, wanted: &[&str], out: &mut dyn Write) -> io::Result<()> {
        for (name, program, args) in programs(wanted)? {
            if !program.exists() {
                writeln!(out, "{name}: ignored (not installed)")?;
                continue;
            }
            let (mut first, mut loading, mut later) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let mut is_first = true;
                stacks(command(&program, &args)?, &mut |cost, loads| {
                    let kind = if std::mem::take(&mut is_first) {
                        &mut first
                    } else if loads {
                        &mut loading
                    } else {
                        &mut later
                    };
                    kind.push(cost);
                })?;
            }
            for (kind, costs) in [("the first", first), ("loading more", loading), ("later", later)] {
                print_costs(out, name, kind, rounds, costs)?;
            }
            guarded(out, name, &|| command(&program, &args))?;
        }
        Ok(())
    }

    fn print_costs(out: &mut dyn Write, name: &str, kind: &str, rounds: usize, costs: Vec<Cost>) -> io::Result<()> {
        let ranks = |of: fn(&Cost) -> f64| {
            let mut costs: Vec<f64> = costs.iter().map(of).collect();
            costs.sort_by(f64::total_cmp);
            let rank = |part: f64| costs.get(((costs.len() as f64 * part) as usize).min(costs.len().wrapping_sub(1)));
            [0.5, 0.95, 1.0].map(|part| rank(part).copied().unwrap_or_default())
        };
        let [elapsed, slow, slowest] = ranks(|cost| cost.elapsed);
        let [processor, much, most] = ranks(|cost| cost.processor);
        writeln!(
            out,
            "{name:8} {kind:13} {:5.1} stacks per run: median {elapsed:.2} ms, 95 % within {slow:.2}, all within {slowest:.2}; of the processor {processor:.2}, {much:.2}, {most:.2}",
            costs.len() as f64 / rounds as f64,
        )
    }

    /// Traces a command and reports the cost of each stack, and whether symbols were loaded for it.
    fn stacks(command: linux::Command, record: &mut dyn FnMut(Cost, bool)) -> io::Result<()> {
        let mut observer = Observer::new(Part::All);
        let files = SymbolFiles::default();
        let mut callers = Callers::new(&files);
        let mut sink = |event: &Event| {
            let (Some(_), Event::Called { task, .. }) = (observer.fold(event), event) else { return };
            let (loaded, processor, begun) = (callers.loaded_symbols(), processor_time(), Instant::now());
            let site = callers.of(*task);
            let elapsed = begun.elapsed().as_secs_f64();
            let cost = Cost { elapsed: elapsed * 1e3, processor: (processor_time() - processor) * 1e3 };
            drop(site);
            record(cost, callers.loaded_symbols() > loaded);
        };
        trace(command, &LIMITS, &mut sink).map(drop).map_err(io::Error::other)
    }

    fn processor_time() -> f64 {
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(0.0, |time| Duration::from(time).as_secs_f64())
    }

    /// Counts the stacks taken under a guard, first with a complete baseline and then with one that
    /// lacks network facts.
    fn guarded(out: &mut dyn Write, name: &str, command: &dyn Fn() -> io::Result<linux::Command>) -> io::Result<()> {
        let platform = settings::platform();
        let document = document()?;
        let mut all = Observation::default();
        for _ in 0..3 {
            let mut observer = Observer::new(Part::All);
            trace(command()?, &LIMITS, &mut |event| drop(observer.fold(event))).map_err(io::Error::other)?;
            all.merge(observer.observation);
        }
        let facts = project(&all, &document, &platform, Version::LATEST).facts.into_keys();
        let facts: Vec<Fact> = facts.filter(|fact| !matches!(fact, Fact::Phase { .. })).collect();
        for (holding, keeps) in [("everything", true), ("all except network facts", false)] {
            let mut baseline = Baseline::new(platform.clone());
            facts
                .iter()
                .filter(|fact| keeps || !fact.to_string().contains("network"))
                .for_each(|fact| baseline.insert(fact));
            let filter = FirstCallFilter::new(&document, &baseline, &platform);
            let files = SymbolFiles::default();
            let (mut observer, mut callers, mut stacks) = (Observer::new(Part::All), Callers::new(&files), 0);
            let command = command()?;
            let guard = Guard::new(&document, &baseline, &platform, &inherited(&command)).map_err(io::Error::other)?;
            let mut sink = |event: &Event| {
                if let (Some(first), Event::Called { task, .. }) = (observer.fold(event), event)
                    && filter.selects(&first)
                {
                    observer.observation.sites.add(&first, &callers.of(*task));
                    stacks += 1;
                }
            };
            watch(command, &LIMITS, Watching::Guarded(&guard), &mut sink).map_err(io::Error::other)?;
            let projection = project(&observer.observation, &document, &platform, Version::LATEST);
            let findings = compare(&document, Some(&baseline), &projection, &observer.observation).findings.len();
            let first = |used: &Use| First { used: used.clone(), phase: None, of_run: true, error: None };
            let lacking = observer.observation.uses.keys().filter(|used| filter.selects(&first(used))).count();
            writeln!(
                out,
                "{name:8} guarded, baseline with {holding}: {stacks} stacks for {lacking} missing uses, in {findings} findings"
            )?;
        }
        Ok(())
    }

    fn document() -> io::Result<Document> {
        let parsed = format::read(b"version: 2\ncommand: [\"true\"]\n").map_err(io::Error::other)?;
        Ok(parsed.expectation.document)
    }
}
