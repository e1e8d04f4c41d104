//! When what waits has arrived, from the ends of the log as they were seen.
//!
//! The age of the oldest waiting event can't be told from the last one that was applied: a topic that was idle for
//! an hour and gets one event is not an hour late. What is known is when the end of the log was where: the event at
//! offset n arrived between the last look that found the end at or before n and the first that found it
//! behind. Within that time arrivals are taken to be even.

use std::collections::VecDeque;

/// Looks that are remembered; when there are more, every other one is forgotten.
const MOST: usize = 2_048;

/// The end of a log at a moment, in seconds of any clock that only goes forward.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    at: f64,
    end: i64,
}

/// The ends of one partition as they were seen; only what tells something about waiting events is kept.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(VecDeque<Look>);

impl Arrivals {
    /// Notes where the end is now. `next_offset` is the next that will be read: looks from before it arrived
    /// are forgotten but for the last.
    pub fn look(&mut self, at: f64, end: i64, next_offset: i64) {
        // Of the looks at one end, the first bounds what came before it, and the last what came after.
        if self.0.iter().rev().take(2).filter(|look| look.end == end).count() == 2 {
            self.0.pop_back();
        }
        self.0.push_back(Look { at, end });
        while self.0.len() > 1 && self.0[1].end <= next_offset {
            self.0.pop_front();
        }
        if self.0.len() > MOST {
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// Seconds since the event at `next_offset` arrived; nothing if it waited before the first look.
    #[must_use]
    pub fn age(&self, now: f64, next_offset: i64) -> Option<f64> {
        let behind = self.0.iter().position(|look| look.end > next_offset)?;
        let (before, after) = (self.0.get(behind.checked_sub(1)?)?, self.0[behind]);
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let share = (next_offset + 1 - before.end) as f64 / (after.end - before.end) as f64;
        Some((now - (before.at + share * (after.at - before.at))).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_after_an_idle_hour_is_as_old_as_it_is() {
        let mut arrivals = Arrivals::default();
        for second in 0..3_600_i32 {
            arrivals.look(f64::from(second), 10, 10);
        }
        arrivals.look(3_600.0, 11, 10);
        assert_eq!(arrivals.age(3_600.0, 10), Some(0.0));
        arrivals.look(3_601.0, 11, 10);
        arrivals.look(3_602.0, 11, 10);
        assert_eq!(arrivals.age(3_602.0, 10), Some(2.0));
        assert_eq!(arrivals.age(3_602.0, 11), None, "nothing waits");
    }

    #[test]
    fn what_waited_before_the_first_look_has_no_age() {
        let mut arrivals = Arrivals::default();
        arrivals.look(0.0, 500, 20);
        assert_eq!(arrivals.age(0.0, 20), None);
        // Once that is worked off, the age is known.
        arrivals.look(1.0, 600, 500);
        assert_eq!(arrivals.age(3.0, 599), Some(2.0));
    }

    #[test]
    fn arrivals_between_two_looks_are_even() {
        let mut arrivals = Arrivals::default();
        arrivals.look(0.0, 0, 0);
        arrivals.look(10.0, 100, 0);
        assert_eq!(arrivals.age(10.0, 49), Some(5.0));
        assert_eq!(arrivals.age(10.0, 99), Some(0.0));
    }

    #[test]
    fn a_long_backlog_is_remembered_coarsely_and_still_right() {
        let mut arrivals = Arrivals::default();
        for second in 0..20_000_i32 {
            arrivals.look(f64::from(second), i64::from(second) * 10, 0);
        }
        assert!(arrivals.0.len() <= MOST);
        let age = arrivals.age(20_000.0, 100_000).expect("known");
        assert!((age - 10_000.0).abs() < 40.0, "{age}");
    }

    #[test]
    fn a_constant_flow_is_hardly_late() {
        let mut arrivals = Arrivals::default();
        for second in 0..60_i32 {
            let end = i64::from(second) * 50;
            arrivals.look(f64::from(second), end, (end - 3).max(0));
            let age = arrivals.age(f64::from(second), end - 3).unwrap_or_default();
            assert!(age <= 0.1, "{age}");
        }
    }
}
