// Thousands of lines, on a canvas: a frame draws as many as it has time for, and all are there once nothing moves.

/** So many lines are drawn in one frame. */
const AT_ONCE = 400;

/** Colours of classes as a canvas takes them, those of the page as it is shown now. */
const inks = new Map();
const inkwell = h("i", { hidden: true, style: "color: var(--c)" });

function ink(name) {
  if (!inks.has(name)) {
    inkwell.className = name;
    inks.set(name, getComputedStyle(inkwell).color);
  }
  return inks.get(name);
}

function recolor() {
  inks.clear();
  redraws.forEach((redraw) => redraw());
}

function printing(is) {
  isPrinting = is;
  document.documentElement.style.colorScheme = is ? "light" : "";
  recolor();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
addEventListener("beforeprint", () => printing(true));
addEventListener("afterprint", () => printing(false));

/** A sheet to draw lines on: `trace(pen, row)` makes a row's path, `color(row)` is the class of its colour. */
function sheet(width, height, trace, color, opacity) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  let shown = [];
  const showAll = atRest(() => isPrinting || fill(shown));

  /** Shows the lines of these rows, the first ones on top: some of them now, all when they stay. */
  function show(of) {
    shown = of;
    const pen = penOn(canvas);
    const few = isPrinting ? of : evenly(of, AT_ONCE);
    stroke(pen, few, opacity(few.length));
    if (few.length < of.length) showAll();
  }
  /** Draws all of them out of sight, in as many frames as it takes. */
  function fill(of) {
    const behind = h("canvas");
    const pen = penOn(behind);
    let end = of.length;
    const next = () => {
      if (of !== shown) return;
      const start = Math.max(0, end - AT_ONCE);
      stroke(pen, of.slice(start, end), opacity(of.length));
      end = start;
      if (0 < end) requestAnimationFrame(next);
      else penOn(canvas).drawImage(behind, 0, 0, width, height);
    };
    next();
  }
  function penOn(canvas) {
    // Of what is wider than this browsers draw nothing.
    const fineness = Math.min(isPrinting ? 3 : Math.min(2, devicePixelRatio), 16000 / width);
    [canvas.width, canvas.height] = [width * fineness, height * fineness];
    const pen = canvas.getContext("2d");
    pen.scale(fineness, fineness);
    return pen;
  }
  function stroke(pen, of, opacity) {
    pen.globalAlpha = opacity;
    pen.lineWidth = 1;
    for (const row of of.toReversed()) {
      pen.strokeStyle = ink(color(row));
      pen.beginPath();
      trace(pen, row);
      pen.stroke();
    }
  }
  return { canvas, show };
}

/** Lines that are many let each other through. */
function seeThrough(lines) {
  return Math.min(1, Math.max(0.25, 8 / Math.sqrt(lines + 1)));
}
