//! Forms: what is broken is refused, and all else is what the `url` crate reads, whose reader mends.

use token_endpoint::{
    endpoint::{parameter::OF_TOKEN_REQUEST, request::Parameters},
    secret::Secret,
    text::form::{decode, pairs},
};
use url::form_urlencoded;

pub fn read(bytes: &[u8]) {
    let text = |encoded| decode(encoded).ok().map(|text| text.to_string());
    let ours: Option<Vec<_>> = pairs(bytes).map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    if let Some(ours) = ours {
        let theirs: Vec<_> = form_urlencoded::parse(bytes).into_owned().collect();
        assert_eq!(ours, theirs);
    }
    if let Ok(mut parameters) = Parameters::parse(&Secret::new(bytes), OF_TOKEN_REQUEST) {
        let values = OF_TOKEN_REQUEST.iter().filter_map(|parameter| parameters.take(*parameter));
        assert!(values.map(|value| value.len()).sum::<usize>() <= bytes.len());
    }
}
