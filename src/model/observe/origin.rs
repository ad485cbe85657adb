//! The package that the code of a function belongs to. Main types: [`Origin`] and [`Packages`].
//!
//! The source file decides. Without debug information, the crate in the function's name does.
//! It must not touch files: [`Packages`] gets the text of `Cargo.lock`, and the manifest nearest to
//! a source file.

use std::collections::BTreeMap;

use super::lockfile::{self, Locked};
use crate::model::text::program::without_hash;

/// The package that a function belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Not looked up: the path of the source file says all that is known.
    #[default]
    Unresolved,
    /// Not known: a library without debug information, for example.
    Unknown,
    /// The standard library, or the C library.
    System,
    /// A package that is no member of the workspace.
    Dependency {
        /// Its name.
        name: String,
        /// Its version; empty if several versions are locked.
        version: String,
    },
    /// Another member of the workspace.
    Member {
        /// Its name.
        name: String,
    },
    /// The package that is tested.
    Own,
}

impl Origin {
    /// Returns whether it is a member of the workspace.
    pub fn is_in_workspace(&self) -> bool {
        matches!(self, Self::Own | Self::Member { .. })
    }
}

/// The package in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version, unless the workspace sets it.
    pub version: Option<String>,
    /// Whether it lies in the workspace's folder.
    pub is_in_workspace: bool,
}

/// The packages of a workspace, as locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packages {
    own: String,
    /// By the name of the crate: `my_http` for the package `my-http`.
    locked: BTreeMap<String, Vec<Locked>>,
}

impl Packages {
    /// Reads a lock file, as cargo writes it. `own` is the name of the tested package.
    pub fn new(own: &str, lock: &str) -> Self {
        let mut locked: BTreeMap<String, Vec<Locked>> = BTreeMap::new();
        for package in lockfile::packages(lock) {
            locked.entry(crate_name(&package.name)).or_default().push(package);
        }
        Self { own: own.to_owned(), locked }
    }

    /// Returns the origin of a source file with this nearest manifest.
    pub fn of_manifest(&self, Manifest { name, version, is_in_workspace }: &Manifest) -> Origin {
        let same = |locked: &&Locked| locked.name == *name && version.as_ref().is_none_or(|it| *it == locked.version);
        let locked = self.locked.get(&crate_name(name)).and_then(|all| all.iter().find(same));
        // A vendored package lies in the workspace, too.
        if !is_in_workspace || locked.is_some_and(|locked| locked.is_fetched) {
            let version = locked.map(|locked| &locked.version).or(version.as_ref());
            return Origin::Dependency { name: name.clone(), version: version.cloned().unwrap_or_default() };
        }
        if *name == self.own { Origin::Own } else { Origin::Member { name: name.clone() } }
    }

    /// Returns the origin of a function by its name and the program or library that contains it.
    pub fn of_function(&self, function: &str, module: &str) -> Origin {
        let Some(krate) = krate(function) else { return Origin::Unknown };
        match self.locked.get(krate).map(Vec::as_slice) {
            Some([Locked { is_fetched: false, name, .. }, ..]) if *name == self.own => Origin::Own,
            Some([Locked { is_fetched: false, name, .. }, ..]) => Origin::Member { name: name.clone() },
            Some([Locked { name, version, .. }]) => Origin::Dependency { name: name.clone(), version: version.clone() },
            Some([Locked { name, .. }, ..]) => Origin::Dependency { name: name.clone(), version: String::new() },
            _ if is_of_standard_library(krate) => Origin::System,
            // A program's crate has the name of its file. The lock file names packages only.
            _ if !self.locked.is_empty() && is_own_crate(krate, module) => Origin::Own,
            _ => Origin::Unknown,
        }
    }
}

/// Returns whether a program is that of this crate.
pub(super) fn is_own_crate(krate: &str, program: &str) -> bool {
    crate_name(without_hash(program)) == krate
}

/// Returns the name of a package's crate.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

/// Returns the crate in the demangled name of a Rust function: `minreq` of `minreq::get` and of
/// `<minreq::Response as core::fmt::Debug>::fmt`.
pub(super) fn krate(function: &str) -> Option<&str> {
    let mut rest = function.trim_start_matches(['<', '&', '*', '(', '[', ' ']);
    for word in ["mut ", "const ", "dyn "] {
        rest = rest.strip_prefix(word).unwrap_or(rest).trim_start_matches(['<', '&', '*', '(', '[', ' ']);
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    // The crate's disambiguator: `demo[0123456789abcdef]::main`.
    let path =
        rest[end..].strip_prefix('[').and_then(|hash| hash.split_once(']')).map_or(&rest[end..], |(_, path)| path);
    (end > 0 && path.starts_with("::")).then(|| &rest[..end])
}

/// Crates of the standard library and those that it is built with.
pub(super) fn is_of_standard_library(krate: &str) -> bool {
    const CRATES: &[&str] = &[
        "__rustc",
        "addr2line",
        "adler2",
        "alloc",
        "backtrace",
        "cfg_if",
        "compiler_builtins",
        "core",
        "getopts",
        "gimli",
        "hashbrown",
        "memchr",
        "miniz_oxide",
        "object",
        "panic_abort",
        "panic_unwind",
        "proc_macro",
        "rustc_demangle",
        "std",
        "std_detect",
        "test",
        "unwind",
    ];
    CRATES.contains(&krate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "greeter"
version = "0.1.0"
dependencies = [
 "minreq",
]

[[package]]
name = "greeter-core"
version = "0.2.0"

[[package]]
name = "minreq"
version = "2.11.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "my-syn"
version = "1.0.0"
source = "git+https://example.com/syn"

[[package]]
name = "my-syn"
version = "2.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#;

    fn dependency(name: &str, version: &str) -> Origin {
        Origin::Dependency { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn function_names_show_their_package() {
        let packages = Packages::new("greeter", LOCK);
        let core = Origin::Member { name: "greeter-core".to_owned() };
        for (function, origin) in [
            ("greeter::main", Origin::Own),
            ("greet::main::{{closure}}", Origin::Own),
            ("<greeter::App as core::ops::Drop>::drop", Origin::Own),
            ("greeter_core::hello", core),
            ("minreq::connection::Connection::send", dependency("minreq", "2.11.0")),
            ("<minreq::Response as std::io::Read>::read", dependency("minreq", "2.11.0")),
            ("<&mut minreq[0123456789abcdef]::Lazy as core::fmt::Debug>::fmt", dependency("minreq", "2.11.0")),
            ("my_syn::parse", dependency("my-syn", "")),
            ("std::net::TcpStream::connect", Origin::System),
            ("<alloc::boxed::Box<F> as core::ops::FnOnce<A>>::call_once", Origin::System),
            ("core::ops::function::FnOnce::call_once{{vtable.shim}}", Origin::System),
            ("__rustc::rust_begin_unwind", Origin::System),
            ("<T as greeter::Trait>::call", Origin::Unknown),
            ("sqlite3_step", Origin::Unknown),
            ("main", Origin::Unknown),
            ("", Origin::Unknown),
        ] {
            assert_eq!(packages.of_function(function, "greet-0123456789abcdef"), origin, "{function}");
        }
        assert_eq!(packages.of_function("boost::asio::connect", "server"), Origin::Unknown);
        assert_eq!(Packages::default().of_function("demo::main", "demo"), Origin::Unknown);
    }

    #[test]
    fn manifests_show_their_package() {
        let packages = Packages::new("greeter", LOCK);
        let of = |name: &str, version: Option<&str>, is_in_workspace| {
            let version = version.map(str::to_owned);
            packages.of_manifest(&Manifest { name: name.to_owned(), version, is_in_workspace })
        };
        assert_eq!(of("greeter", Some("0.1.0"), true), Origin::Own);
        assert_eq!(of("greeter-core", None, true), Origin::Member { name: "greeter-core".to_owned() });
        assert_eq!(of("minreq", Some("2.11.0"), true), dependency("minreq", "2.11.0"), "vendored");
        assert_eq!(of("minreq", Some("2.11.0"), false), dependency("minreq", "2.11.0"));
        assert_eq!(of("elsewhere", Some("1.2.3"), false), dependency("elsewhere", "1.2.3"));
    }
}
