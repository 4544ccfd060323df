// Two small charts: lines in a stretched SVG, words in the page's own text, whose size stays.

const LEAST_SECONDS = -9; // log10, of the chart of times
const MOST_SECONDS = 20;
const MOST_PIXELS = 6; // log10

function svg(tag, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

/** A place in the chart, from 0 to 1 each way, up being more. */
function at(x, y) {
  return `--x: ${x.toFixed(4)}; --y: ${y.toFixed(4)}`;
}

function linePath(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(5)} ${(1 - y).toFixed(5)}`).join("");
}

/**
 * @param {[number, string][]} xTicks  places from 0 to 1 with their words; `yTicks` as well
 * @param {string} label  what a screen reader says the chart is
 */
function chartFrame({ xTicks, yTicks, xName, yName, label, extra }) {
  const grid = [
    ...xTicks.map(([x]) => `M${x} 0V1`),
    ...yTicks.map(([y]) => `M0 ${1 - y}H1`),
  ];
  const lines = svg("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none" });
  lines.append(svg("path", { class: "grid", d: grid.join("") }));
  const words = [
    ...xTicks.map(([x, text]) => h("span", { class: "vaelab-x-tick", style: at(x, 0) }, text)),
    ...yTicks.map(([y, text]) => h("span", { class: "vaelab-y-tick", style: at(0, y) }, text)),
    h("span", { class: "vaelab-x-name" }, xName),
    h("span", { class: "vaelab-y-name" }, yName),
  ];
  const area = h("div", { class: "vaelab-area" }, lines, words);
  return { el: h("div", { class: `vaelab-frame ${extra}`, role: "img", "aria-label": label }, area), area, lines };
}

const clamped = (value) => Math.min(1, Math.max(0, value));

/** Time against the number of pixels, for each way to sum; both on logarithms. */
function timeChart() {
  const y = (log10) => (log10 - LEAST_SECONDS) / (MOST_SECONDS - LEAST_SECONDS);
  const x = (pixels) => Math.log10(pixels) / MOST_PIXELS;
  const { el, area, lines } = chartFrame({
    xTicks: [1, 10, 100, 1000, 10_000, 100_000].map((n, i) => [x(n), i % 2 ? "" : n.toLocaleString("en")]),
    yTicks: [
      [y(-6), "1\u00a0µs"],
      [y(0), "1\u00a0s"],
      [y(Math.log10(YEAR)), "1\u00a0year"],
      [y(LOG10_UNIVERSE), "age of universe"],
    ],
    xName: "pixels →",
    yName: "↑ time for Z",
    label: "Time for Z against the number of pixels",
    extra: "vaelab-times",
  });
  const all = [1, 2, 3, 5, 10, 20, 40, 60, 80, 100, 120, 1e6];
  const ways = {
    pictures: { points: all, name: "every picture" },
    rows: { points: Array.from({ length: 90 }, (_, i) => (i + 1) ** 2), name: "grid, by rows" },
    chain: { points: [1, 1e6], name: "chain" },
  };
  const now = h("div", { class: "vaelab-now" });
  area.append(now);
  for (const [key, way] of Object.entries(ways)) {
    way.path = svg("path", { class: key });
    way.mark = h("span", { class: `vaelab-mark ${key}`, hidden: true });
    way.label = h("span", { class: `vaelab-way ${key}` }, way.name);
  }
  for (const part of ["path", "label", "mark"]) {
    (part === "path" ? lines : area).append(...Object.values(ways).map((way) => way[part]));
  }

  function setRates(rates) {
    for (const [key, way] of Object.entries(ways)) {
      const line = way.points.map((pixels) => [x(pixels), y(log10Seconds(pixels, rates)[key])]);
      way.path.setAttribute("d", linePath(line.map(([px, py]) => [px, Math.min(py, 40)])));
    }
  }
  function show(pixels, log10s) {
    now.style = at(x(pixels), 0);
    if (!log10s) return;
    for (const [key, { mark }] of Object.entries(ways)) {
      const beyond = y(log10s[key]) > 1;
      mark.hidden = false;
      mark.style = at(x(pixels), clamped(y(log10s[key])));
      mark.classList.toggle("beyond", beyond);
    }
    const said = Object.entries(ways).map(([key, { name }]) => `${name}: ${spoken(formatDuration(log10s[key]))}`);
    el.setAttribute("aria-label", `Time for Z against the number of pixels. At ${pixels}, ${said.join("; ")}.`);
  }
  return { el, setRates, show };
}

/** The share of Z that is there after each picture, up to the one that is shown and beyond. */
function sumChart() {
  const { el, area, lines } = chartFrame({
    xTicks: [],
    yTicks: [0, 0.5, 1].map((share) => [share, `${100 * share}%`]),
    xName: "",
    yName: "↑ share of Z",
    label: "Share of Z through each picture",
    extra: "vaelab-shares",
  });
  const ahead = svg("path", { class: "ahead" });
  const behind = svg("path", { class: "behind" });
  const past = svg("svg", { class: "past", viewBox: "0 0 1 1", preserveAspectRatio: "none" }, behind);
  const mark = h("span", { class: "vaelab-mark behind" });
  lines.append(ahead, svg("path", { class: "truth", d: "M0 0H1" }));
  area.append(past, h("span", { class: "vaelab-truth" }, "Z, by rows"), mark);

  function setSum({ added, blocks }, exact) {
    const line = linePath(Array.from(added, (sum, i) => [i / blocks, sum / exact]));
    ahead.setAttribute("d", line);
    behind.setAttribute("d", line);
  }
  function show(part, share) {
    el.style.setProperty("--part", part.toFixed(5));
    mark.style = at(part, share);
    el.setAttribute("aria-label", `Share of Z through each picture; through this one ${(100 * share).toFixed(1)}%.`);
  }
  return { el, setSum, show };
}
