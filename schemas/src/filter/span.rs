//! Dates as people write them: stretches of time, as long as what they name.

use crate::Timestamp;
use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeDelta};

/// The moments that a date names, from the first up to the one behind the last: a year, a month, a day, a minute, a second
/// or a moment, in UTC unless an offset is given. None for what is no date.
#[must_use]
pub fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    if text.contains('T') {
        return moment(text);
    }
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    let day = |month: &str, day: &str| {
        NaiveDate::from_ymd_opt(parts[0].parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    let (first, behind) = match parts.as_slice() {
        [year] if digits(year, 4) => {
            let first = day("1", "1")?;
            (first, first.checked_add_months(Months::new(12))?)
        }
        [year, month] if digits(year, 4) && digits(month, 2) => {
            let first = day(month, "1")?;
            (first, first.checked_add_months(Months::new(1))?)
        }
        [year, month, date] if digits(year, 4) && digits(month, 2) && digits(date, 2) => {
            let first = day(month, date)?;
            (first, first.checked_add_days(Days::new(1))?)
        }
        _ => return None,
    };
    Some((first.and_hms_opt(0, 0, 0)?.and_utc(), behind.and_hms_opt(0, 0, 0)?.and_utc()))
}

/// A date with a time.
fn moment(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (local, offset) = match text.strip_suffix('Z') {
        Some(local) => (local, None),
        None => {
            let time = text.find('T')?;
            let sign = text[time..].find(['+', '-']).map(|at| time + at);
            sign.map_or((text, None), |at| (&text[..at], Some(&text[at..])))
        }
    };
    let (local, long) = if let Ok(minute) = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M") {
        (minute, TimeDelta::minutes(1))
    } else {
        let long = if local.contains('.') { TimeDelta::microseconds(1) } else { TimeDelta::seconds(1) };
        (NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S%.f").ok()?, long)
    };
    let start = match offset {
        None => local.and_utc(),
        Some(offset) => {
            let whole = format!("{}{offset}", local.format("%Y-%m-%dT%H:%M:%S%.f"));
            DateTime::parse_from_rfc3339(&whole).ok()?.to_utc()
        }
    };
    Some((start, start.checked_add_signed(long)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_as_long_as_what_they_name() {
        for (text, first, behind) in [
            ("2021", "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"),
            ("2021-12", "2021-12-01T00:00:00Z", "2022-01-01T00:00:00Z"),
            ("2020-02-28", "2020-02-28T00:00:00Z", "2020-02-29T00:00:00Z"),
            ("9999-12-31", "9999-12-31T00:00:00Z", "+10000-01-01T00:00:00Z"),
            ("2021-05-31T08:30", "2021-05-31T08:30:00Z", "2021-05-31T08:31:00Z"),
            ("2021-05-31T08:30:00Z", "2021-05-31T08:30:00Z", "2021-05-31T08:30:01Z"),
            ("2021-05-31T08:30:00.5+02:00", "2021-05-31T06:30:00.5Z", "2021-05-31T06:30:00.500001Z"),
        ] {
            let moment = |text: &str| text.parse::<Timestamp>().expect(text);
            assert_eq!(span(text), Some((moment(first), moment(behind))), "{text}");
        }
        for none in
            ["", "21", "2021-13", "2021-02-30", "2021-5-1", "x", "2021-05-31T", "2021-05-31T25:00", "T", "-2021"]
        {
            assert_eq!(span(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([0-9]{1,4}|-|T|:|Z|\\+|\\PC){0,12}") {
            prop_assert!(span(&text).is_none_or(|(first, behind)| first < behind));
        }
    }
}
