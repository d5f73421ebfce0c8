// The frame of a line chart: round ticks, a grid as faint as it can be, the unit beside the axis.

/**
 * Returns the scales `x` and `y` of a chart of this width and height, and `frame`, to be drawn below its lines.
 * `domain` has `x` and `y`, each `[low, high, isLog]`.
 */
function chart(width, height, domain, names, margin) {
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom];
  const x = scale(domain.x[0], domain.x[1], left, right, domain.x[2]);
  const y = scale(domain.y[0], domain.y[1], bottom, top, domain.y[2]);
  const across = x.ticks(Math.max(2, Math.floor((right - left) / 110)));
  const up = y.ticks(Math.max(2, Math.floor((bottom - top) / 60)));
  const frame = s(
    "g",
    { class: "frame" },
    up.map((tick) => s("path", { d: `M${left} ${y(tick).toFixed(1)}H${right}`, class: "grid" })),
    up.map((tick) => s("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, short(tick))),
    s("path", { d: `M${left} ${bottom}H${right}`, class: "axis" }),
    across.map((tick) => s("path", { d: `M${x(tick).toFixed(1)} ${bottom}v5`, class: "axis" })),
    across.map((tick) => s("text", { x: x(tick), y: bottom + 19, "text-anchor": "middle" }, count(Number(short(tick, 6))))),
    s("text", { x: right, y: bottom + 34, "text-anchor": "end", class: "unit" }, names.x),
    s("text", { x: 0, y: 12, class: "unit" }, names.y),
  );
  return { x, y, frame, left, right, top, bottom };
}

/** Moves labels apart that would lie over each other: `{ y, … }`, between `top` and `bottom`. */
function apart(labels, gap, top, bottom) {
  const sorted = labels.toSorted((a, b) => a.y - b.y);
  let above = top - gap;
  for (const label of sorted) above = label.at = Math.max(label.y, above + gap);
  let below = bottom + gap;
  for (const label of sorted.toReversed()) below = label.at = Math.min(label.at, below - gap);
  return sorted;
}

let clips = 0;

/** Hides what of its children lies outside of a chart. */
function clippedTo({ left, right, top, bottom }, ...children) {
  const id = `clip-${(clips += 1)}`;
  const area = s("rect", { x: left, y: top - 2, width: right - left + 2, height: bottom - top + 4 });
  return s("g", { "clip-path": `url(#${id})` }, s("clipPath", { id }, area), children);
}
