//! Why somebody is not believed.

use crate::pipeline::Error;

/// Why nobody is signed in.
#[derive(Debug)]
pub(in super::super) enum Refused {
    /// Too many attempts have failed from there; so many seconds are left.
    TooEarly(u32),
    /// Anything else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}
