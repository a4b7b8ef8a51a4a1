//! Where a request comes from, coarse enough that one caller is one origin.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

/// A source address: IPv4 whole, IPv6 by its first 64 bits, since a single caller is given that many addresses
/// (RFC 6177). Whatever is no address is all one origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin(Option<IpAddr>);

impl Origin {
    /// Reads an address as Envoy writes it: `192.0.2.1:443`, `[2001:db8::1]:443`, or without the port.
    pub fn of(address: &str) -> Self {
        let bare = address.parse().ok();
        let with_port = || address.parse::<SocketAddr>().ok().map(|address| address.ip());
        Self(bare.or_else(with_port).map(network))
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
}
