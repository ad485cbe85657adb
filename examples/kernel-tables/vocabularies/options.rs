//! The socket options by level: which names are options, and where the kernel reads them.

use super::{Vocabulary, declared_in, switched_in};

/// Options of one level: the static's name is `OPTIONS`, and the level's number precedes the
/// option's.
pub(super) const OPTIONS: &[(&str, Vocabulary)] = &[
    ("SOL_ALG", declared_in("", &["linux/if_alg.h"], &["ALG_SET_"], &[])),
    (
        "SOL_AX25",
        switched_in(
            "",
            &["linux/ax25.h"],
            &["AX25_"],
            &[("net/ax25/af_ax25.c", "ax25_setsockopt"), ("net/ax25/af_ax25.c", "ax25_getsockopt")],
        ),
    ),
    (
        "SOL_BLUETOOTH",
        switched_in(
            "",
            &["include/net/bluetooth/bluetooth.h"],
            &["BT_"],
            &[
                ("net/bluetooth/l2cap_sock.c", "l2cap_sock_setsockopt"),
                ("net/bluetooth/l2cap_sock.c", "l2cap_sock_getsockopt"),
                ("net/bluetooth/sco.c", "sco_sock_setsockopt"),
                ("net/bluetooth/sco.c", "sco_sock_getsockopt"),
                ("net/bluetooth/iso.c", "iso_sock_setsockopt"),
                ("net/bluetooth/iso.c", "iso_sock_getsockopt"),
            ],
        ),
    ),
    (
        "SOL_CAIF",
        switched_in("", &["linux/caif/caif_socket.h"], &["CAIFSO_"], &[("net/caif/caif_socket.c", "setsockopt")]),
    ),
    (
        "SOL_CAN_RAW",
        switched_in(
            "",
            &["linux/can/raw.h"],
            &["CAN_RAW_"],
            &[("net/can/raw.c", "raw_setsockopt"), ("net/can/raw.c", "raw_getsockopt")],
        ),
    ),
    ("SOL_DCCP", declared_in("", &["linux/dccp.h"], &["DCCP_SOCKOPT_"], &[])),
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
        "SOL_IP",
        declared_in("", &["linux/netfilter_arp/arp_tables.h"], &["ARPT_SO_"], &["ARPT_SO_SET_MAX", "ARPT_SO_GET_MAX"]),
    ),
    (
        "SOL_IP",
        declared_in("", &["linux/netfilter_bridge/ebtables.h"], &["EBT_SO_"], &["EBT_SO_SET_MAX", "EBT_SO_GET_MAX"]),
    ),
    ("SOL_IP", declared_in("", &["linux/ip_vs.h"], &["IP_VS_SO_"], &["IP_VS_SO_SET_MAX", "IP_VS_SO_GET_MAX"])),
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
        "SOL_IPV6",
        switched_in(
            "",
            &["linux/in6.h"],
            &["IPV6_"],
            &[("net/ipv6/raw.c", "do_rawv6_setsockopt"), ("net/ipv6/raw.c", "do_rawv6_getsockopt")],
        ),
    ),
    ("SOL_KCM", declared_in("", &["linux/kcm.h"], &["KCM_RECV_DISABLE"], &[])),
    (
        "SOL_LLC",
        switched_in(
            "",
            &["linux/llc.h"],
            &["LLC_OPT_"],
            &[("net/llc/af_llc.c", "llc_ui_setsockopt"), ("net/llc/af_llc.c", "llc_ui_getsockopt")],
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
        "SOL_NFC",
        switched_in(
            "",
            &["linux/nfc.h"],
            &["NFC_LLCP_"],
            &[("net/nfc/llcp_sock.c", "nfc_llcp_setsockopt"), ("net/nfc/llcp_sock.c", "nfc_llcp_getsockopt")],
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
    (
        "SOL_PNPIPE",
        switched_in(
            "",
            &["linux/phonet.h"],
            &["PNPIPE_"],
            &[("net/phonet/pep.c", "pep_setsockopt"), ("net/phonet/pep.c", "pep_getsockopt")],
        ),
    ),
    (
        "SOL_PPPOL2TP",
        switched_in(
            "",
            &["linux/if_pppol2tp.h"],
            &["PPPOL2TP_SO_"],
            &[
                ("net/l2tp/l2tp_ppp.c", "pppol2tp_session_setsockopt"),
                ("net/l2tp/l2tp_ppp.c", "pppol2tp_tunnel_setsockopt"),
            ],
        ),
    ),
    ("SOL_RAW", declared_in("", &["linux/icmp.h"], &["ICMP_FILTER"], &[])),
    (
        "SOL_RDS",
        switched_in(
            "",
            &["linux/rds.h"],
            &["RDS_CANCEL_SENT_TO", "RDS_GET_MR", "RDS_FREE_MR", "RDS_RECVERR", "RDS_CONG_MONITOR", "SO_RDS_"],
            &[("net/rds/af_rds.c", "rds_setsockopt"), ("net/rds/af_rds.c", "rds_getsockopt")],
        ),
    ),
    (
        "SOL_RDS",
        declared_in(
            "",
            &["linux/rds.h"],
            &["RDS_INFO_"],
            &["RDS_INFO_FIRST", "RDS_INFO_LAST", "RDS_INFO_CONNECTION_FLAG_*"],
        ),
    ),
    (
        "SOL_RXRPC",
        declared_in(
            "",
            &["linux/rxrpc.h"],
            &[
                "RXRPC_SECURITY_KEY",
                "RXRPC_EXCLUSIVE_CONNECTION",
                "RXRPC_MIN_SECURITY_LEVEL",
                "RXRPC_UPGRADEABLE_SERVICE",
                "RXRPC_SUPPORTED_CMSG",
                "RXRPC_MANAGE_RESPONSE",
            ],
            &[],
        ),
    ),
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
        "SOL_TIPC",
        switched_in(
            "",
            &["linux/tipc.h"],
            &["TIPC_"],
            &[("net/tipc/socket.c", "tipc_setsockopt"), ("net/tipc/socket.c", "tipc_getsockopt")],
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
