//! Who may ask, and for what: clients, the directories of users that they may log in from, and the users.

pub mod auth_source;
pub mod client;
mod cost_classes;
pub mod identifier;
mod index;
pub mod pseudonym;
pub mod remote;
pub mod user;
pub mod web_origin;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use self::{auth_source::AuthSource, client::Client, web_origin::WebOrigin};

/// All clients and auth sources, by their ids, and what follows from them.
#[derive(Debug, Default)]
pub struct Registry {
    /// Clients by `client_id`.
    pub clients: HashMap<String, Arc<Client>>,
    /// Auth sources by `auth_source_id`.
    pub auth_sources: HashMap<String, Arc<AuthSource>>,
    /// The origins of pages that some client allows, each once and in order.
    pub(crate) web_origins: Vec<WebOrigin>,
}

impl Registry {
    /// Of these clients and auth sources.
    pub(crate) fn new(clients: HashMap<String, Arc<Client>>, auth_sources: HashMap<String, Arc<AuthSource>>) -> Self {
        let web_origins: BTreeSet<_> = clients.values().flat_map(|client| &client.allowed_origins).cloned().collect();
        Self { clients, auth_sources, web_origins: web_origins.into_iter().collect() }
    }
}
