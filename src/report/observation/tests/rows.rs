//! Tests that the rows of a table add up.

use super::*;

#[test]
fn rows_of_a_syscall_add_up() {
    let (openat, _) = plain(Abi::X86_64, 257, 0);
    let on_file = Use { object: Some("file:ext4".into()), ..openat.clone() };
    let missing = Tally { calls: 3, errors: BTreeMap::from([(Errno(2), 3)]) };
    let (mmap, _) = plain(Abi::X86_64, 9, 0);
    let code = Use { argument: Some("PROT_EXEC".into()), object: Some("file:ext4".into()), ..mmap.clone() };
    let uses = BTreeMap::from([
        (on_file, Tally { calls: 2, ..Tally::default() }),
        (openat, missing),
        (code, Tally { calls: 1, ..Tally::default() }),
        (mmap.clone(), Tally { calls: 4, errors: BTreeMap::from([(Errno(12), 1)]) }),
        (Use { ambient: true, ..mmap }, Tally { calls: 5, ..Tally::default() }),
    ]);
    let run = ObservedRun { observation: Observation { uses, ..Observation::new() }, ..recording() };
    let table = written(&run, Format::Table, &Palette::plain());
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("  ")).map(str::trim_end).collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    mmap                             10  ENOMEM:1
      PROT_EXEC file:ext4             1
      (no object)                     9  ENOMEM:1
    openat                            5  ENOENT:3
      file:ext4                       2
      (failed)                        3  ENOENT:3
    ");
}
