//! Paired, interleaved measurements. Main type: [`Cell`].

use std::io;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Row;
use crate::engines::Engine;
use crate::watch;
use crate::workloads::Workload;

/// Ratios of a workload's time under an engine to its native time: the median of the rounds, and
/// the quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Measures one workload: one round to warm up, then rounds that run every engine once, each
/// starting with another engine.
pub(crate) fn measure(workload: &Workload, engines: &[Engine], rounds: usize) -> io::Result<Row> {
    let place = workload.set_up()?;
    time(workload, Engine::Native, &place)?;
    if engines.contains(&Engine::Guard) {
        workload.before_each(&place)?;
        watch::record(&workload.words(&place), place.folder())?;
    }
    let able: Vec<bool> =
        engines.iter().map(|engine| Ok(time(workload, *engine, &place)?.is_some())).collect::<io::Result<_>>()?;
    let (mut native, mut ratios) = (Vec::new(), vec![Vec::new(); engines.len()]);
    for round in 0..rounds {
        let mut times = vec![None; engines.len()];
        let mut alone = None;
        for turn in 0..=engines.len() {
            match (turn + round) % (engines.len() + 1) {
                0 => alone = time(workload, Engine::Native, &place)?,
                at if able[at - 1] => times[at - 1] = time(workload, engines[at - 1], &place)?,
                _ => {}
            }
        }
        let Some(alone) = alone else { continue };
        native.push(alone);
        for (ratios, time) in ratios.iter_mut().zip(times) {
            ratios.extend(time.map(|time| time / alone));
        }
    }
    let cells = engines.iter().copied().zip(ratios.into_iter().map(cell)).collect();
    Ok(Row { workload: workload.name, native: cell(native).map_or(0.0, |cell| cell.median), cells })
}

/// Returns seconds, or `None` if the run does not end as it does natively.
fn time(workload: &Workload, engine: Engine, place: &crate::workloads::Place) -> io::Result<Option<f64>> {
    workload.before_each(place)?;
    let words = workload.words(place);
    let mut command: Command = engine.around(&words);
    // cargo sets this, and every program would search there first.
    command.stdin(Stdio::null()).current_dir(place.folder()).env_remove("LD_LIBRARY_PATH");
    let start = Instant::now();
    // Through pipes, as a test runs it.
    let output = command.output()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(output.status.success().then_some(seconds))
}

fn cell(mut values: Vec<f64>) -> Option<Cell> {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place = part * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    (!values.is_empty()).then(|| Cell { median: at(0.5), low: at(0.25), high: at(0.75) })
}
