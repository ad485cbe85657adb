//! Draws the README's picture of a failing test from real output.
//!
//! `cargo run --example failing_test_picture > src/guide/failing_test.svg` makes a package with a
//! dependency, blesses it, makes the dependency open a socket, and tests it.
#![expect(clippy::print_stdout, reason = "a program, not the library")]

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use anstyle_svg::Term;

const MANIFEST: &str = "\
[package]\nname = \"greeter\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
[dependencies]\ntelemetry = { path = \"telemetry\" }\n\n[workspace]\n";
const MAIN: &str = "fn main() {\n    telemetry::started(\"greeter\");\n    println!(\"hello\");\n}\n";
const EXPECTATION: &str = "# greets; must not use the network without a review\nversion: 2\nbin: greeter\n";
const QUIET: &str = "pub fn started(_program: &str) {}\n";
const CONNECTS: &str = "\
pub fn started(program: &str) {\n    use std::io::Write;\n    \
if let Ok(mut stream) = std::net::TcpStream::connect(\"127.0.0.1:4433\") {\n        \
drop(writeln!(stream, \"{program}\"));\n    }\n}\n";

/// The maximum number of lines in the picture.
const LINES: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let package = folder.path();
    telemetry(package, "1.4.0", QUIET)?;
    fs::create_dir(package.join("src"))?;
    fs::create_dir(package.join("expectations"))?;
    fs::write(package.join("Cargo.toml"), MANIFEST)?;
    fs::write(package.join("src/main.rs"), MAIN)?;
    fs::write(package.join("expectations/greeter.yaml"), EXPECTATION)?;
    sysguard(package, "bless")?;
    telemetry(package, "1.5.0", CONNECTS)?;
    let failure = sysguard(package, "test")?;
    let (_, message) = failure.split_once("---- greeter ----\n").ok_or("the test did not fail")?;
    let shown: Vec<&str> = message.lines().take(LINES).collect();
    println!("{}", Term::new().render_svg(&format!("$ cargo sysguard test\n{}\n", shown.join("\n"))));
    Ok(())
}

/// Writes the dependency.
fn telemetry(package: &Path, version: &str, code: &str) -> io::Result<()> {
    let folder = package.join("telemetry");
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!("[package]\nname = \"telemetry\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), code)
}

/// Runs this repository's `cargo sysguard` and returns what it printed.
fn sysguard(package: &Path, command: &str) -> Result<String, Box<dyn Error>> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "cargo-sysguard", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(["--", "sysguard", command, "--color", "always"])
        .current_dir(package)
        .output()?;
    Ok(String::from_utf8(output.stdout)?)
}
