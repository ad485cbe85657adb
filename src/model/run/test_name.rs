//! The workload name of a test that cargo runs: `run::CRATE::BINARY[::TEST]`. Main type:
//! [`TestName`].
//!
//! It must not know where files are. A name is also a path below `expectations/`, so each part is
//! escaped to the characters of workload names.

use std::fmt;

/// The first part of every such name, and the folder of their files.
pub const RUN: &str = "run";

/// A test binary, or one test in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestName {
    /// The package.
    pub package: String,
    /// The target, as a part of a name made by [`binary`].
    pub binary: String,
    /// The test; `None`: the whole binary.
    pub test: Option<String>,
}

impl TestName {
    /// Returns the name of the workload.
    pub fn workload(&self) -> String {
        let test = self.test.iter().flat_map(|test| test.split("::"));
        let parts = [RUN.to_owned(), part(&self.package), self.binary.clone()].into_iter().chain(test.map(part));
        parts.collect::<Vec<_>>().join("::")
    }
}

/// Writes `CRATE::BINARY[::TEST]`.
impl fmt::Display for TestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.package, self.binary)?;
        self.test.iter().try_for_each(|test| write!(f, "::{test}"))
    }
}

impl TestName {
    /// Parses a name that [`Display`](fmt::Display) wrote.
    pub fn parse(shown: &str) -> Option<Self> {
        let mut parts = shown.splitn(3, "::").map(str::to_owned);
        Some(Self { package: parts.next()?, binary: parts.next()?, test: parts.next() })
    }

    /// Returns the name of the whole binary.
    pub fn whole(&self) -> Self {
        Self { test: None, ..self.clone() }
    }

    /// Returns the name of the file that all tests of the binary can share:
    /// `run::CRATE::tests.BINARY`. No workload has this name, because `tests` is no kind of target.
    pub fn shared_file(&self) -> String {
        format!("{RUN}::{}::{SHARED}{}", part(&self.package), self.binary)
    }
}

/// The prefix of the last part of the name of a shared file.
const SHARED: &str = "tests.";

/// Returns the name of the file that this workload can share with the other tests of its binary;
/// `None` if it is no test of a binary.
pub fn shared_file(workload: &str) -> Option<String> {
    let mut parts = short(workload)?.splitn(3, "::");
    let (package, binary) = (parts.next()?, parts.next()?);
    parts.next().filter(|_| !binary.starts_with(SHARED)).map(|_| format!("{RUN}::{package}::{SHARED}{binary}"))
}

/// Returns the common prefix of the names of all tests in this shared file, `run::CRATE::BINARY::`;
/// `None` if it is the name of a workload.
pub fn tests_of(shared_file: &str) -> Option<String> {
    let (package, file) = short(shared_file)?.split_once("::")?;
    let binary = file.strip_prefix(SHARED).filter(|binary| !binary.contains("::"))?;
    Some(format!("{RUN}::{package}::{binary}::"))
}

/// Returns whether a path ends like that of a shared file: `…/run/CRATE/tests.BINARY.yaml`.
pub fn is_path_of_shared_file(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let (file, _, run) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    run == Some(RUN) && file.starts_with(SHARED) && file.ends_with(".yaml")
}

/// Returns the name of a test without its first part; `None` for other workloads.
pub fn short(workload: &str) -> Option<&str> {
    workload.strip_prefix(RUN)?.strip_prefix("::")
}

/// Returns whether a workload has this name, or a name below it: the name is the whole workload, or
/// its beginning up to a `::`.
pub fn is_at_or_below(workload: &str, name: &str) -> bool {
    workload.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns the name of a target in its package: its own name, or `KIND.NAME` if an earlier target
/// has the same name.
///
/// `earlier` holds the names of the targets before it in cargo's order: library, binaries, tests,
/// examples, benchmarks.
pub fn binary(kind: &str, name: &str, earlier: &[&str]) -> String {
    let same = |other: &&str| other.replace('-', "_") == name.replace('-', "_");
    if earlier.iter().any(same) { format!("{kind}.{}", part(name)) } else { part(name) }
}

/// The longest part of a name in bytes. A file name holds 255 bytes on Linux, and the longest name
/// with a part is that of a proposal's temporary file.
const LONGEST_PART: usize = 200;

/// Returns a text as one part of a name: each byte of other characters becomes `.HH` in
/// hexadecimal. Different texts give different parts.
///
/// A part that would be too long is cut and ends in two dots and a hash of the whole text. No other
/// part holds two dots before a letter or digit.
fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!(".{byte:02x}") };
    let pieces: Vec<String> = text.bytes().map(escaped).collect();
    match pieces.iter().map(String::len).sum::<usize>() {
        // A path cannot have an empty part.
        0 => "..-".to_owned(),
        length if length <= LONGEST_PART => pieces.concat(),
        _ => {
            let hash = format!("..{:032x}", hash(text.as_bytes()));
            let mut cut = String::new();
            for piece in &pieces {
                if cut.len() + piece.len() + hash.len() > LONGEST_PART {
                    break;
                }
                cut.push_str(piece);
            }
            cut + &hash
        }
    }
}

/// Returns the 128-bit FNV-1a hash. File names must not depend on the version of Rust, and the
/// hashers of its standard library promise no stable values.
fn hash(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(BASIS, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(binary: &str, test: Option<&str>) -> TestName {
        TestName { package: "my-app".to_owned(), binary: binary.to_owned(), test: test.map(str::to_owned) }
    }

    #[test]
    fn test_name_has_crate_binary_and_path() {
        for (binary, test, workload, shown) in [
            ("it", None, "run::my-app::it", "my-app::it"),
            ("my_app", Some("tests::reads"), "run::my-app::my_app::tests::reads", "my-app::my_app::tests::reads"),
            ("bin.my-app", Some("reads"), "run::my-app::bin.my-app::reads", "my-app::bin.my-app::reads"),
            ("it", Some("a b/é"), "run::my-app::it::a.20b.2f.c3.a9", "my-app::it::a b/é"),
            ("it", Some("..::::x"), "run::my-app::it::.2e.2e::..-::x", "my-app::it::..::::x"),
        ] {
            let name = name(binary, test);
            assert_eq!((name.workload().as_str(), name.to_string().as_str()), (workload, shown));
            assert_eq!(short(workload), Some(&workload["run::".len()..]));
        }
        assert_eq!(short("running::a"), None);
    }

    #[test]
    fn shared_files_have_names_of_their_own() {
        for (binary, test, file) in [
            ("it", "quiet", "run::my-app::tests.it"),
            ("bin.my-app", "tests::a b", "run::my-app::tests.bin.my-app"),
            ("tests", "tests::tests", "run::my-app::tests.tests"),
        ] {
            let name = name(binary, Some(test));
            assert_eq!(name.shared_file(), file);
            assert_eq!(shared_file(&name.workload()).as_deref(), Some(file));
            assert!(name.workload().starts_with(&tests_of(file).expect("a shared file")));
            assert_eq!(TestName::parse(&name.to_string()), Some(name.clone()));
            assert_eq!(TestName::parse(&name.whole().to_string()), Some(name.whole()));
            assert_eq!((shared_file(&name.whole().workload()), tests_of(&name.workload())), (None, None));
        }
        assert_eq!((shared_file("perf::sched::x"), shared_file("run::a::tests.b::c")), (None, None));
        // No name with a kind of target, and no escaped dot, gives the name of a shared file.
        for kind in ["lib", "bin", "test", "example", "bench", "proc-macro"] {
            assert_ne!(binary(kind, "it", &["it"]), "tests.it");
        }
        assert_ne!(part("tests.it"), "tests.it");
    }

    #[test]
    fn paths_of_shared_files_are_recognised() {
        for (path, is_shared) in [
            ("expectations/run/demo/tests.it.yaml", true),
            ("crates/one/expectations/run/demo/tests.bin.it.yaml", true),
            ("expectations/run/demo/it.yaml", false),
            ("expectations/run/demo/tests.it.yaml.new", false),
            ("expectations/demo/tests.it.yaml", false),
            ("tests.it.yaml", false),
        ] {
            assert_eq!(is_path_of_shared_file(path), is_shared, "{path}");
        }
    }

    #[test]
    fn long_parts_are_cut_and_stay_distinct() {
        let part_of = |test: &str| name("it", Some(test)).workload().rsplit("::").next().map(str::len);
        for text in ["д".repeat(60), "д".repeat(5000), "a".repeat(201), "%".repeat(67)] {
            let length = part_of(&text).expect("a part");
            assert!((LONGEST_PART - 2..=LONGEST_PART).contains(&length), "{length}");
            let longer = [&text, "a", "b"].map(|end| name("it", Some(&format!("{text}{end}"))).workload());
            assert!(longer[1] != longer[2] && longer[0] != longer[1]);
            assert_eq!(name("it", Some(&text)).to_string(), format!("my-app::it::{text}"), "the full name is kept");
        }
        assert_eq!(part_of(&"a".repeat(LONGEST_PART)), Some(LONGEST_PART), "the longest that is not cut");
        assert!(name("it", Some(&"a".repeat(201))).workload().contains("a.."), "a hash ends it");
    }

    #[test]
    fn hash_is_fnv_1a() {
        // The test vectors of the algorithm's authors.
        assert_eq!(hash(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(hash(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(hash(b"foobar"), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn second_target_of_a_name_has_its_kind() {
        assert_eq!(binary("lib", "my_app", &[]), "my_app");
        assert_eq!(binary("bin", "my-app", &["my_app"]), "bin.my-app");
        assert_eq!(binary("test", "it", &["my_app", "my-app"]), "it");
    }
}
