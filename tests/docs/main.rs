//! What is written down is true: `make test` installs and builds what it takes to follow it.

mod fragments;
mod markdown;
mod pages;
mod reader;
mod schema;

#[path = "../support"]
#[expect(dead_code, reason = "pages take a part of what the stories in Envoy take")]
mod support {
    pub mod configuration;
    pub mod control_planes;
    pub mod directories;
    pub mod gateway;
    pub mod http1;
    pub mod manifests;
    pub mod response;
    pub mod servers;
    pub mod start;
}
