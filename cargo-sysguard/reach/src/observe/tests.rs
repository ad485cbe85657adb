//! Runs of small programs, and executable mappings as the kernel lists them.

use std::ffi::OsString;
use std::process;
use std::time::Duration;

use sysguard::unstable::linux::{Environment, Stream};

use super::*;

#[test]
fn files_and_generated_code_are_told_apart() {
    const FILES: &str = "\
00400000-00500000 r-xp 00000000 fe:00 1                      /usr/bin/demo
00500000-00600000 rw-p 00100000 fe:00 1                      /usr/bin/demo
7f10a000-7f10c000 r-xp 00002000 fe:00 123                    /usr/lib/a b.so
7ffd0000-7ffd2000 r-xp 00000000 00:00 0                      [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0      [vsyscall]
";
    let mut code = MappedCode::default();
    code.add(FILES);
    let files = ["/usr/bin/demo", "/usr/lib/a b.so"].map(PathBuf::from);
    assert_eq!(code, MappedCode { files: files.into(), is_generated: false });
    for line in [
        "7f10a000-7f10c000 rwxp 00000000 00:00 0 ",
        "7f10a000-7f10c000 rwxp 00000000 00:00 0                      [stack]",
        "7f10a000-7f10c000 r-xs 00000000 00:01 9                      /memfd:jit (deleted)",
    ] {
        let mut code = MappedCode::default();
        code.add(line);
        assert_eq!(code, MappedCode { files: BTreeSet::new(), is_generated: true }, "{line}");
    }
}

fn run(program: &Path, arguments: &[&str], counted: &Path) -> Observed {
    let null =
        || Stream::Given(fs::OpenOptions::new().read(true).write(true).open("/dev/null").expect("a file").into());
    let words = [program.to_str().expect("text")].into_iter().chain(arguments.iter().copied());
    let command = Command {
        program: program.to_owned(),
        argv: words.map(OsString::from).collect(),
        environment: Environment::Exactly(vec![("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: None,
        scratch: None,
        stdio: [null(), null(), null()],
        isolated: true,
        filters: Vec::new(),
    };
    let limits = Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_secs(2) };
    observe(command, counted, &limits).expect("it is traced")
}

fn names(observed: &Observed) -> BTreeSet<String> {
    observed.calls.iter().map(|syscall| syscall.name().into_owned()).collect()
}

#[test]
fn calls_of_other_programs_do_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = "#include <sys/socket.h>\nint main(void) { return socket(AF_INET, SOCK_DGRAM, 0) < 0; }\n";
    fs::write(folder.path().join("talk.c"), source).expect("a file");
    let compiled = process::Command::new("cc").args(["talk.c", "-o", "talk"]).current_dir(folder.path()).status();
    assert!(compiled.expect("cc starts").success());
    let talk = folder.path().join("talk");
    let shell = fs::canonicalize("/bin/sh").expect("a shell");
    let script = format!("{}; exit 3", talk.display());
    let of_shell = run(&shell, &["-c", &script], &shell);
    assert_eq!((of_shell.exit, of_shell.executed_others), (Exit::Exited(3), true));
    assert!(names(&of_shell).contains("execve") && !names(&of_shell).contains("socket"), "{of_shell:?}");
    assert!(of_shell.mapped.contains(&shell) && !of_shell.mapped.contains(&talk), "{of_shell:?}");
    let of_talk = run(&shell, &["-c", &script], &talk);
    assert!(names(&of_talk).contains("socket") && !names(&of_talk).contains("execve"), "{of_talk:?}");
    let alone = run(&talk, &[], &talk);
    assert_eq!((names(&alone), alone.executed_others), (names(&of_talk), false));
    assert!(!alone.generates_code);
}
