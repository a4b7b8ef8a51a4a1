//! What a person types to say who they are: a user name, a phone number or an e-mail address, told apart by its form.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::skeleton;

/// A kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// Anything that is neither of the others.
    Username,
    /// It starts with `+`, or is all digits where phone numbers are accepted.
    PhoneNumber,
    /// It has an `@`.
    Email,
}

impl IdentifierKind {
    /// What configurations call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::PhoneNumber => "phone_number",
            Self::Email => "email",
        }
    }
}

/// An identifier in the form in which identifiers are compared.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// What it is.
    pub kind: IdentifierKind,
    /// The comparable value.
    pub value: String,
}

impl Identifier {
    /// The same for all spellings that a directory may take for one user: for counting and for watching they are one.
    pub(crate) fn folded(&self) -> String {
        skeleton::of(&self.value)
    }
}

impl fmt::Debug for Identifier {
    /// Shows nothing of whom it names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifier").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Which identifiers an auth source accepts, and how it compares them.
#[derive(Clone, Debug, Default)]
pub struct IdentifierRules {
    /// The accepted kinds.
    pub(crate) kinds: Vec<IdentifierKind>,
    /// Whether the local part of an e-mail address is compared without regard to ASCII case.
    pub(crate) case_insensitive_email: bool,
}

impl IdentifierRules {
    /// What `text` is, in comparable form. None if it is of a kind that is not accepted.
    pub fn accept(&self, text: &str) -> Option<Identifier> {
        let identifier = self.identify(text);
        self.kinds.contains(&identifier.kind).then_some(identifier)
    }

    /// What `text` is, in comparable form, accepted or not.
    pub(crate) fn identify(&self, text: &str) -> Identifier {
        let kind = self.kind_of(text);
        let value = match kind {
            IdentifierKind::Username => text.to_owned(),
            IdentifierKind::PhoneNumber => text.replace([' ', '-', '(', ')'], ""),
            IdentifierKind::Email => self.comparable_email(text),
        };
        Identifier { kind, value }
    }

    fn kind_of(&self, text: &str) -> IdentifierKind {
        let digits_are_a_phone = self.kinds.contains(&IdentifierKind::PhoneNumber);
        let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if text.contains('@') {
            IdentifierKind::Email
        } else if text.starts_with('+') || all_digits && digits_are_a_phone {
            IdentifierKind::PhoneNumber
        } else {
            IdentifierKind::Username
        }
    }

    fn comparable_email(&self, text: &str) -> String {
        match text.rsplit_once('@') {
            Some((local, domain)) if !self.case_insensitive_email => {
                format!("{local}@{}", domain.to_ascii_lowercase())
            }
            _ => text.to_ascii_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IdentifierKind::*, *};

    fn rules(kinds: &[IdentifierKind]) -> IdentifierRules {
        IdentifierRules { kinds: kinds.to_vec(), case_insensitive_email: false }
    }

    fn accepted(rules: &IdentifierRules, text: &str) -> Option<(IdentifierKind, String)> {
        rules.accept(text).map(|identifier| (identifier.kind, identifier.value))
    }

    #[test]
    fn the_form_tells_the_kind() {
        let all = rules(&[Username, PhoneNumber, Email]);
        assert_eq!(accepted(&all, "alice"), Some((Username, "alice".into())));
        assert_eq!(accepted(&all, "+86 (138) 0013-8000"), Some((PhoneNumber, "+8613800138000".into())));
        assert_eq!(accepted(&all, "13800138000"), Some((PhoneNumber, "13800138000".into())));
        assert_eq!(accepted(&all, "A.B@Example.COM"), Some((Email, "A.B@example.com".into())));
    }

    #[test]
    fn digits_are_a_user_name_where_phone_numbers_are_not_listed() {
        assert_eq!(accepted(&rules(&[Username]), "42"), Some((Username, "42".into())));
        assert_eq!(accepted(&rules(&[Email]), "42"), None);
    }

    #[test]
    fn a_kind_that_is_not_listed_is_not_accepted() {
        assert_eq!(accepted(&rules(&[Username, PhoneNumber]), "a@b"), None);
        assert_eq!(accepted(&rules(&[Username]), "+1"), None);
        assert_eq!(accepted(&rules(&[Email]), "alice"), None);
    }

    #[test]
    fn the_local_part_keeps_its_case_unless_the_source_says_otherwise() {
        let insensitive = IdentifierRules { case_insensitive_email: true, ..rules(&[Email]) };
        assert_eq!(accepted(&insensitive, "A@\"@\"B"), Some((Email, "a@\"@\"b".into())));
        assert_eq!(accepted(&rules(&[Email]), "A@X@B"), Some((Email, "A@X@b".into())));
    }
}
