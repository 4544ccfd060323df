// Two stacked bars that end at log p(x): ELBO + KL, and the bound of K draws + what is left.

/** The range of the axis: as far below log p(x) as the gap asks for, in round steps. */
function barRange(logMarginal, kl) {
  const span = roundUp(Math.max(0.5, 1.25 * kl));
  return { least: logMarginal - span, most: logMarginal + 0.12 * span };
}

function paintBars({ width, height, em }, { logMarginal, elbo, kl, bounds, k }) {
  const range = barRange(logMarginal, kl);
  const [left, right] = [0.3 * em, width - 0.3 * em];
  const place = scale(range, left, right);
  const x = (value) => clamp(place(value), left, right);
  const bar = (name, from, to, y) =>
    mark("rect", { class: name, x: from.toFixed(1), y, width: Math.max(0, to - from).toFixed(1), height: 1.6 * em });
  const text = (at, y, words, anchor, extra = "") => mark("text", { x: at, y, "text-anchor": anchor, class: extra }, words);
  const [first, second, bottom] = [3.5 * em, 7.4 * em, height - 2 * em];
  const chosen = bounds.find((bound) => bound.k === k);
  const truth = x(logMarginal);
  const dots = bounds.map((bound) =>
    mark("circle", { class: bound.k === k ? "chosen" : "other", cx: x(bound.bound).toFixed(1), cy: second + 0.8 * em, r: bound.k === k ? 5 : 2.5 }),
  );
  const [low, high] = [-2, 2].map((times) => x(chosen.bound + times * chosen.error).toFixed(1));
  return [
    ...ticksOf(range, Math.max(3, Math.min(6, width / (6 * em)))).flatMap(({ value, text: words }) => [
      mark("path", { class: "grid", d: `M${place(value).toFixed(1)} ${2.2 * em}V${bottom}` }),
      text(clamp(place(value), left + 1.5 * em, right - 1.5 * em), bottom + 1.3 * em, words, "middle"),
    ]),
    text(left, first - 0.45 * em, `ELBO ${formatNumber(elbo)} + KL ${formatNumber(kl)} = ${formatNumber(logMarginal)}`, "start", "words"),
    bar("elbo", left, x(elbo), first),
    bar("gap", x(elbo), truth, first),
    text(left, second - 0.45 * em, `L with K = ${k}: ${formatNumber(chosen.bound)}, and ${formatNumber(logMarginal - chosen.bound)} short`, "start", "words"),
    bar("bound", left, x(chosen.bound), second),
    bar("rest", x(chosen.bound), truth, second),
    mark("path", { class: "whisker", d: `M${low} ${second + 0.8 * em}H${high}` }),
    ...dots,
    mark("path", { class: "truth", d: `M${truth.toFixed(1)} ${1.6 * em}V${bottom}` }),
    text(Math.min(truth + 2 * em, right), 1.1 * em, `log p(x) = ${formatNumber(logMarginal)} nats`, "end", "truth"),
  ];
}

function barsChart() {
  let shown = null;
  const drawn = chart("vaelab-bars", (size) => (shown ? paintBars(size, shown) : []));
  const show = (values) => {
    shown = values;
    drawn.draw();
  };
  return { el: drawn.el, show, stop: drawn.stop };
}
