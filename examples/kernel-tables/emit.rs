//! Facts → the text of the generated Rust files, one row a line.
//!
//! It must not touch the disk. Main function: [`files`].

use std::fmt::Write as _;

use crate::facts::{Fact, Facts};
use crate::provenance::with_header;
use crate::tables::{Row, TABLES};
use crate::tree::Tree;

/// A generated file: its path in the repository, its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every generated file.
pub(crate) fn files(facts: &Facts, trees: &[Tree]) -> Vec<File> {
    let versions = trees.iter().map(|tree| tree.version().to_string()).collect::<Vec<_>>().join(", ");
    let mut files: Vec<File> = TABLES
        .iter()
        .zip(&facts.tables)
        .map(|(table, rows)| File {
            path: format!("src/model/syscall/table/{}.rs", table.abi),
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
            &entry_points_body(&facts.entry_points),
        ),
    });
    files
}

fn table_body(rows: &[Row]) -> String {
    let mut body = format!("\nuse super::Row;\n\npub(super) static ROWS: [Row; {}] = [\n", rows.len());
    for Row { number, name, entry_point } in rows {
        let _ = writeln!(body, "    Row {{ number: {number}, name: {name:?}, entry_point: {entry_point:?} }},");
    }
    body + "];\n"
}

fn entry_points_body(facts: &[Fact]) -> String {
    let mut body = format!(
        "\nuse super::EntryPoint;\nuse crate::model::attribution::Subsystem;\n\n#[rustfmt::skip]\n\
         pub(super) static ENTRY_POINTS: [EntryPoint; {}] = [\n",
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
