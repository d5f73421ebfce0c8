// What went wrong, the sweep file, and how to do it again.

function failures() {
  const { failures, name } = sweep;
  if (failures.length === 0) return null;
  const row = ({ why, attempts, trials, lost, example }) =>
    h("tr", {}, h("th", { scope: "row" }, why), h("td", { class: "number" }, count(attempts)), h("td", { class: "number" }, count(trials)), h("td", { class: "number" }, lost ? count(lost) : ""), h("td", {}, h("code", {}, `pleach logs ${name} ${example}`)));
  const head = ["what happened", "attempts", "trials", "failed for good", "see"];
  return section(
    "failures",
    "What went wrong",
    h("p", {}, "Attempts that ended badly, those that ended alike together. What ran again and ended well is not lost."),
    h("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Failures" }, h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, failures.map(row)))),
  );
}

function file() {
  const lines = sweep.text.replace(/\n$/, "").split("\n");
  const code = h("pre", { tabindex: 0 }, h("code", {}, lines.flatMap((line) => [...highlightedToml(line), "\n"])));
  return section("file", "The sweep file", h("p", { class: "dim" }, `${sweep.file}, revision ${sweep.revision}`), lines.length > 60 ? h("details", {}, h("summary", {}, plural(lines.length, "line")), code) : code);
}

/** Tables, keys, texts and comments of one line of TOML, enough to read it by. */
function highlightedToml(line) {
  const parts = line.matchAll(/(?<comment>#.*$)|(?<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?<table>^\s*\[\[?[\w.\-"]+\]\]?)|(?<key>[\w.-]+(?=\s*=))|(?<rest>[^#"'\w[]+|[\w.-]+|.)/g);
  return [...parts].map(({ groups }) => {
    const [kind, text] = Object.entries(groups).find(([, text]) => text !== undefined);
    return kind === "rest" ? text : h("span", { class: `toml-${kind}` }, text);
  });
}

function reproduce() {
  const { name, version, program, numerics, accepted, made, made_by } = sweep;
  const fact = (what, told) => [h("dt", {}, what), h("dd", {}, told)];
  return section(
    "again",
    "How to do it again",
    h("p", {}, `Save the file above as ${name}.toml, then`),
    h("pre", {}, h("code", {}, `pleach run ${name}.toml\npleach report ${name}`)),
    h("p", {}, sweep.is_exact
      ? "The same file, with the same program and the same numerics, gives the same results to the last bit, on however many cores and however often it is interrupted."
      : "The same file tries the same configurations with the same seeds. How near the results come is up to the program: it does not promise equal ones to the last bit."),
    h(
      "dl",
      { class: "facts" },
      made_by.length === 0 && fact("program", program),
      fact("numerics", numerics),
      fact("accepted", moment(accepted)),
      fact("this page", `pleach ${version}, ${moment(made)}`),
    ),
    made_by.map(({ since, facts, difference }, index) => [
      h("h3", {}, index === 0 ? "What it ran with" : `From ${moment(since)} on`),
      h("dl", { class: "facts" }, facts.map(([what, told]) => fact(what, told))),
      difference && h("details", { open: differenceIsShort(difference) }, h("summary", {}, "Changes of the code that were not committed"), h("pre", { tabindex: 0 }, h("code", {}, difference))),
    ]),
  );
}

function differenceIsShort(difference) {
  return difference.split("\n").length <= 40;
}
