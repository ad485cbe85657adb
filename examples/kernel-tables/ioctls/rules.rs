//! The rules for ioctl commands by name: what each reaches, and which names only look like
//! commands.
//!
//! A rule that matches nothing in any tree is an error: [`unused`]. Main functions: [`reached`],
//! [`is_none`].

use std::collections::BTreeSet;

use sysguard::model::attribution::{Subsystem, Subsystem as S};

use super::headers::{BEFORE, EXPORTED, HEADERS, Rule};

/// Names for which the header's rule is wrong: header, prefix, subsystem, source, reason. The first
/// decides.
const NAMES: &[(&str, &str, Option<Subsystem>, &str, &str)] = &[
    ("asm-generic/ioctls.h", "FIOCLEX", Some(S::Filesystem), "fs/ioctl.c", "of the fd, whatever the file"),
    ("asm-generic/ioctls.h", "FIONCLEX", Some(S::Filesystem), "fs/ioctl.c", "of the fd, whatever the file"),
    ("asm-generic/ioctls.h", "FIO", None, "", "fs/ioctl.c: any file"),
    ("asm-generic/sockios.h", "FIO", None, "", "fs/fcntl.c: the task that gets SIGIO"),
    ("linux/fs.h", "BLK", Some(S::Block), "block/ioctl.c", ""),
    ("linux/fs.h", "PAGEMAP_", Some(S::Memory), "fs/proc/task_mmu.c", "the memory map of a process"),
    ("linux/fs.h", "PROCMAP_", Some(S::Memory), "fs/proc/task_mmu.c", "the memory map of a process"),
    ("linux/sockios.h", "SIOCADDRT", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCBOND", Some(S::Network), "drivers/net/bonding/bond_main.c", ""),
    ("linux/sockios.h", "SIOCBR", Some(S::Network), "net/bridge/br_ioctl.c", ""),
    ("linux/sockios.h", "SIOCDARP", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCDELRT", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCDIFADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGARP", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGIFADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGIFBRDADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGIFBR", Some(S::Network), "net/bridge/br_ioctl.c", ""),
    ("linux/sockios.h", "SIOCGIFDSTADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGIFNETMASK", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGIFPFLAGS", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCGSKNS", Some(S::Network), "net/socket.c", ""),
    ("linux/sockios.h", "SIOCSARP", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCSIFADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCSIFBRDADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCSIFBR", Some(S::Network), "net/bridge/br_ioctl.c", ""),
    ("linux/sockios.h", "SIOCSIFDSTADDR", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCSIFNETMASK", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCSIFPFLAGS", Some(S::Network), "", "the socket's own family"),
    ("linux/sockios.h", "SIOCINQ", None, "", "what the socket's own family counts"),
    ("linux/sockios.h", "SIOCOUTQ", None, "", "what the socket's own family counts"),
    ("scsi/sg.h", "SG_EMULATED_HOST", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_GET_RESERVED_SIZE", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_GET_TIMEOUT", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_GET_VERSION_NUM", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_IO", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_SET_RESERVED_SIZE", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
    ("scsi/sg.h", "SG_SET_TIMEOUT", Some(S::Block), "drivers/scsi/scsi_ioctl.c", "any SCSI device"),
];

/// Headers with plain numbers as commands: header, prefixes of their names.
pub(super) const PLAIN: &[(&str, &[&str])] = &[
    ("asm-generic/ioctls.h", &["TC", "TIO", "FIO"]),
    ("asm-generic/sockios.h", &["SIOC", "FIO"]),
    ("linux/atalk.h", &["SIOC"]),
    ("linux/ax25.h", &["SIOC"]),
    ("linux/bpqether.h", &["SIOC"]),
    ("linux/cdrom.h", &["CDROM", "DVD_"]),
    ("linux/fb.h", &["FBIO"]),
    ("linux/hdreg.h", &["HDIO_"]),
    ("linux/if_pppox.h", &["PPPOEIOC"]),
    ("linux/kd.h", &["GIO_", "PIO_", "KD", "KI"]),
    ("linux/loop.h", &["LOOP_"]),
    ("linux/lp.h", &["LP"]),
    ("linux/kcm.h", &["SIOC"]),
    ("linux/mctp.h", &["SIOC"]),
    ("linux/mroute.h", &["SIOC"]),
    ("linux/mroute6.h", &["SIOC"]),
    ("linux/netrom.h", &["SIOC"]),
    ("linux/phonet.h", &["SIOC"]),
    ("linux/rds.h", &["SIOC"]),
    ("linux/rose.h", &["SIOC"]),
    ("linux/sockios.h", &["SIOC"]),
    ("linux/tipc.h", &["SIOC"]),
    ("linux/un.h", &["SIOC"]),
    ("linux/vt.h", &["VT_"]),
    ("linux/wireless.h", &["SIOC"]),
    ("linux/x25.h", &["SIOC"]),
    ("scsi/scsi.h", &["SCSI_IOCTL_"]),
    ("scsi/scsi_ioctl.h", &["SCSI_IOCTL_"]),
    ("scsi/sg.h", &["SG_"]),
];

/// Names that look like commands: bits, sizes, ends of ranges; `*` for the rest of the name.
const NONE: &[&str] = &[
    "CDROM_LBA",
    "CDROM_MSF",
    "CDROM_DATA_TRACK",
    "CDROM_LEADOUT",
    "CDROM_PACKET_SIZE",
    "CDROM_AUDIO_*",
    "DVD_STRUCT_*",
    "DVD_LU_*",
    "DVD_HOST_*",
    "DVD_AUTH_*",
    "DVD_INVALIDATE_AGID",
    "DVD_CGMS_*",
    "DVD_CP_*",
    "DVD_CPM_*",
    "DVD_LAYERS",
    "HDIO_DRIVE_CMD_HDR_SIZE",
    "HDIO_DRIVE_HOB_HDR_SIZE",
    "HDIO_DRIVE_TASK_HDR_SIZE",
    "KD_TEXT*",
    "KD_GRAPHICS",
    "KD_FONT_*",
    "LP_*",
    "LOOP_SET_STATUS_SETTABLE_FLAGS",
    "LOOP_SET_STATUS_CLEARABLE_FLAGS",
    "LOOP_CONFIGURE_SETTABLE_FLAGS",
    "SIOCIWFIRST",
    "SIOCIWFIRSTPRIV",
    "SIOCIWLAST",
    "SIOCIWLASTPRIV",
    "TIOCPKT_*",
    "TIOCSER_TEMT",
    "SG_MAX_*",
    "SG_DXFER_*",
    "SG_FLAG_*",
    "SG_INFO_*",
    "SG_INTERFACE_*",
    "SG_SCATTER_*",
    // 1 to 6, which every driver may use and strace does not name either.
    "SCSI_IOCTL_BENCHMARK_COMMAND",
    "SCSI_IOCTL_SEND_COMMAND",
    "SCSI_IOCTL_START_UNIT",
    "SCSI_IOCTL_STOP_UNIT",
    "SCSI_IOCTL_SYNC",
    "SCSI_IOCTL_TEST_UNIT_READY",
    // Sent through BINDER_WRITE_READ.
    "BC_*",
    "BR_*",
    "SG_SCSI_RESET_*",
    "SG_DEF_*",
    "SG_BIG_*",
    "SG_DEFAULT_*",
    "VT_AUTO",
    "VT_PROCESS",
    "VT_ACKACQ",
    "VT_EVENT_*",
    "VT_MAX*",
];

/// Commands without a number on every target: name or its prefix, reason.
const WITHOUT_NUMBER: &[(&str, &str)] = &[
    ("AUTOFS_IOC_SETTIMEOUT32", AS_32_BIT),
    ("CIOC_KERNEL_VERSION", "its header needs the C library's types; Coda asks once when it is mounted"),
    ("EXT4_IOC32_GROUP_ADD", AS_32_BIT),
    ("KVM_ALLOCATE_RMA", "PowerPC's struct"),
    ("KVM_CREATE_SPAPR_TCE*", "PowerPC's struct"),
    ("KVM_PPC_*", "PowerPC's struct"),
    ("KVM_S390_*", "s390's struct"),
    ("USBDEVFS_*", AS_32_BIT),
    ("VIDIOC_OMAP3ISP_STAT_REQ_TIME32", AS_32_BIT),
];

const AS_32_BIT: &str = "the kernel's name for what 32-bit programs call by the name without 32";

/// A name and its header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) header: String,
}

/// What a command reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) subsystem: Option<Subsystem>,
    /// The source file or folder that implements it; empty: no single one.
    pub(super) source: &'static str,
    pub(super) reason: &'static str,
}

/// Returns true if the name is not a command, whatever its prefix.
pub(super) fn is_none(name: &str) -> bool {
    NONE.iter().any(|none| is_meant(none, name))
}

/// Returns true for the whole name, or for its prefix if the pattern ends in `*`.
fn is_meant(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |prefix| name.starts_with(prefix))
}

/// Returns the rule of a header.
pub(super) fn rule(header: &str) -> Rule {
    let rules = HEADERS.iter().filter(|(prefix, ..)| header.starts_with(prefix));
    rules.max_by_key(|(prefix, ..)| prefix.len()).copied().unwrap_or(HEADERS[0])
}

/// Returns the rule of a name: it applies in every header that the header's rule is for.
fn named(header: &str, name: &str) -> Option<usize> {
    let of = rule(header).0;
    NAMES.iter().position(|(header, prefix, ..)| *header == of && name.starts_with(prefix))
}

/// Returns what a command reaches, and why.
pub(super) fn reached(header: &str, name: &str) -> Reached {
    let (_, subsystem, _, source, reason) = rule(header);
    match named(header, name).map(|at| NAMES[at]) {
        Some((_, _, subsystem, source, reason)) => Reached { subsystem, source, reason },
        None => Reached { subsystem, source, reason },
    }
}

/// Returns the rules that match none of these commands, excluded names ([`is_none`]) or commands
/// without a number.
pub(super) fn unused(commands: &BTreeSet<Named>, excluded: &BTreeSet<String>, without: &[&Named]) -> Vec<String> {
    let headers: BTreeSet<&str> = commands.iter().map(|command| rule(&command.header).0).collect();
    let names: BTreeSet<usize> = commands.iter().filter_map(|command| named(&command.header, &command.name)).collect();
    let in_header = |header: &str, prefix: &str| {
        commands.iter().any(|command| command.header == header && command.name.starts_with(prefix))
    };
    let plain = PLAIN.iter().flat_map(|&(header, prefixes)| prefixes.iter().map(move |&prefix| (header, prefix)));
    let by_header = HEADERS.iter().filter(|(prefix, ..)| !headers.contains(prefix));
    let by_name = (0..NAMES.len()).filter(|at| !names.contains(at));
    let plain = plain.filter(|(header, prefix)| !in_header(header, prefix));
    let none = NONE.iter().filter(|none| !excluded.iter().any(|name| is_meant(none, name)));
    let is_in_vain = |of: &str| !without.iter().any(|named| is_meant(of, &named.name));
    let in_vain = WITHOUT_NUMBER.iter().filter(|(of, _)| is_in_vain(of));
    let exported = EXPORTED.iter().filter(|(header, ..)| !in_header(header, ""));
    let before = BEFORE.iter().filter(|(header, ..)| !in_header(header, ""));
    (by_header.map(|(prefix, ..)| format!("HEADERS {prefix}")))
        .chain(by_name.map(|at| format!("NAMES {} {}", NAMES[at].0, NAMES[at].1)))
        .chain(plain.map(|(header, prefix)| format!("PLAIN {header} {prefix}")))
        .chain(none.map(|none| format!("NONE {none}")))
        .chain(in_vain.map(|(of, _)| format!("WITHOUT_NUMBER {of}")))
        .chain(before.map(|(header, ..)| format!("BEFORE {header}")))
        .chain(exported.map(|(header, ..)| format!("EXPORTED {header}")))
        .collect()
}

/// Returns the commands without a number that no rule lists.
pub(super) fn unexpected(without: &[&Named]) -> Vec<String> {
    let is_expected = |named: &&&Named| WITHOUT_NUMBER.iter().any(|(of, _)| is_meant(of, &named.name));
    let unexpected = without.iter().filter(|named| !is_expected(named));
    unexpected.map(|named| format!("{} ({})", named.name, named.header)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_of_a_header_decides_and_some_names_before_it() {
        for (header, name, expected) in [
            ("linux/sockios.h", "SIOCGIFMTU", Some(S::Network)),
            ("linux/fs.h", "FICLONE", None),
            ("linux/fs.h", "BLKGETSIZE", Some(S::Block)),
            ("asm-generic/ioctls.h", "FIONREAD", None),
            ("asm-generic/ioctls.h", "TCGETS", Some(S::Device)),
            ("linux/kvm.h", "KVM_RUN", Some(S::Kvm)),
            ("linux/joystick.h", "JSIOCGNAME", Some(S::Device)),
        ] {
            assert_eq!(reached(header, name).subsystem, expected, "{header} {name}");
        }
    }

    #[test]
    fn rules_are_ordered_and_explained() {
        assert!(HEADERS.iter().all(|(_, _, on, source, reason)| !on.is_empty() && (*source, *reason) != ("", "")));
        assert!(NAMES.iter().all(|(_, _, _, source, reason)| (*source, *reason) != ("", "")));
    }

    #[test]
    fn what_is_no_command_is_left_out() {
        assert!(is_none("TIOCPKT_DATA") && is_none("VT_AUTO"));
        assert!(!is_none("TIOCPKT") && !is_none("VT_ACTIVATE"));
    }

    #[test]
    fn rule_without_a_command_is_named() {
        let sg_io = Named { name: "SG_IO".to_owned(), header: "scsi/sg.h".to_owned() };
        let unused = unused(&BTreeSet::from([sg_io]), &BTreeSet::from(["SG_MAX_SENSE".to_owned()]), &[]);
        let is_named = |rule: &str| unused.iter().any(|known| known == rule);
        for used in ["HEADERS scsi/sg.h", "PLAIN scsi/sg.h SG_", "NONE SG_MAX_*", "EXPORTED scsi/sg.h"] {
            assert!(!is_named(used), "{used}");
        }
        for rule in ["HEADERS scsi/scsi", "PLAIN scsi/scsi.h SCSI_IOCTL_", "NAMES linux/fs.h BLK", "NONE VT_AUTO"] {
            assert!(is_named(rule), "{rule}");
        }
    }
}
