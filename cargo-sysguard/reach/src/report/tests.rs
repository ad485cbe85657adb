//! Each format of one small survey, and what all of them must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sysguard::unstable::linux::SymbolFiles;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};
use sysguard::unstable::model::run::workload::Exit;

use super::*;
use crate::modules::{Missing, Modules};
use crate::observe::Observed;
use crate::result::{
    Assumption, AssumptionKind, Chain, Module, ModuleReach, Origin, Reach, Reached, Step, Unresolved, Why,
};
use crate::survey::Survey;

fn syscall(name: &str) -> Syscall {
    Syscall::from_name(Abi::X86_64, name).expect(name)
}

fn step(module: usize, function: &str, reached: Reached) -> Step {
    let function = Some(function.to_owned()).filter(|name| !name.is_empty());
    Step { module, function, start: 0x1000, at: 0x1010, reached }
}

/// Returns a way through these functions of the program, to one of the C library.
fn way(functions: &[&str], last: &str) -> Chain {
    let mut steps = vec![step(0, "_start", Reached::Entry)];
    steps.extend(functions.iter().map(|function| step(0, function, Reached::Called)));
    steps.push(step(1, last, Reached::InData));
    Chain { steps, resumes: None }
}

fn modules() -> Vec<Module> {
    let module = |path: &str, origin| Module { path: path.into(), bytes: path.as_bytes().into(), origin };
    let mut modules = vec![
        module("/bin/de|mo", Origin::Program),
        module("/lib/libc.so.6", Origin::NeededBy("/bin/de|mo".into())),
        module("/lib/ld.so", Origin::Interpreter),
        module("/lib/libnss_a.so.2", Origin::PlugIn("nss".to_owned())),
    ];
    let charset = |at| module(&format!("/lib/gconv/{at}.so"), Origin::PlugIn("iconv".to_owned()));
    modules.extend((0..9).map(charset));
    modules
}

fn reach() -> Reach {
    let of = |(at, module): (usize, Module)| ModuleReach {
        path: module.path,
        origin: module.origin,
        build_id: (at == 1).then(|| "0123456789abcdef0123".to_owned()),
        functions: 10,
        reached: at,
        reached_exports: BTreeSet::new(),
    };
    let open = way(&["main", "std::rt::lang_start::<()>", "demo::main", "<std::fs::File>::open::<&str>"], "open64");
    let spawn = way(&["main", "a", "b", "std::process::Command::spawn", "c"], "");
    let restart = Chain { resumes: Some(syscall("poll")), ..way(&["main"], "poll") };
    Reach {
        modules: modules().into_iter().enumerate().map(of).collect(),
        calls: BTreeMap::from([
            (syscall("openat"), open.clone()),
            (syscall("execve"), spawn.clone()),
            (syscall("restart_syscall"), restart),
        ]),
        sites: 7,
        unresolved: Vec::new(),
        assumptions: BTreeSet::new(),
        looks_up_functions: None,
        loads_modules: None,
        executes_programs: Some(spawn),
    }
}

fn observed(calls: &[&str]) -> Observed {
    Observed {
        calls: calls.iter().map(|name| syscall(name)).collect(),
        mapped: BTreeSet::new(),
        generates_code: false,
        executed_others: true,
        exit: Exit::Exited(3),
        killed_stragglers: 1,
        lost_events: 0,
    }
}

fn record_of(reach: Reach, missing: Vec<Missing>, observed: Option<Observed>) -> ReachRecord {
    let survey = Survey { modules: Modules::of_test(modules(), missing), reach, observed };
    let files = SymbolFiles::default();
    let lines = SourceLines::new(&files, &survey.modules, BTreeSet::new());
    let subject = Subject { workload: None, command: vec!["de|mo".to_owned(), "--x=1<2".to_owned()] };
    ReachRecord::new(&subject, &survey, &lines)
}

/// Returns a record with everything that can be unknown.
fn doubtful() -> ReachRecord {
    let chain = || way(&["main"], "syscall");
    let unresolved = [
        Why::Number { lost_in: Some((1, "mask".to_owned())) },
        Why::Number { lost_in: None },
        Why::CalledThroughPointer { function: (1, "syscall".to_owned()) },
        Why::Jump,
        Why::Undecodable,
        Why::NoFunction,
        Why::Compatibility,
    ];
    let unresolved = unresolved.into_iter().map(|why| Unresolved { why, chain: chain() }).collect();
    let reach = Reach { unresolved, loads_modules: Some(chain()), looks_up_functions: Some(chain()), ..reach() };
    let missing = vec![
        Missing { name: "liba.so".to_owned(), needed_by: Some("/bin/de|mo".into()), reason: None },
        Missing { name: "/tmp/b.so (deleted)".to_owned(), needed_by: None, reason: Some("it is gone".to_owned()) },
    ];
    let observed = Observed { generates_code: true, ..observed(&["openat", "socket"]) };
    record_of(reach, missing, Some(observed))
}

fn written(record: &ReachRecord, format: Format) -> String {
    let mut out = Vec::new();
    write(&mut out, record, format, &Palette::plain()).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn ways(record: &ReachRecord, call: &str, format: Format) -> String {
    let mut out = Vec::new();
    write_ways(&mut out, record, &[call.to_owned()], format, &Palette::plain()).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn table_shows_calls_modules_and_what_they_mean() {
    let record = record_of(reach(), Vec::new(), Some(observed(&["openat"])));
    let table = written(&record, Format::Table);
    for line in [
        "Reachable syscalls of /bin/de|mo\n",
        "  subsystem   syscall          observed  reachable  why\n",
        "  filesystem  openat           yes       yes        demo::main → File::open → open64\n",
        "  process     execve           -         yes        main → … → Command::spawn → c → libc.so.6\n",
        " (the kernel resumes poll after a signal)\n",
        "  /bin/de|mo            program             SHA-256 ",
        "  /lib/libc.so.6        needed by de|mo     build ID 0123456789abcdef  1 of 10\n",
        "  /lib/ld.so            interpreter  ",
        "  /lib/libnss_a.so.2    plug-in of nss ",
        "  9 files in /lib/gconv  plug-in of iconv ",
        "\n1 of the 3 syscalls that code reachable in these files could make were observed. Assumes no generated code \
         and no modules beyond those listed. Unresolved call sites: 0.\n",
        "programs: execve or execveat is reachable (main → ",
        "observed: one run, traced by ptrace; it ended with exit status 3; calls of other programs are not counted; \
         1 straggler killed\n",
    ] {
        let (found, line) = (squeezed(&table), squeezed(line));
        assert!(found.contains(&line), "{line}\n{table}");
    }
    assert!(!table.contains("no upper bound") && !table.contains("modules: "), "{table}");
}

/// Returns text with each run of spaces as one.
fn squeezed(text: &str) -> String {
    let lines =
        text.split('\n').map(|line| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn static_result_claims_no_run() {
    let record = record_of(reach(), Vec::new(), None);
    let table = written(&record, Format::Table);
    assert!(!table.contains("observed"), "{table}");
    assert!(table.contains("could make 3 syscalls. Nothing was run. Assumes no generated code"), "{table}");
    assert_eq!((record.observed(), record.is_upper_bound()), (None, true));
}

#[test]
fn assumptions_are_counted_and_listed() {
    let of = |kind, address| Assumption { kind, module: 1, address };
    let one = of(AssumptionKind::SmallObject, 16);
    let more = [one, of(AssumptionKind::DataInCode, 32), of(AssumptionKind::DataInCode, 48)];
    for (assumptions, text) in [
        (BTreeSet::from([one]), "no modules beyond those listed and that 1 word of data is a variable of its own."),
        (
            BTreeSet::from(more),
            "no modules beyond those listed, that 1 word of data is a variable of its own and that 2 places in \
             code hold data, because they cannot be decoded.",
        ),
    ] {
        let record = record_of(Reach { assumptions: assumptions.clone(), ..reach() }, Vec::new(), None);
        let table = written(&record, Format::Table);
        assert!(table.contains(text) && record.is_upper_bound(), "{table}");
        let json: serde_json::Value = serde_json::from_str(&written(&record, Format::Json)).expect("JSON");
        assert_eq!(json["assumptions"].as_array().map(Vec::len), Some(assumptions.len()));
        schema::published().holds(&json);
    }
}

#[test]
fn each_doubt_is_named_and_denies_an_upper_bound() {
    let record = doubtful();
    assert!(!record.is_upper_bound());
    let table = written(&record, Format::Table);
    for line in [
        "\n3 syscalls were found that code reachable in these files could make; 1 of them were observed.\n",
        "\nno upper bound: 7 sites unresolved\n",
        "\n  syscall in libc.so.6 at 0x1010: the number is not known: it is lost in mask in libc.so.6\n",
        "\n  syscall in libc.so.6 at 0x1010: the number is not known\n",
        ": the number is a parameter, and this is called through a pointer: syscall in libc.so.6\n",
        ": a jump to targets that are not known\n",
        ": instructions that cannot be decoded\n",
        ": a jump to an address that is no known code\n",
        ": a call of the 32-bit ABI\n",
        "\nno upper bound: liba.so, needed by de|mo, was not found; give it by --with FILE\n",
        "\nno upper bound: /tmp/b.so (deleted), mapped by the run, cannot be used (it is gone)\n",
        "\nno upper bound: the run mapped memory as code that is of no file\n",
        "\nno upper bound: observed, but not found reachable: socket\n",
        "\nlookups: code looks up functions by names that are not known (main → syscall); functions that are found only \
         so are not included\n",
        "\nmodules: code that loads modules is reachable (main → syscall); others than those listed are not included\n",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    assert!(!table.contains("Unresolved call sites: 0"), "{table}");
}

#[test]
fn one_doubt_is_enough() {
    let missing = Missing { name: "liba.so".to_owned(), needed_by: None, reason: None };
    let site = Unresolved { why: Why::Jump, chain: way(&["main"], "f") };
    for record in [
        record_of(reach(), vec![missing], None),
        record_of(Reach { unresolved: vec![site], ..reach() }, Vec::new(), None),
        record_of(reach(), Vec::new(), Some(observed(&["socket"]))),
        record_of(reach(), Vec::new(), Some(Observed { generates_code: true, ..observed(&[]) })),
    ] {
        assert!(!record.is_upper_bound());
        assert_eq!(record.doubts().iter().filter(|doubt| doubt.starts_with("no upper bound: ")).count(), 1);
        let table = written(&record, Format::Table);
        assert!(!table.contains("Assumes no generated code"), "{table}");
    }
}

#[test]
fn no_text_format_calls_a_result_complete() {
    for record in [doubtful(), record_of(reach(), Vec::new(), None)] {
        for format in Format::ALL {
            assert!(!written(&record, format).to_lowercase().contains("complete"));
        }
    }
}

#[test]
fn way_is_shown_step_by_step() {
    let record = record_of(reach(), Vec::new(), None);
    let shown = squeezed(&ways(&record, "openat", Format::Table));
    for line in [
        "A way to openat\n",
        "function module reached as leads on at\n",
        "_start de|mo entry point 0x1010\n",
        "demo::main de|mo called 0x1010\n",
        "open64 libc.so.6 its address is in data 0x1010\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let shown = ways(&record, "restart_syscall", Format::Table);
    assert!(
        shown.starts_with("A way to restart_syscall, which the kernel makes itself to resume poll after a signal\n")
    );
    assert_eq!(ways(&record, "socket", Format::Table), "socket: not reachable\n\n");
    assert_eq!(ways(&doubtful(), "mount", Format::Table), "mount: no way was found, but there is no upper bound\n\n");
}

#[test]
fn markdown_escapes_foreign_text() {
    let page = written(&doubtful(), Format::Markdown);
    for line in [
        "## Reachable syscalls of /bin/de\\|mo\n",
        "| subsystem | syscall | observed | reachable | why |\n| --- | --- | --- | --- | --- |\n",
        "| network | socket | yes | - |  |\n",
        "- no upper bound: liba.so, needed by de\\|mo, was not found; give it by --with FILE\n",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    let page = ways(&doubtful(), "openat", Format::Markdown);
    assert!(page.starts_with("### A way to openat\n\n| function |") && page.contains("| de\\|mo | called |"), "{page}");
}

#[test]
fn foreign_names_are_escaped() {
    let mut reach = reach();
    let chain = way(&["main"], "\u{1b}[2J\n::error::");
    reach.calls.insert(syscall("socket"), chain);
    let mut missing = vec![Missing { name: "\u{1b}".to_owned(), needed_by: Some("a\nb".into()), reason: None }];
    missing[0].reason = Some("\u{7}".to_owned());
    let record = record_of(reach, missing, None);
    for text in [
        written(&record, Format::Table),
        written(&record, Format::Markdown),
        ways(&record, "socket", Format::Table),
        ways(&record, "socket", Format::Markdown),
    ] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        assert!(!text.contains("\n::error::") && !text.contains("a\nb"), "{text:?}");
    }
}

#[test]
fn json_is_read_again_and_matches_its_schema() {
    for record in [doubtful(), record_of(reach(), Vec::new(), Some(observed(&["openat"])))] {
        let json = written(&record, Format::Json);
        assert_eq!(ReachRecord::read(json.as_bytes()).expect("a record"), record);
        schema::published().holds(&serde_json::from_str(&json).expect("JSON"));
    }
    let record = doubtful();
    assert_eq!(record.reachable(), BTreeSet::from(["execve", "openat", "restart_syscall"]));
    assert_eq!(record.observed(), Some(1));
    let digests: Vec<PathBuf> = record.digests().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(digests.len(), modules().len());
    assert_eq!(record.way("execve").as_deref(), Some("main → … → Command::spawn → c → libc.so.6"));
    assert_eq!(record.reachable_of(|subsystem, _| subsystem == "filesystem"), ["openat"]);
}

#[test]
fn other_documents_are_refused() {
    let json = written(&doubtful(), Format::Json);
    for (text, message) in [
        ("{}".to_owned(), "not a saved reach: "),
        (json.replace("sysguard.reach/1", "sysguard.reach/2"), "a reach of another version: sysguard.reach/2"),
        (json.replace("{\"module\":1,", "{\"module\":99,"), "a step refers to a module that is missing"),
    ] {
        let error = ReachRecord::read(text.as_bytes()).expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
