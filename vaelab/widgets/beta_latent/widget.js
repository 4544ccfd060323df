// β × latent dimension: choose a pair, or two, and its VAE, trained on digits, answers.

const TITLE = "β and latent dimension";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "drawing a digit; then 16 latents, and raise β step by step.",
    notice: "which latents go idle, and what the draws of q still know of your digit.",
  },
  {
    attempt: "2 latents, and look for the best β of the whole model.",
    notice: "that the ELBO and log p(x) disagree: a bound is not what it bounds.",
  },
];
const VIEWS = [
  { name: "digit", label: "One digit" },
  { name: "model", label: "The whole model" },
];
const DRAWS_AT_ONCE = 20; // between two looks at the clock
const SHOW_EVERY = 90; // milliseconds

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const recorded = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  let held = false;
  let models = null; // until the data are there, recorded figures are all there is
  let x = null;
  let stopWork = () => {};
  let moved = "A"; // the setting that was changed last: a click on the plot changes it again

  const put = (values) => {
    held = true; // one answer to many changes
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    held = false;
    refresh(Object.keys(values));
  };
  const change = (values) => {
    put(values);
    saver.now();
  };
  const changeOften = (values) => {
    put(values);
    saver.soon();
  };

  const exact = exactMarginals();
  const sides = LETTERS.map((letter) =>
    createSide(letter, recorded, {
      change(values) {
        moved = letter;
        changeOften(values);
      },
      onUnit: (unit) => change({ unit }),
      exact,
    }),
  );
  const shown = () => (model.get("compare") ? sides : sides.slice(0, 1));
  const digit = digitPanel(recorded, {
    change,
    onDraw: (drawing) => changeOften({ drawing }),
    onEnd: saver.now,
  });
  const draws = slider({
    label: "Draws for each estimate",
    symbol: "K",
    values: recorded.draws,
    marks: [1, 10, 100, 1000, 10_000],
    show: (value) => GROUPED.format(value),
    onChange: (value) => changeOften({ draws: value }),
  });
  const plot = ratePlot(recorded.settings, ({ beta, latent_dim }) => {
    const keys = SETTING_KEYS[model.get("compare") ? moved : "A"];
    change({ [keys.beta]: beta, [keys.latent_dim]: latent_dim });
  });
  const plotFigure = captioned("", plot.el);
  const newDraws = button("New draws", () => change({ seed: (model.get("seed") + 1) % (recorded.most_seed + 1) }));
  const compare = button("Compare two", () => {
    moved = model.get("compare") ? "A" : "B";
    change({ compare: 1 - model.get("compare") });
  });
  const panel = h("div", { class: "vaelab-view" });
  const tabs = tabList(VIEWS, panel, (view) => change({ view }));
  const settings = h("div", { class: "vaelab-settings" });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-beta-latent", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading("β × latent dimension", SUGGESTIONS, button("Reset", reset), stage.toggle),
    problem.el,
    settings,
    h("div", { class: "vaelab-bar" }, tabs.el, newDraws, compare),
    panel,
    live.el,
  );

  function reset() {
    moved = "A";
    change(model.get("_defaults"));
  }

  /** Something of one setting, in its colour. */
  const ofSide = (side, ...parts) => h("div", { class: `vaelab-side vaelab-side-${side.letter.toLowerCase()}` }, parts);
  /** A row with the same part of each setting that is shown. */
  function both(name, part) {
    const cells = shown().map((side) => ofSide(side, letterBadge(side.letter), part(side)));
    return h("div", { class: `vaelab-both vaelab-row-${name}` }, cells);
  }
  let arranged = "";
  /** What is on the page. What is not looked at is not there, for the Tab key either. */
  function arrange() {
    const view = model.get("view");
    if (arranged === `${view} ${model.get("compare")}`) return;
    arranged = `${view} ${model.get("compare")}`;
    root.classList.toggle("vaelab-two", shown().length > 1);
    compare.setAttribute("aria-pressed", `${shown().length > 1}`);
    tabs.set(view);
    settings.replaceChildren(...shown().map((side) => ofSide(side, side.controls.el)));
    panel.className = `vaelab-view vaelab-view-${view}`;
    panel.replaceChildren(
      ...(view === "digit"
        ? [
            digit.el,
            both("code", (side) => side.code.el),
            both("decoded", (side) => side.decoded.el),
            h("div", { class: "vaelab-row-bound" }, draws.el, both("bounds", (side) => side.bound.el)),
          ]
        : [
            both("averages", (side) => side.averages.el),
            h("div", { class: "vaelab-pair" }, both("prior", (side) => side.prior.el), plotFigure),
          ]),
    );
  }

  /** Show what has changed; `keys` says what may have. */
  function refresh(keys) {
    if (held) return;
    arrange();
    const asks = (...names) => names.some((name) => keys.includes(name));
    for (const side of shown()) side.choose(model, models);
    draws.set(model.get("draws"));
    digit.set(model.get("image"), model.get("drawing"));
    if (model.get("view") === "model") showModel();
    else if (asks("unit") && keys.length === 1 && x) for (const side of shown()) side.showCode(model.get("unit"));
    else showDigit();
  }
  function showModel() {
    stopWork();
    const hint = shown().length > 1 ? `Distortion against rate: a click moves ${moved}` : "Distortion against rate";
    plotFigure.firstChild.textContent = hint;
    plot.update(shown().map(({ letter, figures }) => ({ letter, figures })));
    for (const side of shown()) side.showPrior(model.get("seed"));
    live.say(shown().map(describeModel).join(" "));
  }
  function showDigit() {
    stopWork();
    if (!models) return live.say(shown().map(describeModel).join(" "));
    const drawing = model.get("drawing");
    x = drawing ? Float64Array.from(drawing, Number) : models.image(model.get("image"));
    digit.ink(x);
    for (const side of shown()) {
      side.encode(x, model.get("seed"));
      side.showCode(model.get("unit"));
    }
    estimate();
  }
  /** Estimates and exact values, in slices. */
  function estimate() {
    const working = shown();
    const goal = model.get("draws");
    let last = performance.now();
    let turn = 0;
    const step = () => {
      const side = working[turn++ % working.length];
      if (!side.done) side.done = side.work(goal);
      if (!stillness.matches && performance.now() - last > SHOW_EVERY && working.every(({ known }) => known)) {
        last = performance.now();
        showBounds();
      }
      return working.every(({ done }) => done);
    };
    for (const side of working) side.done = false;
    stopWork = inSlices(step, () => {
      showBounds();
      live.say(working.map(describeBound).join(" "));
    });
  }
  function showBounds() {
    const range = boundRange(shown().map(({ known }) => known));
    for (const side of shown()) side.bound.show(side.known, range);
  }
  const named = (side) => (shown().length > 1 ? `Setting ${side.letter}: ` : "");
  function describeModel(side) {
    const { beta, latent_dim, rate, distortion, elbo, active_units } = side.figures;
    return (
      `${named(side)}β ${beta}, ${latent_dim} latents: rate ${formatNumber(rate)}, ` +
      `distortion ${formatNumber(distortion)}, ELBO ${formatNumber(elbo)} nats, ${active_units} active.`
    );
  }
  function describeBound(side) {
    const { beta, latent_dim, active_units } = side.figures;
    const { elbo, logMarginal, count } = side.known;
    return (
      `${named(side)}β ${beta}, ${latent_dim} latents, ${active_units} active. ` +
      `This digit: ELBO ${formatNumber(elbo)} nats, log p of x about ${formatNumber(logMarginal)} from ${GROUPED.format(count)} draws. ${boundVerdict(side.known)}`
    );
  }
  function showData() {
    if (!model.get("_data") || models) return;
    models = readModels(model.get("_data"));
    digit.show(models);
    refresh([]);
  }

  const listeners = { "change:_data": showData, "change:_problem": problem.show };
  for (const key of Object.keys(model.get("_defaults"))) listeners[`change:${key}`] = () => refresh([key]);
  const stopListening = listenTo(model, listeners);
  el.append(root);
  refresh([]);
  showData();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      stopWork();
      saver.stop();
      plot.stop();
      live.stop();
      for (const side of sides) side.stop();
    },
  };
}
