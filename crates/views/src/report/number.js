// Numbers as people read them, and the scales of axes.

/** With so many digits after the point; very small and very large ones with an exponent. */
function number(value, decimals) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || 1e7 <= size)) return value.toExponential(3).replace("e+", "e");
  return value.toFixed(decimals);
}

/** Digits after the point that show two significant ones of a spread. */
function decimals(spread) {
  return 0 < spread ? Math.min(Math.max(1 - Math.floor(Math.log10(spread)), 2), 6) : 4;
}

/** `0.9754 ± 0.0011`. */
function withSpread(mean, spread) {
  if (spread === null) return number(mean, 4);
  const text = number(mean, decimals(spread));
  return text.includes("e") ? `${text} ± ${spread.toExponential(1).replace("e+", "e")}` : `${text} ± ${spread.toFixed(decimals(spread))}`;
}

function signed(value, decimals) {
  const text = value !== 0 && Math.abs(value) < 1e-6 ? value.toExponential(1) : value.toFixed(decimals);
  return value < 0 ? text.replace("-", "−") : `+${text}`;
}

/** With at most so many significant digits, none of them idle. */
function short(value, digits = 4) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || 1e6 <= size)) {
    return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(value.toPrecision(digits)));
}

/** Thousands apart: `100 000`. */
function count(whole) {
  return String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

function plural(whole, thing) {
  return `${count(whole)} ${thing}${whole === 1 ? "" : "s"}`;
}

function percent(share) {
  if (share <= 0) return "";
  return share < 0.01 ? "<1 %" : `${Math.round(100 * share)} %`;
}

/** `45 s`, `1 min 20 s`, `3 h 05 min`. */
function duration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  const two = (whole) => String(whole).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  return hours < 1 ? `${minutes} min ${two(seconds % 60)} s` : `${count(hours)} h ${two(minutes % 60)} min`;
}

/** `2026-11-25 04:31 UTC`. */
function moment(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Round numbers from `low` to `high`, about so many. */
function ticks(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((factor) => rough <= factor * unit * (1 + 1e-9)) ?? 10) * unit;
  const found = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + 1e-9 * step && found.length < 50; index += 1) {
    found.push(index * step);
  }
  return found;
}

/** Powers of ten, with halves and fifths where there is room for them. */
function logTicks(low, high, about) {
  const decades = Math.log10(high / low);
  if (decades < 0.7) return ticks(low, high, about);
  const factors = decades * 3 <= about + 1 ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / (about + 1));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1e-9; power += 1) {
    if (power % every === 0) found.push(...factors.map((factor) => factor * 10 ** power));
  }
  return found.filter((tick) => low * (1 - 1e-9) <= tick && tick <= high * (1 + 1e-9));
}

/** Takes values between `low` and `high` to places between `from` and `to`. */
function scale(low, high, from, to, isLog = false) {
  const [into, back] = isLog ? [Math.log, Math.exp] : [Number, Number];
  const [start, span] = [into(low), into(high) - into(low)];
  const at = (value) => (span === 0 ? (from + to) / 2 : from + ((into(value) - start) / span) * (to - from));
  at.invert = (place) => back(start + ((place - from) / (to - from)) * span);
  at.ticks = (about) => (span === 0 ? [low] : isLog ? logTicks(low, high, about) : ticks(low, high, about));
  return at;
}

/** Whether numbers belong on a logarithmic axis: all positive, over two decades, or over one if they lie more evenly there. */
function isLogarithmic(sorted) {
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (!(0 < low && 10 * low <= high)) return false;
  if (100 * low <= high) return true;
  const middle = sorted[Math.floor(sorted.length / 2)];
  const place = (value) => Math.abs(value - 0.5);
  return place(Math.log(middle / low) / Math.log(high / low)) < place((middle - low) / (high - low));
}

/** The lowest and the highest of any number of numbers. */
function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  return [low, high];
}

/** The number below which lies such a share of them. */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))];
}
