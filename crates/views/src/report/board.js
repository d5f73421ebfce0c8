// The leaderboard: a table that can be sorted, with the interval of every mean drawn on one scale.

/** So many rows are shown at first, and so many more when asked for. */
const PAGE = 50;

const PLOT = { width: 210, height: 24, inset: 8 };

/** So narrow that what came out has to stand beside the rank. */
const isNarrow = matchMedia("(max-width: 640px)").matches;

function leaderboard() {
  const columns = boardColumns();
  let shown = PAGE;
  const body = h("tbody");
  const more = h("p", { class: "more" });
  const headers = columns.map((column) => header(column, () => sortBy(column)));
  const table = h("table", { class: "board" }, h("thead", {}, h("tr", {}, headers)), body);

  function sortBy(column) {
    const [name, direction] = sorted();
    choose("sort", name === column.name && direction === column.first ? `${column.name},${-column.first}` : `${column.name},${column.first}`);
    draw();
  }

  function draw() {
    const [name, direction] = sorted();
    const column = columns.find((column) => column.name === name);
    const order = column?.key ? selected.toSorted(by(column.key, direction)) : selected;
    const at = intervalScale(order.length ? order : rows);
    headers.forEach((header, index) => {
      const isSorted = columns[index] === column;
      header.setAttribute("aria-sort", isSorted ? (direction < 0 ? "descending" : "ascending") : "none");
      if (columns[index].name === "interval") header.replaceChildren(intervalAxis(at));
    });
    body.replaceChildren(...order.slice(0, shown).map((row) => boardRow(row, columns, at)));
    const rest = order.length - shown;
    const button = (text, number) => h("button", { type: "button", onclick: () => ((shown += number), draw()) }, text);
    more.replaceChildren(
      order.length === 0 ? "No configuration passes the filters." : `${count(Math.min(shown, order.length))} of ${plural(order.length, "configuration")}. `,
      ...(rest > 0 ? [button(`Show ${count(Math.min(rest, 200))} more`, 200)] : []),
    );
    highlight();
  }

  function highlight() {
    for (const line of body.rows) {
      line.classList.toggle("pinned", pinned.has(Number(line.dataset.row)));
      line.classList.toggle("hovered", hovered === Number(line.dataset.row));
    }
  }

  const search = h("input", { type: "search", placeholder: "search", "aria-label": "Search in the leaderboard", value: options.get("text") ?? "" });
  search.addEventListener("input", () => choose("text", search.value.trim()));
  draw();
  ["settled", "color"].forEach((what) => when(what, draw));
  when("highlight", highlight);
  return section(
    "leaderboard",
    "Leaderboard",
    h("p", { class: "controls" }, search),
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Leaderboard" }, table),
    more,
    h(
      "p",
      { class: "dim" },
      "A dot is the mean over seeds, a bar its 95 % interval, a tick a seed; the band is the first one's interval. Ranks are those that the seeds leave open. ≈ cannot be told from the first at 95 %, seed by seed. ± of a value: deviation over seeds; of a difference: half its 95 % interval. ",
      h("span", { class: "screen" }, "A click on a row pins it in every picture."),
    ),
  );
}

function sorted() {
  const [name, direction] = (options.get("sort") ?? "rank,1").split(/,(?=-?1$)/);
  return [name, Number(direction)];
}

/** In the order of a key; what has none comes last, whatever the direction. */
function by(key, direction) {
  return (a, b) => {
    const [one, other] = [key(a), key(b)];
    if (one === null || other === null) return (one === null) - (other === null) || a - b;
    return direction * (typeof one === "string" ? one.localeCompare(other) : one - other) || a - b;
  };
}

function boardColumns() {
  const has = (column) => column.some((value) => value !== null);
  const ofAxis = (axis) => ({
    name: axis.name,
    title: axis.name,
    first: 1,
    key: (row) => (axis.isNumber ? axis.of(row) : axis.of(row) === null ? null : axis.values.indexOf(axis.of(row))),
    cell: (row) => [axis.name === "schedule" && scheduleIcon(row), h("span", { class: axis.of(row) === null ? "none" : "", title: axis.text(row).length > LONG ? axis.text(row) : null }, axis.of(row) === null ? "" : clipped(axis.brief(axis.of(row)), 40))],
    kind: axis.isNumber ? "number" : "",
  });
  const best = isHigherBetter ? -1 : 1;
  const mean = { name: "mean", title: `${sweep.objective.metric} ${isHigherBetter ? "↑" : "↓"}`, first: best, key: (row) => board.mean[row], cell: (row) => (board.mean[row] === null ? ABSENT : meanText(row)), kind: "number" };
  const columns = [
    { name: "rank", title: "#", first: 1, key: null, cell: rankText, kind: "number" },
    isNarrow && mean,
    ...parameters.map(ofAxis),
    !isNarrow && has(board.mean) && { name: "interval", title: "", cell: null },
    !isNarrow && mean,
    has(board.difference) && { name: "difference", title: "vs first", first: best, key: (row) => board.difference[row], cell: versus, kind: "number" },
    has(board.probability_best) && { name: "probability", title: "P(best)", first: -1, key: (row) => board.probability_best[row], cell: (row) => percent(board.probability_best[row] ?? 0), kind: "number" },
    { name: "seeds", title: "seeds", first: -1, key: done, cell: (row) => `${done(row)}/${board.trials[row].length}`, kind: "number" },
    { name: "state", title: "state", first: 1, key: (row) => board.state[row], cell: (row) => board.state[row] },
  ];
  return columns.filter(Boolean);
}

/** Seeds with a number. */
function done(row) {
  return board.trials[row].filter(([, , objective]) => objective !== null).length;
}

function header({ title, name, kind }, sort) {
  const content = name === "interval" ? title : h("button", { type: "button", onclick: sort }, title);
  return h("th", { scope: "col", class: kind }, content);
}

function boardRow(row, columns, at) {
  const cell = (column, index) => {
    const content = column.name === "interval" ? intervalPlot(row, at) : column.cell(row);
    return h(index === 0 ? "th" : "td", { class: column.kind, scope: index === 0 ? "row" : null }, index === 0 && h("i", { class: `swatch ${colors.of(row)}` }), content);
  };
  const line = h("tr", { "data-row": row, tabindex: 0, title: trialsText(row) }, columns.map(cell));
  line.addEventListener("click", () => pin(row));
  line.addEventListener("keydown", (event) => event.key === "Enter" && pin(row));
  line.addEventListener("pointerenter", () => hover(row));
  line.addEventListener("pointerleave", () => hover(null));
  return line;
}

function trialsText(row) {
  const told = board.trials[row].slice(0, 10).map(([trial, seed, objective]) => `seed ${seed}: ${objective === null ? "–" : short(objective, 6)} (trial ${trial})`);
  return told.join("\n");
}

/** The difference and half of its interval. */
function versus(row) {
  const [difference, interval] = [board.difference[row], board.difference_interval[row]];
  if (difference === null) return "";
  if (!interval) return signed(difference, decimals(board.spread[row]));
  const half = (interval[1] - interval[0]) / 2;
  const mark = interval[0] <= 0 && 0 <= interval[1] ? "≈ " : "";
  return `${mark}${signed(difference, decimals(half))} ± ${number(half, decimals(half))}`;
}

/** From the best to the middle of what is shown: what is worse would squeeze the rest, and lies beyond the edge. */
function intervalScale(order) {
  const ends = (row) => board.interval[row] ?? [board.mean[row], board.mean[row]];
  const known = order.filter((row) => board.mean[row] !== null);
  if (known.length === 0) return null;
  const means = known.map((row) => board.mean[row]).sort((a, b) => (isHigherBetter ? b - a : a - b));
  const near = known.filter((row) => (isHigherBetter ? quantile(means, 0.5) <= board.mean[row] : board.mean[row] <= quantile(means, 0.5)));
  const isLog = isLogarithmic(near.map((row) => board.mean[row]).sort((a, b) => a - b));
  const [low, high] = extent(near.flatMap(ends).filter((end) => !isLog || 0 < end));
  return scale(low, high, PLOT.inset, PLOT.width - PLOT.inset, isLog);
}

function intervalAxis(at) {
  const svg = s("svg", { width: PLOT.width, height: 30, "aria-label": "mean with its 95 % interval" });
  if (!at) return svg;
  const marks = at.ticks(3).map((tick) => [s("path", { d: `M${at(tick)} 24v6`, class: "axis" }), s("text", { x: at(tick), y: 19, "text-anchor": "middle" }, short(tick))]);
  svg.append(...marks.flat());
  return svg;
}

function intervalPlot(row, at) {
  const { width, height, inset } = PLOT;
  const svg = s("svg", { width, height, class: `interval ${colors.of(row)}`, "aria-hidden": "true" });
  if (!at) return svg;
  // A logarithm has no place for what is not above 0.
  const inside = (value) => Math.min(width - 2, Math.max(2, at(value) || 0));
  const middle = height / 2;
  const first = board.interval[0];
  if (first) svg.append(s("rect", { x: inside(first[0]), width: Math.max(0, inside(first[1]) - inside(first[0])), y: 0, height, class: "band" }));
  const mean = board.mean[row];
  if (mean === null) return svg;
  const x = at(mean);
  if (x < 0 || width < x) {
    const [edge, tip] = x < 0 ? [9, 2] : [width - 9, width - 2];
    svg.append(s("path", { d: `M${edge} ${middle - 4}L${tip} ${middle}L${edge} ${middle + 4}`, class: "beyond" }));
    return svg;
  }
  const seeds = board.trials[row].map(([, , objective]) => objective).filter((objective) => objective !== null && 2 <= at(objective) && at(objective) <= width - 2);
  const interval = board.interval[row];
  if (interval) svg.append(s("path", { d: `M${inside(interval[0])} ${middle}H${inside(interval[1])}`, class: "bar" }));
  if (interval && seeds.length < 50) svg.append(s("path", { d: seeds.map((seed) => `M${at(seed).toFixed(1)} ${middle - 5}v10`).join(""), class: "seed" }));
  svg.append(s("circle", { cx: x, cy: middle, r: 4, class: "dot" }));
  return svg;
}
