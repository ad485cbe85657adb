//! Tests of annotated instructions, with functions of an invented kernel.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::instructions::{Processor, decode, with_samples};
use super::*;
use crate::kernel::Kernel;
use crate::recording::{Recording, Sample};

/// push %rbp; mov %rsp,%rbp; jmp to the start; ret
const BODY: [u8; 7] = [0x55, 0x48, 0x89, 0xe5, 0xeb, 0xfa, 0xc3];

#[test]
fn samples_count_for_the_instruction_that_holds_them() {
    let decoded = decode(Processor::X86(64), &BODY, 0x1000).expect("x86");
    let samples = [(0x1000, 1), (0x1001, 2), (0x1003, 4), (0x1004, 8)].into();
    let text = |(address, text, samples)| format!("{address:x} {text} {samples}");
    let shown: Vec<String> = with_samples(decoded, &samples).into_iter().map(text).collect();
    assert_eq!(shown, ["1000 push %rbp 1", "1001 mov %rsp, %rbp 6", "1004 jmp 0x1000 8", "1006 ret 0"]);
}

#[test]
fn other_processors_are_refused() {
    let refused = decode(Processor::Other, &BODY, 0).expect_err("not decoded");
    assert_eq!(refused, "only instructions of x86 processors can be decoded");
}

#[test]
fn instructions_follow_their_source_lines() {
    let folder = TempDir::new().expect("a directory");
    let file = folder.path().join("a.c");
    fs::write(&file, "int a(void) {\n    return 1;\n}\n").expect("a file");
    let path: Arc<str> = Arc::from(file.to_str().expect("UTF-8"));
    let instruction = |address, samples, text: &str, source: Option<u32>| {
        let source = source.map(|line| (Arc::clone(&path), line));
        Instruction { address, samples, text: text.to_owned(), source }
    };
    let annotation = Annotation {
        function: "a".to_owned(),
        file: "/bin/a".to_owned(),
        samples: 4,
        all: 16,
        instructions: vec![
            instruction(0x10, 3, "mov $1, %eax", Some(2)),
            instruction(0x15, 0, "nop", Some(2)),
            instruction(0x16, 1, "ret", Some(9)),
        ],
        notes: vec!["a note".to_owned()],
    };
    let mut out = Vec::new();
    annotation.write(&mut out).expect("a vector takes everything");
    let shown = String::from_utf8(out).expect("UTF-8").replace(&*path, "a.c");
    // A line that the file lacks has no text.
    let expected = "a in /bin/a: 4 of 16 samples (25.0 %)\na note\n\n         a.c:2  return 1;\n   75.0            10:  mov $1, %eax\n                   \
                    15:  nop\n         a.c:9  \n   25.0            16:  ret\n";
    assert_eq!(shown, expected);
}

const STEXT: u64 = 0xffff_ffff_8100_0000;

/// Returns a kernel with functions at these distances from `_stext`.
fn kernel_with(functions: &[(&str, u64)]) -> Kernel {
    let lines = functions.iter().map(|(name, at)| format!("{:x} T {name}\n", STEXT + at));
    Kernel::of(&lines.collect::<String>(), "6.18.0", None).expect("addresses")
}

fn recording(addresses: &[(u64, u64)]) -> Recording {
    let sample = |&(at, count): &(u64, u64)| Sample {
        pid: 1,
        tid: 1,
        time: 0,
        count,
        period: count,
        kernel: vec![STEXT + at, STEXT],
        user: Vec::new(),
        in_kernel: true,
    };
    Recording { samples: addresses.iter().map(sample).collect(), ..Recording::default() }
}

/// Writes an ELF core file with one segment, as `/proc/kcore` has them.
fn core_file(folder: &Path, code: &[u8]) -> PathBuf {
    let mut bytes = vec![0; 64 + 56];
    bytes[..4].copy_from_slice(b"\x7fELF");
    let offset = bytes.len() as u64;
    for (at, value) in [(32, 64), (64 + 8, offset), (64 + 16, STEXT), (64 + 40, code.len() as u64)] {
        bytes[at..at + 8].copy_from_slice(&u64::to_ne_bytes(value));
    }
    bytes[56..58].copy_from_slice(&1_u16.to_ne_bytes());
    bytes[64..68].copy_from_slice(&1_u32.to_ne_bytes());
    bytes.extend(code);
    let path = folder.join("kcore");
    fs::write(&path, bytes).expect("a file");
    path
}

#[test]
#[cfg(target_arch = "x86_64")]
fn kernel_function_is_read_from_memory() {
    let folder = TempDir::new().expect("a directory");
    let core = core_file(folder.path(), &[&[0x90; 16], &BODY[..], &[0x90; 9]].concat());
    let names = kernel_with(&[("_stext", 0), ("alpha", 16), ("beta", 23), ("gamma", 400)]);
    let runs = [recording(&[(17, 3), (20, 1), (23, 5)])];
    let shown = kernel(&runs, &names, "alpha", Code::Memory(&core)).expect("readable");
    assert_eq!((shown.samples, shown.all), (4, 9));
    let text: Vec<(u64, &str)> = shown.instructions.iter().map(|it| (it.samples, it.text.as_str())).collect();
    assert_eq!(text, [(0, "push %rbp"), (3, "mov %rsp, %rbp"), (1, "jmp 0xffffffff81000010"), (0, "ret")]);
    let fault = |name, code| kernel(&runs, &names, name, code).expect_err("refused").to_string();
    assert_eq!(
        fault("gamma", Code::Memory(&core)),
        "no sample is in a function `gamma`\nhelp: most samples are in beta, alpha"
    );
    assert!(fault("alpha", Code::Memory(Path::new("/no/kcore"))).contains("or give --vmlinux FILE"));
    assert!(fault("beta", Code::Memory(&core)).contains("does not hold the kernel's code"), "it ends too early");
    // The last function before a gap, such as the end of a module.
    let far = kernel_with(&[("_stext", 0), ("alpha", 16), ("beta", 1 << 30)]);
    assert_eq!(far.extent(STEXT + 17), Some(STEXT + 16..STEXT + 16 + 4096));
    fs::write(&core, "text").expect("a file");
    assert!(fault("alpha", Code::Memory(&core)).contains("cannot read the instructions of `alpha`: "));
}

/// The linked kernel is for other addresses than those it runs at.
#[test]
#[cfg(target_arch = "x86_64")]
fn kernel_function_is_read_from_a_linked_kernel() {
    let folder = TempDir::new().expect("a directory");
    let (source, linked) = (folder.path().join("k.s"), folder.path().join("vmlinux"));
    fs::write(&source, ".globl _stext, alpha\n_stext:\n.skip 16, 0x90\nalpha:\npush %rbp\nmov %rsp, %rbp\njmp alpha\nret\n.skip 9, 0x90\n")
        .expect("a file");
    let link = |more: &str| {
        let flags = ["-nostdlib", "-static", "-Wl,-e,_stext", more, "-o"];
        let mut cc = Command::new("cc");
        cc.args(flags).arg(&linked).arg(&source).status().is_ok_and(|status| status.success())
    };
    assert!(link("-Wl,--build-id=none"), "a compiler");
    let names = kernel_with(&[("_stext", 0), ("alpha", 16), ("beta", 23)]);
    let runs = [recording(&[(17, 3)])];
    let shown = kernel(&runs, &names, "alpha", Code::File(&linked)).expect("readable");
    let text: Vec<(u64, &str)> = shown.instructions.iter().map(|it| (it.samples, it.text.as_str())).collect();
    assert_eq!(text, [(0, "push %rbp"), (3, "mov %rsp, %rbp"), (0, "jmp 0xffffffff81000010"), (0, "ret")]);
    assert_eq!(shown.notes, ["as linked: the running kernel may have replaced instructions"]);
    if Path::new("/sys/kernel/notes").exists() && link("-Wl,--build-id=sha1") {
        let fault = kernel(&runs, &names, "alpha", Code::File(&linked)).expect_err("another kernel").to_string();
        assert!(fault.contains("is another kernel"), "{fault}");
    }
}
