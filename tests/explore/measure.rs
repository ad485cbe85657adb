//! Measures: how many calls of a command repeat in ten surveys, how long they take, and how many
//! attempts a second can be made. Main function: [`main`].

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use libtest_mimic::Failed;
use sysguard::unstable::model::explore::injection::{CallPoint, Injection};

use crate::workload::{Workload, error};

const SURVEYS: usize = 10;
const ATTEMPTS: usize = 200;

/// Measures each command, given as one word with spaces.
pub(crate) fn main(commands: &[&str]) -> ExitCode {
    let measured = commands.iter().try_for_each(|command| -> Result<(), Failed> {
        let line = measure(&command.split(' ').collect::<Vec<_>>())?;
        Ok(writeln!(io::stdout(), "{command}: {line}")?)
    });
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            let _ = writeln!(io::stderr(), "{}", failed.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn measure(words: &[&str]) -> Result<String, Failed> {
    let workload = Workload::command(words)?;
    let explored = workload.explored()?;
    let mut seen: BTreeMap<CallPoint, usize> = BTreeMap::new();
    let begun = Instant::now();
    for _ in 0..SURVEYS {
        for call in explored.explorer.survey(false)?.survey.calls {
            *seen.entry(call.point).or_default() += 1;
        }
    }
    let survey = begun.elapsed() / SURVEYS as u32;
    let always = seen.values().filter(|runs| **runs == SURVEYS).count();
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    for (point, _) in seen.iter().filter(|(_, runs)| **runs < SURVEYS) {
        *others.entry(point.syscall.name().into_owned()).or_default() += 1;
    }
    let calls = explored.surveyed.survey.calls.iter().filter(|call| !call.by_loader);
    let injections: Vec<_> =
        calls.cycle().take(ATTEMPTS).map(|call| Injection { point: call.point, fault: error(5) }).collect();
    let (begun, mut reached) = (Instant::now(), 0);
    explored.explorer.attempts(&injections, explored.limit, 2, &|| true, &mut |_, attempt| {
        reached += usize::from(attempt.is_ok_and(|attempt| attempt.reached));
    });
    let rate = ATTEMPTS as f64 / begun.elapsed().as_secs_f64();
    Ok(format!(
        "{} calls in all surveys, {always} in each; others {others:?}; {survey:?} a survey; {rate:.0} attempts a \
         second on two threads, {reached} of {ATTEMPTS} reached",
        seen.len()
    ))
}
