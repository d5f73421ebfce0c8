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

  shown(value, digits) {
    return this.isNumber ? short(value, digits) + this.unit : value;
  }
}

/** What all values are measured in, nothing for numbers; null if they have no order. */
function unitOf(values) {
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
function description(row) {
  const told = parameters.filter((axis) => axis.of(row) !== null);
  const texts = told.map((axis) => (axis.name === "schedule" ? axis.text(row) : `${axis.name} ${axis.text(row)}`));
  return texts.join(", ") || `configuration ${board.configuration[row]}`;
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
