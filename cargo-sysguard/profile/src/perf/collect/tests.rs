//! Tests with records in the order of their times.

use super::*;
use crate::recording::FileId;

fn sample(pid: u32, time: u64, user: &[u64]) -> Record {
    let user = UserStack::Chain(user.to_vec());
    let kernel = Vec::new();
    Record::Sample(Box::new(RawSample { pid, tid: pid, time, period: 10, in_kernel: false, kernel, user }))
}

fn name(pid: u32, tid: u32, time: u64, name: &str, is_exec: bool) -> Record {
    Record::Name { pid, tid, time, name: name.to_owned(), is_exec }
}

fn map(pid: u32, time: u64, start: u64, path: &str) -> Record {
    let file = FileId { inode: 1, ..FileId::default() };
    Record::Map(Map { pid, time, addresses: start..start + 0x1000, offset: 0, path: path.into(), file })
}

fn collect(records: Vec<Record>) -> (Vec<Sample>, Vec<Process>) {
    let mut collector = Collector::default();
    records.into_iter().for_each(|record| collector.add(record));
    let (samples, processes, _) = collector.finish();
    (samples, processes)
}

/// Number, name, start and mapped files of each process.
fn shown(processes: &[Process]) -> Vec<String> {
    let files = |process: &Process| {
        let files: Vec<_> = process.mappings.iter().map(|mapping| mapping.file.display().to_string()).collect();
        files.join(" ")
    };
    let show = |process: &Process| format!("{} {} {}: {}", process.pid, process.name, process.since, files(process));
    processes.iter().map(show).collect()
}

#[test]
fn equal_stacks_become_one_sample() {
    let records = vec![
        name(1, 1, 1, "demo", true),
        sample(1, 5, &[0x10, 0x20]),
        sample(1, 6, &[0x10]),
        sample(1, 7, &[0x10, 0x20]),
    ];
    let (samples, _) = collect(records);
    let seen: Vec<_> = samples.iter().map(|sample| (sample.time, sample.count, sample.period)).collect();
    assert_eq!(seen, [(5, 2, 20), (6, 1, 10)]);
}

#[test]
fn programs_of_one_process_have_separate_code() {
    let (samples, processes) = collect(vec![
        name(1, 1, 1, "sh", true),
        map(1, 2, 0x1000, "/bin/sh"),
        sample(1, 3, &[0x1010]),
        Record::Fork { pid: 2, parent: 1, time: 4 },
        sample(2, 5, &[0x1010]),
        name(2, 2, 6, "true", true),
        map(2, 7, 0x1000, "/bin/true"),
        sample(2, 8, &[0x1010]),
        Record::Exit { pid: 2, time: 9 },
        // A process number is reused.
        Record::Fork { pid: 2, parent: 1, time: 10 },
        sample(2, 11, &[0x1020]),
    ]);
    assert_eq!(shown(&processes), ["1 sh 1: /bin/sh", "2 sh 4: /bin/sh", "2 true 6: /bin/true", "2 sh 10: /bin/sh"]);
    assert_eq!(samples.len(), 4);
}

#[test]
fn program_without_samples_is_left_out() {
    let (_, processes) = collect(vec![
        name(1, 1, 1, "sh", true),
        map(1, 2, 0x1000, "/bin/sh"),
        Record::Fork { pid: 2, parent: 1, time: 3 },
        Record::Exit { pid: 2, time: 4 },
        sample(1, 5, &[0x1010]),
    ]);
    assert_eq!(shown(&processes), ["1 sh 1: /bin/sh"]);
}

#[test]
fn process_lives_until_its_last_task_ends() {
    let (_, processes) = collect(vec![
        name(1, 1, 1, "demo", true),
        map(1, 2, 0x1000, "/bin/demo"),
        Record::Fork { pid: 1, parent: 1, time: 3 },
        Record::Exit { pid: 1, time: 4 },
        sample(1, 5, &[0x1010]),
        Record::Exit { pid: 1, time: 6 },
    ]);
    assert_eq!(shown(&processes), ["1 demo 1: /bin/demo"]);
}

#[test]
fn only_the_first_task_names_its_process() {
    let (_, processes) = collect(vec![
        name(1, 1, 1, "demo", true),
        name(1, 1, 2, "renamed", false),
        name(1, 9, 3, "thread", false),
        sample(1, 4, &[0x10]),
        name(1, 1, 5, "again", false),
        sample(1, 6, &[0x10]),
    ]);
    assert_eq!(shown(&processes), ["1 renamed 1: ", "1 again 5: "]);
}

#[test]
fn replaced_code_divides_samples() {
    let (samples, processes) = collect(vec![
        name(1, 1, 1, "demo", true),
        map(1, 2, 0x1000, "/lib/one.so"),
        sample(1, 3, &[0x1010]),
        map(1, 4, 0x9000, "/lib/apart.so"),
        sample(1, 5, &[0x1010]),
        map(1, 6, 0x1000, "/lib/two.so"),
        sample(1, 7, &[0x1010]),
    ]);
    assert_eq!(samples.iter().map(|sample| (sample.time, sample.count)).collect::<Vec<_>>(), [(3, 2), (7, 1)]);
    assert_eq!(shown(&processes), ["1 demo 1: /lib/one.so /lib/apart.so /lib/two.so"]);
}

#[test]
fn process_whose_start_was_lost_has_no_name() {
    let (samples, processes) = collect(vec![sample(5, 2, &[0x10]), map(5, 3, 0x1000, "/bin/demo")]);
    assert_eq!((samples.len(), shown(&processes)), (1, vec!["5 [unknown] 2: /bin/demo".to_owned()]));
}
