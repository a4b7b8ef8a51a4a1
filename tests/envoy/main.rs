//! What is true in a real Envoy, of the filter as it is built: `make test` installs and builds what it takes.

mod attacks;
#[cfg(target_os = "linux")]
mod benchmarks;
mod browser;
#[cfg(target_os = "linux")]
mod clock;
mod cors;
mod dashboard;
mod deploy;
mod families;
mod fleet;
mod gateway;
mod key_rotation;
mod observability;
mod oidc_client;
mod owners;
mod package;
mod reload;
mod remote_directories;
mod rollout;
mod store_calls;
mod uploads;
mod worker;

#[path = "../support"]
mod support {
    pub mod cases;
    pub mod control_planes;
    pub mod directories;
    pub mod etcd;
    pub mod faults;
    pub mod files;
    pub mod gateway;
    pub mod http1;
    pub mod http2;
    pub mod manifests;
    pub mod nowhere;
    pub mod outage;
    pub mod prometheus;
    pub mod response;
    pub mod servers;
    pub mod start;
    pub mod stories;
}
