// What a person has chosen. It is kept in the page's address, so that a link shows the same:
// #filter=schedule:cosine|wsd&filter=peak:0.01..0.1&text=…&pin=3&color=momentum, and what single sections choose (x, y, zoom, …).

/** By name of an axis: `{ values }`, a set of its values (null: none), or `{ low, high }`. */
const filters = new Map();

/** Configurations that are held on to. */
const pinned = new Set();

/** Other choices, by name. */
const options = new Map();

/** The configuration under the pointer, or null. */
let hovered = null;

/** The configurations that pass all filters, best first, and whether each does. */
let selected = rows;
const isSelected = new Uint8Array(rows.length).fill(1);

let colors = null;

/** Who follows a brush: `selection`, as it moves; `settled`, where there are many configurations when it rests. */
const listeners = { selection: [], settled: [], highlight: [], color: [] };

/** More configurations than these are filtered faster than everything is drawn anew. */
const MANY = 60;

function when(what, call) {
  listeners[what].push(call);
}

function changed(what) {
  rememberAtRest();
  listeners[what].forEach((call) => call());
}

function select() {
  isSelected.fill(1);
  for (const [name, filter] of filters) {
    const passes = (value) => (filter.values ? filter.values.has(value) : value !== null && filter.low <= value && value <= filter.high);
    axisNamed(name).column(passes).forEach((isPassed, row) => (isSelected[row] &= isPassed));
  }
  const words = options.get("text")?.toLowerCase().split(/\s+/) ?? [];
  selected = rows.filter((row) => isSelected[row] && words.every((word) => wordsOf(row).includes(word)));
  if (words.length) isSelected.fill(0), selected.forEach((row) => (isSelected[row] = 1));
}

const known = new Map();

/** All that is written in a row, to search in. */
function wordsOf(row) {
  if (!known.has(row)) known.set(row, `${parameters.map((axis) => `${axis.name} ${axis.text(row)}`).join(" ")} ${board.state[row]} ${meanText(row)}`.toLowerCase());
  return known.get(row);
}

const settle = () => changed("settled");
const settleAtRest = atRest(settle);

const reselect = once(() => {
  select();
  changed("selection");
  if (MANY < rows.length) settleAtRest();
  else settle();
});

/** Sets the filter of an axis; null takes it away. */
function filterBy(axis, filter) {
  if (filter && filter.values?.size !== 0) filters.set(axis.name, filter);
  else filters.delete(axis.name);
  reselect();
}

/** Adds one value to those that are shown, or takes it away again. */
function toggleValue(axis, value) {
  const values = new Set(filters.get(axis.name)?.values ?? []);
  if (!values.delete(value)) values.add(value);
  filterBy(axis, { values });
}

function choose(name, value) {
  if (value === "" || value === null) options.delete(name);
  else options.set(name, value);
  if (name === "text") reselect();
  rememberAtRest();
}

function hover(row) {
  if (row === hovered) return;
  hovered = row;
  listeners.highlight.forEach((call) => call());
}

function pin(row) {
  if (!pinned.delete(row)) pinned.add(row);
  changed("highlight");
}

/** What is drawn strongly: what is pinned and what is under the pointer. */
function highlighted() {
  return [...pinned, ...(hovered === null || pinned.has(hovered) ? [] : [hovered])];
}

function colorBy(axis) {
  colors = coloring(axis);
  changed("color");
}

/** By schedule if that is a choice, by what came out otherwise. */
function usualColor() {
  const isReadable = (axis) => !axis.isNumber && axis.values.length <= KINDS;
  return axes.find((axis) => axis.name === "schedule" && isReadable(axis)) ?? outcome;
}

function filterText(axis, { values, low, high }) {
  const texts = values && [...values].map((value) => (value === null ? ABSENT : axis.shown(value)));
  return texts ? texts.join(", ") : `${axis.shown(low)} … ${axis.shown(high)}`;
}

function remember() {
  const encode = encodeURIComponent;
  const told = ({ values, low, high }) => (values ? [...values].map((value) => encode(value ?? "")).join("|") : `${low}..${high}`);
  const parts = [...filters].map(([name, filter]) => `filter=${encode(name)}:${told(filter)}`);
  parts.push(...[...options].map(([name, value]) => `${name}=${encode(value)}`));
  if (pinned.size) parts.push(`pin=${[...pinned].map((row) => board.configuration[row]).join(",")}`);
  if (colors && colors.axis !== usualColor()) parts.push(`color=${encode(colors.axis.name)}`);
  const fragment = parts.length ? `#${parts.join("&")}` : "";
  if (fragment !== location.hash) history.replaceState(null, "", fragment || location.pathname + location.search);
}

/** Browsers refuse an address that changes with every move of a pointer. */
const rememberAtRest = atRest(remember);

/** Takes up what the address says; what it does not know is left out. */
function recall() {
  let color = usualColor();
  for (const part of location.hash.slice(1).split("&")) {
    const [name, value] = [part.split("=", 1)[0], part.slice(part.indexOf("=") + 1)];
    if (name === "filter") recallFilter(value);
    else if (name === "pin") value.split(",").forEach((id) => rows.filter((row) => String(board.configuration[row]) === id).forEach((row) => pinned.add(row)));
    else if (name === "color") color = axisNamed(decoded(value)) ?? color;
    else if (/^[a-z]+$/.test(name) && part.includes("=")) options.set(name, decoded(value));
  }
  select();
  colors = coloring(color);
}

function recallFilter(text) {
  const [name, value] = [decoded(text.split(":", 1)[0]), text.slice(text.indexOf(":") + 1)];
  const axis = axisNamed(name);
  if (!axis) return;
  const [low, high] = value.split("..").map(Number);
  if (axis.isNumber && low <= high) filters.set(name, { low, high });
  else {
    const meant = (part) => (part === "" ? null : axis.isNumber ? Number(part) : decoded(part));
    filters.set(name, { values: new Set(value.split("|").map(meant)) });
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
