// Every trial: its seed, what it came to, how long that took, and where its log is.

function trialsTable() {
  if (rows.length === 0) return null;
  let shown = PAGE;
  const body = h("tbody");
  const more = h("p", { class: "more" });
  const head = ["trial", "rank", "seed", sweep.objective.metric, "state", "steps", "time", "log", "configuration"];
  const numbers = new Set(["trial", "rank", "seed", sweep.objective.metric, "steps", "time"]);

  function draw() {
    const all = selected.flatMap((row) => board.trials[row].map((trial) => [row, trial]));
    body.replaceChildren(...all.slice(0, shown).map(([row, trial]) => trialRow(row, trial)));
    const rest = all.length - shown;
    const next = Math.min(rest, 200);
    more.replaceChildren(
      `${count(Math.min(shown, all.length))} of ${plural(all.length, "trial")}, those of the best configuration first. `,
      ...(rest > 0 ? [h("button", { type: "button", onclick: () => ((shown += next), draw()) }, `Show ${count(next)} more`)] : []),
    );
  }

  draw();
  when("settled", draw);
  const header = h("tr", {}, head.map((name) => h("th", { scope: "col", class: numbers.has(name) ? "number" : "" }, name)));
  return section(
    "trials",
    "Trials",
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Trials" }, h("table", {}, h("thead", {}, header), body)),
    more,
    h("p", { class: "dim" }, "Time is that of all attempts at a trial, stages that it shares with others included."),
  );
}

function trialRow(row, [trial, seed, objective, status, steps, milliseconds, attempt]) {
  const number = (content) => h("td", { class: "number" }, content);
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "number" }, String(trial)),
    number(rankText(row)),
    number(seed),
    number(objective === null ? ABSENT : short(objective, 6)),
    h("td", {}, status),
    number(steps ? count(steps) : ""),
    number(attempt === null ? "" : duration(milliseconds)),
    h("td", {}, logLink(trial, attempt)),
    h("td", {}, clipped(description(row), 90)),
  );
}

/** A link, if the logs lie beside the page; what shows the log otherwise. */
function logLink(trial, attempt) {
  if (attempt === null) return "";
  if (sweep.attempts !== null) return h("a", { href: `${sweep.attempts}/${attempt}/log`, title: `pleach logs ${sweep.name} ${trial}` }, "log");
  return h("code", {}, `pleach logs ${sweep.name} ${trial}`);
}
