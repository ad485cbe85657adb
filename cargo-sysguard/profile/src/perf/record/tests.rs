//! Tests with records as the kernel writes them.

use super::*;

/// The bytes of a record.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn short(mut self, number: u32) -> Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    fn long(mut self, number: u64) -> Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.0.extend(text.bytes());
        self.0.push(0);
        while !self.0.len().is_multiple_of(8) {
            self.0.push(0);
        }
        self
    }

    /// Ends a record with process, task and time.
    fn at(self, time: u64) -> Vec<u8> {
        self.short(7).short(8).long(time).0
    }
}

fn head(chain: &[u64]) -> Bytes {
    let head = Bytes::default().long(0xaaaa).short(7).short(8).long(50).long(1_003_009).long(chain.len() as u64);
    chain.iter().fold(head, |bytes, address| bytes.long(*address))
}

fn sample(misc: u16, body: &[u8], has_stacks: bool) -> Option<RawSample> {
    match Record::read(PERF_RECORD_SAMPLE, misc, body, has_stacks)? {
        Record::Sample(sample) => Some(*sample),
        other => panic!("{other:?}"),
    }
}

#[test]
fn chains_are_split_by_context() {
    let chain = [PERF_CONTEXT_KERNEL, 0xffff_0010, 0xffff_0020, PERF_CONTEXT_USER, 0x10, 0x20, 0x30];
    let read = sample(PERF_RECORD_MISC_KERNEL, &head(&chain).0, false).expect("a sample");
    assert_eq!((read.pid, read.tid, read.time, read.period, read.in_kernel), (7, 8, 50, 1_003_009, true));
    // The address before a return address lies in the call.
    assert_eq!(read.kernel, [0xffff_0010, 0xffff_001f]);
    assert_eq!(read.user, UserStack::Chain(vec![0x10, 0x1f, 0x2f]));
    let user = sample(2, &head(&[PERF_CONTEXT_USER, 0x10]).0, false).expect("a sample");
    assert_eq!((user.in_kernel, user.kernel.len(), user.user), (false, 0, UserStack::Chain(vec![0x10])));
    let guest = -2048_i64 as u64;
    assert_eq!(sample(2, &head(&[guest, 0x10]).0, false).expect("a sample").user, UserStack::Chain(Vec::new()));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn stacks_end_where_the_copy_ends() {
    let registers = |abi: u64| head(&[]).long(abi).long(0x100).long(0x200).long(0x300);
    let stack = |bytes: Bytes| bytes.long(16).long(1).long(2).long(8);
    let read = |bytes: Bytes| sample(2, &bytes.0, true).map(|sample| sample.user);
    let copied = UserStack::Copy { registers: vec![0x100, 0x200, 0x300], stack: 1_u64.to_ne_bytes().to_vec() };
    assert_eq!(read(stack(registers(PERF_SAMPLE_REGS_ABI_64))), Some(copied));
    // A 32-bit task has only one frame.
    assert_eq!(read(stack(registers(1))), Some(UserStack::Chain(vec![0x300])));
    // A task that exits has no memory, so neither registers nor a stack.
    assert_eq!(read(head(&[]).long(0).long(0)), Some(UserStack::Chain(Vec::new())));
    let too_long = registers(PERF_SAMPLE_REGS_ABI_64).long(16).long(1).long(2).long(24);
    assert_eq!(read(too_long), None);
}

#[test]
fn mappings_names_and_ends_are_read() {
    let map = Bytes::default().short(7).short(7).long(0x5000).long(0x1000).long(0x2000);
    let map = map.short(254).short(1).long(99).long(3).short(5).short(2).text("/usr/bin/demo").at(60);
    let file = FileId { device: (254, 1), inode: 99, generation: 3 };
    let path = PathBuf::from("/usr/bin/demo");
    let expected = Map { pid: 7, time: 60, addresses: 0x5000..0x6000, offset: 0x2000, path, file };
    assert_eq!(Record::read(PERF_RECORD_MMAP2, 0, &map, false), Some(Record::Map(expected)));
    let name =
        |misc| Record::read(PERF_RECORD_COMM, misc, &Bytes::default().short(7).short(8).text("demo").at(61), false);
    let expected = |is_exec| Record::Name { pid: 7, tid: 8, time: 61, name: "demo".to_owned(), is_exec };
    assert_eq!(name(PERF_RECORD_MISC_COMM_EXEC), Some(expected(true)));
    assert_eq!(name(0), Some(expected(false)));
    let task = Bytes::default().short(9).short(7).short(9).short(7).long(62).at(62);
    assert_eq!(Record::read(PERF_RECORD_FORK, 0, &task, false), Some(Record::Fork { pid: 9, parent: 7, time: 62 }));
    assert_eq!(Record::read(PERF_RECORD_EXIT, 0, &task, false), Some(Record::Exit { pid: 9, time: 62 }));
    let lost = Bytes::default().long(1).long(12).at(63);
    assert_eq!(Record::read(PERF_RECORD_LOST, 0, &lost, false), Some(Record::Lost(12)));
    let throttled = Bytes::default().long(64).long(1).long(1).at(64);
    assert_eq!(Record::read(PERF_RECORD_THROTTLE, 0, &throttled, false), Some(Record::Throttled));
}

#[test]
fn truncated_records_are_skipped() {
    let chain = [PERF_CONTEXT_USER, 0x10, 0x20];
    let whole = head(&chain).long(PERF_SAMPLE_REGS_ABI_64).long(1).long(2).long(3).long(8).long(4).long(8).0;
    for length in 0..whole.len() {
        assert_eq!(sample(2, &whole[..length], true), None, "{length}");
    }
    let map = Bytes::default().short(7).short(7).long(u64::MAX).long(2).long(0).short(0).short(0).long(0).long(0);
    let map = map.short(5).short(2).text("x").at(1);
    assert_eq!(Record::read(PERF_RECORD_MMAP2, 0, &map, false), None, "the mapping wraps around");
    assert_eq!(Record::read(99, 0, &whole, true), None);
}
