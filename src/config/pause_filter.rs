//! The configuration of the plugin that only holds requests, for a token endpoint in front of it.

use super::{
    document::Node,
    paths::{self, PathForm},
    setting::{Setting, Text},
    shape::{Filled, object},
};

object! {
    /// A plugin that only holds requests: the second one, where Envoy can't be told `allow_on_headers_stop_iteration`.
    pub(crate) struct PauseFilterFields {
        /// The paths whose requests go no further: all of the token endpoint in front of it. Nothing else may be set beside it.
        hold: Filled<PathForm>,
    }
}

/// Who keeps the headers of a token request from going on while its body is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum HeadersHeldBy {
    /// The token endpoint's own filter, which takes `allow_on_headers_stop_iteration` in Envoy's configuration of it.
    #[default]
    ThisFilter,
    /// The filter behind it: a plugin with `hold`, or Envoy's buffer filter.
    NextFilter,
}

impl Setting for HeadersHeldBy {
    const EXPECTED: &'static str = "this_filter or next_filter";
}

/// Reads `hold`: the paths whose requests go no further.
pub(super) fn held_paths(node: Node) -> Vec<String> {
    node.each_of_some(|node| {
        let Text(path) = node.read()?;
        paths::check(&path, |what| node.problem(what));
        Some(path)
    })
}
