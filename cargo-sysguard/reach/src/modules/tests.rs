//! Modules of programs that are compiled for the test, beside what the loader of glibc says.

use std::process::Command;

use tempfile::TempDir;

use super::*;

/// Compiles a program or library in a folder.
fn compile(folder: &TempDir, source: &str, arguments: &[&str]) {
    fs::write(folder.path().join("source.c"), source).expect("a file");
    let compiled = Command::new("cc").arg("source.c").args(arguments).current_dir(folder.path()).status();
    assert!(compiled.expect("cc starts").success(), "{arguments:?}");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Returns the libraries that the loader says it would map (`LD_TRACE_LOADED_OBJECTS`, ld.so(8)).
fn listed(program: &Path) -> Vec<PathBuf> {
    let output = Command::new(program).env("LD_TRACE_LOADED_OBJECTS", "1").output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let path = |line: &str| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        fs::canonicalize(path).ok()
    };
    let mut paths: Vec<PathBuf> = text.lines().filter_map(path).collect();
    paths.sort();
    paths
}

fn found(modules: &Modules) -> Vec<PathBuf> {
    let paths = modules.found().iter().skip(1).map(|module| fs::canonicalize(&module.path).expect("a file"));
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
}

#[test]
fn modules_are_those_that_the_loader_lists() {
    let folder = folder();
    compile(&folder, "int f(void) { return 1; }", &["-shared", "-fPIC", "-o", "libf.so"]);
    compile(
        &folder,
        "int f(void); int main(void) { return f(); }",
        &["-o", "demo", "-L.", "-lf", "-Wl,-rpath,$ORIGIN"],
    );
    let demo = folder.path().join("demo");
    let modules = Modules::of(&demo).expect("a program");
    assert_eq!(found(&modules), listed(&demo));
    assert_eq!(modules.missing(), []);
    assert_eq!(modules.found()[0].origin, Origin::Program);
    assert!(modules.found().iter().any(|module| module.origin == Origin::Interpreter));
    for program in ["/bin/sh", "/bin/ls", "/usr/bin/env"] {
        let program = fs::canonicalize(program).expect("a program");
        assert_eq!(found(&Modules::of(&program).expect("a program")), listed(&program), "{}", program.display());
    }
}

#[test]
fn missing_library_is_named_until_a_file_is_given() {
    let elsewhere = folder();
    let folder = folder();
    compile(&folder, "int f(void) { return 1; }", &["-shared", "-fPIC", "-o", "libf.so"]);
    compile(&folder, "int f(void); int main(void) { return f(); }", &["-o", "demo", "-L.", "-lf"]);
    let mut modules = Modules::of(&folder.path().join("demo")).expect("a program");
    let demo = fs::canonicalize(folder.path().join("demo")).expect("a program");
    let missing = Missing { name: "libf.so".to_owned(), needed_by: Some(demo.clone()), reason: None };
    assert_eq!(modules.missing(), [missing]);
    let given = elsewhere.path().join("libf.so");
    fs::copy(folder.path().join("libf.so"), &given).expect("a copy");
    assert!(modules.add(&given, Origin::Given).expect("a library"));
    assert_eq!(modules.missing(), []);
    let added = modules.found().last().expect("the library");
    assert_eq!((&added.path, &added.origin), (&given, &Origin::NeededBy(demo)));
    assert!(!modules.add(&given, Origin::Given).expect("a library"), "it is known");
}

#[test]
fn static_program_is_its_only_module() {
    let folder = folder();
    compile(&folder, "int main(void) { return 0; }", &["-static", "-o", "demo"]);
    compile(&folder, "int main(void) { return 0; }", &["-static-pie", "-o", "pie"]);
    for name in ["demo", "pie"] {
        let modules = Modules::of(&folder.path().join(name)).expect("a program");
        assert_eq!((modules.found().len(), modules.missing().len()), (1, 0), "{name}");
    }
}

#[test]
fn files_that_are_no_programs_are_refused() {
    let folder = folder();
    compile(&folder, "int f(void) { return 1; }", &["-shared", "-fPIC", "-o", "libf.so"]);
    let calls = "#include <stdlib.h>\nvoid f(void) { abort(); }";
    compile(&folder, calls, &["-shared", "-fPIC", "-o", "libc.so", "-Wl,-e,f"]);
    compile(&folder, "int f(void) { return 1; }", &["-c", "-o", "f.o"]);
    let mut foreign = fs::read(folder.path().join("libf.so")).expect("a file");
    foreign[18] = 183;
    fs::write(folder.path().join("foreign"), &foreign).expect("a file");
    foreign[4] = 1;
    fs::write(folder.path().join("narrow"), &foreign).expect("a file");
    for (name, content) in [("text", "hello\n"), ("script", "#! /usr/bin/env sh\n"), ("short", "\x7fELF")] {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    let at = |name: &str| folder.path().join(name);
    for (name, message) in [
        ("none", "No such file or directory"),
        ("", "not a regular file"),
        ("text", "not an ELF file"),
        ("script", "script is a script: its program is /usr/bin/env sh"),
        ("short", "cannot analyse "),
        ("libf.so", "libf.so is a shared library, not a program"),
        ("libc.so", "libc.so is a shared library, not a program"),
        ("f.o", "an object file, neither a program nor a shared library"),
        ("foreign", "cannot decode aarch64 code"),
        ("narrow", "cannot decode 32-bit aarch64 code"),
    ] {
        let error = Modules::of(&at(name)).expect_err(name).to_string();
        assert!(error.contains(message), "{name}: {error}");
    }
}

#[test]
fn damaged_files_never_panic() {
    let folder = folder();
    compile(&folder, "int main(void) { return 0; }", &["-o", "demo"]);
    let whole = fs::read(folder.path().join("demo")).expect("a program");
    let damaged = folder.path().join("damaged");
    for length in [4, 20, 63, 64, 100, 1000, 5000] {
        fs::write(&damaged, &whole[..length]).expect("a file");
        // Either a message or a program that lacks what was cut off.
        drop(Modules::of(&damaged));
    }
    for at in 0..1024 {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&damaged, &bytes).expect("a file");
        drop(Modules::of(&damaged));
    }
}
