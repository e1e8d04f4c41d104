//! Flags that hold a secret: what is wrong is told without showing what was given.

use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};
use std::{ffi::OsStr, fmt::Display, marker::PhantomData, str::FromStr};

/// Reads a flag that holds a secret; clap's own parser for [`FromStr`] would show the text in its error.
#[derive(Debug)]
pub struct Secret<T>(PhantomData<fn() -> T>);

impl<T> Default for Secret<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Secret<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, text: &OsStr) -> Result<T, clap::Error> {
        let parsed = text.to_str().ok_or_else(|| "not UTF-8".to_owned());
        parsed.and_then(|text| text.parse::<T>().map_err(|error| error.to_string())).map_err(|reason| {
            let name = argument.map_or_else(|| "a secret".to_owned(), |argument| format!("'{argument}'"));
            clap::Error::raw(ErrorKind::ValueValidation, format!("invalid value for {name}: {reason}\n"))
                .with_cmd(command)
        })
    }
}
