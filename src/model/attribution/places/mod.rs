//! Where in the kernel a call led: the source file, the section of MAINTAINERS and the options.
//! Main function: [`reached`].
//!
//! The argument decides first, then the object, then the entry point. Only names are needed, so the
//! answer is the same for an expectation and for an observation. The rows in `table` are generated.

mod table;

use std::collections::BTreeSet;

use super::calls::{Selector, shape};
use super::entry_points::EntryPoint;
use super::objects::{Kind, ObjectClass, kind};
use super::values::{self, named_option};

/// A file or folder of the kernel source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its path.
    pub source: &'static str,
    /// Its section of MAINTAINERS, or `core:<file>` if only the catch-all section covers it.
    pub section: &'static str,
    /// The options that it needs, and whether only experts are offered all of them; `None` if no
    /// Makefile says.
    pub options: Option<(Option<&'static str>, bool)>,
}

/// Where a call led.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reached {
    /// The source file or folder.
    pub source: &'static str,
    /// Its section of MAINTAINERS, or `core:<file>` if only the catch-all section covers it.
    pub section: &'static str,
    /// The `CONFIG_` symbols that it and the entry point need, joined by ` && `; `None` if neither
    /// is known to need any.
    pub config: Option<String>,
    /// Only experts are offered these symbols.
    pub expert: bool,
}

/// Returns the place with this path.
pub(crate) fn place(source: &str) -> Option<&'static Place> {
    table::PLACES.binary_search_by_key(&source, |place| place.source).ok().map(|at| &table::PLACES[at])
}

impl From<&'static Kind> for Place {
    fn from(kind: &'static Kind) -> Self {
        Self { source: kind.source, section: kind.section, options: kind.options }
    }
}

impl From<&'static EntryPoint> for Place {
    fn from(entry: &'static EntryPoint) -> Self {
        Self { source: entry.source, section: entry.section, options: Some((entry.config, entry.expert)) }
    }
}

/// Returns where a call of this name led: by its argument, else by the object that it reached, else
/// by its entry point.
pub fn reached(
    entry: Option<&'static EntryPoint>,
    call: &str,
    argument: Option<&str>,
    object: Option<ObjectClass<'_>>,
) -> Option<Reached> {
    let by_argument = argument.and_then(|argument| of_argument(call, argument));
    let place = by_argument.or_else(|| object.and_then(|object| of_reached(call, object)));
    joined(place, entry)
}

/// Returns every place to which a call may have led, if it is not known which argument was used
/// with which object.
pub fn all_reached<'n>(
    entry: Option<&'static EntryPoint>,
    call: &str,
    arguments: impl Iterator<Item = &'n str>,
    objects: impl Iterator<Item = ObjectClass<'n>>,
) -> BTreeSet<Reached> {
    let mut places: Vec<Option<Place>> = arguments.map(|argument| of_argument(call, argument)).collect();
    if places.iter().all(Option::is_some) && !places.is_empty() {
        return places.into_iter().filter_map(|place| joined(place, entry)).collect();
    }
    places.retain(Option::is_some);
    let by_object: Vec<Option<Place>> = objects.map(|object| of_reached(call, object)).collect();
    let entry_alone = by_object.is_empty().then_some(None);
    let places = places.into_iter().chain(by_object).chain(entry_alone);
    places.filter_map(|place| joined(place, entry)).collect()
}

/// Returns the place, else the entry point, with the options of both.
fn joined(place: Option<Place>, entry: Option<&'static EntryPoint>) -> Option<Reached> {
    let entry = entry.map(Place::from);
    let place = place.or(entry)?;
    let needed = || [Some(place), entry].into_iter().flatten().filter_map(|place| place.options);
    let symbols: BTreeSet<&str> =
        needed().filter_map(|(config, _)| config).flat_map(|config| config.split(" && ")).collect();
    let symbols: Vec<&str> = symbols.into_iter().collect();
    Some(Reached {
        source: place.source,
        section: place.section,
        expert: !symbols.is_empty() && needed().all(|(config, expert)| config.is_none() || expert),
        config: (!symbols.is_empty()).then(|| symbols.join(" && ")),
    })
}

/// Returns the place that serves an argument of a call. The parts of the argument are tried in
/// order; `None` if no part says.
pub(crate) fn of_argument(call: &str, argument: &str) -> Option<Place> {
    let place_of = |source: &str| place(source).copied();
    match shape(call)?.selector {
        Selector::Command => values::commands()
            .iter()
            .find(|command| command.name == argument)
            // The object decides where a generic command leads.
            .filter(|command| command.subsystem.is_some())
            .and_then(|command| place_of(command.source)),
        Selector::SocketOption(_) => {
            let (level, option) = argument.split_once('/')?;
            place_of(named_option(level, option)?.source)
        }
        Selector::Family => of_object(ObjectClass::Socket { family: argument, kind: None }),
        Selector::Filesystem(..) => of_object(ObjectClass::File(Some(argument))),
        selector => argument.split('|').find_map(|part| {
            let value = selector.values().find(|value| value.name == part)?;
            place_of(value.source)
        }),
    }
}

/// Returns the place of an object if the call moves data or control through it.
fn of_reached(call: &str, object: ObjectClass<'_>) -> Option<Place> {
    shape(call)?.subject.is_reached().then(|| of_object(object)).flatten()
}

/// Returns the place that serves the objects of this class.
pub(crate) fn of_object(object: ObjectClass<'_>) -> Option<Place> {
    let known = match object {
        ObjectClass::File(filesystem) | ObjectClass::Directory(filesystem) => {
            let family = filesystem.and_then(|filesystem| filesystem.split('.').next());
            kind(&ObjectClass::File(Some(family?)).to_string())
        }
        ObjectClass::Socket { family, .. } => kind(&ObjectClass::Socket { family, kind: None }.to_string()),
        ObjectClass::Block(_) => kind("block"),
        ObjectClass::Pipe
        | ObjectClass::Fifo
        | ObjectClass::Anonymous(_)
        | ObjectClass::Character(_)
        | ObjectClass::Memfd
        | ObjectClass::Namespace(_)
        | ObjectClass::Other(_) => kind(&object.to_string()),
    };
    known.map(Place::from)
}

#[cfg(test)]
mod tests;
