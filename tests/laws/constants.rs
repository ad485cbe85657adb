//! Constants from the kernel's headers are defined once, in modules named `uapi`.

use std::collections::BTreeMap;
use std::path::Path;

use syn::visit::Visit;
use sysguard::unstable::model::kernel::call::Errno;
use sysguard::unstable::model::kernel::signal;

use super::{files, is_generated};

/// Prefixes of names in the kernel's headers. Errnos and signals are known by name.
const PREFIXES: &[&str] = &[
    "AF_",
    "AT_",
    "AUDIT_ARCH_",
    "BPF_",
    "CAP_",
    "CLONE_",
    "CLOSE_RANGE_",
    "F_",
    "FUTEX_",
    "IORING_",
    "IPPROTO_",
    "IPV6_",
    "KCMP_",
    "MAP_",
    "MS_",
    "NT_",
    "O_",
    "PERF_",
    "PF_",
    "PIDFD_",
    "PROT_",
    "PR_",
    "PTRACE_",
    "RESOLVE_",
    "SECCOMP_",
    "SIOC",
    "SI_",
    "SOCK_",
    "SOL_",
    "SO_",
    "STATX_",
    "S_I",
    "UTIME_",
];

fn is_of_kernel(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || Errno::from_name(name).is_some()
        || name.starts_with("ERESTART")
        || signal::from_name(name).is_some()
}

/// The names of all constants of a file, tests and functions included.
#[derive(Default)]
struct Constants(Vec<String>);

impl Visit<'_> for Constants {
    fn visit_item_const(&mut self, item: &syn::ItemConst) {
        self.0.push(item.ident.to_string());
        syn::visit::visit_item_const(self, item);
    }
}

fn constants(text: &str) -> Vec<String> {
    let mut found = Constants::default();
    found.visit_file(&syn::parse_file(text).expect("Rust code"));
    found.0
}

/// Returns constants from the kernel's headers that are outside a `uapi` module or defined twice.
fn misplaced<'a>(sources: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut places: BTreeMap<String, &Path> = BTreeMap::new();
    for (path, text) in sources {
        let is_uapi = path.file_name().is_some_and(|name| name == "uapi.rs");
        for name in constants(text).into_iter().filter(|name| is_uapi || is_of_kernel(name)) {
            if !is_uapi {
                wrong.push(format!("{}: {name}", path.display()));
            } else if let Some(other) = places.insert(name.clone(), path) {
                wrong.push(format!("{}: {name}, as in {}", path.display(), other.display()));
            }
        }
    }
    wrong
}

#[test]
fn kernel_constants_are_defined_once() {
    for folder in ["src", "cargo-sysguard/enforce/src", "cargo-sysguard/profile/src"] {
        let sources = files(folder, "rs");
        let written = sources.iter().filter(|(_, text)| !is_generated(text));
        assert_eq!(misplaced(written.map(|(path, text)| (path.as_path(), text.as_str()))), [""; 0]);
    }
}

#[test]
fn planted_constants_are_found() {
    let [code, model, linux] = ["src/model/a.rs", "src/model/uapi.rs", "src/linux/uapi.rs"].map(Path::new);
    let planted = "const MOST: u8 = 9; fn f() { const EPERM: i32 = 1; } mod m { const CLONE_FILES: u64 = 0x400; }";
    assert_eq!(misplaced([(code, planted)]), ["src/model/a.rs: EPERM", "src/model/a.rs: CLONE_FILES"]);
    assert_eq!(misplaced([(code, "const SIGNALS: usize = 65; const OPTIONS: u8 = 1;")]), [""; 0]);
    let both = [(model, "const EPERM: i32 = 1;"), (linux, "const EPERM: i32 = 1;")];
    assert_eq!(misplaced(both), ["src/linux/uapi.rs: EPERM, as in src/model/uapi.rs"]);
}
