//! Requests that are refused for what they are, each with the reason; and documents for everyone.

use super::{
    model::Intent,
    request::Request,
    settings::SECRET,
    traffic::{INTROSPECT, REVOKE, TOKEN, USERINFO},
    world::World,
};

const LOGIN: [(&str, &str); 6] = [
    ("grant_type", "password"),
    ("client_id", "APP"),
    ("auth_source_id", "LISTED"),
    ("username", "alice"),
    ("password", "one"),
    ("scope", "openid"),
];

pub fn some(world: &World, address: String) -> (Intent, Request) {
    let (reason, request) = requests(world, address)(world.chance.below(23));
    (if reason.is_empty() { Intent::Read } else { Intent::Refused(reason) }, request)
}

fn requests(world: &World, address: String) -> impl FnOnce(u64) -> (&'static str, Request) {
    let machine = some_machine_token(world);
    move |number| {
        let form = |pairs: &[(&str, &str)]| Request::post(TOKEN, pairs, address.clone());
        let login_with = |name: &str, value: &str| {
            form(&LOGIN.map(|(known, old)| if known == name { (known, value) } else { (known, old) }))
        };
        let mut login = form(&LOGIN);
        let get =
            |path, headers| Request { method: "GET", path, headers, body: String::new(), address: address.clone() };
        match number {
            0 => ("missing_parameter", form(&LOGIN[..4])),
            1 => ("repeated_parameter", Request { body: format!("{}&scope=a", login.body), ..login }),
            2 => ("malformed_parameter", Request { body: format!("{}&client_secret=%ff", login.body), ..login }),
            3 => ("malformed_form", Request { body: format!("{}&%ff=1", login.body), ..login }),
            4 => ("method", Request { method: "PUT", ..login }),
            5 => {
                login.headers.clear();
                ("content_type", login)
            }
            6 => ("too_large", Request { body: "x".repeat(5000), ..login }),
            7 => {
                let pairs = [&LOGIN[..], &[("client_secret", SECRET)]].concat();
                let mut request = form(&pairs);
                request.headers.push(("authorization", "Basic QVBQOg==".to_owned()));
                ("two_credentials", request)
            }
            8 => ("invalid_client", login_with("client_id", "NOBODY")),
            9 => ("unsupported_grant_type", login_with("grant_type", "device")),
            10 => ("grant_not_allowed", form(&[("grant_type", "client_credentials"), ("client_id", "APP")])),
            11 => ("scope_not_allowed", login_with("scope", "everything")),
            12 => ("auth_source_not_associated", login_with("auth_source_id", "UNUSED")),
            13 => ("unsupported_identifier", login_with("username", "alice@example.com")),
            14 => (
                "invalid_refresh_token",
                form(&[("grant_type", "refresh_token"), ("client_id", "APP"), ("refresh_token", "AAAA")]),
            ),
            15 => ("no_token", get(USERINFO, Vec::new())),
            16 => {
                let bearer = vec![
                    ("authorization", "Bearer a".to_owned()),
                    ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ];
                (
                    "malformed_token",
                    Request { method: "POST", body: "access_token=b".to_owned(), ..get(USERINFO, bearer) },
                )
            }
            17 => ("invalid_token", get(USERINFO, vec![("authorization", "Bearer a.b.c".to_owned())])),
            18 => match machine {
                Some(token) => (
                    "insufficient_scope or invalid_token",
                    get(USERINFO, vec![("authorization", format!("Bearer {token}"))]),
                ),
                None => ("no_token", get(USERINFO, Vec::new())),
            },
            19 => (
                "missing_parameter",
                Request::post(INTROSPECT, &[("client_id", "WEB"), ("client_secret", SECRET)], address.clone()),
            ),
            20 => ("missing_parameter", Request::post(REVOKE, &[("client_id", "APP")], address.clone())),
            21 => {
                let origin = ("origin", "https://evil.example".to_owned());
                let post = Request::post(TOKEN, &[("client_id", "APP")], address.clone());
                ("foreign_page", Request { headers: [post.headers.clone(), vec![origin]].concat(), ..post })
            }
            _ => ("", get("/oauth2/jwks", Vec::new())),
        }
    }
}

/// A client's own access token, which is not good for userinfo.
fn some_machine_token(world: &World) -> Option<String> {
    let model = world.model.borrow();
    let tokens = model.tokens.iter().rev().filter(|token| model.families[token.family].user.is_none());
    tokens.map(|token| token.text.to_string()).next()
}
