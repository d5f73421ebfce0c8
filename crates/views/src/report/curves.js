// Learning curves: each configuration's mean over its seeds, and around those that stand out its spread.

/** More lines than these are a blot: of more configurations so many are drawn, evenly from the best to the worst. */
const LINES = 400;

/** So many configurations have their names beside their lines. */
const NAMED = 6;

function curves() {
  const metrics = sweep.curves.filter((curves) => curves.steps.some((steps) => 1 < steps.length));
  if (metrics.length === 0) return null;
  const shown = () => metrics.find((curves) => curves.metric === options.get("metric")) ?? metrics[0];
  const isWhole = () => options.get("zoom") === "whole";
  const { place, redraw } = drawing("curves", draw);
  const said = h("p", { class: "dim" });
  let emphasise = () => {};

  function draw(width) {
    const metric = shown();
    const drawn = evenly(selected.filter((row) => metric.mean[row].length > 0), LINES);
    said.textContent = drawnText(drawn.length, selected.filter((row) => metric.mean[row].length > 0).length);
    if (drawn.length === 0) return h("p", { class: "dim" }, "Nothing to draw.");
    const isNarrow = width < 640;
    const margin = { left: 56, right: isNarrow ? 16 : 220, top: 26, bottom: 40 };
    const domain = { x: stepsRange(metric, drawn), y: valueRange(metric, drawn, isWhole()) };
    const plot = chart(width, isNarrow ? 300 : 420, domain, { x: "steps", y: metric.metric }, margin);
    // A logarithm ends above 0.
    const [low, , isLog] = domain.y;
    const within = (value) => (isLog ? Math.max(value, low) : value);
    const points = (row, to = (mean) => mean) =>
      metric.steps[metric.index[row]].map((step, index) => {
        const value = metric.mean[row][index];
        return value === null ? null : [plot.x(step), plot.y(within(to(value, index)))];
      });
    const strong = s("g");
    emphasise = () => {
      const named = leaders(drawn, metric);
      const lines = [...named, ...highlighted().filter((row) => metric.mean[row].length > 0 && !named.includes(row))];
      const bands = lines.filter((row) => metric.spread[row].length > 0 && (lines.length <= NAMED || highlighted().includes(row)));
      strong.replaceChildren(
        clippedTo(
          plot,
          bands.map((row) => s("path", { d: spreadBand(metric, row, points), class: `spread ${colors.of(row)}` })),
          lines.toReversed().map((row) => [line(points(row), { class: "halo" }), line(points(row), { class: `strong ${colors.of(row)}` })]),
        ),
        ...(isNarrow ? [] : endLabels(lines, points, plot)),
      );
    };
    emphasise();
    const picture = s("svg", { viewBox: `0 0 ${width} ${isNarrow ? 300 : 420}`, width, height: isNarrow ? 300 : 420, role: "img", "aria-label": `Learning curves: ${metric.metric} over steps` });
    const placed = new Map(drawn.map((row) => [row, points(row)]));
    picture.append(plot.frame, clippedTo(plot, bundles(placed)), strong);
    picture.addEventListener("pointermove", (event) => {
      const row = nearestCurve(placed, event.offsetX, event.offsetY);
      hover(row);
      tell(row === null ? null : event, ...(row === null ? [] : card(row)));
    });
    picture.addEventListener("pointerleave", () => (hover(null), tell(null)));
    picture.addEventListener("click", () => hovered !== null && pin(hovered));
    return picture;
  }

  ["settled", "color"].forEach((what) => when(what, redraw));
  when("highlight", () => emphasise());
  const set = (name) => (value) => (choose(name, value), redraw());
  return section(
    "curves",
    "Learning curves",
    h(
      "p",
      { class: "controls" },
      metrics.length > 1 && choice("metric", metrics.map(({ metric }) => [metric, metric]), shown().metric, set("metric")),
      choice("show", [["", "where the better half ends up"], ["whole", "the whole range"]], options.get("zoom") ?? "", set("zoom")),
    ),
    place,
    said,
  );
}

/** So many of a list, evenly from its beginning to its end, the first ones whole. */
function evenly(list, most) {
  if (list.length <= most) return list;
  const [first, rest] = [list.slice(0, NAMED), list.slice(NAMED)];
  const places = most - NAMED;
  return [...first, ...Array.from({ length: places }, (_, index) => rest[Math.floor((index * (rest.length - 1)) / (places - 1))])];
}

function leftText() {
  const left = sweep.metrics_left;
  return left === 0 ? "" : ` ${plural(left, "more metric")} ${left === 1 ? "was" : "were"} measured: “pleach export ${sweep.name} --as csv --table metrics” has all of them.`;
}

function drawnText(drawn, all) {
  const which = drawn < all ? `${count(drawn)} of ${count(all)} configurations, evenly from the best to the worst; filters show others.` : `${plural(drawn, "configuration")}.`;
  return `${which} Lines are means over seeds; around those that are named, the deviation.${leftText()}`;
}

/** The best of each colour if colours are kinds, the first ones otherwise. */
function leaders(drawn, metric) {
  const known = drawn.filter((row) => metric.mean[row].length > 0);
  if (colors.axis.isNumber) return known.slice(0, 3);
  const seen = new Set();
  return known.filter((row) => !seen.has(colors.of(row)) && seen.add(colors.of(row))).slice(0, NAMED + 2);
}

function stepsRange(metric, drawn) {
  const last = drawn.map((row) => metric.steps[metric.index[row]].at(-1));
  return [0, Math.max(...last), false];
}

/** The lowest and highest value; or from the best to where the better half of what is drawn was for most of the time. */
function valueRange(metric, drawn, isWhole) {
  const finite = (values) => values.filter((value) => value !== null);
  const all = drawn.flatMap((row) => finite(metric.mean[row])).sort((a, b) => a - b);
  let [low, high] = [all[0], all.at(-1)];
  if (!isWhole && drawn.length > 0) {
    const better = drawn.slice(0, Math.ceil(drawn.length / 2));
    const near = better.flatMap((row) => finite(metric.mean[row])).sort((a, b) => a - b);
    const isRising = goesUp(metric, better);
    if (isRising) low = Math.max(low, quantile(near, 0.15));
    else high = Math.min(high, quantile(near, 0.85));
  }
  const between = all.filter((value) => low <= value && value <= high);
  const above = between.filter((value) => 0 < value);
  // A loss that came to 0 after decades is drawn at the foot.
  const isLog = 0 <= low && isLogarithmic(above);
  if (isLog) low = above[0];
  const room = isLog ? 0 : 0.03 * (high - low || Math.abs(high) || 1);
  return [low - room, high + room, isLog];
}

/** Whether a metric gets larger as training goes on. */
function goesUp(metric, of) {
  const rises = of.map((row) => Math.sign((metric.mean[row].at(-1) ?? 0) - (metric.mean[row][0] ?? 0)));
  return rises.reduce((sum, rise) => sum + rise, 0) > 0;
}

function spreadBand(metric, row, points) {
  const spread = metric.spread[row];
  const whole = (side) => points(row, (mean, index) => mean + side * (spread[index] ?? 0)).filter((point) => point !== null && point.every(Number.isFinite));
  return between(whole(1), whole(-1));
}

/** Names at the ends of lines. */
function endLabels(lines, points, plot) {
  const told = differing(lines);
  const labels = lines.slice(0, 14).map((row) => {
    const end = points(row).findLast((point) => point !== null);
    return { row, x: end[0], y: Math.min(plot.bottom, Math.max(plot.top, end[1])) };
  });
  return apart(labels, 15, plot.top, plot.bottom).map(({ row, x, y, at }) =>
    s(
      "g",
      { class: `label ${colors.of(row)}` },
      s("path", { d: `M${x + 2} ${y.toFixed(1)}L${plot.right + 10} ${at.toFixed(1)}`, class: "leader" }),
      s("text", { x: plot.right + 14, y: at + 4 }, `${rankText(row) === ABSENT ? "" : `${board.rank[row]}. `}${clipped(description(row, told), 28)}`),
    ),
  );
}

/** One path for every colour, the best on top: hundreds of lines are a handful of elements. */
function bundles(placed) {
  const paths = new Map(colors.classes.map((name) => [name, ""]));
  for (const [row, points] of [...placed].toReversed()) paths.set(colors.of(row), paths.get(colors.of(row)) + through(points));
  const drawn = [...paths].filter(([, d]) => d);
  return drawn.map(([name, d]) => s("path", { d, class: `bundle ${name}`, "stroke-opacity": seeThrough(placed.size).toFixed(2) }));
}

function nearestCurve(placed, x, y) {
  let [found, least] = [null, 12];
  for (const [row, all] of placed) {
    const next = all.findIndex((point) => point !== null && x <= point[0]);
    const [before, after] = [all[next - 1], all[next]];
    if (!before || !after) continue;
    const share = (x - before[0]) / (after[0] - before[0] || 1);
    const distance = Math.abs(before[1] + share * (after[1] - before[1]) - y);
    if (distance < least) [found, least] = [row, distance];
  }
  return found;
}
