// The page: its sections in order, and the bar above them. A section is one function that returns an element, or null
// if there is nothing to show.

const SECTIONS = [summary, leaderboard, importance, parallel, curves, heat, schedules, tree, trialsTable, failures, file, reproduce];

/** Says what is chosen, and lets go of it. */
function bar(titles) {
  const chosen = h("span", { class: "chosen", "aria-live": "polite" });
  const legend = h("span", { class: "legend" });
  const names = axes.map((axis) => [axis.name, axis.name]);

  function chip(text, remove) {
    return h("button", { type: "button", class: "chip", title: "Take this away", onclick: remove }, text, h("span", { "aria-hidden": "true" }, " ×"));
  }
  function drawChosen() {
    const words = options.get("text");
    chosen.replaceChildren(
      ...[...filters].map(([name, filter]) => chip(`${name}: ${filterText(axisNamed(name), filter)}`, () => filterBy(axisNamed(name), null))),
      ...(words ? [chip(`“${words}”`, () => ((document.querySelector("input[type=search]").value = ""), choose("text", "")))] : []),
      ...[...pinned].map((row) => chip(`pinned: ${clipped(description(row), 32)}`, () => pin(row))),
      selected.length < rows.length ? ` ${count(selected.length)} of ${plural(rows.length, "configuration")}` : "",
    );
  }
  function drawLegend() {
    const { axis, ends } = colors;
    const swatch = (name) => h("i", { class: `swatch ${name}` });
    if (ends) {
      const shades = Array.from({ length: STEPS }, (_, index) => swatch(`v${index}`));
      legend.replaceChildren(axis.shown(ends[0], 3), " ", h("span", { class: "ramp" }, shades), " ", axis.shown(ends[1], 3));
    } else {
      const shown = axis.values.slice(0, KINDS);
      const key = (value, index) => h("button", { type: "button", class: "key", title: `Only ${value}, or not only`, onclick: () => toggleValue(axis, value) }, swatch(`k${index}`), clipped(axis.brief(value), 24));
      legend.replaceChildren(...shown.map(key), ...(axis.values.length > KINDS ? [`and ${axis.values.length - KINDS} others`] : []));
    }
  }

  drawChosen();
  drawLegend();
  ["selection", "highlight"].forEach((what) => when(what, drawChosen));
  when("color", drawLegend);
  return h(
    "nav",
    { id: "bar", "aria-label": "This page" },
    h("p", { class: "links" }, titles.map(([id, title]) => h("a", { href: `#${id}`, onclick: (event) => jump(event, id) }, title))),
    h("p", {}, choice("colour", names, colors.axis.name, (name) => colorBy(axisNamed(name))), legend),
    h("p", { class: "choices" }, chosen),
  );
}

/** Links lead to a section without taking what is chosen out of the address. */
function jump(event, id) {
  event.preventDefault();
  const title = document.getElementById(`${id}-title`);
  title.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion)").matches ? "auto" : "smooth" });
  title.setAttribute("tabindex", -1);
  title.focus({ preventScroll: true });
}

function show() {
  document.body.append(inkwell);
  recall();
  document.title = `${sweep.name} · pleach`;
  const [head, ...sections] = SECTIONS.map((draw) => draw()).filter(Boolean);
  const titles = sections.map((section) => [section.id, section.querySelector("h2").textContent]);
  document.body.append(head, bar(titles), h("main", {}, sections), h("footer", {}, `Made by pleach ${sweep.version}, ${moment(sweep.made)}.`), tip);
  addEventListener("hashchange", () => location.reload());
}

show();
