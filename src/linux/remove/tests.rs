//! Removes trees that a workload may leave.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::{Mode, mkdirat};

use super::*;

/// More levels than fds, and more than fit on a small stack or in a path.
const LEVELS: usize = 30_000;

fn scratch() -> (PathBuf, PathBuf) {
    scratch_in(&std::env::temp_dir())
}

fn scratch_in(place: &Path) -> (PathBuf, PathBuf) {
    let root = tempfile::tempdir_in(place).expect("a temporary directory").keep();
    let tree = root.join("tree");
    fs::create_dir(&tree).expect("a folder");
    (root, tree)
}

/// Removes the tree and asserts that the rest of its parent folder stays.
#[track_caller]
fn assert_removed(root: &Path, tree: &Path) {
    assert_eq!(remove_tree(tree), Ok(()));
    assert!(!tree.exists());
    fs::remove_dir_all(root).expect("what is left is ours");
}

fn nest(folder: &Path, levels: usize) {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY;
    let mut inner = open(folder, flags, Mode::empty()).expect("a folder");
    for _ in 0..levels {
        mkdirat(&inner, "d", Mode::S_IRWXU).expect("a folder");
        inner = openat(&inner, "d", flags, Mode::empty()).expect("a folder");
        openat(&inner, "f", OFlag::O_CREAT | OFlag::O_WRONLY, Mode::S_IRUSR).expect("a file");
    }
}

#[test]
fn deep_tree_needs_no_stack_and_no_fds() {
    // Some disks take a minute for this many folders.
    let memory = Path::new("/dev/shm");
    let (root, tree) = if memory.is_dir() { scratch_in(memory) } else { scratch() };
    nest(&tree, LEVELS);
    let fds = || fs::read_dir("/proc/self/fd").expect("fds").count();
    let most = thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(64 << 10);
        let removal = small.spawn_scoped(scope, || assert_removed(&root, &tree)).expect("a thread");
        let mut most = 0;
        while !removal.is_finished() {
            most = most.max(fds());
            thread::sleep(Duration::from_millis(1));
        }
        removal.join().expect("no panic");
        most
    });
    // Other tests of this process also open fds.
    assert!(most < 500, "{most} fds");
}

#[test]
fn links_are_removed_and_not_followed() {
    let (root, tree) = scratch();
    fs::create_dir_all(root.join("precious/sub")).expect("a folder");
    fs::write(root.join("precious/sub/file"), "data").expect("a file");
    fs::create_dir(tree.join("sub")).expect("a folder");
    for (target, link) in
        [("../precious", "a"), ("../../precious/sub/file", "sub/b"), ("nowhere", "c"), ("d", "d"), ("/", "e")]
    {
        symlink(target, tree.join(link)).expect("a link");
    }
    fs::hard_link(root.join("precious/sub/file"), tree.join("hard")).expect("a link");
    assert_eq!(remove_tree(&tree), Ok(()));
    assert_eq!(fs::read_to_string(root.join("precious/sub/file")).expect("it is there"), "data");
    // The folder itself may have become a link.
    symlink(root.join("precious"), &tree).expect("a link");
    assert_removed(&root, &tree);
}

#[test]
fn any_name_and_kind_of_entry_is_removed() {
    let (root, tree) = scratch();
    for name in ["-rf", " ", "a\nb", "\u{1b}[31m", "é", &"n".repeat(255)] {
        fs::create_dir(tree.join(name)).expect("a folder");
        fs::write(tree.join(name).join(name), "").expect("a file");
    }
    nix::unistd::mkfifo(&tree.join("pipe"), Mode::S_IRWXU).expect("a pipe");
    drop(std::os::unix::net::UnixListener::bind(tree.join("socket")).expect("a socket"));
    for number in 0..5_000 {
        fs::create_dir(tree.join(number.to_string())).expect("a folder");
        fs::write(tree.join(number.to_string()).join("file"), "").expect("a file");
    }
    assert_removed(&root, &tree);
    assert_eq!(remove_tree(&tree), Ok(()), "it is gone already");
}

#[test]
fn own_folders_without_permissions_are_removed() {
    let (root, tree) = scratch();
    for (mode, name) in [(0o000, "none"), (0o500, "unwritable"), (0o600, "unsearchable"), (0o300, "unreadable")] {
        let folder = tree.join(name);
        fs::create_dir_all(folder.join("sub/sub")).expect("a folder");
        fs::write(folder.join("file"), "").expect("a file");
        for folder in [folder.join("sub"), folder] {
            fs::set_permissions(folder, Permissions::from_mode(mode)).expect("a mode");
        }
    }
    fs::set_permissions(&tree, Permissions::from_mode(0o000)).expect("a mode");
    assert_removed(&root, &tree);
}

#[test]
fn written_tree_is_removed_once_writing_ends() {
    let (root, tree) = scratch();
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0_u64.. {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let folder = tree.join((number % 7).to_string());
                let _ = fs::create_dir(&folder);
                let _ = fs::write(folder.join(number.to_string()), "");
                let _ = fs::rename(folder, tree.join("moved"));
            }
        });
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            ends.store(true, Ordering::Relaxed);
        });
        if let Err(remains) = remove_tree(&tree) {
            panic!("{remains}");
        }
    });
    assert!(!tree.exists());
    fs::remove_dir_all(root).expect("what is left is ours");
}

#[test]
fn remaining_entries_are_reported_with_a_reason() {
    let own = remove_tree(Path::new("/proc/self/fdinfo")).expect_err("no user can remove it");
    assert_eq!(own.folder, "/proc/self/fdinfo");
    assert!(!own.reason.is_empty() && own.entries > 0, "{own:?}");
    assert!(Path::new("/proc/self/fdinfo").exists());
}

#[test]
fn long_paths_are_shortened_in_messages() {
    let level = |number: usize| Level {
        name: CString::new(format!("l{number}")).expect("a name"),
        id: (0, 0),
        folders: Vec::new(),
        keeps: false,
    };
    let levels: Vec<Level> = (0..1000).map(level).collect();
    assert_eq!(display_path(&levels[..3], c"a\nb"), "l1/l2/a\\nb");
    assert_eq!(display_path(&levels[..1], c""), "");
    let long = display_path(&levels, c"end");
    assert!(long.starts_with("l1/l2/") && long.contains("/[984 folders]/") && long.ends_with("/l999/end"), "{long}");
}
