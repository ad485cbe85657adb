//! Tests of every format with a hand-made recording.

mod rows;
mod stacks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::model::attribution::blind_spot::BlindSpot;
use crate::model::attribution::{Subsystem, Use, entry_points};
use crate::model::facts::signal_name::SignalName;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::{Abi, Syscall};
use crate::model::observe::ends::Ends;
use crate::model::observe::observation::{Engine, Observation, Tally};
use crate::model::run::platform::Platform;
use crate::model::run::workload::Exit;
use crate::model::taxonomy::{Base, Taxonomy};
use crate::report::schema::holds;

/// Returns calls of a syscall without argument and object.
fn plain(abi: Abi, number: i64, calls: u64) -> (Use, Tally) {
    let syscall = Syscall { abi, number };
    let subsystem = entry_points::subsystem(syscall);
    (
        Use { subsystem, syscall, argument: None, object: None, ambient: false, met: Default::default() },
        Tally { calls, errors: BTreeMap::new() },
    )
}

/// Returns a sample of everything: errors, an unknown number, calls under other ABIs, a call with
/// two uses, and one that is sometimes ambient.
fn uses() -> BTreeMap<Use, Tally> {
    let (mut close, mut closed) = plain(Abi::X86_64, 3, 12);
    closed.errors = BTreeMap::from([(Errno(9), 2)]);
    close.ambient = true;
    let (openat, _) = plain(Abi::X86_64, 257, 0);
    let on = |subsystem, object: &'static str| Use { subsystem, object: Some(object.into()), ..openat.clone() };
    let storage = Tally { calls: 5, errors: BTreeMap::from([(Errno(2), 1), (Errno(13), 1)]) };
    let (socket, _) = plain(Abi::X86_64, 41, 0);
    let socket = Use { argument: Some("AF_INET".into()), object: Some("socket:AF_INET:SOCK_STREAM".into()), ..socket };
    let (mmap, _) = plain(Abi::X86_64, 9, 0);
    BTreeMap::from([
        (close, closed),
        (on(Subsystem::Filesystem, "file:ext4"), storage),
        (on(Subsystem::Random, "char:urandom"), Tally { calls: 1, ..Tally::default() }),
        (socket, Tally { calls: 1, ..Tally::default() }),
        (Use { ambient: true, ..mmap.clone() }, Tally { calls: 20, ..Tally::default() }),
        (mmap, Tally { calls: 3, errors: BTreeMap::from([(Errno(12), 1)]) }),
        plain(Abi::I386, 5, 2),
        plain(Abi::X32, 512, 1),
        plain(Abi::X86_64, 999, 1),
    ])
}

fn recording() -> ObservedRun {
    ObservedRun {
        workload: None,
        command: vec!["ls".to_owned(), "-l".to_owned()],
        platform: Platform::from_triple("x86_64-unknown-linux-gnu").expect("a triple"),
        kernel: "6.18.44-generic".to_owned(),
        engine: Engine::Ptrace,
        exit: Exit::Exited(0),
        killed_stragglers: 0,
        times: None,
        observation: Observation {
            processes: 2,
            threads: 5,
            uses: uses(),
            blind_spots: BTreeSet::from([BlindSpot::IoUring]),
            ..Observation::new()
        },
    }
}

fn written(recording: &ObservedRun, format: Format, palette: &Palette) -> String {
    filed(recording, format, &Taxonomy::default(), palette)
}

fn filed(recording: &ObservedRun, format: Format, taxonomy: &Taxonomy, palette: &Palette) -> String {
    let mut out = Vec::new();
    observation(&mut out, recording, format, taxonomy, palette).expect("memory takes everything");
    String::from_utf8(out).expect("reports are text")
}

fn plainly(format: Format) -> String {
    written(&recording(), format, &Palette::plain())
}

#[test]
fn table_groups_by_reached_subsystem() {
    insta::assert_snapshot!(plainly(Format::Table), @r"
    System call                             Calls  Errors
    memory                                     23
      mmap                                     23  ENOMEM:1
    filesystem                                 19
      close                                    12  EBADF:2
      openat                                    5  EACCES:1 ENOENT:1
        file:ext4                               5  EACCES:1 ENOENT:1
      open (i386)                               2
    network                                     1
      socket                                    1
        AF_INET socket:AF_INET:SOCK_STREAM      1
    none                                        1
      syscall_0x3e7                             1
    random                                      1
      openat                                    1
        char:urandom                            1
    signal                                      1
      rt_sigaction (x32)                        1
    7 system calls in 6 subsystems             46  5 failed

    followed 5 tasks in 2 processes; 0 events lost; blind spots: io_uring; 0 stragglers killed; engine ptrace; exit status 0
    ");
}

#[test]
fn coverage_line_names_everything_incomplete() {
    let mut recording = recording();
    recording.exit = Exit::Signaled(9);
    recording.killed_stragglers = 1;
    recording.observation = Observation { runs: 3, processes: 1, threads: 1, lost_events: 7, ..Observation::new() };
    insta::assert_snapshot!(written(&recording, Format::Table, &Palette::plain()), @r"
    System call                     Calls  Errors
    0 system calls in 0 subsystems      0  0 failed

    3 runs, followed 1 task in 1 process; 7 events lost; blind spots: none; 1 straggler killed; engine ptrace; signal SIGKILL
    ");
}

#[test]
fn colours_change_no_text() {
    let coloured = written(&recording(), Format::Table, &Palette::coloured());
    assert_ne!(coloured, plainly(Format::Table));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plainly(Format::Table));
}

#[test]
fn markdown_has_the_four_columns_of_the_guide() {
    insta::assert_snapshot!(plainly(Format::Markdown), @r"
    | System Call | # calls | Linux Subsystem | System Call (API) |
    |---|---|---|---|
    | mmap | 23 | Memory Mgmt | sys_mmap() |
    | close | 12 | Filesystem | sys_close() |
    | openat | 5 | Filesystem | sys_openat() |
    | open (i386) | 2 | Filesystem | compat_sys_open() |
    | socket | 1 | Network | sys_socket() |
    | syscall_0x3e7 | 1 | Not Implemented |  |
    | openat | 1 | Random | sys_openat() |
    | rt_sigaction (x32) | 1 | Signal | compat_sys_rt_sigaction() |
    ");
}

/// Checks each field once; other values are checked in the other formats.
#[test]
#[expect(clippy::too_many_lines, reason = "the whole format in one snapshot")]
fn json_is_version_1() {
    let mut recording = recording();
    recording.observation.uses.retain(|used, _| used.syscall.number == 257 || used.syscall.number == 999);
    insta::assert_snapshot!(written(&recording, Format::Json, &Palette::plain()), @r#"
    {
      "schema": "sysguard.observation/1",
      "workload": {
        "name": null,
        "command": [
          "ls",
          "-l"
        ]
      },
      "platform": {
        "arch": "x86_64",
        "libc": "gnu",
        "kernel": "6.18.44-generic"
      },
      "engine": "ptrace",
      "runs": 1,
      "exit": {
        "kind": "exited",
        "code": 0
      },
      "processes": 2,
      "threads": 5,
      "lost_events": 0,
      "syscalls": [
        {
          "name": "openat",
          "abi": "x86_64",
          "number": 257,
          "calls": 6,
          "errors": {
            "EACCES": 1,
            "ENOENT": 1
          },
          "subsystem": "filesystem",
          "entry_point": "sys_openat",
          "source": "fs/open.c",
          "section": "FILESYSTEMS (VFS and infrastructure)",
          "uses": [
            {
              "subsystem": "filesystem",
              "object": "file:ext4",
              "argument": null,
              "calls": 5,
              "errors": {
                "EACCES": 1,
                "ENOENT": 1
              },
              "source": "fs/ext4/super.c",
              "section": "EXT4 FILE SYSTEM",
              "config": "CONFIG_EXT4_FS"
            },
            {
              "subsystem": "random",
              "object": "char:urandom",
              "argument": null,
              "calls": 1,
              "errors": {},
              "source": "drivers/char/random.c",
              "section": "RANDOM NUMBER DRIVER",
              "config": null
            }
          ]
        },
        {
          "name": "syscall_0x3e7",
          "abi": "x86_64",
          "number": 999,
          "calls": 1,
          "errors": {},
          "subsystem": "none",
          "entry_point": null,
          "source": null,
          "section": null,
          "uses": [
            {
              "subsystem": "none",
              "object": null,
              "argument": null,
              "calls": 1,
              "errors": {},
              "source": null,
              "section": null,
              "config": null
            }
          ]
        }
      ],
      "subsystems": [
        {
          "name": "filesystem",
          "calls": 5,
          "syscalls": [
            "openat"
          ]
        },
        {
          "name": "none",
          "calls": 1,
          "syscalls": [
            "syscall_0x3e7"
          ]
        },
        {
          "name": "random",
          "calls": 1,
          "syscalls": [
            "openat"
          ]
        }
      ],
      "blind_spots": [
        "io_uring"
      ]
    }
    "#);
}

#[test]
fn yaml_holds_what_json_holds() {
    let yaml: serde_json::Value = serde_yaml::from_str(&plainly(Format::Yaml)).expect("YAML");
    let json: serde_json::Value = serde_json::from_str(&plainly(Format::Json)).expect("JSON");
    assert_eq!(yaml, json);
    let head: Vec<String> = plainly(Format::Yaml).lines().take(12).map(str::to_owned).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    schema: sysguard.observation/1
    workload:
      name: null
      command:
      - ls
      - -l
    platform:
      arch: x86_64
      libc: gnu
      kernel: 6.18.44-generic
    engine: ptrace
    runs: 1
    ");
}

#[test]
fn ends_of_processes_are_reported() {
    let mut seen = recording();
    seen.observation.ends = Ends {
        signals: BTreeMap::from([(SignalName(11), 7), (SignalName(9), 1)]),
        statuses: BTreeMap::from([(1, 3)]),
        handled: BTreeMap::from([(SignalName(17), 5)]),
        ..Ends::default()
    };
    let table = written(&seen, Format::Table, &Palette::plain());
    let lines: Vec<&str> =
        table.lines().filter(|line| line.contains("processes ") || line.contains("signals ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    processes ended by signals: SIGKILL:1 SIGSEGV:7
    processes with exit statuses: 1:3
    signals taken by handlers: SIGCHLD:5
    ");
    let markdown = written(&seen, Format::Markdown, &Palette::plain());
    assert!(markdown.contains("\n\n- processes ended by signals: SIGKILL:1 SIGSEGV:7\n"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&written(&seen, Format::Json, &Palette::plain())).expect("JSON");
    holds("observation-1", &json);
    assert_eq!(json["ends"]["killed"], serde_json::json!({"SIGKILL": 1, "SIGSEGV": 7}));
    assert!(!plainly(Format::Json).contains("\"ends\""));
}

#[test]
fn csv_has_one_line_per_use() {
    insta::assert_snapshot!(plainly(Format::Csv), @r"
    subsystem,syscall,abi,number,argument,object,calls,errors,entry_point,source,section,config
    filesystem,close,x86_64,3,,,12,EBADF:2,sys_close,fs/open.c,FILESYSTEMS (VFS and infrastructure),
    filesystem,open,i386,5,,,2,,compat_sys_open,fs/open.c,FILESYSTEMS (VFS and infrastructure),
    filesystem,openat,x86_64,257,,file:ext4,5,EACCES:1 ENOENT:1,sys_openat,fs/ext4/super.c,EXT4 FILE SYSTEM,CONFIG_EXT4_FS
    memory,mmap,x86_64,9,,,23,ENOMEM:1,sys_mmap,arch/x86/kernel/sys_x86_64.c,X86 ARCHITECTURE (32-BIT AND 64-BIT),
    network,socket,x86_64,41,AF_INET,socket:AF_INET:SOCK_STREAM,1,,sys_socket,net/ipv4/af_inet.c,NETWORKING [GENERAL],CONFIG_INET && CONFIG_NET
    none,syscall_0x3e7,x86_64,999,,,1,,,,,
    random,openat,x86_64,257,,char:urandom,1,,sys_openat,drivers/char/random.c,RANDOM NUMBER DRIVER,
    signal,rt_sigaction,x32,512,,,1,,compat_sys_rt_sigaction,kernel/signal.c,core:kernel/signal.c,
    ");
}

#[test]
fn uses_add_up_to_syscalls_and_subsystems() {
    let recording = recording();
    let record = ObservationRecord::of(&recording);
    for syscall in &record.syscalls {
        assert_eq!(syscall.uses.iter().map(|used| used.calls).sum::<u64>(), syscall.calls, "{}", syscall.name);
    }
    let by_subsystem: u64 = record.subsystems.iter().map(|subsystem| subsystem.calls).sum();
    assert_eq!(by_subsystem, recording.observation.calls());
}

#[test]
fn workload_tracing_taxonomy_groups_by_call() {
    let guide = Taxonomy::built_in(Base::WorkloadTracing);
    let report = |format| filed(&recording(), format, &guide, &Palette::plain());
    insta::assert_snapshot!(report(Format::Markdown), @r"
    | System Call | # calls | Linux Subsystem | System Call (API) |
    |---|---|---|---|
    | mmap | 23 | Memory Mgmt. | sys_mmap() |
    | close | 12 | Filesystem | sys_close() |
    | openat | 6 | Filesystem | sys_openat() |
    | open (i386) | 2 | Filesystem | compat_sys_open() |
    | socket | 1 | Network | sys_socket() |
    | syscall_0x3e7 | 1 | Not Implemented |  |
    | rt_sigaction (x32) | 1 | Signal | compat_sys_rt_sigaction() |

    Subsystems by the taxonomy workload-tracing/1.
    ");
    assert!(report(Format::Table).trim_end().ends_with("; taxonomy workload-tracing/1"));
    assert!(report(Format::Csv).starts_with("subsystem,syscall,abi,number,argument,object,calls,errors,entry_point,source,section,config,group (workload-tracing/1)\n"));
    let record: serde_json::Value = serde_json::from_str(&report(Format::Json)).expect("JSON");
    assert_eq!(record["taxonomy"]["name"], "workload-tracing/1");
    assert_eq!(
        record["taxonomy"]["groups"][0],
        serde_json::json!({"name": "Filesystem", "calls": 20, "syscalls": ["close", "open", "openat"]})
    );
    assert_eq!(record["syscalls"][0]["subsystem"], "filesystem", "attribution is the same");
}

#[test]
fn record_matches_its_schema() {
    let mut recording = recording();
    let phase = BTreeMap::from([plain(Abi::X86_64, 41, 1)]);
    recording.observation.phases = BTreeMap::from([("serving".to_owned(), phase)]);
    let times = recording.observation.uses.keys().map(|used| (used.clone(), Duration::from_millis(2)));
    recording.times = Some(times.collect());
    let guide = Taxonomy::built_in(Base::WorkloadTracing);
    let ends = [Exit::Exited(3), Exit::Signaled(9), Exit::TimedOut];
    for (exit, engine) in ends.into_iter().zip([Engine::Ptrace, Engine::Guard, Engine::Notify]) {
        (recording.exit, recording.engine) = (exit, engine);
        let text = filed(&recording, Format::Json, &guide, &Palette::plain());
        holds("observation-1", &serde_json::from_str(&text).expect("JSON"));
    }
}
