//! Reading JSON: what can't be read is a rejection that points at the place.

use crate::pipeline::Rejection;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;

/// Reads a value; its texts are in Unicode's composed form (NFC), so that what looks alike is the same.
///
/// # Errors
/// Where in the text or at which JSON pointer it can't be read.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    service::json::read(&composed(bytes)).map_err(|error| Rejection::unreadable(vec![error]))
}

/// The same JSON with its texts composed; as it is if they are, or if it can't be read.
fn composed(bytes: &[u8]) -> Cow<'_, [u8]> {
    // An escape may stand for any sign, also for one that is composed with the next.
    let escaped = || bytes.windows(2).any(|pair| pair == b"\\u");
    if bytes.is_ascii() && !escaped() {
        return Cow::Borrowed(bytes);
    }
    let form = &ComposingNormalizerBorrowed::new_nfc();
    if std::str::from_utf8(bytes).is_ok_and(|text| form.is_normalized(text)) && !escaped() {
        return Cow::Borrowed(bytes);
    }
    let Ok(mut value) = serde_json::from_slice(bytes) else { return Cow::Borrowed(bytes) };
    compose(form, &mut value);
    serde_json::to_vec(&value).map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn compose(form: &ComposingNormalizerBorrowed<'_>, value: &mut Value) {
    match value {
        Value::String(text) => *text = form.normalize(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(|value| compose(form, value)),
        Value::Object(fields) => {
            for (name, mut value) in std::mem::take(fields) {
                compose(form, &mut value);
                fields.insert(form.normalize(&name).into_owned(), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
