// The choices, and the parts that say what a step does.

const MODEL_WORDS = { digit: "a digit", linear: "linear" };
const MODEL_NOTES = {
  digit: "The chapter’s decoder with one latent, at its digit. Every integral is over a line.",
  linear: "One pixel: x | z is a Gaussian around z. So is the posterior, and all is in closed form.",
};
const MEANS = Array.from({ length: 61 }, (_, i) => rounded((i - 30) / 10));
const SCALES = [
  0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2,
  1.4, 1.6, 1.8, 2,
];

function choices(change, changeOften) {
  const model = radioGroup({
    legend: "The model",
    values: Object.keys(MODEL_WORDS),
    content: (value) => h("span", {}, MODEL_WORDS[value]),
    onChange: (value) => change({ model: value }),
    class: "vaelab-segments",
  });
  const step = radioGroup({
    legend: "The derivation’s step",
    values: STEPS.map((_, i) => i + 1),
    content: (value) => h("span", {}, `${value}`),
    describe: (value) => `Step ${value}: ${STEPS[value - 1].title}`,
    onChange: (value) => change({ step: value }),
    class: "vaelab-segments",
  });
  const mean = slider({
    label: "Mean of q",
    symbol: "m",
    values: MEANS,
    marks: [-3, 0, 3],
    show: (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
    onChange: (value) => changeOften({ mean: value }),
  });
  const deviation = slider({
    label: "Deviation",
    symbol: "s",
    values: SCALES,
    marks: [0.05, 0.3, 2],
    show: (value) => formatNumber(value, 2),
    onChange: (value) => changeOften({ scale: value }),
  });
  const set = (state) => {
    model.set(state.model);
    step.set(state.step);
    mean.set(state.mean);
    deviation.set(state.scale);
  };
  return { model: model.el, step: step.el, shape: [mean.el, deviation.el], set };
}

/** The picture that the model is seen at, or its pixel in words. */
function seenPanel() {
  const picture = tile();
  const pixel = h("span");
  const note = h("p", { class: "vaelab-unit" });
  const el = h("div", { class: "vaelab-seen" }, picture, pixel, note);
  let shown;
  function show(name, { image }, x) {
    if (name === shown) return;
    shown = name;
    note.textContent = MODEL_NOTES[name];
    picture.hidden = !image;
    pixel.textContent = image ? "" : `x = ${x}`;
    if (image) paint(picture, image);
  }
  return { el, show };
}

/** A step in words and symbols. */
function stepPanel() {
  const title = h("p", { class: "vaelab-step-title" });
  const words = h("p", { class: "vaelab-words" });
  const line = h("span");
  const el = h("div", { class: "vaelab-step" }, title, h("p", { class: "vaelab-line" }, line), words);
  let shown;
  function show(step) {
    if (step === shown) return;
    shown = step;
    title.textContent = `${step}. ${STEPS[step - 1].title}`;
    line.replaceChildren(...symbols(STEPS[step - 1].line));
    words.textContent = STEPS[step - 1].words;
  }
  return { el, show };
}

/** How far the sum of the pieces is from log p(x), here and wherever q has been. */
function checkLine() {
  const off = h("data");
  const rest = h("span");
  const el = h("p", { class: "vaelab-check" }, "", off, rest);
  let worst = 0;
  let tried = new Set();
  function show({ step, off: now, key }) {
    tried.add(key);
    worst = Math.max(worst, Math.abs(now));
    off.value = `${now}`;
    off.textContent = formatNumber(now, 10);
    el.firstChild.data = STEPS[step - 1].isBound ? "ELBO(q) + what is left out − log p(x) = " : "Sum of the pieces − log p(x) = ";
    const count = tried.size === 1 ? "one q" : `${tried.size} q`;
    rest.textContent = ` nats. At most ${formatNumber(worst, 10)} over ${count} so far.`;
  }
  function forget() {
    worst = 0;
    tried = new Set();
  }
  return { el, show, forget };
}

/** Set it only where it changes, so that nothing else is laid out anew. */
function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

const percent = (share) => (share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`);

/** What the numbers say at this step. */
function saying(step, terms) {
  const { isBound } = STEPS[step - 1];
  const gap = Math.max(0, terms.toPosterior);
  if (isBound) {
    if (gap < 5e-4) return "q is the posterior: nothing is left out, and the bound is log\u00a0p(x).";
    return `The bound is ${formatNumber(gap, 3)} nats below log\u00a0p(x): exp(ELBO) is ${percent(Math.exp(-gap))} of p(x).`;
  }
  if (step === 1) return `∫ q(z) dz = ${formatNumber(terms.integral, 10)}, summed over a line of z.`;
  if (step === 2) return "Drag q wherever you like: this average has nothing to notice it by.";
  if (step === 3) return `Likelihood and prior end ${formatNumber(Math.abs(terms.logPosterior), 3)} nats from log\u00a0p(x). The posterior’s piece is that long.`;
  if (step === 4) return `The entropy of q, ${formatNumber(terms.entropy, 3)} nats, goes in with one sign and out with the other.`;
  return `Of the two divergences one is ${formatNumber(terms.toPrior, 3)} nats and the other ${formatNumber(gap, 3)}; the second has the posterior in it, which one seldom knows.`;
}
