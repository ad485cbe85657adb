//! The files that well-known loaders of plug-ins load at run time. Main function: [`plug_ins`].
//!
//! A loader counts only if one of its functions is reached. What it loads depends on configuration
//! files and on the locale, so every candidate is taken.

use std::fs;
use std::path::{Path, PathBuf};

use crate::result::ModuleReach;

/// A file that could be loaded at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlugIn {
    /// The component that loads it.
    pub(super) loader: &'static str,
    pub(super) place: Place,
    /// The module that loads it, by its index.
    pub(super) loaded_by: usize,
}

/// Where a plug-in is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The loader asks dlopen(3) for this name.
    Name(String),
    /// The loader opens this file.
    File(PathBuf),
}

/// A component that loads plug-ins.
struct Loader {
    name: &'static str,
    /// The beginning of the name of its library.
    library: &'static str,
    /// Exported functions: one of them is on each way to the plug-ins.
    functions: &'static [&'static str],
    plug_ins: PlugIns,
}

/// What a component loads.
enum PlugIns {
    /// These libraries.
    Names(&'static [&'static str]),
    /// The services of nsswitch.conf(5).
    Services,
    /// Every library in a folder beside the component's own library.
    Folder(&'static str),
}

const LIBC: &str = "libc.so.";
const LIBCRYPTO: &str = "libcrypto.so.";

/// The functions by which OpenSSL reads its configuration, which may name providers and engines.
const CONFIGURES: &[&str] =
    &["CONF_modules_load", "CONF_modules_load_file_ex", "OSSL_PROVIDER_load", "OSSL_PROVIDER_try_load", "ENGINE_by_id"];

/// The known components. Those of glibc: `nss/`, `iconv/`, `misc/unwind-link.c`, `inet/idna.c`.
const LOADERS: &[Loader] = &[
    Loader {
        name: "nss",
        library: LIBC,
        functions: &["__nss_database_get", "__nss_database_lookup2", "__nss_database_lookup"],
        plug_ins: PlugIns::Services,
    },
    Loader {
        name: "iconv",
        library: LIBC,
        // Without a locale, conversions of wide characters need no file.
        functions: &["iconv_open", "__gconv_open", "setlocale", "newlocale"],
        plug_ins: PlugIns::Folder("gconv"),
    },
    Loader {
        name: "unwinding",
        library: LIBC,
        functions: &["pthread_cancel", "pthread_exit", "backtrace"],
        plug_ins: PlugIns::Names(&["libgcc_s.so.1"]),
    },
    Loader {
        name: "idna",
        library: LIBC,
        functions: &["getaddrinfo", "getnameinfo"],
        plug_ins: PlugIns::Names(&["libidn2.so.0"]),
    },
    Loader {
        name: "pam",
        library: "libpam.so.",
        functions: &["pam_start", "pam_start_confdir"],
        plug_ins: PlugIns::Folder("security"),
    },
    Loader { name: "openssl", library: LIBCRYPTO, functions: CONFIGURES, plug_ins: PlugIns::Folder("ossl-modules") },
    Loader { name: "openssl", library: LIBCRYPTO, functions: CONFIGURES, plug_ins: PlugIns::Folder("engines-3") },
    Loader { name: "openssl", library: LIBCRYPTO, functions: CONFIGURES, plug_ins: PlugIns::Folder("engines-1.1") },
];

const SWITCH: &str = "/etc/nsswitch.conf";

/// Returns what reached code of these files could load. Files that do not exist are left out: a
/// loader ignores them too.
pub(super) fn plug_ins(reached: &[ModuleReach]) -> Vec<PlugIn> {
    let mut found = Vec::new();
    for (at, module) in reached.iter().enumerate() {
        let name = module.path.file_name().unwrap_or_default().to_string_lossy();
        let is_reached = |loader: &&Loader| {
            name.starts_with(loader.library)
                && loader.functions.iter().any(|function| module.reached_exports.contains(*function))
        };
        for loader in LOADERS.iter().filter(is_reached) {
            let places = places(&loader.plug_ins, &module.path);
            found.extend(places.into_iter().map(|place| PlugIn { loader: loader.name, place, loaded_by: at }));
        }
    }
    found
}

fn places(plug_ins: &PlugIns, library: &Path) -> Vec<Place> {
    match plug_ins {
        PlugIns::Names(names) => names.iter().map(|&name| Place::Name(name.to_owned())).collect(),
        PlugIns::Services => {
            let switch = fs::read_to_string(SWITCH).unwrap_or_default();
            services(&switch).into_iter().map(|service| Place::Name(format!("libnss_{service}.so.2"))).collect()
        }
        PlugIns::Folder(folder) => files(library, folder).into_iter().map(Place::File).collect(),
    }
}

/// Returns the services of every database, in order: nsswitch.conf(5). Without a file, glibc asks
/// `files` and `dns`.
fn services(switch: &str) -> Vec<&str> {
    let mut services = vec!["files", "dns"];
    for line in switch.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((_, list)) = line.split_once(':') else { continue };
        // An action: `[NOTFOUND=return]`.
        let outside = list.split('[').flat_map(|part| part.rsplit(']').next());
        services.extend(outside.flat_map(str::split_whitespace));
    }
    services.sort_unstable();
    services.dedup();
    services
}

/// Returns the libraries in a folder beside a library, ordered by name.
fn files(library: &Path, folder: &str) -> Vec<PathBuf> {
    let Some(beside) = fs::canonicalize(library).ok().and_then(|path| Some(path.parent()?.to_owned())) else {
        return Vec::new();
    };
    let beneath_usr = Path::new("/usr").join(beside.strip_prefix("/").unwrap_or(&beside));
    let folders = [beside.join(folder), beneath_usr.join(folder)];
    let entries = folders.iter().find_map(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_library(path)).collect();
    files.sort();
    files
}

fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_every_database_are_taken_without_actions() {
        let switch =
            "# comment\npasswd: files systemd\nhosts: files mdns4_minimal [NOTFOUND=return] dns # more\nbroken\n";
        assert_eq!(services(switch), ["dns", "files", "mdns4_minimal", "systemd"]);
        assert_eq!(services(""), ["dns", "files"]);
    }

    #[test]
    fn plug_ins_are_libraries_beside_the_component() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("gconv")).expect("a folder");
        for name in ["libc.so.6", "gconv/B.so", "gconv/A.so", "gconv/gconv-modules"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        let found = files(&folder.path().join("libc.so.6"), "gconv");
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["A.so", "B.so"]);
        assert!(files(&folder.path().join("libc.so.6"), "none").is_empty());
    }
}
