//! Tests of each format with one small profile.

use std::time::Duration;

use sysguard::unstable::model::kernel::syscall::Abi;

use std::sync::Arc;

use super::*;
use crate::profile::Frame;
use crate::profile::fixture::{kernel, profile, user};
use crate::recording::{Count as Event, Missing};
use crate::shares::Count;

/// A server that sends, computes and faults.
fn demo() -> Profile {
    let entry = [kernel("do_syscall_64", "arch/x86/entry/syscall_64.c", "entry"), user("main", "/bin/demo")];
    let in_call = |inner: &[Frame]| [inner, &entry[..]].concat();
    let send = kernel("__x64_sys_sendto", "net/socket.c", "network");
    let copy = kernel("tcp_sendmsg_locked", "net/ipv4/tcp.c", "network");
    let lock = kernel("_raw_spin_lock", "kernel/locking/spinlock.c", "locking");
    let read = kernel("ksys_read", "fs/read_write.c", "filesystem");
    let fault = [
        kernel("clear_page_erms", "arch/x86/lib/clear_page_64.S", "lib"),
        kernel("asm_exc_page_fault", "arch/x86/entry/entry_64.S", "entry"),
        user("grow", "/bin/demo"),
        user("main", "/bin/demo"),
    ];
    let mut demo = profile(&[
        (&in_call(&[copy.clone(), send.clone()]), 400),
        (&in_call(&[lock, copy, send]), 150),
        (&in_call(&[read]), 50),
        (&fault, 100),
        (&[user("compute<T>;", "/bin/demo"), user("main", "/bin/demo")], 250),
        (&[Frame::User(Arc::new(unnamed("/lib/libz.so.1")))], 50),
    ]);
    demo.lost = 10;
    demo.missing = vec![Missing::HardwareCounters];
    demo.totals = totals(1);
    demo
}

fn unnamed(file: &str) -> crate::profile::UserFunction {
    crate::profile::UserFunction { name: None, file: file.into(), source: None }
}

fn totals(run: u64) -> Totals {
    let event = |event, value| Event { event, value, counted: 1.0 };
    Totals {
        elapsed: Duration::from_millis(990 + 10 * run),
        user: Duration::from_millis(300),
        system: Duration::from_millis(700),
        counts: vec![event("task-clock", 1_000_000_000), event("context-switches", 40 * run), event("page-faults", 25)],
    }
}

fn subject(traced: bool) -> Subject {
    let count = |calls, errors| Count { calls, errors };
    let counts = [("sendto", count(5000, 0)), ("read", count(200, 3)), ("close", count(7, 0))];
    let counts = counts.into_iter().map(|(name, count)| ((Abi::X86_64, name.to_owned()), count));
    Subject {
        workload: None,
        command: vec!["demo".to_owned(), "--port=1<2".to_owned()],
        arch: "x86_64".to_owned(),
        kernel: "6.18.44".to_owned(),
        index: Some("6.18.15".to_owned()),
        status: 0,
        killed_stragglers: 0,
        totals: vec![totals(1)],
        traced: traced.then(|| Traced {
            engine: "ptrace",
            status: 0,
            elapsed: Duration::from_millis(1500),
            counts: Counts(counts.collect()),
        }),
    }
}

fn record() -> ProfileRecord {
    ProfileRecord::new(&subject(true), &demo())
}

fn written(record: &ProfileRecord, format: Format) -> String {
    let mut out = Vec::new();
    write(&mut out, record, format, &Palette::plain()).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn table_names_both_runs() {
    insta::assert_snapshot!(written(&record(), Format::Table), @r"
    Totals of demo --port=1<2
      1000.00 ms  task-clock        1.000 CPUs used
              40  context-switches  40.0 per second of CPU time
              25  page-faults       25.0 per second of CPU time
         1.000 s  elapsed
         0.300 s  user
         0.700 s  system

      % time  calls  usecs/call  errors  syscall        subsystem (entry)  subsystems that did the work
        55.0   5000      110.00          sendto         network            network 73 %, locking 27 %
        30.0                             (user code)
        10.0                             (page faults)                     lib 100 %
         5.0    200      250.00       3  read           filesystem         filesystem 100 %
         0.0      7                      close          filesystem
       100.0   5207                   3  total

      % time  Kernel time by subsystem  functions (% time)
        40.0  network                   tcp_sendmsg_locked 40.0
        15.0  locking                   _raw_spin_lock 15.0
        10.0  lib                       clear_page_erms 10.0
         5.0  filesystem                ksys_read 5.0

      % time  Kernel time by section of MAINTAINERS  functions (% time)
        40.0  NETWORK                                tcp_sendmsg_locked 40.0
        15.0  LOCKING                                _raw_spin_lock 15.0
        10.0  LIB                                    clear_page_erms 10.0
         5.0  FILESYSTEM                             ksys_read 5.0

      self %  total %  kernel function
        40.0     55.0  tcp_sendmsg_locked
        15.0     15.0  _raw_spin_lock
        10.0     10.0  clear_page_erms
         5.0      5.0  ksys_read

      % time  User time by program or library  functions (% time)
        25.0  /bin/demo                        compute<T>; 25.0
         5.0  /lib/libz.so.1                   (no symbols) 5.0

    time: 1000 samples of an untraced run, 1000 a second by cpu-clock; a share of 10 % is accurate to ± 1.9 points
    calls and errors: another run, traced by ptrace
    lost: 10 samples that the kernel could not store (1.0 %)
    source files of kernel samples: 100.0 % found by function name, 0.0 % by neighbours, 0.0 % unknown (index of Linux 6.18.15)
    missing: hardware counters; this machine has none
    ");
}

#[test]
fn table_without_a_traced_run_has_no_counts() {
    let table = written(&ProfileRecord::new(&subject(false), &demo()), Format::Table);
    assert!(table.contains("\n  % time  syscall"), "{table}");
    assert!(table.contains("\ncalls and errors: not counted\n"), "{table}");
}

#[test]
fn time_per_call_needs_runs_with_equal_work() {
    let table = |elapsed, calls| {
        let mut subject = subject(true);
        let traced = subject.traced.as_mut().expect("a traced run");
        traced.elapsed = Duration::from_millis(elapsed);
        traced.counts.0.get_mut(&(Abi::X86_64, "sendto".to_owned())).expect("a count").calls = calls;
        written(&ProfileRecord::new(&subject, &demo()), Format::Table)
    };
    // The sampled run took a second. Some of its calls take 2 µs longer under a tracer.
    for (elapsed, calls, is_known) in
        [(1000, 4000, true), (1000, 100_000, false), (1100, 100_000, false), (1900, 100_000, true)]
    {
        let table = table(elapsed, calls);
        let row = table.lines().find(|line| line.contains("  sendto  ")).expect("a row");
        assert_eq!(row.contains('.') && row.split_whitespace().nth(2) != Some("sendto"), is_known, "{row}");
        assert_eq!(
            table.contains("\nusecs/call: unknown, because the program stops after a fixed time"),
            !is_known,
            "{table}"
        );
    }
}

#[test]
fn time_per_call_needs_runs_with_equal_ends() {
    let mut subject = subject(true);
    subject.traced.as_mut().expect("a traced run").status = 124;
    let table = written(&ProfileRecord::new(&subject, &demo()), Format::Table);
    assert!(table.contains("55.0   5000                      sendto"), "{table}");
    assert!(table.contains("traced by ptrace; it ended with exit status 124\n"), "{table}");
    assert!(table.contains("usecs/call: unknown, because the traced run ended differently\n"), "{table}");
}

#[test]
fn totals_of_several_runs_have_a_spread() {
    let several = Subject { totals: vec![totals(1), totals(3)], ..subject(false) };
    let table = written(&ProfileRecord::new(&several, &demo()), Format::Table);
    for line in [
        "1000.00 ms  task-clock        0.990 CPUs used, ± 0.00 %",
        "80  context-switches  80.0 per second of CPU time, ± 50.00 %",
        "1.010 s  elapsed           ± 0.99 %",
    ] {
        assert!(table.contains(line), "no {line:?} in\n{table}");
    }
    assert!(table.contains("samples of 2 untraced runs"), "{table}");
    // Samples come from both runs, calls from one.
    let traced = subject(true).traced;
    let table = written(&ProfileRecord::new(&Subject { traced, ..several }, &demo()), Format::Table);
    assert!(table.contains("55.0   5000       55.00          sendto"), "{table}");
}

#[test]
fn page_in_markdown_has_the_same_numbers() {
    insta::assert_snapshot!(written(&record(), Format::Markdown), @r"
    ## Profile of demo --port=1&lt;2

    | total | event | note |
    | --: | --- | --- |
    | 1000.00 ms | task-clock | 1.000 CPUs used |
    | 40 | context-switches | 40.0 per second of CPU time |
    | 25 | page-faults | 25.0 per second of CPU time |
    | 1.000 s | elapsed |  |
    | 0.300 s | user |  |
    | 0.700 s | system |  |

    | % time | calls | usecs/call | errors | syscall | subsystem (entry) | subsystems that did the work |
    | --: | --: | --: | --: | --- | --- | --- |
    | 55.0 | 5000 | 110.00 |  | sendto | network | network 73 %, locking 27 % |
    | 30.0 |  |  |  | (user code) |  |  |
    | 10.0 |  |  |  | (page faults) |  | lib 100 % |
    | 5.0 | 200 | 250.00 | 3 | read | filesystem | filesystem 100 % |
    | 0.0 | 7 |  |  | close | filesystem |  |
    | 100.0 | 5207 |  | 3 | total |  |  |

    | % time | Kernel time by subsystem | functions (% time) |
    | --: | --- | --- |
    | 40.0 | network | tcp\_sendmsg\_locked 40.0 |
    | 15.0 | locking | \_raw\_spin\_lock 15.0 |
    | 10.0 | lib | clear\_page\_erms 10.0 |
    | 5.0 | filesystem | ksys\_read 5.0 |

    | % time | Kernel time by section of MAINTAINERS | functions (% time) |
    | --: | --- | --- |
    | 40.0 | NETWORK | tcp\_sendmsg\_locked 40.0 |
    | 15.0 | LOCKING | \_raw\_spin\_lock 15.0 |
    | 10.0 | LIB | clear\_page\_erms 10.0 |
    | 5.0 | FILESYSTEM | ksys\_read 5.0 |

    | self % | total % | kernel function |
    | --: | --: | --- |
    | 40.0 | 55.0 | tcp\_sendmsg\_locked |
    | 15.0 | 15.0 | \_raw\_spin\_lock |
    | 10.0 | 10.0 | clear\_page\_erms |
    | 5.0 | 5.0 | ksys\_read |

    | % time | User time by program or library | functions (% time) |
    | --: | --- | --- |
    | 25.0 | /bin/demo | compute&lt;T&gt;; 25.0 |
    | 5.0 | /lib/libz.so.1 | (no symbols) 5.0 |

    - time: 1000 samples of an untraced run, 1000 a second by cpu-clock; a share of 10 % is accurate to ± 1.9 points
    - calls and errors: another run, traced by ptrace
    - lost: 10 samples that the kernel could not store (1.0 %)
    - source files of kernel samples: 100.0 % found by function name, 0.0 % by neighbours, 0.0 % unknown (index of Linux 6.18.15)
    - missing: hardware counters; this machine has none
    ");
}

#[test]
fn folded_stacks_are_sorted_and_mark_the_kernel() {
    insta::assert_snapshot!(written(&record(), Format::Folded), @r"
    demo;[libz.so.1] 50
    demo;main;compute<T>: 250
    demo;main;do_syscall_64_[k];__x64_sys_sendto_[k];tcp_sendmsg_locked_[k] 400
    demo;main;do_syscall_64_[k];__x64_sys_sendto_[k];tcp_sendmsg_locked_[k];_raw_spin_lock_[k] 150
    demo;main;do_syscall_64_[k];ksys_read_[k] 50
    demo;main;grow;asm_exc_page_fault_[k];clear_page_erms_[k] 100
    ");
}

#[test]
fn missing_data_is_reported() {
    let mut hidden = demo();
    for stack in &mut hidden.stacks {
        stack.frames.retain(|frame| matches!(frame, Frame::User(_)));
    }
    hidden.missing = vec![Missing::KernelSamples];
    hidden.throttled = 2;
    let record = ProfileRecord::new(&Subject { killed_stragglers: 2, ..subject(false) }, &hidden);
    let table = written(&record, Format::Table);
    assert!(table.contains("70.0  (kernel, not visible)"), "{table}");
    assert!(table.contains("\nmissing: kernel functions; run `sudo sysctl"), "{table}");
    assert!(table.contains("\nthrottled: the kernel paused sampling 2 times; use a lower -F\n"), "{table}");
    assert!(table.contains("\n2 stragglers killed after the grace period\n"), "{table}");
    assert!(!table.contains("source files of kernel samples"), "{table}");
    assert!(written(&record, Format::Folded).contains("demo;main;(kernel, not visible)_[k] 600\n"));
}

#[test]
fn json_matches_its_schema_and_is_read_again() {
    let text = written(&record(), Format::Json);
    schema::published().holds(&serde_json::from_str(&text).expect("JSON"));
    schema::published().holds(&serde_json::to_value(ProfileRecord::new(&subject(false), &demo())).expect("JSON"));
    let again = ProfileRecord::read(text.as_bytes()).expect("the same version");
    assert_eq!(again, record());
    assert_eq!(written(&again, Format::Svg), written(&record(), Format::Svg));
}

#[test]
fn damaged_json_is_refused() {
    let text = written(&record(), Format::Json);
    let refused = |text: &str| ProfileRecord::read(text.as_bytes()).expect_err("refused").to_string();
    assert!(refused("{}").starts_with("not a saved profile: missing field"));
    assert_eq!(refused(&text.replace("profile/1", "profile/2")), "a profile of another version: sysguard.profile/2");
    assert_eq!(
        refused(&text.replacen("\"frames\":[", "\"frames\":[999,", 1)),
        "a stack refers to a function that is missing"
    );
}

/// speedscope 1.25.0 publishes the schema. MIT License, Copyright (c) 2018 Jamie Wong.
const SPEEDSCOPE: &str = include_str!("../../tests/speedscope-schema.json");

#[test]
fn speedscope_accepts_the_file() {
    let file: serde_json::Value = serde_json::from_str(&written(&record(), Format::Speedscope)).expect("JSON");
    let schema = serde_json::from_str(SPEEDSCOPE).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    assert_eq!(file["profiles"][0]["endValue"], 1_000_000_000);
    let mut broken = file;
    broken["profiles"][0]["unit"] = "furlongs".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn flame_graph_is_a_picture_without_scripts() {
    let svg = written(&record(), Format::Svg);
    let mut reader = quick_xml::Reader::from_str(&svg);
    let (mut elements, mut titles) = (Vec::new(), 0);
    loop {
        match reader.read_event().expect("well-formed XML") {
            quick_xml::events::Event::Start(element) | quick_xml::events::Event::Empty(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                titles += usize::from(name == "title");
                elements.push(name);
                for attribute in element.attributes() {
                    let key = attribute.expect("an attribute").key.as_ref().to_vec();
                    assert!(!key.starts_with(b"on"), "a handler");
                }
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    let known = ["svg", "title", "style", "rect", "text", "g"];
    assert!(elements.iter().all(|name| known.contains(&name.as_str())), "{elements:?}");
    assert_eq!(titles, 1 + elements.iter().filter(|name| *name == "g").count());
    assert!(svg.contains("<title>tcp_sendmsg_locked (network, net/ipv4/tcp.c): 550 samples, 55.0 %</title>"), "{svg}");
    assert!(svg.contains("<title>compute&lt;T&gt;; (/bin/demo): 250 samples, 25.0 %</title>"), "{svg}");
    assert!(svg.contains(">Flame graph of demo --port=1&lt;2</title>"), "{svg}");
}

#[test]
fn deep_stacks_leave_out_middle_functions() {
    let deep: Vec<Frame> = (0..90).map(|depth| user(&format!("f{depth}"), "/bin/demo")).collect();
    let record = ProfileRecord::new(&subject(false), &profile(&[(&deep, 5)]));
    let svg = written(&record, Format::Svg);
    assert!(svg.contains("<title>(38 functions): 5 samples, 100.0 %</title>"), "{svg}");
    assert!(svg.contains("<title>f0 ") && svg.contains("<title>f89 ") && !svg.contains("<title>f60 "), "{svg}");
    // Folded stacks hold all functions.
    assert_eq!(written(&record, Format::Folded).matches(';').count(), 90);
}

#[test]
fn empty_profile_is_written() {
    let record = ProfileRecord::new(&subject(true), &Profile::default());
    for format in Format::ALL {
        assert!(!written(&record, format).contains("NaN"), "{}", format.name());
    }
}
