//! Numbers as programs print them.

/// What a text is, read as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numeric {
    Number(f64),
    /// A number with a unit, such as `0.5ms`. A percent sign is none.
    WithUnit(f64),
    Not,
}

/// Around a number these mean nothing: brackets, quotes, the ends of clauses, a percent sign, and what no one could decode.
const BEFORE: [char; 6] = ['(', '[', '{', '"', '\'', '='];
const AFTER: [char; 12] = [',', ';', ':', '%', ')', ']', '}', '"', '\'', '|', '.', '\u{fffd}'];

/// After a number these would make it another one: `1.5k` is not 1.5.
const MAGNITUDES: [&str; 6] = ["k", "K", "M", "G", "T", "e"];

/// `0.5`, `(0.5),`, `90%`, `1,234.5`, `1_000`, `nan`, `-Infinity`, `0.5ms`.
pub(super) fn numeric(text: &str) -> Numeric {
    let text = text.trim().trim_start_matches(BEFORE).trim_end_matches(AFTER);
    if let Some(number) = plain(text) {
        return Numeric::Number(number);
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.,_".contains(c));
    let number = &text[..text.len() - unit.len()];
    let unit = unit.trim();
    let is_unit = unit.chars().all(|c| c.is_alphabetic() || "/°²³".contains(c));
    match plain(number) {
        Some(number) if is_unit && !unit.is_empty() && !MAGNITUDES.contains(&unit) => {
            Numeric::WithUnit(number)
        }
        _ => Numeric::Not,
    }
}

/// A number, which may have separators of thousands.
fn plain(text: &str) -> Option<f64> {
    // Typographers have a minus sign of their own.
    let text = text.replacen('\u{2212}', "-", 1);
    // Rust reads `nan`, `inf` and `infinity` in any case, and what is too large as infinite.
    text.parse().ok().or_else(|| without_separators(&text)?.parse().ok())
}

/// `1234.5` of `1,234.5` or `1_234.5`; `None` where the separators do not stand at thousands.
fn without_separators(text: &str) -> Option<String> {
    let separator = if text.contains(',') { ',' } else { '_' };
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut groups = whole.get(start..)?.split(separator);
    let first = groups.next()?;
    let is_leading = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let is_good =
        is_leading && are_digits(first) && groups.all(|it| it.len() == 3 && are_digits(it));
    is_good.then(|| whole.replace(separator, "") + fraction)
}

/// A number of steps, exactly: `400`, `400.0`, `4e2`, `1,000`.
pub(super) fn steps(text: &str) -> Option<u64> {
    let text = text.trim().trim_start_matches(BEFORE).trim_end_matches(AFTER);
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
    let digits = whole.map_or(text, |(digits, _)| digits);
    if let Some(steps) = digits.parse().ok().or_else(|| without_separators(digits)?.parse().ok()) {
        return Some(steps);
    }
    let number = plain(text)?;
    (0.0 <= number && number.fract() == 0.0 && number < 2_f64.powi(64)).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_programs_print_them() {
        use Numeric::{Not, Number, WithUnit};
        for (text, expected) in [
            ("0.5", Number(0.5)),
            (" -1e-3 ", Number(-1e-3)),
            ("(0.5),", Number(0.5)),
            ("0.333]", Number(0.333)),
            ("'0.93'", Number(0.93)),
            ("90%", Number(90.0)),
            ("5.", Number(5.0)),
            (".5.", Number(0.5)),
            ("0.5\u{fffd}", Number(0.5)),
            ("1,234.5", Number(1234.5)),
            ("-1_000_000", Number(-1e6)),
            ("\u{2212}0.5", Number(-0.5)),
            ("1e400", Number(f64::INFINITY)),
            ("-Infinity", Number(f64::NEG_INFINITY)),
            ("18446744073709551617", Number(18_446_744_073_709_551_616.0)),
            ("0.5ms", WithUnit(0.5)),
            ("12 it/s", WithUnit(12.0)),
            ("1.5k", Not),
            ("1.5M", Not),
            ("0,93", Not),
            ("0,123", Not),
            ("12,34", Not),
            ("1,234,5", Not),
            ("3/100", Not),
            ("<0.001", Not),
            ("12:30", Not),
            ("n/a", Not),
            ("", Not),
            ("-", Not),
            ("%", Not),
            ("é", Not),
            ("step", Not),
        ] {
            assert_eq!(numeric(text), expected, "{text}");
        }
        assert!(matches!(numeric("nan,"), Number(number) if number.is_nan()));
    }

    #[test]
    fn steps_are_exact() {
        for (text, expected) in [
            ("400", Some(400)),
            ("400.0", Some(400)),
            ("4e2", Some(400)),
            ("\"400\",", Some(400)),
            ("1,000", Some(1000)),
            ("9007199254740993", Some(9_007_199_254_740_993)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1.8446744073709552e19", None),
            ("-0.0", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("1e400", None),
            ("nan", None),
            ("three", None),
            ("", None),
        ] {
            assert_eq!(steps(text), expected, "{text}");
        }
    }
}
