//! Turns facts into the text of the generated Rust files, one row per line.
//!
//! It must not read or write files. Main function: [`files`].

use std::fmt::Write as _;

use kernel_source::{Fact, Facts, Kind, Options, Place, Row, TABLES, Tree};
use sysguard::unstable::model::attribution::Subsystem;

use crate::ioctls::Command;
use crate::manual::{Entry, Manual};
use crate::provenance::with_header;
use crate::vocabularies::{Table, Value};

/// A generated file: its path in the repository, its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Values of arguments and kinds of objects.
pub(crate) struct Uses {
    pub(crate) tables: Vec<Table>,
    pub(crate) commands: Vec<Command>,
    pub(crate) kinds: Vec<Kind>,
    /// The maintainers' sections for the sources of arguments.
    pub(crate) places: Vec<Place>,
}

/// Returns every generated file.
pub(crate) fn files(facts: &Facts, uses: &Uses, trees: &[Tree]) -> Vec<File> {
    let versions = trees.iter().map(|tree| tree.version().to_string()).collect::<Vec<_>>().join(", ");
    let mut files: Vec<File> = TABLES
        .iter()
        .zip(&facts.tables)
        .map(|(table, rows)| File {
            path: format!("src/model/kernel/syscall/table/{}.rs", table.abi),
            text: with_header(
                &format!("Syscalls of {}, ordered by number.", table.abi),
                &versions,
                rows.len(),
                &table_body(rows),
            ),
        })
        .collect();
    files.push(File {
        path: "src/model/attribution/entry_points/table.rs".to_owned(),
        text: with_header(
            "What the kernel source says of each entry point, ordered by name and architecture.",
            &versions,
            facts.entry_points.len(),
            &entry_points_body(&facts.entry_points, trees),
        ),
    });
    files.push(File {
        path: "src/model/attribution/values/table.rs".to_owned(),
        text: with_header(
            "The values of multiplexing arguments, each table ordered by number.",
            &versions,
            uses.tables.iter().map(|(_, values)| values.len()).sum(),
            &values_body(&uses.tables),
        ),
    });
    files.push(File {
        path: "src/model/attribution/values/commands.rs".to_owned(),
        text: with_header(
            "The commands of ioctl, ordered by number; of several names for one number the preferred one comes first.",
            &versions,
            uses.commands.len(),
            &commands_body(&uses.commands),
        ),
    });
    files.push(File {
        path: "src/model/attribution/objects/table.rs".to_owned(),
        text: with_header(
            "The kinds of objects that the kernel source makes, ordered by name.",
            &versions,
            uses.kinds.len(),
            &kinds_body(&uses.kinds),
        ),
    });
    files.push(File {
        path: "src/model/attribution/places/table.rs".to_owned(),
        text: with_header(
            "The source files and folders that arguments lead to, ordered by path.",
            &versions,
            uses.places.len(),
            &places_body(&uses.places),
        ),
    });
    files
}

/// Returns the generated file of the manual.
pub(crate) fn manual(Manual { release, calls }: &Manual) -> File {
    let mut body = format!(
        "\nuse super::Row;\n\n/// Which release of the man-pages was read.\npub static RELEASE: &str = {release:?};\n\n\
         #[rustfmt::skip]\npub(super) static ROWS: [Row; {}] = [\n",
        calls.len()
    );
    for Entry { name, since, page } in calls {
        let _ = writeln!(body, "    Row {{ name: {name:?}, since: {since:?}, page: {page} }},");
    }
    body += "];\n";
    let (title, sources) =
        ("What section 2 of the manual says of calls, ordered by name.", format!("man-pages {release}"));
    File {
        path: "src/model/explain/manual/table.rs".to_owned(),
        text: with_header(title, &sources, calls.len(), &body),
    }
}

fn values_body(tables: &[Table]) -> String {
    let mut body = "\nuse super::Value;\nuse crate::model::attribution::Subsystem;\n".to_owned();
    for (table, values) in tables {
        let _ = write!(body, "\n#[rustfmt::skip]\npub(crate) static {table}: [Value; {}] = [\n", values.len());
        for Value { name, number, reaches, source } in values {
            let subsystem = in_rust(reaches.map(|reached| reached.subsystem));
            let why = reaches.map_or_else(String::new, |reached| why(reached.source, reached.reason));
            let _ = writeln!(
                body,
                "    Value {{ name: {name:?}, number: {number:#x}, subsystem: {subsystem}, source: {source:?}, why: {why:?} }},"
            );
        }
        body += "];\n";
    }
    body
}

fn commands_body(commands: &[Command]) -> String {
    let mut body = format!(
        "\nuse super::Command;\nuse crate::model::attribution::Subsystem;\n\n#[rustfmt::skip]\n\
         pub(super) static COMMANDS: [Command; {}] = [\n",
        commands.len()
    );
    for Command { number, name, subsystem, on, header, source, why } in commands {
        let subsystem = in_rust(*subsystem);
        let _ = writeln!(
            body,
            "    Command {{ number: {number:#010x}, name: {name:?}, subsystem: {subsystem}, on: {on:?}, header: {header:?}, source: {source:?}, why: {why:?} }},"
        );
    }
    body + "];\n"
}

fn places_body(places: &[Place]) -> String {
    let mut body =
        format!("\nuse super::Place;\n\n#[rustfmt::skip]\npub(super) static PLACES: [Place; {}] = [\n", places.len());
    for Place { source, section, options } in places {
        let section = section.clone().unwrap_or_else(|| format!("core:{source}"));
        let options = options_in_rust(options.as_ref());
        let _ = writeln!(body, "    Place {{ source: {source:?}, section: {section:?}, options: {options} }},");
    }
    body + "];\n"
}

fn options_in_rust(options: Option<&Options>) -> String {
    match options {
        Some(Options { config, expert }) => format!("Some(({config:?}, {expert}))"),
        None => "None".to_owned(),
    }
}

/// Returns the source and the reason, if there are any.
pub(crate) fn why(source: &str, reason: &str) -> String {
    [source, reason].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

fn kinds_body(kinds: &[Kind]) -> String {
    let mut body = format!(
        "\nuse super::Kind;\nuse crate::model::attribution::Subsystem;\n\n#[rustfmt::skip]\n\
         pub(super) static KINDS: [Kind; {}] = [\n",
        kinds.len()
    );
    for Kind { name, subsystem, source, section, options } in kinds {
        let options = options_in_rust(options.as_ref());
        let _ = writeln!(
            body,
            "    Kind {{ name: {name:?}, subsystem: Subsystem::{subsystem:?}, source: {source:?}, section: {section:?}, options: {options} }},"
        );
    }
    body + "];\n"
}

fn in_rust(subsystem: Option<Subsystem>) -> String {
    subsystem.map_or_else(|| "None".to_owned(), |subsystem| format!("Some(Subsystem::{subsystem:?})"))
}

fn table_body(rows: &[Row]) -> String {
    let mut body = format!("\nuse super::Row;\n\npub(super) static ROWS: [Row; {}] = [\n", rows.len());
    for Row { number, name, entry_point } in rows {
        let _ = writeln!(body, "    Row {{ number: {number}, name: {name:?}, entry_point: {entry_point:?} }},");
    }
    body + "];\n"
}

fn entry_points_body(facts: &[Fact], trees: &[Tree]) -> String {
    let kernels: Vec<String> = trees.iter().map(|tree| tree.version().to_string()).collect();
    let mut body = format!(
        "\nuse super::EntryPoint;\nuse crate::model::attribution::Subsystem;\n\n\
         /// The examined kernels, the newest last: that one says what a call is.\npub(super) static KERNELS: [&str; {}] = {kernels:?};\n\n\
         #[rustfmt::skip]\npub(super) static ENTRY_POINTS: [EntryPoint; {}] = [\n",
        kernels.len(),
        facts.len()
    );
    for Fact { name, arch, source, section, subsystem, config, expert, since, basis } in facts {
        let _ = writeln!(
            body,
            "    EntryPoint {{ name: {name:?}, arch: {arch:?}, source: {source:?}, section: {section:?}, subsystem: Subsystem::{subsystem:?}, \
             config: {config:?}, expert: {expert}, since: {since:?}, basis: {basis:?} }},"
        );
    }
    body + "];\n"
}
