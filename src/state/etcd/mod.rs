//! What is remembered in etcd, for all proxies of a fleet: what is sent to it (its HTTP/JSON gateway, v3), and what its
//! answers mean. A question usually takes one call. Who makes the call is the runtime's business.

mod attempts;
mod conversation;
#[cfg(test)]
mod fake;
mod lease;
mod outcome;
mod record;
#[cfg(test)]
mod tests;
mod tokens;
mod transaction;

pub use self::conversation::{Conversation, EtcdQuestion, Next};
use crate::{
    outbound::{CallLimits, Callout},
    secret::Secret,
};

/// An etcd and the calls that are made to it. With several endpoints, Envoy's cluster chooses one for each call: any of
/// them answers for all.
#[derive(Debug)]
pub struct Etcd {
    /// The cluster to ask.
    pub cluster: String,
    /// `:authority`
    pub authority: String,
    /// What the paths of its gateway begin with, such as `/v3`.
    pub path_prefix: String,
    /// `authorization`, where it wants one.
    pub authorization: Option<Secret>,
    /// What the names of all keys begin with.
    pub key_prefix: String,
    /// How much a question may cost.
    pub limits: CallLimits,
}

impl Etcd {
    fn callout(&self, path: &str, body: Vec<u8>) -> Callout {
        let authorization = self.authorization.as_ref().map(|value| ("authorization", value.expose()));
        let headers = [("content-type", b"application/json".as_slice())].into_iter().chain(authorization);
        Callout {
            cluster: self.cluster.clone(),
            method: "POST".to_owned(),
            authority: self.authority.clone(),
            path: format!("{}{path}", self.path_prefix),
            headers: headers.map(|(name, value)| (name.to_owned(), Secret::new(value))).collect(),
            body: Some(Secret::new(body)),
        }
    }
}
