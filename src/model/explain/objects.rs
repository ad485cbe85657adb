//! A kind of object that an fd or a path refers to: what serves it, and where it is made. Main
//! type: [`ObjectFacts`].

use crate::model::attribution::calls::{Shape, Subject, shapes};
use crate::model::attribution::objects::kind;
use crate::model::attribution::places::of_object;
use crate::model::attribution::values::table::FAMILY;
use crate::model::attribution::{Subsystem, objects};
use crate::model::expectation::storage;

/// What the tables hold on an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Its name: `file:proc`, `socket:AF_INET:SOCK_STREAM`.
    pub name: String,
    /// The subsystem that serves it; `None`: the subsystem of its filesystem.
    pub subsystem: Option<Subsystem>,
    /// Why it belongs there.
    pub why: &'static str,
    /// The source file that creates it.
    pub source: Option<String>,
    /// That file's section of MAINTAINERS, or `core:<file>` where only the catch-all covers it.
    pub section: Option<String>,
    /// The kernel options that enable that file, and whether they are offered only to experts;
    /// `None`: not known.
    pub options: Option<(Option<String>, bool)>,
    /// The calls that create one.
    pub made_by: Vec<&'static str>,
}

/// Returns what the tables hold on the object of this name.
pub(super) fn facts(name: &str) -> Option<ObjectFacts> {
    let (subsystem, why, source) = served(name)?;
    let makes = |(call, shape): (&'static str, Shape)| {
        let made = match shape.subject {
            Subject::Made(made) => made == name,
            Subject::Socket => name.starts_with("socket:"),
            _ => false,
        };
        made.then_some(call)
    };
    let (name, made_by) = (name.to_owned(), shapes().filter_map(makes).collect());
    let place = of_object(&name);
    Some(ObjectFacts {
        name,
        subsystem,
        why,
        source: source.or(place.map(|place| place.source)).map(str::to_owned),
        section: place.map(|place| place.section.to_owned()),
        options: place.and_then(|place| place.options).map(|(config, expert)| (config.map(str::to_owned), expert)),
        made_by,
    })
}

type Served = (Option<Subsystem>, &'static str, Option<&'static str>);

fn served(name: &str) -> Option<Served> {
    let by_source = |kind: &'static objects::Kind| (Some(kind.subsystem), "its source file", Some(kind.source));
    let (class, rest) = name.split_once(':').unwrap_or((name, ""));
    if name.ends_with(':') {
        return None;
    }
    match (class, rest) {
        ("file" | "dir", "") => Some((
            Some(Subsystem::Filesystem),
            "storage: which filesystem a machine keeps files on is not the workload's doing",
            None,
        )),
        ("file" | "dir", filesystem) => {
            let made = kind(&format!("file:{}", filesystem.split('.').next().unwrap_or_default()))?;
            let why = match filesystem {
                "proc" | "sysfs" => {
                    "the filesystem's own files; others belong to the subsystem that they describe: /proc/meminfo is memory"
                }
                _ if storage::reason(filesystem).is_some() => {
                    "its source file; as storage it is `file` or `dir` in an expectation"
                }
                _ => "its source file",
            };
            Some((Some(made.subsystem), why, Some(made.source)))
        }
        ("pipe" | "fifo", "") => Some((Some(Subsystem::Filesystem), "path fs/pipe.c", Some("fs/pipe.c"))),
        ("socket", parts) => {
            let family = FAMILY.iter().find(|family| Some(family.name) == parts.split(':').next())?;
            match family.subsystem {
                Some(subsystem) => Some((Some(subsystem), family.why, None)),
                None => Some((Some(Subsystem::Network), "sockets belong to net/", None)),
            }
        }
        (
            "ns",
            "cgroup" | "ipc" | "mnt" | "net" | "pid" | "pid_for_children" | "time" | "time_for_children" | "user"
            | "uts",
        ) => Some((Some(Subsystem::Namespace), "a namespace of any kind", None)),
        ("block", driver) if !driver.is_empty() => Some((Some(Subsystem::Block), "every block device", None)),
        ("char", device) if !device.is_empty() => Some(
            kind(name)
                .map_or((Some(Subsystem::Device), "every character device without a rule of its own", None), by_source),
        ),
        _ => kind(name).map(by_source),
    }
}
