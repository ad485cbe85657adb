//! Tests of the store in real folders.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Store, StoreError};
use crate::model::expectation::format::corpus;
use crate::model::judge::pending::Pending;

const TEXT: &str = "version: 1\nbin: demo\n";

/// Creates a package with these files. Its path contains the special characters of glob patterns.
fn package(files: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let package = folder.path().join("a[b]*?");
    fs::create_dir_all(&package).expect("the package");
    for file in files {
        put(&package, file, TEXT);
    }
    (folder, package)
}

fn put(package: &Path, file: &str, text: &str) {
    let path = package.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folders");
    fs::write(path, text).expect("the file");
}

fn open(package: &Path) -> Store {
    Store::open(package, None).expect("the store opens")
}

/// Returns every file below a folder with its content, in order.
fn tree(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.push((path.clone(), fs::read_to_string(&path).expect("text")));
        }
    }
    files.sort();
    files
}

#[test]
fn workloads_are_named_by_path_and_ordered() {
    let (_folder, package) = package(&[
        "expectations/b.yaml",
        "expectations/perf/sched.yaml",
        "expectations/a.yaml",
        "expectations/a.yaml.new",
        "expectations/gone.yaml.new",
        "expectations/README.md",
        "expectations/in.txt",
        "expectations/a.yaml~",
        "expectations/.a.yaml.swp",
        "expectations/.a.yaml.Xy12.tmp",
        "expectations/.#b.yaml",
        "elsewhere/c.yaml",
    ]);
    let store = open(&package);
    assert_eq!(store.names().collect::<Vec<_>>(), ["a", "b", "perf::sched"]);
    assert_eq!(store.pending().collect::<Vec<_>>(), ["a", "gone"]);
    assert_eq!(store.orphans().collect::<Vec<_>>(), [Path::new("expectations/gone.yaml.new")]);
    assert_eq!(store.file("perf::sched"), Path::new("expectations/perf/sched.yaml"));
    assert!(store.faults().is_empty());
    assert_eq!(store.load("perf::sched").expect("it parses").text(), TEXT);
}

#[test]
fn package_without_the_folder_has_no_workloads() {
    let (_folder, package) = package(&[]);
    assert_eq!(open(&package).names().count(), 0);
}

#[test]
fn missing_package_and_file_as_folder_are_errors() {
    let (_folder, package) = package(&["expectations"]);
    let path = package.join("expectations").canonicalize().expect("a path");
    let refused = |package: &Path| Store::open(package, None).expect_err("no store").to_string();
    assert_eq!(
        refused(&package),
        format!("cannot search {}: it is not a folder: remove it or rename it", path.display())
    );
    let gone = package.join("gone");
    let error = refused(&gone);
    assert!(error.starts_with(&format!("cannot find the package {}: ", gone.display())), "{error}");
    assert!(error.contains("CARGO_MANIFEST_DIR") && error.contains("SYSGUARD_WORKSPACE_ROOT"), "{error}");
    fs::remove_file(&path).expect("the file");
    std::os::unix::fs::symlink("nowhere", package.join("expectations")).expect("a link");
    assert!(refused(&package).starts_with("cannot search "), "a link to nothing");
}

/// Links to the folder itself, to the package and to a sibling; one to a shared folder outside, and
/// one back from there.
#[test]
fn linked_folders_give_each_file_once() {
    let (_folder, package) =
        package(&["expectations/a/one.yaml", "expectations/z/two.yaml", "src/x.yaml", "../shared/three.yaml"]);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, package.join(name)).expect("a link");
    };
    link("..", "expectations/a/loop");
    link("..", "expectations/a/again");
    link("../..", "expectations/z/package");
    link("/", "expectations/z/root");
    link("z", "expectations/alias");
    link("../../shared", "expectations/shared");
    link(".", "../shared/itself");
    link("../a[b]*?/expectations", "../shared/back");
    let store = open(&package);
    assert_eq!(store.names().collect::<Vec<_>>(), ["a::one", "shared::three", "z::two"]);
    assert!(store.faults().is_empty());
}

#[test]
fn invalid_names_are_reported_with_their_files() {
    let (_folder, package) = package(&[
        "expectations/a b.yaml",
        "expectations/a.yaml",
        "expectations/a.yml",
        "expectations/c d/e.yaml",
        "expectations/f.yml",
        "expectations/g.YAML",
        "expectations/h i.yaml.new",
    ]);
    let store = open(&package);
    assert_eq!(store.names().collect::<Vec<_>>(), ["a"], "the other workloads still run");
    let faults: Vec<_> = store.faults().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(faults.join("\n"), @r"
    cannot use expectations/a b.yaml as an expectation: each part of its path must consist of letters, digits and `_`, `.`, `-` only
    cannot tell which file is workload a: expectations/a.yaml or expectations/a.yml: rename or remove one
    cannot use expectations/c d/e.yaml as an expectation: each part of its path must consist of letters, digits and `_`, `.`, `-` only
    cannot use expectations/f.yml as an expectation: its name must end in .yaml
    cannot use expectations/g.YAML as an expectation: its name must end in lower case: .yaml
    cannot use expectations/h i.yaml.new as an expectation: each part of its path must consist of letters, digits and `_`, `.`, `-` only
    ");
}

#[test]
fn malformed_file_is_reported_with_its_position() {
    let (folder, package) = package(&[]);
    for (text, place, message) in corpus::malformed() {
        put(&package, "expectations/x/demo.yaml", &text);
        let before = tree(folder.path());
        let error = open(&package).load("x::demo").expect_err(&text).to_string();
        let expected = format!("expectations/x/demo.yaml:{place}: {message}");
        assert!(
            error.lines().next().is_some_and(|line| expected.starts_with(line) || line == expected),
            "{error}\n{expected}"
        );
        assert_eq!(tree(folder.path()), before, "{text}");
    }
}

#[test]
fn irregular_and_large_files_are_refused() {
    let (_folder, package) = package(&["expectations/folder.yaml/in.txt", "expectations/big.yaml"]);
    fs::write(package.join("expectations/big.yaml"), vec![b'#'; 3 << 20]).expect("a big file");
    let store = open(&package);
    let error = |name: &str| store.load(name).expect_err(name).to_string();
    assert!(error("folder").ends_with("folder.yaml: it is a directory, not a regular file: remove it or replace it"));
    assert!(error("big").starts_with("expectations/big.yaml:1:1: the file is larger than 1 MiB"));
    assert!(error("missing").contains("cannot read") && error("missing").contains("missing.yaml"));
    assert!(matches!(store.save("folder", TEXT), Err(StoreError::NotAFile { .. })));
}

#[test]
#[cfg(target_os = "linux")]
fn pipes_are_refused_and_file_links_followed() {
    let (_folder, package) = package(&["expectations/a.yaml"]);
    let at = |file: &str| package.join("expectations").join(file);
    nix::unistd::mkfifo(&at("fifo.yaml"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    std::os::unix::fs::symlink(&package, at("dir.yaml")).expect("a link to a folder");
    std::os::unix::fs::symlink("a.yaml", at("link.yaml")).expect("a link to a file");
    let store = open(&package);
    for name in ["fifo", "dir"] {
        assert!(matches!(store.load(name), Err(StoreError::NotAFile { .. })), "{name}");
    }
    assert!(store.load("link").is_ok());
}

/// Creates the files that links outside of the package lead to.
#[cfg(target_os = "linux")]
fn outside(folder: &Path) -> PathBuf {
    let outside = folder.join("outside");
    fs::create_dir_all(outside.join("folder")).expect("a folder");
    for (file, text) in [("secret", "precious\n"), ("folder/inside", "precious\n")] {
        fs::write(outside.join(file), text).expect("a file");
    }
    outside
}

#[test]
#[cfg(target_os = "linux")]
fn links_are_replaced_and_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    for target in ["secret", "folder", "absent", "none/absent", "itself", "pipe"] {
        for ending in ["yaml", "yaml.new"] {
            let (folder, package) = package(&["expectations/sub/other.yaml"]);
            let outside = outside(folder.path());
            nix::unistd::mkfifo(&outside.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
            symlink("itself", outside.join("itself")).expect("a link to itself");
            fs::set_permissions(outside.join("secret"), fs::Permissions::from_mode(0o400)).expect("a mode");
            let before = fs::read_dir(&outside).expect("a folder").count();
            let path = package.join("expectations/sub/a").with_extension(ending);
            symlink(outside.join(target), &path).expect("a link");
            let store = open(&package);
            let write = || if ending == "yaml" { store.save("sub::a", TEXT) } else { store.propose("sub::a", TEXT) };
            let what = format!("{ending} leads to {target}");
            assert!(write().expect(&what), "{what}");
            assert!(!path.is_symlink() && fs::read_to_string(&path).expect(&what) == TEXT, "{what}");
            assert_ne!(fs::metadata(&path).expect(&what).permissions().mode() & 0o777, 0o400, "{what}");
            for file in ["secret", "folder/inside"] {
                assert_eq!(fs::read_to_string(outside.join(file)).expect(&what), "precious\n", "{what}");
            }
            assert_eq!(fs::read_dir(&outside).expect("a folder").count(), before, "{what}");
            assert_eq!(fs::read_dir(package.join("expectations/sub")).expect("a folder").count(), 2, "{what}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn settled_proposal_link_leaves_its_target_alone() {
    let (folder, package) = package(&["expectations/a.yaml"]);
    let proposed = outside(folder.path()).join("proposed");
    let link = package.join("expectations/a.yaml.new");
    for accepted in [true, false] {
        fs::write(&proposed, BLESSED).expect("a file");
        std::os::unix::fs::symlink(&proposed, &link).expect("a link");
        fs::write(package.join("expectations/a.yaml"), TEXT).expect("the file");
        let store = open(&package);
        let decision = |of: &Pending| if accepted { of.accept(of.all(), None) } else { of.reject(of.all()) };
        assert!(store.decide("a", decision).expect("it is written"));
        assert_eq!(fs::read_to_string(&proposed).expect("the target"), BLESSED);
        assert!(!link.is_symlink() && !link.exists());
    }
    std::os::unix::fs::symlink(&proposed, &link).expect("a link");
    assert!(open(&package).remove("a").expect("it is removed"));
    assert!(!link.is_symlink() && proposed.is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn folder_may_be_a_link_out_of_the_package() {
    let (folder, package) = package(&["outside/a.yaml"]);
    let real = package.join("outside");
    std::os::unix::fs::symlink(&real, package.join("expectations")).expect("a link");
    let store = open(&package);
    assert_eq!(store.names().collect::<Vec<_>>(), ["a"]);
    assert!(store.propose("a", BLESSED).expect("it is written"));
    assert!(store.save("a", BLESSED).expect("it is written"));
    assert!(package.join("expectations").is_symlink());
    assert_eq!(fs::read_dir(&real).expect("a folder").count(), 2, "{:?}", folder.path());
}

#[test]
fn file_is_replaced_only_when_a_byte_changes() {
    let (folder, package) = package(&["expectations/a.yaml"]);
    let store = open(&package);
    let modified =
        || fs::metadata(package.join("expectations/a.yaml")).and_then(|file| file.modified()).expect("a time");
    let before = modified();
    assert!(!store.save("a", TEXT).expect("nothing to write"));
    assert_eq!(modified(), before);
    assert!(store.save("a", "version: 1\nbin: b\n").expect("it is written"));
    assert!(store.save("new::one", TEXT).expect("it is created with its folder"));
    let files: Vec<_> =
        tree(folder.path()).into_iter().map(|(path, text)| (path.file_name().map(ToOwned::to_owned), text)).collect();
    assert_eq!(
        files,
        [(Some("a.yaml".into()), "version: 1\nbin: b\n".to_owned()), (Some("one.yaml".into()), TEXT.to_owned())],
        "no temporary file is left"
    );
}

#[test]
#[cfg(unix)]
fn file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, package) = package(&["expectations/a.yaml"]);
    let path = package.join("expectations/a.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
    assert!(open(&package).save("a", "version: 1\nbin: b\n").expect("it is written"));
    assert_eq!(fs::metadata(path).expect("the file").permissions().mode() & 0o777, 0o640);
}

#[test]
#[cfg(target_os = "linux")]
fn unwritable_folder_is_one_error() {
    // Not even root can create files there: proc(5).
    let error = super::file::replace(Path::new("/proc/self/a.yaml"), TEXT).expect_err("proc takes no file");
    assert!(error.to_string().starts_with("cannot write /proc/self/a.yaml: "), "{error}");
}

#[test]
fn text_above_the_size_limit_is_not_written() {
    let (folder, package) = package(&["expectations/a.yaml"]);
    let (store, before) = (open(&package), tree(folder.path()));
    let large = format!("{TEXT}{}", "# x\n".repeat(300_000));
    let run = large.replace("bin: demo", "run: demo::it::one");
    for (written, file) in [
        (store.propose("a", &large), "a.yaml.new"),
        (store.save("a", &large), "a.yaml"),
        (store.save("run::demo::it::one", &run), "one.yaml"),
    ] {
        let error = written.expect_err(file).to_string();
        assert!(error.contains(file) && error.contains("bytes exceed the limit of 1 MiB: "), "{error}");
    }
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn proposal_is_beside_its_file_or_in_pending_dir() {
    let (folder, package) = package(&["expectations/a/b.yaml"]);
    let elsewhere = folder.path().join("pending");
    for (pending_dir, root) in [(None, &package), (Some(elsewhere.as_path()), &elsewhere)] {
        let store = Store::open(&package, pending_dir).expect("the store opens");
        assert_eq!(store.proposal("a::b").expect("no error"), None);
        assert!(store.propose("a::b", "version: 1\nbin: proposed\n").expect("it is written"));
        assert!(!store.propose("a::b", "version: 1\nbin: proposed\n").expect("nothing to write"));
        assert!(root.join("expectations/a/b.yaml.new").is_file());

        let store = Store::open(&package, pending_dir).expect("the store opens");
        assert_eq!(store.pending().collect::<Vec<_>>(), ["a::b"]);
        assert_eq!(store.orphans().count(), 0);
        assert!(store.proposal("a::b").expect("it parses").is_some());
        assert!(store.remove_proposal("a::b").expect("it is removed"));
        assert!(!store.remove_proposal("a::b").expect("it is gone"));
    }
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let (_folder, package) = package(&[]);
    let store = open(&package);
    for name in ["..::..::a", "", "/etc/a", "a b"] {
        assert!(matches!(store.save(name, TEXT), Err(StoreError::BadName { .. })), "{name}");
        assert!(matches!(store.propose(name, TEXT), Err(StoreError::BadName { .. })), "{name}");
        assert!(matches!(store.load(name), Err(StoreError::BadName { .. })), "{name}");
        assert!(matches!(store.remove_proposal(name), Err(StoreError::BadName { .. })), "{name}");
    }
}

const BLESSED: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  process:\n    execve:\n";

#[test]
fn accepting_all_writes_file_and_removes_proposal() {
    let (folder, package) = package(&["expectations/a.yaml"]);
    let store = open(&package);
    store.propose("a", BLESSED).expect("it is written");
    assert!(store.decide("a", |pending| pending.accept(pending.all(), None)).expect("it is written"));
    assert_eq!(tree(folder.path()), [(package.join("expectations/a.yaml"), BLESSED.to_owned())]);
    assert_eq!(store.pending_of("a").expect("nothing there"), None);
}

#[test]
fn proposal_is_kept_if_the_file_cannot_be_written() {
    let (_folder, package) = package(&["expectations/a.yaml"]);
    let store = open(&package);
    store.propose("a", BLESSED).expect("it is written");
    let written = store.decide("a", |pending| {
        fs::remove_file(package.join("expectations/a.yaml")).expect("it was there");
        fs::create_dir(package.join("expectations/a.yaml")).expect("a folder in its place");
        pending.accept(pending.all(), None)
    });
    assert!(matches!(written, Err(StoreError::NotAFile { .. })));
    assert!(package.join("expectations/a.yaml.new").is_file());
}

#[test]
fn unfit_proposal_is_one_clear_error() {
    let (_folder, package) = package(&["expectations/a.yaml", "expectations/b.yaml"]);
    let store = open(&package);
    store.propose("a", &BLESSED.replace("bin: demo", "bin: other")).expect("it is written");
    store.propose("b", "version: 1\n<<<<<<< ours\nbin: demo\n").expect("it is written");
    store.propose("gone", BLESSED).expect("it is written");
    let error = |name: &str| store.pending_of(name).expect_err(name).to_string();
    assert_eq!(
        error("a"),
        "the proposal expectations/a.yaml.new does not fit expectations/a.yaml: the first document of the file has changed since: \
         `cargo sysguard test a` makes a new one, `cargo sysguard reject a` removes it"
    );
    assert!(error("b").contains("b.yaml.new:2:1: "), "{}", error("b"));
    assert!(error("gone").contains("does not fit expectations/gone.yaml: there is no such file"), "{}", error("gone"));
}
