//! Measures the cost of attribution: redis-server under redis-benchmark, traced with all queries
//! and attributed, compared with tracing that only counts calls.
//!
//! `cargo bench --bench attribution` runs pairs (`-- --pairs N`), in alternating order. It prints
//! how much longer redis-benchmark takes, and how much more processor time the tracing thread
//! spends per call: the median of the pairs, its 95 % confidence interval (by ranks, so no
//! distribution is assumed), minimum and maximum. The processor time is steadier on a busy machine.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::io::{self, Write};
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use nix::time::{ClockId, clock_gettime};
    use sysguard::unstable::linux::{self, Environment, Limits, Stream};
    use sysguard::unstable::model::observe::observation::{Observer, Part};
    use sysguard::unstable::model::trace::event::Event;

    const PAIRS: usize = 15;
    const REQUESTS: &str = "20000";
    const SERVER: &str = "/usr/bin/redis-server";

    pub(crate) fn main() -> ExitCode {
        let result = if Path::new(SERVER).exists() {
            pairs().and_then(|pairs| measure(pairs, &mut io::stdout()))
        } else {
            writeln!(io::stdout(), "ignored: redis-server and redis-benchmark are not installed")
        };
        result.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
    }

    /// Reads `--pairs N`; cargo adds arguments of its own.
    fn pairs() -> io::Result<usize> {
        let Some(number) = std::env::args().skip_while(|argument| argument != "--pairs").nth(1) else {
            return Ok(PAIRS);
        };
        let number = number.parse().ok().filter(|&number| number >= 5);
        number.ok_or_else(|| io::Error::other("--pairs takes a number, 5 or more"))
    }

    fn measure(pairs: usize, out: &mut dyn Write) -> io::Result<()> {
        let mut elapsed = Vec::new();
        let mut processor = Vec::new();
        for pair in 0..pairs {
            let first = run(pair % 2 == 0)?;
            let second = run(pair % 2 != 0)?;
            let (attributed, counted) = if pair % 2 == 0 { (first, second) } else { (second, first) };
            elapsed.push(attributed.elapsed / counted.elapsed);
            processor.push(attributed.processor / counted.processor);
            let [attributed, counted] = [attributed, counted].map(|cost| cost.processor * 1e6);
            writeln!(out, "pair {pair}: {attributed:.2} µs and {counted:.2} µs per call in the tracer")?;
        }
        for (what, ratios) in [("elapsed time", &mut elapsed), ("the tracer's processor time", &mut processor)] {
            ratios.sort_by(f64::total_cmp);
            let percent = |ratio: f64| (ratio - 1.0) * 100.0;
            let below = below(pairs);
            let [least, from, median, to, most] =
                [0, below, pairs / 2, pairs - 1 - below, pairs - 1].map(|rank| percent(ratios[rank]));
            writeln!(
                out,
                "attribution adds {median:+.1} % to {what} (median of {pairs} pairs; 95 %: {from:+.1} to {to:+.1}; range: {least:+.1} to {most:+.1})"
            )?;
        }
        Ok(())
    }

    /// Returns how many pairs may lie on either side of the confidence interval of the median: each
    /// pair is below the true median with probability 1/2.
    fn below(pairs: usize) -> usize {
        let mut of_exactly = 0.5_f64.powi(pairs as i32);
        let mut of_fewer = 0.0;
        for fewer in 0..pairs {
            of_fewer += of_exactly;
            if of_fewer > 0.025 {
                return fewer.saturating_sub(1);
            }
            of_exactly *= (pairs - fewer) as f64 / (fewer + 1) as f64;
        }
        0
    }

    /// Seconds of redis-benchmark, and seconds of the tracing thread per call.
    #[derive(Clone, Copy)]
    struct Cost {
        elapsed: f64,
        processor: f64,
    }

    fn run(attributes: bool) -> io::Result<Cost> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("socket");
        let server = server(&socket, folder.path())?;
        let tracing = thread::spawn(move || traced(server, attributes));
        while UnixStream::connect(&socket).is_err() && !tracing.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        let begun = Instant::now();
        client("redis-benchmark", &socket, &["-q", "-n", REQUESTS, "-c", "20", "-t", "set,get"])?;
        let elapsed = begun.elapsed().as_secs_f64();
        client("redis-cli", &socket, &["shutdown", "nosave"])?;
        let processor = tracing.join().map_err(|_| io::Error::other("the tracer panicked"))??;
        Ok(Cost { elapsed, processor })
    }

    /// Traces the server to its end; returns seconds of this thread's processor time per call.
    fn traced(server: linux::Command, attributes: bool) -> io::Result<f64> {
        let limits = Limits { timeout: Some(Duration::from_secs(300)), stop: None, grace: Duration::from_secs(2) };
        let mut observer = Observer::new(Part::All);
        let mut counts = HashMap::<_, u64>::new();
        let mut calls = 0_u64;
        let begun = processor_time()?;
        let ended = if attributes {
            linux::trace(server, &limits, &mut |event| drop(observer.fold(event)))
        } else {
            linux::trace_unasked(server, &limits, &mut |event| {
                if let Event::Called { call, .. } = event {
                    *counts.entry(call.syscall).or_default() += 1;
                }
            })
        };
        let spent = processor_time()? - begun;
        ended.map_err(io::Error::other)?;
        calls += observer.observation.calls() + counts.values().sum::<u64>();
        Ok(spent / calls as f64)
    }

    fn processor_time() -> io::Result<f64> {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
        Ok(Duration::from(time).as_secs_f64())
    }

    fn server(socket: &Path, folder: &Path) -> io::Result<linux::Command> {
        let path = socket.to_string_lossy();
        let argv = [SERVER, "--port", "0", "--unixsocket", &path, "--save", ""].map(Into::into).into();
        let null = || {
            Ok::<_, io::Error>(Stream::Given(std::fs::File::options().read(true).write(true).open("/dev/null")?.into()))
        };
        Ok(linux::Command {
            program: PathBuf::from(SERVER),
            argv,
            environment: Environment::Inherited,
            cwd: Some(folder.to_owned()),
            scratch: None,
            stdio: [null()?, null()?, null()?],
            isolated: true,
            filters: Vec::new(),
        })
    }

    fn client(program: &str, socket: &Path, args: &[&str]) -> io::Result<()> {
        let status = Command::new(program).arg("-s").arg(socket).args(args).stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} failed: {status}"))) }
    }
}
