// The rate-distortion plot. Geometry first, as plain functions; then the drawing.

/** Rate on log(1 + rate), distortion on a logarithm: the corner near zero rate gets room. */
function plotGeometry(points, width, height, em) {
  const margin = { left: 2.3 * em, right: 3.9 * em, top: 2.3 * em, bottom: 3.4 * em };
  const rates = points.map((point) => point.rate);
  const distortions = points.map((point) => point.distortion);
  const most = Math.log1p(Math.max(...rates) * 1.15);
  const low = Math.log(Math.min(...distortions) * 0.9);
  const high = Math.log(Math.max(...distortions) * 1.06);
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  const x = (rate) => margin.left + (Math.log1p(rate) / most) * (right - margin.left);
  const y = (distortion) => bottom - ((Math.log(distortion) - low) / (high - low)) * (bottom - margin.top);
  return {
    x,
    y,
    em,
    right,
    bottom,
    left: margin.left,
    top: margin.top,
    xTicks: [0, 1, 2, 5, 10, 20, 50].filter((tick) => Math.log1p(tick) <= most),
    yTicks: [2, 5, 10, 15, 20, 25, 50].filter((t) => Math.log(t) >= low && Math.log(t) <= high),
    /** All pairs whose ELBO is this one: rate + distortion is the same along the line. */
    sameElbo(elbo) {
      const line = [];
      for (let i = 0; i <= 80; i++) {
        const rate = Math.expm1((i / 80) * most);
        const distortion = -elbo - rate;
        if (distortion > Math.exp(low)) line.push([x(rate), y(distortion)]);
      }
      return line;
    },
  };
}

function pathThrough(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function s(tag, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

function drawAxes(g) {
  const text = (x, y, label, anchor) => s("text", { x, y, "text-anchor": anchor, class: "axis" }, label);
  return [
    ...g.xTicks.flatMap((tick) => [
      s("line", { x1: g.x(tick), x2: g.x(tick), y1: g.top, y2: g.bottom, class: "grid" }),
      text(g.x(tick), g.bottom + 1.3 * g.em, tick, "middle"),
    ]),
    ...g.yTicks.flatMap((tick) => [
      s("line", { x1: g.left, x2: g.right, y1: g.y(tick), y2: g.y(tick), class: "grid" }),
      text(g.left - 0.5 * g.em, g.y(tick) + 0.35 * g.em, tick, "end"),
    ]),
    text(g.right, g.bottom + 2.8 * g.em, "rate, nats \u2192", "end"),
    text(0, 1.1 * g.em, "\u2191 distortion, nats", "start"),
  ];
}

/**
 * @param {object[]} points  with beta, latent_dim, rate, distortion and elbo
 * @param {(point: object) => void} onPick  told the point nearest to a click
 */
function ratePlot(points, onPick) {
  const svg = s("svg", { role: "img" });
  const el = h("div", { class: "vaelab-plot" }, svg);
  const dims = [...new Set(points.map((point) => point.latent_dim))];
  let geometry;
  let chosen = [{ letter: "A", figures: points[0] }];
  let drawn; // parts that move with the choice

  function drawCurve(dim) {
    const at = (point) => [geometry.x(point.rate), geometry.y(point.distortion)];
    const row = points.filter((point) => point.latent_dim === dim);
    const [endX, endY] = at(row[0]); // smallest beta: the far end of the curve
    return s(
      "g",
      { class: "curve" },
      s("path", { d: pathThrough(row.map(at)) }),
      ...row.map((point) => s("circle", { cx: at(point)[0], cy: at(point)[1], r: 3 })),
      s("text", { x: endX + 0.8 * geometry.em, y: endY + 0.35 * geometry.em }, `d = ${dim}`),
    );
  }
  /** What belongs to one setting: its place, and the line of all pairs with the same ELBO. */
  function drawMarks(letter) {
    const bound = s("path", { class: "same-elbo" });
    const label = s("text", { class: "same-elbo", "text-anchor": "end" });
    const name = s("text", { class: "letter", "text-anchor": "middle", y: -1.1 * geometry.em }, letter);
    const ring = s("g", { class: "ring" }, s("circle", { r: 9 }), s("circle", { r: 4.5 }), name);
    return { bound, label, name, ring, el: s("g", { class: `marks-${letter.toLowerCase()}` }, bound, label, ring) };
  }
  function draw() {
    const { clientWidth: width, clientHeight: height } = el;
    if (!width || !height) return; // not shown yet
    geometry = plotGeometry(points, width, height, parseFloat(getComputedStyle(svg).fontSize));
    const curves = dims.map(drawCurve);
    const marks = Object.fromEntries(LETTERS.map((letter) => [letter, drawMarks(letter)]));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(...drawAxes(geometry), ...curves, ...LETTERS.map((letter) => marks[letter].el));
    drawn = { curves, marks };
    update(chosen);
  }
  function place({ bound, label, name, ring }, figures, above) {
    const line = geometry.sameElbo(figures.elbo);
    const [endX, endY] = line.at(-1); // down here the line is steep, and nothing lies left of it
    bound.setAttribute("d", pathThrough(line));
    label.setAttribute("x", endX - 8);
    label.setAttribute("y", chosen.length > 1 ? geometry.bottom - (0.4 + 1.4 * above) * geometry.em : endY - 4);
    label.textContent = `${chosen.length > 1 ? `${name.textContent}: ` : ""}ELBO ${formatNumber(figures.elbo)}`;
    name.style.display = chosen.length > 1 ? "" : "none";
    const [x, y] = [geometry.x(figures.rate), geometry.y(figures.distortion)];
    ring.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** @param {{letter: string, figures: object}[]} settings  one or two */
  function update(settings) {
    chosen = settings;
    const said = settings.map(({ letter, figures }) => {
      const who = settings.length > 1 ? `${letter} is` : "Now";
      return `${who} at rate ${formatNumber(figures.rate)} and distortion ${formatNumber(figures.distortion)} nats.`;
    });
    svg.setAttribute("aria-label", `Rate-distortion curves, one for each latent dimension. ${said.join(" ")}`);
    if (!drawn) return;
    drawn.curves.forEach((curve, i) => {
      const letters = settings.filter(({ figures }) => figures.latent_dim === dims[i]).map(({ letter }) => letter);
      curve.classList.toggle("chosen", letters.length > 0);
      curve.classList.toggle("marks-b", letters[0] === "B");
    });
    for (const letter of LETTERS) {
      const setting = settings.find((one) => one.letter === letter);
      drawn.marks[letter].el.style.display = setting ? "" : "none";
      if (setting) place(drawn.marks[letter], setting.figures, letter === "A" ? 1 : 0);
    }
  }

  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const distance = (point) => {
      const across = geometry.x(point.rate) - (event.clientX - box.x);
      const down = geometry.y(point.distortion) - (event.clientY - box.y);
      // Where curves lie on top of each other, stay on the one chosen.
      return Math.hypot(across, down) - (chosen.some(({ figures }) => figures.latent_dim === point.latent_dim) ? 2 : 0);
    };
    const nearest = points.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    if (distance(nearest) < 24) onPick(nearest);
  });
  const observer = new ResizeObserver(draw);
  observer.observe(el);
  return { el, update, stop: () => observer.disconnect() };
}
