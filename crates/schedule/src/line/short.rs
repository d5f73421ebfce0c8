//! Lines for people: numbers without the digits that only rounding made.

/// So many digits say what a person wants to know of a number.
const DIGITS: usize = 6;

/// A line with its long numbers rounded: `27.8st` for `27.799999999999997st`. It need not read back as the same schedule.
pub fn short(line: &str) -> String {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(is_part) {
        let (before, number) = rest.split_at(start);
        let length = number.find(|c| !is_part(c)).unwrap_or(number.len());
        text.push_str(before);
        text.push_str(&rounded(&number[..length]));
        rest = &number[length..];
    }
    text + rest
}

fn rounded(number: &str) -> String {
    let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match number.parse::<f64>() {
        Ok(value) if 2 * DIGITS < decimals => {
            let shorter = format!("{value:.*e}", DIGITS - 1).parse::<f64>();
            shorter.map_or_else(|_| number.to_owned(), |shorter| shorter.to_string())
        }
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_no_digits_that_only_rounding_made() {
        for (line, expected) in [
            ("0.1: 0.04 > 1 cosine for 27.799999999999997st", "0.1: 0.04 > 1 cosine for 27.8st"),
            ("cycle(len=10,lo=0.09999999999999999) { 1 > 0 }", "cycle(len=10,lo=0.1) { 1 > 0 }"),
            ("1: 0.3333333333333333 > 1 for 2000000st", "1: 0.333333 > 1 for 2000000st"),
            ("0.000004: hold", "0.000004: hold"),
            ("0.00000000000001: hold for 12.5%", "0.00000000000001: hold for 12.5%"),
            ("hold", "hold"),
        ] {
            assert_eq!(short(line), expected);
        }
    }
}
