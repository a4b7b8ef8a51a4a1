//! The two text forms that a token request comes in, read strictly.

pub mod basic;
pub mod form;
