// Importance sampling: drag a proposal over a posterior that is known, and see what it costs.

const TITLE = "Importance sampling";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "two latents, Too narrow, and more and more draws.",
    notice: "the jumps: after each, the band believes that it was the last.",
  },
  {
    attempt: "one latent, two humps, and Shifted.",
    notice: "how content every diagnostic is while half of p(x) is missing, often even with 100,000 draws.",
  },
];
const PICTURE_NOTE = [
  "Green: the posterior, which is the integrand p(x | z) p(z) over p(x). Pink: the proposal r. Blue, dashed: the prior. ",
  "Orange: the weight w = p(x | z) p(z) / r(z), and some of the draws; on the dashed line a draw alone gives p(x).",
  "Orange: some of the draws, their areas as their weights.",
];
const RUNNING_NOTE = "Orange: the running estimate, with two standard errors each way. Dashed: exact.";

function choices(recorded, change, changeOften) {
  const segments = (legend, values, words, key) =>
    radioGroup({
      legend,
      values,
      content: (value) => h("span", {}, words[value]),
      onChange: (value) => change({ [key]: value }),
      class: "vaelab-segments",
    });
  const latentDim = segments("Latents", [1, 2], { 1: "one", 2: "two" }, "latent_dim");
  const humps = segments("The posterior", [1, 2], { 1: "one hump", 2: "two humps" }, "humps");
  const draws = slider({
    label: "Draws from the proposal",
    symbol: "K",
    values: recorded.draws,
    marks: [10, 100, 1000, 10_000, 100_000],
    show: (value) => (value < 100_000 ? GROUPED.format(value) : "10⁵"),
    onChange: (value) => changeOften({ draws: value }),
  });
  const set = (state) => {
    latentDim.set(state.latent_dim);
    humps.set(state.humps);
    draws.set(state.draws);
  };
  return { parts: [latentDim.el, humps.el, draws.el], set };
}

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const recorded = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const put = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
  };
  const inOneGo = (values) => {
    held = true; // one answer to many changes
    put(values);
    held = false;
    refresh();
  };
  const change = (values) => {
    inOneGo(values);
    saver.now();
  };
  const changeOften = (values) => {
    inOneGo(values);
    saver.soon();
  };
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const targets = new Map();
  let held = false;
  let known = null;
  let sampler = null;
  let stopWork = () => {};

  const controls = choices(recorded, change, changeOften);
  const picture = proposalPicture({
    onMove: changeOften,
    onEnd: saver.now,
  });
  const preset = (name) => {
    const { mean, width } = presets(known.target)[name];
    const values = mean.flatMap((m, i) => [[`mean${i + 1}`, m], [`width${i + 1}`, width[i]]]);
    change(Object.fromEntries(values));
  };
  const figures = figuresPanel();
  const estimate = runningChart();
  const bars = heaviestBars(HEAVIEST);
  const said = h("p", { class: "vaelab-said" });
  const legend = h("p", { class: "vaelab-unit vaelab-legend" });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-importance-sampling", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", () => change(model.get("_defaults"))), stage.toggle),
    problem.el,
    h("div", { class: "vaelab-setting" }, controls.parts),
    h(
      "div",
      { class: "vaelab-sides" },
      h(
        "div",
        {},
        h(
          "div",
          { class: "vaelab-actions" },
          button("Prior", () => preset("prior")),
          button("Posterior", () => preset("posterior")),
          button("Too narrow", () => preset("narrow")),
          button("Shifted", () => preset("shifted")),
          button("New seed", () => change({ seed: (model.get("seed") + 1) % (recorded.most_seed + 1) })),
        ),
        captioned("Drag the proposal’s mean and its width", picture.el),
        legend,
        captioned(`The ${HEAVIEST} heaviest draws, beside the heaviest`, bars.el),
      ),
      h(
        "div",
        {},
        figures.el,
        said,
        captioned("The estimate", estimate.el),
        h("p", { class: "vaelab-unit" }, RUNNING_NOTE),
      ),
    ),
    live.el,
  );

  const latents = () => Array.from({ length: model.get("latent_dim") }, (_, i) => i + 1);
  function targetOf() {
    const key = `${model.get("latent_dim")} ${model.get("humps")}`;
    if (!targets.has(key)) {
      targets.set(key, createTarget(recorded.models[model.get("latent_dim") - 1], model.get("humps")));
    }
    return targets.get(key);
  }
  function refresh() {
    if (held) return;
    stopWork();
    const proposal = {
      mean: latents().map((i) => model.get(`mean${i}`)),
      width: latents().map((i) => model.get(`width${i}`)),
    };
    const draws = model.get("draws");
    known = describeProposal(targetOf(), proposal);
    sampler = createSampler(known, model.get("seed"), draws);
    showChoices(known.target, draws);
    stopWork = drawUpTo(sampler, draws, { still: stillness.matches, onShow: show });
  }
  let chosen = ""; // what the controls show
  function showChoices({ d, humps }, draws) {
    if (chosen === `${d} ${humps} ${draws}`) return;
    chosen = `${d} ${humps} ${draws}`;
    controls.set({ latent_dim: d, humps, draws });
    legend.textContent = PICTURE_NOTE[0] + PICTURE_NOTE[d];
  }
  function show() {
    const draws = model.get("draws");
    const { tally, trace } = sampler;
    const k = tally.count === draws ? sampler.kHat() : null;
    const all = { known, tally, k, draws };
    picture.show(known, sampler);
    figures.show(all);
    estimate.show({ trace: traceUpTo(trace, tally), truth: known.target.logMarginal, most: draws });
    bars.show(sampler.heaviest, tally);
    said.textContent = verdict(all);
    announce(all);
  }
  function announce(all) {
    const { tally, k } = all;
    live.say(
      `${GROUPED.format(tally.count)} draws: estimate ${formatNumber(logMeanWeight(tally))}, exact ` +
        `${formatNumber(known.target.logMarginal)} nats; ${formatCount(Math.log(effectiveSampleSize(tally)))} effective; ` +
        `k-hat ${k === null ? "not yet" : formatK(k)}; KL from posterior to proposal ${formatNumber(known.kl)} nats. ${verdict(all)}`,
    );
  }

  const listeners = { "change:_problem": problem.show };
  for (const key of Object.keys(model.get("_defaults"))) listeners[`change:${key}`] = refresh;
  const stopListening = listenTo(model, listeners);
  el.append(root);
  refresh();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      stopWork();
      saver.stop();
      live.stop();
      picture.stop();
      estimate.stop();
    },
  };
}
