//! Five-fold cross-validation of each ranking setting: fitted on four fifths of the queries, measured on the rest.

use super::{
    Args, EvalError, Mode, Progress, judgments, judgments::Judged, metrics::Ranking, metrics::mean,
    search::SearchClient,
};
use serde::Serialize;
use std::fmt::Write;

const FOLDS: usize = 5;

/// A setting and the values that are tried.
type Tried = (&'static str, &'static [f64]);

/// Settings of the words, which count in hybrid mode, too.
const OF_WORDS: [Tried; 6] = [
    ("b", &[0.6, 0.75, 0.9, 1.0]),
    ("k1", &[0.8, 1.0, 1.2, 1.5]),
    ("title_boost", &[0.0, 0.5, 1.0, 2.0]),
    ("phrase_boost", &[0.0, 0.25, 0.5, 1.0, 2.0]),
    ("kind_boost", &[0.0, 0.1, 0.2, 0.3, 0.5]),
    ("attribute_weight", &[0.0, 0.25, 0.5, 1.0]),
];
/// Settings of the fusion.
const OF_FUSION: [Tried; 7] = [
    ("lexical_share", &[0.4, 0.5, 0.55, 0.6, 0.65, 0.7]),
    ("unrelated", &[0.0, 0.1, 0.2, 0.3]),
    ("exact_share", &[0.6, 0.8, 1.0]),
    ("gap", &[0.0, 0.3, 0.5, 0.7]),
    ("gap_share", &[0.2, 0.3, 0.4, 0.6]),
    ("gap_kind_boost", &[0.0, 0.03, 0.05, 0.1]),
    ("feedback_weight", &[0.0, 0.3, 0.6, 1.0]),
];

/// NDCG@10 and the condensed one, of each query.
type Figures = Vec<(f64, f64)>;

/// What fitting one setting gives.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fitted {
    setting: &'static str,
    /// The value that was best on the other four fifths, for each fold.
    chosen: Vec<f64>,
    /// On queries that had no part in the choice.
    held_out_ndcg_10: f64,
    held_out_condensed_ndcg_10: f64,
    /// Each value on all queries: value, NDCG@10, condensed.
    on_all: Vec<(f64, f64, f64)>,
}

/// The whole of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    queries: usize,
    mode: Mode,
    shipped_ndcg_10: f64,
    shipped_condensed_ndcg_10: f64,
    settings: Vec<Fitted>,
}

pub(super) async fn measure(args: &Args) -> Result<Report, EvalError> {
    let queries = judgments::read(&args.judgments)?;
    let client = SearchClient::new(&args.query_url, &args.tenant, args.mode, args.key.headers(&[&args.query_url]))?;
    let fusion: &[Tried] = if args.mode == Mode::Hybrid { &OF_FUSION } else { &[] };
    let settings: Vec<&Tried> = OF_WORDS.iter().chain(fusion).collect();
    let total = settings.iter().map(|(_, values)| values.len() as u64).sum::<u64>() + 1;
    let mut progress = Progress::begin("cross-validating", total);
    let shipped = figures(&client, &queries, &[]).await?;
    let (mut fitted, mut done) = (Vec::new(), 1);
    for (setting, values) in settings {
        let mut by_value = Vec::new();
        for value in *values {
            by_value.push((*value, figures(&client, &queries, &[(setting, *value)]).await?));
            done += 1;
            progress.at(done, total, done, "values");
        }
        fitted.push(fit(setting, &by_value));
    }
    progress.end();
    Ok(Report {
        queries: queries.len(),
        mode: args.mode,
        shipped_ndcg_10: mean(shipped.iter().map(|(ndcg, _)| *ndcg)),
        shipped_condensed_ndcg_10: mean(shipped.iter().map(|(_, condensed)| *condensed)),
        settings: fitted,
    })
}

async fn figures(client: &SearchClient, queries: &[Judged], settings: &[(&str, f64)]) -> Result<Figures, EvalError> {
    let mut figures = Vec::with_capacity(queries.len());
    for judged in queries {
        let answer = client.search(&judged.query, settings).await?;
        let ids: Vec<&str> = answer.hits.iter().filter_map(|hit| hit.external_id.as_deref()).collect();
        let ranking = Ranking::new(&ids, &judged.ratings);
        figures.push((ranking.ndcg_10(), ranking.condensed_ndcg_10()));
    }
    Ok(figures)
}

fn fit(setting: &'static str, by_value: &[(f64, Figures)]) -> Fitted {
    let queries = by_value.first().map_or(0, |(_, figures)| figures.len());
    let (mut chosen, mut held_out) = (Vec::new(), Vec::new());
    for fold in 0..FOLDS {
        let training = |figures: &Figures| {
            let others = figures.iter().enumerate().filter(|(index, _)| index % FOLDS != fold);
            others.map(|(_, (ndcg, condensed))| ndcg + condensed).sum::<f64>()
        };
        let best = by_value.iter().max_by(|(_, a), (_, b)| training(a).total_cmp(&training(b)));
        let Some((value, figures)) = best else { continue };
        chosen.push(*value);
        held_out.extend((0..queries).filter(|index| index % FOLDS == fold).map(|index| figures[index]));
    }
    let on_all = |(value, figures): &(f64, Figures)| {
        (*value, mean(figures.iter().map(|(ndcg, _)| *ndcg)), mean(figures.iter().map(|(_, condensed)| *condensed)))
    };
    Fitted {
        setting,
        chosen,
        held_out_ndcg_10: mean(held_out.iter().map(|(ndcg, _)| *ndcg)),
        held_out_condensed_ndcg_10: mean(held_out.iter().map(|(_, condensed)| *condensed)),
        on_all: by_value.iter().map(on_all).collect(),
    }
}

impl Report {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String can't fail, so the results are let go.
        let _ = writeln!(
            text,
            "{} queries, mode {}, five folds\n  as shipped: NDCG@10 {:.4}, condensed {:.4}",
            self.queries,
            self.mode.name(),
            self.shipped_ndcg_10,
            self.shipped_condensed_ndcg_10
        );
        for fitted in &self.settings {
            let _ = writeln!(
                text,
                "  {:<17} held out: NDCG@10 {:.4}, condensed {:.4}; chosen {:?}",
                fitted.setting, fitted.held_out_ndcg_10, fitted.held_out_condensed_ndcg_10, fitted.chosen
            );
            for (value, ndcg, condensed) in &fitted.on_all {
                let _ = writeln!(text, "    {value:<5} on all: NDCG@10 {ndcg:.4}, condensed {condensed:.4}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_measured_with_the_value_that_the_others_chose() {
        // The second value is better on every query but the last, which alone makes up fold 4.
        let first = vec![(0.1, 0.1), (0.1, 0.1), (0.1, 0.1), (0.1, 0.1), (0.9, 0.9)];
        let second = vec![(0.5, 0.5), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5), (0.2, 0.2)];
        let fitted = fit("b", &[(0.5, first), (0.9, second)]);
        assert_eq!(fitted.chosen, [0.9, 0.9, 0.9, 0.9, 0.9]);
        assert!((fitted.held_out_ndcg_10 - (0.5 * 4.0 + 0.2) / 5.0).abs() < 1e-9);
    }
}
