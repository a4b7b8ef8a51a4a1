//! The text forms that requests come in, read strictly.

pub mod basic;
pub mod bearer;
pub mod form;
