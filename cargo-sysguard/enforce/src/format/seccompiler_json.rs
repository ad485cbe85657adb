//! Writes and reads the JSON of the crate seccompiler: one filter, named after the workloads. Main
//! functions: [`write`] and [`read`].
//!
//! A filter has one action for all denied calls, so a refused call gets that of all others. A
//! comment is allowed beside a rule only; the first one begins with the heading.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sysguard::unstable::model::attribution::RegisterTest;

use super::profile::{Effect, Profile, masked, tests};
use super::rules::rules;
use super::{Input, NotWritten};
use crate::filter::{self, NotCompiled};
use crate::policy::{Action, Calls};
use crate::uapi::ENOSYS;

#[derive(Debug, Serialize, Deserialize)]
struct Filter {
    #[serde(alias = "default_action")]
    mismatch_action: Value,
    #[serde(alias = "filter_action")]
    match_action: Value,
    filter: Vec<Rule>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Rule {
    syscall: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Vec<Condition>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Condition {
    index: usize,
    #[serde(rename = "type")]
    length: String,
    op: Value,
    val: u64,
}

/// Calls of Linux 6.12 to 7.1 that the tables of seccompiler 0.5 lack.
pub(super) const LACKING: &[&str] = &[
    "file_getattr",
    "file_setattr",
    "getxattrat",
    "listns",
    "listxattrat",
    "open_tree_attr",
    "removexattrat",
    "rseq_slice_yield",
    "setxattrat",
    "uprobe",
];

pub(super) fn write(input: &Input<'_>) -> Result<String, NotWritten> {
    let policy = input.policy;
    // The JSON names no architecture. The first ABI is the native one.
    if let Some(foreign) = policy.abis().get(1) {
        return Err(NotCompiled::SeveralArchitectures(*foreign).into());
    }
    filter::compile(policy)?;
    let rules = rules(policy)?;
    let mut filter = Vec::new();
    for (reason, calls) in &rules.allowed {
        for (name, calls) in calls {
            if LACKING.contains(&name.as_str()) {
                return Err(NotWritten::Unknown(name.clone()));
            }
            let mut add = |args| {
                filter.push(Rule { syscall: name.clone(), args, comment: Some(reason.to_string()) });
            };
            match calls {
                Calls::All => add(None),
                Calls::Some(lists) => {
                    lists.iter().for_each(|tests| add(Some(tests.iter().map(condition).collect())));
                }
            }
        }
    }
    if let Some(comment) = filter.first_mut().and_then(|rule| rule.comment.as_mut()) {
        let mut heading = input.heading.lines(policy);
        if !rules.refused.is_empty() {
            heading.push(
                "The format has one action for all denied calls, so refused calls do not fail with EPERM.".to_owned(),
            );
        }
        *comment = format!("{} This call: {comment}", heading.join(" "));
    }
    let name = policy.workloads.iter().map(String::as_str).collect::<Vec<_>>().join("+");
    let filters = BTreeMap::from([(
        name,
        Filter { mismatch_action: action(policy.otherwise), match_action: json!("allow"), filter },
    )]);
    let mut text = serde_json::to_string_pretty(&filters).expect("strings and numbers are written");
    text.push('\n');
    Ok(text)
}

fn condition(test: &RegisterTest) -> Condition {
    let RegisterTest { arg, mask, value } = *test;
    let length = if mask >> 32 == 0 { "dword" } else { "qword" };
    Condition { index: arg, length: length.to_owned(), op: json!({"masked_eq": mask}), val: value }
}

fn action(action: Action) -> Value {
    match action {
        Action::Unimplemented => json!({"errno": ENOSYS}),
        Action::Kill => json!("kill_process"),
        Action::Log => json!("log"),
        Action::Trap => json!("trap"),
    }
}

pub(super) fn read(text: &str) -> Result<Profile, String> {
    let filters: BTreeMap<String, Filter> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let filter = match filters.len() {
        1 => filters.into_values().next().expect("one filter"),
        count => return Err(format!("it has {count} filters, not one")),
    };
    let mut profile = Profile::new(effect(&filter.mismatch_action));
    let matching = effect(&filter.match_action);
    for rule in filter.filter {
        let tests = tests_of(&rule.args.unwrap_or_default());
        profile.add(&rule.syscall, matching.clone(), tests);
    }
    Ok(profile)
}

fn effect(action: &Value) -> Effect {
    match (action.as_str(), action["errno"].as_u64()) {
        (Some("allow"), _) => Effect::Allow,
        (Some("kill_process"), _) => Effect::Kill,
        (Some("log"), _) => Effect::Log,
        (Some("trap"), _) => Effect::Trap,
        (_, Some(errno)) => Effect::Errno(errno as u32),
        _ => Effect::Other(action.to_string()),
    }
}

fn tests_of(conditions: &[Condition]) -> Vec<String> {
    let (mut masks, mut others) = (Vec::new(), Vec::new());
    for Condition { index, length, op, val } in conditions {
        match (op["masked_eq"].as_u64(), op.as_str()) {
            (Some(mask), _) => masks.push(RegisterTest { arg: *index, mask, value: *val }),
            (None, Some("eq")) if length == "dword" => others.push(masked(*index, 0xffff_ffff, *val)),
            (None, Some("eq")) => others.push(masked(*index, u64::MAX, *val)),
            _ => others.push(format!("argument {index} {op} {val:#x} ({length})")),
        }
    }
    others.sort();
    tests(&masks).into_iter().chain(others).collect()
}
