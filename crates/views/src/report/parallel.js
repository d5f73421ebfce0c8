// Parallel coordinates: every configuration a line through its values; dragging along an axis filters everything.

const LANES = { height: 380, top: 54, bottom: 34, side: 70, least: 118 };

/** Values that are few are bands, in which lines lie side by side, the best on top. */
const BAND = 44;

function parallel() {
  if (axes.length < 2 || rows.length < 2) return null;
  const { place, redraw } = drawing("parallel", (width) => draw(Math.max(width, 2 * LANES.side + LANES.least * (axes.length - 1))));
  let follow = () => {};
  let repaint = () => {};
  let emphasise = () => {};

  function draw(width) {
    const x = scale(0, axes.length - 1, LANES.side, width - LANES.side);
    const lanes = axes.map((axis, index) => lane(axis, x(index)));
    const trace = (pen, row) => traced(pen, lanes, row);
    const all = sheet(width, LANES.height, trace, () => "faint", () => 1);
    const lines = sheet(width, LANES.height, trace, (row) => colors.of(row), seeThrough);
    const strong = s("g", { fill: "none" });
    const picture = s("svg", { viewBox: `0 0 ${width} ${LANES.height}`, width, height: LANES.height, role: "group", "aria-label": "Parallel coordinates" });
    follow = () => {
      lines.show(selected);
      lanes.forEach((lane) => lane.showFilter());
    };
    repaint = () => {
      all.show(rows);
      follow();
      emphasise();
    };
    emphasise = () => {
      const path = (row) => [s("path", { d: curveThrough(lanes, row), class: "halo" }), s("path", { d: curveThrough(lanes, row), class: `strong ${colors.of(row)}` })];
      strong.replaceChildren(...highlighted().flatMap(path));
    };
    picture.append(strong, ...lanes.map((lane) => lane.element));
    picture.addEventListener("pointermove", (event) => {
      if (event.buttons) return;
      const row = nearestLine(lanes, x, event.offsetX, event.offsetY);
      hover(row);
      tell(row === null ? null : event, ...(row === null ? [] : card(row)));
    });
    picture.addEventListener("pointerleave", () => (hover(null), tell(null)));
    picture.addEventListener("click", (event) => {
      const row = nearestLine(lanes, x, event.offsetX, event.offsetY);
      if (row !== null && !event.defaultPrevented) pin(row);
    });
    repaint();
    return h("div", { class: "layers", style: `width: ${width}px` }, all.canvas, lines.canvas, picture);
  }

  when("selection", () => follow());
  when("color", () => repaint());
  when("highlight", () => emphasise());
  return section(
    "parameters",
    "What the parameters did",
    h("p", {}, "Each line is a configuration. ", h("span", { class: "screen" }, "Drag along an axis, or choose one of its values, to filter everything on this page.")),
    h("div", { class: "wide" }, place),
  );
}

function traced(pen, lanes, row) {
  pen.moveTo(lanes[0].x, lanes[0].of[row]);
  for (let index = 1; index < lanes.length; index += 1) {
    const [before, here] = [lanes[index - 1], lanes[index]];
    const middle = (before.x + here.x) / 2;
    pen.bezierCurveTo(middle, before.of[row], middle, here.of[row], here.x, here.of[row]);
  }
}

function curveThrough(lanes, row) {
  let d = `M${lanes[0].x.toFixed(1)} ${lanes[0].of[row].toFixed(1)}`;
  for (let index = 1; index < lanes.length; index += 1) {
    const [before, here] = [lanes[index - 1], lanes[index]];
    const middle = ((before.x + here.x) / 2).toFixed(1);
    d += `C${middle} ${before.of[row].toFixed(1)} ${middle} ${here.of[row].toFixed(1)} ${here.x.toFixed(1)} ${here.of[row].toFixed(1)}`;
  }
  return d;
}

/** The selected line that passes nearest to a point, if one is near. */
function nearestLine(lanes, x, left, top) {
  const index = Math.floor(x.invert(left));
  if (index < 0 || lanes.length - 1 <= index) return null;
  const [before, here] = [lanes[index], lanes[index + 1]];
  const share = (left - before.x) / (here.x - before.x);
  // Where a curve is at this place: x = 1.5 t (1 - t) + t³ between two axes, y = 3 t² - 2 t³.
  let [low, high] = [0, 1];
  for (let turn = 0; turn < 20; turn += 1) {
    const t = (low + high) / 2;
    if (1.5 * t * (1 - t) + t ** 3 < share) low = t;
    else high = t;
  }
  const rise = 3 * low ** 2 - 2 * low ** 3;
  let [found, least] = [null, 8];
  for (const row of selected) {
    const distance = Math.abs(before.of[row] + rise * (here.of[row] - before.of[row]) - top);
    if (distance < least) [found, least] = [row, distance];
  }
  return found;
}

/** One axis: where every configuration crosses it, its ticks, and its brush. */
function lane(axis, x) {
  const { height, top, bottom } = LANES;
  const foot = height - bottom;
  const low = axis.hasAbsent ? foot - 34 : foot;
  const at = axis.isNumber ? scale(axis.low, axis.high, low, top, axis.isLog) : ordinal(axis.values, top, low);
  const of = placed(axis, at, foot);
  const brush = s("rect", { class: "brush", x: x - 9, width: 18, rx: 4 });
  const ground = s("rect", { class: "ground", x: x - 22, width: 44, y: top - 12, height: foot - top + 24 });
  const title = s("text", { x, y: 18, "text-anchor": "middle", class: "title" }, clipped(axis.name, 16));
  const marks = axis.isNumber && !axis.isFew ? at.ticks(5).map((tick) => tickMark(at(tick), axis.shown(tick))) : valueMarks();
  if (axis.hasAbsent) marks.push(valueMark(null, foot, axis === outcome ? "none" : ABSENT));
  const element = s("g", { class: "lane", tabindex: 0, role: "group", "aria-label": `${axis.name}: drag, or use the arrow keys, to filter` }, s("path", { d: `M${x} ${top}V${low}`, class: "axis" }), ground, marks, brush, title);

  function tickMark(y, text) {
    return s("g", {}, s("path", { d: `M${x - 4} ${y}h8`, class: "axis" }), s("text", { x: x + 8, y: y + 4, class: "tick" }, text));
  }
  function valueMarks() {
    return axis.values.map((value) => valueMark(value, at(value), clipped(axis.brief(value), 18)));
  }
  function valueMark(value, y, text) {
    const mark = tickMark(y, text);
    const toggle = (event) => (event.preventDefault(), event.stopPropagation(), toggleValue(axis, value));
    Object.entries({ tabindex: 0, role: "button", class: "value", "aria-label": `${axis.name} ${text}` }).forEach(([name, to]) => mark.setAttribute(name, to));
    mark.addEventListener("click", toggle);
    mark.addEventListener("pointerdown", (event) => event.stopPropagation());
    mark.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && toggle(event));
    return mark;
  }
  function showFilter() {
    const filter = filters.get(axis.name);
    const isRange = filter && !filter.values;
    const [from, to] = isRange ? [at(Math.min(filter.high, axis.high)), at(Math.max(filter.low, axis.low))] : [0, 0];
    brush.setAttribute("y", Math.min(from, to) - 3);
    brush.setAttribute("height", isRange ? Math.abs(to - from) + 6 : 0);
    element.classList.toggle("filtered", Boolean(filter));
    element.querySelectorAll(".value").forEach((mark, index) => {
      const value = index < axis.values.length && axis.isFew ? axis.values[index] : null;
      mark.setAttribute("aria-pressed", Boolean(filter?.values?.has(value)));
    });
  }
  /** Filters by what lies between two heights. */
  function filterBetween(one, other) {
    const [upper, lower] = [Math.min(one, other), Math.max(one, other)];
    if (axis.isNumber && !axis.isFew) {
      filterBy(axis, lower < top || low < upper ? null : { low: at.invert(Math.min(lower, low)), high: at.invert(Math.max(upper, top)) });
      return;
    }
    const inside = (y) => upper - 4 <= y && y <= lower + 4;
    const values = axis.values.filter((value) => inside(at(value)));
    if (axis.hasAbsent && inside(foot)) values.push(null);
    filterBy(axis, values.length ? { values: new Set(values) } : null);
  }
  brushed(element, ground, filterBetween, () => filterBy(axis, null));
  element.addEventListener("keydown", (event) => {
    if (event.target !== element) return;
    if (event.key === "Escape") filterBy(axis, null);
    else if (["ArrowUp", "ArrowDown"].includes(event.key)) (event.preventDefault(), moveFilter(axis, event.key === "ArrowUp" ? 1 : -1));
  });
  return { x, of, element, showFilter };
}

/** A drag over an axis; a click that does not move takes the filter away. */
function brushed(element, ground, between, clear) {
  let start = null;
  const height = (event) => event.clientY - ground.ownerSVGElement.getBoundingClientRect().top;
  ground.addEventListener("pointerdown", (event) => {
    ground.setPointerCapture(event.pointerId);
    start = height(event);
  });
  ground.addEventListener("pointermove", (event) => {
    if (start !== null && 3 < Math.abs(height(event) - start)) (tell(null), between(start, height(event)));
  });
  ground.addEventListener("pointerup", (event) => {
    if (start !== null && Math.abs(height(event) - start) <= 3) clear();
    start = null;
  });
  ground.addEventListener("click", (event) => event.preventDefault());
}

/** Moves a filter by a step, for the keyboard: through the values, or by a fifth of the axis. */
function moveFilter(axis, direction) {
  const filter = filters.get(axis.name);
  if (axis.isFew) {
    const way = axis.isNumber ? direction : -direction;
    const now = axis.values.findIndex((value) => filter?.values?.has(value));
    const next = now < 0 ? (way < 0 ? axis.values.length - 1 : 0) : (now + way + axis.values.length) % axis.values.length;
    return filterBy(axis, { values: new Set([axis.values[next]]) });
  }
  const at = scale(axis.low, axis.high, 0, 5, axis.isLog);
  const now = filter ? Math.round(at(filter.low)) : direction < 0 ? 5 : -1;
  const next = Math.min(4, Math.max(0, now + direction));
  return filterBy(axis, { low: at.invert(next), high: at.invert(next + 1) });
}

function ordinal(values, top, low) {
  return (value) => (values.length === 1 ? (top + low) / 2 : top + (values.indexOf(value) / (values.length - 1)) * (low - top));
}

/** Where each configuration crosses an axis: in a band around its value if many share that. */
function placed(axis, at, foot) {
  const groups = Map.groupBy(rows, (row) => axis.of(row));
  const places = new Float64Array(rows.length);
  const band = Math.min(BAND, (0.6 * (LANES.height - LANES.top - LANES.bottom)) / axis.values.length);
  for (const [value, group] of groups) {
    const middle = value === null ? foot : at(value);
    const room = axis.isFew && axis !== outcome ? Math.min(value === null ? 16 : band, 1.5 * (group.length - 1)) : 0;
    group.forEach((row, index) => {
      places[row] = middle + (group.length === 1 ? 0 : room * (index / (group.length - 1) - 0.5));
    });
  }
  return places;
}

/** A text that is too long without its middle: it may differ from others at either end. */
function clipped(text, length) {
  if (text.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - end)}…${text.slice(text.length - end)}`;
}
