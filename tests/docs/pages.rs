//! The documentation is true: its snippets are run, its links lead somewhere, and its tables are complete.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    markdown::{Block, Page, codes, repository},
    reader,
};
use crate::support::{
    control_planes,
    directories::{Elsewhere, log_in},
    manifests,
};
use serde_json::{Value, json};
use token_endpoint::{
    endpoint::{event::Outcome, oauth_error::OAuthError, parameter::Parameter, request_context::RequestKind},
    outbound::Fault,
    registry::client::Grant,
};

/// The beginning of a command that makes a Secret.
const SECRET: &str = "kubectl -n istio-system create secret generic token-endpoint --from-file";

/// Pages with a test of their own; all others are followed by the last one.
const FOLLOWED: [&str; 8] = [
    "README.md",
    // `make test-mesh` follows it, with a real func-e.
    "docs/func-e.md",
    "docs/incidents.md",
    "docs/istio.md",
    "docs/migrating.md",
    "docs/sizing.md",
    "docs/walk-through.md",
    "envoy/examples/README.md",
];

#[test]
fn the_readme_can_be_followed() {
    reader::follow(&Page::read("README.md"));
}

#[test]
fn the_walk_through_ends_at_a_secured_service() {
    reader::follow(&Page::read("docs/walk-through.md"));
}

#[test]
fn users_of_keycloak_and_dex_log_in_after_the_migration() {
    let page = Page::read("docs/migrating.md");
    let users: Value = serde_json::from_str(&reader::follow(&page).file("users.json")).unwrap();
    let keycloak = json!({"id": "KEYCLOAK", "identifiers": ["username", "email"], "users": users["users"]});
    let is_part = |block: &&Block| block.name.is_none() && block.text.starts_with("auth_sources:");
    let dex = page.blocks().into_iter().find(|block| is_part(&block)).unwrap();
    let dex = manifests::value(&dex.text, Path::new("part.yaml"))["auth_sources"][0].clone();
    let sources = Elsewhere::default().auth_sources(&as_yaml(&keycloak)).auth_sources(&as_yaml(&dex));
    let gateway = sources.start(1);

    let users = [("KEYCLOAK", "alice"), ("KEYCLOAK", "alice@example.com"), ("KEYCLOAK", "bob@example.com")];
    for (source, name) in users.into_iter().chain([("LOCAL", "dave@example.com")]) {
        let passwords = ["correct horse battery staple", "Correct horse battery staple"];
        let statuses = passwords.map(|password| log_in(&gateway, source, name, password).status);
        assert_eq!(statuses, [200, 400], "{name}");
    }
}

fn as_yaml(auth_source: &Value) -> String {
    let fields = auth_source.as_object().unwrap().iter().filter(|(name, _)| *name != "id");
    let fields: String = fields.map(|(name, value)| format!("\n  {name}: {value}")).collect();
    format!("- id: {}{fields}", auth_source["id"].as_str().unwrap())
}

#[test]
fn what_is_said_of_istio_is_so_where_no_cluster_is_needed() {
    let control_planes::Deployed { gateway, extensions: _extensions } =
        control_planes::istio_with_envoy_filter("ingress-gateway").deploy();
    reader::follow_with(&Page::read("docs/istio.md"), gateway);
}

#[test]
fn the_page_on_sizes_can_be_followed() {
    reader::follow(&Page::read("docs/sizing.md"));
}

#[test]
fn incidents_look_as_they_are_shown() {
    reader::follow(&Page::read("docs/incidents.md"));
}

#[test]
fn the_examples_of_directories_can_be_followed() {
    reader::follow(&Page::read("envoy/examples/README.md"));
}

#[test]
fn all_other_pages_can_be_followed() {
    let is_followed = |page: &Page| FOLLOWED.iter().any(|path| page.path.as_os_str() == *path);
    Page::all().iter().filter(|page| !is_followed(page)).for_each(|page| drop(reader::follow(page)));
}

#[test]
fn a_page_that_is_not_true_is_trouble() {
    let said = "```sh\necho '{\"a\": 1, \"b\": \"abc\"}'\n```\n";
    let after = |block: &str| format!("{said}{block}");
    let good = ["```json\n{\"a\": 1, \"b\": \"a…c\"}\n```", "```text\n{\"a\":…}\n```"].map(after);
    assert_eq!(good.map(|page| reader::trouble_with(&Page::of(&page))), [None, None]);
    let left = |member: &str, seconds: u64| {
        format!("```sh\necho '{{\"{member}\": {seconds}}}'\n```\n```json\n{{\"{member}\": 300}}\n```")
    };
    let on_time = [300, 299].map(|seconds| reader::trouble_with(&Page::of(&left("expires_in", seconds))));
    assert_eq!(on_time, [None, None]);

    let bad = [
        ("```rust\nfn main() {}\n```".to_owned(), "no rule covers a block of \"rust\""),
        ("```\nfree text\n```".to_owned(), "no rule covers this line"),
        ("```text\nnobody has printed this\n```".to_owned(), "no rule covers a block of \"text\""),
        (
            "```\nconfiguration refused: issuer: nothing of the kind\n```".to_owned(),
            "no mistake here is told like this",
        ),
        ("```sh\necho before\nfalse\necho behind\n```".to_owned(), "a command failed, having printed:\nbefore\n"),
        ("```sh\nno-such-program\n```".to_owned(), "not found"),
        ("```sh\nkubectl delete namespace istio-system\n```".to_owned(), "nothing stands in for kubectl"),
        (format!("```sh\necho key > file\n{SECRET}=OTHER_KEY=file\n```"), "a command failed"),
        (format!("```sh\necho > file\n{SECRET}=TOKEN_ENDPOINT_SIGNING_KEY=file\n```"), "a command failed"),
        (
            "```sh\nskopeo copy oci:target/package/x:1 docker://elsewhere.example.com/x:1\n```".to_owned(),
            "a command failed",
        ),
        (after("```json\n{\"a\": 1}\n```"), "this came out"),
        (after("```json\n{\"a\": 1, \"b\": \"b…c\"}\n```"), "this came out"),
        (after("```text\nabc\n```"), "this came out"),
        (left("expires_in", 298), "this came out"),
        (left("expires_in", 301), "this came out"),
        (left("max_age", 299), "this came out"),
        ("```yaml unused.yaml\na: b\n```".to_owned(), "no command takes unused.yaml"),
        ("```yaml\npassword_check: {slice_ms: 2}\n```".to_owned(), "password_check: unknown field"),
        ("```yaml\npassword_checks: {slice_ms: 0}\n```".to_owned(), "password_checks.slice_ms: expected 1 to 100"),
    ];
    for (page, expected) in bad {
        let trouble = reader::trouble_with(&Page::of(&page)).unwrap_or_else(|| panic!("nothing is wrong with {page}"));
        assert!(trouble.contains(expected), "{page}\n{trouble}");
    }
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    for page in Page::all() {
        for link in page.links() {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = if file.is_empty() { page.path.clone() } else { page.path.with_file_name("").join(file) };
            assert!(repository().join(&path).exists(), "{}: nothing is at {link}", page.path.display());
            let is_there = anchor.is_empty() || Page::read(&path).anchors().contains(anchor);
            assert!(is_there, "{}: no heading is called {link}", page.path.display());
        }
    }
}

#[test]
fn every_refusal_is_explained_as_what_it_is_and_no_other() {
    let rows = incidents("Refusals");
    let told = rows.iter().map(|cells| [0, 1, 2].map(|at| cells[at].replace('`', "")));
    let terms = all(OAuthError::Method { allow: "" }, next_refusal).into_iter().map(OAuthError::response);
    let are = terms.map(|terms| [terms.reason.to_owned(), terms.status.to_string(), terms.error.to_owned()]);
    assert_eq!(told.collect::<BTreeSet<_>>(), are.collect());
    assert!(rows.iter().all(|cells| cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty())));
}

#[test]
fn the_api_names_every_refusal_as_it_is_sent_and_no_other() {
    let rows = Page::read("docs/api.md").rows("Failures");
    let told = rows.iter().map(|cells| [1, 2, 3].map(|at| cells[at].replace('`', "")));
    let sent = all(OAuthError::Method { allow: "" }, next_refusal).into_iter().map(OAuthError::response);
    let sent = sent.map(|terms| {
        let any_parameter = terms.description.replace(": username", ": …");
        [terms.status.to_string(), terms.error.to_owned(), any_parameter]
    });
    assert_eq!(told.collect::<BTreeSet<_>>(), sent.collect());
}

#[test]
fn every_other_outcome_and_every_request_is_explained() {
    let outcomes = all(Outcome::Issued, next_outcome);
    assert_eq!(first_codes("Outcomes that are no refusals"), outcomes.into_iter().map(named(Outcome::name)).collect());
    let requests = all(RequestKind::Token, next_topic);
    assert_eq!(first_codes("Requests"), requests.into_iter().map(named(RequestKind::name)).collect());
}

/// What the two files have in common: all but the comment at the top, and how the filter is loaded.
#[test]
fn the_demo_of_the_module_differs_in_the_filter_alone() {
    let common = |file: &str| {
        let text = fs::read_to_string(repository().join("envoy").join(file)).unwrap();
        let (head, rest) = text.split_once("            disabled: true ").unwrap();
        let (filter, tail) = rest.split_once("          - name: envoy.filters.http.jwt_authn\n").unwrap();
        let (_, document) = filter.split_once("value:\n").unwrap();
        let head: Vec<_> = head.lines().skip_while(|line| line.starts_with('#')).map(str::to_owned).collect();
        (head, document.to_owned(), tail.to_owned())
    };
    assert_eq!(common("envoy.yaml"), common("dynamic-module.yaml"));
}

#[test]
fn every_metric_is_explained() {
    let kinds = ["Counter::new(", "Gauge::new(", "Level::new(", "Histogram::in_millis(", "Histogram::in_micros("];
    let kinds = kinds.iter().chain(&["MetricKind::Counter, &format!("]);
    let short = |name: String| name.strip_prefix("token_endpoint.").map(str::to_owned).unwrap_or(name);
    let defined: BTreeSet<_> =
        kinds.flat_map(|kind| texts_behind(kind)).map(|name| anything(&short(name), '{', '}')).collect();
    assert!(defined.len() > 8, "{defined:?}");
    assert_eq!(first_codes("Metrics").iter().map(|name| anything(name, '<', '>')).collect::<BTreeSet<_>>(), defined);
}

#[test]
fn every_warning_and_every_error_in_the_log_is_explained() {
    let said = ["log::warn!(", "log::error!("].into_iter().flat_map(texts_behind).map(|line| anything(&line, '{', '}'));
    // A party and its fault: `OutboundRequest::party`.
    let lines = said.flat_map(|line| match line.as_str() {
        "…: …" => vec!["auth source …: …".to_owned(), "state store: …".to_owned()],
        _ => vec![line],
    });
    let lines: BTreeSet<_> = lines.collect();
    assert!(lines.len() > 10, "{lines:?}");
    assert_eq!(first_codes("Lines in the log"), lines);
}

#[test]
fn every_cause_of_trouble_with_a_directory_is_explained() {
    let causes = all(Fault::NoAnswer, next_fault).into_iter().map(|fault| fault.to_string().replace("599", "…"));
    assert_eq!(first_codes("Causes"), causes.collect());
}

#[test]
fn the_tests_that_the_threat_model_names_are_there() {
    let sources: String = ["src", "tests"].into_iter().flat_map(sources).collect();
    let names = Page::read("SECURITY.md").codes().into_iter().filter(|code| code.matches('_').count() > 3);
    let names: BTreeSet<_> = names.collect();
    assert!(names.len() > 40, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "no test is called {missing:?}");
}

#[test]
fn every_threat_of_rfc_6819_is_answered() {
    let rows = Page::read("SECURITY.md").rows("RFC 6819, threat by threat");
    let sections: Vec<_> = rows.iter().map(|cells| cells[0].as_str()).collect();
    let expected = "4.1.1 4.1.2 4.1.3 4.1.4 4.1.5 4.2.1 4.2.2–4.2.4 4.3.1 4.3.2 4.3.3 4.3.4 4.3.5 4.4.1 4.4.2 4.4.3 4.4.3.1 \
        4.4.3.2 4.4.3.3 4.4.3.4 4.4.3.5 4.4.3.6 4.4.4 4.5.1 4.5.2 4.5.3 4.5.4 4.6.1 4.6.2 4.6.3 4.6.4 4.6.5 4.6.6 4.6.7";
    assert_eq!(sections, expected.split_whitespace().collect::<Vec<_>>());
    assert!(rows.iter().all(|cells| !cells[3].is_empty()));
}

fn incidents(heading: &str) -> Vec<Vec<String>> {
    Page::read("docs/incidents.md").rows(heading)
}

/// What the first column of a table is about.
fn first_codes(heading: &str) -> BTreeSet<String> {
    incidents(heading).iter().map(|cells| codes(&cells[0]).remove(0)).collect()
}

fn named<T>(name: fn(T) -> &'static str) -> impl Fn(T) -> String {
    move |value| name(value).to_owned()
}

/// A text with `…` for all that stands between these, and these.
fn anything(text: &str, open: char, close: char) -> String {
    let mut pieces = text.split(open);
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| format!("{text}…{}", piece.split_once(close).map_or("", |(_, rest)| rest)))
}

/// The texts that follow these words in the runtime and in the adapter.
fn texts_behind(words: &str) -> Vec<String> {
    let sources = [sources("src/runtime"), sources("src/wasm")].concat();
    let calls = sources.iter().flat_map(|source| source.split(words).skip(1));
    let texts = calls.filter_map(|call| {
        let start = call.trim_start().trim_start_matches("&format!(");
        Some(start.strip_prefix('"')?.split('"').next()?.to_owned())
    });
    texts.collect()
}

fn sources(folder: &str) -> Vec<String> {
    let mut folders = vec![repository().join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (below, here): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        folders.extend(below);
        files.extend(here.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")));
    }
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// The first, and all that come after it.
fn all<T: Clone>(first: T, next: fn(&T) -> Option<T>) -> Vec<T> {
    std::iter::successors(Some(first), next).collect()
}

/// Each kind once: the compiler tells when there is another.
fn next_refusal(refusal: &OAuthError) -> Option<OAuthError> {
    Some(match refusal {
        OAuthError::Method { .. } => OAuthError::ForeignPage,
        OAuthError::ForeignPage => OAuthError::ContentType,
        OAuthError::ContentType => OAuthError::TooLarge,
        OAuthError::TooLarge => OAuthError::MalformedForm,
        OAuthError::MalformedForm => OAuthError::Missing(Parameter::Username),
        OAuthError::Missing(_) => OAuthError::Repeated(Parameter::Username),
        OAuthError::Repeated(_) => OAuthError::Malformed(Parameter::Username),
        OAuthError::Malformed(_) => OAuthError::TwoCredentials,
        OAuthError::TwoCredentials => OAuthError::InvalidClient { basic: false },
        OAuthError::InvalidClient { .. } => OAuthError::UnsupportedGrantType,
        OAuthError::UnsupportedGrantType => OAuthError::UnauthorizedClient,
        OAuthError::UnauthorizedClient => OAuthError::InvalidScope,
        OAuthError::InvalidScope => OAuthError::AuthSourceNotAssociated,
        OAuthError::AuthSourceNotAssociated => OAuthError::UnsupportedIdentifier,
        OAuthError::UnsupportedIdentifier => OAuthError::WrongCredentials,
        OAuthError::WrongCredentials => OAuthError::AccountNotActive,
        OAuthError::AccountNotActive => OAuthError::InvalidRefreshToken,
        OAuthError::InvalidRefreshToken => OAuthError::TokenOfAnother,
        OAuthError::TokenOfAnother => OAuthError::NoToken,
        OAuthError::NoToken => OAuthError::MalformedToken,
        OAuthError::MalformedToken => OAuthError::InvalidToken,
        OAuthError::InvalidToken => OAuthError::InsufficientScope,
        OAuthError::InsufficientScope => OAuthError::TooManyAttempts { retry_after: 1 },
        OAuthError::TooManyAttempts { .. } => OAuthError::Unavailable { retry_after: 1 },
        OAuthError::Unavailable { .. } => return None,
    })
}

fn next_outcome(outcome: &Outcome) -> Option<Outcome> {
    Some(match outcome {
        Outcome::Issued => Outcome::Told,
        Outcome::Told => Outcome::Revoked,
        Outcome::Revoked => Outcome::NothingToRevoke,
        Outcome::NothingToRevoke => Outcome::Active,
        Outcome::Active => Outcome::Inactive,
        Outcome::Inactive => Outcome::UserInfo,
        Outcome::UserInfo | Outcome::Refused(_) => return None,
    })
}

fn next_topic(topic: &RequestKind) -> Option<RequestKind> {
    Some(match topic {
        RequestKind::Token => RequestKind::Grant(Grant::Password),
        RequestKind::Grant(Grant::Password) => RequestKind::Grant(Grant::RefreshToken),
        RequestKind::Grant(Grant::RefreshToken) => RequestKind::Grant(Grant::ClientCredentials),
        RequestKind::Grant(Grant::ClientCredentials) => RequestKind::Revocation,
        RequestKind::Revocation => RequestKind::Introspection,
        RequestKind::Introspection => RequestKind::UserInfo,
        RequestKind::UserInfo => RequestKind::Keys,
        RequestKind::Keys => RequestKind::Metadata,
        RequestKind::Metadata => return None,
    })
}

fn next_fault(fault: &Fault) -> Option<Fault> {
    Some(match fault {
        Fault::NoAnswer => Fault::TooLarge(599),
        Fault::TooLarge(_) => Fault::Status(599),
        Fault::Status(_) => Fault::Malformed("599".to_owned()),
        Fault::Malformed(_) => Fault::Record("599".to_owned()),
        Fault::Record(_) => Fault::Busy,
        Fault::Busy => Fault::Open,
        Fault::Open => Fault::Contended,
        Fault::Contended => return None,
    })
}
