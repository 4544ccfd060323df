// A small chart in SVG: axes, ticks, and whatever is drawn between them.
// A widget that uses this names "../_js/chart.js" among its files.

/** An SVG element with attributes and children. */
function mark(tag, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

/** The least of 1, 2, 5 times a power of ten that is no less than `value`. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) * power;
}

/** A scale from [least, most] to [start, end] in pixels; with `log`, of the logarithm. */
function scale({ least, most, log = false }, start, end) {
  const f = log ? Math.log : (value) => value;
  const [from, to] = [f(least), f(most)];
  return (value) => start + ((f(value) - from) / (to - from)) * (end - start);
}

/** Multiples of 1, 2 or 5 times a power of ten within a range, and the decimals they need. */
function ticksOf({ least, most }, count) {
  const step = roundUp((most - least) / count);
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { value, text: formatNumber(value, digits) };
  });
}

/** Powers of ten within a range; every second or third where all would be a crowd. */
function decadeTicks({ least, most }, count) {
  const first = Math.ceil(Math.log10(least) - 1e-9);
  const last = Math.floor(Math.log10(most) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const ticks = [];
  for (let power = first; power <= last; power += stride) {
    const text = ["1", "10", "100", "1,000"][power] ?? `10${"⁰¹²³⁴⁵⁶⁷⁸⁹"[power]}`;
    ticks.push({ value: 10 ** power, text });
  }
  return ticks;
}

/** A path through points given by two functions of an index. */
function pathOf(count, x, y) {
  let path = "";
  for (let i = 0; i < count; i++) path += `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(i).toFixed(1)}`;
  return path;
}

/** An area between two lines over the same x. */
function bandOf(count, x, low, high) {
  if (!count) return "";
  const back = (i) => count - 1 - i;
  const under = pathOf(count, (i) => x(back(i)), (i) => low(back(i)));
  return `${pathOf(count, x, high)}L${under.slice(1)}Z`;
}

/**
 * @param {string} extra  a class
 * @param {(frame: object) => Node[]} paint  what is drawn: at every new size, and in the next
 *     frame after draw(), once however often it was called
 */
function chart(extra, paint) {
  const svg = mark("svg", { "aria-hidden": "true" });
  const el = h("div", { class: `vaelab-chart ${extra}` }, svg);
  let size = null;
  let frame = null;
  function drawNow() {
    cancelAnimationFrame(frame);
    frame = null;
    if (size) svg.replaceChildren(...paint(size));
  }
  const draw = () => (frame ??= requestAnimationFrame(drawNow));
  const observer = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = el;
    if (!width || !height) return; // not shown yet
    size = { width, height, em: parseFloat(getComputedStyle(svg).fontSize) };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawNow();
  });
  observer.observe(el);
  const stop = () => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  };
  return { el, draw, stop };
}

/** Where a chart's marks go, with its axes drawn: `x` and `y` are ranges with `ticks` and `name`. */
function axes({ width, height, em }, x, y) {
  const box = { left: 4 * em, right: width - 1.6 * em, top: 2 * em, bottom: height - 3.1 * em };
  const place = { x: scale(x, box.left, box.right), y: scale(y, box.bottom, box.top) };
  const text = (at, down, words, anchor) => mark("text", { x: at, y: down, "text-anchor": anchor }, words);
  const parts = [
    ...x.ticks.flatMap(({ value, text: words }) => [
      mark("path", { class: "grid", d: `M${place.x(value).toFixed(1)} ${box.top}V${box.bottom}` }),
      text(place.x(value), box.bottom + 1.3 * em, words, "middle"),
    ]),
    ...y.ticks.flatMap(({ value, text: words }) => [
      mark("path", { class: "grid", d: `M${box.left} ${place.y(value).toFixed(1)}H${box.right}` }),
      text(box.left - 0.5 * em, place.y(value) + 0.35 * em, words, "end"),
    ]),
    text(box.right, box.bottom + 2.7 * em, x.name, "end"),
    text(0, 1.1 * em, y.name, "start"),
  ];
  return { ...place, ...box, em, parts };
}
