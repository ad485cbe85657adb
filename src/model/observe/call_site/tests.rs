//! Tests of what a stack is summarized as.

use super::*;

fn site(frames: &[(&str, &str)]) -> String {
    let frame = |&(function, file): &(&str, &str)| Frame {
        function: (!function.is_empty()).then(|| function.to_owned()),
        source: (!file.is_empty()).then(|| (file.to_owned(), 7)),
        is_compressed: false,
        module: "demo".to_owned(),
        ..Frame::default()
    };
    CallSite { frames: frames.iter().map(frame).collect(), ..CallSite::default() }.to_string()
}

#[test]
fn site_names_dependency_and_own_line() {
    const STD: (&str, &str) = ("std::net::connect", "/rustc/59807/library/std/src/net.rs");
    const LIBC: (&str, &str) = ("connect", "");
    const DEPENDENCY: (&str, &str) =
        ("http::get", "/home/me/.cargo/registry/src/index.crates.io-1949/my-http-1.2.0-rc.1/src/lib.rs");
    const OWN: (&str, &str) = ("demo::fetch", "src/main.rs");
    for (frames, shown) in [
        (&[LIBC, STD, DEPENDENCY, OWN][..], "my-http 1.2.0-rc.1 http::get, called by demo::fetch at src/main.rs:7"),
        (&[LIBC, STD, OWN, DEPENDENCY], "demo::fetch at src/main.rs:7"),
        (&[STD, DEPENDENCY], "my-http 1.2.0-rc.1 http::get"),
        (&[("f", "/c/git/checkouts/thing-0a1b2c/9f8e/src/lib.rs")], "thing 0a1b2c f"),
        (&[LIBC], "connect in demo (no debug information)"),
        (&[("", ""), ("", "")], "demo (no symbols)"),
        (&[], "unknown code"),
        (&[STD], "unknown code"),
    ] {
        assert_eq!(site(frames), shown);
    }
}

#[test]
fn changed_dependency_is_shown_with_old_version() {
    let frame = |function: &str, file: &str| Frame {
        function: Some(function.to_owned()),
        source: Some((file.to_owned(), 7)),
        module: "demo".to_owned(),
        ..Frame::default()
    };
    let frames =
        vec![frame("http::get", "/c/registry/src/i/http-2.0.0/src/lib.rs"), frame("demo::main", "src/main.rs")];
    let site_after = |before: &str| {
        let lock = |version: &str| format!("[[package]]\nname = \"http\"\nversion = \"{version}\"\n");
        let before = if before.is_empty() { String::new() } else { lock(before) };
        let mut site = CallSite { frames: frames.clone(), ..CallSite::default() };
        site.since(&Moves::between(&before, &lock("2.0.0")));
        site.to_string()
    };
    let end = "http::get, called by demo::main at src/main.rs:7";
    assert_eq!(site_after("2.0.0"), format!("http 2.0.0 {end}"));
    assert_eq!(site_after("1.0.0"), format!("http 2.0.0 (1.0.0 when the baseline last changed) {end}"));
    assert_eq!(site_after(""), format!("http 2.0.0 (not there when the baseline last changed) {end}"));
}

#[test]
fn stripped_program_is_shown_before_c_library() {
    let frame = |function: Option<&str>, module: &str| Frame {
        function: function.map(str::to_owned),
        source: None,
        module: module.to_owned(),
        ..Frame::default()
    };
    for library in ["libc.so.6", "[vdso]"] {
        let frames = vec![frame(Some("connect"), library), frame(None, "demo"), frame(None, "libc.so.6")];
        assert_eq!(CallSite { frames, ..CallSite::default() }.to_string(), "demo (no symbols)");
    }
}

#[test]
fn compressed_debug_information_is_reported() {
    let frame = |function: &str, origin| Frame {
        function: Some(function.to_owned()),
        is_compressed: true,
        module: "demo".to_owned(),
        origin,
        ..Frame::default()
    };
    for (origin, words) in [
        (Origin::Own, "demo::fetch (compressed debug information)"),
        (Origin::Unresolved, "demo::fetch in demo (compressed debug information)"),
    ] {
        let frames = vec![frame("demo::fetch", origin)];
        assert_eq!(CallSite { frames, ..CallSite::default() }.to_string(), words);
    }
}

#[test]
fn files_are_relative_to_the_package() {
    let source = |file: &str| Frame { source: Some((file.to_owned(), 1)), ..Frame::default() };
    let frames = vec![source("/w/demo/src/main.rs"), source("/w/demo2/src/lib.rs")];
    let mut site = CallSite { frames, ..CallSite::default() };
    site.relative_to("/w/demo");
    assert_eq!(site.frames, [source("src/main.rs"), source("/w/demo2/src/lib.rs")]);
}

/// A frame of a package: `name@version function at file`, `=` for the tested package, `+name`
/// for a member, `-` for the system, `?` for unknown.
fn of(origin: &str, function: &str, file: &str) -> Frame {
    let origin = match origin.split_at(1) {
        ("=", _) => Origin::Own,
        ("-", _) => Origin::System,
        ("?", _) => Origin::Unknown,
        ("+", name) => Origin::Member { name: name.to_owned() },
        _ => {
            let (name, version) = origin.split_once('@').expect(origin);
            Origin::Dependency { name: name.to_owned(), version: version.to_owned() }
        }
    };
    Frame {
        function: Some(function.to_owned()),
        source: (!file.is_empty()).then(|| (file.to_owned(), 7)),
        is_compressed: false,
        module: "demo".to_owned(),
        origin,
    }
}

/// Frames as [`of`] takes them, and the words for them.
type Case = (&'static [(&'static str, &'static str, &'static str)], &'static str);

#[test]
fn nearest_line_of_the_tested_package_is_named() {
    const CASES: &[Case] = &[
        // Vendored C in another member of the workspace, and in the package itself.
        (
            &[("+sqlite-sys", "sqlite3_step", "/w/sys/sqlite3.c"), ("=", "db::open", "src/lib.rs")],
            "sqlite-sys sqlite3_step, called by db::open at src/lib.rs:7",
        ),
        (
            &[("=", "sqlite3_step", "vendor/sqlite3.c"), ("=", "db::open", "src/lib.rs")],
            "sqlite3_step, called by db::open at src/lib.rs:7",
        ),
        (&[("=", "sqlite3_step", "vendor/sqlite3.c")], "sqlite3_step at vendor/sqlite3.c:7"),
        // An executor that polls the user's future, which calls a dependency.
        (
            &[
                ("-", "std::net::connect", "/rustc/1/net.rs"),
                ("http@1.0.0", "http::get", "/r/http.rs"),
                ("=", "demo::fetch::{{closure}}", "src/main.rs"),
                ("tokio@1.40.0", "tokio::runtime::task::poll", "/r/tokio.rs"),
                ("=", "demo::main", "src/main.rs"),
            ],
            "http 1.0.0 http::get, called by demo::fetch::{{closure}} at src/main.rs:7",
        ),
        // A thread of a pool, without a frame of the user.
        (
            &[("rayon@1.8.0", "rayon::sleep", "/r/rayon.rs"), ("-", "std::thread::start", "/rustc/1/t.rs")],
            "rayon 1.8.0 rayon::sleep",
        ),
        // No debug information.
        (
            &[("?", "connect", ""), ("minreq@2.11.0", "minreq::get", ""), ("=", "greeter::main", "")],
            "minreq 2.11.0 minreq::get, called by greeter::main (no debug information)",
        ),
        (&[("?", "connect", ""), ("=", "greeter::main", "")], "greeter::main (no debug information)"),
        (
            &[("+core", "core_of_demo::f", "core/src/lib.rs"), ("=", "demo::main", "src/main.rs")],
            "core_of_demo::f at core/src/lib.rs:7",
        ),
    ];
    for (frames, words) in CASES {
        let frames = frames.iter().map(|(origin, function, file)| of(origin, function, file)).collect();
        assert_eq!(CallSite { frames, ..CallSite::default() }.to_string(), *words);
    }
}

#[test]
fn location_is_the_own_line_before_the_dependency() {
    let dependency = of("http@1.0.0", "http::get", "/r/http.rs");
    let both = vec![of("-", "connect", ""), dependency.clone(), of("=", "demo::fetch", "src/main.rs")];
    let place =
        |frames| CallSite { frames, ..CallSite::default() }.site().expect("a site").location.expect("a location");
    let own = place(both);
    assert_eq!(
        (own.function.as_deref(), own.package, own.file.as_deref()),
        (Some("demo::fetch"), None, Some("src/main.rs"))
    );
    let alone = place(vec![dependency]);
    assert_eq!((alone.package.as_deref(), alone.version.as_deref()), (Some("http"), Some("1.0.0")));
}

#[test]
fn origins_come_from_manifests_then_from_names() {
    let packages = Packages::new("demo", "[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n");
    let frame = |function: &str, file: &str| Frame {
        function: Some(function.to_owned()),
        source: (!file.is_empty()).then(|| (file.to_owned(), 1)),
        module: "demo".to_owned(),
        ..Frame::default()
    };
    let files = ["/w/demo/src/main.rs", "src/main.rs", "/remapped/main.rs", "/rustc/1/library/std/src/net.rs", ""];
    let mut frames: Vec<Frame> = files.iter().map(|file| frame("demo::f", file)).collect();
    frames.extend([frame("inflate", "/build/zlib/inflate.c"), frame("inflate", "")]);
    let mut site = CallSite { frames, ..CallSite::default() };
    let manifest = Manifest { name: "demo".to_owned(), version: None, is_in_workspace: true };
    site.resolve(&packages, |file| file.starts_with("/w/").then(|| manifest.clone()));
    let origins: Vec<Origin> = site.frames.iter().map(Frame::origin).collect();
    let own = Origin::Own;
    assert_eq!(origins, [own.clone(), own.clone(), own.clone(), Origin::System, own, Origin::Unknown, Origin::Unknown]);
}

#[test]
fn own_line_comes_with_its_callee() {
    let location = |frames: &[(&str, &str)]| {
        let frame = |&(function, file): &(&str, &str)| Frame {
            function: Some(function.to_owned()),
            source: Some((file.to_owned(), 7)),
            ..Frame::default()
        };
        let frames = frames.iter().map(frame).collect();
        CallSite { frames, ..CallSite::default() }.site().expect("a site").location.expect("a location")
    };
    let (std, own) = (("std::fs::read", "/rustc/5/library/std/src/fs.rs"), ("demo::main", "src/main.rs"));
    let http = ("http::get", "/c/registry/src/i/http-2.0.0/src/lib.rs");
    for (frames, is_own, callee) in [
        (&[std, own][..], true, Some("std::fs::read")),
        (&[std, http, std, own], true, Some("http 2.0.0 http::get")),
        (&[own], true, None),
        (&[std, http], false, None),
    ] {
        let location = location(frames);
        assert_eq!((location.is_own, location.callee.as_deref()), (is_own, callee), "{frames:?}");
    }
}
