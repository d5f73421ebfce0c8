// What came out, in a few words and numbers.

function summary() {
  const { name, trials, running, made, started, changed, notes } = sweep;
  const all = Object.values(trials).reduce((sum, number) => sum + number, 0);
  const when = changed === null ? moment(sweep.accepted) : moment(changed);
  return h(
    "header",
    { id: "summary" },
    h("h1", {}, name),
    h("p", { class: "lead" }, finding()),
    h("dl", { class: "figures" }, figures(all)),
    notes.length > 0 && h("ul", { class: "notes" }, notes.map((note) => h("li", {}, note))),
    running > 0 && h("p", { class: "notes" }, `${plural(running, "trial")} ran when this page was made, ${moment(made)}.`),
    h("p", { class: "dim" }, `Last result ${when}${started === null ? "" : `, ${duration(changed - started)} after the first began`}.`),
  );
}

/** The winner, and how sure that is. */
function finding() {
  if (rows.length === 0 || board.mean[0] === null) return "No configuration has a result yet.";
  const [mean, interval, ranks] = [board.mean[0], board.interval[0], board.ranks[0]];
  const digits = decimals(board.spread[0]);
  const sure = interval ? ` (95 % interval ${number(interval[0], digits)} to ${number(interval[1], digits)})` : "";
  const others = ranks ? ranks[1] - 1 : 0;
  const told = [
    h("b", {}, description(0)),
    rows.length === 1 ? " came to " : " did best: ",
    `${sweep.objective.metric} `,
    h("b", {}, number(mean, digits)),
    `${sure}. `,
  ];
  if (others > 0) told.push(`Its seeds cannot tell it from ${others === 1 ? "the next one" : `the next ${count(others)}`}.`);
  else if (ranks && rows.length > 1) told.push("It is better than every other, at 95 % each.");
  return told;
}

function figures(all) {
  const { trials, tree } = sweep;
  const ended = all - (trials.waiting ?? 0);
  const seeds = Math.max(0, extent(board.trials.map((trials) => trials.length))[1]);
  const bad = ["diverged", "failed", "stopped"].filter((status) => trials[status]);
  const figure = (value, what, more) => h("div", {}, h("dd", {}, value), h("dt", {}, what, more && h("small", {}, more)));
  return [
    rows.length > 0 && board.mean[0] !== null && figure(number(board.mean[0], decimals(board.spread[0])), `best ${sweep.objective.metric}`),
    figure(count(rows.length), rows.length === 1 ? "configuration" : "configurations", `${plural(seeds, "seed")} each`),
    figure(ended === all ? count(all) : `${count(ended)} of ${count(all)}`, "trials ended", bad.map((status) => `${count(trials[status])} ${status}`).join(", ")),
    tree.stages.length > 0 && tree.trained > 0 && 1.05 <= tree.alone / tree.trained && figure(`${(tree.alone / tree.trained).toFixed(1)}×`, "less training", "by sharing what trials have in common"),
  ];
}
