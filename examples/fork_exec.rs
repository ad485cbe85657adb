//! A program that forks and executes other programs: a pipeline of two, and one that fails.
#![expect(clippy::print_stdout, reason = "a program, not the library")]

use std::io::{self, Write};
use std::process::{Command, Stdio};

fn main() -> io::Result<()> {
    let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut uniq = Command::new("uniq").stdin(sort.stdout.take().expect("a piped output")).spawn()?;
    sort.stdin.take().expect("a piped input").write_all(b"signal\nstop\nsignal\nevent\n")?;
    let (sorted, counted) = (sort.wait()?, uniq.wait()?);
    let failed = Command::new("false").status()?;
    println!("sort: {sorted}, uniq: {counted}, false: {failed}");
    Ok(())
}
