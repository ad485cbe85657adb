//! Totals of several runs of one command: mean and spread. Main type: [`Repeated`].

use std::time::Duration;

use crate::recording::Totals;

/// The means of several runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeated {
    /// The number of runs.
    pub runs: usize,
    /// Wall time.
    pub elapsed: Mean,
    /// CPU time in user mode.
    pub user: Mean,
    /// CPU time in the kernel.
    pub system: Mean,
    /// The events that every run counted, by name.
    pub counts: Vec<(&'static str, Mean)>,
}

/// A mean value; times are in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Standard error of the mean relative to the mean, as `perf stat -r` prints it: 0.02 is ± 2 %.
    pub spread: f64,
}

impl Repeated {
    /// Returns the means of these runs.
    pub fn of(runs: &[Totals]) -> Self {
        let time = |of: fn(&Totals) -> Duration| Mean::of(runs.iter().map(|run| of(run).as_secs_f64() * 1e9).collect());
        let events = runs.first().into_iter().flat_map(|run| run.counts.iter().map(|count| count.event));
        let counts = events.filter_map(|event| {
            let value = |run: &Totals| Some(run.counts.iter().find(|count| count.event == event)?.value as f64);
            Some((event, Mean::of(runs.iter().map(value).collect::<Option<_>>()?)))
        });
        Self {
            runs: runs.len(),
            elapsed: time(|run| run.elapsed),
            user: time(|run| run.user),
            system: time(|run| run.system),
            counts: counts.collect(),
        }
    }
}

impl Mean {
    /// Same formula as `perf stat`: stddev_stats(), rel_stddev_stats(), tools/perf/util/stat.c.
    fn of(values: Vec<f64>) -> Self {
        let number = values.len() as f64;
        if values.is_empty() {
            return Self::default();
        }
        let value = values.iter().sum::<f64>() / number;
        if values.len() < 2 || value == 0.0 {
            return Self { value, spread: 0.0 };
        }
        let squares: f64 = values.iter().map(|each| (each - value).powi(2)).sum();
        let of_mean = (squares / (number - 1.0) / number).sqrt();
        Self { value, spread: of_mean / value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Count;

    fn totals(seconds: u64, counts: &[(&'static str, u64)]) -> Totals {
        let count = |&(event, value): &(&'static str, u64)| Count { event, value, counted: 1.0 };
        let (elapsed, counts) = (Duration::from_secs(seconds), counts.iter().map(count).collect());
        Totals { elapsed, counts, ..Totals::default() }
    }

    #[test]
    fn spread_is_the_relative_error_of_the_mean() {
        let runs = [totals(2, &[("faults", 10), ("cycles", 5)]), totals(4, &[("faults", 10)])];
        let repeated = Repeated::of(&runs);
        assert_eq!(repeated.elapsed.value, 3e9);
        // The sample variance is 2, so the variance of the mean of two runs is 1.
        assert!((repeated.elapsed.spread - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(repeated.counts, [("faults", Mean { value: 10.0, spread: 0.0 })]);
        assert_eq!(Repeated::of(&runs[..1]).elapsed, Mean { value: 2e9, spread: 0.0 });
        assert_eq!(Repeated::of(&[]), Repeated::default());
    }
}
