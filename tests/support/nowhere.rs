//! Clusters that lead nowhere, whatever the machine's ports and resolvers are.

use std::{net::UdpSocket, os::unix::net::UnixListener, path::PathBuf, thread};

use tempfile::TempDir;

use super::{directories::Elsewhere, faults::Directory};

/// What clusters need to lead nowhere: a socket that refuses, and a resolver that knows no name.
pub struct Nowhere {
    folder: TempDir,
    resolver: UdpSocket,
}

impl Nowhere {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        drop(UnixListener::bind(folder.path().join("refused")).unwrap());
        let resolver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let own = resolver.try_clone().unwrap();
        thread::spawn(move || answer_that_no_name_exists(&own));
        Self { folder, resolver }
    }

    /// The clusters `refused` and `unresolved`, and `directory` for one that is there.
    pub fn clusters(&self, directory: &Directory) -> Elsewhere {
        let port = self.resolver.local_addr().unwrap().port();
        Elsewhere::default().at("directory", &directory.socket()).at("refused", &self.refused()).cluster(&format!(
            "- name: unresolved
  type: STRICT_DNS
  typed_dns_resolver_config:
    name: envoy.network.dns_resolver.cares
    typed_config:
      \"@type\": type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
      resolvers: [{{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}]
  load_assignment:
    cluster_name: unresolved
    endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: directory.invalid, port_value: 80}}}}}}}}]}}]"
        ))
    }

    fn refused(&self) -> PathBuf {
        self.folder.path().join("refused")
    }
}

impl Drop for Nowhere {
    fn drop(&mut self) {
        // Ends the thread. An error would mean that it has ended.
        let _ = self.resolver.send_to(&[], self.resolver.local_addr().unwrap());
    }
}

/// NXDOMAIN (RFC 1035 §4.1.1: RCODE 3) with the question as it came.
fn answer_that_no_name_exists(resolver: &UdpSocket) {
    let mut message = [0; 512];
    while let Ok((length @ 12.., from)) = resolver.recv_from(&mut message) {
        (message[2], message[3]) = (0x81, 0x83);
        // An error means that nobody wants to know any more.
        let _ = resolver.send_to(&message[..length], from);
    }
}
