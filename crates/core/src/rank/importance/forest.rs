//! Regression trees over levels of parameters, and what share of their variance each parameter has: functional analysis
//! of variance of a forest, exactly for each of its trees (Hutter, Hoos, Leyton-Brown 2014, "An Efficient Approach for
//! Assessing Hyperparameter Importance", section 3).
//!
//! A tree cuts the space into boxes; a box is a set of levels of each parameter. Points are weighed as if parameters were
//! independent, each with the levels' shares among what was tried.

use std::cmp::Ordering;

/// As many bits as a set of levels has.
pub(super) const MAX_LEVELS: usize = 64;

/// The work of comparing boxes grows with its square.
const MAX_LEAVES: usize = 128;

/// One parameter's levels.
pub(super) struct Feature {
    /// Whether the levels are in an order that a cut must respect.
    pub(super) is_ordered: bool,
    /// By level, its share of the points; they sum to 1.
    pub(super) weights: Vec<f64>,
}

/// What was tried, and what came of it.
pub(super) struct Points {
    pub(super) features: Vec<Feature>,
    /// By point, a level of each feature.
    pub(super) levels: Vec<Vec<usize>>,
    pub(super) values: Vec<f64>,
}

/// Shares of a tree's variance, from 0 to 1, by feature.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effects {
    /// By the parameter alone, the others averaged.
    pub(super) alone: Vec<f64>,
    /// By the parameter and everything that it takes part in.
    pub(super) total: Vec<f64>,
}

struct Leaf {
    /// By feature, the levels of its box.
    sets: Vec<u64>,
    points: Vec<usize>,
    split: Option<Split>,
}

struct Split {
    feature: usize,
    /// The levels that go to the first part.
    first: u64,
    /// By how much the sum of squares falls.
    gain: f64,
}

impl Points {
    /// The effects in a tree that is grown from these points, some of them perhaps several times; `None` where they do not
    /// differ.
    pub(super) fn effects(&self, drawn: Vec<usize>) -> Option<Effects> {
        let tree = self.grow(drawn);
        let boxes: Vec<(f64, Vec<u64>)> =
            tree.into_iter().map(|leaf| (self.mean(&leaf.points), leaf.sets)).collect();
        self.decompose(&boxes)
    }

    /// The leaf that gains most is split first.
    fn grow(&self, drawn: Vec<usize>) -> Vec<Leaf> {
        let everything = self.features.iter().map(|feature| set_of(0..feature.weights.len()));
        let mut leaves = vec![self.leaf(everything.collect(), drawn)];
        while leaves.len() < MAX_LEAVES {
            let gain = |leaf: &Leaf| leaf.split.as_ref().map_or(-1.0, |split| split.gain);
            let best =
                (0..leaves.len()).max_by(|&a, &b| gain(&leaves[a]).total_cmp(&gain(&leaves[b])));
            let Some((index, split)) =
                best.and_then(|index| Some((index, leaves[index].split.take()?)))
            else {
                break;
            };
            let leaf = leaves.swap_remove(index);
            let (first, second) = leaf
                .points
                .iter()
                .partition(|&&point| is_in(split.first, self.levels[point][split.feature]));
            let mut sets = (leaf.sets.clone(), leaf.sets);
            sets.0[split.feature] &= split.first;
            sets.1[split.feature] &= !split.first;
            leaves.push(self.leaf(sets.0, first));
            leaves.push(self.leaf(sets.1, second));
        }
        leaves
    }

    fn leaf(&self, sets: Vec<u64>, points: Vec<usize>) -> Leaf {
        // A cut that gains nothing may make way for others that do.
        let are_equal = points.iter().all(|&point| self.values[point] == self.values[points[0]]);
        let split = (0..self.features.len())
            .filter(|_| !are_equal)
            .filter_map(|feature| self.best_split(feature, sets[feature], &points))
            .max_by(|a, b| a.gain.total_cmp(&b.gain));
        Leaf { sets, points, split }
    }

    /// The cut through one feature that tells the points' values best apart.
    fn best_split(&self, feature: usize, set: u64, points: &[usize]) -> Option<Split> {
        let mean = self.mean(points);
        let mut of_level = vec![(0.0, 0.0); self.features[feature].weights.len()];
        for &point in points {
            let (count, sum) = &mut of_level[self.levels[point][feature]];
            *count += 1.0;
            // Around the mean, so that little is lost to rounding.
            *sum += self.values[point] - mean;
        }
        let is_ordered = self.features[feature].is_ordered;
        let mut seen: Vec<usize> =
            (0..of_level.len()).filter(|&level| 0.0 < of_level[level].0).collect();
        if !is_ordered {
            // The best subset is one of the first so many levels by mean (Breiman et al. 1984, theorem 4.5).
            let mean = |level: usize| of_level[level].1 / of_level[level].0;
            seen.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
        }
        let (mut count, mut sum) = (0.0, 0.0);
        let mut best: Option<Split> = None;
        for (index, pair) in seen.windows(2).enumerate() {
            count += of_level[pair[0]].0;
            sum += of_level[pair[0]].1;
            let gain = sum * sum / count + sum * sum / (points.len() as f64 - count);
            if best.as_ref().is_none_or(|best| best.gain < gain) {
                let first = if is_ordered {
                    // What lies between goes to the nearer one.
                    set_of(0..=usize::midpoint(pair[0], pair[1]))
                } else {
                    set_of(seen[..=index].iter().copied())
                };
                best = Some(Split { feature, first: first & set, gain });
            }
        }
        best
    }

    fn mean(&self, points: &[usize]) -> f64 {
        points.iter().map(|&point| self.values[point]).sum::<f64>() / points.len() as f64
    }

    fn decompose(&self, boxes: &[(f64, Vec<u64>)]) -> Option<Effects> {
        let n = self.features.len();
        let weight = |feature: usize, set: u64| -> f64 {
            let weights = self.features[feature].weights.iter().enumerate();
            weights.filter(|(level, _)| is_in(set, *level)).map(|(_, weight)| weight).sum()
        };
        let weights: Vec<Vec<f64>> = boxes
            .iter()
            .map(|(_, sets)| (0..n).map(|feature| weight(feature, sets[feature])).collect())
            .collect();
        let mass = |index: usize| weights[index].iter().product::<f64>();
        let mean: f64 = (0..boxes.len()).map(|index| mass(index) * boxes[index].0).sum();
        // From here on values are differences from the mean.
        let value = |index: usize| boxes[index].0 - mean;
        let variance: f64 = (0..boxes.len()).map(|index| mass(index) * value(index).powi(2)).sum();
        if variance <= 0.0 || !variance.is_finite() {
            return None;
        }
        let alone = |feature: usize| -> f64 {
            let others = |index: usize| {
                (0..n).filter(|&k| k != feature).map(|k| weights[index][k]).product::<f64>()
            };
            let of_level = |level: usize| -> f64 {
                let within = (0..boxes.len()).filter(|&b| is_in(boxes[b].1[feature], level));
                within.map(|index| value(index) * others(index)).sum()
            };
            let levels = self.features[feature].weights.iter().enumerate();
            levels.map(|(level, weight)| weight * of_level(level).powi(2)).sum()
        };
        // What is left of the variance when the feature is averaged out: the mean of products of two boxes' values, over
        // where they overlap in everything else.
        let without = |feature: usize| -> f64 {
            let mut sum = 0.0;
            for a in 0..boxes.len() {
                for b in 0..=a {
                    let overlap = |k: usize| {
                        if k == feature {
                            weights[a][k] * weights[b][k]
                        } else {
                            weight(k, boxes[a].1[k] & boxes[b].1[k])
                        }
                    };
                    let mut product = value(a) * value(b) * if a == b { 1.0 } else { 2.0 };
                    for k in 0..n {
                        if product == 0.0 {
                            break;
                        }
                        product *= overlap(k);
                    }
                    sum += product;
                }
            }
            sum
        };
        let share = |part: f64| (part / variance).clamp(0.0, 1.0);
        Some(Effects {
            alone: (0..n).map(|feature| share(alone(feature))).collect(),
            total: (0..n).map(|feature| share(variance - without(feature))).collect(),
        })
    }
}

fn set_of(levels: impl IntoIterator<Item = usize>) -> u64 {
    levels.into_iter().fold(0, |set, level| set | 1 << level)
}

fn is_in(set: u64, level: usize) -> bool {
    set >> level & 1 == 1
}

/// The levels of numbers, at most [`MAX_LEVELS`], about equally many in each; the level of each number.
pub(super) fn levels(numbers: &[f64]) -> Vec<usize> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let is_few = distinct.len() <= MAX_LEVELS;
    let level = |number: &f64| {
        let below =
            |of: &[f64]| of.partition_point(|other| other.total_cmp(number) == Ordering::Less);
        if is_few { below(&distinct) } else { below(&sorted) * MAX_LEVELS / sorted.len() }
    };
    numbers.iter().map(level).collect()
}
