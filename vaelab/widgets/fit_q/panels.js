// The choices, and the parts that show numbers and say what they mean.

const TARGET_WORDS = { banana: "banana", modes: "two modes", tilted: "tilted" };
const FAMILY_WORDS = { diagonal: "diagonal", rotated: "may rotate" };
const NOT_YET = "–";
const range = (least, most, step) =>
  Array.from({ length: Math.round((most - least) / step) + 1 }, (_, i) => rounded(least + i * step));

function choices(change) {
  const segments = (legend, words, key) =>
    radioGroup({
      legend,
      values: Object.keys(words),
      content: (value) => h("span", {}, words[value]),
      onChange: (value) => change(key, value),
      class: "vaelab-segments",
    });
  const several = (key, label, symbol, values, marks, show = (value) => formatNumber(value)) =>
    slider({ label, symbol, values, marks, show, onChange: (value) => change(key, value) });
  const means = range(-MOST_MEAN, MOST_MEAN, 0.1);
  const scales = range(LEAST_SCALE, MOST_SCALE, 0.05);
  const count = (value) => formatNumber(value, Number.isInteger(value) ? 0 : 1);
  const rows = {
    target: segments("The posterior", TARGET_WORDS, "target"),
    family: segments("q’s covariance", FAMILY_WORDS, "family"),
    draws: several("draws", "Draws under the logarithm", "K", BOUND_KS, BOUND_KS, String),
    mean1: several("mean1", "Mean along z₁", "m₁", means, [-4, 0, 4], count),
    mean2: several("mean2", "Mean along z₂", "m₂", means, [-4, 0, 4], count),
    scale1: several("scale1", "First deviation", "s₁", scales, [0.05, 1, 2, 3]),
    scale2: several("scale2", "Second deviation", "s₂", scales, [0.05, 1, 2, 3]),
    angle: several("angle", "Rotation", "θ", range(-90, 90, 5), [-90, 0, 90], (value) => `${count(value)}°`),
  };
  const set = (state) => {
    for (const [key, row] of Object.entries(rows)) row.set(state[key]);
  };
  const pick = (...keys) => keys.map((key) => rows[key].el);
  return {
    setting: pick("target", "family", "draws"),
    shape: pick("mean1", "mean2", "scale1", "scale2", "angle"),
    set,
  };
}

function figuresPanel() {
  const { el, cells } = numberList(
    [
      ["kl", "KL(q ‖ posterior)", "nats: the gap, your score"],
      ["best", "Your best by hand", ""],
      ["ascent", "Gradient ascent", ""],
      ["elbo", "ELBO", "nats, exact"],
      ["exact", "log p(x)", "nats, exact"],
      ["bound", "Bound of K draws", ""],
    ],
    "vaelab-figures",
  );
  const setMaybe = (cell, value) => {
    if (value !== undefined) setNumber(cell, value, 3);
    else [cell.value, cell.textContent] = ["", NOT_YET];
  };
  function show({ target, measured, chosen, best, helped, family, climb }) {
    setNumber(cells.kl.value, measured.kl, 3);
    setMaybe(cells.best.value, best);
    const counted = family === "rotated" ? "nats, rotation allowed" : "nats, without rotation";
    cells.best.note.textContent = helped ? `${counted}; counts again after Back` : counted;
    setMaybe(cells.ascent.value, climb?.kl);
    cells.ascent.note.textContent = climb ? `nats, after ${climb.steps} ${climb.steps === 1 ? "step" : "steps"}` : "not tried from here";
    setNumber(cells.elbo.value, measured.elbo);
    setNumber(cells.exact.value, target.logMarginal);
    setNumber(cells.bound.value, chosen.bound);
    const error = chosen.error.toFixed(chosen.error < 0.1 ? 3 : 2);
    cells.bound.note.textContent = `nats ± ${error} s.e., K = ${chosen.k}`;
  }
  return { el, show };
}

const percent = (share) => (share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`);

/** What the gap is worth, and where gradient ascent has come to. */
function verdict({ target, q, measured, climb, best }) {
  const worth = `With a gap of ${formatNumber(measured.kl, 3)} nats, exp(ELBO) is ${percent(Math.exp(-measured.kl))} of p(x).`;
  if (!climb || climb.left) return worth;
  if (climb.running) return `${worth} Gradient ascent is at step ${climb.steps}.`;
  const from = `Gradient ascent went from ${formatNumber(climb.from, 3)} to ${formatNumber(climb.kl, 3)} nats`;
  if (!climb.stuck) return `${worth} ${from} and was stopped.`;
  const beaten = best !== undefined && best < climb.kl - 5e-4 ? " You have done better by hand." : "";
  return `${worth} ${from}, and no step raises the ELBO any more.${modeWords(target, q)}${beaten}`;
}

/** What it costs to sit on one of two modes, if q does. */
function modeWords(target, q) {
  if (!target.split) return "";
  const apart = Math.abs(target.split[0] * q.mean[0] + target.split[1] * q.mean[1]);
  if (apart < 3 * steepnessOf(target, q)) return "";
  const share = target.share(...q.mean);
  return ` It sits on the mode with ${percent(share)} of the posterior; ${formatNumber(-Math.log(share), 3)} nats of the gap are the other mode.`;
}
