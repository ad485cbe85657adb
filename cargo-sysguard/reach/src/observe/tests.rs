//! Executable mappings as the kernel lists them.

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
