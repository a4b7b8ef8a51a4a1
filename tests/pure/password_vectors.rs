//! Published hashes of known passwords, each with its source, checked through the public interface.

use std::sync::Arc;

use token_endpoint::crypto::password::{Arena, PasswordCheck, PasswordHash};
use token_endpoint::secret::Secret;

fn matches(stored: &str, password: &[u8]) -> bool {
    let hash = PasswordHash::parse(stored).unwrap_or_else(|error| panic!("{stored}: {error}"));
    PasswordCheck::new(Arc::new(hash), Secret::new(password)).start(Arena::default()).finish()
}

fn assert_vectors(vectors: &[(&[u8], &str)]) {
    for (password, stored) in vectors {
        assert!(matches(stored, password), "{stored}");
        assert!(!matches(stored, b"another password"), "{stored}");
    }
}

/// <https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c>
#[test]
fn argon2_has_the_reference_implementations_results() {
    assert_vectors(&[
        (b"password", "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY"),
        (b"password", "$argon2i$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs"),
        (b"password", "$argon2i$v=16$m=65536,t=4,p=1$c29tZXNhbHQ$8hLwFhXm6110c03D70Ct4tUdBSRo2MaUQKOh8sHChHs"),
        (b"differentpassword", "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$6ckCB0tnVFMaOgvlGeW69ASzDOabPwGsO/ISKZYBCaM"),
        (b"password", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E"),
        (b"password", "$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$0WgHXE2YXhPr6uVgz4uUw7XYoWxRkWtvSsLaOsEbvs8"),
        (b"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
        (b"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
        (b"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
        (
            b"differentpassword",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
        ),
    ]);
}

/// <https://github.com/openwall/crypt_blowfish/blob/main/wrapper.c>
#[test]
fn bcrypt_has_crypt_blowfishs_results() {
    assert_vectors(&[
        (b"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        (b"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        (b"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        (
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
        ),
    ]);
}

/// RFC 7914 section 12, the third vector;
/// <https://foss.heptapod.net/python-libs/passlib/-/blob/1.7.4/passlib/tests/test_handlers_scrypt.py>
#[test]
fn scrypt_has_the_rfcs_and_passlibs_results() {
    assert_vectors(&[
        (
            b"pleaseletmein",
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU\
             $cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
        ),
        (b"test", "$scrypt$ln=8,r=8,p=1$wlhLyXmP8b53bm1NKYVQqg$mTpvG8lzuuDk+DWz8HZIB6Vum6erDuUm0As5yU+VxWA"),
        (b"password", "$scrypt$ln=8,r=2,p=1$dO6d0xoDoLT2PofQGoNQag$g/Wf2A0vhHhaJM+addK61QPBthSmYB6uVTtQzh8CM3o"),
    ]);
}

/// <https://foss.heptapod.net/python-libs/passlib/-/blob/1.7.4/passlib/tests/test_handlers_pbkdf2.py>
#[test]
fn pbkdf2_has_passlibs_results() {
    assert_vectors(&[
        (b"password", "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ"),
        (
            b"password",
            "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa1\
             7k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
        ),
    ]);
}

/// <https://foss.heptapod.net/python-libs/passlib/-/blob/1.7.4/passlib/tests/test_handlers_django.py>
#[test]
fn pbkdf2_has_djangos_results() {
    assert_vectors(&[(
        b"not a password",
        "pbkdf2_sha256$10000$kjVJaVz6qsnJ$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs=",
    )]);
}
