//! Names of strace that the tables lack on purpose: the table, the name or its prefix, the reason.
//!
//! Shared with tests/kernel_tables.rs, which checks that no row is stale. It must not read files.
//! Main table: [`MISSING`].

/// Ordered by table and name. `*` matches anything.
pub(crate) const MISSING: &[(&str, &str, &str)] = &[
    (
        "CLONE",
        "CLONE_*",
        "an argument of clone names new namespaces and the cgroup; the sharing flags distinguish threads from processes",
    ),
    ("FCNTL", "F_CANCELLK", NO_CASE),
    ("FCNTL", "F_GET_FILE_RW_HINT", "Linux 6.12 no longer has it"),
    ("FCNTL", "F_SET_FILE_RW_HINT", "Linux 6.12 no longer has it"),
    ("FUTEX", "FUTEX_FD", "gone since Linux 2.6.26"),
    ("FUTEX", "FUTEX_UNLOCK_*_LIST32", NEWER),
    ("FUTEX", "FUTEX_UNLOCK_*_LIST64", NEWER),
    ("LEVEL", "AF_VSOCK", "a family: af_vsock.c takes it for a level, and so does the code that names levels"),
    ("PROTECTION", "PROT_ADI", OTHER),
    ("PROTECTION", "PROT_NONE", "no protection is no flag"),
    ("PROTECTION", "PROT_SAO", OTHER),
    (
        "SOL_AX25",
        "SO_BINDTODEVICE",
        "named SOL_SOCKET's in the kernel's headers; the number is that of AX25's level too",
    ),
    ("SOL_CAIF", "CAIFSO_RSP_PARAM", NO_CASE),
    ("SOL_IP", "ARPT_SO_GET_REVISION_MATCH", "a comment in the kernel's header"),
    ("SOL_IP", "IP_ORIGDSTADDR", "another name of IP_RECVORIGDSTADDR"),
    ("SOL_IPV6", "IPV6_AUTHHDR", NO_CASE),
    ("SOL_IPV6", "IPV6_HOPLIMIT", "ancillary data, no option"),
    ("SOL_IPV6", "IPV6_NEXTHOP", NO_CASE),
    ("SOL_IPV6", "IPV6_ORIGDSTADDR", "another name of IPV6_RECVORIGDSTADDR"),
    ("SOL_IPV6", "IPV6_USE_MIN_MTU", NO_CASE),
    ("SOL_LLC", "LLC_OPT_UNKNOWN", NO_CASE),
    ("SOL_NETLINK", "NETLINK_RX_RING", "gone since Linux 4.6"),
    ("SOL_NETLINK", "NETLINK_TX_RING", "gone since Linux 4.6"),
    ("SOL_PACKET", "PACKET_RECV_OUTPUT", NO_CASE),
    ("SOL_PACKET", "PACKET_TX_TIMESTAMP", "ancillary data, no option"),
    ("SOL_RDS", "RDS_BARRIER", NO_CASE),
    ("SOL_RDS", "RDS_INFO_FLOWS", "the header keeps its number free"),
    ("SOL_RDS", "SO_TIMESTAMP_OLD", "programs say it without _OLD, at SOL_SOCKET"),
    ("SOL_SCTP", "SCTP_GET_*_OLD", NO_CASE),
    ("SOL_SCTP", "SCTP_SENDMSG_CONNECT", "inside the kernel only"),
    ("SOL_SOCKET", "SO_*_OLD", "programs say it without _OLD"),
    ("SOL_TCP", "TCP_COOKIE_TRANSACTIONS", "gone since Linux 3.10"),
    ("SOL_VSOCK", "SO_VM_SOCKETS_CONNECT_TIMEOUT_OLD", "programs say it without _OLD"),
    ("ioctl", "ADV7842_CMD_RAM_TEST", KERNEL_ONLY),
    ("ioctl", "AMDKFD_IOC_PROFILER", NEWER),
    ("ioctl", "APEI_ERST_*", KERNEL_ONLY),
    ("ioctl", "BC_*", "passes through BINDER_WRITE_READ"),
    ("ioctl", "BR_*", "passes through BINDER_WRITE_READ"),
    ("ioctl", "BT819_FIFO_RESET_*", KERNEL_ONLY),
    ("ioctl", "BTRFS_IOC_GET_CSUMS", NEWER),
    ("ioctl", "CIOC_KERNEL_VERSION", "its header needs types of the C library"),
    ("ioctl", "CROS_EC_DEV_*", KERNEL_ONLY),
    ("ioctl", "DRM_IOCTL_MSM_PERFCNTR_CONFIG", NEWER),
    ("ioctl", "HDA_IOCTL_*", KERNEL_ONLY),
    ("ioctl", "IOW_*", KERNEL_ONLY),
    ("ioctl", "KYRO_IOCTL_*", KERNEL_ONLY),
    ("ioctl", "LIVEUPDATE_SESSION_GET_NAME", NEWER),
    ("ioctl", "MFB_*", KERNEL_ONLY),
    ("ioctl", "NCIUARTSETDRIVER", KERNEL_ONLY),
    ("ioctl", "ROCCATIOCGREPSIZE", KERNEL_ONLY),
    ("ioctl", "S5P_FIMC_TX_END_NOTIFY", KERNEL_ONLY),
    ("ioctl", "SAA6588_CMD_*", KERNEL_ONLY),
    ("ioctl", "SI4713_IOC_MEASURE_RNL", KERNEL_ONLY),
    ("ioctl", "SIOCIWFIRSTPRIV", "the first of a range"),
    ("ioctl", "SIOCIWLASTPRIV", "the last of a range"),
    ("ioctl", "SSTFB_*", KERNEL_ONLY),
    ("ioctl", "TUNER_SET_CONFIG", KERNEL_ONLY),
    ("ioctl", "USBDEVFS_SUBMITURB32", "a struct of the kernel's own"),
    ("ioctl", "V4L2_DEVICE_NOTIFY_EVENT", KERNEL_ONLY),
    ("ioctl", "V4L2_SUBDEV_IR_*", KERNEL_ONLY),
    ("ioctl", "VIDIOC_*_TIME32", "a struct of the kernel's own"),
    ("ioctl", "VIDIOC_INT_RESET", KERNEL_ONLY),
];

const KERNEL_ONLY: &str = "in a header of the kernel's own that is not installed";
const NEWER: &str = "newer than the kernels of the tables";
const NO_CASE: &str = "the kernel has no case for it";
const OTHER: &str = "of an architecture that is not traced";

/// Returns true if a row lists this name as missing from this table.
pub(crate) fn is_row(row: (&str, &str), table: &str, name: &str) -> bool {
    let (of, pattern) = row;
    let fits = match pattern.split_once('*') {
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    };
    of == table && fits
}
