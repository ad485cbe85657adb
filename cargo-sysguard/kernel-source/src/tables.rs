//! The kernel's syscall tables (`*.tbl`): number → name and entry point, for each supported ABI.
//! Main type: [`Table`].
//!
//! It must not check whether an entry point exists; `definitions` does.

use crate::Result;
use crate::tree::Tree;

/// The source of one generated table.
pub struct Table {
    /// The ABI's name in `sysguard::unstable::model::kernel::syscall::Abi`, and the name of the
    /// generated file.
    pub abi: &'static str,
    /// The directory below arch/ with the code of its calls.
    pub arch: &'static str,
    path: &'static str,
    selection: Selection,
    /// Whether it is for 32-bit programs on a 64-bit kernel, which runs the compat entry points.
    compat: bool,
}

/// The ABIs (second column of a `.tbl`) of the rows that belong to the table.
enum Selection {
    /// The ABIs that the build of this architecture selects.
    Fixed(&'static [&'static str]),
    /// The ABIs in `syscall_abis_64` of scripts/Makefile.asm-headers and of the architecture.
    Generic,
}

/// Every table, ordered by ABI. arch/x86/entry/syscalls/Makefile gives the ABIs of the fixed ones.
pub const TABLES: [Table; 5] = [
    generic("aarch64", "arm64"),
    x86("i386", "arch/x86/entry/syscalls/syscall_32.tbl", &["i386"], true),
    generic("riscv64", "riscv"),
    x86("x32", "arch/x86/entry/syscalls/syscall_64.tbl", &["common", "x32"], false),
    x86("x86_64", "arch/x86/entry/syscalls/syscall_64.tbl", &["common", "64"], false),
];

const fn generic(abi: &'static str, arch: &'static str) -> Table {
    Table { abi, arch, path: "scripts/syscall.tbl", selection: Selection::Generic, compat: false }
}

const fn x86(abi: &'static str, path: &'static str, columns: &'static [&'static str], compat: bool) -> Table {
    Table { abi, arch: "x86", path, selection: Selection::Fixed(columns), compat }
}

/// One line of a table. The entry point is empty if the table has none or `sys_ni_syscall`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The syscall number.
    pub number: u32,
    /// The name without `sys_`.
    pub name: String,
    /// The function that implements it.
    pub entry_point: String,
}

impl Table {
    /// Returns the rows of this ABI in one tree, ordered by number.
    pub fn rows(&self, tree: &Tree) -> Result<Vec<Row>> {
        let columns = match self.selection {
            Selection::Fixed(columns) => columns.iter().map(|&column| column.to_owned()).collect(),
            Selection::Generic => self.generic_columns(tree)?,
        };
        let rows = parse(&tree.read(self.path)?, &columns, self.compat);
        if rows.is_empty() || !rows.is_sorted_by(|a, b| a.number < b.number) {
            return Err(format!("cannot read {} of {}: its rows are not ordered by number", self.path, tree.version()));
        }
        Ok(rows)
    }

    fn generic_columns(&self, tree: &Tree) -> Result<Vec<String>> {
        let common = tree.read("scripts/Makefile.asm-headers")?;
        let own = tree.read(&format!("arch/{}/kernel/Makefile.syscalls", self.arch))?;
        Ok([common, own].iter().flat_map(|makefile| abis_64(makefile)).collect())
    }
}

/// Returns the words that `syscall_abis_64 +=` adds.
fn abis_64(makefile: &str) -> Vec<String> {
    let added =
        makefile.lines().filter_map(|line| line.strip_prefix("syscall_abis_64")?.trim_start().strip_prefix("+="));
    added.flat_map(|words| words.split([',', ' ', '\t'])).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Parses lines `NR ABI NAME [NATIVE [COMPAT|- [noreturn]]]` (scripts/syscalltbl.sh).
fn parse(text: &str, columns: &[String], compat: bool) -> Vec<Row> {
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let number = words.next()?.parse().ok()?;
        let selected = words.next().is_some_and(|abi| columns.iter().any(|column| column == abi));
        let name = words.next().filter(|_| selected)?.to_owned();
        let native = words.next().unwrap_or_default();
        let runs = words.next().filter(|&other| compat && other != "-").unwrap_or(native);
        let entry_point = if runs == "sys_ni_syscall" { String::new() } else { runs.to_owned() };
        Some(Row { number, name, entry_point })
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# comment\n0\tcommon\tread\t\tsys_read\n1 64 exit sys_exit - noreturn\n2 i386 open sys_open compat_sys_open\n\
                        3 64 tuxcall sys_ni_syscall\n4 64 break\n512 x32 ioctl compat_sys_ioctl\n";

    fn entries(columns: &[&str], compat: bool) -> Vec<(u32, String)> {
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        parse(TEXT, &columns, compat).into_iter().map(|row| (row.number, row.entry_point)).collect()
    }

    #[test]
    fn table_has_the_rows_of_its_abi() {
        let row = |number, entry: &str| (number, entry.to_owned());
        assert_eq!(entries(&["common", "64"], false), [row(0, "sys_read"), row(1, "sys_exit"), row(3, ""), row(4, "")]);
        assert_eq!(entries(&["common", "x32"], false), [row(0, "sys_read"), row(512, "compat_sys_ioctl")]);
    }

    #[test]
    fn compat_table_has_compat_entry_points() {
        assert_eq!(entries(&["i386"], true), [(2, "compat_sys_open".to_owned())]);
    }

    #[test]
    fn generic_abis_are_read_from_makefiles() {
        assert_eq!(
            abis_64("syscall_abis_32 += a\nsyscall_abis_64  += common,64\nsyscall_abis_64 += b c\n"),
            ["common", "64", "b", "c"]
        );
    }
}
