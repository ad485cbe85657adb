//! Tests of the variables and flags, and of the settings that result.

use super::*;
use crate::model::run::recording::CONFIRMING_RUNS;

fn raw(variables: &[(&str, &str)]) -> RawSettings {
    let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    RawSettings { variables, terminal: true }
}

fn resolved(variables: &[(&str, &str)]) -> Settings {
    resolve(&raw(variables), Flags::default()).expect("good values")
}

#[test]
fn ci_is_detected_as_in_insta() {
    for (variables, ci) in [
        (&[][..], false),
        (&[("CI", "true")], true),
        (&[("CI", "1")], true),
        (&[("CI", "")], false),
        (&[("CI", "0")], false),
        (&[("CI", "false")], false),
        (&[("CI", "False")], true),
        (&[("TF_BUILD", "")], true),
        (&[("TF_BUILD", "True")], true),
        (&[("CI", "false"), ("TF_BUILD", "True")], false),
    ] {
        assert_eq!(resolved(variables).ci, ci, "{variables:?}");
    }
}

#[test]
fn every_update_mode_is_accepted() {
    for mode in UpdateMode::ALL {
        assert_eq!(resolved(&[("SYSGUARD_UPDATE", mode.name())]).update, mode);
    }
    assert_eq!(resolved(&[]).update, UpdateMode::Auto);
    assert_eq!(resolved(&[("SYSGUARD_UPDATE", "")]).update, UpdateMode::Auto);
}

#[test]
fn bad_value_error_names_variable_and_valid_values() {
    for (variable, value, message) in [
        (
            "SYSGUARD_UPDATE",
            "Always",
            "the environment variable SYSGUARD_UPDATE is `Always`, but must be one of auto, new, always, unseen, no, \
             force; correct or unset it",
        ),
        (
            "SYSGUARD_REQUIRE",
            "maybe",
            "the environment variable SYSGUARD_REQUIRE is `maybe`, but must be 1, true, 0 or false; correct or unset it",
        ),
        (
            "SYSGUARD_CONFIRM",
            "-1",
            "the environment variable SYSGUARD_CONFIRM is `-1`, but must be a number of runs such as 4; correct or unset it",
        ),
    ] {
        let error = resolve(&raw(&[(variable, value)]), Flags::default()).expect_err(variable);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn require_accepts_booleans() {
    for (value, required) in [("1", true), ("true", true), ("0", false), ("false", false), ("", false)] {
        assert_eq!(resolved(&[("SYSGUARD_REQUIRE", value)]).require, required, "{value}");
    }
}

#[test]
fn confirm_sets_the_number_of_runs() {
    for (variables, runs) in
        [(&[][..], CONFIRMING_RUNS), (&[("SYSGUARD_CONFIRM", "")], CONFIRMING_RUNS), (&[("SYSGUARD_CONFIRM", "0")], 0)]
    {
        assert_eq!(resolved(variables).confirm, runs, "{variables:?}");
    }
}

#[test]
fn flag_hides_an_invalid_variable() {
    let pending_dir = Some(PathBuf::from("/flag"));
    let flags = Flags {
        update: Some(UpdateMode::No),
        require: true,
        pending_dir,
        confirm: Some(0),
        engine: Some(Engine::Ptrace),
    };
    let variables = [
        ("SYSGUARD_UPDATE", "nonsense"),
        ("SYSGUARD_REQUIRE", "nonsense"),
        ("SYSGUARD_PENDING_DIR", "/variable"),
        ("SYSGUARD_CONFIRM", "nonsense"),
        ("SYSGUARD_ENGINE", "nonsense"),
    ];
    let settings = resolve(&raw(&variables), flags).expect("flags only");
    assert_eq!(settings.update, UpdateMode::No);
    assert!(settings.require);
    assert_eq!((settings.confirm, settings.engine), (0, Engine::Ptrace));
    assert_eq!(settings.pending_dir, Some(PathBuf::from("/flag")));
}

#[test]
fn paths_are_read_and_empty_ones_ignored() {
    let settings = resolved(&[
        ("SYSGUARD_PENDING_DIR", "/pending"),
        ("SYSGUARD_WORKSPACE_ROOT", ""),
        ("CARGO", "/bin/cargo"),
        ("CARGO_BIN_EXE_echo-server", "/target/echo-server"),
    ]);
    assert_eq!(settings.pending_dir, Some(PathBuf::from("/pending")));
    assert_eq!(settings.workspace_root, None);
    assert_eq!(settings.cargo, PathBuf::from("/bin/cargo"));
    assert_eq!(settings.rustc, PathBuf::from("/bin/rustc"));
    assert_eq!(resolved(&[("RUSTC", "/other/rustc"), ("CARGO", "/bin/cargo")]).rustc, PathBuf::from("/other/rustc"));
    assert_eq!(settings.binaries["echo-server"], PathBuf::from("/target/echo-server"));
    assert_eq!((resolved(&[]).cargo, resolved(&[]).rustc), (PathBuf::from("cargo"), PathBuf::from("rustc")));
}

#[test]
fn progress_is_for_terminals_only() {
    assert!(resolved(&[("TERM", "xterm")]).progress);
    assert!(!resolved(&[("TERM", "dumb")]).progress);
    let piped = RawSettings { terminal: false, ..raw(&[("TERM", "xterm")]) };
    assert!(!resolve(&piped, Flags::default()).expect("good values").progress);
}

#[test]
fn named_pending_folder_is_written_in_ci_too() {
    let ci = ("CI", "true");
    let folder = ("SYSGUARD_PENDING_DIR", "/pending");
    for (variables, update) in [
        (&[ci][..], Update::No),
        (&[ci, folder], Update::New),
        (&[folder], Update::New),
        (&[ci, folder, ("SYSGUARD_UPDATE", "no")], Update::No),
    ] {
        assert_eq!(resolved(variables).update(), update, "{variables:?}");
    }
}

#[test]
fn diff_tool_may_have_arguments() {
    for (value, tool) in [("delta --dark", Some("delta --dark")), ("", None), (" ", None)] {
        assert_eq!(resolved(&[("SYSGUARD_DIFF_TOOL", value)]).diff_tool.as_deref(), tool, "{value:?}");
    }
}

#[test]
fn visual_editor_is_preferred() {
    for (variables, editor) in [
        (&[("VISUAL", "code --wait"), ("EDITOR", "vi")][..], Some("code --wait")),
        (&[("VISUAL", " "), ("EDITOR", "vi")], Some("vi")),
        (&[("EDITOR", "")], None),
    ] {
        assert_eq!(resolved(variables).editor.as_deref(), editor, "{variables:?}");
    }
}

#[test]
fn engine_variable_is_checked_for_tests() {
    for (value, engine, judges) in [
        ("", Engine::Guard, true),
        ("guard", Engine::Guard, true),
        ("ptrace", Engine::Ptrace, true),
        ("notify", Engine::Notify, false),
    ] {
        let settings = resolved(&[("SYSGUARD_ENGINE", value)]);
        assert_eq!(settings.engine, engine, "{value}");
        assert_eq!(settings.for_tests().is_ok(), judges, "{value}");
    }
    assert_eq!(raw(&[("SYSGUARD_ENGINE", "notify")]).engine(), Ok(Some(Engine::Notify)));
    let error = resolve(&raw(&[("SYSGUARD_ENGINE", "bpf")]), Flags::default()).expect_err("no engine").to_string();
    assert!(error.contains("SYSGUARD_ENGINE is `bpf`, but must be one of guard, notify, ptrace"), "{error}");
}
