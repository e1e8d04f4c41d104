//! Measures whose unit is one letter. `5 m` may be a length, or a five and something else: it is read as `5m`
//! where the shop's products say `5m`, and then those that say `5 m` are meant as well.

use super::{Reader, adjacent};
use crate::{IndexError, tenant::holding};
use tantivy::{
    Term,
    query::{BooleanQuery, Occur, Query},
    schema::Field,
};

/// A measure as products write it with a space: its number and its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// The terms of both.
    pub terms: [String; 2],
    /// How many of the shop's products have the measure, in one or apart.
    pub holding: u64,
}

/// A measure in a field, in one or apart.
pub fn either(field: Field, term: &str, apart: &[String; 2]) -> Box<dyn Query> {
    let in_one = holding(&Term::from_field_text(field, term));
    Box::new(BooleanQuery::new(vec![(Occur::Should, in_one), (Occur::Should, Box::new(adjacent(field, apart)))]))
}

/// A token of a query: its term, and where it stands in the text, in bytes.
pub(super) type Token = (String, (usize, usize));

impl Reader<'_> {
    /// Takes a number and the letter behind it as one where the shop knows both in one. While somebody is
    /// `typing`, the last letter may be the beginning of a word.
    pub(super) fn measures(
        &mut self,
        text: &str,
        tokens: Vec<Token>,
        typing: bool,
    ) -> Result<Vec<(Token, Option<Apart>)>, IndexError> {
        let mut read: Vec<(Token, Option<Apart>)> = Vec::with_capacity(tokens.len());
        let count = tokens.len();
        for (index, (term, span)) in tokens.into_iter().enumerate() {
            let before = read.last().filter(|(_, apart)| apart.is_none()).map(|(token, _)| token.clone());
            let begun = typing && index + 1 == count;
            if let Some((number, of_number)) =
                before.filter(|(number, _)| !begun && is_number(number) && is_unit(&term))
                && text.get(of_number.1..span.0).is_some_and(|gap| gap.chars().all(char::is_whitespace))
                && let Some(measure) = self.term(&format!("{number}{term}"))
                && self.known(&measure)?
            {
                let apart = self.apart(&measure, [number, term])?;
                read.pop();
                read.push(((measure, (of_number.0, span.1)), Some(apart)));
                continue;
            }
            let apart = self.written_in_one(text.get(span.0..span.1).unwrap_or_default(), &term)?;
            read.push(((term, span), apart));
        }
        Ok(read)
    }

    /// The measure that a word is, if products write it apart, too.
    fn written_in_one(&mut self, word: &str, term: &str) -> Result<Option<Apart>, IndexError> {
        let Some((number, unit)) = word.char_indices().next_back().map(|(at, _)| word.split_at(at)) else {
            return Ok(None);
        };
        if !is_unit(unit) {
            return Ok(None);
        }
        let (Some(number), Some(unit)) = (self.term(number).filter(|number| is_number(number)), self.term(unit)) else {
            return Ok(None);
        };
        let both = [number, unit];
        let text = self.snapshot.segments.fields.text;
        if self.count(Box::new(adjacent(text, &both)))? == 0 { Ok(None) } else { self.apart(term, both).map(Some) }
    }

    fn apart(&self, measure: &str, terms: [String; 2]) -> Result<Apart, IndexError> {
        let holding = self.count(either(self.snapshot.segments.fields.text, measure, &terms))? as u64;
        Ok(Apart { terms, holding })
    }
}

fn is_number(term: &str) -> bool {
    term.starts_with(|c: char| c.is_ascii_digit()) && term.parse::<f64>().is_ok()
}

fn is_unit(word: &str) -> bool {
    word.len() == 1 && word.starts_with(|c: char| c.is_ascii_alphabetic())
}
