//! A value of a multiplexing call: its number, the calls that take it, and what it reaches. Main
//! type: [`Argument`].

use crate::model::attribution::calls::{Selector, Shape, shapes};
use crate::model::attribution::places::of_argument;
use crate::model::attribution::values::{self, Value};
use crate::model::attribution::{ADDRESS_CLASSES, Subsystem, objects};

/// What the tables hold on an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name, or the recorded text of a value without a name.
    pub name: String,
    /// The number it stands for.
    pub number: Option<u64>,
    /// The calls that take it.
    pub calls: Vec<&'static str>,
    /// What it reaches.
    pub reaches: Reaches,
    /// Why it reaches that.
    pub why: Option<&'static str>,
    /// The header that names it, as programs include it.
    pub header: Option<&'static str>,
    /// The source file or folder that handles it.
    pub source: Option<String>,
    /// That file's section of MAINTAINERS, or `core:<file>` where only the catch-all covers it.
    pub section: Option<String>,
    /// The kernel options that enable it, and whether they are offered only to experts; `None`: not
    /// known.
    pub options: Option<(Option<String>, bool)>,
    /// Its declaration in a given source tree.
    pub declared: Option<Declared>,
}

/// The place of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `file:line`
    pub at: String,
    /// The file's section of MAINTAINERS, or `core:<file>` where only the catch-all covers it.
    pub section: String,
}

/// What an argument reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaches {
    /// This subsystem, for every call and object.
    Subsystem(Subsystem),
    /// The subsystem that its call reaches without it.
    ItsCall,
    /// The subsystem of the object behind the fd.
    ItsObject,
}

impl Argument {
    fn new(name: &str, number: u64, calls: Vec<&'static str>, reaches: Reaches) -> Self {
        let (name, number) = (name.to_owned(), Some(number));
        let (source, section, options) = (None, None, None);
        Self { name, number, calls, reaches, why: None, header: None, source, section, options, declared: None }
    }

    /// Adds the source file that handles it.
    fn placed(mut self) -> Self {
        let place = self.calls.first().and_then(|call| of_argument(call, &self.name));
        self.source = place.map(|place| place.source.to_owned());
        self.section = place.map(|place| place.section.to_owned());
        let options = place.and_then(|place| place.options);
        self.options = options.map(|(config, expert)| (config.map(str::to_owned), expert));
        self
    }

    /// Returns whether a recorded value contains it: alone, among flags joined by `|`, or as a
    /// socket option after its level.
    pub fn is_part_of(&self, value: &str) -> bool {
        value == self.name || value.split(['|', '/']).any(|part| part == self.name)
    }
}

/// Returns every value of this name. A name may stand for several values; `SOL_SOCKET/SO_REUSEADDR`
/// is one value.
pub(super) fn find(name: &str) -> Vec<Argument> {
    let mut found: Vec<Argument> = Vec::new();
    for (call, shape) in shapes() {
        if let Some(value) = shape.selector.values().find(|value| value.name == name) {
            add(&mut found, call, value);
        }
    }
    found.extend(option(name));
    found.extend(address_class(name));
    found.extend(command(name));
    found.extend(filesystem(name));
    found.into_iter().map(Argument::placed).collect()
}

/// Returns the arguments in a recorded value of a call, as a whole or part by part.
pub(super) fn of_call(value: &str, call: &str) -> Vec<Argument> {
    let known = |part: &str| -> Vec<Argument> {
        let mut found = find(part);
        found.retain(|argument| argument.calls.contains(&call));
        found
    };
    let whole = known(value);
    if !whole.is_empty() {
        return whole;
    }
    value.split('|').flat_map(known).collect()
}

fn add(found: &mut Vec<Argument>, call: &'static str, value: &'static Value) {
    let reaches = value.subsystem.map_or(Reaches::ItsCall, Reaches::Subsystem);
    let same = |known: &&mut Argument| known.number == Some(value.number) && known.reaches == reaches;
    match found.iter_mut().find(same) {
        Some(known) => known.calls.push(call),
        None => {
            let why = Some(value.why).filter(|why| !why.is_empty());
            found.push(Argument { why, ..Argument::new(value.name, value.number, vec![call], reaches) });
        }
    }
}

/// Returns a socket option, given as `SOL_TCP/TCP_NODELAY` or without its level.
fn option(name: &str) -> Option<Argument> {
    let (level, option) = name.split_once('/').map_or((None, name), |(level, option)| (Some(level), option));
    let is_meant = |(of, known): &(&str, &Value)| known.name == option && level.is_none_or(|level| level == *of);
    let (of, value) = values::options().find(is_meant)?;
    let takers = |(call, shape): (&'static str, _)| match shape {
        Shape { selector: Selector::SocketOption(_), .. } => Some(call),
        _ => None,
    };
    let name = if of.is_empty() { option.to_owned() } else { format!("{of}/{option}") };
    let calls = shapes().filter_map(takers).collect();
    Some(Argument { name, ..Argument::new(option, value.number, calls, Reaches::ItsObject) })
}

/// Returns a class of addresses of sockets.
fn address_class(name: &str) -> Option<Argument> {
    let (name, meaning) = ADDRESS_CLASSES.iter().find(|(class, _)| *class == name)?;
    let takers = |(call, shape): (&'static str, Shape)| matches!(shape.selector, Selector::Address(_)).then_some(call);
    let calls = shapes().filter_map(takers).collect();
    Some(Argument { number: None, why: Some(meaning), ..Argument::new(name, 0, calls, Reaches::ItsObject) })
}

fn command(name: &str) -> Option<Argument> {
    let command = values::commands().iter().find(|command| command.name == name)?;
    let reaches = command.subsystem.map_or(Reaches::ItsObject, Reaches::Subsystem);
    let (why, header) = (Some(command.why), Some(command.header));
    Some(Argument { why, header, ..Argument::new(name, u64::from(command.number), vec!["ioctl"], reaches) })
}

/// Returns a filesystem type, which `mount` and `fsopen` take.
fn filesystem(name: &str) -> Option<Argument> {
    let kind = objects::kind(&format!("file:{name}"))?;
    let takers =
        |(call, shape): (&'static str, Shape)| matches!(shape.selector, Selector::Filesystem(..)).then_some(call);
    let calls = shapes().filter_map(takers).collect();
    let reaches = Reaches::Subsystem(kind.subsystem);
    Some(Argument { number: None, why: Some(kind.source), ..Argument::new(name, 0, calls, reaches) })
}
