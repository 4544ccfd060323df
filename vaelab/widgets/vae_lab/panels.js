// The parts of the lab round its pictures: experiments, transport, settings, numbers, legend.

const PARTS = { both: "Both", encoder: "Encoder only", decoder: "Decoder only" };
const MOST_SEED = 9999;
const DATA_NAMES = {
  moons: "Moons", ring: "Ring", clusters: "Clusters", spiral: "Spiral", pinwheel: "Pinwheel",
};

/** Guided experiments: press one, watch, and read what there was to notice. */
function experimentsPanel(experiments, onRun) {
  const words = h("p", { class: "vaelab-notice" });
  const buttons = [];
  function choose(experiment, pressed) {
    for (const { el } of buttons) el.setAttribute("aria-pressed", `${el === pressed}`);
    words.replaceChildren(
      ...(experiment
        ? [h("b", {}, "Try "), `${experiment.attempt} `, h("b", {}, "Notice "), experiment.notice]
        : [
            h("b", {}, "Try "),
            "an experiment above, or press Play. ",
            h("b", {}, "Notice "),
            "the blue grid: it is the latent space on the right, folded by the decoder over the data on the left.",
          ]),
    );
  }
  const cards = experiments.map((experiment) =>
    h(
      "div",
      { class: "vaelab-card", role: "group", "aria-label": experiment.title },
      h("p", {}, experiment.title),
      h(
        "div",
        {},
        experiment.variants.map((variant) => {
          const press = () => {
            choose(experiment, el);
            onRun(variant);
          };
          const name = `${experiment.title}: ${variant.label}`;
          const el = button(variant.label, press, { "aria-pressed": "false", name });
          buttons.push({ el });
          return el;
        }),
      ),
    ),
  );
  choose(null);
  const el = h("div", { class: "vaelab-experiments" }, h("div", { class: "vaelab-cards" }, cards), words);
  return { el, clear: () => choose(null) };
}

/** Play, step, what is trained, how fast; and a line that says how it goes. */
function transportPanel({ onToggle, onStep, onPart, onSpeed }) {
  const toggle = button("Play", onToggle, { class: "vaelab-button vaelab-play" });
  const part = radioGroup({
    legend: "What is trained",
    values: Object.keys(PARTS),
    content: (value) => h("span", {}, PARTS[value]),
    onChange: onPart,
    class: "vaelab-segments",
  });
  const speed = radioGroup({
    legend: "Steps a second",
    values: Object.keys(SPEEDS),
    content: (value) => h("span", {}, value === "full" ? "All it can" : `${SPEEDS[value]}`),
    onChange: onSpeed,
    class: "vaelab-segments",
  });
  const status = h("p", { class: "vaelab-status", role: "status" });
  const el = h(
    "div",
    { class: "vaelab-transport" },
    h("div", { class: "vaelab-go" }, toggle, button("Step", onStep)),
    part.el,
    speed.el,
    status,
  );
  return {
    el,
    setPlaying: (isPlaying) => (toggle.textContent = isPlaying ? "Pause" : "Play"),
    setPart: part.set,
    setSpeed: speed.set,
    say(text, isWarning = false) {
      if (status.textContent !== text) status.textContent = text;
      status.classList.toggle("vaelab-warning", isWarning);
    },
  };
}

/** What leads from one space to the other; a half that is not trained is frozen. */
function bridge() {
  const arrow = (name, words) => {
    const note = h("small");
    return { note, el: h("p", { class: `vaelab-arrow vaelab-arrow-${name}` }, h("b", {}, words), note) };
  };
  const arrows = { encoder: arrow("encoder", "encoder"), decoder: arrow("decoder", "decoder") };
  const el = h("div", { class: "vaelab-bridge" }, arrows.encoder.el, arrows.decoder.el);
  function set(part) {
    for (const [name, { el: arrowEl, note }] of Object.entries(arrows)) {
      const isFrozen = part !== "both" && part !== name;
      arrowEl.classList.toggle("vaelab-frozen", isFrozen);
      note.textContent = isFrozen ? "frozen" : "learns";
    }
  }
  return { el, set };
}

/** The data, the model and how it is trained. */
function settingsPanel({ allowed, change, onAnother }) {
  const plain = (value) => `${value}`.replace("-", "\u2212");
  const data = radioGroup({
    legend: "Data",
    values: Object.keys(DATA_NAMES),
    content: (value) => h("span", {}, DATA_NAMES[value]),
    onChange: (value) => change({ dataset: value, drawing: "" }),
    class: "vaelab-segments vaelab-wrap",
  });
  const latents = radioGroup({
    legend: "Latents",
    values: allowed.latent_dim,
    content: (value) => h("span", {}, `${value}`),
    describe: (value) => (value === 1 ? "1 latent" : `${value} latents`),
    onChange: (value) => change({ latent_dim: value }),
    class: "vaelab-segments",
  });
  const over = (key, label, symbol, marks) =>
    slider({
      label,
      symbol,
      values: allowed[key],
      marks,
      show: plain,
      onChange: (value) => change({ [key]: value }),
    });
  const beta = over("beta", "Weight of the KL", "β", [0, 0.5, 1, 2, 8]);
  const rate = over("learning_rate", "Learning rate", "rate", [0.001, 0.01, 0.1, 1]);
  const noise = over("noise", "Noise of the decoder", "s", [0.05, 0.1, 0.2, 0.5, 1]);
  const mode = radioGroup({
    legend: "The noise is",
    values: ["fixed", "learnt"],
    content: (value) => h("span", {}, value),
    onChange: (value) => change({ noise_mode: value }),
    class: "vaelab-segments",
  });
  const seed = h("output", { class: "vaelab-seed" });
  const el = h(
    "div",
    { class: "vaelab-settings" },
    data.el,
    latents.el,
    mode.el,
    beta.el,
    rate.el,
    noise.el,
    h("div", { class: "vaelab-seeds" }, button("Other weights", onAnother), seed),
  );
  function set(state) {
    if (state.drawing) data.clear();
    else data.set(state.dataset);
    latents.set(state.latent_dim);
    mode.set(state.noise_mode);
    beta.set(state.beta);
    rate.set(state.learning_rate);
    noise.set(state.noise);
    seed.textContent = `seed ${state.seed}`;
  }
  return { el, set };
}

/** Nats to three decimals; what a training that runs away makes of them, in round figures. */
function showNats(el, value) {
  setNumber(el, value, Math.abs(value) < 100 ? 3 : 1);
  if (Math.abs(value) >= 1e4) {
    const compact = Math.abs(value).toLocaleString("en", { notation: "compact", maximumSignificantDigits: 3 });
    el.textContent = `${value < 0 ? "\u2212" : ""}${compact}`;
  }
}

/** log p(x) = ELBO + gap, and what the ELBO is made of. */
function figuresPanel() {
  const { el, cells } = numberList(
    [
      ["marginal", "log p(x)", "exact"],
      ["elbo", "ELBO", "the bound"],
      ["gap", "Gap", "KL(q ‖ p(z | x))"],
      ["reconstruction", "Reconstr.", "E log p(x | z)"],
      ["rate", "KL", "KL(q ‖ p(z))"],
      ["noise", "Noise s", "of p(x | z)"],
    ],
    "vaelab-figures",
  );
  for (const { value } of Object.values(cells)) value.textContent = "\u2013";
  function show(figures) {
    if (!figures) {
      for (const { value } of Object.values(cells)) value.textContent = "\u2013";
      return;
    }
    const { logMarginal, elbo, gap, reconstruction, rate, noise, error, rates } = figures;
    showNats(cells.marginal.value, logMarginal);
    cells.marginal.note.textContent =
      error < 0.05 ? `exact, to ${error < 0.001 ? "0.001" : error.toFixed(3)}` : "lattice too coarse";
    cells.marginal.note.classList.toggle("vaelab-warning", !(error < 0.05));
    const others = { elbo, gap, reconstruction, rate, noise };
    for (const [key, value] of Object.entries(others)) showNats(cells[key].value, value);
    cells.rate.note.textContent =
      rates.length === 1 ? "KL(q ‖ p(z))" : [...rates].map((v) => formatNumber(v, 2)).join(" + ");
  }
  return { el, show };
}

const LEGEND = [
  ["prior", "grid", "prior p(z), and its decoded image"],
  ["posterior", "disc", "codes q(z | x)"],
  ["ink", "disc", "data, and the true posterior p(z | x)"],
];
const CURVE_LEGEND = [
  ["ink", "dashes", "log p(x), exact"],
  ["estimate", "line", "ELBO; shaded: the gap"],
  ["posterior", "line", "E log p(x | z)"],
  ["prior", "line", "KL(q ‖ p(z))"],
];
