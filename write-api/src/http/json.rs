//! Reading JSON so that what is wrong with it can be pointed at.

use crate::{domain::validation::pointer_token, pipeline::Rejection};
use schemas::problem::FieldError;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// Reads a value.
///
/// # Errors
/// Where in the text or at which JSON pointer it can't be read.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    serde_json::from_slice(bytes).map_err(|_| why::<T>(bytes))
}

/// Reads it again, slower, keeping track of where it is.
fn why<T: DeserializeOwned>(bytes: &[u8]) -> Rejection {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Err(error) => FieldError::new(pointer(error.path()), error.inner().to_string()),
        Ok(_) => FieldError::new("", "there is more text after the JSON value"),
    };
    Rejection::unreadable(vec![error])
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", pointer_token(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Thing {
        #[expect(dead_code, reason = "only read")]
        parts: Vec<u32>,
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (text, pointer) in [(r#"{"parts":[1,"x"]}"#, "/parts/1"), ("{", ""), (r#"{"parts":[]} x"#, "")] {
            let rejection = read::<Thing>(text.as_bytes()).expect_err(text);
            assert_eq!(rejection.problem().errors[0].pointer, pointer, "{text}");
        }
    }
}
