//! Hands the target's triple to the crate: cargo passes it to build scripts only, and a baseline
//! belongs to one platform.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=SYSGUARD_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
