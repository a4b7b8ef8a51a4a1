//! From a directory's answer to a user, by places that the operator names: JSON Pointers into a body, or names of headers.

use serde_json::Value;

use crate::{
    crypto::password::PasswordHash,
    outbound::Fault,
    registry::user::{Status, User},
    text::half_character,
    time::UnixTime,
};

/// Where in an answer a user's fields are.
#[derive(Debug, Default)]
pub struct UserMapping {
    /// The user's id. Without it, the id is the identifier.
    pub(crate) id: Option<String>,
    /// Whether the user may log in. Without it, every user may.
    pub(crate) status: Option<StatusMapping>,
    /// When the password was changed last: an RFC 3339 timestamp, or seconds since 1970.
    pub(crate) password_changed_at: Option<String>,
    /// Names of claims, and where their values are.
    pub(crate) claims: Vec<(String, String)>,
}

/// Where a user's status is, and what it says.
#[derive(Debug)]
pub struct StatusMapping {
    /// Where it is.
    pub(crate) at: String,
    /// The values of an active user.
    pub(crate) active: Vec<Value>,
}

/// Part of an answer in which fields are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    /// A JSON value, whose fields are named by pointers. The first is the pointer to the value itself.
    Json(&'a str, &'a Value),
    /// Headers, named as such.
    Headers(&'a [(String, String)]),
}

impl UserMapping {
    /// The names of the claims that users can have.
    pub(crate) fn claim_names(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(|(name, _)| name.as_str())
    }

    /// The user whom a record describes.
    ///
    /// # Errors
    /// [`Fault::Record`] where the id is missing, is no id, or could be taken for a client's.
    pub(crate) fn user(&self, record: Record, identifier: &str) -> Result<User, Fault> {
        let id = match &self.id {
            Some(at) => record.get(at)?.and_then(id_of).ok_or_else(|| record.fault(at, "expected an id"))?,
            None => identifier.to_owned(),
        };
        if User::is_clients_id(&id) {
            return Err(record.fault(self.id.as_deref().unwrap_or_default(), CLIENTS_ID));
        }
        let status = self.status.as_ref().map(|status| status.read(record)).transpose()?.unwrap_or_default();
        let password_changed_at = self.password_changed_at.as_ref().map(|at| record.time(at)).transpose()?.flatten();
        let claim = |(name, at): &(String, String)| Ok(record.get(at)?.map(|value| (name.clone(), value)));
        let claims = self.claims.iter().map(claim).filter_map(Result::transpose).collect::<Result<_, Fault>>()?;
        Ok(User { id, status, password_changed_at, claims })
    }
}

impl StatusMapping {
    /// What is not known to be active is not active.
    fn read(&self, record: Record) -> Result<Status, Fault> {
        Ok(match record.get(&self.at)? {
            Some(value) if self.active.iter().any(|active| is_same(active, &value)) => Status::Active,
            Some(value) => abnormal(value.as_str()),
            None => Status::Disabled,
        })
    }
}

/// The status in our own words, where the directory uses them, but never active.
fn abnormal(status: Option<&str>) -> Status {
    match status {
        Some("locked") => Status::Locked,
        Some("frozen") => Status::Frozen,
        _ => Status::Disabled,
    }
}

/// Whether two scalars are equal. Numbers are compared as such, since a protobuf `Struct` knows only floats.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Tables count their users, tokens name them by a text.
fn id_of(value: Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id),
        Value::Number(id) if !id.is_f64() => Some(id.to_string()),
        _ => None,
    }
}

impl<'a> Record<'a> {
    /// A field's value. None if it is missing or null.
    ///
    /// # Errors
    /// [`Fault::Record`] where it has half a character in it.
    pub(crate) fn get(&self, at: &str) -> Result<Option<Value>, Fault> {
        match self {
            Self::Json(_, value) => match value.pointer(at).filter(|value| !value.is_null()) {
                Some(value) if has_half_character(value) => Err(self.fault(at, "half a character")),
                value => Ok(value.cloned()),
            },
            Self::Headers(headers) => Ok(header(headers, at).map(Value::from)),
        }
    }

    /// A time. None where it is missing or null.
    ///
    /// # Errors
    /// [`Fault::Record`] where it is no time.
    fn time(&self, at: &str) -> Result<Option<UnixTime>, Fault> {
        let time = |value: Value| UnixTime::from_json(&value).or_else(|| seconds(value.as_str()?));
        let read = |value| time(value).ok_or_else(|| self.fault(at, "expected a time"));
        self.get(at)?.map(read).transpose()
    }

    /// The user's password hash. None for a user without a password, where it is null.
    ///
    /// # Errors
    /// [`Fault::Record`] where it is missing, or is no hash that a configuration may have.
    pub(crate) fn password_hash(&self, at: &str, allow_weak: bool) -> Result<Option<PasswordHash>, Fault> {
        let text = match self {
            Self::Json(_, value) if value.pointer(at) == Some(&Value::Null) => return Ok(None),
            _ => self.get(at)?,
        };
        let text = text.as_ref().and_then(Value::as_str).ok_or_else(|| self.fault(at, "expected a password hash"))?;
        match PasswordHash::parse(text) {
            Ok(hash) if hash.is_weak() && !allow_weak => Err(self.fault(at, WEAK)),
            Ok(hash) => Ok(Some(hash)),
            Err(error) => Err(self.fault(at, &error.to_string())),
        }
    }

    fn fault(&self, at: &str, what: &str) -> Fault {
        let base = if let Self::Json(base, _) = self { base } else { "" };
        Fault::Record(format!("{base}{at}: {what}"))
    }

    /// Finds the record in a body. None if there is no such user: nothing, null or an empty list where it would be.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for a body of another make, which says nothing of any user.
    pub(crate) fn find(body: &'a Value, at: &'a str) -> Result<Option<Self>, Fault> {
        match body.pointer(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Array(elements)) if elements.is_empty() => Ok(None),
            Some(record @ (Value::Object(_) | Value::Array(_))) => Ok(Some(Self::Json(at, record))),
            None if is_empty_place(body, at) => Ok(None),
            _ => Err(Fault::Malformed(format!("expected a user at \"{at}\", or a sign that there is none"))),
        }
    }
}

fn has_half_character(value: &Value) -> bool {
    match value {
        Value::String(text) => half_character::is_in(text),
        Value::Array(elements) => elements.iter().any(has_half_character),
        Value::Object(members) => {
            members.iter().any(|(name, value)| half_character::is_in(name) || has_half_character(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A header has no numbers.
fn seconds(text: &str) -> Option<UnixTime> {
    text.parse().ok().map(UnixTime)
}

const CLIENTS_ID: &str = "the id of a user must not begin with client:";

const WEAK: &str = "a cost below OWASP's minimum, which only allow_weak_hashes permits";

/// Whether nothing is there because the object or list that would have it is there without it, or is null.
fn is_empty_place(body: &Value, at: &str) -> bool {
    let parent = at.rsplit_once('/').map(|(parent, _)| parent);
    match parent.and_then(|parent| body.pointer(parent)) {
        Some(parent) => parent.is_object() || parent.is_array() || parent.is_null(),
        None => parent.is_some_and(|parent| is_below_null(body, parent)),
    }
}

fn is_below_null(body: &Value, at: &str) -> bool {
    let mut ancestors = at.match_indices('/').filter_map(|(end, _)| body.pointer(at.get(..end)?));
    ancestors.any(Value::is_null)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_nobody(body: &Value, at: &str) -> Option<bool> {
        Record::find(body, at).ok().map(|record| record.is_none())
    }

    #[test]
    fn a_place_is_empty_only_where_its_surroundings_are_there() {
        let body = json!({"rows": [], "user": null, "text": "x", "one": {"id": 1}});
        for at in ["/rows", "/rows/0", "/user", "/user/record", "/user/deep/record", "/missing", "/one/more"] {
            assert_eq!(is_nobody(&body, at), Some(true), "{at}");
        }
        for at in ["/missing/0", "/text", "/text/0", "/one/more/0"] {
            assert_eq!(is_nobody(&body, at), None, "{at}");
        }
        assert_eq!(is_nobody(&body, "/one"), Some(false));
        assert_eq!(is_nobody(&body, ""), Some(false));
    }

    #[test]
    fn numbers_are_one_number_however_they_are_written() {
        assert!(is_same(&json!(1), &json!(1.0)));
        assert!(!is_same(&json!(1), &json!("1")));
        assert!(!is_same(&json!(1), &json!(true)));
    }

    #[test]
    fn no_user_has_the_id_of_a_client_wherever_the_id_is_from() {
        let fault = |mapping: &UserMapping, id: &str, identifier| {
            let (body, headers) = (json!({"id": id}), [("x-id".to_owned(), id.to_owned())]);
            let record = if mapping.id.as_deref() == Some("x-id") {
                Record::Headers(&headers)
            } else {
                Record::Json("/user", &body)
            };
            mapping.user(record, identifier).err()
        };
        let by = |at: &str| UserMapping { id: Some(at.to_owned()), ..UserMapping::default() };
        let expected = |at: &str| Some(Fault::Record(format!("{at}: {CLIENTS_ID}")));
        assert_eq!(fault(&by("/id"), "client:APP", "alice"), expected("/user/id"));
        assert_eq!(fault(&by("x-id"), "client:APP", "alice"), expected("x-id"));
        assert_eq!(fault(&UserMapping::default(), "", "client:APP"), expected("/user"));
        assert_eq!(fault(&by("/id"), "alice", "client:APP"), None);
    }

    #[test]
    fn an_id_is_a_text_or_a_whole_number() {
        let ids = [json!("a"), json!(7), json!(-7), json!(u64::MAX), json!(1.0), json!(""), json!(null), json!([1])];
        let expected = [Some("a"), Some("7"), Some("-7"), Some("18446744073709551615"), None, None, None, None];
        assert_eq!(ids.map(id_of), expected.map(|id| id.map(str::to_owned)));
    }
}
