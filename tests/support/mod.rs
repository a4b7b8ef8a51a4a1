//! What the end-to-end tests share: an Envoy of their own, clients that send exactly the bytes they are told, and the stories.

#![allow(dead_code, reason = "each test uses its own part of this")]

pub mod cases;
pub mod configuration;
pub mod control_planes;
pub mod core;
pub mod directories;
pub mod etcd;
pub mod faults;
pub mod fragments;
pub mod gateway;
pub mod host;
pub mod http1;
pub mod http2;
pub mod manifests;
pub mod markdown;
pub mod nowhere;
pub mod outage;
pub mod prometheus;
pub mod reader;
pub mod response;
pub mod servers;
pub mod start;
pub mod stories;
