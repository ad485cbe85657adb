//! This repository guarded by its own expectations: every file in expectations/ is a test.

fn main() -> std::process::ExitCode {
    sysguard::harness::main(env!("CARGO_MANIFEST_DIR"))
}
