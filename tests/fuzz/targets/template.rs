//! Templates of calls: whatever is filled in stays a value, and the text around it stays what it is.
//!
//! An input has the place, the template, an identifier and a password, a line each.

use serde_json::Value;
use token_endpoint::{
    registry::{
        identifier::{Identifier, IdentifierKind},
        remote::{Placeholder, Template, UrlPart, Values},
    },
    secret::Secret,
};

const KNOWN: [Placeholder; 4] =
    [Placeholder::Identifier, Placeholder::Kind, Placeholder::AuthSourceId, Placeholder::Password];

pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let place = match line() {
        "path" => UrlPart::Path,
        "header" => UrlPart::Header,
        "json" => UrlPart::Json,
        _ => UrlPart::Form,
    };
    let template = line();
    let Ok(parsed) = Template::parse(template, place, &KNOWN) else { return };
    assert_eq!(parsed.to_string(), template);
    let plain = expanded(&parsed, "name", "word").unwrap();
    if let Some(filled) = expanded(&parsed, line(), line()) {
        assert_same_shape(place, &plain, &filled);
    }
}

fn expanded(template: &Template, name: &str, password: &str) -> Option<String> {
    let identifier = Identifier { kind: IdentifierKind::Username, value: name.to_owned() };
    let password = Secret::new(password);
    let values = Values { auth_source_id: "SOURCE", identifier: Some(&identifier), password: Some(&password) };
    template.expand(&values).map(|text| String::from_utf8(text.expose().to_vec()).unwrap())
}

fn assert_same_shape(place: UrlPart, plain: &str, filled: &str) {
    match place {
        UrlPart::Path => {
            let parts = |text: &str| [text.matches('/').count(), text.matches(['?', '#', '&', '=']).count()];
            assert_eq!(parts(plain), parts(filled), "{filled}");
            let path = filled.split('?').next().unwrap();
            assert!(path.split('/').all(|segment| ![".", ".."].contains(&segment)), "{filled}");
            assert_is_printable(filled);
        }
        UrlPart::Header => assert_is_printable(filled),
        UrlPart::Json => assert_same_json(plain, filled),
        UrlPart::Form => {
            let parts = |text: &str| text.matches(['&', '=']).count();
            assert_eq!(parts(plain), parts(filled), "{filled}");
            assert_is_printable(filled);
        }
    }
}

fn assert_same_json(plain: &str, filled: &str) {
    let [plain, filled] = [plain, filled].map(|text| serde_json::from_str::<Value>(text).ok());
    // Numbers that serde_json can't hold are JSON all the same.
    if plain.is_some() {
        let filled = filled.expect("the same JSON with other texts");
        assert_eq!(plain.map(|value| std::mem::discriminant(&value)), Some(std::mem::discriminant(&filled)));
    }
}

fn assert_is_printable(text: &str) {
    assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
}
