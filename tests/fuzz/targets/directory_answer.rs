//! What a directory answers about one user: only a success has a user, whose id is no client's.
//!
//! An input is a status, a line break and a body.

use token_endpoint::{
    outbound::CalloutAnswer,
    registry::{
        auth_source::Directory,
        identifier::{Identifier, IdentifierKind},
        user::{Found, User},
    },
};

use super::fixture::source;

pub fn read(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let status = lines.next().and_then(|status| std::str::from_utf8(status).ok()?.parse().ok()).unwrap_or(200);
    let body = lines.next().unwrap_or_default().to_vec();
    let answer = CalloutAnswer { status, headers: Vec::new(), body };
    if let Directory::Lookup(lookup) = &source("LOOKUP").directory
        && let Ok(Found::Account(account)) = lookup.read(&answer)
    {
        assert_user(status, &account.user);
    }
    if let Directory::Verify(verify) = &source("VERIFY").directory {
        let identifier = Identifier { kind: IdentifierKind::Username, value: "alice".to_owned() };
        if let Ok(Some(user)) = verify.read(&answer, &identifier) {
            assert_user(status, &user);
        }
    }
}

fn assert_user(status: u16, user: &User) {
    assert!((200..=299).contains(&status), "{status}");
    assert!(!user.id.is_empty() && !User::is_clients_id(&user.id), "{}", user.id);
}
