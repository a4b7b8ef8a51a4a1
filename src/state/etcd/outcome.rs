//! What etcd's gateway answers: JSON that leaves out what is zero, and that is taken for an answer only if it fits what was
//! asked.

use ct_codecs::{Base64, Decoder};
use serde::Deserialize;

use super::{
    lease::Lease,
    transaction::{Operation, Transaction, encoded},
};
use crate::outbound::{CalloutAnswer, Fault};

/// What a transaction came to.
pub(crate) struct TransactionResult {
    /// Whether all guards held.
    pub(crate) held: Held,
    /// What was read, in order.
    pub(crate) found: Vec<Option<KeyValue>>,
}

/// Whether all guards of a transaction held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// All of them.
    All,
    /// Not all of them.
    NotAll,
}

/// A key's value.
#[derive(Clone)]
pub struct KeyValue {
    /// The revision that changed it last.
    pub(crate) revision: i64,
    /// The value.
    pub(crate) value: Vec<u8>,
}

/// What etcd may answer to a transaction.
pub(crate) enum Answered {
    /// It was carried out.
    TransactionResult(TransactionResult),
    /// It was not: the lease of what was to be written is missing.
    Missing(Lease),
}

impl Transaction {
    /// What the answer says.
    ///
    /// # Errors
    /// It is no answer of etcd's to this transaction.
    pub(crate) fn read(&self, answer: &CalloutAnswer) -> Result<Answered, Fault> {
        if let Some(lease) = self.lease().filter(|_| says(answer, "etcdserver: requested lease not found")) {
            return Ok(Answered::Missing(lease));
        }
        let told: TransactionTold = body(answer)?;
        let (held, operations) = if told.succeeded { (Held::All, &self.then) } else { (Held::NotAll, &self.otherwise) };
        if told.responses.len() != operations.len() {
            return Err(malformed("not what was asked"));
        }
        let mut found = Vec::new();
        for (operation, told) in operations.iter().zip(told.responses) {
            found.extend(operation.read(told)?);
        }
        Ok(Answered::TransactionResult(TransactionResult { held, found }))
    }
}

/// Whether the lease is granted; it may have been before.
///
/// # Errors
/// It is not.
pub(super) fn read_grant(answer: &CalloutAnswer) -> Result<(), Fault> {
    if says(answer, "etcdserver: lease already exists") {
        return Ok(());
    }
    body::<GrantTold>(answer).map(|_| ())
}

impl Operation {
    /// What was found by a read; nothing is by a write.
    fn read(&self, told: OperationTold) -> Result<Option<Option<KeyValue>>, Fault> {
        match (self, told.response_range, told.response_put) {
            (Self::Read(key), Some(range), None) => Ok(Some(range.record(key)?)),
            (Self::Write(..), None, Some(_)) => Ok(None),
            _ => Err(malformed("not what was asked")),
        }
    }
}

#[derive(Deserialize)]
struct TransactionTold {
    /// Every answer of etcd's has one: what has none is another's.
    #[serde(rename = "header")]
    _header: Header,
    #[serde(default)]
    succeeded: bool,
    #[serde(default)]
    responses: Vec<OperationTold>,
}

#[derive(Deserialize)]
struct GrantTold {
    #[serde(rename = "header")]
    _header: Header,
    #[serde(rename = "ID")]
    _id: String,
}

#[derive(Deserialize)]
struct Header {}

#[derive(Deserialize)]
struct OperationTold {
    response_range: Option<RangeTold>,
    response_put: Option<Header>,
}

#[derive(Deserialize)]
struct RangeTold {
    #[serde(default)]
    kvs: Vec<KeyTold>,
}

#[derive(Deserialize)]
struct KeyTold {
    key: String,
    mod_revision: String,
    #[serde(default)]
    value: String,
}

impl RangeTold {
    fn record(self, key: &str) -> Result<Option<KeyValue>, Fault> {
        let mut kvs = self.kvs.into_iter();
        match (kvs.next(), kvs.next()) {
            (None, _) => Ok(None),
            (Some(told), None) if told.key == encoded(key) => told.record().map(Some),
            _ => Err(malformed("another key than was asked for")),
        }
    }
}

impl KeyTold {
    fn record(self) -> Result<KeyValue, Fault> {
        let revision = self.mod_revision.parse().ok().filter(|revision| *revision > 0);
        let value = Base64::decode_to_vec(self.value, None).ok();
        let (Some(revision), Some(value)) = (revision, value) else { return Err(malformed("a key's value")) };
        Ok(KeyValue { revision, value })
    }
}

/// Something that etcd would not say.
pub(super) fn malformed(what: &str) -> Fault {
    Fault::Malformed(what.to_owned())
}

fn body<'a, T: Deserialize<'a>>(answer: &'a CalloutAnswer) -> Result<T, Fault> {
    if answer.status != 200 {
        return Err(Fault::Status(answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Fault::Malformed(format!("not etcd's JSON: line {line}, column {column}"))
    })
}

/// Whether it is this error; its status is not the same in all versions.
fn says(answer: &CalloutAnswer, message: &str) -> bool {
    #[derive(Deserialize)]
    struct GatewayError<'a> {
        message: &'a str,
    }
    let failure = serde_json::from_slice::<GatewayError>(&answer.body);
    answer.status != 200 && failure.is_ok_and(|failure| failure.message == message)
}
