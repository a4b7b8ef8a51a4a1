//! What is cut out of documents, good and bad, wherever their pieces end.

use proptest::prelude::*;

use super::*;

/// The records of a document that comes in pieces of `size` bytes, and what is wrong with it.
fn cut(format: Format, document: &[u8], size: usize) -> (Vec<(String, String)>, Option<String>) {
    let mut records = Records::new(format);
    let (mut pieces, mut told) = (document.chunks(size), Vec::new());
    loop {
        match records.next_record() {
            NextItem::Record(name, text) => told.push((name.to_string(), String::from_utf8_lossy(text).into_owned())),
            NextItem::Done => return (told, None),
            NextItem::Broken(why) => return (told, Some(why)),
            NextItem::NeedInput => match pieces.next() {
                Some(piece) => records.feed(piece),
                None => records.end(),
            },
        }
    }
}

fn texts(format: Format, document: &str, size: usize) -> Vec<String> {
    let (records, problem) = cut(format, document.as_bytes(), size);
    assert_eq!(problem, None, "{document}");
    records.into_iter().map(|(_, text)| text).collect()
}

fn problem(format: Format, document: &str) -> String {
    cut(format, document.as_bytes(), 7).1.unwrap()
}

#[test]
fn a_list_is_cut_wherever_its_pieces_end() {
    let list = r#" [ {"a":"]}\\\"{","b":[{}]} ,[1,[2]],"x, \"y" , 12,null ] "#;
    let wrapped = format!("{{ \"users\" :{list}}}\n");
    let expected = [r#"{"a":"]}\\\"{","b":[{}]}"#, "[1,[2]]", r#""x, \"y""#, "12", "null"];
    for size in 1..list.len() {
        assert_eq!(texts(Format::Json, list, size), expected);
        assert_eq!(texts(Format::Json, &wrapped, size), expected);
    }
    assert_eq!(texts(Format::Json, "[]", 1), [""; 0]);
    assert_eq!(texts(Format::Json, "{\"users\":[]}", 1), [""; 0]);
}

#[test]
fn lines_are_numbered_as_an_editor_does_and_blank_ones_are_passed_over() {
    for size in 1..12 {
        let (records, problem) = cut(Format::JsonLines, b"{}\r\n\n  \n{\"a\":1}\n[]", size);
        assert_eq!(
            records,
            [("line 1", "{}\r"), ("line 4", "{\"a\":1}"), ("line 5", "[]")]
                .map(|(name, text)| (name.into(), text.into()))
        );
        assert_eq!(problem, None);
    }
}

#[test]
fn what_is_no_list_of_users_is_broken() {
    for text in ["<html>", "{}", "{\"user\":[]}", "{\"users\":{}}", "{\"us ers\":[]}", "7", "null"] {
        assert_eq!(problem(Format::Json, text), "expected {\"users\": […]} or […]", "{text}");
    }
    for text in ["", " \n"] {
        assert_eq!(problem(Format::Json, text), "an empty document");
        assert_eq!(problem(Format::JsonLines, text), "an empty document");
    }
    assert_eq!(problem(Format::Json, "[{},"), "users[1]: the document ends too soon");
    assert_eq!(problem(Format::Json, "[{},{\"a"), "users[1]: the document ends too soon");
    assert_eq!(problem(Format::Json, "[{},]"), "users[1]: not JSON");
    assert_eq!(problem(Format::Json, "[{} {}]"), "users[1]: not JSON");
    assert_eq!(problem(Format::Json, "[{}]]"), "something stands behind the list of users");
    assert_eq!(problem(Format::Json, "{\"users\":[],\"a\":1}"), "something stands behind the list of users");
}

#[test]
fn a_record_without_end_is_broken_before_it_fills_the_memory() {
    let long = "x".repeat(LONGEST_RECORD + 1);
    assert_eq!(problem(Format::Json, &format!("[1,\"{long}")), "users[1]: longer than 65536 bytes");
    assert_eq!(problem(Format::Json, &format!("[1,\"{long}\"]")), "users[1]: longer than 65536 bytes");
    assert_eq!(problem(Format::JsonLines, &format!("1\n{long}")), "line 2: longer than 65536 bytes");
    assert_eq!(problem(Format::JsonLines, &format!("1\n{long}\n2")), "line 2: longer than 65536 bytes");
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_list_is_cut_into_its_elements(list in prop::collection::vec(any_value(), 0..6), size in 1..40_usize, pretty: bool) {
        let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let texts = texts(Format::Json, &write(&list).unwrap(), size);
        let read: Vec<serde_json::Value> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(read, list);
    }

    #[test]
    fn any_bytes_come_to_an_end(bytes in prop::collection::vec(prop::sample::select(b"[]{}\",:\\ \nu1".to_vec()), 0..60), size in 1..9_usize) {
        let (records, problem) = cut(Format::Json, &bytes, size);
        let is_json = serde_json::from_slice::<Vec<serde_json::Value>>(&bytes).is_ok();
        let all_are_json = records.iter().all(|(_, text)| serde_json::from_str::<serde_json::Value>(text).is_ok());
        if is_json {
            prop_assert!(problem.is_none() && all_are_json);
        }
        let _ = cut(Format::JsonLines, &bytes, size);
    }
}
