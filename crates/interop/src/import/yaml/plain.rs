//! What a plain word of YAML means: YAML 1.1, as `PyYAML` reads it.

use std::fmt::Write;

/// What a plain word means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number beyond 64 bits.
    Large,
    Float(f64),
    /// A number of YAML 1.2, though not of `PyYAML`: `1e-3`. W&B writes it down as a plain word again, and its server reads a number.
    Exponent(f64),
    Time,
    Text,
}

/// After the patterns of `PyYAML`'s `resolver.py`.
pub(super) fn resolved(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Plain::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        _ => {}
    }
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { -1.0 } else { 1.0 }, digits),
        None => (1.0, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Plain::Float(sign * f64::INFINITY);
    }
    let is_negative = sign < 0.0;
    whole(digits, is_negative)
        .or_else(|| fraction(digits, text == digits).map(|value| Plain::Float(sign * value)))
        .or_else(|| exponent(digits).map(|value| Plain::Exponent(sign * value)))
        .unwrap_or(if is_time(text) { Plain::Time } else { Plain::Text })
}

/// A whole number without its sign: in base 2, 8, 10, 16 or 60.
fn whole(digits: &str, is_negative: bool) -> Option<Plain> {
    let all = |text: &str, is: fn(char) -> bool| {
        text.contains(|c| c != '_') && text.chars().all(|c| c == '_' || is(c))
    };
    let signed = |text: &str, base| {
        let sign = if is_negative { "-" } else { "" };
        i64::from_str_radix(&format!("{sign}{}", text.replace('_', "")), base).ok()
    };
    let plain = |value: Option<i64>| value.map_or(Plain::Large, Plain::Int);
    if digits == "0" {
        return Some(Plain::Int(0));
    }
    if let Some(bits) = digits.strip_prefix("0b") {
        return all(bits, |c| matches!(c, '0' | '1')).then(|| plain(signed(bits, 2)));
    }
    if let Some(digits) = digits.strip_prefix("0x") {
        return all(digits, |c| c.is_ascii_hexdigit()).then(|| plain(signed(digits, 16)));
    }
    if let Some(digits) = digits.strip_prefix('0') {
        return all(digits, |c| matches!(c, '0'..='7')).then(|| plain(signed(digits, 8)));
    }
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        if all(digits, |c| c.is_ascii_digit()) {
            return Some(plain(signed(digits, 10)));
        }
        let (first, rest) = digits.split_once(':')?;
        if all(first, |c| c.is_ascii_digit()) && rest.split(':').all(is_sixtieth) {
            let Some(first) = signed(first, 10) else { return Some(Plain::Large) };
            let value = rest.split(':').try_fold(first, |value, part| {
                let part: i64 = part.parse().ok()?;
                value.checked_mul(60)?.checked_add(if is_negative { -part } else { part })
            });
            return Some(plain(value));
        }
    }
    None
}

/// A fraction without its sign; one that begins with its point has none.
fn fraction(digits: &str, is_bare: bool) -> Option<f64> {
    let (before, after) = digits.split_once('.')?;
    let is_number = |text: &str| text.chars().all(|c| c == '_' || c.is_ascii_digit());
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let plain = digits.replace('_', "");
    if let Some((first, rest)) = before.split_once(':') {
        let is_whole = begins(first) && is_number(first) && rest.split(':').all(is_sixtieth);
        if !is_whole || !is_number(after) {
            return None;
        }
        let parts = plain.split(':').map(|part| part.parse::<f64>().ok());
        return parts.into_iter().try_fold(0.0, |value, part| Some(value * 60.0 + part?));
    }
    // Its exponent has a sign.
    let (after, is_whole) = match after.split_once(['e', 'E']) {
        Some((after, exponent)) => {
            let power = exponent.strip_prefix(['-', '+'])?;
            (after, !power.is_empty() && power.chars().all(|c| c.is_ascii_digit()))
        }
        None => (after, true),
    };
    let has_start = begins(before) && is_number(before);
    let has_end = before.is_empty() && is_bare && begins(after);
    (is_whole && is_number(after) && (has_start || has_end)).then(|| plain.parse().ok()).flatten()
}

/// What YAML 1.2 takes for a number with an exponent, or one that begins with its point.
fn exponent(digits: &str) -> Option<f64> {
    let is_bare = !digits.starts_with(['-', '+']);
    let has_mark = digits.starts_with('.') || is_bare && digits.contains(['e', 'E']);
    let is_number =
        digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'));
    let value: f64 = digits.parse().ok()?;
    (has_mark && is_number && value.is_finite()).then_some(value)
}

/// `1e-3` as every YAML reads it: `1.0e-3`.
pub(super) fn dotted(text: &str) -> String {
    let (number, power) = text.split_once(['e', 'E']).unwrap_or((text, "+0"));
    let mut dotted = number.replacen("-.", "-0.", 1).replacen("+.", "0.", 1);
    if !dotted.contains('.') {
        dotted += ".0";
    }
    let sign = if power.starts_with(['-', '+']) { "" } else { "+" };
    let _infallible = write!(dotted, "e{sign}{power}");
    dotted
}

/// One of the parts behind the first of a number in base 60.
fn is_sixtieth(part: &str) -> bool {
    match *part.as_bytes() {
        [one] => one.is_ascii_digit(),
        [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
        _ => false,
    }
}

/// `2026-12-01`, with or without a time of the day.
fn is_time(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let is_number = |part: &str, digits: &[usize]| {
        digits.contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit())
    };
    let digits: &[usize] = if date.len() == text.len() { &[2] } else { &[1, 2] };
    matches!(parts[..], [year, month, day]
        if is_number(year, &[4]) && is_number(month, digits) && is_number(day, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `PyYAML` 6.0.4 reads them: `yaml.safe_load`.
    #[test]
    fn words_mean_what_pyyaml_reads() {
        let int = Plain::Int;
        let all: &[(&[&str], Plain)] = &[
            (
                &[
                    "x", "y", "n", "Y", "N", "tRue", "08", "0778", "0o10", "0b", "0x", "_1",
                    "1,000", "1:60", "01:30", "0:30", "nan", "inf", ".", "-", "+", "1-2", "e5",
                    "1e", "1e400", "0x1.8p3", "2001-1-1", "2001-01", "0.1e-2x", "1:30e5", "--1e3",
                ],
                Plain::Text,
            ),
            (&["", "~", "null", "Null", "NULL"], Plain::Null),
            (&["yes", "Yes", "on", "On", "ON", "true", "True", "TRUE"], Plain::Bool(true)),
            (&["no", "No", "NO", "off", "Off", "false", "FALSE"], Plain::Bool(false)),
            (&["0", "00", "-0", "+0", "0b0", "0x0"], int(0)),
            (&["1", "+1", "01", "0b1", "0x1", "1_"], int(1)),
            (&["8", "010", "0x8", "0_10", "0b1000"], int(8)),
            (&["-8", "-010", "-0x8", "-0b1_000"], int(-8)),
            (&["90", "1:30"], int(90)),
            (&["-90", "-1:30"], int(-90)),
            (&["685230", "190:20:30", "685_230"], int(685_230)),
            (&["9223372036854775807", "0x7fffffffffffffff"], int(i64::MAX)),
            (&["-9223372036854775808"], int(i64::MIN)),
            (
                &["9223372036854775808", "0xFFFFFFFFFFFFFFFF", "99999999999999999:00:00"],
                Plain::Large,
            ),
            (&["1.0e-3", "0.001", "1.E-3", "0.00_1", ".1e-2"], Plain::Float(0.001)),
            (&[".5", "0.5", "+0.5", "0_.5"], Plain::Float(0.5)),
            (&["90.5", "1:30.5", "1:30.5_"], Plain::Float(90.5)),
            (&["685230.15", "685_230.15", "190:20:30.15"], Plain::Float(685_230.15)),
            (&["08.5"], Plain::Float(8.5)),
            (&[".inf", "+.inf", ".Inf"], Plain::Float(f64::INFINITY)),
            (&["-.inf"], Plain::Float(f64::NEG_INFINITY)),
            (&["1e-3", "1E-3", "01e-3"], Plain::Exponent(0.001)),
            (&["1e3", "1e+3", "1.0e3", "1E3"], Plain::Exponent(1000.0)),
            (&["-.5"], Plain::Exponent(-0.5)),
            (&["2001-01-01", "2001-12-14t21:59:43", "2001-1-1 10:00:00"], Plain::Time),
        ];
        for (words, expected) in all {
            for word in *words {
                assert_eq!(resolved(word), *expected, "{word}");
            }
        }
        assert!(matches!(resolved(".NaN"), Plain::Float(value) if value.is_nan()));
        for (word, expected) in
            [("1e-3", "1.0e-3"), ("1.5e3", "1.5e+3"), ("-.5", "-0.5e+0"), ("2E5", "2.0e+5")]
        {
            assert_eq!(dotted(word), expected);
            assert!(matches!(resolved(&dotted(word)), Plain::Float(_)));
        }
    }
}
