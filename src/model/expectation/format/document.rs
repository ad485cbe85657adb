//! Reads the first document, the one that its author writes: [`read`].

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::explore::{self, WrittenExplore};
use super::invalid::InvalidScalar;
use super::keys;
use super::malformed::Fault;
use super::outline::{Key, Node, Outline};
use super::rules::{ProgramGlob, RuleAddress, RulePath, RuleSyscall, Writes};
use super::typed;
use super::words::{List, PhaseName, Scalar, Signal, Strict, Timeout};
use crate::model::attribution::Subsystem;
use crate::model::expectation::terms::{Document, ExploreSettings, Level, Rule};
use crate::model::facts::version::Version;
use crate::model::kernel::call::Errno;
use crate::model::kernel::{signal, uapi};
use crate::model::run::workload::{DEFAULT_TIMEOUT, Exit, Program, Stdin, StopAfter, Workload};

/// The document in the form that serde reads; a null value counts as an absent key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map of keys such as `version: 2`")]
struct Written {
    #[serde(rename = "version")]
    _version: Option<IgnoredAny>,
    command: Option<List<String>>,
    bin: Option<Scalar<String>>,
    example: Option<Scalar<String>>,
    test: Option<Scalar<String>>,
    bench: Option<Scalar<String>>,
    closure: Option<Scalar<String>>,
    run: Option<Scalar<String>>,
    args: Option<List<String>>,
    env: Option<BTreeMap<String, String>>,
    with: Option<BTreeMap<String, WrittenTarget>>,
    stdin: Option<WrittenStdin>,
    cwd: Option<Scalar<String>>,
    timeout: Option<Scalar<Timeout>>,
    requires: Option<List<Scalar<String>>>,
    stop: Option<WrittenStop>,
    level: Option<Scalar<Level>>,
    ignore: Option<Scalar<String>>,
    exit: Option<Scalar<Exit>>,
    tolerate: Option<List<WrittenRule>>,
    forbid: Option<List<WrittenRule>>,
    ambient: Option<Scalar<Strict>>,
    families: Option<Scalar<Strict>>,
    explore: Option<WrittenExplore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{after: 2s, signal: SIGTERM}`")]
struct WrittenStop {
    after: Scalar<Duration>,
    signal: Option<Scalar<Signal>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{bin: NAME}`")]
struct WrittenTarget {
    bin: Option<Scalar<String>>,
    example: Option<Scalar<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{file: PATH}`")]
struct WrittenFile {
    file: Scalar<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map such as `{syscall: getrusage, why: REASON}`")]
struct WrittenRule {
    phase: Option<Scalar<PhaseName>>,
    subsystem: Option<Scalar<Subsystem>>,
    syscall: Option<Scalar<RuleSyscall>>,
    argument: Option<Scalar<String>>,
    object: Option<Scalar<String>>,
    error: Option<Scalar<Errno>>,
    program: Option<Scalar<ProgramGlob>>,
    address: Option<Scalar<RuleAddress>>,
    path: Option<Scalar<RulePath>>,
    writes: Option<Scalar<Writes>>,
    signal: Option<Scalar<Signal>>,
    why: Option<String>,
}

/// Text, or a map with the path of a file.
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
                WrittenFile::deserialize(map).map(|WrittenFile { file: Scalar(file) }| WrittenStdin(Stdin::File(file)))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Returns the version and the content of the first document of a text.
pub(super) fn read(text: &str, outline: &Outline) -> Result<(Version, Document), Fault> {
    let root = &outline.root;
    if root.is_null() {
        return Err(Fault::new(
            root.place,
            "the file is empty: start with `version: 2` and a program, such as `bin: NAME`",
        ));
    }
    let version = version(root)?;
    check(root)?;
    let written: Written = typed::read(text, outline)?;
    let Some(version) = version else {
        return Err(Fault::new(root.place, "missing `version`: add `version: 2`"));
    };
    Ok((version, document(written, root)?))
}

/// Returns the version that the document names.
///
/// A newer version is reported before any other fault, because later versions may have other keys.
pub(super) fn version(root: &Node) -> Result<Option<Version>, Fault> {
    let Some((_, node)) = root.get("version") else { return Ok(None) };
    let text = node.text().unwrap_or_default();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().unwrap_or(u32::MAX);
    let latest = Version::LATEST;
    match Version::from_number(number) {
        Some(version) if is_number => Ok(Some(version)),
        None if is_number && number > 0 => {
            let message =
                format!("version {text} is newer than the latest supported version {latest}: update sysguard");
            Err(Fault::new(node.place, message))
        }
        _ => Err(Fault::new(node.place, format!("invalid version `{text}`: write `version: {latest}`"))),
    }
}

/// Refuses unknown keys and missing values before serde reads any value.
fn check(root: &Node) -> Result<(), Fault> {
    keys::check::<Written>(root)?;
    for (key, node) in root.pairs() {
        match key.name.as_str() {
            "stop" => keys::check::<WrittenStop>(node)?,
            "stdin" => keys::check::<WrittenFile>(node)?,
            "tolerate" | "forbid" => node.items().iter().try_for_each(check_rule)?,
            "env" => check_environment(node)?,
            "with" => check_with(node, root)?,
            "explore" => explore::check(node)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_rule(rule: &Node) -> Result<(), Fault> {
    keys::check::<WrittenRule>(rule)?;
    let given = |wanted: &str| rule.get(wanted).is_some_and(|(_, value)| !value.is_null());
    let other =
        rule.pairs().iter().map(|(key, _)| key).find(|key| !matches!(&*key.name, "signal" | "why") && given(&key.name));
    if let (true, Some(other)) = (given("signal"), other) {
        let message = format!("`{}` has no effect with `signal`, because a signal is no call: remove it", other.name);
        return Err(Fault::new(other.place, message));
    }
    let narrows = |(key, value): &(Key, Node)| key.name != "why" && !value.is_null();
    if rule.text().is_some() || rule.pairs().iter().any(narrows) {
        return Ok(());
    }
    let message = "this rule matches every call: add a part, such as `subsystem`, `syscall`, `path` or `writes`";
    Err(Fault::new(rule.place, message))
}

fn check_environment(env: &Node) -> Result<(), Fault> {
    for (key, value) in env.pairs() {
        check_key_of_variable(key)?;
        if value.is_null() {
            let name = &key.name;
            let message = format!("`{name}` has no value: write \"\" for an empty value (variables are not inherited)");
            return Err(Fault::new(key.place, message));
        }
    }
    Ok(())
}

fn check_key_of_variable(Key { name, place }: &Key) -> Result<(), Fault> {
    check_variable(name).map_err(|error| Fault::new(*place, error.to_string()))
}

/// Checks the name of an environment variable.
pub(super) fn check_variable(name: &str) -> Result<(), InvalidScalar> {
    let is_valid = !name.is_empty() && !name.contains('=');
    is_valid.then_some(()).ok_or_else(|| InvalidScalar::VariableName(name.to_owned()))
}

/// Refuses a variable that `env` sets too, or that does not name exactly one target.
fn check_with(with: &Node, root: &Node) -> Result<(), Fault> {
    for (key, value) in with.pairs() {
        check_key_of_variable(key)?;
        keys::check::<WrittenTarget>(value)?;
        let name = &key.name;
        if root.get("env").is_some_and(|(_, env)| env.get(name).is_some()) {
            let message = format!("`{name}` is already set by `env`: rename one of them");
            return Err(Fault::new(key.place, message));
        }
        let given = value.pairs().iter().filter(|(_, target)| !target.is_null()).count();
        // serde reports a value that is no map.
        if value.is_null() || value.text().is_none() && value.items().is_empty() && given != 1 {
            return Err(Fault::new(
                key.place,
                format!("`{name}` needs exactly one target: `{{bin: NAME}}` or `{{example: NAME}}`"),
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
            cwd: written.cwd.map(|Scalar(cwd)| cwd),
            timeout: written.timeout.map_or(DEFAULT_TIMEOUT, |Scalar(Timeout(timeout))| timeout),
            requires: requires.into_iter().map(|Scalar(program)| program).collect(),
            stop: written.stop.map(StopAfter::from),
            exit: written.exit.map_or(Exit::Exited(0), |Scalar(exit)| exit),
        },
        level: written.level.map_or(Level::default(), |Scalar(level)| level),
        ignore: written.ignore.map(|Scalar(reason)| reason),
        tolerate: rules(written.tolerate),
        forbid: rules(written.forbid),
        ambient_strict: written.ambient.is_some(),
        families_strict: written.families.is_some(),
        explore: written.explore.map(ExploreSettings::from).unwrap_or_default(),
    })
}

/// Returns a variable and its target; [`check_with`] has ensured that it has one.
fn target((name, WrittenTarget { bin, example }): (String, WrittenTarget)) -> Option<(String, Program)> {
    let bin = bin.map(|Scalar(target)| Program::Bin(target));
    Some((name, bin.or(example.map(|Scalar(target)| Program::Example(target)))?))
}

/// Keys that `run:` does not allow, because cargo or nextest starts the test.
const KEYS_OF_CARGO: [&str; 10] =
    ["args", "env", "with", "stdin", "cwd", "timeout", "requires", "stop", "exit", "explore"];

/// Returns the program to run; exactly one key must name it.
fn program(written: &Written, root: &Node) -> Result<Program, Fault> {
    let name = |name: &Option<Scalar<String>>| name.as_ref().map(|Scalar(name)| name.clone());
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
        return Err(Fault::new(
            root.place,
            "no program to run: add one of `command`, `bin`, `example`, `test`, `bench`",
        ));
    };
    if let Some((other, _)) = given.next() {
        // The outline holds both keys, because serde read both. The fault is at the later one.
        let places = [key, other].map(|key| root.get(key).map_or(root.place, |(key, _)| key.place));
        let place = places.into_iter().max_by_key(|place| (place.line, place.column)).unwrap_or(root.place);
        return Err(Fault::new(place, format!("both `{key}` and `{other}` name a program: remove one of them")));
    }
    if let Program::Command(words) = &program
        && words.first().is_none_or(String::is_empty)
    {
        let place = root.get(key).map_or(root.place, |(_, list)| list.items().first().unwrap_or(list).place);
        return Err(Fault::new(place, "no program in `command`: write it as `[PROGRAM, ARGUMENT]`"));
    }
    if let Program::Run(_) = program
        && let Some((key, _)) = KEYS_OF_CARGO.iter().find_map(|key| root.get(key).filter(|(_, value)| !value.is_null()))
    {
        let message =
            format!("`{}` has no effect with `run`, because cargo or nextest runs the test: remove it", key.name);
        return Err(Fault::new(key.place, message));
    }
    Ok(program)
}

impl From<WrittenStop> for StopAfter {
    fn from(WrittenStop { after: Scalar(after), signal }: WrittenStop) -> Self {
        let signal = signal.map_or(uapi::SIGTERM, |Scalar(Signal(signal))| signal);
        Self { after, signal }
    }
}

impl From<WrittenRule> for Rule {
    fn from(written: WrittenRule) -> Self {
        Self {
            phase: written.phase.map(|Scalar(PhaseName(phase))| phase),
            subsystem: written.subsystem.map(|Scalar(subsystem)| subsystem),
            syscall: written.syscall.map(|Scalar(RuleSyscall(syscall))| syscall),
            argument: written.argument.map(|Scalar(argument)| argument),
            object: written.object.map(|Scalar(object)| object),
            error: written.error.map(|Scalar(errno)| errno.name().into_owned()),
            program: written.program.map(|Scalar(ProgramGlob(glob))| glob),
            address: written.address.map(|Scalar(RuleAddress(address))| address),
            path: written.path.map(|Scalar(RulePath(glob))| glob),
            writes: written.writes.is_some(),
            signal: written.signal.map(|Scalar(Signal(number))| signal::name(number).into_owned()),
            why: written.why,
        }
    }
}
