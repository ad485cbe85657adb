//! Compares the built-in index of kernel functions with kernel trees of any version.
//!
//! `SYSGUARD_KERNEL_SOURCE=DIR[:DIR…]` names the trees, by absolute paths. Trees may have only some of their folders.
//! With the trees that the index was generated from, all functions are the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use kernel_source::{Linkage, Tree};
use profile::kernel::Kernel;
use profile::profile::KnownBy;

fn trees() -> String {
    std::env::var("SYSGUARD_KERNEL_SOURCE").expect("SYSGUARD_KERNEL_SOURCE names the unpacked trees, joined by `:`")
}

/// Most functions stay in their file for years: a name that only one file of the tree defines for
/// all others has the same file in the index.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn functions_of_any_kernel_are_in_the_index() {
    for root in trees().split(':') {
        let tree = Tree::open(Path::new(root)).expect("a kernel tree");
        let functions = kernel_source::functions(&tree).expect("its functions");
        let mut files = BTreeMap::<&str, Vec<&str>>::new();
        for file in functions.files.iter().filter(|file| !file.path.starts_with("arch/")) {
            let global = file.functions.iter().filter(|(_, linkage)| *linkage == Linkage::Global);
            global.for_each(|(name, _)| files.entry(name).or_default().push(&file.path));
        }
        let single = files.iter().filter(|(name, files)| files.len() == 1 && !name.contains(' '));
        // Far from each other: neighbours must not decide.
        let lines = (0x10_0000_u64..).zip(single.clone()).map(|(at, (name, _))| format!("{:x} T {name}\n", at << 21));
        let text: String = lines.collect();
        let kernel = Kernel::of(&text, &tree.version().to_string(), None).expect("addresses");
        let (mut found, mut same) = (0, 0);
        for (_, function) in kernel.functions().filter(|(_, function)| function.known_by == KnownBy::Name) {
            let place = function.place.as_ref().expect("a place");
            found += 1;
            same += usize::from(files.get(function.name.as_str()) == Some(&vec![&*place.file]));
        }
        let all = single.count();
        assert!(all > 10_000, "{root}: {all} functions");
        assert!(found * 10 > all * 9, "{root}: {found} of {all} functions are in the index");
        assert!(same * 100 > found * 97, "{root}: {same} of {found} functions are in the same file");
    }
}

/// Needs the trees that the header of the index names.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn index_matches_the_kernel_sources() {
    let mut generator = Command::new(env!("CARGO"));
    generator.args(["run", "--quiet", "-p", "sysguard-profile", "--example", "kernel-index", "--", "--check"]);
    generator.args(trees().split(':').flat_map(|tree| ["--source", tree]));
    let output = generator.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs the generator");
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{out}{error}");
}
