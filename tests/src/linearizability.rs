//! Whether what concurrent clients saw of one object can be explained by its commands having been carried out one after the
//! other, each at some moment between its call and its answer (Herlihy and Wing, 1990).
//!
//! The search is Wing and Gong's with Lowe's memory of what was tried: a set of commands that were carried out, and the state
//! that they led to, is not looked at twice. It finds an order if there is one, and says that there is none only if there is none.

pub mod stock;

use std::{collections::HashSet, fmt::Debug, hash::Hash};

/// What an object would do if its commands came one after the other.
pub trait Model {
    /// Its state.
    type State: Clone + Eq + Hash + Debug;
    /// A command.
    type Command: Debug;
    /// What its caller learns.
    type Answer: PartialEq + Debug;

    /// The state after a command, and its answer.
    fn step(state: &Self::State, command: &Self::Command) -> (Self::State, Self::Answer);
}

/// A command as a client has seen it. Times are of one clock, whatever it counts.
#[derive(Debug)]
pub struct Call<M: Model> {
    /// When it was sent.
    pub began: u64,
    /// When the answer was there, and what it was; none if none came: it may have been carried out at any time since, or never.
    pub answered: Option<(u64, M::Answer)>,
    /// What was asked.
    pub command: M::Command,
}

/// No order explains a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The most answers that an order explains, and how many there were.
    pub explained: usize,
    /// Answers in the history.
    pub answers: usize,
    /// The first call that no order explains after those, in words.
    pub call: String,
}

/// Commands that were carried out, as bits by their place in the history.
type Done = Vec<u64>;

fn has(done: &Done, place: usize) -> bool {
    done[place / 64] >> (place % 64) & 1 == 1
}

fn with(done: &Done, place: usize) -> Done {
    let mut more = done.clone();
    more[place / 64] |= 1 << (place % 64);
    more
}

/// Looks for an order that explains a history.
///
/// # Errors
/// [`Violation`] if there is none.
pub fn check<M: Model>(initial: &M::State, calls: &[Call<M>]) -> Result<(), Violation> {
    let answers = calls.iter().filter(|call| call.answered.is_some()).count();
    let nothing: Done = vec![0; calls.len().div_ceil(64).max(1)];
    let mut seen: HashSet<(Done, M::State)> = HashSet::new();
    let mut open = vec![(nothing, initial.clone(), 0_usize)];
    let mut furthest: (usize, Done) = (0, vec![0; calls.len().div_ceil(64).max(1)]);
    while let Some((done, state, explained)) = open.pop() {
        if explained == answers {
            return Ok(());
        }
        if explained > furthest.0 {
            furthest = (explained, done.clone());
        }
        for place in next(calls, &done) {
            let call = &calls[place];
            let (after, answer) = M::step(&state, &call.command);
            if call.answered.as_ref().is_some_and(|(_, seen)| *seen != answer) {
                continue;
            }
            let (done, explained) = (with(&done, place), explained + usize::from(call.answered.is_some()));
            if seen.insert((done.clone(), after.clone())) {
                open.push((done, after, explained));
            }
        }
    }
    let stuck = next(calls, &furthest.1).into_iter().find(|place| calls[*place].answered.is_some());
    let call = stuck.map_or_else(String::new, |place| {
        let call = &calls[place];
        format!("{:?} -> {:?}", call.command, call.answered)
    });
    Err(Violation { explained: furthest.0, answers, call })
}

/// The calls of which one was carried out next: those that were sent before any other that is left was answered.
fn next<M: Model>(calls: &[Call<M>], done: &Done) -> Vec<usize> {
    let left = || (0..calls.len()).filter(|place| !has(done, *place));
    let first_answer = left().filter_map(|place| calls[place].answered.as_ref().map(|(at, _)| *at)).min();
    left().filter(|place| first_answer.is_none_or(|at| calls[*place].began <= at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register of one number.
    #[derive(Debug)]
    struct Register;

    #[derive(Debug)]
    enum Access {
        Write(u8),
        Read,
    }

    impl Model for Register {
        type State = u8;
        type Command = Access;
        type Answer = Option<u8>;

        fn step(state: &u8, command: &Access) -> (u8, Option<u8>) {
            match command {
                Access::Write(value) => (*value, None),
                Access::Read => (*state, Some(*state)),
            }
        }
    }

    fn call(began: u64, ended: u64, command: Access, answer: Option<u8>) -> Call<Register> {
        Call { began, answered: Some((ended, answer)), command }
    }

    #[test]
    fn what_overlaps_may_have_come_in_any_order() {
        let write = || call(0, 10, Access::Write(1), None);
        assert_eq!(check(&0, &[write(), call(1, 2, Access::Read, Some(0))]), Ok(()));
        assert_eq!(check(&0, &[write(), call(1, 2, Access::Read, Some(1))]), Ok(()));
        assert_eq!(check(&0, &[write(), call(1, 2, Access::Read, Some(1)), call(3, 4, Access::Read, Some(1))]), Ok(()));
    }

    #[test]
    fn what_was_seen_once_stays() {
        let history =
            [call(0, 10, Access::Write(1), None), call(1, 2, Access::Read, Some(1)), call(3, 4, Access::Read, Some(0))];
        let violation = check(&0, &history).expect_err("the second read goes back");
        assert_eq!((violation.explained, violation.answers), (2, 3));
        assert!(violation.call.starts_with("Read"), "{violation:?}");
    }

    #[test]
    fn a_call_without_an_answer_was_carried_out_or_not() {
        let lost = || Call::<Register> { began: 0, answered: None, command: Access::Write(1) };
        for read in [0, 1] {
            assert_eq!(check(&0, &[lost(), call(5, 6, Access::Read, Some(read))]), Ok(()));
        }
        let back = [lost(), call(5, 6, Access::Read, Some(1)), call(7, 8, Access::Read, Some(0))];
        assert!(check(&0, &back).is_err());
        assert_eq!(check(&0, &[lost()]), Ok(()));
        assert_eq!(check::<Register>(&0, &[]), Ok(()));
    }
}
