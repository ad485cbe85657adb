//! Addresses and ranges of addresses with an optional port: `10.0.0.0/8`, `127.0.0.1:5432`,
//! `[fd00::/8]:443`. Main type: [`Network`].

use core::net::{IpAddr, SocketAddr};
use std::fmt;
use std::str::FromStr;

/// A range of internet addresses, and a port if only that one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

/// Why a text is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotANetwork {
    /// It is not an address with an optional prefix and port.
    Form,
    /// The prefix is longer than the address.
    Prefix(u8),
    /// Bits behind the prefix are set: this is the first address of the range.
    HostBits(String),
}

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("write a class such as `global`, or `10.0.0.0/8`, `127.0.0.1:5432`, `[::1]:80`"),
            Self::Prefix(most) => write!(f, "its prefix has at most {most} bits"),
            Self::HostBits(range) => write!(f, "bits behind the prefix are set, so write `{range}`"),
        }
    }
}

impl Network {
    /// Returns whether an address is in the range, at its port. An IPv4-mapped IPv6 address counts
    /// as its IPv4 address.
    pub fn contains(self, address: SocketAddr) -> bool {
        let is_port = self.port.is_none_or(|port| port == address.port());
        is_port && first(address.ip().to_canonical(), self.prefix) == Some(self.first)
    }
}

/// Returns the first address with the same prefix; `None` for a prefix that is too long.
fn first(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix)?).unwrap_or(0);
            Some(IpAddr::V4((address.to_bits() & mask).into()))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix)?).unwrap_or(0);
            Some(IpAddr::V6((address.to_bits() & mask).into()))
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = |text: &str| is_number(text).then(|| text.parse().ok()).flatten().ok_or(NotANetwork::Form);
        let (range, port) = match text.strip_prefix('[') {
            // Brackets as in a URL, since an IPv6 address has colons.
            Some(rest) => match rest.split_once(']').ok_or(NotANetwork::Form)? {
                (range, "") => (range, None),
                (range, port) => (range, Some(port.strip_prefix(':').ok_or(NotANetwork::Form)?)),
            },
            None if text.matches(':').count() == 1 => {
                text.split_once(':').map(|(range, port)| (range, Some(port))).ok_or(NotANetwork::Form)?
            }
            None => (text, None),
        };
        let port = port.map(number).transpose()?;
        let (address, prefix) = range.split_once('/').map_or((range, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| NotANetwork::Form)?;
        let is_bracketed_ipv4 = text.starts_with('[') && address.is_ipv4();
        if is_bracketed_ipv4 {
            return Err(NotANetwork::Form);
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(bits) => {
                let bits = number(bits)?;
                u8::try_from(bits).ok().filter(|bits| *bits <= most).ok_or(NotANetwork::Prefix(most))?
            }
        };
        // A mapped range counts as its IPv4 range.
        let (address, prefix) = match address.to_canonical() {
            ipv4 @ IpAddr::V4(_) if most == 128 && prefix >= 96 => (ipv4, prefix - 96),
            _ => (address, prefix),
        };
        let first = first(address, prefix).ok_or(NotANetwork::Prefix(most))?;
        if first != address {
            return Err(NotANetwork::HostBits(format!("{first}/{prefix}")));
        }
        Ok(Self { first, prefix, port })
    }
}
