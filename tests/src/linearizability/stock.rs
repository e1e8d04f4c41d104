//! Pieces of one SKU as reservations of it have to behave: a counter, and what is kept under which id.

use super::Model;
use std::collections::BTreeMap;

/// The pieces of one SKU.
#[derive(Debug)]
pub struct Pieces;

/// How many can be sold, and what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Counter {
    /// Pieces that can be sold.
    pub available: i64,
    /// Pieces of each reservation, and whether they are kept still.
    pub reservations: BTreeMap<u32, (i64, bool)>,
}

impl Counter {
    /// So many pieces, of which none is kept.
    #[must_use]
    pub fn of(available: i64) -> Self {
        Self { available, ..Self::default() }
    }
}

/// What clients ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// So many pieces under this id.
    Reserve(u32, i64),
    /// What is kept under it belongs to an order.
    Commit(u32),
    /// What is kept under it can be sold again.
    Release(u32),
}

/// What they learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It is so, now or since before.
    Done,
    /// There are not enough pieces.
    Short,
    /// The reservation has ended.
    Ended,
    /// There is no such reservation.
    Missing,
}

impl Model for Pieces {
    type State = Counter;
    type Command = Asked;
    type Answer = Told;

    fn step(state: &Counter, command: &Asked) -> (Counter, Told) {
        let mut after = state.clone();
        let told = match *command {
            Asked::Reserve(id, pieces) => match state.reservations.get(&id) {
                Some((_, true)) => Told::Done,
                Some((_, false)) => Told::Ended,
                None if state.available < pieces => Told::Short,
                None => {
                    after.available -= pieces;
                    after.reservations.insert(id, (pieces, true));
                    Told::Done
                }
            },
            Asked::Commit(id) => match state.reservations.get(&id) {
                Some((_, true)) => Told::Done,
                Some((_, false)) => Told::Ended,
                None => Told::Missing,
            },
            Asked::Release(id) => match after.reservations.get_mut(&id) {
                Some((pieces, is_kept)) => {
                    if std::mem::replace(is_kept, false) {
                        after.available += *pieces;
                    }
                    Told::Done
                }
                None => Told::Missing,
            },
        };
        (after, told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linearizability::{Call, check};

    fn call(began: u64, ended: u64, command: Asked, told: Told) -> Call<Pieces> {
        Call { began, answered: Some((ended, told)), command }
    }

    /// What a server does that looks whether there are enough and takes them later: two clients see the last piece.
    fn sold_twice() -> Vec<Call<Pieces>> {
        vec![
            call(0, 9, Asked::Reserve(1, 1), Told::Done),
            call(1, 8, Asked::Reserve(2, 1), Told::Done),
            call(10, 11, Asked::Commit(1), Told::Done),
            call(10, 12, Asked::Commit(2), Told::Done),
        ]
    }

    #[test]
    fn a_piece_that_is_sold_twice_is_found() {
        assert_eq!(check(&Counter::of(2), &sold_twice()), Ok(()));
        let violation = check(&Counter::of(1), &sold_twice()).expect_err("there is one piece");
        assert!(violation.call.starts_with("Reserve"), "{violation:?}");
    }

    #[test]
    fn what_is_given_back_twice_counts_once() {
        let history = |told| {
            vec![
                call(0, 1, Asked::Reserve(1, 1), Told::Done),
                call(2, 6, Asked::Release(1), Told::Done),
                call(3, 5, Asked::Release(1), Told::Done),
                call(7, 8, Asked::Reserve(2, 1), Told::Done),
                call(9, 10, Asked::Reserve(3, 1), told),
            ]
        };
        assert_eq!(check(&Counter::of(1), &history(Told::Short)), Ok(()));
        assert!(check(&Counter::of(1), &history(Told::Done)).is_err(), "the piece came back twice");
    }

    #[test]
    fn a_refusal_needs_a_moment_at_which_there_was_too_little() {
        let history = [
            call(0, 1, Asked::Reserve(1, 1), Told::Done),
            call(2, 3, Asked::Release(1), Told::Done),
            call(4, 5, Asked::Reserve(2, 1), Told::Short),
        ];
        assert!(check(&Counter::of(1), &history).is_err(), "it was given back before");
        let meanwhile = [
            call(0, 1, Asked::Reserve(1, 1), Told::Done),
            call(2, 6, Asked::Release(1), Told::Done),
            call(3, 5, Asked::Reserve(2, 1), Told::Short),
            call(7, 8, Asked::Commit(1), Told::Ended),
            call(7, 8, Asked::Commit(9), Told::Missing),
        ];
        assert_eq!(check(&Counter::of(1), &meanwhile), Ok(()));
    }

    /// As much at once as the acceptance test has: the search ends, and soon.
    #[test]
    fn many_clients_are_no_problem() {
        let mut history: Vec<Call<Pieces>> = Vec::new();
        for round in 0..6_u64 {
            for client in 0..8_u32 {
                let (id, at) = (client + 8 * u32::try_from(round).expect("small"), round * 10);
                history.push(call(
                    at,
                    at + 9,
                    Asked::Reserve(id, 1),
                    if client < 3 { Told::Done } else { Told::Short },
                ));
            }
            for client in 0..3_u32 {
                let id = client + 8 * u32::try_from(round).expect("small");
                history.push(call(round * 10 + 9, round * 10 + 10, Asked::Release(id), Told::Done));
            }
        }
        assert_eq!(check(&Counter::of(3), &history), Ok(()));
        history.push(call(70, 71, Asked::Reserve(1_000, 4), Told::Done));
        assert!(check(&Counter::of(3), &history).is_err());
    }
}
