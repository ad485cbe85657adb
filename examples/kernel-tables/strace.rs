//! Compares the vocabulary with strace's: its lists are read from its source tree, and what the
//! tables lack must be in [`MISSING`].
//!
//! It must not write. Main function: [`compare`].

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kernel_source::Result;

use crate::ioctls::Command;
use crate::missing::{MISSING, is_row};
use crate::vocabularies::Table;

/// strace's list in src/xlat, and the table with the same values.
const LISTS: &[(&str, &str)] = &[
    ("addrfams", "FAMILY"),
    ("archvals", "ARCH_PRCTL"),
    ("bpf_commands", "BPF"),
    ("clocknames", "CLOCK"),
    ("clone3_flags", "CLONE"),
    ("clone_flags", "CLONE"),
    ("fcntlcmds", "FCNTL"),
    ("futexops", "FUTEX"),
    ("getsock_ip_options", "SOL_IP"),
    ("getsock_ipv6_options", "SOL_IPV6"),
    ("getsock_options", "SOL_SOCKET"),
    ("ipccalls", "IPC"),
    ("keyctl_commands", "KEYCTL"),
    ("madvise_cmds", "MADVISE"),
    ("mmap_prot", "PROTECTION"),
    ("netlink_protocols", "NETLINK"),
    ("perf_type_id", "PERF_TYPE"),
    ("prctl_options", "PRCTL"),
    ("seccomp_ops", "SECCOMP"),
    ("setns_types", "CLONE"),
    ("setsock_ip_options", "SOL_IP"),
    ("setsock_ipv6_options", "SOL_IPV6"),
    ("setsock_options", "SOL_SOCKET"),
    ("sock_alg_options", "SOL_ALG"),
    ("sock_ax25_options", "SOL_AX25"),
    ("sock_bluetooth_options", "SOL_BLUETOOTH"),
    ("sock_caif_options", "SOL_CAIF"),
    ("sock_can_raw_options", "SOL_CAN_RAW"),
    ("sock_dccp_options", "SOL_DCCP"),
    ("sock_ip_options", "SOL_IP"),
    ("sock_ipv6_options", "SOL_IPV6"),
    ("sock_kcm_options", "SOL_KCM"),
    ("sock_llc_options", "SOL_LLC"),
    ("sock_netlink_options", "SOL_NETLINK"),
    ("sock_nfcllcp_options", "SOL_NFC"),
    ("sock_options", "SOL_SOCKET"),
    ("sock_packet_options", "SOL_PACKET"),
    ("sock_pnp_options", "SOL_PNPIPE"),
    ("sock_pppol2tp_options", "SOL_PPPOL2TP"),
    ("sock_raw_options", "SOL_RAW"),
    ("sock_rds_options", "SOL_RDS"),
    ("sock_rxrpc_options", "SOL_RXRPC"),
    ("sock_sctp_options", "SOL_SCTP"),
    ("sock_tcp_options", "SOL_TCP"),
    ("sock_tipc_options", "SOL_TIPC"),
    ("sock_tls_options", "SOL_TLS"),
    ("sock_udp_options", "SOL_UDP"),
    ("sock_vsock_options", "SOL_VSOCK"),
    ("sock_xdp_options", "SOL_XDP"),
    ("socketcalls", "SOCKETCALL"),
    ("socketlayers", "LEVEL"),
    ("socktypes", "SOCKET_TYPE"),
    ("unshare_flags", "CLONE"),
];

/// strace's lists of ioctl commands in src/linux, for the architectures of the tables.
const COMMANDS: &[&str] = &[
    "64/ioctls_inc.h",
    "aarch64/ioctls_inc0.h",
    "aarch64/ioctls_inc1.h",
    "i386/ioctls_inc0.h",
    "riscv64/ioctls_inc0.h",
    "x86_64/ioctls_inc0.h",
    "x86_64/ioctls_inc1.h",
    "x86_64/ioctls_inc2.h",
];

/// strace's lists of socket options without a table; reason.
const WITHOUT_TABLE: &[(&str, &str)] = &[
    ("sock_ipx_options", "gone since Linux 5.15"),
    ("sock_irda_options", "gone since Linux 4.17"),
    ("sock_iucv_options", "s390 only"),
];

/// Returns the names that neither a table nor [`MISSING`] has, and the rows of that without a name
/// in strace; one per line.
pub(crate) fn compare(source: &Path, tables: &[Table], commands: &[Command]) -> Result<Vec<String>> {
    let theirs = lists(source)?;
    let known: BTreeSet<(&str, &str)> = tables
        .iter()
        .flat_map(|(table, values)| values.iter().map(move |value| (*table, value.name.as_str())))
        .chain(commands.iter().map(|command| ("ioctl", command.name.as_str())))
        .collect();
    let numbers: BTreeSet<u32> = commands.iter().map(|command| command.number).collect();
    let is_known = |theirs: &Theirs| {
        known.contains(&(theirs.table, theirs.name.as_str()))
            || theirs.number.is_some_and(|number| numbers.contains(&number))
    };
    let lacked: Vec<&Theirs> = theirs.iter().filter(|theirs| !is_known(theirs)).collect();
    let is_missing = |theirs: &Theirs, row: (&str, &str)| is_row(row, theirs.table, &theirs.name);
    let mut found: Vec<String> = lacked
        .iter()
        .filter(|theirs| !MISSING.iter().any(|&(table, name, _)| is_missing(theirs, (table, name))))
        .map(|theirs| format!("{} lacks {}: add a rule, or a row to missing.rs", theirs.table, theirs.name))
        .collect();
    found.extend(
        MISSING
            .iter()
            .filter(|&&(table, name, _)| !lacked.iter().any(|theirs| is_missing(theirs, (table, name))))
            .map(|(table, name, _)| format!("missing.rs is stale: {table} {name} is missing no more")),
    );
    Ok(found)
}

/// A name in strace.
struct Theirs {
    table: &'static str,
    name: String,
    /// For an ioctl command: strace has another name for a number that the tables hold.
    number: Option<u32>,
}

fn lists(source: &Path) -> Result<Vec<Theirs>> {
    let mut theirs = Vec::new();
    for (list, table) in LISTS {
        let text = read(&source.join("src/xlat").join(format!("{list}.in")))?;
        theirs.extend(names(&text).map(|name| Theirs { table, name: name.to_owned(), number: None }));
    }
    for list in COMMANDS {
        let text = read(&source.join("src/linux").join(list))?;
        let commands = text.lines().filter_map(command);
        theirs.extend(commands.map(|(name, number)| Theirs { table: "ioctl", name, number: Some(number) }));
    }
    check_options(source)?;
    Ok(theirs)
}

/// Fails if a list of socket options is forgotten.
fn check_options(source: &Path) -> Result<()> {
    let folder = source.join("src/xlat");
    let entries = fs::read_dir(&folder).map_err(|cause| format!("list `{}`: {cause}", folder.display()))?;
    for entry in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        let Some(list) =
            entry.strip_suffix(".in").filter(|list| list.starts_with("sock_") && list.ends_with("_options"))
        else {
            continue;
        };
        if !LISTS.iter().chain(WITHOUT_TABLE).any(|(known, _)| *known == list) {
            return Err(format!("place strace's list {list}: no table: adapt strace.rs"));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|cause| format!("read `{}`: {cause}: give an unpacked source of strace", path.display()))
}

/// Returns names from `PR_SET_NAME 15`, one per line, between comments and conditions. A name with
/// two numbers has a suffix that distinguishes them.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let first = text.lines().filter_map(|line| line.split_whitespace().next());
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().all(is_of_a_name);
    first.filter(is_name).map(|name| match name.starts_with("FUTEX_") {
        // The table's values are without that flag.
        true => name.trim_end_matches("_PRIVATE"),
        false => name,
    })
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Parses `{ "linux/fs.h", "FICLONE", _IOC_WRITE, 0x9409, 0x04 },`.
fn command(line: &str) -> Option<(String, u32)> {
    let fields: Vec<&str> = line.trim().strip_prefix('{')?.split(',').map(str::trim).collect();
    let [_, name, direction, number, size, ..] = fields[..] else { return None };
    let name = name.trim_matches('"').to_owned();
    let bits = direction.split('|').map(|bit| match bit {
        "_IOC_WRITE" => 1,
        "_IOC_READ" => 2,
        _ => 0,
    });
    let direction: u32 = bits.sum();
    let size = size.trim_end_matches(['}', ' ']);
    Some((name, direction << 30 | integer(size)? << 16 | integer(number)?))
}

fn integer(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_commands_are_read() {
        let text = "#sorted\n#Prefix F_\nF_DUPFD\t0\n/* no */\n#ifdef X\nF_GETFD\n#endif\n";
        assert_eq!(names(text).collect::<Vec<_>>(), ["F_DUPFD", "F_GETFD"]);
        assert_eq!(names("FUTEX_WAIT_PRIVATE (1 | 2)\n").collect::<Vec<_>>(), ["FUTEX_WAIT"]);
        let line = "{ \"linux/fs.h\", \"FICLONE\", _IOC_WRITE, 0x9409, 0x04 },";
        assert_eq!(command(line), Some(("FICLONE".to_owned(), 0x4004_9409)));
        assert_eq!(command("#include \"x.h\""), None);
    }

    #[test]
    fn rows_fit_whole_names_and_both_ends_of_a_star() {
        assert!(is_row(("A", "X_*_OLD"), "A", "X_Y_OLD") && !is_row(("A", "X_*_OLD"), "A", "X_Y"));
        assert!(is_row(("A", "X"), "A", "X") && !is_row(("A", "X"), "B", "X") && !is_row(("A", "X"), "A", "XY"));
    }
}
