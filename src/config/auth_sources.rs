//! The auth sources of a configuration and their users.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Allowances, Environment,
    document::{Node, Object},
    remote,
    setting::{Instant, Text},
    snapshot,
};
use crate::{
    crypto::password::PasswordHash,
    registry::{
        auth_source::{AuthSource, Directory, DirectoryKeys},
        identifier::{Identifier, IdentifierKind, IdentifierRules},
        user::{Account, Duplicate, Status, User, UserTable},
    },
};

/// Auth sources by id.
pub type AuthSources = HashMap<String, Arc<AuthSource>>;

/// Reads `auth_sources`.
pub fn read(object: &mut Object, keys: DirectoryKeys, environment: Environment, allowances: Allowances) -> AuthSources {
    let mut auth_sources = AuthSources::new();
    object.each("auth_sources", |node| {
        let source = node.object(|object| auth_source(object, keys, environment, allowances))??;
        if auth_sources.insert(source.id.clone(), Arc::new(source)).is_some() {
            node.problem("an auth source with the same id as another");
        }
        Some(())
    });
    auth_sources
}

fn auth_source(
    object: &mut Object,
    keys: DirectoryKeys,
    environment: Environment,
    allowances: Allowances,
) -> Option<AuthSource> {
    let id = object.required("id").map(|Text(id)| id);
    let identifiers = IdentifierRules {
        kinds: kinds(object),
        case_insensitive_email: object.optional("case_insensitive_email").unwrap_or_default(),
    };
    let directory = directory(object, &identifiers, environment, allowances);
    Some(AuthSource { id: id?, identifiers, directory, keys })
}

/// The one directory that is given. Where there is none, or it has problems, an empty list stands in for it, so that
/// references to the auth source are no further problems.
fn directory(
    object: &mut Object,
    rules: &IdentifierRules,
    environment: Environment,
    allowances: Allowances,
) -> Directory {
    let users = object.with("users", |node| Some(Directory::Users(users(node, rules, allowances))));
    let lookup = object.nested("lookup", |object| remote::lookup(object, environment, allowances));
    let snapshot = object.nested("snapshot", |object| snapshot::read(object, environment, allowances));
    let verify = object.nested("verify", |object| remote::verify(object, environment));
    let given = [("users", users), ("lookup", lookup), ("snapshot", snapshot), ("verify", verify)];
    let mut given = given.into_iter().filter_map(|(name, directory)| Some((name, directory?)));
    let first = given.next().and_then(|(_, directory)| directory);
    given.for_each(|(name, _)| object.problem(name, "a second directory: an auth source has one"));
    first.unwrap_or_else(|| Directory::Users(UserTable::default()))
}

fn users(node: Node, rules: &IdentifierRules, allowances: Allowances) -> UserTable {
    let mut users = UserTable::default();
    node.each(|node| node.object(|object| user(object, rules, &mut users, allowances)));
    users
}

fn kinds(object: &mut Object) -> Vec<IdentifierKind> {
    let mut kinds = Vec::new();
    object.each_of_some("identifiers", |node| {
        let kind = node.read()?;
        if kinds.contains(&kind) {
            node.problem("given twice");
        }
        kinds.push(kind);
        Some(())
    });
    kinds
}

/// Reads a user and adds it to the table.
pub fn user(object: &mut Object, rules: &IdentifierRules, users: &mut UserTable, allowances: Allowances) -> Option<()> {
    object.refuse("password", "a plaintext password: hash it with hash-password and give it as password_hash");
    let id = user_id(object);
    let identifiers = object.required_with("identifiers", |node| identifiers_of(node, rules));
    let password_hash = object.required_with("password_hash", |node| password_hash(node, allowances)).flatten();
    let status = object.optional::<Status>("status").unwrap_or_default();
    let password_changed_at = object.optional("password_changed_at").map(|Instant(time)| time);
    let claims = object.with("claims", claims).flatten().unwrap_or_default();
    let user = Arc::new(User { id: id?, status, password_changed_at, claims });
    let account = Account { user, password_hash: Arc::new(password_hash?) };
    let identifiers = identifiers??;
    let duplicates = users.insert(account, identifiers.clone()).err()?;
    for duplicate in duplicates {
        report(object, &identifiers, &duplicate);
    }
    None
}

/// The `sub` of a user's tokens, which must not be that of a client's own (RFC 9068 §5).
fn user_id(object: &mut Object) -> Option<String> {
    let Text(id) = object.required("id")?;
    if User::is_clients_id(&id) {
        object.problem("id", "begins with client:, as only the ids of clients do");
    }
    Some(id)
}

fn report(object: &Object, identifiers: &[Identifier], duplicate: &Duplicate) {
    match duplicate {
        Duplicate::Id => object.problem("id", "the id of another user"),
        Duplicate::Identifier(at) => {
            let kind = identifiers.get(*at).map(|identifier| identifier.kind.name()).unwrap_or_default();
            object.problem(&format!("identifiers.{kind}"), "the identifier of another user");
        }
    }
}

fn identifiers_of(node: Node, rules: &IdentifierRules) -> Option<Vec<Identifier>> {
    let identifiers = node.object(|object| identifiers(object, rules))?;
    if identifiers.is_empty() {
        node.problem("none is given");
    }
    Some(identifiers)
}

/// The identifiers of one user, each under the name of its kind and of that kind.
fn identifiers(object: &mut Object, rules: &IdentifierRules) -> Vec<Identifier> {
    let kinds = [IdentifierKind::Username, IdentifierKind::PhoneNumber, IdentifierKind::Email];
    let identifiers = kinds.into_iter().filter_map(|kind| {
        let Text(text) = object.optional(kind.name())?;
        let identifier = rules.identify(&text);
        if identifier.kind != kind && !is_plain_phone_number(kind, &text) {
            object.problem(kind.name(), "a caller who types this would be taken to mean another kind of identifier");
        }
        Some(Identifier { kind, ..identifier })
    });
    identifiers.collect()
}

/// Digits alone are a phone number only where the source accepts phone numbers; elsewhere the field is just unused.
fn is_plain_phone_number(kind: IdentifierKind, text: &str) -> bool {
    kind == IdentifierKind::PhoneNumber && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a password hash that is not above the ceilings, and below the floor only where that is allowed.
pub fn password_hash(node: Node, allowances: Allowances) -> Option<PasswordHash> {
    let Text(text) = node.read()?;
    match PasswordHash::parse(&text) {
        Ok(hash) if hash.is_weak() && !allowances.weak_hashes => {
            node.problem("a cost below OWASP's minimum, which only allow_weak_hashes permits");
            None
        }
        Ok(hash) => Some(hash),
        Err(error) => {
            node.problem(error.to_string());
            None
        }
    }
}

/// Claims that say what a token is and whose: a user's own claims can't replace them.
pub const RESERVED: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "scope",
    "client_id",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "c_hash",
    "cnf",
];

fn claims(node: Node) -> Option<Map<String, Value>> {
    let claims = node.object(|object| {
        RESERVED.iter().for_each(|name| object.refuse(name, "a claim that only the endpoint sets"));
        object.rest()
    });
    Some(claims?.into_iter().collect())
}
