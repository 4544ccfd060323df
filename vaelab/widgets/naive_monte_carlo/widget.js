// Naive Monte Carlo: draw from the prior, average, and watch the estimate beside the truth.

const TITLE = "Naive Monte Carlo";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "10 latents: clear, and run until it looks converged.",
    notice: "where the truth is. Is it so with other seeds?",
  },
  {
    attempt: "20 latents, and run.",
    notice: "that the band never reaches more than 2 nats from the estimate, however far the truth.",
  },
  {
    attempt: "20 latents with the noise held at 0.4.",
    notice: "that the dimension alone does no harm.",
  },
];
const RUNNING_NOTE = "Orange: the running estimate, with two standard errors each way. Dashed: exact.";
const WEIGHTS_NOTE =
  "w = p(x | z) for z from the prior; the dot is the latest. Dashed: log p(x). " +
  "Green: where draws from the posterior would lie, the ones that matter.";

/** An image that a latent decodes to, from the axes' directions. */
function decodeLinear({ bias, vectors }, slopes, z) {
  const image = Float64Array.from(bias);
  slopes.forEach((slope, j) => {
    for (let i = 0; i < image.length; i++) image[i] += slope * z[j] * vectors[j * image.length + i];
  });
  return image;
}

const clamped = (values) => values.map((value) => Math.min(1, Math.max(0, value)));

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const recorded = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const put = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
  };
  const change = (values) => {
    halt();
    put(values);
    saver.now();
  };
  const changeOften = (values) => {
    halt();
    put(values);
    saver.soon();
  };
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  let known = null; // of the model, without a draw
  let sampler = null;
  let stopWork = () => {};
  let running = false;

  const setting = settingControls(recorded, changeOften, () => nearestNoise());
  const actions = drawingControls(recorded, {
    step: () => change({ draws: Math.min(MOST_DRAWS, model.get("draws") + 1) }),
    run: () => (running ? rest() : run(() => false)),
    converge: () => run(() => looksConverged(sampler.tally, model.get("tolerance"))),
    clear: () => change({ draws: 0 }),
    seed: () => change({ seed: (model.get("seed") + 1) % (recorded.most_seed + 1) }),
    tolerance: (value) => change({ tolerance: value }),
  });
  const estimate = runningChart();
  const weights = weightsChart();
  const bars = heaviestBars(HEAVIEST);
  const figures = figuresPanel();
  const original = tile();
  const best = tile();
  const said = h("p", { class: "vaelab-said" });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-naive-monte-carlo", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", () => change(model.get("_defaults"))), stage.toggle),
    problem.el,
    h(
      "div",
      { class: "vaelab-hall" },
      h(
        "div",
        { class: "vaelab-doing" },
        h("div", { class: "vaelab-setting" }, setting.dim, setting.noise, actions.rule),
        actions.el,
        said,
      ),
      figures.el,
      h(
        "div",
        { class: "vaelab-charts" },
        h("div", {}, captioned("The estimate", estimate.el), h("p", { class: "vaelab-unit" }, RUNNING_NOTE)),
        h("div", {}, captioned("The weights", weights.el), h("p", { class: "vaelab-unit" }, WEIGHTS_NOTE)),
      ),
      h(
        "div",
        { class: "vaelab-lower" },
        captioned("x", pictures([original], "The image x")),
        captioned("Heaviest", pictures([best], "What the heaviest draw decodes to")),
        captioned(`The ${HEAVIEST} heaviest draws, beside the heaviest`, bars.el),
      ),
    ),
    live.el,
  );

  const nearestNoise = () =>
    recorded.noises.reduce((a, b) => {
      const off = (value) => Math.abs(Math.log(value * value / known.model.noiseVar));
      return off(b) < off(a) ? b : a;
    });
  function halt() {
    stopWork();
    running = false;
    actions.setRunning(false);
  }
  /** Keep as many draws as there are. */
  function rest() {
    halt();
    put({ draws: sampler.tally.count });
    saver.now();
    show();
  }
  function run(isEnough) {
    halt();
    if (sampler.tally.count >= MOST_DRAWS || isEnough()) return rest();
    running = true;
    actions.setRunning(true);
    stopWork = drawUpTo(sampler, MOST_DRAWS, {
      growing: true,
      still: stillness.matches,
      isEnough,
      onShow() {
        put({ draws: sampler.tally.count });
        saver.soon();
        show();
      },
      onDone: rest,
    });
  }
  /** Draw as many as the state says, anew if there are more. */
  function fill() {
    const goal = model.get("draws");
    if (goal === sampler.tally.count) return;
    halt();
    if (goal < sampler.tally.count) sampler = createSampler(known, model.get("seed"));
    if (goal === 0) return show();
    stopWork = drawUpTo(sampler, goal, { still: stillness.matches, onShow: show });
  }
  function start() {
    halt();
    known = describeModel(recorded, model.get("latent_dim"), model.get("noise"));
    sampler = createSampler(known, model.get("seed"));
    setting.set(model.get("latent_dim"), model.get("noise"), Math.sqrt(known.model.noiseVar));
    if (model.get("draws") === 0) show();
    else fill();
  }
  function show() {
    const { tally, trace } = sampler;
    estimate.show({ trace: traceUpTo(trace, tally), truth: known.logMarginal, most: Math.max(1000, roundUp(tally.count)) });
    weights.show({ known, ...sampler });
    figures.show({ tally, known, share: bars.show(sampler.heaviest, sampler.tally) });
    showVerdict();
    showBest();
    announce();
  }
  function showVerdict() {
    actions.setTolerance(model.get("tolerance"));
    said.textContent = verdict(sampler.tally, known, model.get("tolerance"));
  }
  function showBest() {
    const source = model.get("_data");
    if (!source?.image) return;
    paint(original, source.image);
    const { tally, best: z } = sampler;
    paint(best, tally.count ? clamped(decodeLinear(source, known.model.slopes, z)) : new Float64Array(64));
  }
  function announce() {
    const { tally } = sampler;
    const exact = `exact ${formatNumber(known.logMarginal)} nats`;
    if (!tally.count) return live.say(`${model.get("latent_dim")} latents, no draws yet; ${exact}.`);
    live.say(
      `${model.get("latent_dim")} latents, ${GROUPED.format(tally.count)} draws: estimate ` +
        `${formatNumber(logMeanWeight(tally))}, ${exact}. ${verdict(tally, known, model.get("tolerance"))}`,
    );
  }

  const listeners = {
    "change:latent_dim": start,
    "change:noise": start,
    "change:seed": start,
    "change:draws": fill,
    "change:tolerance": showVerdict,
    "change:_data": showBest,
    "change:_problem": problem.show,
  };
  const stopListening = listenTo(model, listeners);
  el.append(root);
  start();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      stopWork();
      saver.stop();
      live.stop();
      estimate.stop();
      weights.stop();
    },
  };
}
