//! The ways in which a directory can fail, and what the operator has to be told of each.

use serde_json::json;

use super::{
    directories::{QUICK_HASH, people},
    faults::{Behaviour, Directory, answer, part, status},
    gateway::replaced,
};

/// A hash that would take 1 GiB of memory to check.
pub const GIBIBYTE_HASH: &str =
    "$argon2id$v=19$m=1048576,t=1,p=1$Restpap8prEIxeB8Sbcxeg$Ty+4VRBlg6ux59wYjgomjed4mwuZPDR63PzUiZFlGV4";

/// Time enough for all that ends, however busy the machine is.
const PATIENT: &str = "20s";

/// What the log says of a single answer that is not JSON, and of a document that is none.
const UNREADABLE: &str = "can't be used: not JSON: ";
const NO_DOCUMENT: &str = "the document: ";
/// What it says of a part that is none of those asked for.
pub const OTHER_BYTES: &str = "other bytes than were asked for";

/// One way for a directory to fail, and what the log has to say of it.
pub struct Case {
    pub id: &'static str,
    pub cluster: &'static str,
    pub behaviour: Option<Behaviour>,
    pub causes: Vec<&'static str>,
    /// How long to wait for it.
    pub timeout: &'static str,
    /// The format that a document should have.
    pub format: &'static str,
}

impl Case {
    pub fn new(id: &'static str, behaviour: Behaviour, cause: &'static str) -> Self {
        Self {
            id,
            cluster: "directory",
            behaviour: Some(behaviour),
            causes: vec![cause],
            timeout: PATIENT,
            format: "json",
        }
    }

    /// In a cluster that can't be reached. Envoy answers some calls itself then, with a status.
    pub fn unreachable(id: &'static str, cluster: &'static str) -> Self {
        Self { id, cluster, behaviour: None, causes: vec!["no answer", "status 503"], timeout: PATIENT, format: "json" }
    }

    /// One where Envoy may answer for the directory.
    fn or(self, cause: &'static str) -> Self {
        Self { causes: [self.causes, vec![cause]].concat(), ..self }
    }

    /// One of a document of JSON lines.
    fn in_lines(self) -> Self {
        Self { format: "json_lines", ..self }
    }

    /// One that only a timeout ends.
    fn endless(self) -> Self {
        Self { timeout: "0.3s", ..self }
    }

    pub fn serve(&self, directory: &Directory) {
        self.behaviour.iter().for_each(|behaviour| _ = directory.on(self.id, [behaviour.clone()]));
    }

    pub fn was_asked(&self, directory: &Directory, times: usize) -> bool {
        self.behaviour.is_none() || directory.seen(self.id).len() >= times
    }
}

/// What can go wrong with any directory. `other` is JSON, and not what is expected.
pub fn faults(other: &str) -> Vec<Case> {
    let location = vec![("location", "/elsewhere".to_owned())];
    vec![
        Case::unreachable("REFUSED", "refused"),
        Case::unreachable("UNRESOLVED", "unresolved"),
        Case::new("SILENT", Behaviour::Silence, "no answer").or("status 504").endless(),
        Case::new("SLOW", Behaviour::OneByteASecond, "no answer").or("status 504").endless(),
        Case::new("RESET", Behaviour::Reset, "no answer"),
        Case::new("CUT_SHORT", Behaviour::CutShort, "no answer"),
        Case::new("LARGE", Behaviour::Mebibytes(2), "more than "),
        Case::new("HUGE", Behaviour::Mebibytes(50), "more than ").or("no answer"),
        Case::new("ERROR", status(500, "{}"), "status 500"),
        Case::new("REDIRECT", Behaviour::Answer { status: 302, headers: location, body: String::new() }, "status 302"),
        Case::new("GARBAGE", answer("\u{1}\u{fffd}{{{]"), UNREADABLE).or(NO_DOCUMENT),
        Case::new("HTML", answer("<!doctype html><title>Welcome</title>"), UNREADABLE).or(NO_DOCUMENT),
        Case::new("TRUNCATED", answer(r#"{"rows": [{"id": "u1", "hash": "$2b$04$P"#), UNREADABLE).or(NO_DOCUMENT),
        Case::new("EMPTY", answer(""), UNREADABLE).or(NO_DOCUMENT),
        Case::new("OTHER", answer(other), " expected "),
    ]
}

/// What can go wrong with a document, too.
pub fn snapshot_faults() -> Vec<Case> {
    let mut cases = faults(&json!({"users": {"alice": true}}).to_string());
    let document = people(&[("u1", "alice"), ("u2", "bob")]);
    let lines = "{\"id\": \"u1\", \"identifiers\": {\"username\": \"alice\"}, \"password_hash\": \"HASH\"}\n".repeat(2);
    let lines = lines.replace("HASH", QUICK_HASH);
    cases.extend([
        Case::new("HALF", answer(&document[..document.len() / 2]), NO_DOCUMENT).or("users["),
        Case::new("GIBIBYTE", answer(replaced(&document, QUICK_HASH, GIBIBYTE_HASH)), "users[0].password_hash: "),
        Case::new("DUPLICATE", answer(replaced(&document, "bob", "alice")), "users[1].identifiers.username: "),
        Case::new("DUPLICATE_ID", answer(replaced(&document, "u2", "u1")), "users[1].id: "),
        Case::new("WRONG_TYPE", answer(replaced(&document, "\"u2\"", "17")), "users[1].id: "),
        Case::new("CLIENTS_ID", answer(replaced(&document, "\"u2\"", "\"client:u2\"")), "users[1].id: "),
        Case::new("LINES_DUPLICATE", answer(lines.clone()), "line 2.id: ").in_lines(),
        Case::new("LINES_HALF", answer(&lines[..lines.len() - 9]), "line 2: ").in_lines(),
        Case::new("LINES_IN_A_LIST", answer(document.clone()), "line 1").in_lines(),
    ]);
    cases.extend(faults_of_parts(&document));
    cases
}

/// What can go wrong with a document that comes in parts, when its first is asked for.
fn faults_of_parts(document: &str) -> Vec<Case> {
    let (length, last) = (document.len(), document.len() - 1);
    vec![
        Case::new("PART_WITHOUT_RANGE", status(206, document), OTHER_BYTES),
        Case::new("PART_IN_ANOTHER_UNIT", part(&format!("users 0-{last}/{length}"), document), OTHER_BYTES),
        Case::new("PART_FROM_ELSEWHERE", part(&format!("bytes 1-{length}/{}", length + 1), document), OTHER_BYTES),
        Case::new("PART_BEHIND_THE_END", part(&format!("bytes 0-{last}/{last}"), document), OTHER_BYTES),
        Case::new("PART_LONGER_THAN_TOLD", part("bytes 0-9/10", document), OTHER_BYTES),
        Case::new("PART_SHORTER_THAN_TOLD", part(&format!("bytes 0-{length}/{}", length + 1), document), OTHER_BYTES),
        Case::new("PART_OF_TOO_MUCH", part(&format!("bytes 0-{last}/2000000"), document), "more than "),
        Case::new("PART_NOT_ASKED_FOR", part(&format!("bytes 0-{last}/{}", length + 1), document), "status 206"),
        Case::new("NO_SUCH_PART", status(416, ""), "status 416"),
    ]
}
