// Building the page. Texts become text nodes: nothing that comes from a sweep is ever read as markup.

/** An HTML element. Attributes that begin with `on` are listeners; one that is true is empty, one that is null or false is left out. */
function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, of SVG. */
function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A part of the page under its heading. */
function section(id, title, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), ...children);
}

/** On paper everything is light, drawn at once, and as wide as a page. */
let isPrinting = false;

const PAPER = 700;

/** What draws again everything that is drawn to a width. */
const redraws = [];

/** A place that is drawn to its width, and again when that or what it shows changes: `draw(width)` returns its content. */
function drawing(kind, draw) {
  const place = h("div", { class: `drawing ${kind}` });
  const redraw = () => place.clientWidth && place.replaceChildren(...[draw(isPrinting ? PAPER : place.clientWidth)].flat());
  redraws.push(redraw);
  let width = 0;
  new ResizeObserver(() => {
    if (place.clientWidth === width || isPrinting) return;
    width = place.clientWidth;
    // Not within the observer, which would be told of what is drawn.
    setTimeout(redraw);
  }).observe(place);
  return { place, redraw };
}

/** A labelled choice; `choose` gets the value chosen. */
function choice(label, options, chosen, choose) {
  const option = ([value, text]) => h("option", { value, selected: value === chosen }, text);
  const select = h("select", { onchange: () => choose(select.value) }, options.map(option));
  return h("label", { class: "choice" }, label, " ", select);
}

/** A path element through points; a point that is null begins a new line. */
function line(points, attributes) {
  return s("path", { d: through(points), fill: "none", ...attributes });
}

function through(points) {
  let d = "";
  let isDown = false;
  for (const point of points) {
    if (point) d += `${isDown ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    isDown = point !== null;
  }
  return d;
}

/** The closed outline between two lines. */
function between(upper, lower) {
  return upper.length < 2 ? "" : `${through([...upper, ...lower.toReversed()])}Z`;
}

/** Calls something once before the next picture is shown, however often it is asked for. */
function once(call) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      call();
    });
  };
}

/** Calls something when it has not been asked for it again for a moment. */
function atRest(call) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, 120);
  };
}

/** What is said beside the pointer. */
const tip = h("div", { id: "tip", role: "status", hidden: true });

function tell(event, ...content) {
  tip.hidden = !event;
  if (!event) return;
  tip.replaceChildren(...content);
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const isLow = innerHeight < event.clientY + tip.offsetHeight + 24;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${isLow ? event.clientY - tip.offsetHeight - 12 : event.clientY + 16}px`;
}
