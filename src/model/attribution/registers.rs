//! Which registers a call has if its argument is known: the inverse of
//! [`arguments`](super::arguments), for filters that see registers only. Main function:
//! [`registers`].

use super::calls::{Flags, Selector, Subject, shape};
use super::values::{self, Value, flags as rows, table};
use crate::model::kernel::uapi::{MAP_ANONYMOUS, O_ACCMODE, O_PATH, O_TRUNC, PROT_EXEC};

/// Compares the masked bits of a register with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterTest {
    /// The register: 0 for the first argument of the call.
    pub arg: usize,
    /// The bits that count.
    pub mask: u64,
    /// What they are.
    pub value: u64,
}

impl RegisterTest {
    /// Returns whether the registers of a call pass the test.
    pub fn holds(&self, args: &[u64; 6]) -> bool {
        args[self.arg] & self.mask == self.value
    }
}

const INT: u64 = 0xffff_ffff;

/// Returns the tests of which one list must hold for calls of this name with this argument, or
/// without one. `None` if registers do not tell.
pub fn registers(syscall: &str, argument: Option<&str>) -> Option<Vec<Vec<RegisterTest>>> {
    let shape = shape(syscall)?;
    let one = |arg, mask, value| Some(vec![vec![RegisterTest { arg, mask, value }]]);
    match (shape.selector, argument) {
        (Selector::Value(at, mask, values), Some(argument)) => one(at, mask, number(values, argument)?),
        (Selector::Clock(at), Some(argument)) => one(at, INT, number(&table::CLOCK, argument)?),
        (Selector::Family, Some(argument)) => one(0, INT, number(&table::FAMILY, argument)?),
        (Selector::Flags(at, mask, values), argument) => one(at, mask & known(values), bits(values, argument)?),
        (Selector::Protection(at), argument) => protection(at, argument),
        (Selector::Mapping, argument) => mapping(argument),
        (Selector::Opening, argument) => match shape.subject {
            Subject::Opened(Flags::In(at)) => {
                let bits = bits(&rows::OPENING, argument)?;
                one(at, opening(bits), bits)
            }
            _ => None,
        },
        (Selector::SocketOption(reads), Some(argument)) => socket_option(argument, reads),
        (Selector::Command, Some(argument)) => {
            let numbers = commands(argument);
            let tests = numbers.into_iter().map(|value| vec![RegisterTest { arg: 1, mask: INT, value }]);
            Some(tests.collect::<Vec<_>>()).filter(|tests| !tests.is_empty())
        }
        _ => None,
    }
}

/// Returns the number of a name in a table, or of a hexadecimal number that has no name there.
fn number(table: &[Value], name: &str) -> Option<u64> {
    let named = table.iter().find(|value| value.name == name).map(|value| value.number);
    named.or_else(|| hexadecimal(name))
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Returns all bits that have a name.
fn known(table: &[Value]) -> u64 {
    table.iter().fold(0, |bits, value| bits | value.number)
}

/// Returns the bits of names joined by `|`.
fn bits(table: &[Value], names: Option<&str>) -> Option<u64> {
    let mut names = names.into_iter().flat_map(|names| names.split('|'));
    names.try_fold(0, |bits, name| Some(bits | table.iter().find(|value| value.name == name)?.number))
}

/// Returns the bits of an open that count, as `arguments::opening` reads them.
fn opening(bits: u64) -> u64 {
    let ignored = if bits & O_ACCMODE == 0 { 0 } else { O_TRUNC };
    if bits & O_PATH != 0 { O_PATH } else { known(&rows::OPENING) & !ignored }
}

/// Without PROT_EXEC there is no argument.
fn protection(arg: usize, argument: Option<&str>) -> Option<Vec<Vec<RegisterTest>>> {
    let test = match argument {
        None => RegisterTest { arg, mask: PROT_EXEC, value: 0 },
        Some(names) => RegisterTest { arg, mask: INT, value: bits(&table::PROTECTION, Some(names))? },
    };
    Some(vec![vec![test]])
}

fn mapping(argument: Option<&str>) -> Option<Vec<Vec<RegisterTest>>> {
    let anonymous = rows::MAPPING[0].name;
    let Some(names) = argument else { return protection(2, None) };
    let (names, value) = match names.strip_suffix(anonymous) {
        Some(names) => (names.strip_suffix('|')?, MAP_ANONYMOUS),
        None => (names, 0),
    };
    let mut tests = protection(2, Some(names))?;
    tests.iter_mut().for_each(|tests| tests.push(RegisterTest { arg: 3, mask: MAP_ANONYMOUS, value }));
    Some(tests)
}

fn socket_option(argument: &str, reads: bool) -> Option<Vec<Vec<RegisterTest>>> {
    let (level, option) = argument.split_once('/')?;
    let family = |name| if name == "AF_VSOCK" { number(&table::FAMILY, name) } else { None };
    let levels = number(&table::LEVEL, level).or_else(|| family(level))?;
    let mut numbers: Vec<u64> = (values::options())
        .filter(|(of, value)| *of == level && value.name == option)
        .map(|(_, value)| value.number)
        .filter(|number| values::option(levels, *number, reads).is_some_and(|value| value.name == option))
        .chain(hexadecimal(option))
        .collect();
    numbers.dedup();
    let test = |value| {
        let level = RegisterTest { arg: 1, mask: INT, value: levels };
        vec![level, RegisterTest { arg: 2, mask: INT, value }]
    };
    Some(numbers.into_iter().map(test).collect::<Vec<_>>()).filter(|tests| !tests.is_empty())
}

/// Returns the numbers of an ioctl command. Some names have several.
fn commands(name: &str) -> Vec<u64> {
    let named = values::commands().iter().filter(|command| command.name == name);
    named.map(|command| u64::from(command.number)).chain(hexadecimal(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::answers::Answers;
    use super::super::arguments;
    use super::super::calls::shapes;
    use super::super::decode::decode;
    use super::*;
    use crate::model::kernel::call::Call;
    use crate::model::kernel::syscall::{Abi, Syscall};

    /// Returns the argument of a call with these registers, by the code that judges calls.
    fn argument(name: &str, args: [u64; 6]) -> Option<Option<String>> {
        let syscall = Syscall::from_name(Abi::X86_64, name)?;
        let call = Call { syscall, args, instruction_pointer: 0 };
        let answers = Answers::default();
        let decoded = decode(&call, &answers.memory)?;
        Some(arguments::argument(&call, &decoded, &answers, None).map(|argument| argument.text.into_owned()))
    }

    /// Returns registers with which calls of this name have different arguments.
    fn samples(selector: Selector, subject: Subject) -> Vec<[u64; 6]> {
        let set = |at: usize, value| std::array::from_fn(|arg| if arg == at { value } else { 0 });
        let flags = |at: usize, table: &[Value]| {
            let numbers: Vec<u64> = table.iter().map(|value| value.number).chain([0, 1 << 30]).collect();
            let pairs = numbers.iter().flat_map(|one| numbers.iter().map(move |other| one | other));
            pairs.map(|bits| set(at, bits)).collect::<Vec<_>>()
        };
        match (selector, subject) {
            (Selector::Value(at, _, table), _) => flags(at, table),
            (Selector::Clock(at), _) => flags(at, &table::CLOCK),
            (Selector::Family, _) => flags(0, &table::FAMILY),
            (Selector::Flags(at, _, table), _) => flags(at, table),
            (Selector::Opening, Subject::Opened(Flags::In(at))) => flags(at, &rows::OPENING),
            (Selector::Protection(at), _) => flags(at, &table::PROTECTION),
            (Selector::Mapping, _) => {
                let mut samples = flags(2, &table::PROTECTION);
                samples.iter_mut().step_by(2).for_each(|args| args[3] = MAP_ANONYMOUS);
                samples
            }
            (Selector::SocketOption(_), _) => {
                let levels = table::LEVEL.iter().map(|level| level.number).chain([40, 0x7777]);
                levels.flat_map(|level| (0..60).map(move |option| [3, level, option, 0, 0, 0])).collect()
            }
            (Selector::Command, _) => {
                let commands = values::commands().iter().step_by(7);
                commands
                    .map(|command| [3, u64::from(command.number), 0, 0, 0, 0])
                    .chain([[3, 0x1234, 0, 0, 0, 0]])
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The tests of an argument hold for the calls that have it, and for no other call.
    #[test]
    fn tests_hold_for_exactly_the_calls_with_the_argument() {
        let mut compared = 0;
        for (name, shape) in shapes() {
            let samples = samples(shape.selector, shape.subject);
            let arguments: Vec<_> = samples.iter().filter_map(|args| Some((*args, argument(name, *args)?))).collect();
            let distinct: std::collections::BTreeSet<_> =
                arguments.iter().map(|(_, argument)| argument.clone()).collect();
            for argument in distinct {
                let Some(tests) = registers(name, argument.as_deref()) else { continue };
                for (args, actual) in &arguments {
                    let holds = tests.iter().any(|tests| tests.iter().all(|test| test.holds(args)));
                    // Several names of one ioctl command differ by the object.
                    let is_same = *actual == argument || (holds && name == "ioctl");
                    assert_eq!(holds, is_same, "{name} {argument:?} {args:x?}: {actual:?}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

    #[test]
    fn arguments_in_memory_are_not_known() {
        for (name, argument) in [
            ("connect", Some("loopback")),
            ("execve", Some("ls")),
            ("openat2", Some("O_CREAT")),
            ("read", None),
            ("socket", Some("AF_NOTHING")),
            ("clone3", Some("CLONE_NEWNS")),
        ] {
            assert_eq!(registers(name, argument), None, "{name}");
        }
    }
}
