//! The auth sources of a configuration and their users.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    context::{Allowances, Environment},
    document::{Node, Object},
    password_hash::{HashForm, password_hash},
    remote::{
        self,
        fields::{LookupFields, VerifyFields},
    },
    reserved_claims::RESERVED,
    setting::{Instant, Text},
    shape::{Field, Filled, object, schema},
    snapshot::{self, SnapshotFields},
};
use crate::registry::{
    auth_source::{AuthSource, Directory, DirectoryKeys},
    identifier::{Identifier, IdentifierKind, IdentifierRules},
    user::{Account, Duplicate, Status, User, UserTable},
};

object! {
    /// A directory of users: `users`, or over HTTP `lookup`, `snapshot` or `verify`.
    pub(crate) struct AuthSourceFields {
        /// What requests call it in `auth_source_id`, and clients in `auth_sources`.
        id: Text,
        /// The kinds of identifiers that users may log in with, told apart by what is typed; an `@` comes first.
        identifiers: Filled<IdentifierKind>,
        /// Whether upper and lower case are the same before the `@` of an e-mail address. Behind it they always are.
        case_insensitive_email: Option<bool> = false,
        /// The users themselves.
        users: Option<Vec<UserFields>>,
        /// A service that is asked for one user at each login and refresh, and hands out the hash.
        lookup: Option<LookupFields>,
        /// A document of all users, fetched at start and at intervals, once per Envoy process.
        snapshot: Option<SnapshotFields>,
        /// A service that checks the password itself. There are no refresh tokens then: nobody can be asked about a user without
        /// the password.
        verify: Option<VerifyFields>,
    }
}

object! {
    /// A user. The records of a `snapshot` have these fields too.
    pub(crate) struct UserFields {
        /// `sub` of the user's tokens (RFC 9068 §5). It can't begin with `client:`, as those of clients do.
        #[schemars(regex(pattern = "^(?!client:)"))]
        id: Text,
        /// What the user may log in with, one at least. No two users of a source can have the same.
        identifiers: IdentifierFields,
        /// The password's hash: Argon2id, Argon2i, Argon2d, bcrypt (`$2a$`, `$2b$`, `$2y$`), scrypt or PBKDF2 as a PHC string, or
        /// Django's `pbkdf2_sha256$…`. Its cost has a ceiling and, without `allow_weak_hashes`, OWASP's minimum for a floor.
        password_hash: HashForm,
        /// Whether the user may log in.
        status: Option<Status> = Status::default(),
        /// When the password was last changed. What was granted before ends.
        password_changed_at: Option<Instant>,
        /// Claims for the user's tokens.
        claims: Option<ClaimsForm>,
    }
}

object! {
    /// What a user may log in with, by its kind.
    #[schemars(extend("minProperties" = 1))]
    pub(crate) struct IdentifierFields {
        /// A user name.
        username: Option<Text>,
        /// A phone number.
        phone_number: Option<Text>,
        /// An e-mail address.
        email: Option<Text>,
    }
}

/// Claims by their names.
pub(super) enum ClaimsForm {}

schema!(ClaimsForm, {
    "title": "values, each by a name",
    "type": "object",
    "propertyNames": {"not": {"enum": RESERVED}},
});

/// Auth sources by id.
pub(super) type AuthSources = HashMap<String, Arc<AuthSource>>;

/// Reads `auth_sources`.
pub(super) fn read(
    object: &mut Object,
    field: Field<Option<Vec<AuthSourceFields>>>,
    keys: DirectoryKeys,
    environment: Environment,
    allowances: Allowances,
) -> AuthSources {
    let mut auth_sources = AuthSources::new();
    object.each(field, |node| {
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
    let id = object.required(AuthSourceFields::id).map(|Text(id)| id);
    let identifiers = IdentifierRules {
        kinds: kinds(object),
        case_insensitive_email: object.optional(AuthSourceFields::case_insensitive_email).unwrap_or_default(),
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
    let users = object.with(AuthSourceFields::users, |node| Some(Directory::Users(users(node, rules, allowances))));
    let lookup = object.nested(AuthSourceFields::lookup, |object| remote::lookup(object, environment, allowances));
    let snapshot = object.nested(AuthSourceFields::snapshot, |object| snapshot::read(object, environment, allowances));
    let verify = object.nested(AuthSourceFields::verify, |object| remote::verify(object, environment));
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
    object.each_of_some(AuthSourceFields::identifiers, |node| {
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
pub(super) fn user(
    object: &mut Object,
    rules: &IdentifierRules,
    users: &mut UserTable,
    allowances: Allowances,
) -> Option<()> {
    object.refuse("password", "a plaintext password: hash it with hash-password and give it as password_hash");
    let id = user_id(object);
    let identifiers = object.required_with(UserFields::identifiers, |node| identifiers_of(node, rules));
    let password_hash =
        object.required_with(UserFields::password_hash, |node| password_hash(node, allowances)).flatten();
    let status = object.optional(UserFields::status).unwrap_or_default();
    let password_changed_at = object.optional(UserFields::password_changed_at).map(|Instant(time)| time);
    let claims = object.with(UserFields::claims, claims).flatten().unwrap_or_default();
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
    let Text(id) = object.required(UserFields::id)?;
    if User::is_clients_id(&id) {
        object.problem(UserFields::id.name, "begins with client:, as only the ids of clients do");
    }
    Some(id)
}

fn report(object: &Object, identifiers: &[Identifier], duplicate: &Duplicate) {
    match duplicate {
        Duplicate::Id => object.problem(UserFields::id.name, "the id of another user"),
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
    let kinds = [
        (IdentifierKind::Username, IdentifierFields::username),
        (IdentifierKind::PhoneNumber, IdentifierFields::phone_number),
        (IdentifierKind::Email, IdentifierFields::email),
    ];
    let identifiers = kinds.into_iter().filter_map(|(kind, field)| {
        let Text(text) = object.optional(field)?;
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

fn claims(node: Node) -> Option<Map<String, Value>> {
    let claims = node.object(|object| {
        RESERVED.iter().for_each(|name| object.refuse(name, "a claim that only the endpoint sets"));
        object.rest()
    });
    Some(claims?.into_iter().collect())
}
