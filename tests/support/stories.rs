//! Every refusal of `docs/api.md` and the order of its checks, as data: told once, and run on every engine.
//!
//! They are about the demo's configuration (`envoy/envoy.yaml`) with [`PASSWORD_ONLY_CLIENT`] added to its clients.

/// A client beside the demo's, which may not use refresh tokens.
pub const PASSWORD_ONLY_CLIENT: &str = "{id: PASSWORD_ONLY_CLIENT_ID, type: mobile, auth_sources: [MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID], grants: [password]}";

/// The login of `docs/api.md`, word for word.
pub const SAMPLE: &str = "grant_type=password&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET\
    &auth_source_id=MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID&username=MOCK_USERNAME&password=MOCK_PASSWORD&scope=openid";

/// The sample from which HTTP Basic has taken the client's credentials.
pub const SAMPLE_WITHOUT_CLIENT: &str = "grant_type=password\
    &auth_source_id=MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID&username=MOCK_USERNAME&password=MOCK_PASSWORD&scope=openid";

/// The content type of a form.
pub const FORM_TYPE: &str = "application/x-www-form-urlencoded";

/// `TENANT_CLIENT_ID:TENANT_CLIENT_SECRET` as HTTP Basic has it.
pub const BASIC: &str = "Basic VEVOQU5UX0NMSUVOVF9JRDpURU5BTlRfQ0xJRU5UX1NFQ1JFVA==";

/// A request, and the answer to it to the letter.
#[derive(Debug)]
pub struct Story {
    pub name: &'static str,
    pub request: Request,
    pub expected: Expected,
}

/// A request without `Host` and `Content-Length`, which follow from the rest.
#[derive(Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// All of an answer, but for `Content-Length` and what a proxy adds of its own.
#[derive(Debug)]
pub struct Expected {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: String,
}

/// All stories, in the order of the table in `docs/api.md`.
pub fn stories() -> Vec<Story> {
    [
        credentials(),
        identifiers_and_sources(),
        parameters(),
        forms(),
        grants_and_scopes(),
        clients(),
        methods_and_sizes(),
        order_of_checks(),
        revocations(),
        introspections(),
        user_info(),
        documents(),
    ]
    .into_iter()
    .flatten()
    .map(|(name, request, mut expected)| {
        expected.headers.push(("x-content-type-options", "nosniff"));
        Story { name, request, expected }
    })
    .collect()
}

type Row = (&'static str, Request, Expected);

fn credentials() -> Vec<Row> {
    let wrong = || refused(400, "invalid_grant", "Wrong username or password");
    let abnormal = || refused(400, "invalid_grant", "Abnormal user status");
    let locked = sample("username=MOCK_USERNAME", "username=LOCKED_USERNAME");
    vec![
        ("a wrong password", form(sample("MOCK_PASSWORD&", "WRONG&")), wrong()),
        ("a password in another case", form(sample("MOCK_PASSWORD&", "mock_password&")), wrong()),
        ("a password with a space more", form(sample("MOCK_PASSWORD&", "MOCK_PASSWORD+&")), wrong()),
        ("an unknown user", form(sample("username=MOCK_USERNAME", "username=NOBODY")), wrong()),
        ("an unknown phone number", form(sample("username=MOCK_USERNAME", "username=%2B8613800138001")), wrong()),
        (
            "a phone number and a wrong password",
            form(replaced(&sample("username=MOCK_USERNAME", "username=%2B8613800138000"), "MOCK_PASSWORD&", "WRONG&")),
            wrong(),
        ),
        ("a user name in another case", form(sample("username=MOCK_USERNAME", "username=mock_username")), wrong()),
        ("a locked user who knows the password", form(locked.clone()), abnormal()),
        ("a locked user who does not know the password", form(replaced(&locked, "MOCK_PASSWORD&", "WRONG&")), wrong()),
        (
            "a refresh token that was never issued",
            form(refresh("AAAA")),
            refused(400, "invalid_grant", "Invalid refresh token"),
        ),
        (
            "a refresh token that is not base64url",
            form(refresh("%2F%2B%3D")),
            refused(400, "invalid_grant", "Invalid refresh token"),
        ),
    ]
}

fn identifiers_and_sources() -> Vec<Row> {
    let unsupported = || refused(400, "invalid_grant", "Unsupported username identifier");
    let not_associated = || refused(400, "invalid_auth_source", "Auth source and application not associated");
    let source = |other| form(sample("MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID", other));
    vec![
        (
            "an e-mail address where none is accepted",
            form(sample("username=MOCK_USERNAME", "username=mock%40example.com")),
            unsupported(),
        ),
        (
            "an unknown e-mail address where none is accepted",
            form(sample("username=MOCK_USERNAME", "username=nobody%40example.com")),
            unsupported(),
        ),
        ("an unknown auth source", source("NO_AUTH_SOURCE_ID"), not_associated()),
        ("an auth source that is not the application's", source("UNASSOCIATED_AUTH_SOURCE_ID"), not_associated()),
    ]
}

fn parameters() -> Vec<Row> {
    let invalid = |description| refused(400, "invalid_request", description);
    vec![
        ("no grant type", form(sample("grant_type=password&", "")), invalid("Missing parameter: grant_type")),
        ("no client", form(sample("client_id=TENANT_CLIENT_ID&", "")), invalid("Missing parameter: client_id")),
        (
            "no auth source",
            form(sample("auth_source_id=MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID&", "")),
            invalid("Missing parameter: auth_source_id"),
        ),
        ("no user name", form(sample("username=MOCK_USERNAME&", "")), invalid("Missing parameter: username")),
        ("no password", form(sample("password=MOCK_PASSWORD&", "")), invalid("Missing parameter: password")),
        ("no refresh token", form(refresh("")), invalid("Missing parameter: refresh_token")),
        (
            "an empty grant type",
            form(sample("grant_type=password", "grant_type=")),
            invalid("Missing parameter: grant_type"),
        ),
        (
            "an empty client",
            form(sample("client_id=TENANT_CLIENT_ID", "client_id=")),
            invalid("Missing parameter: client_id"),
        ),
        (
            "an empty auth source",
            form(sample("auth_source_id=MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID", "auth_source_id")),
            invalid("Missing parameter: auth_source_id"),
        ),
        (
            "an empty user name",
            form(sample("username=MOCK_USERNAME", "username=")),
            invalid("Missing parameter: username"),
        ),
        (
            "an empty password",
            form(sample("password=MOCK_PASSWORD", "password=")),
            invalid("Missing parameter: password"),
        ),
        ("no body at all", form(String::new()), invalid("Missing parameter: client_id")),
        (
            "a repeated user name",
            form(format!("{SAMPLE}&username=MOCK_USERNAME")),
            invalid("Repeated parameter: username"),
        ),
        (
            "a repeated client under an encoded name",
            form(format!("{SAMPLE}&client%5Fid=TENANT_CLIENT_ID")),
            invalid("Repeated parameter: client_id"),
        ),
        ("a scope repeated as an empty one", form(format!("{SAMPLE}&scope=")), invalid("Repeated parameter: scope")),
        (
            "a user name that is not UTF-8",
            form(sample("username=MOCK_USERNAME", "username=%FF")),
            invalid("Malformed parameter: username"),
        ),
        (
            "a password with a broken percent sign",
            form(sample("password=MOCK_PASSWORD", "password=100%")),
            invalid("Malformed parameter: password"),
        ),
        (
            "a client with a percent sign and no digits",
            form(sample("client_id=TENANT_CLIENT_ID", "client_id=%zz")),
            invalid("Malformed parameter: client_id"),
        ),
        (
            "credentials in the query only",
            post(
                "/oauth2/token?client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET",
                vec![form_type()],
                SAMPLE_WITHOUT_CLIENT.to_owned(),
            ),
            invalid("Missing parameter: client_id"),
        ),
    ]
}

fn forms() -> Vec<Row> {
    let unsupported = || refused(400, "invalid_request", "Unsupported content type");
    let of_type = |value: &str| post(TOKEN, vec![("content-type", value.to_owned())], SAMPLE.to_owned());
    let both = || refused(400, "invalid_request", "Client credentials in both the header and the body");
    vec![
        (
            "a name that is not UTF-8",
            form(format!("{SAMPLE}&%FF=1")),
            refused(400, "invalid_request", "Malformed request body"),
        ),
        ("JSON", of_type("application/json"), unsupported()),
        (
            "a content type that only starts like a form's",
            of_type("application/x-www-form-urlencoded-not"),
            unsupported(),
        ),
        ("no content type", post(TOKEN, vec![], SAMPLE.to_owned()), unsupported()),
        ("credentials in the header and in the body", basic(BASIC, SAMPLE), both()),
        (
            "a secret in the header and in the body",
            basic(BASIC, &format!("{SAMPLE_WITHOUT_CLIENT}&client_secret=TENANT_CLIENT_SECRET")),
            both(),
        ),
        (
            "another client in the header than in the body",
            basic(BASIC, &format!("{SAMPLE_WITHOUT_CLIENT}&client_id=SPA_CLIENT_ID")),
            both(),
        ),
    ]
}

fn grants_and_scopes() -> Vec<Row> {
    let unsupported = || refused(400, "unsupported_grant_type", "Unsupported grant type");
    let unauthorized = || refused(400, "unauthorized_client", "Grant type not allowed for this client");
    let invalid_scope = || refused(400, "invalid_scope", "Scope not allowed for this client");
    let grant = |other| form(sample("grant_type=password", other));
    let scope = |other| form(sample("scope=openid", other));
    vec![
        ("a grant type of OAuth that is not offered", grant("grant_type=authorization_code"), unsupported()),
        ("a grant type in another case", grant("grant_type=Password"), unsupported()),
        (
            "a grant that this client may not use",
            form("grant_type=refresh_token&client_id=PASSWORD_ONLY_CLIENT_ID&refresh_token=AAAA".to_owned()),
            unauthorized(),
        ),
        (
            "a client that may not act for itself",
            form("grant_type=client_credentials&client_id=SPA_CLIENT_ID".to_owned()),
            unauthorized(),
        ),
        (
            "a user's scope for a client that acts for itself",
            form(format!("grant_type=client_credentials&scope=openid&{TENANT}")),
            invalid_scope(),
        ),
        ("a scope that this client may not have", scope("scope=admin"), invalid_scope()),
        ("a scope too many", scope("scope=openid+admin"), invalid_scope()),
        ("a scope in another case", scope("scope=OpenID"), invalid_scope()),
        ("a scope of spaces", scope("scope=+"), invalid_scope()),
    ]
}

fn clients() -> Vec<Row> {
    let failed = || refused(401, "invalid_client", "Client authentication failed");
    let challenged = || {
        let mut expected = failed();
        expected.headers.push(("www-authenticate", r#"Basic realm="token-endpoint", charset="UTF-8""#));
        expected
    };
    let with_basic = |authorization: &str| basic(authorization, SAMPLE_WITHOUT_CLIENT);
    let public_with_secret = |id: &str| form(sample("TENANT_CLIENT_ID", id));
    vec![
        ("an unknown client", form(sample("TENANT_CLIENT_ID", "NO_CLIENT_ID")), failed()),
        ("a wrong secret", form(sample("TENANT_CLIENT_SECRET", "WRONG")), failed()),
        ("a web application without its secret", form(sample("client_secret=TENANT_CLIENT_SECRET&", "")), failed()),
        (
            "a web application with an empty secret",
            form(sample("client_secret=TENANT_CLIENT_SECRET", "client_secret=")),
            failed(),
        ),
        ("a secret from a single-page application", public_with_secret("SPA_CLIENT_ID"), failed()),
        ("a secret from a mobile application", public_with_secret("MOBILE_CLIENT_ID"), failed()),
        ("a wrong secret by Basic", with_basic("Basic VEVOQU5UX0NMSUVOVF9JRDpXUk9ORw=="), challenged()),
        ("an unknown client by Basic", with_basic("Basic Tk9fQ0xJRU5UX0lEOlRFTkFOVF9DTElFTlRfU0VDUkVU"), challenged()),
        ("no secret by Basic", with_basic("Basic VEVOQU5UX0NMSUVOVF9JRDo="), challenged()),
        (
            "a secret from a public client by Basic",
            with_basic("Basic U1BBX0NMSUVOVF9JRDpURU5BTlRfQ0xJRU5UX1NFQ1JFVA=="),
            challenged(),
        ),
        ("Basic that is not base64", with_basic("Basic ???"), challenged()),
        ("Basic without a colon", with_basic("Basic VEVOQU5UX0NMSUVOVF9JRA=="), challenged()),
    ]
}

fn methods_and_sizes() -> Vec<Row> {
    let unsupported = || {
        let mut expected = refused(405, "invalid_request", "Unsupported method");
        expected.headers.push(("allow", "POST, OPTIONS"));
        expected
    };
    let with = |method, body: &str| Request { method, ..post(TOKEN, vec![form_type()], body.to_owned()) };
    let allowed =
        Expected { status: 204, headers: vec![("allow", "POST, OPTIONS"), DEPENDS_ON_PAGE], body: String::new() };
    let longest = 16 * 1024;
    vec![
        ("GET", with("GET", ""), unsupported()),
        (
            "GET with the login in its query",
            Request { path: "/oauth2/token?grant_type=password&client_id=SPA_CLIENT_ID", ..with("GET", "") },
            unsupported(),
        ),
        ("PUT", with("PUT", SAMPLE), unsupported()),
        ("PATCH", with("PATCH", SAMPLE), unsupported()),
        ("DELETE", with("DELETE", ""), unsupported()),
        ("OPTIONS", with("OPTIONS", ""), allowed),
        ("a body over the limit", form(padded(longest + 1)), refused(413, "invalid_request", "Request body too large")),
        (
            "a body at the limit, with a wrong password",
            form(replaced(&padded(longest), "MOCK_PASSWORD", "SOME_PASSWORD")),
            refused(400, "invalid_grant", "Wrong username or password"),
        ),
    ]
}

/// Each request has two faults, neighbours in the order that `docs/api.md` has; the earlier one is told.
fn order_of_checks() -> Vec<Row> {
    let invalid = |status, description| refused(status, "invalid_request", description);
    vec![
        (
            "method before content type",
            Request { method: "PUT", ..post(TOKEN, vec![], SAMPLE.to_owned()) },
            Expected { headers: with_allow(), ..invalid(405, "Unsupported method") },
        ),
        ("content type before size", post(TOKEN, vec![], padded(20_000)), invalid(400, "Unsupported content type")),
        ("size before form", form(format!("{}&username=X", padded(20_000))), invalid(413, "Request body too large")),
        (
            "form before client",
            form(format!("{}&username=X", sample("TENANT_CLIENT_ID", "NO_CLIENT_ID"))),
            invalid(400, "Repeated parameter: username"),
        ),
        (
            "client before grant",
            form(sample(
                "grant_type=password&client_id=TENANT_CLIENT_ID",
                "grant_type=implicit&client_id=NO_CLIENT_ID",
            )),
            refused(401, "invalid_client", "Client authentication failed"),
        ),
        (
            "grant before parameters",
            form(replaced(&sample("grant_type=password", "grant_type=implicit"), "username=MOCK_USERNAME&", "")),
            refused(400, "unsupported_grant_type", "Unsupported grant type"),
        ),
        (
            "parameters before scope",
            form(replaced(&sample("scope=openid", "scope=admin"), "username=MOCK_USERNAME&", "")),
            invalid(400, "Missing parameter: username"),
        ),
        (
            "scope before auth source",
            form(replaced(
                &sample("scope=openid", "scope=admin"),
                "MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID",
                "NO_AUTH_SOURCE_ID",
            )),
            refused(400, "invalid_scope", "Scope not allowed for this client"),
        ),
        (
            "auth source before identifier kind",
            form(replaced(
                &sample("MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID", "NO_AUTH_SOURCE_ID"),
                "username=MOCK_USERNAME",
                "username=mock%40example.com",
            )),
            refused(400, "invalid_auth_source", "Auth source and application not associated"),
        ),
        (
            "identifier kind before password",
            form(replaced(
                &sample("MOCK_PASSWORD&", "WRONG&"),
                "username=MOCK_USERNAME",
                "username=mock%40example.com",
            )),
            refused(400, "invalid_grant", "Unsupported username identifier"),
        ),
        (
            "password before status",
            form(replaced(&sample("MOCK_PASSWORD&", "WRONG&"), "username=MOCK_USERNAME", "username=LOCKED_USERNAME")),
            refused(400, "invalid_grant", "Wrong username or password"),
        ),
    ]
}

/// RFC 7009 §2.1 and §2.2.1.
fn revocations() -> Vec<Row> {
    let about = |body: String| post(REVOKE, vec![form_type()], body);
    let done = || Expected { status: 200, headers: not_kept(), body: String::new() };
    vec![
        ("the end of what is no token", about(format!("token=AAAA&{TENANT}")), done()),
        (
            "the end of what is no token, with a hint that nobody knows",
            about(format!("token=a.b.c&token_type_hint=pigeon&{TENANT}")),
            done(),
        ),
        (
            "the end of what is no token of a public client",
            about("token=AAAA&client_id=SPA_CLIENT_ID".to_owned()),
            done(),
        ),
        ("the end of nothing", about(TENANT.to_owned()), refused(400, "invalid_request", "Missing parameter: token")),
        (
            "the end of two tokens",
            about(format!("token=A&token=B&{TENANT}")),
            refused(400, "invalid_request", "Repeated parameter: token"),
        ),
        (
            "a revocation with a wrong secret",
            about(replaced(&format!("token=AAAA&{TENANT}"), "TENANT_CLIENT_SECRET", "WRONG")),
            refused(401, "invalid_client", "Client authentication failed"),
        ),
        (
            "GET of a revocation",
            Request { method: "GET", ..about(String::new()) },
            Expected { headers: with_allow(), ..refused(405, "invalid_request", "Unsupported method") },
        ),
        (
            "OPTIONS of a revocation",
            Request { method: "OPTIONS", ..about(String::new()) },
            Expected { status: 204, headers: vec![("allow", "POST, OPTIONS"), DEPENDS_ON_PAGE], body: String::new() },
        ),
    ]
}

/// RFC 7662 §2.1 and §2.2.
fn introspections() -> Vec<Row> {
    let about = |body: String| post(INTROSPECT, vec![form_type()], body);
    let inactive = || Expected { status: 200, headers: json_headers(), body: r#"{"active":false}"#.to_owned() };
    vec![
        ("a question about what is no token", about(format!("token=AAAA&{TENANT}")), inactive()),
        ("a question about what looks like a token", about(format!("token=e30.e30.AAAA&{TENANT}")), inactive()),
        (
            "a question about nothing",
            about(format!("token=&{TENANT}")),
            refused(400, "invalid_request", "Missing parameter: token"),
        ),
        (
            "a question of a public client",
            about("token=AAAA&client_id=SPA_CLIENT_ID".to_owned()),
            refused(401, "invalid_client", "Client authentication failed"),
        ),
        (
            "a question that is no form",
            post(INTROSPECT, vec![("content-type", "application/json".to_owned())], "{}".to_owned()),
            refused(400, "invalid_request", "Unsupported content type"),
        ),
    ]
}

/// OpenID Connect Core §5.3.3 and RFC 6750 §3.1.
fn user_info() -> Vec<Row> {
    let get = |path, headers| Request { method: "GET", ..post(path, headers, String::new()) };
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let no_token =
        || challenged(refused(401, "invalid_token", "Missing access token"), r#"Bearer realm="token-endpoint""#);
    let bad_token = || {
        let challenge =
            r#"Bearer realm="token-endpoint", error="invalid_token", error_description="Invalid access token""#;
        challenged(refused(401, "invalid_token", "Invalid access token"), challenge)
    };
    let malformed = || {
        let description = "Malformed or repeated parameter: access_token";
        let challenge = r#"Bearer realm="token-endpoint", error="invalid_request", error_description="Malformed or repeated parameter: access_token""#;
        challenged(refused(400, "invalid_request", description), challenge)
    };
    let unsupported = {
        let mut expected = refused(405, "invalid_request", "Unsupported method");
        expected.headers.push(("allow", "GET, HEAD, POST, OPTIONS"));
        expected
    };
    vec![
        ("a user's claims without a token", get(USERINFO, vec![]), no_token()),
        (
            "a user's claims with a client's secret",
            get(USERINFO, vec![("authorization", BASIC.to_owned())]),
            no_token(),
        ),
        ("a token in the query", get("/oauth2/userinfo?access_token=a.b.c", vec![]), no_token()),
        ("a token in a body that is no form", post(USERINFO, vec![], "access_token=a.b.c".to_owned()), no_token()),
        ("a bad token in the header", get(USERINFO, vec![bearer("a.b.c")]), bad_token()),
        ("an empty token in the header", get(USERINFO, vec![bearer("")]), bad_token()),
        ("a bad token in a form", post(USERINFO, vec![form_type()], "access_token=a.b.c".to_owned()), bad_token()),
        (
            "tokens in the header and in a form",
            post(USERINFO, vec![form_type(), bearer("a.b.c")], "access_token=a.b.c".to_owned()),
            malformed(),
        ),
        (
            "two tokens in a form",
            post(USERINFO, vec![form_type()], "access_token=a&access_token=b".to_owned()),
            malformed(),
        ),
        ("DELETE of a user's claims", Request { method: "DELETE", ..get(USERINFO, vec![]) }, unsupported),
    ]
}

fn documents() -> Vec<Row> {
    let methods = "GET, HEAD, OPTIONS";
    let paths = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth2/jwks"];
    let with = |method, path| Request { method, ..post(path, vec![], String::new()) };
    let for_all = ("access-control-allow-origin", "*");
    let allowed = || Expected { status: 204, headers: vec![("allow", methods), for_all], body: String::new() };
    let unsupported = || {
        let mut expected = refused(405, "invalid_request", "Unsupported method");
        expected.headers.retain(|header| *header != DEPENDS_ON_PAGE);
        expected.headers.extend([("allow", methods), for_all]);
        expected
    };
    let rows = paths.map(|path| {
        [
            ("POST to a document", with("POST", path), unsupported()),
            ("OPTIONS of a document", with("OPTIONS", path), allowed()),
        ]
    });
    rows.into_iter().flatten().collect()
}

const TOKEN: &str = "/oauth2/token";
const REVOKE: &str = "/oauth2/revoke";
const INTROSPECT: &str = "/oauth2/introspect";
const USERINFO: &str = "/oauth2/userinfo";

/// The demo's web application, with its secret.
pub const TENANT: &str = "client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET";

/// The sample with one part of it replaced by another.
fn sample(part: &str, other: &str) -> String {
    replaced(SAMPLE, part, other)
}

fn replaced(text: &str, part: &str, other: &str) -> String {
    assert!(text.contains(part), "no {part:?} in {text:?}");
    text.replace(part, other)
}

fn refresh(token: &str) -> String {
    format!(
        "grant_type=refresh_token&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&refresh_token={token}"
    )
}

/// The sample, made this many bytes long by a parameter that nobody knows.
fn padded(length: usize) -> String {
    let start = format!("{SAMPLE}&padding=");
    format!("{start}{}", "x".repeat(length - start.len()))
}

fn form(body: String) -> Request {
    post(TOKEN, vec![form_type()], body)
}

fn basic(authorization: &str, body: &str) -> Request {
    post(TOKEN, vec![form_type(), ("authorization", authorization.to_owned())], body.to_owned())
}

fn post(path: &'static str, headers: Vec<(&'static str, String)>, body: String) -> Request {
    Request { method: "POST", path, headers, body }
}

fn form_type() -> (&'static str, String) {
    ("content-type", FORM_TYPE.to_owned())
}

fn refused(status: u16, error: &str, description: &str) -> Expected {
    let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
    Expected { status, headers: json_headers(), body }
}

fn json_headers() -> Vec<(&'static str, &'static str)> {
    [vec![("content-type", "application/json;charset=UTF-8")], not_kept()].concat()
}

/// One of the demo's clients lets a page read its answers.
const DEPENDS_ON_PAGE: (&str, &str) = ("vary", "origin");

fn not_kept() -> Vec<(&'static str, &'static str)> {
    vec![("cache-control", "no-store"), ("pragma", "no-cache"), DEPENDS_ON_PAGE]
}

fn challenged(mut expected: Expected, challenge: &'static str) -> Expected {
    expected.headers.push(("www-authenticate", challenge));
    expected
}

fn with_allow() -> Vec<(&'static str, &'static str)> {
    [json_headers(), vec![("allow", "POST, OPTIONS")]].concat()
}
