//! Compares path resolution, in one call and step by step, with what this process itself finds.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

/// Device, inode and mount.
type Identity = ((u32, u32), u64, u64);

fn identity(status: &FileStatus) -> Identity {
    (status.filesystem, status.inode, status.mount)
}

/// Returns what this process finds by opening the path; `None` if that fails.
fn truth(place: &PathArgument, base: Option<&OwnedFd>, text: &str) -> Option<Identity> {
    let text = CString::new(text).expect("no zero");
    let file = sys::open_place(base, &text, place.follows, 0).ok()?;
    Some(identity(&sys::open_file_status(&file).expect("a status")))
}

fn view(shares_root: bool) -> View {
    let view = View { task: sys::gettid(), shares_root, root_has_same_names: false, cached_only: false };
    View { root_has_same_names: own_root_has_same_names(view, &mut Mounts::default()), ..view }
}

fn by_walk(view: View, place: &PathArgument, text: &str, mounts: &mut Mounts) -> Found {
    let walked = Resolution::new(view, place, text.as_bytes(), mounts)
        .and_then(|mut resolution| walk::Walk::new(&mut resolution)?.run());
    walked.unwrap_or(Found::Unknown)
}

fn agrees(found: &Found, truth: Option<Identity>, text: &str) {
    match found {
        Found::File(reached) => assert_eq!(Some(identity(&reached.status)), truth, "{text}"),
        Found::Nothing => assert_eq!(None, truth, "{text}"),
        Found::Unknown => {}
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let link = |target: &str, name: &str| symlink(target, folder.path().join(name)).expect("a link");
    fs::create_dir_all(folder.path().join("d/e")).expect("folders");
    fs::write(folder.path().join("d/f"), "").expect("a file");
    for (target, name) in [
        ("d", "l"),
        ("../d/f", "d/g"),
        ("/dev/null", "n"),
        ("nowhere", "dangling"),
        ("loop", "loop"),
        ("/proc/self", "me"),
        ("/proc", "p"),
        ("me/cwd", "here"),
        ("/", "top"),
        ("d/", "slash"),
    ] {
        link(target, name);
    }
    folder
}

const PARTS: &[&str] = &[
    "d",
    "e",
    "f",
    "g",
    "l",
    "n",
    "dangling",
    "loop",
    "me",
    "p",
    "here",
    "top",
    "slash",
    ".",
    "..",
    "",
    "self",
    "thread-self",
    "cwd",
    "root",
    "fd",
    "task",
    "proc",
    "dev",
    "mounts",
    "nowhere",
];

fn texts() -> impl Iterator<Item = String> {
    // A pseudo-random generator with a fixed seed: Numerical Recipes, "An Even Quicker Generator".
    let mut state = 1_u32;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    std::iter::repeat_with(move || {
        let parts: Vec<&str> = (0..=next(5)).map(|_| PARTS[next(PARTS.len())]).collect();
        parts.join("/")
    })
    .filter(|text| !text.is_empty())
}

#[test]
fn resolution_agrees_with_open() {
    let folder = folder();
    let directory = open(folder.path().to_str().expect("text")).expect("a directory");
    let mut mounts = Mounts::default();
    let views = [true, false].map(view);
    let (mut files, mut unknown) = (0, 0);
    for (at, text) in texts().take(1500).enumerate() {
        let place = PathArgument { directory: Some(directory.as_raw_fd()), address: 0, follows: at % 3 != 0 };
        let truth = truth(&place, Some(&directory), &text);
        for view in views {
            let found = resolve(view, &place, text.as_bytes(), &mut mounts);
            let walked = by_walk(view, &place, &text, &mut mounts);
            for found in [found, walked] {
                agrees(&found, truth, &text);
                files += usize::from(matches!(found, Found::File(_)));
                unknown += usize::from(truth.is_some() && matches!(found, Found::Unknown));
            }
        }
    }
    assert!(files > 300, "{files} files");
    assert_eq!(unknown, 0);
}

#[test]
fn missing_files_are_certain_outside_procfs_only() {
    let here = PathArgument { directory: None, address: 0, follows: true };
    for (text, is_certain) in [
        ("/nowhere", true),
        ("/dev/nowhere", true),
        ("nowhere", true),
        ("/proc/nowhere", false),
        ("/proc/self/nowhere", false),
        ("/proc/self/cwd/nowhere", true),
        ("/proc/self/maps/x", true),
    ] {
        let found = resolve(view(true), &here, text.as_bytes(), &mut Mounts::default());
        assert_eq!(matches!(found, Found::Nothing), is_certain, "{text}: {found:?}");
    }
}

#[test]
fn link_of_an_fd_names_its_task() {
    let here = PathArgument { directory: None, address: 0, follows: true };
    let file = open("/dev/null").expect("a file");
    for directory in ["/proc/self/fd", "/proc/thread-self/fd", "/dev/fd"].map(Path::new) {
        let text = directory.join(file.as_raw_fd().to_string());
        let text = text.to_str().expect("text");
        let Found::File(reached) = resolve(view(true), &here, text.as_bytes(), &mut Mounts::default()) else {
            panic!("{text} is there")
        };
        let own = if text.contains("thread") { sys::gettid() } else { std::process::id() as Tid };
        assert_eq!(reached.fd, Some((own, file.as_raw_fd())), "{text}");
    }
}
