//! Where a request comes from, coarse enough that one caller is one origin.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// A source address: IPv4 whole, IPv6 by its first 64 bits, since a single caller is given that many addresses
/// (RFC 6177). Whatever is no address is all one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin(Option<IpAddr>);

/// A network that an origin is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    origin: Origin,
    /// Of IPv6, where it is larger than an origin.
    prefix: Option<u32>,
}

impl Origin {
    /// Reads an address as Envoy writes it: `192.0.2.1:443`, `[2001:db8::1]:443`, or without the port.
    pub fn of(address: &str) -> Self {
        let with_port = || address.parse::<SocketAddr>().ok().map(|address| Self::of_ip(address.ip()));
        Self::of_address(address).or_else(with_port).unwrap_or_default()
    }

    /// Reads an address without a port.
    pub(crate) fn of_address(address: &str) -> Option<Self> {
        address.parse().ok().map(Self::of_ip)
    }

    fn of_ip(address: IpAddr) -> Self {
        Self(Some(network(address)))
    }

    /// The address, if it is one.
    pub(crate) fn address(self) -> Option<IpAddr> {
        self.0
    }

    /// The networks that it is in, and how many origins' failures each may have at one time. Whoever is given a larger network of
    /// IPv6 (RFC 6177 speaks of /56 and /48) has no end of origins in it.
    pub(crate) fn networks(self) -> impl Iterator<Item = (Network, u32)> {
        let itself = (Network { origin: self, prefix: None }, 1);
        let larger =
            [(56, 4), (48, 16)].into_iter().filter_map(move |(prefix, many)| Some((self.within(prefix)?, many)));
        [itself].into_iter().chain(larger)
    }

    fn within(self, prefix: u32) -> Option<Network> {
        let Some(IpAddr::V6(address)) = self.0 else { return None };
        let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix)?)?;
        let origin = Self(Some(IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))));
        Some(Network { origin, prefix: Some(prefix) })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            Some(prefix) => write!(f, "{}/{prefix}", self.origin),
            None => self.origin.fmt(f),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_does_not_count() {
        assert_eq!(Origin::of("192.0.2.1:1"), Origin::of("192.0.2.1:2"));
        assert_eq!(Origin::of("192.0.2.1"), Origin::of("192.0.2.1:2"));
        assert_ne!(Origin::of("192.0.2.1:1"), Origin::of("192.0.2.2:1"));
    }

    #[test]
    fn one_network_of_64_bits_is_one_origin() {
        assert_eq!(Origin::of("[2001:db8::1]:1"), Origin::of("2001:db8::ffff:1"));
        assert_ne!(Origin::of("[2001:db8::1]:1"), Origin::of("[2001:db8:0:1::1]:1"));
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_itself() {
        assert_eq!(Origin::of("[::ffff:192.0.2.1]:1"), Origin::of("192.0.2.1:1"));
    }

    #[test]
    fn what_is_no_address_is_all_one() {
        assert_eq!(Origin::of("/run/socket"), Origin::of(""));
    }

    #[test]
    fn larger_networks_of_ipv6_may_fail_more_often() {
        let networks = |address| {
            let networks = Origin::of(address).networks();
            networks.map(|(network, many)| format!("{many} {network}")).collect::<Vec<_>>()
        };
        assert_eq!(networks("192.0.2.1:1"), ["1 192.0.2.1"]);
        assert_eq!(
            networks("2001:db8:1:2345::1"),
            ["1 2001:db8:1:2345::", "4 2001:db8:1:2300::/56", "16 2001:db8:1::/48"]
        );
        assert_eq!(networks(""), ["1 unknown"]);
    }
}
