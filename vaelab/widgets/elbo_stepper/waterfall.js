// Every piece as a bar that begins where the one before it ended. log p(x) is a dashed line that
// never moves: the scale changes about it, in round steps, and in a drag it only grows.

const TRUTH_AT = 0.6; // of the width
const LEAST_SPAN = 5; // nats
const ROWS = 6; // at most: five pieces and their sum

/** Nats from end to end, such that every bar ends in the picture; 0 may be beyond its edge. */
const spanOf = ({ below, above }) => roundUp(Math.max(LEAST_SPAN, below / TRUTH_AT, above / (1 - TRUTH_AT)));

function axisOf(logMarginal, span) {
  const range = { least: logMarginal - TRUTH_AT * span, most: logMarginal + (1 - TRUTH_AT) * span };
  return { place: scale(range, 0, 1), ticks: ticksOf(range, 5) };
}

/** The rows below each other: pieces, their sum, and what a bound leaves out. */
function rowsOf(step, terms) {
  const { bars, sum } = barsOf(step, terms);
  const rows = bars.map((bar, i) => ({ ...bar, sign: i || bar.sign < 0 ? (bar.sign < 0 ? "−" : "+") : "" }));
  const total = { sign: "=", from: 0, to: sum, adds: sum, look: "sum", symbol: step.isBound ? "ELBO(q)" : "log p(x)" };
  rows.push(total);
  if (step.isBound) {
    rows.push({ sign: "", symbol: "left out: KL(q ‖ p(z | x))", look: "left-out", from: sum, to: sum + terms.toPosterior, adds: terms.toPosterior });
  }
  return rows;
}

function waterfall() {
  const rows = Array.from({ length: ROWS }, () => {
    const parts = { sign: h("span", { class: "vaelab-sign" }), symbol: h("span"), value: h("data"), bar: h("i") };
    const track = h("span", { class: "vaelab-track", "aria-hidden": "true" }, parts.bar);
    const el = h("div", { hidden: true }, h("dt", {}, parts.sign, parts.symbol), h("dd", {}, parts.value, track));
    return { ...parts, el };
  });
  const truth = h("p", { class: "vaelab-truth" });
  const ticks = h("p", { class: "vaelab-ticks", "aria-hidden": "true" });
  const list = h("dl", {}, rows.map((row) => row.el));
  const el = h("div", { class: "vaelab-waterfall", style: `--truth: ${TRUTH_AT}` }, truth, list, ticks);
  let span = 0;
  let spoken = null; // the step whose symbols stand there
  let marked = null; // what the axis shows

  function showRow(row, shown, place, isLast) {
    row.el.hidden = !shown;
    if (!shown) return;
    const [from, to] = [place(shown.from), place(shown.to)];
    const [least, most] = [Math.min(from, to), Math.min(1, Math.max(from, to))];
    const looks = ["row", shown.look, to < from && "leftwards", from > 1 && "from-beyond", isLast && "last"];
    row.el.className = looks.filter(Boolean).map((look) => `vaelab-${look}`).join(" ");
    row.el.style.cssText = `--least: ${least.toFixed(5)}; --length: ${(most - least).toFixed(5)}; --to: ${to.toFixed(5)}`;
    row.value.value = `${shown.adds}`;
    row.value.textContent = signed(shown.adds);
  }
  function showAxis({ logMarginal }) {
    const axis = `${logMarginal} ${span}`;
    if (axis === marked) return;
    marked = axis;
    const { place, ticks: marks } = axisOf(logMarginal, span);
    el.style.setProperty("--zero", Math.min(2, place(0)).toFixed(5)); // 2: out of sight
    truth.textContent = `log p(x) = ${formatNumber(logMarginal, 3)}`;
    ticks.replaceChildren(
      ...marks.map(({ value, text }) => h("span", { style: `--at: ${place(value).toFixed(5)}` }, text)),
    );
  }
  /** @param {boolean} held  whether q is being dragged, when the scale must not shrink */
  function show({ step, terms, held }) {
    const needed = spanOf(reachOf(terms));
    span = held ? Math.max(span, needed) : needed;
    const { place } = axisOf(terms.logMarginal, span);
    const shown = rowsOf(step, terms);
    rows.forEach((row, i) => {
      showRow(row, shown[i], place, i === shown.length - 1);
      if (spoken === step || !shown[i]) return;
      row.sign.textContent = shown[i].sign;
      row.symbol.replaceChildren(...symbols(shown[i].symbol));
    });
    spoken = step;
    showAxis(terms);
  }
  return { el, show };
}

const signed = (value) => {
  const text = formatNumber(value, 3);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
};
