//! Writes one batch: its products, then with their variants' ids the prices and the stock.

use super::{
    categories::{Categories, CategoryPath},
    chunks::{Chunk, Row},
    client::{self, Bulk, LineAnswer, LineStatus, OnError, WriteClient},
    error::ImportError,
    mapping::Mapped,
};
use schemas::{Uuid, problem::Problem, token::Token};
use serde::Serialize;
use serde_json::json;

/// Most lines of prices or stock in one request.
const LINES_PER_REQUEST: usize = 2_000;

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Written, or so already.
    Settled(LineStatus),
    /// Not written, or not whole; with the write API's answer if it was asked.
    Rejected(String, Option<Problem>),
    /// Left alone because of another line.
    NotTried,
}

/// A batch after it was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) rows: Vec<(Row, Verdict)>,
    pub(crate) token: Token,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// How to write.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) client: WriteClient,
    pub(crate) on_error: OnError,
    pub(crate) dry_run: bool,
}

impl Writer {
    /// Writes the categories that the batch is the first to name, and puts their ids on its products.
    pub(crate) async fn prepare(&self, chunk: &mut Chunk, categories: &mut Categories) -> Result<(), ImportError> {
        let paths = chunk.rows.iter().filter_map(|row| row.mapped.as_ref().ok()).flat_map(|mapped| &mapped.categories);
        let unmet = categories.unmet(paths.collect::<Vec<&CategoryPath>>().into_iter());
        if !unmet.is_empty() {
            let lines = unmet.iter().map(as_line).collect::<Result<Vec<_>, _>>()?;
            let answers = self.client.send(Bulk::Categories, &lines, OnError::Skip, self.dry_run).await?;
            for (line, answer) in unmet.iter().zip(answers.lines) {
                match answer.problem {
                    Some(_) if self.dry_run && line.parent.is_some() => categories.set_absent(&line.external_id),
                    Some(problem) => categories.refuse(&line.external_id, client::told(&problem)),
                    None if self.dry_run && answer.status == LineStatus::Created => {
                        categories.set_absent(&line.external_id);
                    }
                    None => {}
                }
            }
        }
        for row in &mut chunk.rows {
            let Ok(mapped) = &mut row.mapped else { continue };
            match categories.ids(&mapped.categories) {
                Ok(ids) => mapped.product.categories = ids,
                Err(reason) => row.mapped = Err(reason),
            }
        }
        Ok(())
    }

    /// Writes a prepared batch.
    pub(crate) async fn write(self, chunk: Chunk) -> Result<Written, ImportError> {
        let mut verdicts: Vec<Verdict> = chunk.rows.iter().map(judged_by_mapping).collect();
        let first_bad = verdicts.iter().position(|verdict| matches!(verdict, Verdict::Rejected(..)));
        let tried = match (self.on_error, first_bad) {
            (OnError::AllOrNothing, Some(_)) => 0,
            (OnError::Stop, Some(bad)) => bad,
            _ => chunk.rows.len(),
        };
        let good = |row: &Row| row.mapped.is_ok();
        let sent: Vec<usize> = (0..tried).filter(|index| good(&chunk.rows[*index])).collect();
        let mapped: Vec<&Mapped> = sent.iter().filter_map(|index| chunk.rows[*index].mapped.as_ref().ok()).collect();
        let lines = mapped.iter().map(|mapped| as_line(&mapped.product)).collect::<Result<Vec<_>, _>>()?;
        let mut answers = self.client.send(Bulk::Products, &lines, self.on_error, self.dry_run).await?;
        for (index, answer) in sent.iter().zip(&answers.lines) {
            verdicts[*index] = judged(answer, "");
        }
        if !self.dry_run {
            let offers = Offers::of(&sent, &mapped, &answers.lines);
            let (prices, stock) =
                tokio::try_join!(self.follow(Bulk::Prices, &offers.prices), self.follow(Bulk::Stock, &offers.stock))?;
            for (row, verdict) in prices.0.into_iter().chain(stock.0) {
                verdicts[row] = and(std::mem::replace(&mut verdicts[row], Verdict::NotTried), verdict);
            }
            answers.token.merge(&prices.1);
            answers.token.merge(&stock.1);
        }
        let Chunk { rows, records, bytes, .. } = chunk;
        Ok(Written { rows: rows.into_iter().zip(verdicts).collect(), token: answers.token, records, bytes })
    }

    /// Prices or stock of products that are in. These are never all-or-nothing: the products stand.
    async fn follow(
        &self,
        bulk: Bulk,
        lines: &[(usize, String)],
    ) -> Result<(Vec<(usize, Verdict)>, Token), ImportError> {
        let what = match bulk {
            Bulk::Prices => "the product is in, but its price was refused: ",
            _ => "the product is in, but its stock was refused: ",
        };
        let (mut verdicts, mut token) = (Vec::with_capacity(lines.len()), Token::default());
        for part in lines.chunks(LINES_PER_REQUEST) {
            let texts: Vec<_> = part.iter().map(|(_, text)| text.clone()).collect();
            let answers = self.client.send(bulk, &texts, OnError::Skip, false).await?;
            verdicts.extend(part.iter().zip(&answers.lines).map(|((row, _), answer)| (*row, judged(answer, what))));
            token.merge(&answers.token);
        }
        Ok((verdicts, token))
    }
}

/// Lines of prices and stock, each with the row it belongs to.
#[derive(Default)]
struct Offers {
    prices: Vec<(usize, String)>,
    stock: Vec<(usize, String)>,
}

impl Offers {
    fn of(sent: &[usize], mapped: &[&Mapped], answers: &[LineAnswer]) -> Self {
        let mut offers = Self::default();
        for ((row, mapped), answer) in sent.iter().zip(mapped).zip(answers) {
            if matches!(answer.status, LineStatus::Rejected | LineStatus::NotTried) {
                continue;
            }
            for (variant, offer) in mapped.product.variants.iter().zip(&mapped.offers) {
                let id: Option<Uuid> =
                    answer.variants.iter().find(|known| known.sku == variant.sku).map(|known| known.id);
                // Each variant is named in one way only: by the id, or else by its SKU.
                let sku = id.is_none().then_some(&variant.sku);
                let named = |mut line: serde_json::Value| {
                    match id {
                        Some(id) => line["variant_id"] = json!(id),
                        None => line["sku"] = json!(sku),
                    }
                    (*row, line.to_string())
                };
                if !offer.prices.is_empty() {
                    offers.prices.push(named(json!({ "entries": offer.prices })));
                }
                if let Some(on_hand) = offer.on_hand {
                    let line =
                        json!({ "op": "set", "location": offer.location, "quantity": on_hand, "reason": "count" });
                    offers.stock.push(named(line));
                }
            }
        }
        offers
    }
}

fn as_line(value: &impl Serialize) -> Result<String, ImportError> {
    serde_json::to_string(value).map_err(|error| ImportError::Broken(error.to_string()))
}

fn judged_by_mapping(row: &Row) -> Verdict {
    match &row.mapped {
        Ok(_) => Verdict::NotTried,
        Err(reason) => Verdict::Rejected(reason.clone(), None),
    }
}

fn judged(answer: &LineAnswer, what: &str) -> Verdict {
    match answer.status {
        LineStatus::NotTried => Verdict::NotTried,
        LineStatus::Rejected => {
            let reason = answer.problem.as_ref().map_or_else(|| "no reason was given".to_owned(), client::told);
            Verdict::Rejected(format!("{what}{reason}"), answer.problem.clone())
        }
        status => Verdict::Settled(status),
    }
}

/// A product and a part of it: a new price makes a changed product, a refused one a rejected line.
fn and(product: Verdict, part: Verdict) -> Verdict {
    match (product, part) {
        (Verdict::Settled(LineStatus::Unchanged), Verdict::Settled(LineStatus::Created)) => {
            Verdict::Settled(LineStatus::Changed)
        }
        (Verdict::Settled(product), Verdict::Settled(part)) => {
            Verdict::Settled(product.max(part.min(LineStatus::Changed)))
        }
        (rejected @ Verdict::Rejected(..), _) | (_, rejected @ Verdict::Rejected(..)) => rejected,
        (product, Verdict::NotTried) => product,
        (Verdict::NotTried, part) => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LineStatus::{Changed, Created, Unchanged};

    #[test]
    fn a_line_is_what_its_parts_came_to() {
        for (product, part, whole) in [
            (Created, Created, Created),
            (Created, Unchanged, Created),
            (Unchanged, Created, Changed),
            (Unchanged, Changed, Changed),
            (Unchanged, Unchanged, Unchanged),
            (Changed, Created, Changed),
        ] {
            assert_eq!(and(Verdict::Settled(product), Verdict::Settled(part)), Verdict::Settled(whole));
        }
        let rejected = Verdict::Rejected("no".into(), None);
        assert_eq!(and(Verdict::Settled(Created), rejected.clone()), rejected);
    }
}
