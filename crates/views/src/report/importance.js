// How much each parameter matters: bars, over all configurations and inside of each branch.

function importance() {
  if (!sweep.importance.length) return null;
  return section(
    "importance",
    "What matters",
    h("div", { class: "parts wide" }, sweep.importance.map(importanceCard)),
    h("p", { class: "dim" }, `Shares of the variance of ${sweep.objective.metric} between configurations that a parameter explains by itself (full) and together with others (light), which overlap; ± their spread over the trees of a forest (functional ANOVA).`),
  );
}

function importanceCard({ branch, configurations, left_out, shares }) {
  const title = branch ? `inside of ${branch[0]} ${branch[1]}` : "over everything";
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`;
  const bar = ({ alone, with_others }) =>
    s(
      "svg",
      { width: 150, height: 14, "aria-hidden": "true" },
      s("rect", { class: "light", width: 150 * with_others, height: 14 }),
      s("rect", { width: 150 * alone, height: 14 }),
    );
  const row = (share) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, share.name),
      h("td", {}, bar(share)),
      h("td", { class: "number" }, `${percent(share.alone)} ± ${percent(share.alone_spread)}`),
      h("td", { class: "number" }, percent(share.with_others)),
    );
  const head = ["parameter", "", "alone", "with others"].map((name) => h("th", { scope: "col" }, name));
  const without = left_out ? `, ${left_out} without a result left out` : "";
  return h(
    "article",
    {},
    h("h3", {}, title),
    h("p", { class: "dim" }, `${plural(configurations, "configuration")}${without}`),
    h("table", { class: "importance" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, shares.map(row))),
  );
}
