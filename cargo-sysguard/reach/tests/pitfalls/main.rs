//! Small C programs, each with something that a static analysis may miss.

mod addresses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use reach::{Fault, Header, Module, Origin, Reach, Reached, Unresolved, Why, analyse};
use tempfile::TempDir;

/// Compiles C code. Returns the path of the program or library.
fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (file, program) = (folder.join(format!("{name}.c")), folder.join(name));
    fs::write(&file, source).expect("a scratch file");
    let mut compiler = Command::new("cc");
    compiler.arg("-o").arg(&program).arg(&file).args(flags);
    let output = compiler.output().expect("cc, a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn module(path: &Path, origin: Origin) -> Module {
    Module { path: path.to_owned(), bytes: fs::read(path).expect("a file").into(), origin }
}

/// Analyses a program that has no C library.
fn bare(source: &str, flags: &[&str]) -> Reach {
    let folder = TempDir::new().expect("a scratch folder");
    let flags = [&["-O2", "-ffreestanding", "-nostdlib", "-static", "-fno-stack-protector"], flags].concat();
    let program = compile(folder.path(), "bare", &format!("{CALL}{source}"), &flags);
    analyse(&[module(&program, Origin::Program)]).expect("an analysis")
}

/// A syscall with arguments of zero, and a use of a value that the compiler does not see.
const CALL: &str = "
    static inline __attribute__((always_inline)) long call(long number) {
        long result;
        __asm__ volatile(\"syscall\" : \"=a\"(result) : \"a\"(number), \"D\"(0), \"S\"(0), \"d\"(0) : \"rcx\", \"r11\", \"memory\");
        return result;
    }
    #define SEEN(function) __asm__ volatile(\"\" : : \"r\"(function) : \"memory\")
";

fn names(reach: &Reach) -> Vec<String> {
    let names: BTreeSet<String> = reach.calls.keys().map(|syscall| syscall.name().into_owned()).collect();
    names.into_iter().collect()
}

/// Asserts that these are the calls, and that nothing is unknown.
#[track_caller]
fn assert_calls(reach: &Reach, expected: &[&str]) {
    assert_eq!(reach.unresolved, []);
    assert_eq!(names(reach), expected);
}

#[test]
fn unreached_functions_do_not_count() {
    let reach = bare("void unused(void) { call(169); } void _start(void) { call(39); call(60); }", &[]);
    assert_calls(&reach, &["exit", "getpid"]);
    assert_eq!((reach.modules[0].functions, reach.modules[0].reached), (2, 1));
}

#[test]
fn number_passes_through_functions() {
    let source = "
        __attribute__((noinline)) long inner(int a, int b, long number) { return call(number) + a + b; }
        __attribute__((noinline)) long outer(long number) { return inner(1, 2, number) + 1; }
        void _start(void) { outer(39); outer(57); call(60); }";
    let reach = bare(source, &[]);
    assert_calls(&reach, &["exit", "fork", "getpid"]);
    let fork = reach.calls.iter().find(|(syscall, _)| syscall.name() == "fork").expect("fork").1;
    let steps: Vec<Option<&str>> = fork.steps.iter().map(|step| step.function.as_deref()).collect();
    assert_eq!(steps, [Some("_start"), Some("outer"), Some("inner")]);
    assert_eq!(fork.steps[0].reached, Reached::Entry);
    assert_eq!(fork.steps[2].reached, Reached::Called);
}

#[test]
fn number_passes_on_the_stack() {
    let source = "
        __attribute__((noinline)) long seventh(long a, long b, long c, long d, long e, long f, long number) {
            SEEN(a); SEEN(b); SEEN(c); SEEN(d); SEEN(e); SEEN(f);
            return call(number);
        }
        void _start(void) { seventh(1, 2, 3, 4, 5, 6, 39); seventh(1, 2, 3, 4, 5, 6, 57); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "fork", "getpid"]);
    assert_calls(&bare(source, &["-O0"]), &["exit", "fork", "getpid"]);
}

#[test]
fn number_passes_in_a_structure() {
    let source = "
        struct request { int flag; int number; };
        __attribute__((noinline)) long make(struct request *request) { return call(request->number); }
        void _start(void) { struct request request = {1, 39}; make(&request); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "getpid"]);
}

#[test]
fn computed_number_is_announced() {
    let source = "long number; void _start(void) { call(number); call(60); }";
    let reach = bare(source, &[]);
    assert_eq!(names(&reach), ["exit"]);
    assert_eq!(reasons(&reach), [Why::Number { lost_in: None }]);
}

#[test]
fn number_from_a_pointer_call_is_announced() {
    let source = "
        __attribute__((noinline)) long make(long number) { return call(number); }
        void _start(long (**places)(long)) { places[0] = make; places[1](39); call(60); }";
    let reach = bare(source, &[]);
    assert_eq!(names(&reach), ["exit"]);
    assert_eq!(reasons(&reach), [Why::CalledThroughPointer { function: (0, "make".to_owned()) }]);
}

#[test]
fn call_through_a_word_is_followed() {
    let source = "
        __attribute__((noinline)) long make(long number) { return call(number); }
        long (*volatile pointer)(long) = make;
        void _start(void) { pointer(39); call(60); }";
    assert_calls(&bare(source, &[]), &["exit", "getpid"]);
}

#[test]
fn call_through_a_register_is_followed() {
    let source = "
        __attribute__((noinline)) long make(long number) { return call(number); }
        void _start(void) {
            long (*pointer)(long) = make;
            __asm__ volatile(\"\" : \"+r\"(pointer));
            call(60);
            __asm__ volatile(\"lea make(%rip), %rbx; mov $39, %edi; call *%rbx\");
        }";
    let reach = bare(source, &[]);
    assert!(names(&reach).contains(&"getpid".to_owned()), "{:?}", names(&reach));
}

#[test]
fn table_of_functions_is_followed() {
    let source = "
        void first(void) { call(39); }
        void second(void) { call(57); }
        void (*const volatile table[])(void) = {first, second};
        volatile int index;
        void _start(void) { table[index](); call(60); }";
    for flags in [&["-no-pie"][..], &["-static-pie", "-fpie"]] {
        assert_calls(&bare(source, flags), &["exit", "fork", "getpid"]);
    }
}

#[test]
fn switch_sets_one_of_its_numbers() {
    let source = "
        volatile int index;
        void _start(void) {
            long number;
            switch (index) {
            case 0: number = 39; SEEN(0); break;
            case 1: number = 57; SEEN(1); break;
            case 2: number = 102; SEEN(2); break;
            case 3: number = 104; SEEN(3); break;
            case 4: number = 107; SEEN(4); break;
            case 5: number = 108; SEEN(5); break;
            default: number = 110; SEEN(6); break;
            }
            call(number);
            call(60);
        }";
    for flags in [&["-no-pie"][..], &["-static-pie", "-fpie"]] {
        let expected = ["exit", "fork", "getegid", "geteuid", "getgid", "getpid", "getppid", "getuid"];
        assert_calls(&bare(source, flags), &expected);
    }
}

#[test]
fn code_goes_on_past_the_end_of_its_unwind_entry() {
    let source = "
        void split(int);
        __asm__(\".type split,@function; split: .cfi_startproc; mov $-22,%eax; test %edi,%edi; je 1f; mov $39,%eax;\"
                \".cfi_endproc; syscall; 1: ret\");
        void _start(void) { split(1); call(60); }";
    assert_calls(&bare(source, &["-Wl,-s"]), &["exit", "getpid"]);
}

#[test]
fn function_that_no_file_defines_is_never_called() {
    let source = "void missing(void) __attribute__((weak)); void _start(void) { if (missing) missing(); call(60); }";
    for flags in [&["-no-pie", "-fno-pie"][..], &["-static-pie", "-fpie"]] {
        assert_calls(&bare(source, flags), &["exit"]);
    }
}

#[test]
fn constructors_are_reached() {
    let source = "__attribute__((constructor)) void before(void) { call(39); } void _start(void) { call(60); }";
    let reach = bare(source, &[]);
    assert_calls(&reach, &["exit", "getpid"]);
    let chain = reach.calls.values().find(|chain| chain.steps[0].function.as_deref() == Some("before"));
    assert_eq!(chain.expect("a chain").steps[0].reached, Reached::Constructor);
}

#[test]
fn thread_local_pointers_are_reached() {
    let source = "
        void task(void) { call(39); }
        _Thread_local void (*volatile pointer)(void) = task;
        void _start(void) { pointer(); call(60); }";
    for flags in [&["-no-pie"][..], &["-static-pie", "-fpie"]] {
        assert_calls(&bare(source, flags), &["exit", "getpid"]);
    }
}

#[test]
fn kernel_restarts_calls_after_a_signal() {
    let reach = bare("void _start(void) { call(35); call(60); }", &[]);
    assert_calls(&reach, &["exit", "nanosleep", "restart_syscall"]);
    let restart = reach.calls.iter().find(|(syscall, _)| syscall.name() == "restart_syscall").expect("it").1;
    assert_eq!(restart.resumes.expect("a call").name(), "nanosleep");
}

#[test]
fn calls_of_32_bit_programs_are_announced() {
    let reach = bare("void _start(void) { __asm__ volatile(\"int $0x80\" : : \"a\"(20)); call(60); }", &[]);
    assert_eq!(names(&reach), ["exit"]);
    assert_eq!(reasons(&reach), [Why::Compatibility]);
}

#[test]
fn execution_is_reported_with_a_way_to_it() {
    let reach = bare("void run(void) { call(59); } void _start(void) { run(); call(60); }", &["-O0"]);
    let chain = reach.executes_programs.expect("a way");
    assert_eq!(chain.steps.last().and_then(|step| step.function.as_deref()), Some("run"));
    assert_eq!(bare("void _start(void) { call(60); }", &[]).executes_programs, None);
}

fn reasons(reach: &Reach) -> Vec<Why> {
    reach.unresolved.iter().map(|Unresolved { why, .. }| why.clone()).collect()
}

#[test]
fn library_that_is_loaded_at_run_time_counts_as_a_whole() {
    let folder = TempDir::new().expect("a scratch folder");
    let flags = ["-O2", "-ffreestanding", "-nostdlib", "-fno-stack-protector"];
    let library = format!("{CALL} void exported(void) {{ call(39); }} static void hidden(void) {{ call(57); }}");
    let library = compile(folder.path(), "library.so", &library, &[&flags[..], &["-shared", "-fpic"]].concat());
    let program = format!("{CALL} void _start(void) {{ call(60); }}");
    let program = compile(folder.path(), "program", &program, &[&flags[..], &["-static"]].concat());
    let program = module(&program, Origin::Program);
    let of = |origin: Origin| analyse(&[program.clone(), module(&library, origin)]).expect("an analysis");
    assert_calls(&of(Origin::NeededBy(program.path.clone())), &["exit"]);
    for origin in [Origin::Mapped, Origin::Given, Origin::PlugIn("nss".to_owned())] {
        assert_calls(&of(origin), &["exit", "getpid"]);
    }
}

#[test]
fn symbols_lead_to_other_files() {
    let folder = TempDir::new().expect("a scratch folder");
    let flags = ["-O2", "-ffreestanding", "-nostdlib", "-fno-stack-protector"];
    let library = format!(
        "{CALL} void exported(void) {{ call(39); }} static void in_data(void) {{ call(57); }}
         void (*const volatile copied[2])(void) = {{in_data, in_data}}; void unused(void) {{ call(58); }}"
    );
    let library = compile(folder.path(), "liblibrary.so", &library, &[&flags[..], &["-shared", "-fpic"]].concat());
    let source = format!(
        "{CALL} void exported(void); extern void (*const volatile copied[2])(void); volatile int index;
         void _start(void) {{ exported(); copied[index](); call(60); }}"
    );
    let link = format!("-L{}", folder.path().display());
    for kind in [&["-fno-pie", "-no-pie"][..], &["-fpie", "-pie"]] {
        let program = compile(folder.path(), "program", &source, &[&flags[..], kind, &[&link, "-llibrary"]].concat());
        let program = module(&program, Origin::Program);
        assert_eq!(Header::read(&program.path, &program.bytes).expect("a header").needed, [b"liblibrary.so".to_vec()]);
        let needed = Origin::NeededBy(program.path.clone());
        let reach = analyse(&[program, module(&library, needed)]).expect("an analysis");
        assert_calls(&reach, &["exit", "fork", "getpid"]);
        assert_eq!(reach.modules[1].reached_exports, BTreeSet::from(["exported".to_owned()]));
    }
}

#[test]
fn exported_constructors_are_reached() {
    let folder = TempDir::new().expect("a scratch folder");
    let flags = ["-O2", "-ffreestanding", "-nostdlib", "-fno-stack-protector"];
    let library = format!("{CALL} __attribute__((constructor)) void before(void) {{ call(39); }}");
    let library = compile(folder.path(), "library.so", &library, &[&flags[..], &["-shared", "-fpic"]].concat());
    let program = format!("{CALL} void _start(void) {{ call(60); }}");
    let program = compile(folder.path(), "program", &program, &[&flags[..], &["-static"]].concat());
    let program = module(&program, Origin::Program);
    let needed = Origin::NeededBy(program.path.clone());
    let reach = analyse(&[program, module(&library, needed)]).expect("an analysis");
    assert_calls(&reach, &["exit", "getpid"]);
}

#[test]
fn other_files_are_refused() {
    let header = |class: u8, machine: u16, kind: u16| {
        let mut bytes = vec![0; 120];
        bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1, 1]);
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes
    };
    for (bytes, message) in [
        (b"#!/bin/sh\n".to_vec(), "cannot analyse x: not an ELF file"),
        (Vec::new(), "cannot analyse x: not an ELF file"),
        (b"\x7fELF\x02\x01\x01".to_vec(), "cannot analyse x: its header is cut off"),
        (header(2, 183, 2), "cannot analyse x: cannot decode aarch64 code, only that of x86_64"),
        (header(1, 3, 2), "cannot analyse x: cannot decode 32-bit i386 code, only that of x86_64"),
        (header(1, 62, 2), "cannot analyse x: cannot decode 32-bit x86_64 code, only that of x86_64"),
        (header(2, 9999, 2), "cannot analyse x: cannot decode machine 9999 code, only that of x86_64"),
        (header(2, 62, 1), "cannot analyse x: an object file, neither a program nor a shared library"),
        (header(2, 62, 4), "cannot analyse x: a core dump, neither a program nor a shared library"),
    ] {
        let module = Module { path: "x".into(), bytes: bytes.into(), origin: Origin::Program };
        let fault = analyse(&[module]).expect_err("no program");
        assert_eq!(fault.to_string(), message);
    }
    assert_eq!(analyse(&[]).expect_err("nothing"), Fault::NoProgram);
}
