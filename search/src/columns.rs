//! Reading columns of the index whole.

use crate::IndexError;
use tantivy::columnar::Dictionary;

/// What is made of each term of a dictionary, in its order: to look each up would decode a block for each.
///
/// # Errors
/// The engine's.
pub fn each_term<T>(dictionary: &Dictionary, mut make: impl FnMut(&[u8]) -> T) -> Result<Vec<T>, IndexError> {
    let mut made = Vec::with_capacity(dictionary.num_terms());
    let mut terms = dictionary.stream()?;
    while terms.advance() {
        made.push(make(terms.key()));
    }
    Ok(made)
}

/// The terms of a dictionary as texts, in its order.
///
/// # Errors
/// The engine's.
pub fn texts(dictionary: &Dictionary) -> Result<Vec<String>, IndexError> {
    each_term(dictionary, |term| String::from_utf8_lossy(term).into_owned())
}
