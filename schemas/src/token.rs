//! Consistency tokens: what a write answers with, and what a read may be asked to have seen.
//!
//! A token names aggregates and versions, never offsets or outbox ids: those are not the order of
//! the log. The text form is `sk1.` + base64url (no padding) of, for each entry, one byte for the
//! context, sixteen for the aggregate id and the version as an unsigned LEB128 number, so that
//! the thousands of aggregates of a bulk write stay at about 18 bytes each.

use crate::contexts::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};
use utoipa::ToSchema;
use uuid::Uuid;

/// Request header of reads: the token or tokens (comma separated) the answer should include.
pub const TOKEN_HEADER: &str = "souk-consistency-token";
/// Request header of reads: how long to wait for them, in milliseconds.
pub const WAIT_HEADER: &str = "souk-wait-ms";
/// Response header of reads: `fresh` or `stale`.
pub const CONSISTENCY_HEADER: &str = "souk-consistency";
/// Header with what the views have of each aggregate that a stale answer has not seen.
pub const SERVED_HEADER: &str = "souk-versions-served";

/// Which reads are meant: each includes those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Whatever is read from the views.
    #[default]
    Views,
    /// Searches as well.
    Search,
    /// Searches by meaning as well.
    Vectors,
}

impl Reach {
    /// As requests and answers say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Search => "search",
            Self::Vectors => "vectors",
        }
    }

    /// The one that a word says, if it says one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Views, Self::Search, Self::Vectors].into_iter().find(|reach| reach.as_str() == word)
    }
}

/// Most entries a token may name.
pub const MAX_ENTRIES: usize = 10_000;

const PREFIX: &str = "sk1.";

/// Versions of aggregates that a write produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    entries: BTreeMap<(Context, Uuid), u64>,
}

impl Token {
    /// A token for one aggregate.
    #[must_use]
    pub fn of(context: Context, aggregate: Uuid, version: u64) -> Self {
        let mut token = Self::default();
        token.add(context, aggregate, version);
        token
    }

    /// Adds an aggregate; the higher version stays.
    pub fn add(&mut self, context: Context, aggregate: Uuid, version: u64) {
        let seen = self.entries.entry((context, aggregate)).or_default();
        *seen = (*seen).max(version);
    }

    /// Takes in all entries of another token.
    pub fn merge(&mut self, other: &Self) {
        for (context, aggregate, version) in other.entries() {
            self.add(context, aggregate, version);
        }
    }

    /// Context, aggregate id and version of everything named.
    pub fn entries(&self) -> impl Iterator<Item = (Context, Uuid, u64)> + '_ {
        self.entries.iter().map(|((context, id), version)| (*context, *id, *version))
    }

    /// How many aggregates are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is named: every read satisfies such a token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(self.entries.len() * 19);
        for (context, id, mut version) in self.entries() {
            bytes.push(context.wire_code());
            bytes.extend_from_slice(id.as_bytes());
            loop {
                let low = u8::try_from(version & 0x7f).unwrap_or_default();
                version >>= 7;
                bytes.push(if version == 0 { low } else { low | 0x80 });
                if version == 0 {
                    break;
                }
            }
        }
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// The text is not a token of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a consistency token: {0}")]
pub struct InvalidToken(pub &'static str);

impl FromStr for Token {
    type Err = InvalidToken;

    /// Parses one token or several, comma separated.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut token = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let body = part.strip_prefix(PREFIX).ok_or(InvalidToken("it does not start with `sk1.`"))?;
            let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| InvalidToken("it is not base64url"))?;
            token.read_entries(&bytes)?;
        }
        Ok(token)
    }
}

impl Token {
    fn read_entries(&mut self, mut bytes: &[u8]) -> Result<(), InvalidToken> {
        while let Some((code, rest)) = bytes.split_first() {
            let context = Context::from_wire_code(*code).ok_or(InvalidToken("it names an unknown context"))?;
            let (id, rest) = rest.split_at_checked(16).ok_or(InvalidToken("it ends early"))?;
            let id = Uuid::from_slice(id).map_err(|_| InvalidToken("it ends early"))?;
            let (version, rest) = read_leb128(rest)?;
            self.add(context, id, version);
            if self.entries.len() > MAX_ENTRIES {
                return Err(InvalidToken("it names more than 10,000 aggregates"));
            }
            bytes = rest;
        }
        Ok(())
    }
}

fn read_leb128(bytes: &[u8]) -> Result<(u64, &[u8]), InvalidToken> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[index + 1..]));
        }
    }
    Err(InvalidToken("a version is cut off or too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in proptest::collection::vec((0..Context::ALL.len(), any::<u128>(), 0_u64..(1 << 62)), 0..40)) {
            let mut token = Token::default();
            for (context, id, version) in entries {
                token.add(Context::ALL[context], Uuid::from_u128(id), version);
            }
            prop_assert_eq!(token.to_string().parse::<Token>(), Ok(token));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(sk1\\.)?[A-Za-z0-9_,.-]{0,80}") {
            let _ = text.parse::<Token>();
        }
    }
}
