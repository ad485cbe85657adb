//! Reads the buffers of the kernel while the command runs. Main type: [`Reader`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sysguard::unstable::linux::prefer_this_thread;

use super::collect::Collector;
use super::events::{STACK_BYTES, Sampling};
use super::images::keep_open;
use super::record::Record;
use super::{CallGraph, Options};
use crate::recording::Recording;

/// A thread that empties the buffers until the command has ended.
pub(super) struct Reader {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Recording>,
}

impl Reader {
    /// Starts reading.
    pub(super) fn start(sampling: Sampling, options: &Options) -> std::io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, pause) = (is_over.clone(), pause(sampling.buffer, options));
        let read = move || read(sampling, &over, pause);
        Ok(Self { is_over, thread: thread::Builder::new().name("perf".to_owned()).spawn(read)? })
    }

    /// Reads the remaining records and returns the recording, without totals.
    pub(super) fn finish(self) -> Recording {
        self.is_over.store(true, Ordering::Release);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Returns the time in which a quarter of a buffer fills up.
fn pause(buffer: usize, options: &Options) -> Duration {
    /// The bytes of a sample besides its copy of the stack: at most 127 + 127 addresses.
    const CHAIN: u64 = 2100;
    let stack = if options.call_graph == CallGraph::Dwarf { u64::from(STACK_BYTES) } else { 0 };
    let filled = Duration::from_secs(1) * u32::try_from(buffer / 4).unwrap_or(u32::MAX);
    let each_second = options.frequency.max(1).saturating_mul(stack + CHAIN);
    let pause = filled / u32::try_from(each_second).unwrap_or(u32::MAX);
    pause.clamp(Duration::from_millis(1), Duration::from_millis(50))
}

fn read(mut sampling: Sampling, is_over: &AtomicBool, pause: Duration) -> Recording {
    // A higher priority prevents full buffers while the command keeps every CPU busy. Without
    // CAP_SYS_NICE, the priority stays unchanged.
    let _ = prefer_this_thread();
    let mut collector = Collector::default();
    let mut pending = Pending::default();
    loop {
        // Read the flag first: the last drain must come after the end of the command.
        let is_last = is_over.load(Ordering::Acquire);
        let any = sampling.drain(&mut |record| {
            if let Record::Map(map) = &record {
                keep_open(&mut collector.files, map);
            }
            pending.push(record);
        });
        let complete = if is_last || !any { pending.take_all() } else { pending.take_complete() };
        complete.for_each(|record| collector.add(record));
        if is_last {
            break;
        }
        thread::sleep(pause);
    }
    let lost = sampling.lost().unwrap_or_default().max(collector.lost);
    let throttled = collector.throttled;
    let (samples, processes, files) = collector.finish();
    Recording { clock: sampling.clock, samples, lost, throttled, processes, files, ..Recording::default() }
}

/// Records that wait for earlier ones of other CPUs.
#[derive(Default)]
struct Pending {
    records: Vec<Record>,
    /// The time of the last record before this round, and of the last one so far.
    before: u64,
    last: u64,
}

impl Pending {
    fn push(&mut self, record: Record) {
        self.last = self.last.max(record.time());
        self.records.push(record);
    }

    /// Ends a round, in which all buffers were read, and returns the records before its start. No
    /// earlier record can follow: it would have been in a buffer.
    fn take_complete(&mut self) -> std::vec::IntoIter<Record> {
        let before = std::mem::replace(&mut self.before, self.last);
        self.records.sort_by_key(Record::time);
        let complete = self.records.partition_point(|record| record.time() <= before);
        let rest = self.records.split_off(complete);
        std::mem::replace(&mut self.records, rest).into_iter()
    }

    /// Returns all records.
    fn take_all(&mut self) -> std::vec::IntoIter<Record> {
        self.before = self.last;
        self.records.sort_by_key(Record::time);
        std::mem::take(&mut self.records).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(time: u64) -> Record {
        Record::Exit { pid: 1, time }
    }

    #[test]
    fn records_of_several_buffers_are_merged_by_time() {
        let mut pending = Pending::default();
        let mut round = |times: &[u64]| {
            times.iter().for_each(|time| pending.push(exit(*time)));
            pending.take_complete().map(|record| record.time()).collect::<Vec<_>>()
        };
        assert_eq!(round(&[10, 30, 5, 20]), [0; 0]);
        assert_eq!(round(&[40, 25, 35]), [5, 10, 20, 25, 30]);
        assert_eq!(pending.take_all().map(|record| record.time()).collect::<Vec<_>>(), [35, 40]);
    }

    #[test]
    fn pause_lets_a_quarter_of_the_buffer_fill() {
        use sysguard::unstable::linux::Limits;
        let limits = Limits { timeout: None, stop: None, grace: Duration::ZERO };
        let options = |frequency, call_graph| Options { frequency, call_graph, limits };
        for (buffer, options, millis) in [
            (512 << 10, options(997, CallGraph::Dwarf), 7),
            (512 << 10, options(997, CallGraph::FramePointers), 50),
            (64 << 10, options(100_000, CallGraph::Dwarf), 1),
            (2 << 20, options(0, CallGraph::Dwarf), 50),
        ] {
            assert_eq!(pause(buffer, &options).as_millis(), millis, "{buffer} {options:?}");
        }
    }
}
