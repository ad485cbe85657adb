//! The first document, its author's: [`read`].

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::keys;
use super::malformed::Fault;
use super::outline::{Key, Node, Outline};
use super::typed;
use super::words::{Limit, List, PhaseWord, RuleCall, Said, Signal, Strict};
use crate::model::attribution::Subsystem;
use crate::model::expectation::terms::{Document, Level, Rule};
use crate::model::expectation::versions;
use crate::model::kernel::call::Errno;
use crate::model::kernel::signal;
use crate::model::run::workload::{DEFAULT_TIMEOUT, Exit, Program, Stdin, StopAfter, Workload};

/// The document as it is written; a key that is null is as good as absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of keys such as `version: 1`")]
struct Written {
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    command: Option<List<String>>,
    bin: Option<Said<String>>,
    example: Option<Said<String>>,
    test: Option<Said<String>>,
    bench: Option<Said<String>>,
    closure: Option<Said<String>>,
    run: Option<Said<String>>,
    args: Option<List<String>>,
    env: Option<BTreeMap<String, String>>,
    with: Option<BTreeMap<String, WrittenTarget>>,
    stdin: Option<WrittenStdin>,
    cwd: Option<Said<String>>,
    timeout: Option<Said<Limit>>,
    requires: Option<List<Said<String>>>,
    stop: Option<WrittenStop>,
    level: Option<Said<Level>>,
    ignore: Option<Said<String>>,
    exit: Option<Said<Exit>>,
    tolerate: Option<List<WrittenRule>>,
    forbid: Option<List<WrittenRule>>,
    ambient: Option<Said<Strict>>,
    families: Option<Said<Strict>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{after: 2s, signal: SIGTERM}`")]
struct WrittenStop {
    after: Said<Duration>,
    signal: Option<Said<Signal>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{bin: NAME}`")]
struct WrittenTarget {
    bin: Option<Said<String>>,
    example: Option<Said<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{file: PATH}`")]
struct WrittenFile {
    file: Said<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{syscall: getrusage, why: REASON}`")]
struct WrittenRule {
    phase: Option<Said<PhaseWord>>,
    subsystem: Option<Said<Subsystem>>,
    syscall: Option<Said<RuleCall>>,
    argument: Option<Said<String>>,
    object: Option<Said<String>>,
    error: Option<Said<Errno>>,
    why: Option<String>,
}

/// Text, or a map that names a file.
struct WrittenStdin(Stdin);

impl<'de> Deserialize<'de> for WrittenStdin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = WrittenStdin;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, or `{file: PATH}`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WrittenStdin, E> {
                Ok(WrittenStdin(Stdin::Text(text.to_owned())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenStdin, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                WrittenFile::deserialize(map).map(|WrittenFile { file: Said(file) }| WrittenStdin(Stdin::File(file)))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Reads the first document of a text: the version that it names, and what it says.
pub(super) fn read(text: &str, outline: &Outline) -> Result<(u32, Document), Fault> {
    let root = &outline.root;
    if root.is_null() {
        return Err(Fault::new(
            root.place,
            "nothing here: begin with `version: 1` and what to run, such as `bin: NAME`",
        ));
    }
    let version = version(root)?;
    check(root)?;
    let written: Written = typed::read(text, outline)?;
    let Some(version) = version else {
        return Err(Fault::new(root.place, "the version is missing: add `version: 1`"));
    };
    Ok((version, document(written, root)?))
}

/// The version that the document names. A newer one is told before anything else that this program
/// might not know.
fn version(root: &Node) -> Result<Option<u32>, Fault> {
    let Some((_, node)) = root.get("version") else { return Ok(None) };
    let text = node.text().unwrap_or_default();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse().unwrap_or(u32::MAX) {
        _ if !is_number => Err(Fault::new(node.place, format!("`{text}` is no version: write `version: 1`"))),
        0 => Err(Fault::new(node.place, "there is no version 0: write `version: 1`")),
        number if number <= versions::CURRENT => Ok(Some(number)),
        _ => {
            let newest = versions::CURRENT;
            let message =
                format!("version {text} is newer than this sysguard, which reads up to {newest}: update sysguard");
            Err(Fault::new(node.place, message))
        }
    }
}

/// What is told before any value is read: keys that are unknown, and values that are missing.
fn check(root: &Node) -> Result<(), Fault> {
    keys::check::<Written>(root)?;
    for (key, node) in root.pairs() {
        match key.name.as_str() {
            "stop" => keys::check::<WrittenStop>(node)?,
            "stdin" => keys::check::<WrittenFile>(node)?,
            "tolerate" | "forbid" => node.items().iter().try_for_each(check_rule)?,
            "env" => check_environment(node)?,
            "with" => check_with(node, root)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_rule(rule: &Node) -> Result<(), Fault> {
    keys::check::<WrittenRule>(rule)?;
    let narrows = |(key, value): &(Key, Node)| key.name != "why" && !value.is_null();
    if rule.text().is_some() || rule.pairs().iter().any(narrows) {
        return Ok(());
    }
    let message =
        "a rule that matches everything: name a `phase`, `subsystem`, `syscall`, `argument`, `object` or `error`";
    Err(Fault::new(rule.place, message))
}

fn check_environment(env: &Node) -> Result<(), Fault> {
    for (key, value) in env.pairs() {
        check_variable(key)?;
        if value.is_null() {
            let name = &key.name;
            let message = format!("`{name}` has no value: write \"\" for an empty one (nothing else is inherited)");
            return Err(Fault::new(key.place, message));
        }
    }
    Ok(())
}

fn check_variable(Key { name, place }: &Key) -> Result<(), Fault> {
    if name.is_empty() || name.contains('=') {
        return Err(Fault::new(*place, format!("`{name}` is no name of an environment variable")));
    }
    Ok(())
}

/// Each variable is set once, and holds one target's path.
fn check_with(with: &Node, root: &Node) -> Result<(), Fault> {
    for (key, value) in with.pairs() {
        check_variable(key)?;
        keys::check::<WrittenTarget>(value)?;
        let name = &key.name;
        if root.get("env").is_some_and(|(_, env)| env.get(name).is_some()) {
            let message = format!("`{name}` is set by `env` already: give one of them another name");
            return Err(Fault::new(key.place, message));
        }
        let given = value.pairs().iter().filter(|(_, target)| !target.is_null()).count();
        // Another shape is told when it is read.
        if value.is_null() || value.text().is_none() && value.items().is_empty() && given != 1 {
            return Err(Fault::new(
                key.place,
                format!("`{name}` needs one target: `{{bin: NAME}}` or `{{example: NAME}}`"),
            ));
        }
    }
    Ok(())
}

fn document(written: Written, root: &Node) -> Result<Document, Fault> {
    let rules = |rules: Option<List<WrittenRule>>| rules.unwrap_or_default().0.into_iter().map(Rule::from).collect();
    let program = program(&written, root)?;
    let requires = written.requires.unwrap_or_default().0;
    Ok(Document {
        workload: Workload {
            program,
            args: written.args.unwrap_or_default().0,
            env: written.env.unwrap_or_default(),
            with: written.with.unwrap_or_default().into_iter().filter_map(target).collect(),
            stdin: written.stdin.map_or(Stdin::Null, |WrittenStdin(stdin)| stdin),
            cwd: written.cwd.map(|Said(cwd)| cwd),
            timeout: written.timeout.map_or(DEFAULT_TIMEOUT, |Said(Limit(timeout))| timeout),
            requires: requires.into_iter().map(|Said(program)| program).collect(),
            stop: written.stop.map(StopAfter::from),
            exit: written.exit.map_or(Exit::Exited(0), |Said(exit)| exit),
        },
        level: written.level.map_or(Level::default(), |Said(level)| level),
        ignore: written.ignore.map(|Said(reason)| reason),
        tolerate: rules(written.tolerate),
        forbid: rules(written.forbid),
        ambient_strict: written.ambient.is_some(),
        families_strict: written.families.is_some(),
    })
}

/// A variable and its target; each has one, as was checked.
fn target((name, WrittenTarget { bin, example }): (String, WrittenTarget)) -> Option<(String, Program)> {
    let bin = bin.map(|Said(target)| Program::Bin(target));
    Some((name, bin.or(example.map(|Said(target)| Program::Example(target)))?))
}

/// What a test that cargo runs has no say in.
const CARGOS_BUSINESS: [&str; 9] = ["args", "env", "with", "stdin", "cwd", "timeout", "requires", "stop", "exit"];

/// Exactly one key says what is run.
fn program(written: &Written, root: &Node) -> Result<Program, Fault> {
    let name = |name: &Option<Said<String>>| name.as_ref().map(|Said(name)| name.clone());
    let choices = [
        ("command", written.command.as_ref().map(|List(words)| Program::Command(words.clone()))),
        ("bin", name(&written.bin).map(Program::Bin)),
        ("example", name(&written.example).map(Program::Example)),
        ("test", name(&written.test).map(Program::Test)),
        ("bench", name(&written.bench).map(Program::Bench)),
        ("closure", name(&written.closure).map(Program::Closure)),
        ("run", name(&written.run).map(Program::Run)),
    ];
    let mut given = choices.into_iter().filter_map(|(key, program)| program.map(|program| (key, program)));
    let Some((key, program)) = given.next() else {
        return Err(Fault::new(root.place, "nothing to run: add one of `command`, `bin`, `example`, `test`, `bench`"));
    };
    if let Some((other, _)) = given.next() {
        // Both are in the outline, for both were read; the later one is pointed at.
        let places = [key, other].map(|key| root.get(key).map_or(root.place, |(key, _)| key.place));
        let place = places.into_iter().max_by_key(|place| (place.line, place.column)).unwrap_or(root.place);
        return Err(Fault::new(place, format!("`{key}` and `{other}`: only one can be run, remove the other")));
    }
    if let Program::Command(words) = &program
        && words.first().is_none_or(String::is_empty)
    {
        let place = root.get(key).map_or(root.place, |(_, list)| list.items().first().unwrap_or(list).place);
        return Err(Fault::new(place, "no program in `command`: write it as `[PROGRAM, ARGUMENT]`"));
    }
    if let Program::Run(_) = program
        && let Some((key, _)) =
            CARGOS_BUSINESS.iter().find_map(|key| root.get(key).filter(|(_, value)| !value.is_null()))
    {
        let message = format!("`{}` means nothing beside `run`: cargo or nextest runs the test; remove it", key.name);
        return Err(Fault::new(key.place, message));
    }
    Ok(program)
}

impl From<WrittenStop> for StopAfter {
    fn from(WrittenStop { after: Said(after), signal }: WrittenStop) -> Self {
        let signal = signal.map_or(signal::SIGTERM, |Said(Signal(signal))| signal);
        Self { after, signal }
    }
}

impl From<WrittenRule> for Rule {
    fn from(written: WrittenRule) -> Self {
        Self {
            phase: written.phase.map(|Said(PhaseWord(phase))| phase),
            subsystem: written.subsystem.map(|Said(subsystem)| subsystem),
            syscall: written.syscall.map(|Said(RuleCall(syscall))| syscall),
            argument: written.argument.map(|Said(argument)| argument),
            object: written.object.map(|Said(object)| object),
            error: written.error.map(|Said(errno)| errno.name().into_owned()),
            why: written.why,
        }
    }
}
