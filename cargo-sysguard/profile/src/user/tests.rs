//! Tests with the code of this test program.

use std::ops::Range;

use super::*;

#[inline(never)]
fn marked() -> u64 {
    std::hint::black_box(marked as fn() -> u64 as usize as u64)
}

/// The code of this process, as it is mapped.
fn own_mappings() -> Vec<Mapping> {
    let maps = fs::read_to_string("/proc/self/maps").expect("maps");
    let number = |text: &str| u64::from_str_radix(text, 16).expect("a number");
    let lines = maps.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|words| words[1].contains('x'))
        .map(|words| {
            let (start, end) = words[0].split_once('-').expect("a range");
            let id = FileId { inode: words[4].parse().expect("a number"), ..FileId::default() };
            let file = words.get(5).map_or(PathBuf::from(ANONYMOUS), PathBuf::from);
            Mapping { addresses: number(start)..number(end), offset: number(words[2]), file, id, since: 5 }
        })
        .collect()
}

fn recording(mappings: Vec<Mapping>) -> Recording {
    let process = Process { pid: 1, name: "demo".to_owned(), since: 1, mappings };
    Recording { processes: vec![process], ..Recording::default() }
}

fn mapped(addresses: Range<u64>, file: &str, since: u64) -> Mapping {
    Mapping { addresses, offset: 0, file: file.into(), id: FileId::default(), since }
}

#[test]
fn own_functions_have_names_and_lines() {
    let recording = recording(own_mappings());
    let files = SymbolFiles::default();
    let programs = Programs::new(&recording, &files);
    let functions = programs.functions(1, 9, marked());
    let outermost = functions.last().expect("at least one function");
    assert_eq!(outermost.name.as_deref(), Some("profile::user::tests::marked"));
    assert!(outermost.source.as_ref().is_some_and(|(file, line)| file.ends_with("user/tests.rs") && *line > 0));
    assert!(Arc::ptr_eq(outermost, programs.functions(1, 9, marked()).last().expect("the same")));
    // Before the mapping, the address has no file.
    assert_eq!(&*programs.functions(1, 4, marked())[0].file, UNKNOWN);
}

#[test]
fn vdso_has_names() {
    let mappings = own_mappings();
    let Some(vdso) = mappings.iter().find(|mapping| mapping.file == Path::new(VDSO)).cloned() else { return };
    let recording = recording(mappings);
    let files = SymbolFiles::default();
    let programs = Programs::new(&recording, &files);
    let named = vdso.addresses.clone().filter_map(|address| programs.functions(1, 9, address)[0].name.clone());
    assert!(named.into_iter().any(|name| name.contains("clock_gettime")));
}

#[test]
fn code_without_a_readable_file_has_no_names() {
    let mappings = vec![mapped(0x1000..0x2000, ANONYMOUS, 1), mapped(0x3000..0x4000, "/no/such/file", 1)];
    let recording = recording(mappings);
    let files = SymbolFiles::default();
    let programs = Programs::new(&recording, &files);
    for (pid, address, file) in
        [(1, 0x1000, GENERATED), (1, 0x3fff, "/no/such/file"), (1, 0x4000, UNKNOWN), (2, 0x1000, UNKNOWN)]
    {
        let functions = programs.functions(pid, 9, address);
        let [function] = &functions[..] else { panic!("{functions:?}") };
        assert_eq!((&*function.file, &function.name), (file, &None), "{pid} {address:x}");
    }
}

#[test]
fn later_mapping_replaces_an_earlier_one() {
    let mappings = vec![mapped(0x1000..0x3000, "/old", 1), mapped(0x2000..0x3000, "/new", 5)];
    let recording = recording(mappings);
    let files = SymbolFiles::default();
    let programs = Programs::new(&recording, &files);
    for (time, address, file) in [(2, 0x2000, "/old"), (5, 0x2000, "/new"), (5, 0x1000, "/old")] {
        assert_eq!(&*programs.functions(1, time, address)[0].file, file, "{time} {address:x}");
    }
}
