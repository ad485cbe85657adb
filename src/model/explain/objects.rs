//! A kind of object that an fd or a path refers to: what serves it, and where it is made. Main
//! type: [`ObjectFacts`].

use crate::model::attribution::calls::{Shape, Subject, shapes};
use crate::model::attribution::objects::kind;
use crate::model::attribution::places::of_object;
use crate::model::attribution::values::table::FAMILY;
use crate::model::attribution::{ObjectClass, Subsystem, objects};
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
            Subject::Socket => matches!(ObjectClass::parse(name), ObjectClass::Socket { .. }),
            _ => false,
        };
        made.then_some(call)
    };
    let made_by = shapes().filter_map(makes).collect();
    let place = of_object(ObjectClass::parse(name));
    Some(ObjectFacts {
        name: name.to_owned(),
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
    if name.ends_with(':') {
        return None;
    }
    let of_kind = |made: &'static objects::Kind| (Some(made.subsystem), "its source file", Some(made.source));
    match ObjectClass::parse(name) {
        ObjectClass::File(None) | ObjectClass::Directory(None) => Some((
            Some(Subsystem::Filesystem),
            "storage: which filesystem a machine keeps files on is not the workload's doing",
            None,
        )),
        ObjectClass::File(Some(filesystem)) | ObjectClass::Directory(Some(filesystem)) => of_filesystem(filesystem),
        ObjectClass::Pipe | ObjectClass::Fifo => {
            Some((Some(Subsystem::Filesystem), "path fs/pipe.c", Some("fs/pipe.c")))
        }
        ObjectClass::Socket { family, .. } => {
            let family = FAMILY.iter().find(|known| known.name == family)?;
            match family.subsystem {
                Some(subsystem) => Some((Some(subsystem), family.why, None)),
                None => Some((Some(Subsystem::Network), "sockets belong to net/", None)),
            }
        }
        ObjectClass::Namespace(
            "cgroup" | "ipc" | "mnt" | "net" | "pid" | "pid_for_children" | "time" | "time_for_children" | "user"
            | "uts",
        ) => Some((Some(Subsystem::Namespace), "a namespace of any kind", None)),
        ObjectClass::Block(_) => Some((Some(Subsystem::Block), "every block device", None)),
        ObjectClass::Character(_) => Some(
            kind(name)
                .map_or((Some(Subsystem::Device), "every character device without a rule of its own", None), of_kind),
        ),
        ObjectClass::Anonymous(_) | ObjectClass::Memfd | ObjectClass::Namespace(_) | ObjectClass::Other(_) => {
            kind(name).map(of_kind)
        }
    }
}

fn of_filesystem(filesystem: &str) -> Option<Served> {
    let family = filesystem.split('.').next().unwrap_or_default();
    let made = kind(&ObjectClass::File(Some(family)).to_string())?;
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
