// The sweep: what is known of each configuration. A configuration is the number of its row on the board, best first.

const sweep = JSON.parse(document.getElementById("sweep").textContent);
const { board } = sweep;
const rows = board.mean.map((_, row) => row);
const isHigherBetter = sweep.objective.goal === "max";

/** What a configuration without a parameter has in its place. */
const ABSENT = "–";

/** So many colours tell things apart, so many steps show an order. */
const KINDS = 8;
const STEPS = 8;

/** More different values are not listed one by one. */
const FEW = 16;

/** Longer texts are told without what all have in common. */
const LONG = 20;

/**
 * Something in which configurations differ: a parameter, or what came out. `told` are its different values, `index` is the
 * place of a row's value among them, -1 where it has none. Here they are in order: `values`, all numbers or all texts, and
 * `index`, a column, so that ten thousand rows are looked through while a pointer moves.
 */
class Axis {
  constructor(name, told, index) {
    this.name = name;
    this.unit = unitOf(told);
    this.isNumber = this.unit !== null;
    const values = told.map(this.isNumber ? parseFloat : String);
    this.values = this.isNumber ? [...new Set(values)].toSorted((a, b) => a - b) : inOrder(values);
    const places = new Map(this.values.map((value, place) => [value, place]));
    this.index = Int32Array.from(index, (place) => (place < 0 ? -1 : places.get(values[place])));
    this.isFew = !this.isNumber || (this.values.length <= FEW && 2 * this.values.length <= rows.length);
    this.isLog = this.isNumber && isLogarithmic(this.values);
    this.low = this.values[0];
    this.high = this.values.at(-1);
    this.hasAbsent = this.index.includes(-1);
    this.common = this.isNumber ? [0, 0] : commonEnds(this.values);
  }

  /** A number or a text; null if the row has none. */
  of(row) {
    return this.values[this.index[row]] ?? null;
  }

  /** Something for every row that is made of its value alone: `of(value)`, once for each value. */
  column(of) {
    const made = [...this.values.map(of), of(null)];
    return Array.from(this.index, (place) => made.at(place));
  }

  text(row) {
    const value = this.of(row);
    return value === null ? ABSENT : this.shown(value);
  }

  /** A long text without what all values have in common at its beginning and its end. */
  brief(value) {
    if (this.isNumber || value.length <= LONG) return this.shown(value);
    const [start, end] = this.common;
    return `${start ? "…" : ""}${value.slice(start, value.length - end)}${end ? "…" : ""}`;
  }

  shown(value, digits) {
    return this.isNumber ? short(value, digits) + this.unit : value;
  }
}

/** How much all of these texts have in common at both ends, whole words of it; at least one character of each stays. */
function commonEnds(texts) {
  if (texts.length < 2) return [0, 0];
  const common = (at) => {
    const least = Math.min(...texts.map((text) => text.length)) - 1;
    let length = 0;
    while (length < least && texts.every((text) => text.at(at(length)) === texts[0].at(at(length)))) length += 1;
    return length;
  };
  const isWord = (character) => /[\p{L}\p{N}]/u.test(character ?? "");
  let [start, end] = [common((index) => index), common((index) => -1 - index)];
  while (0 < start && isWord(texts[0][start - 1])) start -= 1;
  while (0 < end && isWord(texts[0].at(-end))) end -= 1;
  // The whole name of a file says more than its part that differs.
  const folder = texts[0].lastIndexOf("/", start - 1) + 1;
  if (0 < start && texts.every((text) => text.length - folder <= 1.5 * LONG)) return [folder, 0];
  return texts.every((text) => start + end < text.length) ? [start, end] : [start, 0];
}

/** What all values are measured in, nothing for numbers; null if they have no order. Nothing is nothing in every unit. */
function unitOf(told) {
  const values = told.some((value) => typeof value === "string") ? told.filter((value) => value !== 0) : told;
  const unit = (value) => (typeof value === "number" ? "" : (/^[\d.]+(?:e-?\d+)?(%|ep|st)$/.exec(value)?.[1] ?? null));
  const units = new Set(values.map(unit));
  return units.size === 0 ? "" : units.size === 1 ? [...units][0] : null;
}

/** Texts that begin with numbers by these, others as they come: the best configuration's first. */
function inOrder(texts) {
  const isNumbered = texts.every((text) => /^[-+]?[\d.]/.test(text));
  return isNumbered ? texts.toSorted((a, b) => parseFloat(a) - parseFloat(b) || a.localeCompare(b)) : texts;
}

const parameters = board.parameters.map(({ name, values, index }) => new Axis(name, values, index));

const outcome = outcomeAxis();

function outcomeAxis() {
  const means = [...new Set(board.mean.filter((mean) => mean !== null))];
  const places = new Map(means.map((mean, place) => [mean, place]));
  const axis = new Axis(sweep.objective.metric, means, board.mean.map((mean) => places.get(mean) ?? -1));
  axis.isFew = false;
  return axis;
}

/** What configurations can be compared along. */
const axes = [...parameters.filter((axis) => 1 < axis.values.length + axis.hasAbsent), outcome];

function axisNamed(name) {
  return axes.find((axis) => axis.name === name);
}

/** `cosine, warmup 10%, peak 0.1`. */
function description(row, of = parameters) {
  const told = of.filter((axis) => axis.of(row) !== null);
  const texts = told.map((axis) => (axis.name === "schedule" ? "" : `${axis.name} `) + axis.brief(axis.of(row)));
  return texts.join(", ") || `configuration ${board.configuration[row]}`;
}

/** The parameters in which these rows differ; all of them if there is none. */
function differing(of) {
  const found = parameters.filter((axis) => new Set(of.map((row) => axis.index[row])).size > 1);
  return found.length ? found : parameters;
}

/** `3`, or the ranks that its seeds leave it: `1–6`. */
function rankText(row) {
  const [rank, ranks] = [board.rank[row], board.ranks[row]];
  if (rank === null) return ABSENT;
  return ranks && ranks[0] < ranks[1] ? `${ranks[0]}–${ranks[1]}` : String(rank);
}

function meanText(row) {
  return board.mean[row] === null ? board.state[row] : withSpread(board.mean[row], board.spread[row]);
}

/** What is said of a configuration at once. */
function card(row) {
  return [
    h("b", {}, description(row)),
    h("br"),
    `${sweep.objective.metric} ${meanText(row)}, rank ${rankText(row)}`,
  ];
}

/**
 * A colour for every configuration: one of each kind, or steps in an order. `of(row)` is the class of its colour,
 * `legend` has the classes with what they mean.
 */
function coloring(axis) {
  if (axis.isNumber) {
    const steps = axis === outcome ? byRank() : axis.column((value) => value !== null && step(axis, value));
    const isUp = isHigherBetter || axis !== outcome;
    // Before the first result there is nothing to tell apart.
    const ends = axis.values.length === 0 ? null : isUp ? [axis.low, axis.high] : [axis.high, axis.low];
    const shades = Array.from({ length: STEPS }, (_, index) => `v${index}`);
    return { axis, classes: ["none", ...shades], of: (row) => (axis.index[row] < 0 ? "none" : shades[steps[row]]), ends };
  }
  const classes = axis.values.map((_, index) => (index < KINDS ? `k${index}` : "none"));
  return { axis, classes: ["none", ...new Set(classes)], of: (row) => classes[axis.index[row]] ?? "none", ends: null };
}

function step(axis, value) {
  const share = scale(axis.low, axis.high, 0, 1, axis.isLog)(value);
  return Math.min(STEPS - 1, Math.floor(share * STEPS));
}

/** Equal numbers of configurations in each step: values crowd at the good end. */
function byRank() {
  const known = rows.filter((row) => board.mean[row] !== null);
  const better = (a, b) => (isHigherBetter ? board.mean[b] - board.mean[a] : board.mean[a] - board.mean[b]);
  const steps = new Uint8Array(rows.length);
  known.sort(better).forEach((row, place) => (steps[row] = STEPS - 1 - Math.floor((place / known.length) * STEPS)));
  return steps;
}
