// The tree: what trials train in common, from the first step to the last; a line for each way through it.

const BRANCH = { line: 17, top: 34, left: 8, right: 250, most: 560 };

function tree() {
  const { stages, lines, steps, more, trained, alone } = sweep.tree;
  const isShared = stages.some((stage) => stage.trials > 1);
  if (!isShared) return null;
  const { place, redraw } = drawing("tree", draw);
  const steps_of = (number) => count(number);

  function draw(width) {
    const right = width - (width < 640 ? 90 : BRANCH.right);
    const height = BRANCH.top + lines * BRANCH.line + 8;
    const x = scale(0, steps, BRANCH.left, right);
    const y = (line) => BRANCH.top + (line + 0.5) * BRANCH.line;
    const ticks = x.ticks(Math.max(2, Math.floor(right / 140))).map((tick) => [
      s("path", { d: `M${x(tick)} ${BRANCH.top - 8}V${height - 8}`, class: "grid" }),
      s("text", { x: x(tick), y: 16, "text-anchor": tick === 0 ? "start" : "middle" }, count(Math.round(tick))),
    ]);
    const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "Trials that share their training" }, ticks, s("text", { x: right + 12, y: 16, class: "unit" }, "steps"));
    const forks = stages.flatMap((stage) => stage.below.slice(1).map((line) => s("path", { d: `M${x(stage.end)} ${y(stage.line)}V${y(line)}`, class: "fork" })));
    picture.append(...forks, ...stages.toReversed().map((stage) => branch(stage, x, y)), ...stages.filter((stage) => stage.ending.length).map((stage) => ending(stage, x, y, right, width)));
    return picture;
  }

  function branch(stage, x, y) {
    const color = stage.status === "done" && stage.best !== null ? colorOfBest(stage.best) : stage.status;
    const path = s("path", { d: `M${x(stage.first)} ${y(stage.line)}H${x(stage.end)}`, class: `branch ${color}`, "stroke-width": (2 + Math.log2(stage.trials)).toFixed(1) });
    path.addEventListener("pointermove", (event) => tell(event, `steps ${steps_of(stage.first)} to ${steps_of(stage.end)}, ${plural(stage.trials, "trial")}`, stage.best === null ? "" : `, the best of them ${short(stage.best, 5)}`));
    path.addEventListener("pointerleave", () => tell(null));
    return path;
  }

  function ending(stage, x, y, right, width) {
    const [trial, row] = stage.ending[0];
    const isLast = stage.below.length === 0;
    const others = stage.ending.length > 1 ? ` and ${stage.ending.length - 1} more` : "";
    const said = stage.best === null ? stage.status : short(stage.best, 4);
    const text = s("text", { x: isLast ? right + 12 : x(stage.end) + 4, y: y(stage.line) + (isLast ? 4 : -4) }, said, s("tspan", { class: "dim", dx: 8 }, row === null || width < 640 ? `trial ${trial}${others}` : clipped(description(row), 30)));
    if (row !== null) {
      text.addEventListener("pointermove", (event) => (hover(row), tell(event, ...card(row), h("br"), `trial ${trial}${others}`)));
      text.addEventListener("pointerleave", () => (hover(null), tell(null)));
      text.addEventListener("click", () => pin(row));
    }
    return text;
  }

  when("color", redraw);
  return section(
    "tree",
    "What trials share",
    h("p", {}, `${plural(trained, "step")} instead of ${count(alone)}: what trials have in common is trained once. The deeper the colour, the better the best trial through it; the thicker, the more trials.`),
    h("div", { class: "tall" }, place),
    more > 0 && h("p", { class: "dim" }, `${plural(more, "trial")} more are not drawn.`),
  );
}

/** By the place of a trial's number among the means of all configurations. */
function colorOfBest(best) {
  const means = rows.map((row) => board.mean[row]).filter((mean) => mean !== null);
  const worse = means.filter((mean) => (isHigherBetter ? mean < best : best < mean)).length;
  return `v${Math.min(STEPS - 1, Math.floor((worse / Math.max(1, means.length)) * STEPS))}`;
}
