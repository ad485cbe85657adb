//! Writes and reads a drop-in of a systemd service: systemd.exec(5). Main functions: [`write`] and
//! [`read`].

mod settings;

use std::collections::{BTreeMap, BTreeSet};

use sysguard::unstable::model::kernel::call::Errno;
use sysguard::unstable::model::kernel::syscall::Abi;

use super::profile::{Effect, Profile};
use super::rules::rules;
use super::{Input, NotWritten};
use crate::policy::{Action, Calls, Policy, Reason};
use settings::settings;

/// Calls that systemd makes under the filter: exec_child() in src/core/execute.c, and
/// fexecve_or_execve() in src/basic/process-util.c. It allows execve itself.
const CALLS: &[(&str, &str)] = &[
    ("execveat", "the program is started, if systemd is built to do it this way"),
    ("write", "the start of a service with `Type=exec` is reported"),
];

pub(super) fn write(input: &Input<'_>) -> Result<String, NotWritten> {
    let mut policy = input.policy.clone();
    for (name, what) in CALLS {
        policy.allow_name(name, Calls::All, &Reason::Launcher { launcher: "systemd".to_owned(), what });
    }
    let filter = filter(&policy)?;
    let mut lines: Vec<String> = input.heading.lines(&policy);
    lines.extend(objects(input));
    lines.push("systemd also allows the calls of its set @default.".to_owned());
    let lines = lines.iter().map(|line| format!("# {line}"));
    let mut lines: Vec<String> = lines.chain(["[Service]".to_owned()]).collect();
    lines.push("# calls of another architecture are refused".to_owned());
    let architectures = policy.abis().into_iter().enumerate();
    let architectures: Vec<&str> =
        architectures.map(|(at, abi)| if at == 0 { "native" } else { architecture(abi) }).collect();
    lines.push(format!("SystemCallArchitectures={}", architectures.join(" ")));
    lines.extend(filter);
    for setting in settings(input.sources) {
        lines.push(format!("# {}", setting.why));
        lines.push(format!("{}={}", setting.name, setting.value));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

/// Returns the lines of the filter.
fn filter(policy: &Policy) -> Result<Vec<String>, NotWritten> {
    let rules = rules(policy)?;
    let mut lines = Vec::new();
    let list = match policy.otherwise {
        Action::Unimplemented => {
            lines.extend([
                "# so that C libraries fall back to older calls".to_owned(),
                "SystemCallErrorNumber=ENOSYS".to_owned(),
            ]);
            "SystemCallFilter="
        }
        Action::Kill => "SystemCallFilter=",
        // Logs the calls that are not listed.
        Action::Log => "SystemCallLog=~",
        Action::Trap => return Err(NotWritten::Action(Action::Trap)),
    };
    let narrowed = rules.allowed.values().flatten().filter(|(_, calls)| **calls != Calls::All);
    let narrowed: BTreeSet<&str> = narrowed.map(|(name, _)| name.as_str()).collect();
    if !narrowed.is_empty() {
        let names = narrowed.into_iter().collect::<Vec<_>>().join(", ");
        lines.push(format!("# arguments are not limited, as systemd filters by name only: {names}"));
    }
    for (reason, calls) in &rules.allowed {
        lines.push(format!("# {reason}"));
        let names: Vec<&str> = calls.keys().map(String::as_str).collect();
        lines.push(format!("{list}{}", names.join(" ")));
    }
    let (whole, some): (Vec<_>, Vec<_>) = rules.refused.iter().partition(|(_, calls)| **calls == Calls::All);
    if !whole.is_empty() {
        lines.push("# refused by a `forbid:` rule".to_owned());
        let names: Vec<String> = whole.iter().map(|(name, _)| format!("{name}:EPERM")).collect();
        lines.push(format!("SystemCallFilter=~{}", names.join(" ")));
    }
    if !some.is_empty() {
        let names: Vec<&str> = some.iter().map(|(name, _)| name.as_str()).collect();
        lines.push(format!("# not enforced: `forbid:` rules on arguments of {}", names.join(", ")));
    }
    Ok(lines)
}

/// Returns a line with the objects of the baselines, if there are any.
fn objects(input: &Input<'_>) -> Option<String> {
    let entries = input.sources.iter().flat_map(|source| source.entries());
    let of_entry = |(_, entry): (&str, &'_ _)| settings::objects_of(entry).map(ToString::to_string).collect::<Vec<_>>();
    let objects: BTreeSet<String> = entries.flat_map(of_entry).collect();
    let objects: Vec<String> = objects.into_iter().collect();
    (!objects.is_empty()).then(|| {
        format!("Objects of the baseline: {}. It has no paths for ProtectSystem= and the like.", objects.join(", "))
    })
}

/// Returns the name of an architecture: systemd.unit(5), ConditionArchitecture=.
fn architecture(abi: Abi) -> &'static str {
    match abi {
        Abi::Aarch64 => "arm64",
        Abi::Arm => "arm",
        Abi::I386 => "x86",
        Abi::Riscv64 => "riscv64",
        Abi::X32 => "x32",
        Abi::X86_64 => "x86-64",
    }
}

pub(super) fn read(text: &str) -> Result<Profile, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';', '[']));
    let mut profile = Profile::new(Effect::Kill);
    let mut filter: Option<Filter> = None;
    let mut logged: Option<BTreeSet<String>> = None;
    for line in lines {
        let (name, value) = line.split_once('=').ok_or_else(|| format!("a line is no setting: {line}"))?;
        match name {
            "SystemCallErrorNumber" => profile.otherwise = errno(value)?,
            "SystemCallFilter" => filter.get_or_insert_with(|| Filter::new(value)).add(value)?,
            "SystemCallLog" => match value.strip_prefix('~') {
                Some(names) => logged.get_or_insert_default().extend(names.split_whitespace().map(str::to_owned)),
                None => drop(profile.settings.insert(name.to_owned(), value.to_owned())),
            },
            _ => drop(profile.settings.insert(name.to_owned(), value.to_owned())),
        }
    }
    if let Some(passed) = &logged {
        profile.otherwise = Effect::Log;
        passed.iter().for_each(|name| profile.add(name, Effect::Allow, Vec::new()));
    }
    let Some(Filter { is_allowlist, calls }) = filter else {
        return if logged.is_some() { Ok(profile) } else { Err("it has no SystemCallFilter=".to_owned()) };
    };
    let denied = if is_allowlist { Effect::Allow } else { profile.otherwise.clone() };
    for (name, errno) in calls {
        profile.calls.remove(&name);
        profile.add(&name, errno.unwrap_or_else(|| denied.clone()), Vec::new());
    }
    if !is_allowlist && logged.is_none() {
        profile.otherwise = Effect::Allow;
    }
    Ok(profile)
}

/// The lists of SystemCallFilter=, as seccomp_parse_syscall_filter() of systemd joins them. The
/// first list says whether its calls are allowed or denied.
struct Filter {
    is_allowlist: bool,
    calls: BTreeMap<String, Option<Effect>>,
}

impl Filter {
    fn new(first: &str) -> Self {
        Self { is_allowlist: !first.starts_with('~'), calls: BTreeMap::new() }
    }

    fn add(&mut self, list: &str) -> Result<(), String> {
        let (denies, names) = match list.strip_prefix('~') {
            Some(names) => (true, names),
            None => (false, list),
        };
        for word in names.split_whitespace() {
            let (name, effect) = match word.split_once(':') {
                Some((name, number)) => (name, Some(errno(number)?)),
                None => (word, None),
            };
            if denies != self.is_allowlist || effect.is_some() {
                self.calls.insert(name.to_owned(), effect);
            } else {
                self.calls.remove(name);
            }
        }
        Ok(())
    }
}

fn errno(text: &str) -> Result<Effect, String> {
    match text {
        "kill" | "" => Ok(Effect::Kill),
        _ => {
            let named = Errno::from_name(text).map(|errno| errno.0 as u32);
            named.or_else(|| text.parse().ok()).map(Effect::Errno).ok_or_else(|| format!("`{text}` is no errno"))
        }
    }
}
