//! Blind spots and signals of all workloads, each with its meaning. Main types: [`SpotRecord`] and
//! [`SignalRecord`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::kernel::signal;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SpotRecord<'a> {
    pub(super) name: &'a str,
    pub(super) meaning: Option<&'static str>,
    pub(super) workloads: BTreeSet<&'a str>,
}

/// A signal, and the workloads in which it ends a process.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct SignalRecord<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) meaning: Option<&'static str>,
    pub(super) workloads: BTreeSet<&'a str>,
}

/// Returns the blind spots, with the workloads that have them.
pub(super) fn blind_spots<'a>(named: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<SpotRecord<'a>> {
    let record =
        |(name, workloads)| SpotRecord { name, meaning: BlindSpot::from_name(name).map(BlindSpot::meaning), workloads };
    by_name(named).into_iter().map(record).collect()
}

/// Returns the signals, with the workloads in which they end processes.
pub(super) fn signals<'a>(named: impl Iterator<Item = (Cow<'static, str>, &'a str)>) -> Vec<SignalRecord<'a>> {
    let record = |(name, workloads): (Cow<'static, str>, _)| {
        let meaning = signal::from_name(&name).and_then(signal::meaning);
        SignalRecord { name, meaning, workloads }
    };
    by_name(named).into_iter().map(record).collect()
}

fn by_name<'a, N: Ord>(named: impl Iterator<Item = (N, &'a str)>) -> BTreeMap<N, BTreeSet<&'a str>> {
    let mut workloads: BTreeMap<N, BTreeSet<&str>> = BTreeMap::new();
    for (name, workload) in named {
        workloads.entry(name).or_default().insert(workload);
    }
    workloads
}
