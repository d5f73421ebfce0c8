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
 * Something in which configurations differ: a parameter, or what came out.
 * `of(row)` is a number, a text, or null; `values` are all there are, in order.
 */
class Axis {
  constructor(name, values, of) {
    this.name = name;
    this.of = of;
    this.isNumber = values.every((value) => typeof value === "number");
    this.values = this.isNumber ? values.toSorted((a, b) => a - b) : inOrder(values.map(String));
    this.isFew = !this.isNumber || (this.values.length <= FEW && 2 * this.values.length <= rows.length);
    this.isLog = this.isNumber && isLogarithmic(this.values);
    this.low = this.values[0];
    this.high = this.values.at(-1);
    this.hasAbsent = rows.some((row) => of(row) === null);
  }

  text(row) {
    const value = this.of(row);
    return value === null ? ABSENT : this.isNumber ? short(value) : value;
  }
}

/** Texts that begin with numbers by these, others as they come: the best configuration's first. */
function inOrder(texts) {
  const isNumbered = texts.every((text) => /^[-+]?[\d.]/.test(text));
  return isNumbered ? texts.toSorted((a, b) => parseFloat(a) - parseFloat(b) || a.localeCompare(b)) : texts;
}

const parameters = board.parameters.map(({ name, values, index }) => {
  const isNumber = values.every((value) => typeof value === "number");
  const told = isNumber ? values : values.map(String);
  return new Axis(name, told, (row) => (index[row] < 0 ? null : told[index[row]]));
});

const outcome = new Axis(sweep.objective.metric, board.mean.filter((mean) => mean !== null), (row) => board.mean[row]);

outcome.isFew = false;

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
    const steps = axis === outcome ? byRank() : (row) => step(axis, axis.of(row));
    const ends = isHigherBetter || axis !== outcome ? [axis.low, axis.high] : [axis.high, axis.low];
    const shades = Array.from({ length: STEPS }, (_, index) => `v${index}`);
    return { axis, classes: ["none", ...shades], of: (row) => (axis.of(row) === null ? "none" : `v${steps(row)}`), ends };
  }
  const kind = (row) => axis.values.indexOf(axis.of(row));
  const classes = axis.values.map((_, index) => (index < KINDS ? `k${index}` : "none"));
  return { axis, classes: ["none", ...new Set(classes)], of: (row) => classes[kind(row)] ?? "none", ends: null };
}

function step(axis, value) {
  const share = scale(axis.low, axis.high, 0, 1, axis.isLog)(value);
  return Math.min(STEPS - 1, Math.floor(share * STEPS));
}

/** Equal numbers of configurations in each step: values crowd at the good end. */
function byRank() {
  const known = rows.filter((row) => board.mean[row] !== null);
  const better = (a, b) => (isHigherBetter ? board.mean[b] - board.mean[a] : board.mean[a] - board.mean[b]);
  const place = new Map(known.sort(better).map((row, index) => [row, index]));
  return (row) => STEPS - 1 - Math.floor((place.get(row) / known.length) * STEPS);
}
