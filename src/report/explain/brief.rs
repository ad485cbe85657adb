//! A fact in a few lines for a reviewer. Main function: [`brief`].

use super::sheet::{basis, release};
use crate::model::explain::{Argument, CallFacts, Kernel, ObjectFacts, Reaches, What, meanings_of};
use crate::model::facts::fact::{Detail, Fact};
use crate::model::kernel::syscall::Abi;

/// The label of the line on the call itself.
pub(in crate::report) const CALL: &str = "call";

/// Returns label and text for each part of a fact, for its call under this ABI.
pub(in crate::report) fn brief(fact: &Fact, abi: Option<Abi>) -> Vec<(&'static str, String)> {
    let abi = match fact {
        Fact::Use { detail: Some(Detail::Abi(abi)), .. } => Some(*abi),
        _ => abi,
    };
    let mut parts = meanings_of(fact, &Kernel::of_tables());
    // The call comes first, because the rest describes it.
    parts.reverse();
    parts.iter().filter_map(|what| line(what, abi)).collect()
}

fn line(what: &What, abi: Option<Abi>) -> Option<(&'static str, String)> {
    match what {
        What::Call(call) => Some((CALL, of_call(call, abi))),
        // An argument that reaches nothing else and has no explanation adds nothing to its call.
        What::Argument(Argument { reaches: Reaches::ItsCall, why: None, header: None, .. }) => None,
        What::Argument(argument) => Some(("value", of_argument(argument))),
        What::Object(object) => Some(("object", of_object(object))),
        What::BlindSpot(spot) => Some(("means", spot.meaning().to_owned())),
        What::Signal(signal) => signal.meaning().map(|meaning| ("means", meaning.to_owned())),
        What::Subsystem(_) => None,
    }
}

/// Returns where in the kernel a call leads, the section that maintains it, and the option that
/// enables it.
fn of_call(call: &CallFacts, abi: Option<Abi>) -> String {
    let Some(entry) = call.entry_point(abi) else {
        return format!("{}: not in any kernel table", call.name);
    };
    let config = entry.config.as_ref().map(|config| format!(", {config}")).unwrap_or_default();
    let since = call.since(entry).map(|since| format!(", since {}", release(since))).unwrap_or_default();
    let rule = if entry.basis.starts_with("path ") { String::new() } else { format!(", {}", basis(&entry.basis)) };
    let (name, source, section) = (&call.name, &entry.source, &entry.section);
    format!("{name}: {source}, {section}{config}{since}{rule}")
}

fn of_argument(argument: &Argument) -> String {
    let why = argument.why.map(|why| format!(", {why}")).unwrap_or_default();
    let header = argument.header.map(|header| format!(", <{header}>")).unwrap_or_default();
    let reaches = match argument.reaches {
        Reaches::Subsystem(subsystem) => format!("reaches {subsystem}"),
        Reaches::ItsCall => "reaches the same as its call".to_owned(),
        Reaches::ItsObject => "reaches the object of the fd".to_owned(),
    };
    let place = placed(argument.section.as_deref(), argument.options.as_ref());
    format!("{}: {reaches}{why}{header}{place}", argument.name)
}

fn of_object(object: &ObjectFacts) -> String {
    let subsystem = object.subsystem.map_or("", |subsystem| subsystem.slug());
    let source = object.source.as_ref().map(|source| format!(", {source}")).unwrap_or_default();
    let place = placed(object.section.as_deref(), object.options.as_ref());
    format!("{}: {subsystem}, {}{source}{place}", object.name, object.why)
}

/// Returns a section of MAINTAINERS and the options, as far as they are known.
fn placed(section: Option<&str>, options: Option<&(Option<String>, bool)>) -> String {
    let config = options.and_then(|(config, _)| config.as_deref());
    [section, config].into_iter().flatten().map(|part| format!(", {part}")).collect()
}
