//! The kinds of objects behind fds: filesystems, anonymous inodes, socket families, namespaces and
//! some devices, each with the source file that creates it. Main function: [`derive`].
//!
//! The names come from the sources. The subsystem of a source file is curated.

use std::collections::BTreeMap;

use sysguard::unstable::model::attribution::{Subsystem, Subsystem as S};

use crate::Result;
use crate::names::without_comments;
use crate::places::{Options, Places};
use crate::tree::Tree;

/// One kind of object: `file:ext4`, `anon_inode:eventfd`, `char:urandom`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Its name as an object.
    pub name: String,
    /// The subsystem of its source file.
    pub subsystem: Subsystem,
    /// The file that creates it.
    pub source: String,
    /// That file's section of MAINTAINERS, or `core:<file>`.
    pub section: String,
    /// The options that build that file, or `None` if no Makefile names it.
    pub options: Option<Options>,
}

/// The subsystem of the code below a path when it serves an open file. The longest prefix decides.
const OWNERS: &[(&str, Subsystem)] = &[
    ("arch/", S::Arch),
    ("arch/s390/hypfs/", S::Filesystem),
    ("block/", S::Block),
    ("crypto/", S::Crypto),
    ("drivers/", S::Device),
    ("drivers/base/devtmpfs.c", S::Filesystem),
    ("drivers/block/", S::Block),
    ("drivers/char/hw_random/", S::Random),
    ("drivers/char/random.c", S::Random),
    ("drivers/hv/", S::Kvm),
    ("drivers/md/", S::Block),
    ("drivers/net/", S::Network),
    ("drivers/nvme/", S::Block),
    ("drivers/scsi/", S::Block),
    ("drivers/vhost/", S::Kvm),
    ("drivers/virt/", S::Kvm),
    ("drivers/xen/", S::Kvm),
    ("fs/", S::Filesystem),
    ("fs/aio.c", S::Aio),
    ("fs/devpts/", S::Device),
    ("fs/eventfd.c", S::Poll),
    ("fs/eventpoll.c", S::Poll),
    ("fs/hugetlbfs/", S::Memory),
    ("fs/notify/", S::FsNotify),
    ("fs/nsfs.c", S::Namespace),
    ("fs/pidfs.c", S::Process),
    ("fs/resctrl/", S::Arch),
    ("fs/signalfd.c", S::Signal),
    ("fs/timerfd.c", S::Time),
    ("fs/tracefs/", S::Tracing),
    ("fs/userfaultfd.c", S::Memory),
    ("io_uring/", S::IoUring),
    ("ipc/mqueue.c", S::Mqueue),
    ("kernel/bpf/", S::Bpf),
    ("kernel/cgroup/", S::Cgroup),
    ("kernel/events/", S::Perf),
    ("kernel/power/", S::Boot),
    ("kernel/printk/", S::System),
    ("kernel/resource.c", S::Device),
    ("kernel/seccomp.c", S::Seccomp),
    ("mm/", S::Memory),
    ("mm/shmem.c", S::Filesystem),
    ("net/", S::Network),
    ("net/unix/", S::Unix),
    ("security/", S::Security),
    ("virt/", S::Kvm),
];

/// Devices of other subsystems than `device`, and devices that most programs open: name without its
/// number, source file, and a text in it.
///
/// The names are not generated, because a class or a macro creates most of them. Instead, the text
/// is checked.
const DEVICES: &[(&str, &str, &str)] = &[
    ("autofs", "fs/autofs/dev-ioctl.c", "AUTOFS_DEVICE_NAME"),
    ("bsg", "block/bsg.c", "\"bsg\""),
    ("btrfs-control", "fs/btrfs/super.c", "\"btrfs-control\""),
    ("cachefiles", "fs/cachefiles/main.c", "\"cachefiles\""),
    ("console", "drivers/tty/tty_io.c", "\"console\""),
    ("cpu/cpuid", "arch/x86/kernel/cpuid.c", "\"cpu/%u/cpuid\""),
    ("cpu/msr", "arch/x86/kernel/msr.c", "\"cpu/%u/msr\""),
    ("cpu_dma_latency", "kernel/power/qos.c", "\"cpu_dma_latency\""),
    ("cuse", "fs/fuse/cuse.c", "\"cuse\""),
    ("full", "drivers/char/mem.c", "\"full\""),
    ("fuse", "fs/fuse/dev.c", "\"fuse\""),
    ("hwrng", "drivers/char/hw_random/core.c", "\"hwrng\""),
    ("kmsg", "kernel/printk/printk.c", "kmsg_fops"),
    ("kvm", "virt/kvm/kvm_main.c", "KVM_MINOR"),
    ("loop-control", "drivers/block/loop.c", "\"loop-control\""),
    ("mapper/control", "drivers/md/dm-ioctl.c", "DM_CONTROL_NODE"),
    ("mcelog", "arch/x86/kernel/cpu/mce/dev-mcelog.c", "\"mcelog\""),
    ("net/tun", "drivers/net/tun.c", "\"net/tun\""),
    ("ng", "drivers/nvme/host/core.c", "\"ng%dn%d\""),
    ("null", "drivers/char/mem.c", "\"null\""),
    ("nvme", "drivers/nvme/host/core.c", "\"nvme\""),
    ("nvme-fabrics", "drivers/nvme/host/fabrics.c", "\"nvme-fabrics\""),
    ("ppp", "drivers/net/ppp/ppp_generic.c", "\"ppp\""),
    ("ptmx", "drivers/tty/pty.c", "\"ptmx\""),
    ("pts", "drivers/tty/pty.c", "\"pts\""),
    ("random", "drivers/char/random.c", "random_fops"),
    ("rfkill", "net/rfkill/core.c", "RFKILL_NAME"),
    ("sg", "drivers/scsi/sg.c", "\"sg%d\""),
    ("sgx_enclave", "arch/x86/kernel/cpu/sgx/driver.c", "\"sgx_enclave\""),
    ("sgx_provision", "arch/x86/kernel/cpu/sgx/main.c", "\"sgx_provision\""),
    ("sgx_vepc", "arch/x86/kernel/cpu/sgx/virt.c", "\"sgx_vepc\""),
    ("snapshot", "kernel/power/user.c", "\"snapshot\""),
    ("st", "drivers/scsi/st.c", "\"st\""),
    ("tap", "drivers/net/tap.c", "tap_fops"),
    ("tty", "drivers/tty/tty_io.c", "\"tty\""),
    ("ublk-control", "drivers/block/ublk_drv.c", "\"ublk-control\""),
    ("ublkc", "drivers/block/ublk_drv.c", "\"ublkc%d\""),
    ("urandom", "drivers/char/random.c", "urandom_fops"),
    ("userfaultfd", "fs/userfaultfd.c", "\"userfaultfd\""),
    ("vboxguest", "drivers/virt/vboxguest/vboxguest_linux.c", "DEVICE_NAME"),
    ("vhost-net", "drivers/vhost/net.c", "\"vhost-net\""),
    ("vhost-vsock", "drivers/vhost/vsock.c", "\"vhost-vsock\""),
    ("vsock", "net/vmw_vsock/af_vsock.c", "\"vsock\""),
    ("xen/evtchn", "drivers/xen/evtchn.c", "\"xen/evtchn\""),
    ("xen/gntalloc", "drivers/xen/gntalloc.c", "\"xen/gntalloc\""),
    ("xen/gntdev", "drivers/xen/gntdev.c", "\"xen/gntdev\""),
    ("xen/privcmd", "drivers/xen/privcmd.c", "\"xen/privcmd\""),
    ("xen/xenbus", "drivers/xen/xenbus/xenbus_dev_frontend.c", "\"xen/xenbus\""),
    ("xen/xenbus_backend", "drivers/xen/xenbus/xenbus_dev_backend.c", "\"xen/xenbus_backend\""),
    ("zero", "drivers/char/mem.c", "\"zero\""),
    ("zram-control", "drivers/block/zram/zram_drv.c", "zram-control"),
];

/// Kinds that cannot be derived: name, source file, and a text in it.
const OTHERS: &[(&str, &str, &str)] = &[
    ("anon_inode:pidfd", "fs/pidfs.c", "pidfs"),
    ("anon_inode:kvm-vcpu", "virt/kvm/kvm_main.c", "kvm-vcpu:%d"),
    ("anon_inode:kvm-vcpu-stats", "virt/kvm/kvm_main.c", "kvm-vcpu-stats:%d"),
    ("anon_inode:kvm-gmem", "virt/kvm/guest_memfd.c", "[kvm-gmem]"),
    ("anon_inode:kvm-vfio", "virt/kvm/vfio.c", "kvm-vfio"),
    ("anon_inode:infinibandevent", "drivers/infiniband/core/uverbs_std_types.c", "[infinibandevent]"),
    ("anon_inode:iommufd-pgfault", "drivers/iommu/iommufd/eventq.c", "[iommufd-pgfault]"),
    ("anon_inode:iommufd-viommu-event", "drivers/iommu/iommufd/eventq.c", "[iommufd-viommu-event]"),
    ("anon_inode:kfd_smi_ev", "drivers/gpu/drm/amd/amdkfd/kfd_smi_events.c", "kfd_smi_ev"),
    ("block", "block/fops.c", "def_blk_fops"),
    ("dmabuf", "drivers/dma-buf/dma-buf.c", "/%s:%s"),
    ("fifo", "fs/pipe.c", "fifo_open"),
    ("memfd", "mm/memfd.c", "memfd:"),
    ("pipe", "fs/pipe.c", "pipe:[%llu]"),
    ("secretmem", "mm/secretmem.c", "secretmem"),
    // The object is the interface of its subsystem, not a stored file.
    ("file:rpc_pipefs", "net/sunrpc/rpc_pipe.c", "rpc_pipefs"),
];

/// The folders that create filesystems, anonymous inodes, socket families and namespaces.
const ROOTS: [&str; 13] = [
    "arch/s390",
    "arch/x86",
    "block",
    "crypto",
    "drivers",
    "fs",
    "io_uring",
    "ipc",
    "kernel",
    "mm",
    "net",
    "security",
    "virt",
];

/// Returns every kind, from trees ordered from old to new. The newest tree with a kind gives its
/// place.
pub fn derive(trees: &[Tree]) -> Result<Vec<Kind>> {
    let mut kinds = BTreeMap::new();
    let places = trees.iter().map(Places::read).collect::<Result<Vec<_>>>()?;
    for (tree, places) in trees.iter().zip(&places).rev() {
        let mut made = made(tree)?;
        // Several protocols register a family, but af_*.c is the file of the family itself.
        made.sort_by_key(|(_, source)| !source.contains("/af_"));
        for (name, source) in made {
            kinds.entry(name).or_insert((source, places));
        }
    }
    let (newest, newest_places) =
        trees.last().zip(places.last()).ok_or("cannot derive the kinds of objects: no source tree given")?;
    let devices = DEVICES.iter().map(|&(name, source, text)| (format!("char:{name}"), source, text));
    let others = OTHERS.iter().map(|&(name, source, text)| (name.to_owned(), source, text));
    for (name, source, expected) in devices.chain(others) {
        let text = newest.read(source)?;
        if !text.contains(expected) {
            return Err(format!("cannot find {expected} in {source}\nhelp: adapt kinds.rs"));
        }
        kinds.insert(name, (source.to_owned(), newest_places));
    }
    let unused = OWNERS
        .iter()
        .filter(|(prefix, _)| !kinds.values().any(|(source, _)| rule(source).map(|rule| rule.0) == Some(*prefix)));
    let unused: Vec<&str> = unused.map(|(prefix, _)| *prefix).collect();
    if !unused.is_empty() {
        return Err(format!("no kind matches the rules for {}\nhelp: adapt kinds.rs", unused.join(", ")));
    }
    kinds
        .into_iter()
        .map(|(name, (source, places))| {
            let subsystem = match name.starts_with("ns:") {
                true => S::Namespace,
                false => owner(&source)
                    .ok_or_else(|| format!("no rule for {name} in {source}\nhelp: add one to kinds.rs"))?,
            };
            Ok(Kind { name, subsystem, section: places.section(&source), options: places.options(&source), source })
        })
        .collect()
}

/// Returns the name and source file of every kind in one tree.
pub fn made(tree: &Tree) -> Result<Vec<(String, String)>> {
    let mut made = Vec::new();
    for root in ROOTS {
        for path in
            tree.files(root, |name| name.ends_with(".c") && !name.contains("test") && !name.contains("kunit"))?
        {
            let text = tree.read(&path)?;
            if text.contains("struct net_proto_family") || text.contains("struct proc_ns_operations") {
                let text = without_comments(&text);
                made.extend(sockets(&text).into_iter().map(|name| (format!("socket:{name}"), path.clone())));
                made.extend(namespaces(&text).into_iter().map(|name| (format!("ns:{name}"), path.clone())));
            }
            if text.contains("struct file_system_type") || text.contains("anon_inode_") {
                let text = without_comments(&text);
                made.extend(filesystems(&text).into_iter().map(|name| (format!("file:{name}"), path.clone())));
                made.extend(anonymous(&text).into_iter().map(|name| (format!("anon_inode:{name}"), path.clone())));
            }
        }
    }
    Ok(made)
}

/// Reads `struct file_system_type X = { … .name = "ext4", … }`.
fn filesystems(text: &str) -> Vec<String> {
    names_of(text, "struct file_system_type ")
}

/// Reads `struct proc_ns_operations X = { .name = "net", … }`.
fn namespaces(text: &str) -> Vec<String> {
    names_of(text, "struct proc_ns_operations ")
}

/// Reads `struct net_proto_family X = { .family = PF_INET, … }`, and returns `AF_INET`.
fn sockets(text: &str) -> Vec<String> {
    let families = bodies(text, "struct net_proto_family ").filter_map(|body| field(body, ".family"));
    let plain = families.filter_map(|value| value.split(',').next()?.trim().split_once('_'));
    plain.filter(|(kind, _)| matches!(*kind, "AF" | "PF")).map(|(_, family)| format!("AF_{family}")).collect()
}

/// Returns the `.name` of each definition of this type.
fn names_of(text: &str, kind: &str) -> Vec<String> {
    bodies(text, kind).filter_map(|body| quoted(field(body, ".name")?)).map(str::to_owned).collect()
}

/// Returns the rest of a definition after the `=` of a field.
fn field<'t>(body: &'t str, name: &str) -> Option<&'t str> {
    body.split_once(name)?.1.trim_start().strip_prefix('=')
}

/// Returns the bodies of the definitions of this type.
fn bodies<'t>(text: &'t str, kind: &str) -> impl Iterator<Item = &'t str> {
    let starts = text.match_indices(kind).map(|(at, found)| &text[at + found.len()..]);
    starts.filter_map(|rest| {
        let (head, body) = rest.split_once('{')?;
        let end = body.find("};")?;
        (head.contains('=') && !head.contains(';')).then(|| &body[..end])
    })
}

/// Reads `anon_inode_getfile("[eventfd]", …)`, and returns the name without its brackets.
fn anonymous(text: &str) -> Vec<String> {
    let calls = text.match_indices("anon_inode_").map(|(at, found)| &text[at + found.len()..]);
    let arguments = calls.filter_map(|rest| {
        let (name, arguments) = rest.split_once('(')?;
        (name.starts_with("get") || name.starts_with("create_get")).then_some(arguments)
    });
    arguments.filter_map(quoted).map(|name| name.trim_matches(['[', ']']).to_owned()).collect()
}

/// Returns the string at the beginning of the text.
fn quoted(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

fn owner(path: &str) -> Option<Subsystem> {
    rule(path).map(|(_, subsystem)| subsystem)
}

/// Returns the rule for a path.
fn rule(path: &str) -> Option<(&'static str, Subsystem)> {
    let rules = OWNERS.iter().filter(|(prefix, _)| path.starts_with(prefix));
    rules.max_by_key(|(prefix, _)| prefix.len()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_definitions_and_calls() {
        let text = "static struct file_system_type ext4_fs_type = {\n\t.owner = THIS_MODULE,\n\t.name\t\t= \"ext4\",\n};\n\
                    struct file_system_type *get(void);\nfd = anon_inode_getfd(\"[timerfd]\", &ops);\n\
                    file = anon_inode_create_getfile(\n\t\"[io_uring]\", x);\nfd = anon_inode_getfd(name, x);\nanon_inode_make_secure_inode(a, \"x\");\n";
        assert_eq!(filesystems(text), ["ext4"]);
        assert_eq!(anonymous(text), ["timerfd", "io_uring"]);
    }

    #[test]
    fn families_and_namespaces_are_read_from_definitions() {
        let text = "static const struct net_proto_family a = {\n\t.family = PF_INET,\n\t.create = x,\n};\n\
                    static struct net_proto_family b __read_mostly = {\n\t.family\t=\tAF_X25,\n};\n\
                    const struct proc_ns_operations netns = {\n\t.name\t\t= \"net\",\n};\n\
                    static const struct proc_ns_operations *const all[] = {\n};\n";
        assert_eq!(sockets(text), ["AF_INET", "AF_X25"]);
        assert_eq!(namespaces(text), ["net"]);
    }

    #[test]
    fn longest_rule_decides() {
        assert_eq!(owner("fs/eventfd.c"), Some(S::Poll));
        assert_eq!(owner("fs/ext4/super.c"), Some(S::Filesystem));
        assert_eq!(owner("lib/x.c"), None);
    }

    #[test]
    fn rows_are_ordered() {
        assert!(OWNERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(DEVICES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
