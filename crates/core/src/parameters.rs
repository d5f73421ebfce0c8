//! Parameters by name.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut, Index},
};

use litemap::LiteMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::Value;

/// The parameters of one configuration, by name. Ordered, so that everything derived from them is; and no larger than what
/// is in them, since there may be a million configurations of one or two parameters each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(LiteMap<String, Value>);

impl Parameters {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Deref for Parameters {
    type Target = LiteMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Parameters {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Of equal names the last one counts; here and below.
impl FromIterator<(String, Value)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(parameters: I) -> Self {
        Self(parameters.into_iter().collect())
    }
}

impl<const N: usize> From<[(String, Value); N]> for Parameters {
    fn from(parameters: [(String, Value); N]) -> Self {
        parameters.into_iter().collect()
    }
}

impl Extend<(String, Value)> for Parameters {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, parameters: I) {
        self.0.extend(parameters);
    }
}

impl IntoIterator for Parameters {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Parameters {
    type Item = (&'a String, &'a Value);
    type IntoIter = <&'a LiteMap<String, Value> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

/// Panics if there is none of that name.
impl Index<&str> for Parameters {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.0[&name.to_owned()]
    }
}

/// Always as a table, also without any: keys are made of it.
impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_one_text_in_whatever_order_they_come() {
        let of = |pairs: &[(&str, i64)]| -> Parameters {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::Int(*value))).collect()
        };
        for (pairs, text) in [
            (&[][..], "{}"),
            (&[("b", 1)], r#"{"b":1}"#),
            (&[("b", 1), ("a", 2), ("B", 3)], r#"{"B":3,"a":2,"b":1}"#),
            (&[("b", 1), ("a", 2), ("b", 3)], r#"{"a":2,"b":3}"#),
        ] {
            let parameters = of(pairs);
            assert_eq!(serde_json::to_string(&parameters).unwrap(), text);
            assert_eq!(serde_json::from_str::<Parameters>(text).unwrap(), parameters);
        }
    }
}
