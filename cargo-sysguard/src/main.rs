//! The cargo subcommand `cargo sysguard`.
fn main() {}
