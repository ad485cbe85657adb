//! Writes and reads the object `linux.seccomp` of the OCI runtime specification, config-linux.md.
//! Main functions: [`write`] and [`read`].
//!
//! The records are few, so they are written here: the crate oci-spec 0.10 would add 14 crates, and
//! its records lack the `comment` that Docker and Podman keep beside calls. A reader ignores
//! properties that it does not know (config.md, Extensibility), so the heading is one, too.

use serde::{Deserialize, Serialize};
use sysguard::unstable::model::attribution::RegisterTest;
use sysguard::unstable::model::kernel::syscall::Abi;

use super::profile::{Effect, Profile, masked, tests};
use super::rules::rules;
use super::{Input, NotWritten};
use crate::policy::{Action, Calls};
use crate::uapi::{ENOSYS, EPERM};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seccomp {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    comment: Vec<String>,
    default_action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    syscalls: Vec<Group>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    names: Vec<String>,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_ret: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    args: Option<Vec<Arg>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arg {
    index: usize,
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

/// The whole configuration of a container.
#[derive(Deserialize)]
struct Config {
    linux: Linux,
}

#[derive(Deserialize)]
struct Linux {
    seccomp: Seccomp,
}

const ALLOW: &str = "SCMP_ACT_ALLOW";
const ERRNO: &str = "SCMP_ACT_ERRNO";
const MASKED: &str = "SCMP_CMP_MASKED_EQ";

pub(super) fn write(input: &Input<'_>) -> Result<String, NotWritten> {
    let policy = input.policy;
    let rules = rules(policy)?;
    let mut syscalls = Vec::new();
    for (reason, calls) in &rules.allowed {
        groups(calls, ALLOW, None, &reason.to_string(), &mut syscalls);
    }
    groups(&rules.refused, ERRNO, Some(EPERM), "refused by a `forbid:` rule", &mut syscalls);
    let seccomp = Seccomp {
        comment: input.heading.lines(policy),
        default_action: action(policy.otherwise).to_owned(),
        default_errno_ret: (policy.otherwise == Action::Unimplemented).then_some(ENOSYS),
        architectures: policy.abis().into_iter().map(|abi| architecture(abi).to_owned()).collect(),
        syscalls,
    };
    let mut text = serde_json::to_string_pretty(&seccomp).expect("strings and numbers are written");
    text.push('\n');
    Ok(text)
}

/// Adds calls: first those that are meant whole, then one group for each list of tests.
fn groups(
    calls: &std::collections::BTreeMap<String, Calls>,
    action: &str,
    errno_ret: Option<u32>,
    comment: &str,
    groups: &mut Vec<Group>,
) {
    let mut add = |names: Vec<String>, args| {
        groups.push(Group { names, action: action.to_owned(), errno_ret, args, comment: Some(comment.to_owned()) });
    };
    let whole: Vec<String> =
        calls.iter().filter(|(_, calls)| **calls == Calls::All).map(|(name, _)| name.clone()).collect();
    if !whole.is_empty() {
        add(whole, None);
    }
    for (name, calls) in calls {
        let Calls::Some(lists) = calls else { continue };
        for tests in lists {
            add(vec![name.clone()], Some(tests.iter().map(arg).collect()));
        }
    }
}

/// The mask comes first: seccomp_rule_add(3).
fn arg(test: &RegisterTest) -> Arg {
    Arg { index: test.arg, value: test.mask, value_two: test.value, op: MASKED.to_owned() }
}

pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Unimplemented => ERRNO,
        Action::Kill => "SCMP_ACT_KILL_PROCESS",
        Action::Log => "SCMP_ACT_LOG",
        Action::Trap => "SCMP_ACT_TRAP",
    }
}

pub(super) fn architecture(abi: Abi) -> &'static str {
    match abi {
        Abi::Aarch64 => "SCMP_ARCH_AARCH64",
        Abi::Arm => "SCMP_ARCH_ARM",
        Abi::I386 => "SCMP_ARCH_X86",
        Abi::Riscv64 => "SCMP_ARCH_RISCV64",
        Abi::X32 => "SCMP_ARCH_X32",
        Abi::X86_64 => "SCMP_ARCH_X86_64",
    }
}

pub(super) fn read(text: &str) -> Result<Profile, String> {
    let seccomp: Seccomp = match serde_json::from_str::<Config>(text) {
        Ok(config) => config.linux.seccomp,
        Err(_) => serde_json::from_str(text).map_err(|error| error.to_string())?,
    };
    let mut profile = Profile::new(effect(&seccomp.default_action, seccomp.default_errno_ret));
    profile.settings.insert("architectures".to_owned(), seccomp.architectures.join(" "));
    for group in &seccomp.syscalls {
        let effect = effect(&group.action, group.errno_ret);
        let tests = tests_of(group.args.as_deref().unwrap_or_default());
        group.names.iter().for_each(|name| profile.add(name, effect.clone(), tests.clone()));
    }
    Ok(profile)
}

/// Without a number, SCMP_ACT_ERRNO is EPERM: config-linux.md.
pub(super) fn effect(action: &str, errno: Option<u32>) -> Effect {
    match action {
        ALLOW => Effect::Allow,
        ERRNO => Effect::Errno(errno.unwrap_or(EPERM)),
        "SCMP_ACT_KILL_PROCESS" => Effect::Kill,
        "SCMP_ACT_LOG" => Effect::Log,
        "SCMP_ACT_TRAP" => Effect::Trap,
        other => Effect::Other(other.to_owned()),
    }
}

fn tests_of(args: &[Arg]) -> Vec<String> {
    let mut masks: Vec<RegisterTest> = Vec::new();
    let mut others = Vec::new();
    for Arg { index, value, value_two, op } in args {
        match op.as_str() {
            MASKED => masks.push(RegisterTest { arg: *index, mask: *value, value: *value_two }),
            "SCMP_CMP_EQ" => others.push(masked(*index, u64::MAX, *value)),
            op => others.push(format!("argument {index} {op} {value:#x}")),
        }
    }
    others.sort();
    tests(&masks).into_iter().chain(others).collect()
}
