//! Writes and reads C code that loads a filter by libseccomp. Main functions: [`write`] and
//! [`read`].
//!
//! Calls that the installed libseccomp does not know are left out when the filter is loaded, as
//! container runtimes do.

use std::fmt::Write as _;

use sysguard::unstable::model::attribution::RegisterTest;

use super::oci::{action, architecture, effect};
use super::profile::{Profile, masked};
use super::rules::rules;
use super::{Input, NotWritten};
use crate::policy::{Action, Calls, Policy};
use crate::uapi::{ENOSYS, EPERM};

pub(super) fn write(input: &Input<'_>) -> Result<String, NotWritten> {
    let policy = input.policy;
    let rules = rules(policy)?;
    let mut lines = String::new();
    let mut most = 1;
    let mut add = |comment: &str, action: &str, calls: &std::collections::BTreeMap<String, Calls>| {
        line(&mut lines, &format!("\t/* {} */", harmless(comment)));
        for (name, calls) in calls {
            match calls {
                Calls::All => line(&mut lines, &row(name, action, &[])),
                Calls::Some(lists) => {
                    most = lists.iter().map(Vec::len).fold(most, usize::max);
                    lists.iter().for_each(|tests| line(&mut lines, &row(name, action, tests)));
                }
            }
        }
    };
    for (reason, calls) in &rules.allowed {
        add(&reason.to_string(), "SCMP_ACT_ALLOW", calls);
    }
    if !rules.refused.is_empty() {
        add("refused by a `forbid:` rule", &format!("SCMP_ACT_ERRNO({EPERM})"), &rules.refused);
    }
    let heading: String = input.heading.lines(policy).iter().map(|line| format!(" * {}\n", harmless(line))).collect();
    Ok(format!(
        "/*\n{heading} *\n * Compile with -lseccomp.\n */\n{HEAD}\tstruct scmp_arg_cmp tests[{most}];\n}};\n\n\
         static const struct rule rules[] = {{\n{lines}}};\n\n{}",
        function(policy)
    ))
}

const HEAD: &str = "\
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

struct rule {
\tconst char *name;
\tuint32_t action;
\tunsigned int count;
";

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

fn row(name: &str, action: &str, tests: &[RegisterTest]) -> String {
    let values: Vec<String> = tests
        .iter()
        .map(|RegisterTest { arg, mask, value }| format!("{{ {arg}, SCMP_CMP_MASKED_EQ, {mask:#x}, {value:#x} }}"))
        .collect();
    let values = if values.is_empty() { "{ 0 }".to_owned() } else { values.join(", ") };
    format!("\t{{ \"{name}\", {action}, {}, {{ {values} }} }},", tests.len())
}

/// Returns the text without the end of a comment.
fn harmless(text: &str) -> String {
    text.replace("*/", "* /")
}

/// Returns the name of the function: `load_` and the workloads.
fn name(policy: &Policy) -> String {
    let workloads: Vec<&str> = policy.workloads.iter().map(String::as_str).collect();
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    format!("load_{}", workloads.join("_").chars().map(word).collect::<String>())
}

fn function(policy: &Policy) -> String {
    let otherwise = match policy.otherwise {
        Action::Unimplemented => format!("SCMP_ACT_ERRNO({ENOSYS})"),
        other => action(other).to_owned(),
    };
    let abis = policy.abis();
    let (native, others) = abis.split_first().expect("a native ABI");
    let others: String = others
        .iter()
        .map(|abi| format!("\tif (!failed)\n\t\tfailed = seccomp_arch_add(filter, {});\n", architecture(*abi)))
        .collect();
    format!(
        "/*
 * Loads the filter for all threads of this process, and sets no_new_privs. Returns 0, or a negative
 * errno as seccomp_load(3) does.
 */
int {name}(void)
{{
\tscmp_filter_ctx filter;
\tsize_t at;
\tint failed = 0;

\tif (seccomp_arch_native() != {architecture})
\t\treturn -EDOM;
\tfilter = seccomp_init({otherwise});
\tif (!filter)
\t\treturn -ENOMEM;
\tfailed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
{others}\tfor (at = 0; !failed && at < sizeof(rules) / sizeof(rules[0]); at++) {{
\t\tint number = seccomp_syscall_resolve_name(rules[at].name);

\t\t/* A call that this libseccomp does not know is denied like all others. */
\t\tif (number != __NR_SCMP_ERROR)
\t\t\tfailed = seccomp_rule_add_array(filter, rules[at].action, number, rules[at].count, rules[at].tests);
\t}}
\tif (!failed)
\t\tfailed = seccomp_load(filter);
\tseccomp_release(filter);
\treturn failed;
}}
",
        name = name(policy),
        architecture = architecture(*native),
    )
}

pub(super) fn read(text: &str) -> Result<Profile, String> {
    let within = |line: &str, before: &str, after: &str| -> Option<String> {
        let (_, rest) = line.split_once(before)?;
        Some(rest.rsplit_once(after)?.0.to_owned())
    };
    let otherwise = text.lines().find_map(|line| within(line, "seccomp_init(", ");"));
    let otherwise = otherwise.ok_or("it has no line with `seccomp_init(ACTION);`")?;
    let mut profile = Profile::new(action_of(&otherwise));
    let native = text.lines().find_map(|line| within(line, "seccomp_arch_native() != ", ")"));
    let others = text.lines().filter_map(|line| within(line, "seccomp_arch_add(filter, ", ");"));
    let architectures: Vec<String> = native.into_iter().chain(others).collect();
    profile.settings.insert("architectures".to_owned(), architectures.join(" "));
    for row in text.lines().map(str::trim).filter(|line| line.starts_with("{ \"")) {
        let (name, action, tests) = row_of(row).ok_or_else(|| format!("it has a row of another form: {row}"))?;
        profile.add(&name, action_of(&action), tests);
    }
    Ok(profile)
}

fn action_of(text: &str) -> super::Effect {
    let errno = text.strip_prefix("SCMP_ACT_ERRNO(").and_then(|rest| rest.strip_suffix(')')?.parse().ok());
    match errno {
        Some(errno) => effect("SCMP_ACT_ERRNO", Some(errno)),
        None => effect(text, None),
    }
}

/// Returns the name, the action and the tests of a row that [`row`] wrote.
fn row_of(text: &str) -> Option<(String, String, Vec<String>)> {
    let (name, rest) = text.strip_prefix("{ \"")?.split_once("\", ")?;
    let (action, rest) = rest.split_once(", ")?;
    let (count, rest) = rest.split_once(", { ")?;
    let count: usize = count.parse().ok()?;
    let tests = rest.split("{ ").skip(1).map(|test| {
        let mut words = test.split([',', '}']).map(str::trim);
        let arg = words.next()?.parse().ok()?;
        let is_masked = words.next()? == "SCMP_CMP_MASKED_EQ";
        let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let (mask, value) = (number()?, number()?);
        is_masked.then(|| masked(arg, mask, value))
    });
    let tests: Vec<String> = if count == 0 { Vec::new() } else { tests.collect::<Option<_>>()? };
    (tests.len() == count).then(|| (name.to_owned(), action.to_owned(), tests))
}
