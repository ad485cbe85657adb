//! The curated part of the arguments: which names are the values of which multiplexing call.
//!
//! What stands here is judgement, each rule with its reason; the values are the compiler's. Main function: [`derive`].

use std::collections::BTreeMap;

use kernel_source::{Compiler, PRELUDE, Result, TARGETS, Tree, cases, declared, plain_lines};
use sysguard::model::attribution::Subsystem;

use crate::reaches::reaches;

/// The values of one argument.
struct Vocabulary {
    /// The static that holds them.
    table: &'static str,
    /// The headers that give them their worth. A header that only the kernel includes is read for its plain definitions.
    headers: &'static [&'static str],
    /// Where their names stand.
    names: Names,
    /// What each begins with.
    prefix: &'static [&'static str],
    /// What begins so and is none of them: the whole name, or its beginning where that ends in `*`.
    but: &'static [&'static str],
}

enum Names {
    /// Declared in the headers.
    Declared,
    /// The labels of the kernel's own switch: file and function.
    Cases(&'static [(&'static str, &'static str)]),
}

/// One value as it is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) number: i64,
    /// What it reaches where that is not its call's own, and why.
    pub(crate) reaches: Option<(Subsystem, &'static str)>,
}

/// A table's name and its values, ordered by number.
pub(crate) type Table = (&'static str, Vec<Value>);

const UAPI: &str = "include/uapi/";
const KERNEL_SOCKET: &str = "include/linux/socket.h";

const fn declared_in(
    table: &'static str,
    headers: &'static [&'static str],
    prefix: &'static [&'static str],
    but: &'static [&'static str],
) -> Vocabulary {
    Vocabulary { table, headers, names: Names::Declared, prefix, but }
}

const fn switched_in(
    table: &'static str,
    headers: &'static [&'static str],
    prefix: &'static [&'static str],
    places: &'static [(&'static str, &'static str)],
) -> Vocabulary {
    Vocabulary { table, headers, names: Names::Cases(places), prefix, but: &[] }
}

const VOCABULARIES: &[Vocabulary] = &[
    declared_in("ARCH_PRCTL", &["asm/prctl.h"], &["ARCH_"], &["ARCH_XCOMP_*", "ARCH_SHSTK_SHSTK", "ARCH_SHSTK_WRSS"]),
    switched_in("BPF", &["linux/bpf.h"], &["BPF_"], &[("kernel/bpf/syscall.c", "__sys_bpf")]),
    declared_in("CLOCK", &["linux/time.h"], &["CLOCK_"], &["CLOCK_AUX_LAST"]),
    declared_in("CLONE", &["linux/sched.h"], &["CLONE_NEW", "CLONE_INTO_CGROUP"], &[]),
    declared_in("FAMILY", &[KERNEL_SOCKET], &["AF_"], &["AF_LOCAL", "AF_ROUTE", "AF_MAX"]),
    switched_in(
        "FCNTL",
        &["linux/fcntl.h"],
        &["F_"],
        &[("fs/fcntl.c", "do_fcntl"), ("fs/fcntl.c", "do_compat_fcntl64"), ("fs/fcntl.c", "SYSCALL_DEFINE3(fcntl64")],
    ),
    switched_in("FUTEX", &["linux/futex.h"], &["FUTEX_"], &[("kernel/futex/syscalls.c", "do_futex")]),
    switched_in(
        "IPC",
        &["linux/ipc.h"],
        &["SEM", "MSG", "SHM"],
        &[("ipc/syscall.c", "ksys_ipc"), ("ipc/syscall.c", "compat_ksys_ipc")],
    ),
    switched_in(
        "KEYCTL",
        &["linux/keyctl.h"],
        &["KEYCTL_"],
        &[
            ("security/keys/keyctl.c", "SYSCALL_DEFINE5(keyctl"),
            ("security/keys/compat.c", "COMPAT_SYSCALL_DEFINE5(keyctl"),
        ],
    ),
    declared_in("LEVEL", &[KERNEL_SOCKET, "asm/socket.h"], &["SOL_"], &[]),
    declared_in("MADVISE", &["asm/mman.h"], &["MADV_"], &[]),
    declared_in("NETLINK", &["linux/netlink.h"], &["NETLINK_"], &[]),
    declared_in("PERF_TYPE", &["linux/perf_event.h"], &["PERF_TYPE_"], &["PERF_TYPE_MAX"]),
    switched_in(
        "PRCTL",
        &["linux/prctl.h"],
        &["PR_"],
        &[
            ("kernel/sys.c", "SYSCALL_DEFINE5(prctl"),
            ("security/commoncap.c", "cap_task_prctl"),
            ("security/yama/yama_lsm.c", "yama_task_prctl"),
        ],
    ),
    declared_in("PROTECTION", &["asm/mman.h"], &["PROT_"], &["PROT_NONE"]),
    declared_in("SECCOMP", &["linux/seccomp.h"], &["SECCOMP_SET_MODE_", "SECCOMP_GET_"], &[]),
    declared_in("SOCKETCALL", &["linux/net.h"], &["SYS_"], &[]),
    declared_in(
        "SOCKET_TYPE",
        &["include/linux/net.h"],
        &["SOCK_"],
        &["SOCK_MAX", "SOCK_TYPE_MASK", "SOCK_CLOEXEC", "SOCK_NONBLOCK"],
    ),
];

/// Options of one level: the static's name is `OPTIONS`, and the level's number precedes the option's.
const OPTIONS: &[(&str, Vocabulary)] = &[
    ("SOL_ALG", declared_in("", &["linux/if_alg.h"], &["ALG_SET_"], &[])),
    ("SOL_ICMPV6", declared_in("", &["linux/icmpv6.h"], &["ICMPV6_FILTER"], &["ICMPV6_FILTER_*"])),
    (
        "SOL_IP",
        switched_in(
            "",
            &["linux/in.h"],
            &["IP_", "MCAST_"],
            &[("net/ipv4/ip_sockglue.c", "do_ip_setsockopt"), ("net/ipv4/ip_sockglue.c", "do_ip_getsockopt")],
        ),
    ),
    (
        "SOL_IP",
        declared_in("", &["linux/netfilter_ipv4/ip_tables.h"], &["IPT_SO_"], &["IPT_SO_SET_MAX", "IPT_SO_GET_MAX"]),
    ),
    (
        "SOL_IPV6",
        switched_in(
            "",
            &["linux/in6.h", "linux/in.h"],
            &["IPV6_", "MCAST_"],
            &[("net/ipv6/ipv6_sockglue.c", "do_ipv6_setsockopt"), ("net/ipv6/ipv6_sockglue.c", "do_ipv6_getsockopt")],
        ),
    ),
    (
        "SOL_IPV6",
        declared_in(
            "",
            &["linux/netfilter_ipv6/ip6_tables.h"],
            &["IP6T_SO_"],
            &["IP6T_SO_SET_MAX", "IP6T_SO_GET_MAX", "IP6T_SO_ORIGINAL_DST"],
        ),
    ),
    (
        "SOL_MPTCP",
        declared_in(
            "",
            &["linux/mptcp.h"],
            &["MPTCP_INFO", "MPTCP_TCPINFO", "MPTCP_SUBFLOW_ADDRS", "MPTCP_FULL_INFO"],
            &["MPTCP_INFO_*"],
        ),
    ),
    (
        "SOL_NETLINK",
        switched_in(
            "",
            &["linux/netlink.h"],
            &["NETLINK_"],
            &[("net/netlink/af_netlink.c", "netlink_setsockopt"), ("net/netlink/af_netlink.c", "netlink_getsockopt")],
        ),
    ),
    (
        "SOL_PACKET",
        switched_in(
            "",
            &["linux/if_packet.h"],
            &["PACKET_"],
            &[("net/packet/af_packet.c", "packet_setsockopt"), ("net/packet/af_packet.c", "packet_getsockopt")],
        ),
    ),
    ("SOL_RAW", declared_in("", &["linux/icmp.h"], &["ICMP_FILTER"], &[])),
    (
        "SOL_SCTP",
        switched_in(
            "",
            &["linux/sctp.h"],
            &["SCTP_"],
            &[("net/sctp/socket.c", "sctp_setsockopt"), ("net/sctp/socket.c", "sctp_getsockopt")],
        ),
    ),
    ("SOL_SOCKET", declared_in("", &["asm/socket.h"], &["SO_"], &[])),
    (
        "SOL_TCP",
        switched_in(
            "",
            &["linux/tcp.h"],
            &["TCP_"],
            &[("net/ipv4/tcp.c", "do_tcp_setsockopt"), ("net/ipv4/tcp.c", "do_tcp_getsockopt")],
        ),
    ),
    (
        "SOL_TLS",
        switched_in(
            "",
            &["linux/tls.h"],
            &["TLS_"],
            &[("net/tls/tls_main.c", "do_tls_setsockopt"), ("net/tls/tls_main.c", "do_tls_getsockopt")],
        ),
    ),
    (
        "SOL_UDP",
        switched_in(
            "",
            &["linux/udp.h"],
            &["UDP_"],
            &[("net/ipv4/udp.c", "udp_lib_setsockopt"), ("net/ipv4/udp.c", "udp_lib_getsockopt")],
        ),
    ),
    ("SOL_VSOCK", declared_in("", &["linux/vm_sockets.h"], &["SO_VM_SOCKETS_"], &[])),
    (
        "SOL_XDP",
        switched_in(
            "",
            &["linux/if_xdp.h"],
            &["XDP_"],
            &[("net/xdp/xsk.c", "xsk_setsockopt"), ("net/xdp/xsk.c", "xsk_getsockopt")],
        ),
    ),
];

/// Every table, from trees ordered from old to new: a value keeps the name that the newest tree gives it.
pub(crate) fn derive(trees: &[Tree]) -> Result<Vec<Table>> {
    let mut numbers = BTreeMap::<(&str, i64, bool), String>::new();
    for tree in trees.iter().rev() {
        for target in TARGETS {
            let compiler = Compiler::new(tree, target)?;
            for vocabulary in VOCABULARIES {
                for (name, number) in vocabulary.values(tree, &compiler)? {
                    numbers.entry((vocabulary.table, number, false)).or_insert(name);
                }
            }
            for (level, options) in OPTIONS {
                for (name, number) in options.values(tree, &compiler)? {
                    // `IPT_SO_SET_REPLACE` and `IPT_SO_GET_INFO` are one number.
                    let reads = name.contains("_GET_");
                    numbers.entry((level, number, reads)).or_insert(name);
                }
            }
        }
    }
    let table = |table: &'static str| {
        let rows = numbers.range((table, i64::MIN, false)..=(table, i64::MAX, true));
        rows.map(|(&(_, number, _), name)| Value { name: name.clone(), number, reaches: reaches(table, name) })
            .collect()
    };
    let mut tables: Vec<Table> =
        VOCABULARIES.iter().map(|vocabulary| (vocabulary.table, table(vocabulary.table))).collect();
    let mut levels: Vec<_> = OPTIONS.iter().map(|&(level, _)| level).collect();
    levels.dedup();
    tables.extend(levels.into_iter().map(|level| (level, table(level))));
    for (name, values) in &tables {
        if values.is_empty() {
            return Err(format!("find the values of {name}: none: adapt vocabularies.rs"));
        }
    }
    Ok(tables)
}

impl Vocabulary {
    /// Names and numbers in the order in which names are preferred.
    fn values(&self, tree: &Tree, compiler: &Compiler) -> Result<Vec<(String, i64)>> {
        let names = self.names(tree)?;
        let values = compiler.values(&self.prelude(tree)?, &names)?;
        let mut found: Vec<_> = names.iter().filter_map(|name| Some((name.clone(), *values.get(name)?))).collect();
        // `SO_SNDTIMEO` is `SO_SNDTIMEO_OLD` wherever programs say so.
        found.sort_by_key(|(name, _)| name.ends_with("_OLD"));
        Ok(found)
    }

    fn names(&self, tree: &Tree) -> Result<Vec<String>> {
        let mut names = Vec::new();
        match &self.names {
            Names::Declared => {
                for header in self.headers {
                    names.extend(declared(&self.text(tree, header)?));
                    // asm/X.h mostly includes asm-generic/X.h.
                    let generic = header.replace("asm/", "include/uapi/asm-generic/");
                    names.extend(tree.read_if_present(&generic).map(|text| declared(&text)).unwrap_or_default());
                    let common = generic.replace(".h", "-common.h");
                    names.extend(tree.read_if_present(&common).map(|text| declared(&text)).unwrap_or_default());
                }
            }
            Names::Cases(places) => {
                for (file, function) in *places {
                    names.extend(cases(&tree.read(file)?, function));
                }
            }
        }
        names.retain(|name| self.wants(name));
        Ok(names)
    }

    fn wants(&self, name: &str) -> bool {
        let excluded = |but: &&str| but.strip_suffix('*').map_or(name == *but, |prefix| name.starts_with(prefix));
        self.prefix.iter().any(|prefix| name.starts_with(prefix)) && !self.but.iter().any(excluded)
    }

    /// What the compiler reads before the names: the uapi headers, or the plain lines of a header that only the kernel includes.
    fn prelude(&self, tree: &Tree) -> Result<String> {
        let mut prelude = PRELUDE.to_owned();
        for header in self.headers {
            if header.starts_with("include/linux/") {
                prelude += &plain_lines(&tree.read(header)?, self.prefix);
            } else {
                prelude += &format!("#include <{header}>\n");
            }
        }
        Ok(prelude)
    }

    /// A header as all architectures have it.
    fn text(&self, tree: &Tree, header: &str) -> Result<String> {
        if header.starts_with("include/linux/") {
            return tree.read(header);
        }
        let arches = TARGETS.map(|target| format!("arch/{}/include/uapi/{header}", target.arch));
        let places = [format!("{UAPI}{header}")].into_iter().chain(arches);
        Ok(places.filter_map(|path| tree.read_if_present(&path)).collect())
    }
}
