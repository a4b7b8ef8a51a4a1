//! User directories over HTTP, as real Envoy asks them: three real servers that know nothing of it, and one that does everything
//! wrong. Each test is a claim.

use std::{
    fmt::Write,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    cases::{Case, GIBIBYTE_HASH, OTHER_BYTES, faults, snapshot_faults},
    directories::{
        Elsewhere, PASSWORD, QUICK_HASH, WRONG, assert_unavailable, every_second, limits, log_in, log_in_traced,
        lookup, lookup_answer, many_people, people, refresh, snapshot, source, verify,
    },
    faults::{Behaviour, Directory, Seen, answer, part, percent_decoded, status},
    gateway::{Gateway, replaced},
    nowhere::Nowhere,
    outage::live_through_an_outage,
    response::Response,
    servers::{Server, example},
    stories::SAMPLE,
};
use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::{Value, json};

/// Far longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of a large document.
const EVERY_SECOND: &str = "    timeout: 20s\n    refresh_interval: 1s";

const ABNORMAL: &str = r#"{"error":"invalid_grant","error_description":"Abnormal user status"}"#;

// --- Real servers ---

#[test]
fn people_in_an_sqlite_table_behind_datasette_log_in() {
    let datasette = Server::datasette();
    let gateway = with_example("lookup-datasette", &datasette);

    let login = log_in(&gateway, "SQLITE", "alice", PASSWORD);

    let claims = claims(&login);
    assert_eq!((&claims["sub"], &claims["name"]), (&json!("7f5e"), &json!("Alice")));
    assert_eq!(log_in(&gateway, "SQLITE", "alice@example.com", PASSWORD).status, 200);
    assert_who_may_not_log_in("SQLITE", &gateway);
    assert_refreshes(&gateway, &login);
    datasette.execute("update users set status = 'disabled' where username = 'alice'");
    assert_eq!(refresh(&gateway, &login).text(), ABNORMAL);
    datasette.execute("delete from users where username = 'alice'");
    assert_eq!(refresh(&gateway, &login).status, 400);
    assert_eq!(log_in(&gateway, "SQLITE", "alice", PASSWORD).text(), WRONG);
}

#[test]
fn people_in_a_file_on_nginx_log_in() {
    let nginx = Server::nginx("snapshot-nginx");
    let gateway = with_example("snapshot-nginx", &nginx);

    for auth_source in ["JSON_FILE", "JSON_LINES_FILE"] {
        let login = once_there(|| log_in(&gateway, auth_source, "alice", PASSWORD));
        let claims = claims(&login);
        assert_eq!((&claims["sub"], &claims["name"]), (&json!("7f5e"), &json!("Alice")), "{auth_source}");
        assert_eq!(log_in(&gateway, auth_source, "alice@example.com", PASSWORD).status, 200);
        assert_who_may_not_log_in(auth_source, &gateway);
        assert_refreshes(&gateway, &login);
    }
}

#[test]
fn people_in_an_htpasswd_file_of_nginx_log_in() {
    let nginx = Server::nginx("verify-nginx");
    let gateway = with_example("verify-nginx", &nginx);

    for (username, kind) in [("alice", "bcrypt"), ("carol", "apr1")] {
        let login = log_in(&gateway, "HTPASSWD", username, PASSWORD);
        assert_eq!(claims(&login)["sub"], username, "{kind}");
        assert_eq!(login.json().get("refresh_token"), None, "nobody could be asked about it later");
    }
    assert_eq!(log_in(&gateway, "HTPASSWD", "alice", "WRONG").text(), WRONG);
    assert_eq!(log_in(&gateway, "HTPASSWD", "nobody", PASSWORD).text(), WRONG);
    assert!(!gateway.log().contains(PASSWORD), "{}", gateway.log());
}

#[test]
fn what_changes_in_a_file_holds_after_a_refresh_and_what_does_not_is_not_sent_again() {
    let nginx = Server::nginx("snapshot-nginx");
    let settings =
        replaced(&example("snapshot-nginx/auth-source.yaml"), "refresh_interval: 60s", "refresh_interval: 1s");
    let elsewhere = Elsewhere::default().example(&settings, &example("snapshot-nginx/cluster.yaml"), &nginx.socket());
    let gateway = elsewhere.start(2);
    let login = once_there(|| log_in(&gateway, "JSON_FILE", "alice", PASSWORD));
    wait_until("a fetch that is told that nothing changed", || {
        nginx.requests().iter().any(|line| line.contains(" 304 "))
    });

    let locked =
        replaced(&example("snapshot-nginx/people/users.json"), r#""claims""#, r#""status": "locked", "claims""#);
    nginx.replace("people/users.json", &locked);

    wait_until("the new status on both workers", || {
        (0..10).all(|_| log_in(&gateway, "JSON_FILE", "alice", PASSWORD).text() == ABNORMAL)
    });
    assert_eq!(refresh(&gateway, &login).text(), ABNORMAL);
    assert_eq!(log_in(&gateway, "JSON_LINES_FILE", "alice", PASSWORD).status, 200, "the other file did not change");
}

#[test]
fn twenty_thousand_people_in_a_file_on_nginx_come_in_parts_once() {
    let nginx = Server::nginx("snapshot-nginx");
    let document = many_people("user");
    nginx.replace("people/users.json", &document);
    let settings =
        replaced(&example("snapshot-nginx/auth-source.yaml"), "refresh_interval: 60s", "refresh_interval: 1s");
    let elsewhere = Elsewhere::default().example(&settings, &example("snapshot-nginx/cluster.yaml"), &nginx.socket());
    let gateway = elsewhere.start(4);
    let requests = || -> Vec<String> {
        let lines = nginx.requests().into_iter().filter(|line| line.contains("GET /users.json "));
        lines.map(|line| line.split("HTTP/1.1\" ").nth(1).unwrap().split(" \"").next().unwrap().to_owned()).collect()
    };

    once_there(|| log_in(&gateway, "JSON_FILE", "user0", PASSWORD));
    wait_until("three intervals", || requests().iter().filter(|request| *request == "304 0").count() >= 3);

    for name in ["user0", "user7000", "user7400", "user14000", "user19999"] {
        assert_eq!(log_in(&gateway, "JSON_FILE", name, PASSWORD).status, 200, "{name}");
    }
    assert_eq!(log_in(&gateway, "JSON_FILE", "user20000", PASSWORD).text(), WRONG);
    let parts: Vec<_> = document.as_bytes().chunks(1024 * 1024).map(|part| format!("206 {}", part.len())).collect();
    assert!(parts.len() > 2, "{parts:?}");
    assert_eq!(requests()[..parts.len()], parts);
    assert!(requests()[parts.len()..].iter().all(|request| request == "304 0"), "{:?}", requests());
    nginx.replace("people/users.json", &people(&[("u1", "alice")]));
    wait_until("the new document", || log_in(&gateway, "JSON_FILE", "alice", PASSWORD).status == 200);
    assert_eq!(requests().iter().filter(|request| request.starts_with("20")).count(), parts.len() + 1);
}

#[test]
fn a_large_document_of_a_server_without_parts_comes_whole() {
    let directory = Directory::start();
    directory.on("FILE", [Behaviour::Document(many_people("user"))]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&snapshot("FILE", "directory", EVERY_SECOND)).start(2);

    once_there(|| log_in(&gateway, "FILE", "user0", PASSWORD));
    // Perhaps at the other worker, which may be reading still.
    assert_eq!(once_there(|| log_in(&gateway, "FILE", "user19999", PASSWORD)).status, 200);
    wait_until("three fetches", || directory.seen("FILE").len() >= 3);
    let unconditional = directory.seen("FILE").iter().filter(|seen| seen.header("if-none-match").is_none()).count();
    assert_eq!(unconditional, 1);
}

#[test]
fn what_a_caller_types_is_data_in_the_access_log_of_datasette() {
    let datasette = Server::datasette();
    let gateway = with_example("lookup-datasette", &datasette);

    for name in STRANGE_NAMES.map(str::to_owned).into_iter().chain([long_name()]) {
        let before = datasette.requests().len();
        let answer = log_in(&gateway, "SQLITE", &name, PASSWORD);
        assert_eq!(answer.text(), WRONG, "{name:?}");
        wait_until("the access log to tell", || datasette.requests().len() > before);
        let requests = datasette.requests();
        assert_eq!(requests.len(), before + 1, "{requests:?}");
        let target = requests[before].split(' ').find(|word| word.starts_with("/people/")).unwrap();
        let query = target.strip_prefix("/people/users.json?").unwrap();
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(pairs, [pair("_shape", "objects"), pair("username__exact", &name)]);
    }
}

// --- Faults ---

#[test]
fn whatever_goes_wrong_with_a_lookup_is_503_and_is_told_once() {
    let mut cases = faults(&json!({"rows": "many"}).to_string());
    cases.extend([
        Case::new("GIBIBYTE", answer(lookup_answer("u1", GIBIBYTE_HASH)), "/rows/0/hash: "),
        Case::new("NO_HASH", answer(json!({"rows": [{"id": "u1"}]}).to_string()), "/rows/0/hash: "),
        Case::new(
            "HASH_OF_ANOTHER_TYPE",
            answer(json!({"rows": [{"id": "u1", "hash": 7}]}).to_string()),
            "/rows/0/hash: ",
        ),
        Case::new(
            "ID_OF_ANOTHER_TYPE",
            answer(json!({"rows": [{"id": [], "hash": QUICK_HASH}]}).to_string()),
            "/rows/0/id: ",
        ),
    ]);
    let sound = answer(lookup_answer("u1", QUICK_HASH));
    let faulty = Faulty::start(cases, sound, |case| lookup(case.id, case.cluster, &limits(case.timeout, 3, "60s")));

    faulty.assert_refused();
}

#[test]
fn whatever_goes_wrong_with_a_verification_is_503_and_is_told_once() {
    let mut cases = faults(&json!({"id": {"of": "another type"}}).to_string());
    cases.push(Case::new("NO_ID", answer("{}"), "/id: "));
    let faulty = Faulty::start(cases, answer(json!({"id": "u1"}).to_string()), |case| {
        let user = "    user: {id: /id}";
        verify(case.id, case.cluster, &format!("{}\n{user}", limits(case.timeout, 3, "60s")))
    });

    faulty.assert_refused();
}

#[test]
fn whatever_goes_wrong_with_a_first_snapshot_is_503_and_is_told_once() {
    let faulty = Faulty::start(snapshot_faults(), Behaviour::Document(good("json")), every_second_of);
    let Faulty { cases, directory, gateway, .. } = &faulty;
    assert_eq!(once_there(|| log_in(gateway, "SOUND", "alice", PASSWORD)).status, 200);

    wait_until("each to be fetched three times", || cases.iter().all(|case| case.was_asked(directory, 3)));

    faulty.assert_refused();
    assert!(gateway.filter_counter("snapshot_refused") > 0);
}

#[test]
fn whatever_goes_wrong_with_a_later_snapshot_the_last_good_one_stays() {
    let directory = Directory::start();
    let cases = snapshot_faults().into_iter().filter(|case| case.cluster == "directory").collect::<Vec<_>>();
    let gateway = with_good_documents(&cases, &directory, every_second_of);

    go_wrong(&cases, &directory, 3);

    for case in &cases {
        for _ in 0..5 {
            assert_eq!(log_in(&gateway, case.id, "alice", PASSWORD).status, 200, "{}", case.id);
        }
        assert_eq!(log_in(&gateway, case.id, "alice", "WRONG").text(), WRONG, "{}", case.id);
        assert_eq!(log_in(&gateway, case.id, "bob", PASSWORD).text(), WRONG, "{}", case.id);
    }
    assert_told_once(&cases, &gateway);
    assert_unharmed(&gateway);
}

#[test]
fn a_document_that_changes_while_it_comes_is_never_put_together_of_two() {
    let directory = Directory::start();
    let (old, new) = (many_people("old-user"), many_people("new-user"));
    assert_eq!(old.len(), new.len());
    for (id, behaviour) in
        [("HEEDFUL", Behaviour::MatchingParts as fn(_) -> _), ("HEEDLESS", Behaviour::Parts as fn(_) -> _)]
    {
        directory.on(id, [behaviour(old.clone()), behaviour(new.clone())]);
    }
    let gateway = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&snapshot("HEEDFUL", "directory", EVERY_SECOND))
        .auth_sources(&snapshot("HEEDLESS", "directory", EVERY_SECOND))
        .start(1);

    for id in ["HEEDFUL", "HEEDLESS"] {
        let whose = |name: &str| once_there(|| log_in(&gateway, id, name, PASSWORD)).status;
        assert_eq!(
            ["new-user0", "new-user19999", "old-user0", "old-user19999"].map(whose),
            [200, 200, 400, 400],
            "{id}"
        );
        let asked: Vec<_> = directory.seen(id).iter().map(|seen| seen.header("range").unwrap().to_owned()).collect();
        let (first, second, third) = ("bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-3145727");
        assert_eq!(asked[..5], [first, second, first, second, third], "{id}");
    }
}

#[test]
fn a_document_of_two_servers_that_agree_on_nothing_comes_whole() {
    let directory = Directory::start();
    let one_or_the_other = || [many_people("a"), many_people("b")].map(Behaviour::MatchingParts);
    directory.on("FILE", (0..20).flat_map(|_| one_or_the_other()));
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let settings = "    timeout: 20s\n    refresh_interval: 600s";
    let gateway = elsewhere.auth_sources(&snapshot("FILE", "directory", settings)).start(1);

    let of_a = ["a0", "a19999"].map(|name| once_there(|| log_in(&gateway, "FILE", name, PASSWORD)).status);
    let of_b = ["b0", "b19999"].map(|name| log_in(&gateway, "FILE", name, PASSWORD).status);

    assert!([[200, 200], [400, 400]].contains(&of_a), "{of_a:?}");
    assert_ne!(of_a, of_b);
    assert_eq!(directory.seen("FILE").last().unwrap().header("range"), None);
}

#[test]
fn a_server_that_lies_about_a_further_part_is_refused_and_the_last_good_one_stays() {
    let directory = Directory::start();
    let document = many_people("user");
    let (total, mebibyte) = (document.len(), 1024 * 1024);
    let more = &document[mebibyte..2 * mebibyte];
    let tag = "\"a\"".to_owned();
    let range = |first: usize, last: usize, total: usize| format!("bytes {first}-{last}/{total}");
    let right = range(mebibyte, 2 * mebibyte - 1, total);
    let lies = [
        ("ANOTHER_RANGE", part(&range(0, mebibyte - 1, total), more)),
        ("ANOTHER_TOTAL", part(&range(mebibyte, 2 * mebibyte - 1, total + 1), more)),
        ("A_LONGER_BODY", part(&right, format!("{more} "))),
        ("A_SHORTER_BODY", part(&right, &more[1..])),
        ("MORE_THAN_ASKED", part(&range(mebibyte, 2 * mebibyte, total), &document[mebibyte..=2 * mebibyte])),
        ("NO_RANGE", Behaviour::Answer { status: 206, headers: vec![("etag", tag)], body: more.to_owned() }),
    ];
    let cases = lies.map(|(id, lie)| {
        let start = part(&range(0, mebibyte - 1, total), &document[..mebibyte]);
        Case::new(id, Behaviour::More(Box::new(start), Box::new(lie)), OTHER_BYTES)
    });
    let gateway = with_good_documents(&cases, &directory, |case| snapshot(case.id, case.cluster, EVERY_SECOND));

    go_wrong(&cases, &directory, 2 * 3);

    for case in &cases {
        assert_eq!(log_in(&gateway, case.id, "alice", PASSWORD).status, 200, "{}", case.id);
        assert_eq!(log_in(&gateway, case.id, "user0", PASSWORD).text(), WRONG, "{}", case.id);
    }
    assert_told_once(&cases, &gateway);
    assert_unharmed(&gateway);
}

// --- Outages ---

#[test]
fn a_lookup_that_goes_away_under_load_is_503_and_serves_again_after_one_probe() {
    let directory = Directory::start();
    directory.on("STAFF", [answer(lookup_answer("u1", QUICK_HASH))]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&lookup("STAFF", "directory", &limits("0.3s", 5, "2s"))).start(2);

    let outage = live_through_an_outage(&gateway, "STAFF", directory, Directory::go_away, Directory::come_back);

    assert_eq!(outage.statuses_without_the_directory(), [503], "{outage:?}");
    assert!(outage.until_served() < Duration::from_secs(2 + 2), "{outage:?}");
}

#[test]
fn nginx_that_goes_away_under_load_is_503_and_verifies_again_after_one_probe() {
    let nginx = Server::nginx("verify-nginx");
    // As an htpasswd file has it that is quick to check.
    nginx.replace("htpasswd", &format!("alice:{QUICK_HASH}\n"));
    let settings = example("verify-nginx/auth-source.yaml") + &limits("0.3s", 5, "2s");
    let elsewhere = Elsewhere::default().example(&settings, &example("verify-nginx/cluster.yaml"), &nginx.socket());
    let gateway = elsewhere.start(2);

    let outage = live_through_an_outage(&gateway, "HTPASSWD", nginx, Server::go_away, Server::come_back);

    assert_eq!(outage.statuses_without_the_directory(), [503], "{outage:?}");
    assert!(outage.until_served() < Duration::from_secs(2 + 2), "{outage:?}");
}

#[test]
fn nginx_that_goes_away_under_load_leaves_its_last_document_and_is_heard_again_after_one_refresh() {
    let nginx = Server::nginx("snapshot-nginx");
    nginx.replace("people/users.json", &people(&[("u1", "alice")]));
    let settings =
        replaced(&example("snapshot-nginx/auth-source.yaml"), "refresh_interval: 60s", "refresh_interval: 2s");
    let elsewhere = Elsewhere::default().example(&settings, &example("snapshot-nginx/cluster.yaml"), &nginx.socket());
    let gateway = elsewhere.start(2);
    once_there(|| log_in(&gateway, "JSON_FILE", "alice", PASSWORD));

    let come_back_with_someone_new = |nginx: &mut Server| {
        nginx.replace("people/users.json", &people(&[("u1", "alice"), ("u2", "bob")]));
        nginx.come_back();
    };
    let outage = live_through_an_outage(&gateway, "JSON_FILE", nginx, Server::go_away, come_back_with_someone_new);

    assert_eq!(outage.statuses_without_the_directory(), [200], "{outage:?}");
    let back = outage.back;
    wait_until("the new document", || (0..10).all(|_| log_in(&gateway, "JSON_FILE", "bob", PASSWORD).status == 200));
    assert!(back.elapsed() < Duration::from_secs(2 + 2 + 2), "{:?}", back.elapsed());
}

// --- What reaches a directory ---

#[test]
fn what_a_caller_types_reaches_a_directory_as_data_wherever_it_is_put() {
    let directory = Directory::start();
    let nobody = || [status(404, "")];
    let user = "    user: {id: /id, password_hash: /hash}";
    let elsewhere = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&source("QUERY", "lookup", "directory", "/QUERY?a=1&name={identifier}&z=2", user))
        .auth_sources(&source("SEGMENT", "lookup", "directory", "/SEGMENT/{identifier}/hash?a=1", user))
        .auth_sources(&source(
            "HEADER",
            "lookup",
            "directory",
            "/HEADER",
            &format!("{user}\n    headers: {{x-name: '{{identifier}}', x-source: '{{auth_source_id}}'}}"),
        ))
        .auth_sources(&source(
            "JSON",
            "lookup",
            "directory",
            "/JSON",
            &format!("{user}\n    method: POST\n    body: '{{\"name\": {{identifier}}, \"kind\": {{kind}}}}'"),
        ))
        .auth_sources(&source(
            "FORM",
            "lookup",
            "directory",
            "/FORM",
            &format!(
                "{user}\n    method: POST\n    headers: {{content-type: application/x-www-form-urlencoded}}\n    body: 'a=1&name={{identifier}}&z=2'"
            ),
        ));
    ["QUERY", "SEGMENT", "HEADER", "JSON", "FORM"].iter().for_each(|id| _ = directory.on(id, nobody()));
    let gateway = elsewhere.start(1);
    let ask = |id: &str, name: &str| -> Seen {
        let before = directory.seen(id).len();
        let answer = log_in(&gateway, id, name, PASSWORD);
        assert_eq!(answer.text(), WRONG, "{id} {name:?}");
        let seen = directory.seen(id);
        assert_eq!(seen.len(), before + 1, "{id} {name:?}");
        assert!(!format!("{seen:?}").contains(PASSWORD), "{seen:?}");
        seen[before].clone()
    };

    for name in STRANGE_NAMES.map(str::to_owned).into_iter().chain([long_name()]) {
        let around = |name: &str| [pair("a", "1"), pair("name", name), pair("z", "2")];
        assert_eq!(ask("QUERY", &name).query(), around(&name));
        let seen = ask("HEADER", &name);
        assert_eq!(percent_decoded(seen.header("x-name").unwrap()), name);
        assert_eq!(seen.header("x-source"), Some("HEADER"));
        let json: Value = serde_json::from_str(&ask("JSON", &name).body).unwrap();
        assert_eq!(json, json!({"name": name, "kind": "username"}));
        let form = ask("FORM", &name).body;
        let form: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        assert_eq!(form, around(&name));
    }
    for name in STRANGE_NAMES.map(str::to_owned).into_iter().chain([long_name()]).filter(|name| !name.contains("..")) {
        let seen = ask("SEGMENT", &name);
        assert_eq!(seen.segments(), ["SEGMENT", &name, "hash"]);
        assert_eq!(seen.query(), [pair("a", "1")]);
    }
}

#[test]
fn a_name_that_would_climb_out_of_its_path_is_nobodys_and_is_not_asked_for() {
    let directory = Directory::start();
    let user = "    user: {id: /id, password_hash: /hash}";
    let elsewhere = Elsewhere::default().at("directory", &directory.socket()).auth_sources(&source(
        "SEGMENT",
        "lookup",
        "directory",
        "/SEGMENT/{identifier}/hash",
        user,
    ));
    let gateway = elsewhere.start(1);

    for name in [".", "..", "a/../b", "../../users", "a\\..\\b"] {
        assert_eq!(log_in(&gateway, "SEGMENT", name, PASSWORD).text(), WRONG, "{name}");
    }

    assert_eq!(directory.seen("SEGMENT").len(), 0);
}

#[test]
fn a_password_goes_to_the_service_that_verifies_it_whole_and_nowhere_else() {
    let directory = Directory::start();
    let elsewhere = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&verify("BASIC", "directory", ""))
        .auth_sources(&verify("JSON", "directory", "    credentials: json"));
    ["BASIC", "JSON"].iter().for_each(|id| _ = directory.on(id, [status(401, "")]));
    let gateway = elsewhere.start(1);
    let password = "pass:word\"&=%00 ü";

    for name in STRANGE_NAMES {
        assert_eq!(log_in(&gateway, "JSON", name, password).text(), WRONG, "{name:?}");
        let json = directory.seen("JSON").pop().unwrap();
        assert_eq!((json.method.as_str(), json.target.as_str()), ("POST", "/JSON"));
        let body: Value = serde_json::from_str(&json.body).unwrap();
        assert_eq!(body, json!({"username": name, "password": password}));
    }
    for name in STRANGE_NAMES.into_iter().filter(|name| !name.contains(char::is_control)) {
        assert_eq!(log_in(&gateway, "BASIC", name, password).text(), WRONG, "{name:?}");
        let basic = directory.seen("BASIC").pop().unwrap();
        assert_eq!((basic.method.as_str(), basic.target.as_str(), basic.body.as_str()), ("GET", "/BASIC", ""));
        assert_eq!(basic.basic(), Some(pair(name, password)));
    }
    assert!(!gateway.log().contains("pass:word"), "{}", gateway.log());
}

#[test]
fn what_http_basic_can_not_say_is_a_wrong_password_and_is_not_asked_about() {
    let directory = Directory::start();
    directory.on("BASIC", [answer("")]);
    let gateway = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&verify("BASIC", "directory", ""))
        .start(1);

    for (name, password) in [("alice:x", PASSWORD), ("a\0b", PASSWORD), ("alice", "a\nb")] {
        assert_eq!(log_in(&gateway, "BASIC", name, password).text(), WRONG, "{name:?}");
    }

    assert_eq!(directory.seen("BASIC").len(), 0);
}

#[test]
fn who_a_verified_user_is_and_whether_they_may_log_in_is_read_from_the_body_or_from_headers() {
    let directory = Directory::start();
    let body = "    user: {id: /user/id, status: /user/state, active: [1], claims: {name: /user/name}}";
    let headers = "    user: {from: headers, id: x-user-id, status: x-state, active: [ok], claims: {name: x-name}}";
    let elsewhere = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&verify("BODY", "directory", body))
        .auth_sources(&verify("HEADERS", "directory", headers));
    let in_body = |state: u8| answer(json!({"user": {"id": "u1", "state": state, "name": "Alice"}}).to_string());
    let in_headers = |state: &str| Behaviour::Answer {
        status: 204,
        headers: vec![("x-user-id", "u1".into()), ("x-state", state.into()), ("x-name", "Alice".into())],
        body: String::new(),
    };
    directory.on("BODY", [in_body(1), in_body(0)]).on("HEADERS", [in_headers("ok"), in_headers("locked")]);
    let gateway = elsewhere.start(1);

    for id in ["BODY", "HEADERS"] {
        let claims = claims(&log_in(&gateway, id, "alice", PASSWORD));
        assert_eq!((&claims["sub"], &claims["name"]), (&json!("u1"), &json!("Alice")), "{id}");
        assert_eq!(log_in(&gateway, id, "alice", PASSWORD).text(), ABNORMAL, "{id}");
    }
}

// --- How often a directory is asked ---

#[test]
fn four_workers_fetch_a_document_once_per_interval() {
    let directory = Directory::start();
    directory.on("FILE", [Behaviour::Document(people(&[("u1", "alice")]))]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket()).auth_sources(&snapshot(
        "FILE",
        "directory",
        "    refresh_interval: 2s",
    ));
    let gateway = elsewhere.start(4);

    once_there(|| log_in(&gateway, "FILE", "alice", PASSWORD));
    wait_until("four fetches", || directory.seen("FILE").len() >= 4);

    let seen = directory.seen("FILE");
    let intervals: Vec<_> = seen.windows(2).map(|two| two[1].at - two[0].at).collect();
    assert!(intervals.iter().all(|interval| *interval > Duration::from_secs(1)), "{intervals:?}");
    let unconditional = seen.iter().filter(|seen| seen.header("if-none-match").is_none()).count();
    assert_eq!(unconditional, 1, "the document came once: {seen:?}");
    // New connections meet all of the workers.
    for _ in 0..40 {
        assert_eq!(log_in(&gateway, "FILE", "alice", PASSWORD).status, 200);
    }
}

#[test]
fn those_who_ask_for_the_same_at_the_same_time_share_one_call() {
    let directory = Directory::start();
    let slow = Behaviour::After(Duration::from_millis(500), Box::new(answer(lookup_answer("u1", QUICK_HASH))));
    directory.on("STAFF", [slow]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&lookup("STAFF", "directory", "")).start(1);

    thread::scope(|scope| {
        let right = (0..8).map(|_| scope.spawn(|| log_in(&gateway, "STAFF", "alice", PASSWORD)));
        let wrong = (0..2).map(|_| scope.spawn(|| log_in(&gateway, "STAFF", "alice", "WRONG")));
        let all: Vec<_> = right.chain(wrong).collect();
        let statuses: Vec<_> = all.into_iter().map(|login| login.join().unwrap().status).collect();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 400, 400]);
    });

    assert_eq!(directory.seen("STAFF").len(), 1);
    assert_eq!(log_in(&gateway, "STAFF", "alice", PASSWORD).status, 200);
    assert_eq!(directory.seen("STAFF").len(), 2, "nothing is kept where no cache is configured");
}

#[test]
fn those_who_have_a_password_verified_share_no_call_with_those_who_have_another() {
    let directory = Directory::start();
    let slowly = |behaviour| Behaviour::After(Duration::from_millis(500), Box::new(behaviour));
    directory.on("STAFF", [slowly(answer("")), slowly(status(401, ""))]);
    let gateway = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&verify("STAFF", "directory", ""))
        .start(1);

    thread::scope(|scope| {
        let first = scope.spawn(|| log_in(&gateway, "STAFF", "alice", PASSWORD));
        wait_until("the first to be asked about", || directory.seen("STAFF").len() == 1);
        assert_eq!(log_in(&gateway, "STAFF", "alice", "WRONG").text(), WRONG);
        assert_eq!(first.join().unwrap().status, 200);
    });

    assert_eq!(directory.seen("STAFF").len(), 2);
}

#[test]
fn what_is_known_is_not_asked_again_while_a_cache_keeps_it_and_a_failure_is_never_kept() {
    let directory = Directory::start();
    directory.on("STAFF", [status(500, ""), answer(lookup_answer("u1", QUICK_HASH))]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let cache = "    cache: {max_entries: 10, max_age: 600s}";
    let gateway = elsewhere.auth_sources(&lookup("STAFF", "directory", cache)).start(1);

    let statuses: Vec<_> = (0..4).map(|_| log_in(&gateway, "STAFF", "alice", PASSWORD).status).collect();

    assert_eq!(statuses, [503, 200, 200, 200]);
    assert_eq!(directory.seen("STAFF").len(), 2);
    assert_eq!(
        log_in(&gateway, "STAFF", "alice", "WRONG").text(),
        WRONG,
        "it is the user that is known, not the answer"
    );
}

#[test]
fn a_directory_that_failed_too_often_is_left_alone_and_costs_nothing() {
    let directory = Directory::start();
    directory.on("STAFF", [Behaviour::Silence]);
    let limits = "    timeout: 1s\n    circuit: {failures: 2, open: 600s}";
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&lookup("STAFF", "directory", limits)).start(1);
    for _ in 0..2 {
        assert_unavailable(&log_in(&gateway, "STAFF", "alice", PASSWORD), "while it is asked");
    }
    let asked = directory.seen("STAFF").len();

    let quickest = (0..10)
        .map(|_| {
            let started = Instant::now();
            assert_unavailable(&log_in(&gateway, "STAFF", "alice", PASSWORD), "while it is left alone");
            started.elapsed()
        })
        .min();

    assert_eq!(directory.seen("STAFF").len(), asked);
    assert!(quickest.unwrap() < Duration::from_millis(100), "{quickest:?}");
}

#[test]
fn a_name_that_nobody_can_have_does_not_use_up_the_one_try_after_an_outage() {
    let directory = Directory::start();
    directory.on("STAFF", [status(500, ""), answer("")]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&verify("STAFF", "directory", &limits("20s", 1, "2s"))).start(1);
    assert_unavailable(&log_in(&gateway, "STAFF", "alice", PASSWORD), "as it fails");
    assert_unavailable(&log_in(&gateway, "STAFF", "alice", PASSWORD), "as it is left alone");
    thread::sleep(Duration::from_secs(3));

    assert_eq!(log_in(&gateway, "STAFF", "not:a:name", PASSWORD).text(), WRONG);

    assert_eq!(log_in(&gateway, "STAFF", "alice", PASSWORD).status, 200);
}

#[test]
fn what_one_caller_asks_for_shuts_nobody_else_out_and_does_not_fill_the_log() {
    let directory = Directory::start();
    let (refused, good) = (|| status(414, ""), || answer(lookup_answer("u1", QUICK_HASH)));
    let unusable = || answer(lookup_answer("u2", GIBIBYTE_HASH));
    let script = [refused(), refused(), refused(), unusable(), unusable(), unusable()];
    let in_turn = (0..5).flat_map(|_| [good(), refused(), good(), unusable()]);
    directory.on("STAFF", script.into_iter().chain(in_turn).chain([good()]));
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let gateway = elsewhere.auth_sources(&lookup("STAFF", "directory", &limits("20s", 2, "600s"))).start(1);

    let statuses: Vec<_> = (0..27).map(|_| log_in(&gateway, "STAFF", "alice", PASSWORD).status).collect();

    assert_eq!(statuses[..6], [503; 6]);
    assert_eq!(statuses[6..], [[200, 503]; 10].concat().into_iter().chain([200]).collect::<Vec<_>>());
    let told = gateway.log().lines().filter(|line| line.contains("auth source STAFF: ")).count();
    assert!(told <= 4, "{told} lines:\n{}", gateway.log());
}

#[test]
fn a_trace_goes_on_in_the_directory_and_what_is_no_trace_does_not() {
    let directory = Directory::start();
    directory.on("LOOKUP", [answer(lookup_answer("u1", QUICK_HASH))]).on("VERIFY", [answer("")]);
    let gateway = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&lookup("LOOKUP", "directory", ""))
        .auth_sources(&verify("VERIFY", "directory", ""))
        .start(1);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    for id in ["LOOKUP", "VERIFY"] {
        assert_eq!(log_in_traced(&gateway, id, "alice", traceparent).status, 200);
        assert_eq!(directory.seen(id)[0].header("traceparent"), Some(traceparent), "{id}");
        assert_eq!(log_in_traced(&gateway, id, "alice", "00-none-at-all").status, 200);
        assert_eq!(directory.seen(id)[1].header("traceparent"), None, "{id}");
    }
}

#[test]
fn a_lookup_that_is_reset_is_tried_once_more_and_a_verification_is_not() {
    let directory = Directory::start();
    let found = || answer(lookup_answer("u1", QUICK_HASH));
    directory
        .on("ONCE", [Behaviour::Reset, found()])
        .on("TWICE", [Behaviour::Reset, Behaviour::Reset, found()])
        .on("POST", [Behaviour::Reset, found()])
        .on("VERIFY", [Behaviour::Reset, answer("")]);
    let gateway = Elsewhere::default()
        .at("directory", &directory.socket())
        .auth_sources(&lookup("ONCE", "directory", ""))
        .auth_sources(&lookup("TWICE", "directory", ""))
        .auth_sources(&lookup("POST", "directory", "    method: POST\n    body: '{identifier}'"))
        .auth_sources(&verify("VERIFY", "directory", ""))
        .start(1);

    for (id, status, calls) in [("ONCE", 200, 2), ("TWICE", 503, 2), ("POST", 503, 1), ("VERIFY", 503, 1)] {
        assert_eq!(log_in(&gateway, id, "alice", PASSWORD).status, status, "{id}");
        assert_eq!(directory.seen(id).len(), calls, "{id}");
    }
}

// --- What they type ---

const STRANGE_NAMES: [&str; 8] =
    ["a\"b", "a/../b", "a&b=c", "a%00b", "a\0b", "' or 1=1 --", "a\r\nx-name: b", "{kind}?x#y"];

/// 4 KiB.
fn long_name() -> String {
    "é".repeat(2048)
}

// --- What is asserted in many places ---

/// A document with one user.
fn good(format: &str) -> String {
    let document: Value = serde_json::from_str(&people(&[("u1", "alice")])).unwrap();
    if format == "json_lines" { document["users"][0].to_string() } else { document.to_string() }
}

/// Five different people try, and nobody gets a token.
fn assert_nobody_gets_in(case: &Case, gateway: &Gateway) {
    for name in ["alice", "bob", "carol", "dave", "erin"] {
        assert_unavailable(&log_in(gateway, case.id, name, PASSWORD), case.id);
    }
}

/// The cause of each case is in the log, once, however many asked and however often it was tried.
fn assert_told_once(cases: &[Case], gateway: &Gateway) {
    let log = gateway.log();
    let mut wrong = String::new();
    for case in cases {
        let source = format!("auth source {}: ", case.id);
        let told: Vec<_> = log.lines().filter_map(|line| line.split(&source).nth(1)).collect();
        let causes = told.iter().filter(|line| case.causes.iter().any(|cause| line.contains(cause))).count();
        if causes != 1 || told.len() != 1 {
            writeln!(wrong, "{} {:?}: {told:#?}", case.id, case.causes).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for secret in [PASSWORD, "$2b$", "$argon2id$"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// The same Envoy goes on, with the VM that it began with.
fn assert_unharmed(gateway: &Gateway) {
    assert_eq!(gateway.token(SAMPLE).status, 200);
    let log = gateway.log();
    assert!(!log.contains("panicked") && !log.contains("Function: "), "a VM crashed:\n{log}");
}

/// Wrong passwords, unknown users and a locked one, in an example's auth source.
fn assert_who_may_not_log_in(auth_source: &str, gateway: &Gateway) {
    for (name, password, answer) in
        [("alice", "WRONG", WRONG), ("nobody", PASSWORD, WRONG), ("bob", "WRONG", WRONG), ("bob", PASSWORD, ABNORMAL)]
    {
        assert_eq!(log_in(gateway, auth_source, name, password).text(), answer, "{auth_source}: {name} {password}");
    }
}

fn assert_refreshes(gateway: &Gateway, login: &Response) {
    let refreshed = refresh(gateway, login);
    assert_eq!(claims(&refreshed)["sub"], claims(login)["sub"]);
}

// --- Cases ---

/// A gateway with an auth source for each case, in which something is wrong, and with one that is sound.
struct Faulty {
    cases: Vec<Case>,
    directory: Directory,
    gateway: Gateway,
    _nowhere: Nowhere,
}

impl Faulty {
    fn start(cases: Vec<Case>, sound: Behaviour, source: impl Fn(&Case) -> String) -> Self {
        let (directory, nowhere) = (Directory::start(), Nowhere::new());
        let sound = Case::new("SOUND", sound, "");
        let all = cases.iter().chain([&sound]);
        let elsewhere = all.fold(nowhere.clusters(&directory), |elsewhere, case| {
            case.serve(&directory);
            elsewhere.auth_sources(&source(case))
        });
        Self { cases, directory, gateway: elsewhere.start(1), _nowhere: nowhere }
    }

    /// Nobody gets in where something is wrong, the operator is told what it is, and nothing else is harmed.
    fn assert_refused(&self) {
        self.cases.iter().for_each(|case| assert_nobody_gets_in(case, &self.gateway));
        assert_eq!(log_in(&self.gateway, "SOUND", "alice", PASSWORD).status, 200);
        assert_told_once(&self.cases, &self.gateway);
        assert_unharmed(&self.gateway);
    }
}

/// A gateway that has read a good document in the place of each case.
fn with_good_documents(cases: &[Case], directory: &Directory, source: impl Fn(&Case) -> String) -> Gateway {
    let elsewhere = cases.iter().fold(Elsewhere::default().at("directory", &directory.socket()), |elsewhere, case| {
        directory.on(case.id, [answer(good(case.format))]);
        elsewhere.auth_sources(&source(case))
    });
    let gateway = elsewhere.start(1);
    for case in cases {
        assert_eq!(once_there(|| log_in(&gateway, case.id, "alice", PASSWORD)).status, 200, "{}", case.id);
    }
    gateway
}

/// From now on the cases are as they are meant, until each has seen so many requests.
fn go_wrong(cases: &[Case], directory: &Directory, requests: usize) {
    cases.iter().for_each(|case| case.serve(directory));
    let before: Vec<_> = cases.iter().map(|case| directory.seen(case.id).len()).collect();
    wait_until("each to be fetched again", || {
        cases.iter().zip(&before).all(|(case, before)| case.was_asked(directory, before + requests))
    });
}

fn every_second_of(case: &Case) -> String {
    snapshot(case.id, case.cluster, &every_second(case.timeout, case.format))
}

// --- Small things ---

fn with_example(folder: &str, server: &Server) -> Gateway {
    Elsewhere::default().whole_example(folder, server).start(2)
}

/// The claims of the access token in an answer.
fn claims(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.field("access_token");
    let claims = Base64UrlSafeNoPadding::decode_to_vec(token.split('.').nth(1).unwrap(), None).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Asks until the answer is not 503 any more, as it is before the first document has arrived.
fn once_there(mut ask: impl FnMut() -> Response) -> Response {
    let mut last = None;
    wait_until("a document to arrive", || {
        let answer = ask();
        let is_there = answer.status != 503;
        last = Some(answer);
        is_there
    });
    last.unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
