//! Times as other programs write them.

use pleach_store::Time;

/// In UTC, with microseconds: `2026-11-23T10:00:00.000000+00:00`.
pub(crate) fn text(time: Time) -> String {
    const DAY: i64 = 86_400_000;
    let (day, rest) = (time.0.div_euclid(DAY), time.0.rem_euclid(DAY));
    let (year, month, day) = date(day);
    let (hour, minute, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest % 60_000);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}000+00:00",
        millis / 1000,
        millis % 1000
    )
}

/// Of so many days since 1970-01-01, in the Gregorian calendar. Years begin in March, so that a leap day is the last one of its
/// year; 400 of them have 146 097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_full() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000000+00:00"),
            (951_782_400_000, "2000-02-29T00:00:00.000000+00:00"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999000+00:00"),
            (1_764_334_861_007, "2025-11-28T13:01:01.007000+00:00"),
            (-1, "1969-12-31T23:59:59.999000+00:00"),
        ] {
            assert_eq!(text(Time(millis)), expected);
        }
    }
}
