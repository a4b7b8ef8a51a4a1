//! The text forms that requests come in, read strictly; and what is the same text to some.

pub mod basic;
pub mod bearer;
pub mod form;
pub mod half_character;
pub mod skeleton;
