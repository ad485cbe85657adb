//! Every ioctl command of the uapi headers: what `_IO`, `_IOR`, `_IOW` and `_IOWR` make there, and the plain numbers of the older headers.
//!
//! Which subsystem a header serves is judgement, each row with its reason; the numbers are the compiler's. Main function: [`derive`].

use std::collections::{BTreeMap, BTreeSet};

use kernel_source::{Compiler, PRELUDE, Result, TARGETS, Tree, declared};
use sysguard::model::attribution::{Subsystem, Subsystem as S};

/// One name of one command number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) number: u32,
    pub(crate) name: String,
    /// `None`: generic, so that the object decides.
    pub(crate) subsystem: Option<Subsystem>,
    /// Beginnings of the objects that know the number by this name; empty where it has no other.
    pub(crate) on: String,
    /// The header that defines it.
    pub(crate) header: String,
    /// Why it reaches what it reaches.
    pub(crate) why: &'static str,
}

/// What the headers below a path serve: beginning of the path, subsystem (`None`: whatever the object is), beginnings of its objects, reason.
/// The longest beginning decides; what is not here is a device.
const HEADERS: &[(&str, Option<Subsystem>, &str, &str)] = &[
    ("", Some(S::Device), "char:", "drivers, mostly"),
    (
        "asm-generic/ioctls.h",
        Some(S::Device),
        "char:tty char:pts char:ptmx char:console char:hvc char:vcs",
        "terminals; net/socket.c and fs/ioctl.c know some of the numbers",
    ),
    ("asm-generic/sockios.h", Some(S::Network), "socket:", "net/socket.c"),
    ("asm/kvm", Some(S::Kvm), "char:kvm anon_inode:kvm", "arch/*/kvm"),
    ("asm/mce.h", Some(S::Arch), "char:mcelog", "arch/x86/kernel/cpu/mce"),
    ("asm/msr.h", Some(S::Arch), "char:cpu", "arch/x86/kernel/msr.c"),
    ("asm/mtrr.h", Some(S::Arch), "file:proc", "arch/x86/kernel/cpu/mtrr"),
    ("asm/sgx.h", Some(S::Arch), "char:sgx", "arch/x86/kernel/cpu/sgx"),
    ("drm/", Some(S::Device), "char:dri char:accel", "drivers/gpu"),
    ("linux/acrn.h", Some(S::Kvm), "char:acrn", "drivers/virt/acrn"),
    ("linux/atalk.h", Some(S::Network), "socket:", "net/appletalk"),
    ("linux/atm", Some(S::Network), "socket:", "net/atm"),
    ("linux/auto_", Some(S::Filesystem), "char:autofs file:autofs dir:autofs pipe", "fs/autofs"),
    ("linux/ax25.h", Some(S::Network), "socket:", "net/ax25"),
    ("linux/blk", Some(S::Block), "block:", "block/"),
    ("linux/bpqether.h", Some(S::Network), "socket:", "drivers/net/hamradio"),
    ("linux/btrfs.h", Some(S::Filesystem), "file:btrfs dir:btrfs char:btrfs", "fs/btrfs"),
    ("linux/cachefiles.h", Some(S::Filesystem), "char:cachefiles anon_inode:cachefiles", "fs/cachefiles"),
    ("linux/cciss_ioctl.h", Some(S::Block), "block:", "drivers/scsi"),
    ("linux/cdrom.h", Some(S::Block), "block:", "drivers/cdrom"),
    ("linux/dm-ioctl.h", Some(S::Block), "char:mapper", "drivers/md"),
    ("linux/eventpoll.h", Some(S::Poll), "anon_inode:eventpoll", "fs/eventpoll.c"),
    ("linux/exfat.h", Some(S::Filesystem), "file:exfat dir:exfat", "fs/exfat"),
    ("linux/ext4.h", Some(S::Filesystem), "file:ext4 dir:ext4", "fs/ext4"),
    ("linux/f2fs.h", Some(S::Filesystem), "file:f2fs dir:f2fs", "fs/f2fs"),
    ("linux/fd.h", Some(S::Block), "block:", "drivers/block/floppy.c"),
    ("linux/fs.h", None, "file: dir: block:", "fs/ioctl.c: any file"),
    ("linux/fscrypt.h", None, "file: dir:", "fs/crypto: any file"),
    ("linux/fsmap.h", None, "file: dir:", "any filesystem"),
    ("linux/fsverity.h", None, "file: dir:", "fs/verity: any file"),
    ("linux/fuse.h", Some(S::Filesystem), "char:fuse", "fs/fuse"),
    ("linux/hdreg.h", Some(S::Block), "block:", "disks"),
    ("linux/if_pppox.h", Some(S::Network), "socket:", "drivers/net/ppp"),
    ("linux/if_tun.h", Some(S::Network), "char:net/tun char:tap", "drivers/net/tun.c"),
    ("linux/inotify.h", Some(S::FsNotify), "anon_inode:inotify", "fs/notify/inotify"),
    ("linux/kcm.h", Some(S::Network), "socket:AF_KCM", "net/kcm"),
    ("linux/kcov.h", Some(S::Tracing), "file:debugfs", "kernel/kcov.c"),
    ("linux/kvm", Some(S::Kvm), "char:kvm anon_inode:kvm", "virt/kvm"),
    ("linux/liveupdate.h", Some(S::Boot), "char:liveupdate", "kernel/liveupdate"),
    ("linux/loadpin.h", Some(S::Security), "file:securityfs", "security/loadpin"),
    ("linux/loop.h", Some(S::Block), "block: char:loop-control", "drivers/block/loop.c"),
    ("linux/mctp.h", Some(S::Network), "socket:AF_MCTP", "net/mctp"),
    ("linux/mroute.h", Some(S::Network), "socket:AF_INET:SOCK_RAW", "net/ipv4"),
    ("linux/mroute6.h", Some(S::Network), "socket:AF_INET6:SOCK_RAW", "net/ipv6"),
    ("linux/msdos_fs.h", Some(S::Filesystem), "dir: file:", "fs/fat"),
    ("linux/mshv.h", Some(S::Kvm), "char:mshv anon_inode:mshv", "drivers/hv"),
    ("linux/nbd.h", Some(S::Block), "block:", "drivers/block/nbd.c"),
    ("linux/netrom.h", Some(S::Network), "socket:", "net/netrom"),
    ("linux/nilfs2_api.h", Some(S::Filesystem), "file:nilfs2 dir:nilfs2", "fs/nilfs2"),
    ("linux/nitro_enclaves.h", Some(S::Kvm), "char:nitro_enclaves anon_inode:ne-vm", "drivers/virt/nitro_enclaves"),
    ("linux/nsfs.h", Some(S::Namespace), "ns:", "fs/nsfs.c"),
    ("linux/nvme_ioctl.h", Some(S::Block), "block: char:nvme char:ng", "drivers/nvme"),
    ("linux/perf_event.h", Some(S::Perf), "anon_inode:perf_event", "kernel/events"),
    ("linux/phonet.h", Some(S::Network), "socket:AF_PHONET", "net/phonet"),
    ("linux/pidfd.h", Some(S::Process), "anon_inode:pidfd", "fs/pidfs.c"),
    ("linux/pktcdvd.h", Some(S::Block), "char:pktcdvd", "drivers/block/pktcdvd.c"),
    ("linux/ppp", Some(S::Network), "char:ppp char:tty char:pts socket:", "drivers/net/ppp"),
    ("linux/ppdev.h", Some(S::Device), "char:parport", "drivers/char/ppdev.c"),
    ("linux/pr.h", Some(S::Block), "block:", "block/ioctl.c"),
    ("linux/raid/", Some(S::Block), "block:", "drivers/md"),
    ("linux/random.h", Some(S::Random), "char:random char:urandom", "drivers/char/random.c"),
    ("linux/rds.h", Some(S::Network), "socket:AF_RDS", "net/rds"),
    ("linux/reiserfs_fs.h", Some(S::Filesystem), "file:reiserfs dir:reiserfs", "fs/reiserfs"),
    ("linux/rfkill.h", Some(S::Network), "char:rfkill", "net/rfkill"),
    ("linux/rose.h", Some(S::Network), "socket:", "net/rose"),
    ("linux/seccomp.h", Some(S::Seccomp), "anon_inode:seccomp", "kernel/seccomp.c"),
    ("linux/sed-opal.h", Some(S::Block), "block:", "block/sed-opal.c"),
    ("linux/sev-guest.h", Some(S::Kvm), "char:sev-guest", "drivers/virt/coco"),
    ("linux/sockios.h", Some(S::Network), "socket:", "net/"),
    (
        "linux/soundcard.h",
        Some(S::Device),
        "char:audio char:dsp char:midi char:mixer char:music char:sequencer",
        "sound/",
    ),
    ("linux/sonet.h", Some(S::Network), "socket:", "net/atm"),
    ("linux/suspend_ioctls.h", Some(S::Boot), "char:snapshot", "kernel/power/user.c"),
    ("linux/tdx-guest.h", Some(S::Kvm), "char:tdx_guest", "drivers/virt/coco"),
    ("linux/timerfd.h", Some(S::Time), "anon_inode:timerfd", "fs/timerfd.c"),
    ("linux/tipc.h", Some(S::Network), "socket:AF_TIPC", "net/tipc"),
    ("linux/trace_mmap.h", Some(S::Tracing), "file:tracefs", "kernel/trace"),
    ("linux/ublk_cmd.h", Some(S::Block), "char:ublk", "drivers/block/ublk_drv.c"),
    ("linux/udf_fs_i.h", Some(S::Filesystem), "file:udf dir:udf", "fs/udf"),
    ("linux/un.h", Some(S::Unix), "socket:AF_UNIX", "net/unix"),
    ("linux/user_events.h", Some(S::Tracing), "file:tracefs", "kernel/trace/trace_events_user.c"),
    ("linux/userfaultfd.h", Some(S::Memory), "anon_inode:userfaultfd char:userfaultfd", "mm/userfaultfd.c"),
    ("linux/vboxguest.h", Some(S::Kvm), "char:vboxguest", "drivers/virt/vboxguest"),
    ("linux/vhost", Some(S::Kvm), "char:vhost", "drivers/vhost"),
    ("linux/vduse.h", Some(S::Kvm), "char:vduse", "drivers/vdpa"),
    ("linux/vm_sockets.h", Some(S::Network), "char:vsock socket:", "net/vmw_vsock"),
    ("linux/watch_queue.h", Some(S::Keys), "pipe", "kernel/watch_queue.c: of keys"),
    ("linux/wireless.h", Some(S::Network), "socket:", "net/wireless"),
    ("linux/x25.h", Some(S::Network), "socket:", "net/x25"),
    ("linux/zorro", Some(S::Device), "char:", "drivers/zorro"),
    ("scsi/cxlflash", Some(S::Block), "block:", "drivers/scsi"),
    ("scsi/scsi", Some(S::Block), "block: char:sg char:bsg", "drivers/scsi"),
    ("scsi/sg.h", Some(S::Block), "block: char:sg char:bsg", "drivers/scsi/sg.c"),
    ("sound/", Some(S::Device), "char:snd", "sound/"),
    ("xen/", Some(S::Kvm), "char:xen", "drivers/xen"),
];

/// Names that their header misplaces: header, beginning, subsystem, reason. The first decides.
const NAMES: &[(&str, &str, Option<Subsystem>, &str)] = &[
    ("asm-generic/ioctls.h", "FIOCLEX", Some(S::Filesystem), "fs/ioctl.c: of the fd, whatever the file"),
    ("asm-generic/ioctls.h", "FIONCLEX", Some(S::Filesystem), "fs/ioctl.c: of the fd, whatever the file"),
    ("asm-generic/ioctls.h", "FIO", None, "fs/ioctl.c: any file"),
    ("asm-generic/sockios.h", "FIO", None, "fs/fcntl.c: who is sent SIGIO"),
    ("linux/fs.h", "BLK", Some(S::Block), "block/ioctl.c"),
    ("linux/fs.h", "PAGEMAP_", Some(S::Memory), "fs/proc/task_mmu.c: the memory map of a process"),
    ("linux/sockios.h", "SIOCINQ", None, "what the socket's own family counts"),
    ("linux/sockios.h", "SIOCOUTQ", None, "what the socket's own family counts"),
    ("linux/fs.h", "PROCMAP_", Some(S::Memory), "fs/proc/task_mmu.c: the memory map of a process"),
];

/// Headers whose commands are plain numbers: header, beginnings of their names.
const PLAIN: &[(&str, &[&str])] = &[
    ("asm-generic/ioctls.h", &["TC", "TIO", "FIO"]),
    ("asm-generic/sockios.h", &["SIOC", "FIO"]),
    ("linux/ax25.h", &["SIOC"]),
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

/// What looks like a command and is none: bits, sizes, ends of ranges; `*` for the rest of the name.
const NONE: &[&str] = &[
    "CDROM_LBA",
    "CDROM_MSF",
    "CDROM_DATA_TRACK",
    "CDROM_LEADOUT",
    "CDROM_PACKET_SIZE",
    "CDROM_AUDIO_*",
    "CDROM_MAX_SLOTS",
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
    "KDMKTONE_*",
    "LP_*",
    "LPTIME_*",
    "LOOP_SET_STATUS_SETTABLE_FLAGS",
    "LOOP_SET_STATUS_CLEARABLE_FLAGS",
    "LOOP_CONFIGURE_SETTABLE_FLAGS",
    "LO_*",
    "SIOCDEVPRIVATE_*",
    "SIOCIWFIRST",
    "SIOCIWFIRSTPRIV",
    "SIOCIWLAST",
    "SIOCIWLASTPRIV",
    "SIOC_IOC_*",
    "TIOCM_*",
    "TIOCPKT_*",
    "TIOCSER_TEMT",
    "SG_MAX_*",
    "SG_DXFER_*",
    "SG_FLAG_*",
    "SG_INFO_*",
    "SG_INTERFACE_*",
    "SG_SCATTER_*",
    "SG_DEF_*",
    "SG_BIG_*",
    "SG_DEFAULT_*",
    "VT_AUTO",
    "VT_PROCESS",
    "VT_ACKACQ",
    "VT_EVENT_*",
    "VT_MAX*",
    "VT_RESIZE_*",
    "KIOCSOUND_*",
];

/// Every name of every number, from trees ordered from old to new; by number, the preferred name first.
pub(crate) fn derive(trees: &[Tree]) -> Result<Vec<Command>> {
    let mut found = BTreeMap::<u32, Vec<Named>>::new();
    let mut read = BTreeSet::new();
    for tree in trees.iter().rev() {
        for target in TARGETS {
            let compiler = Compiler::new(tree, target)?;
            let worth_it = |header: &Header| target.is_first_of_its_width() || header.is_of_an_architecture();
            for header in headers(tree, target.arch)?.into_iter().filter(worth_it) {
                // Most headers are the same in every tree.
                if !read.insert((target.arch, target.wide, header.name.clone(), header.text.clone())) {
                    continue;
                }
                let prelude = format!("{PRELUDE}#include <{}>\n", header.name);
                for (name, number) in commands(&header, &compiler, &prelude)? {
                    remember(found.entry(number).or_default(), Named { name, header: header.name.clone() });
                }
            }
        }
    }
    Ok(found.into_iter().flat_map(|(number, names)| rows(number, &names)).collect())
}

/// A name and the header it stands in.
struct Named {
    name: String,
    header: String,
}

/// One name for each kind of object: an alias beside it, the same command of an older tree, or what one filesystem calls a generic command tells nothing more.
fn remember(names: &mut Vec<Named>, named: Named) {
    let on = rule(&named.header).2;
    let is_generic = |known: &Named| rule(&known.header).0 == "linux/fs.h" && on.contains("file:");
    if !names.iter().any(|known| rule(&known.header).2 == on || is_generic(known)) {
        names.push(named);
    }
}

fn rows(number: u32, names: &[Named]) -> Vec<Command> {
    let command = |Named { name, header }: &Named| {
        let on = if names.len() > 1 { rule(header).2 } else { "" };
        let (subsystem, why) = reached(header, name);
        Command { number, name: name.clone(), subsystem, on: on.to_owned(), header: header.clone(), why }
    };
    names.iter().map(command).collect()
}

struct Header {
    /// As it is included: `linux/fs.h`.
    name: String,
    text: String,
}

impl Header {
    /// Whether what it says differs between architectures of one width, which lay out the same words alike.
    fn is_of_an_architecture(&self) -> bool {
        self.name.starts_with("asm/") || self.text.contains("#include <asm/kvm.h>")
    }
}

/// All of them, those that everybody means first.
fn headers(tree: &Tree, arch: &str) -> Result<Vec<Header>> {
    let mut headers = Vec::new();
    for root in ["include/uapi".to_owned(), format!("arch/{arch}/include/uapi")] {
        for path in tree.files(&root, |name| name.ends_with(".h"))? {
            let name = path[root.len() + 1..].to_owned();
            headers.push(Header { name, text: tree.read(&path)? });
        }
    }
    const FIRST: [&str; 5] = ["asm-generic/ioctls.h", "linux/fs.h", "linux/sockios.h", "linux/vt.h", "linux/kd.h"];
    let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    headers.sort_by_cached_key(|header| (rank(&header.name), header.name.clone()));
    Ok(headers)
}

/// The commands that one header defines.
fn commands(header: &Header, compiler: &Compiler, prelude: &str) -> Result<Vec<(String, u32)>> {
    let plain = PLAIN.iter().find(|(name, _)| *name == header.name).map_or(&[][..], |(_, prefixes)| prefixes);
    if plain.is_empty() && !header.text.contains("_IO") && !header.text.contains("_SIO") {
        return Ok(Vec::new());
    }
    let names: Vec<String> = declared(&header.text).into_iter().filter(|name| !is_none(name)).collect();
    let expansions = compiler.expansions(prelude, &names)?;
    let is_command = |name: &&String| {
        let encoded =
            expansions.get(*name).is_some_and(|text| text.trim_start_matches([' ', '(']).starts_with("_IOC("));
        encoded || plain.iter().any(|prefix| name.starts_with(prefix))
    };
    let names: Vec<String> = names.iter().filter(is_command).cloned().collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let values = compiler.values(prelude, &names)?;
    Ok(names.into_iter().filter_map(|name| values.get(&name).map(|&value| (name.clone(), value as u32))).collect())
}

fn is_none(name: &str) -> bool {
    NONE.iter().any(|none| none.strip_suffix('*').map_or(name == *none, |prefix| name.starts_with(prefix)))
}

type Rule = (&'static str, Option<Subsystem>, &'static str, &'static str);

/// The rule of a header.
fn rule(header: &str) -> Rule {
    let rules = HEADERS.iter().filter(|(prefix, ..)| header.starts_with(prefix));
    rules.max_by_key(|(prefix, ..)| prefix.len()).copied().unwrap_or(HEADERS[0])
}

/// What a command reaches, and why.
fn reached(header: &str, name: &str) -> (Option<Subsystem>, &'static str) {
    let rule = rule(header);
    // A name is misplaced by every header that the rule is for.
    let named = NAMES.iter().find(|(of, prefix, ..)| *of == rule.0 && name.starts_with(prefix));
    named.map_or((rule.1, rule.3), |&(_, _, subsystem, why)| (subsystem, why))
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
            assert_eq!(reached(header, name).0, expected, "{header} {name}");
        }
    }

    #[test]
    fn rules_are_ordered_and_explained() {
        assert!(HEADERS.iter().all(|(.., on, reason)| !on.is_empty() && !reason.is_empty()));
        assert!(NAMES.iter().all(|(.., reason)| !reason.is_empty()));
    }

    #[test]
    fn what_is_no_command_is_left_out() {
        assert!(is_none("TIOCPKT_DATA") && is_none("VT_AUTO"));
        assert!(!is_none("TIOCPKT") && !is_none("VT_ACTIVATE"));
    }
}
