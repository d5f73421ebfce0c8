// Two parameters against each other: a table whose cells are as deep as what came out of them is good.

/** Numbers with more different values are put into so many ranges. */
const RANGES = 8;

const HEAT = { best: "the best", middle: "the median", tried: "how many" };

function heat() {
  const candidates = axes.filter((axis) => axis !== outcome);
  if (candidates.length < 2) return null;
  const named = (name, otherwise) => candidates.find((axis) => axis.name === options.get(name)) ?? otherwise;
  const first = axisNamed("schedule") ?? candidates[0];
  const second = axisNamed("peak") ?? candidates.find((axis) => axis !== first);
  const place = h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Two parameters" });

  function draw() {
    const [across, down] = [named("x", second === first ? candidates[1] : second), named("y", first)];
    const what = options.get("cell") in HEAT ? options.get("cell") : "best";
    place.replaceChildren(...heatTable(across, down, what));
  }

  const names = candidates.map((axis) => [axis.name, axis.name]);
  const set = (name) => (value) => (choose(name, value), draw());
  draw();
  when("settled", draw);
  return section(
    "pairs",
    "Two parameters",
    h(
      "p",
      { class: "controls" },
      choice("across", names, named("x", second).name, set("x")),
      choice("down", names, named("y", first).name, set("y")),
      choice("cells say", Object.entries(HEAT), options.get("cell") ?? "best", set("cell")),
    ),
    place,
    h("p", { class: "dim" }, `Of the configurations that pass the filters, over everything else; the deeper, the better. `, h("span", { class: "screen" }, "A click on a cell filters by its values.")),
  );
}

function heatTable(across, down, what) {
  const [columns, lines] = [bins(across), bins(down)];
  const [lineOf, columnOf] = [down.column(placeIn(lines)), across.column(placeIn(columns))];
  const cells = lines.map(() => columns.map(() => []));
  for (const row of selected) cells[lineOf[row]][columnOf[row]].push(row);
  const values = cells.map((line) => line.map((of) => cellValue(of, what)));
  const sorted = values.flat().filter((value) => value !== null).sort((a, b) => a - b);
  const rank = shades(sorted, what === "tried" || isHigherBetter);
  const digits = what === "tried" ? 0 : Math.max(2, decimals((sorted.at(-1) - sorted[0]) / 20 || null) - 1);
  // Over orders of magnitude, digits after the point say little.
  const isWide = 0 < sorted[0] && 100 * sorted[0] < sorted.at(-1) && what !== "tried";
  const shown = (value) => (isWide ? short(value, 3) : number(value, digits));
  const cell = (value, of, line, column) => {
    if (of.length === 0) return h("td", { class: "empty" });
    const bad = of.filter((row) => board.mean[row] === null).length;
    const text = value === null ? clipped(board.state[of[0]], 14) : shown(value);
    const told = `${down.name} ${line.text}, ${across.name} ${column.text}: ${plural(of.length, "configuration")}${bad ? `, ${bad} without a number` : ""}; best: ${description(of[0])}, ${meanText(of[0])}`;
    const press = () => (filterBy(across, column.filter), filterBy(down, line.filter));
    const depth = value === null ? "bad" : `v${rank(value)}`;
    return h("td", { class: `cell ${depth}` }, h("button", { type: "button", title: told, "aria-label": told, onclick: press }, text, bad > 0 && value !== null && h("sup", { title: `${bad} without a number` }, "×")));
  };
  const key = sorted.length > 0 && heatKey(sorted, rank, shown);
  const body = lines.map((line, i) => h("tr", {}, h("th", { scope: "row" }, line.text), columns.map((column, j) => cell(values[i][j], cells[i][j], line, column))));
  const table = h(
    "table",
    { class: "heat" },
    h("caption", {}, `${HEAT[what]}${what === "tried" ? "" : ` ${sweep.objective.metric}`} by ${down.name} (down) and ${across.name} (across)`),
    h("thead", {}, h("tr", {}, h("td"), columns.map((column) => h("th", { scope: "col" }, column.text)))),
    h("tbody", {}, body),
  );
  return [table, key].filter(Boolean);
}

function cellValue(of, what) {
  if (what === "tried") return of.length || null;
  const means = of.map((row) => board.mean[row]).filter((mean) => mean !== null).sort((a, b) => a - b);
  if (means.length === 0) return null;
  return what === "middle" ? quantile(means, 0.5) : isHigherBetter ? means.at(-1) : means[0];
}

/** The depth of a value, from 0 to the last step: by its place among all values, so that each step has as many. */
function shades(sorted, isHigh) {
  const values = [...new Set(sorted)];
  const places = new Map(values.map((value, place) => [value, isHigh ? place : values.length - 1 - place]));
  return (value) => (values.length < 2 ? STEPS - 1 : Math.round((places.get(value) / (values.length - 1)) * (STEPS - 1)));
}

/** Which values have which depth, the best first. */
function heatKey(sorted, rank, shown) {
  const steps = [...Map.groupBy(sorted, rank)].sort(([a], [b]) => b - a);
  const range = (values) => (values[0] === values.at(-1) ? shown(values[0]) : `${shown(values[0])} – ${shown(values.at(-1))}`);
  return h("p", { class: "key-of" }, steps.map(([step, values]) => h("span", {}, h("i", { class: `swatch square v${step}` }), range(values))));
}

function placeIn(bins) {
  return (value) => bins.findIndex((bin) => bin.has(value));
}

/** The values of an axis, or ranges of them: `{ text, filter, has(value) }`. */
function bins(axis) {
  const absent = axis.hasAbsent ? [{ text: ABSENT, filter: { values: new Set([null]) }, has: (value) => value === null }] : [];
  if (!axis.isNumber || axis.values.length <= 12) {
    const bin = (value) => ({ text: clipped(axis.brief(value), 28), filter: { values: new Set([value]) }, has: (other) => other === value });
    return [...axis.values.map(bin), ...absent];
  }
  const at = scale(axis.low, axis.high, 0, RANGES, axis.isLog);
  const bin = (_, index) => {
    const [low, high] = [index === 0 ? axis.low : at.invert(index), index === RANGES - 1 ? axis.high : at.invert(index + 1)];
    const has = (value) => value !== null && Math.min(RANGES - 1, Math.floor(at(value))) === index;
    return { text: `${axis.shown(low, 2)} – ${axis.shown(high, 2)}`, filter: { low, high }, has };
  };
  return [...Array.from({ length: RANGES }, bin), ...absent];
}
