//! The values of multiplexing arguments: the names in the kernel's headers, and the subsystem that
//! each reaches. Main types: [`Value`] and [`Command`].
//!
//! All rows except those of `flags` are generated; this module only looks them up.

mod commands;
pub(crate) mod flags;
pub(crate) mod table;

use super::Subsystem;
use super::object_kind::ObjectKind;

/// A named value of an argument, or a named bit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The name in the headers.
    pub name: &'static str,
    /// The number it stands for.
    pub number: u64,
    /// The subsystem that it reaches; `None` for that of its call.
    pub subsystem: Option<Subsystem>,
    /// The source file or folder that serves it; empty if unknown, or if it is that of its call.
    pub source: &'static str,
    /// The reason, if it names a subsystem or a source.
    pub why: &'static str,
}

/// A name of an ioctl command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// All 32 bits of the command.
    pub number: u32,
    /// The name in the headers.
    pub name: &'static str,
    /// The subsystem that it reaches; `None` for that of the object behind the fd.
    pub subsystem: Option<Subsystem>,
    /// If a number has several names: prefixes of the objects for which this name is used.
    pub on: &'static str,
    /// The header that defines it, as programs include it.
    pub header: &'static str,
    /// The source file or folder that implements it, else its header if MAINTAINERS lists that;
    /// empty if neither is known.
    pub source: &'static str,
    /// The reason for the subsystem: the code that implements the command.
    pub why: &'static str,
}

/// Returns the value of this number in a table.
pub fn value(table: &'static [Value], number: u64) -> Option<&'static Value> {
    table.binary_search_by_key(&number, |value| value.number).ok().map(|at| &table[at])
}

/// Returns the option of this number. `reads` distinguishes `IPT_SO_GET_INFO` from
/// `IPT_SO_SET_REPLACE`, which share a number.
pub(in crate::model) fn option(level: u64, number: u64, reads: bool) -> Option<&'static Value> {
    let (_, table) = OPTIONS.iter().find(|(known, _)| known.contains(&level))?;
    let first = table.partition_point(|value| value.number < number);
    let same = || table[first..].iter().take_while(|value| value.number == number);
    same().find(|value| value.name.contains("_GET_") == reads).or_else(|| same().next())
}

/// Returns the option with these names.
pub(super) fn named_option(level: &str, option: &str) -> Option<&'static Value> {
    options().find(|(of, known)| *of == level && known.name == option).map(|(_, known)| known)
}

/// Returns every socket option with the name of its level.
pub(crate) fn options() -> impl Iterator<Item = (&'static str, &'static Value)> {
    OPTIONS.iter().flat_map(|(levels, options)| {
        let level = levels.iter().find_map(|&level| value(&table::LEVEL, level)).map_or("", |level| level.name);
        options.iter().map(move |option| (level, option))
    })
}

/// Returns every ioctl command, ordered by number.
pub(crate) fn commands() -> &'static [Command] {
    &commands::COMMANDS
}

/// Levels and their options. The address family AF_VSOCK is also a level.
const OPTIONS: &[(&[u64], &[Value])] = &[
    (&[0], &table::SOL_IP),
    (&[1], &table::SOL_SOCKET),
    (&[6], &table::SOL_TCP),
    (&[17, 136], &table::SOL_UDP),
    (&[40, 287], &table::SOL_VSOCK),
    (&[41], &table::SOL_IPV6),
    (&[58], &table::SOL_ICMPV6),
    (&[132], &table::SOL_SCTP),
    (&[101], &table::SOL_CAN_RAW),
    (&[255], &table::SOL_RAW),
    (&[257], &table::SOL_AX25),
    (&[263], &table::SOL_PACKET),
    (&[268], &table::SOL_LLC),
    (&[269], &table::SOL_DCCP),
    (&[270], &table::SOL_NETLINK),
    (&[271], &table::SOL_TIPC),
    (&[272], &table::SOL_RXRPC),
    (&[273], &table::SOL_PPPOL2TP),
    (&[274], &table::SOL_BLUETOOTH),
    (&[275], &table::SOL_PNPIPE),
    (&[276], &table::SOL_RDS),
    (&[278], &table::SOL_CAIF),
    (&[279], &table::SOL_ALG),
    (&[280], &table::SOL_NFC),
    (&[281], &table::SOL_KCM),
    (&[282], &table::SOL_TLS),
    (&[283], &table::SOL_XDP),
    (&[284], &table::SOL_MPTCP),
];

/// Returns the command with this number for an object of this kind.
pub fn command(number: u32, object: Option<&ObjectKind>) -> Option<&'static Command> {
    let commands = &commands::COMMANDS;
    let first = commands.partition_point(|command| command.number < number);
    let past = first + commands[first..].partition_point(|command| command.number == number);
    // `max_by_key` takes the last of equals, which must be the preferred name.
    let best = commands[first..past]
        .iter()
        .rev()
        .max_by_key(|command| object.map_or(0, |object| command.match_length(object)))?;
    Some(best)
}

impl Command {
    /// Returns the length of the longest matching prefix, or 0 if none matches.
    fn match_length(&self, object: &ObjectKind) -> usize {
        let fits = self.on.split_whitespace().filter(|beginning| object.as_str().starts_with(beginning));
        fits.map(str::len).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted_and_distinct() {
        for pair in commands::COMMANDS.windows(2) {
            assert!(pair[0].number <= pair[1].number, "{}", pair[0].name);
            assert!(pair[0].number != pair[1].number || pair[0].on != pair[1].on, "{}", pair[0].name);
        }
    }

    #[test]
    fn object_chooses_between_names_of_one_number() {
        for (number, object, name) in [
            (0x541b, Some("socket:AF_INET:SOCK_STREAM"), "SIOCINQ"),
            (0x541b, Some("pipe"), "FIONREAD"),
            (0x541b, None, "FIONREAD"),
            (0x5411, Some("socket:AF_UNIX:SOCK_DGRAM"), "SIOCOUTQ"),
            (0x5411, Some("char:pts"), "TIOCOUTQ"),
            (0x5402, Some("char:null"), "TCSETS"),
            (0x5402, Some("char:sequencer"), "SNDCTL_TMR_START"),
            (0x8921, Some("socket:AF_INET:SOCK_DGRAM"), "SIOCGIFMTU"),
            (0x1, Some("file:ext4"), "FIBMAP"),
        ] {
            let command = command(number, object.map(ObjectKind::from).as_ref());
            assert_eq!(command.map(|command| command.name), Some(name), "{number:#x} {object:?}");
        }
        assert_eq!(command(0xdead_beef, None), None);
    }

    /// Names from headers outside include/uapi, and from headers that need another one first.
    #[test]
    fn commands_of_scsi_xen_and_bluetooth_have_names() {
        for (number, name) in [
            (0x2285, "SG_IO"),
            (0x2282, "SG_GET_VERSION_NUM"),
            (0x5386, "SCSI_IOCTL_GET_BUS_NUMBER"),
            (0x0018_4700, "IOCTL_GNTDEV_MAP_GRANT_REF"),
            (0x0000_4201, "IOCTL_XENBUS_BACKEND_SETUP"),
            (0x4004_48c9, "HCIDEVUP"),
            (0xc030_6201, "BINDER_WRITE_READ"),
        ] {
            assert_eq!(command(number, None).map(|command| command.name), Some(name), "{number:#x}");
        }
        let of_disk = command(0x2285, Some(&ObjectKind::from("block:sd")));
        assert_eq!(of_disk.and_then(|command| command.subsystem), Some(Subsystem::Block));
    }

    #[test]
    fn netdev_queries_are_network() {
        for (number, name) in [
            (0x8910, "SIOCGIFNAME"),
            (0x8913, "SIOCGIFFLAGS"),
            (0x8915, "SIOCGIFADDR"),
            (0x891b, "SIOCGIFNETMASK"),
            (0x891d, "SIOCGIFMETRIC"),
            (0x8921, "SIOCGIFMTU"),
            (0x8927, "SIOCGIFHWADDR"),
            (0x8933, "SIOCGIFINDEX"),
            (0x8942, "SIOCGIFTXQLEN"),
            (0x8970, "SIOCGIFMAP"),
            (0x8912, "SIOCGIFCONF"),
        ] {
            let command = command(number, None).expect(name);
            assert_eq!((command.name, command.subsystem), (name, Some(Subsystem::Network)));
        }
    }

    #[test]
    fn direction_chooses_between_options_of_one_number() {
        for (level, number, reads, name) in [
            (1, 2, false, Some("SO_REUSEADDR")),
            (1, 26, false, Some("SO_ATTACH_FILTER")),
            (1, 20, false, Some("SO_RCVTIMEO")),
            (0, 64, true, Some("IPT_SO_GET_INFO")),
            (0, 64, false, Some("IPT_SO_SET_REPLACE")),
            (6, 1, false, Some("TCP_NODELAY")),
            (41, 26, false, Some("IPV6_V6ONLY")),
            (1, 9999, false, None),
            (271, 0x7f, false, Some("TIPC_IMPORTANCE")),
            (271, 0x87, false, Some("TIPC_GROUP_JOIN")),
            (0, 96, true, Some("ARPT_SO_GET_INFO")),
            (101, 1, false, Some("CAN_RAW_FILTER")),
            (274, 4, true, Some("BT_SECURITY")),
            (99, 1, false, None),
        ] {
            assert_eq!(option(level, number, reads).map(|option| option.name), name, "{level} {number}");
        }
    }

    #[test]
    fn levels_are_known_in_the_headers() {
        for (levels, options) in OPTIONS {
            let name = value(&table::LEVEL, levels[levels.len() - 1]).map(|level| level.name);
            assert!(name.is_some() || levels.contains(&136), "{levels:?} {}", options[0].name);
        }
    }
}
