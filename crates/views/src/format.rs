//! Numbers, times and parameters as people read them.

use pleach_core::{plain::within, plan::command::OPEN_ENDED, value::Parameters};
use pleach_schedule::draw::short;

/// A step; the last one of a trial of which nobody says how long it is has no number.
pub fn steps(step: u64) -> String {
    if step == OPEN_ENDED { "its end".to_owned() } else { step.to_string() }
}

/// A number with so many digits after the point; very small and very large ones with an exponent.
pub fn number(value: f64, decimals: usize) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { format!("{value}") };
    }
    if magnitude != 0.0 && !(1e-3..1e7).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    without_idle_sign(format!("{value:.decimals$}"))
}

/// A difference, with its sign.
pub fn signed(value: f64, decimals: usize) -> String {
    let magnitude = value.abs();
    if value.is_finite() && value != 0.0 && !(1e-6..1e7).contains(&magnitude) {
        return format!("{value:+.1e}");
    }
    without_idle_sign(format!("{value:+.decimals$}"))
}

/// `0.0000` instead of `-0.0000`.
fn without_idle_sign(text: String) -> String {
    let is_zero = text.contains('0') && !text.contains(|c: char| ('1'..='9').contains(&c));
    if is_zero { text.trim_start_matches(['-', '+']).to_owned() } else { text }
}

/// A rate with at most six significant digits.
pub fn rate(value: f64) -> String {
    short(value, 6)
}

/// `320 KiB`, `12 MiB`, `2.0 GiB`.
pub fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match kib {
        ..1000.0 => format!("{:.0} KiB", kib.ceil()),
        ..1_000_000.0 => format!("{:.0} MiB", (kib / 1024.0).ceil()),
        _ => format!("{:.1} GiB", kib / 1_048_576.0),
    }
}

/// A share in percent: `0%`, `0.4%`, `12%`.
pub fn percent(share: f64) -> String {
    let decimals = usize::from(0.0 < share && share < 0.01);
    format!("{:.decimals$}%", 100.0 * share)
}

/// Digits after the point that show two significant ones of a spread: from 2 to 6, and 4 without a spread.
pub fn decimals(spread: Option<f64>) -> usize {
    match spread {
        Some(spread) if spread.is_finite() && 0.0 < spread => {
            (1.0 - spread.log10().floor()).clamp(2.0, 6.0) as usize
        }
        _ => 4,
    }
}

/// `0.9754 ± 0.0011`.
pub fn with_spread(mean: f64, spread: Option<f64>) -> String {
    let decimals = decimals(spread);
    match spread {
        // Both in the mean's own form.
        Some(spread) if number(mean, decimals).contains('e') => {
            format!("{mean:.3e} ± {spread:.1e}")
        }
        Some(spread) => format!("{} ± {}", number(mean, decimals), deviation(spread, decimals)),
        None => number(mean, decimals),
    }
}

fn deviation(spread: f64, decimals: usize) -> String {
    if spread < 1e7 { format!("{spread:.decimals$}") } else { format!("{spread:.1e}") }
}

/// `0.3s`, or as [`duration`] says it from ten seconds on: for what is over and does not change while one looks.
pub fn took(seconds: f64) -> String {
    if seconds < 9.95 { format!("{:.1}s", seconds.max(0.0)) } else { duration(seconds) }
}

/// `45s`, `1m 20s`, `3h 05m`, `2d 4h`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        3600..86400 => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
        _ => format!("{}d {}h", whole / 86400, whole % 86400 / 3600),
    }
}

/// Whole numbers with their thousands apart: `100 000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `done at 900 of 3 000`: of what its own program ended before its last step.
pub(crate) fn done_early([step, end]: [u64; 2]) -> String {
    format!("done at {} of {}", count(step), count(end))
}

/// `n thing` or `n things`.
pub fn plural(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", count(number)) }
}

/// The same text with no line longer than so many characters, as far as it has blanks: what a line goes on with is indented.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim_end().chars().count() <= width || line.contains(['│', '╭', '├', '╰', '\u{1b}'])
        {
            wrapped.push_str(line);
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        let mut used = 0;
        for word in line.trim_end().split(' ') {
            let length = word.chars().count();
            if used == 0 {
            } else if width < used + 1 + length && indent < used {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent + 4));
                used = indent + 4;
            } else {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += length;
        }
        wrapped.push_str(if line.ends_with('\n') { "\n" } else { "" });
    }
    wrapped
}

/// `peak 0.1, warmup 5%`, the choices first.
pub fn parameters(parameters: &Parameters) -> String {
    let mut pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| within(&format!("{name} {value}"), 100).into_owned())
        .collect();
    pairs.sort_by_key(|pair| !pair.starts_with("schedule "));
    pairs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        assert_eq!(with_spread(0.975_43, Some(0.001_12)), "0.9754 ± 0.0011");
        assert_eq!(with_spread(0.975_43, Some(0.0)), "0.9754 ± 0.0000");
        assert_eq!(with_spread(12.345, Some(3.2)), "12.35 ± 3.20");
        assert_eq!(with_spread(0.946_83, Some(0.000_763_8)), "0.94683 ± 0.00076");
        assert_eq!(with_spread(0.000_012_3, Some(0.000_001)), "1.230e-5 ± 1.0e-6");
        assert_eq!(with_spread(0.9, None), "0.9000");
        assert_eq!(with_spread(0.000_012_3, None), "1.230e-5");
        assert_eq!(with_spread(1e69, Some(3e68)), "1.000e69 ± 3.0e68");
        assert_eq!(with_spread(0.5, Some(3e68)), "0.50 ± 3.0e68");
        assert_eq!(with_spread(-0.000_000_1, Some(0.2)), "-1.000e-7 ± 2.0e-1");
        assert_eq!(number(-0.0, 4), "0.0000");
        assert_eq!(number(-0.001, 2), "0.00");
        let differences = [0.01, -0.000_04, 0.0, -0.0, 1e-7, -3e68, f64::NAN, f64::INFINITY];
        let differences = differences.map(|value| signed(value, 4));
        let expected =
            ["+0.0100", "0.0000", "0.0000", "0.0000", "+1.0e-7", "-3.0e68", "NaN", "+inf"];
        assert_eq!(differences, expected);
        assert_eq!(number(f64::NAN, 3), "NaN");
        assert_eq!(number(f64::NEG_INFINITY, 3), "-inf");
    }

    #[test]
    fn rates_and_shares_have_no_idle_digits() {
        let rates: Vec<String> =
            [0.0, 0.1, 0.031_622_776, 1234.5, 4e-6, 1.234_567_8e-5, 5e6].map(rate).to_vec();
        assert_eq!(rates, ["0", "0.1", "0.0316228", "1234.5", "4e-6", "1.23457e-5", "5e6"]);
        assert_eq!(
            [0.0, 0.004, 0.05, 0.124, 0.999].map(percent),
            ["0%", "0.4%", "5%", "12%", "100%"]
        );
    }

    #[test]
    fn times_and_counts_are_for_people() {
        let times: Vec<String> = [0.2, 45.0, 80.0, 11_100.0, 187_200.0].map(duration).to_vec();
        assert_eq!(times, ["0s", "45s", "1m 20s", "3h 05m", "2d 4h"]);
        assert_eq!([0.24, 9.96, 80.0].map(took), ["0.2s", "10s", "1m 20s"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1 000", "1 234 567"]);
        assert_eq!(plural(1, "trial"), "1 trial");
        assert_eq!(plural(2000, "trial"), "2 000 trials");
    }
}
