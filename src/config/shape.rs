//! What may stand in the document, declared once: for the code that reads it, and for the schema that editors complete it by.

use std::marker::PhantomData;

/// A field of an object, by its name and the form of its value. The form is an `Option` where the field may be left out.
pub(super) struct Field<F> {
    /// What the document calls it.
    pub(crate) name: &'static str,
    form: PhantomData<fn() -> F>,
}

/// The form of a list that must have an element.
#[allow(dead_code, reason = "a form is only ever named")]
pub(super) struct Filled<F>(PhantomData<F>);

/// The form of a whole number from `LEAST` to `MOST`.
pub(super) enum Within<const LEAST: u64, const MOST: u64> {}

/// The form of a span of whole seconds, from one to `MOST`.
pub(super) enum Seconds<const MOST: u64> {}

/// Seconds without a bound.
pub(super) const UNBOUNDED: u64 = u64::MAX;

impl<F> Field<F> {
    /// A field with the name of a Rust identifier.
    pub(super) const fn new(identifier: &'static str) -> Self {
        Self { name: plain(identifier), form: PhantomData }
    }

    /// The same field as the reader of another form takes it, which then has to see to the difference.
    pub(super) fn read_as<G>(self) -> Field<G> {
        Field { name: self.name, form: PhantomData }
    }
}

impl<F> Clone for Field<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Field<F> {}

/// An identifier without the mark of those that are keywords, such as `type`.
const fn plain(identifier: &'static str) -> &'static str {
    let [b'r', b'#', name @ ..] = identifier.as_bytes() else { return identifier };
    match str::from_utf8(name) {
        Ok(name) => name,
        Err(_) => identifier,
    }
}

/// Declares an object of the document. Each field becomes a [`Field`] for the code that reads it, and a property of the
/// schema: its doc comment is what users read of it, and the value after `=` its default. `..` takes in the fields that
/// objects have in common.
macro_rules! object {
    (
        $(#[$about:meta])*
        $visible:vis struct $name:ident {
            $($(#[$meta:meta])* $field:ident: $form:ty $(= $default:expr)?,)*
            $(..$common:ident: $of:ty,)*
        }
    ) => {
        #[cfg(not(target_family = "wasm"))]
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[allow(dead_code, reason = "a form is only ever named")]
        $(#[$about])*
        $visible struct $name {
            $($(#[$meta])* $(#[schemars(extend("default" = $default))])? $field: $form,)*
            $(#[schemars(flatten)] $common: $of,)*
        }

        #[cfg(target_family = "wasm")]
        #[allow(dead_code, reason = "a form is only ever named")]
        $visible struct $name {
            $($field: $form,)*
            $($common: $of,)*
        }

        #[cfg(target_family = "wasm")]
        #[allow(unused, reason = "only the schema tells them")]
        const _: () = { fn defaults() { $($(_ = $default;)?)* } };

        #[allow(non_upper_case_globals, reason = "they are called what the document calls them")]
        impl $name {
            $(pub(crate) const $field: $crate::config::shape::Field<$form> =
                $crate::config::shape::Field::new(stringify!($field));)*
        }
    };
}

/// Gives a type that is read in its own way the schema of what it reads.
macro_rules! schema {
    ($type:ty, $schema:tt) => {
        #[cfg(not(target_family = "wasm"))]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

/// Declares a form that is one of several.
macro_rules! either {
    ($(#[$about:meta])* $visible:vis enum $name:ident: $first:ty $(, $other:ty)+;) => {
        $(#[$about])*
        #[allow(dead_code, reason = "a form is only ever named")]
        $visible struct $name($first $(, $other)+);

        #[cfg(not(target_family = "wasm"))]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "anyOf": [generator.subschema_for::<$first>() $(, generator.subschema_for::<$other>())+]
                })
            }
        }
    };
}

pub(super) use {either, object, schema};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_may_have_the_name_of_a_keyword() {
        assert_eq!(Field::<()>::new("r#type").name, "type");
        assert_eq!(Field::<()>::new("r").name, "r");
    }
}
