//! Who may ask, and for what: clients, the directories of users that they may log in from, and the users.

pub mod auth_source;
pub mod client;
pub mod identifier;
mod index;
pub mod pseudonym;
pub mod remote;
pub mod user;

use std::{collections::HashMap, sync::Arc};

use self::{auth_source::AuthSource, client::Client};

/// All clients and auth sources, by their ids.
#[derive(Debug, Default)]
pub struct Registry {
    /// Clients by `client_id`.
    pub clients: HashMap<String, Arc<Client>>,
    /// Auth sources by `auth_source_id`.
    pub auth_sources: HashMap<String, Arc<AuthSource>>,
}
