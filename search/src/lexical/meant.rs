//! The kind of what is meant: where the words of a query are not those of the products that are meant, the products
//! nearest by meaning say of which kind those are, by the attributes they have.

use super::Searched;
use crate::{IndexError, fuse::Scored, statistics::Profile};
use schemas::ids::ProductId;
use std::sync::Arc;
use tantivy::DocAddress;

impl Searched<'_> {
    /// Adds to the best of a fused list, up to the window, how well they fit the kind of the nearest products, times a
    /// weight, and brings them in order again. Both lists are best first.
    ///
    /// # Errors
    /// The engine's.
    pub fn by_meant_kind(
        &self,
        near: &[(ProductId, f32)],
        fused: &mut [Scored],
        weight: f32,
    ) -> Result<(), IndexError> {
        let ranking = self.ranking();
        if weight <= 0.0 || near.is_empty() {
            return Ok(());
        }
        // The further from nothing in common, the more one tells.
        let span = (near[0].1 - ranking.unrelated).max(f32::EPSILON);
        let mut nearest = Vec::new();
        for (id, similarity) in near.iter().take(ranking.neighbours) {
            if let Some(at) = self.place(*id)? {
                nearest.push((at, ((similarity - ranking.unrelated) / span).clamp(0.0, 1.0)));
            }
        }
        let kinds = &self.catalog.kinds;
        let profile: [Arc<Profile>; 1] = [Arc::new(kinds.of_products(&self.snapshot.segments, &nearest)?)];
        let window = fused.len().min(ranking.window);
        for scored in &mut fused[..window] {
            if let Some(at) = self.place(scored.id)? {
                #[expect(clippy::cast_possible_truncation, reason = "a score")]
                let fit = kinds.fit(&self.snapshot.segments, &profile, at)? as f32;
                scored.kind = fit * weight;
                scored.score += scored.kind;
            }
        }
        // A stable sort keeps equal ones in the order of their ids.
        fused[..window].sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(())
    }

    fn place(&self, id: ProductId) -> Result<Option<DocAddress>, IndexError> {
        self.snapshot.address_of(self.request.tenant, id)
    }
}
