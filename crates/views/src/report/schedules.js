// Every schedule, drawn in multiples of its peak.

const CARD = { width: 220, height: 92, page: 24 };

function schedules() {
  const { drawn, more, missing } = sweep.schedules;
  if (missing !== null) return section("schedules", "Schedules", h("p", { class: "dim" }, `They cannot be drawn: ${missing}`));
  if (drawn.length === 0) return null;
  let shown = CARD.page;
  const list = h("ul", { class: "cards" });
  const rest = h("p", { class: "more" });

  function draw() {
    list.replaceChildren(...drawn.slice(0, shown).map(scheduleCard));
    const hidden = drawn.length - shown;
    rest.replaceChildren(
      ...(hidden > 0 ? [h("button", { type: "button", onclick: () => ((shown += 4 * CARD.page), draw()) }, `Show ${count(Math.min(hidden, 4 * CARD.page))} more`)] : []),
      more > 0 && hidden <= 0 ? `${plural(more, "schedule")} that did worse are not drawn.` : "",
    );
  }

  draw();
  ["settled", "color"].forEach((what) => when(what, draw));
  return section("schedules", "Schedules", h("p", {}, "Each at the peak at which it did best, the best first."), list, rest);
}

function scheduleCard(schedule) {
  const of = schedule.rows.filter((row) => isSelected[row]);
  const best = of[0] ?? schedule.rows[0];
  const isTied = best === 0 || (board.difference_interval[best] && board.difference_interval[best][0] <= 0 && 0 <= board.difference_interval[best][1]);
  const peak = axisNamed("peak");
  return h(
    "li",
    { class: of.length ? "" : "out" },
    h("h3", {}, schedule.name, h("small", {}, ` ${clipped(schedule.profile, 60)}`)),
    schedulePicture(schedule, colors.of(best)),
    h("p", {}, board.mean[best] === null ? board.state[best] : h("b", {}, meanText(best)), ` rank ${rankText(best)}`, isTied && h("span", { class: "tied", title: "cannot be told from the first" }, " ≈ first")),
    h("p", { class: "dim" }, peak && peak.of(best) !== null ? `at peak ${peak.text(best)} of ${plural(schedule.rows.length, "configuration")}; ` : "", schedule.facts),
  );
}

function schedulePicture({ x, y, steps, lowest, name }, color) {
  const { width, height } = CARD;
  const [left, right, top, bottom] = [30, width - 6, 10, height - 18];
  const high = Math.max(1e-12, ...y);
  const low = Math.min(0, ...y);
  const at = scale(low, high, bottom, top);
  const along = scale(0, steps, left, right);
  const points = x.map((step, index) => (y[index] === null ? null : [along(step), at(y[index])]));
  const ground = points.filter(Boolean).map(([left]) => [left, at(0)]);
  return s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: color, role: "img", "aria-label": `${name} over ${steps} steps` },
    s("path", { d: `M${left} ${at(0)}H${right}`, class: "axis" }),
    s("path", { d: `M${left} ${at(high)}h-4M${left} ${at(0)}h-4`, class: "axis" }),
    s("text", { x: left - 6, y: at(high) + 4, "text-anchor": "end" }, short(high, 2)),
    s("text", { x: left - 6, y: at(0) + 4, "text-anchor": "end" }, "0"),
    s("text", { x: right, y: bottom + 14, "text-anchor": "end" }, plural(steps, "step")),
    s("path", { d: between(points.filter(Boolean), ground), class: "area" }),
    lowest !== null && line(points.map((point, index) => point && [point[0], at(y[index] * lowest)]), { class: "lowest" }),
    line(points, { class: "curve" }),
  );
}

const icons = new Map(sweep.schedules.drawn.flatMap((schedule) => schedule.rows.map((row) => [row, schedule])));

/** A schedule's line beside its name. */
function scheduleIcon(row) {
  const schedule = icons.get(row);
  if (!schedule) return null;
  const { x, y, steps } = schedule;
  const at = scale(Math.min(0, ...y), Math.max(1e-12, ...y), 14, 2);
  const along = scale(0, steps, 1, 33);
  return s("svg", { width: 34, height: 16, class: "icon", "aria-hidden": "true" }, line(x.map((step, index) => (y[index] === null ? null : [along(step), at(y[index])])), {}));
}
