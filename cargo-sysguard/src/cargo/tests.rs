//! Tests of the flags of cargo.

use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    flags: BuildFlags,
    #[command(flatten)]
    targets: TargetFlags,
}

fn parsed(line: &str) -> Line {
    Line::parse_from(std::iter::once("cargo").chain(line.split_whitespace()))
}

#[test]
fn build_flags_reach_cargo_unchanged() {
    for line in [
        "",
        "--release",
        "--locked --offline --verbose --verbose --profile fast --target x86_64-unknown-linux-musl",
        "--frozen --all-features --no-default-features --quiet --target-dir /t --jobs 3 --features a,b --features c",
    ] {
        let flags: Vec<String> =
            parsed(line).flags.build_flags().into_iter().map(|flag| flag.into_string().expect("UTF-8")).collect();
        assert_eq!(flags.join(" "), line);
    }
}

#[test]
fn target_flags_select_workloads_by_target() {
    let programs = [
        Program::Command(vec!["ls".to_owned()]),
        Program::Bin("a".to_owned()),
        Program::Bin("b".to_owned()),
        Program::Example("a".to_owned()),
        Program::Test("a".to_owned()),
        Program::Bench("a".to_owned()),
    ];
    for (line, selected) in [
        ("", [true; 6]),
        ("--lib", [false; 6]),
        ("--bin a", [false, true, false, false, false, false]),
        ("--bins --example a", [false, true, true, true, false, false]),
        ("--tests", [false, false, false, false, true, false]),
        ("--bench a", [false, false, false, false, false, true]),
        ("--all-targets", [false, true, true, true, true, true]),
    ] {
        let targets = parsed(line).targets;
        assert_eq!(programs.each_ref().map(|program| targets.select(program)), selected, "{line}");
    }
}
