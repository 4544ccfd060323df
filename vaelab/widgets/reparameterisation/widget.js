// The same gradient both ways: reparameterised and by the score function, from the same draws.

const TITLE = "The same gradient both ways";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "a constant added to f, with no baseline.",
    notice: "which arrows it changes. The gradient, dashed, stays where it is.",
  },
  {
    attempt: "the same constants with each baseline.",
    notice: "what they change now, and whose average does not end on the dashed line.",
  },
  {
    attempt: "two modes with leave-one-out, q midway between them.",
    notice: "which way is the quieter.",
  },
];
const LEGEND =
  "Green: f(z) = log p(x, z) + c. Pink: q and K draws from it. Blue: f’s slope at each draw. " +
  "Orange: how far f is from the baseline, which weighs the score. Dots at the right: the average of the K arrows. Dashed: exact.";
const RUNNING_NOTE = "Blue: reparameterised. Orange: score function. Bands: two standard errors each way. Dashed: exact.";

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const { targets: parts } = model.get("_recorded");
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
  const targets = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, createTarget(part)]));
  let moments = null; // exact ones
  let sampler = null;
  let stopWork = () => {};
  let running = false;

  const controls = settings(change, changeOften);
  const actions = stepping({
    step: () => change({ steps: Math.min(MOST_STEPS, model.get("steps") + 1) }),
    run: () => (running ? rest() : run()),
    clear: () => change({ steps: 0 }),
    seed: () => change({ seed: (model.get("seed") + 1) % 10_000 }),
  });
  const picture = gradientPicture();
  const averages = averagesChart();
  const variances = variancesChart();
  const figures = figuresPanel();
  const said = h("p", { class: "vaelab-said" });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-reparameterisation", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", () => change({ ...model.get("_defaults") })), stage.toggle),
    problem.el,
    h("div", { class: "vaelab-choices" }, controls.choices),
    h(
      "div",
      { class: "vaelab-sides" },
      h(
        "div",
        {},
        actions.el,
        captioned("One step’s draws", picture.el),
        h("p", { class: "vaelab-unit" }, LEGEND),
        h("div", { class: "vaelab-knobs" }, controls.sliders),
      ),
      h(
        "div",
        {},
        figures.el,
        h(
          "div",
          { class: "vaelab-over-steps" },
          captioned("Averages over the steps", averages.el),
          captioned("Variance over the steps", variances.el),
        ),
        h("p", { class: "vaelab-unit" }, RUNNING_NOTE),
      ),
      said,
    ),
    live.el,
  );

  const setting = () => ({
    constant: model.get("constant"),
    baseline: model.get("baseline"),
    draws: model.get("draws"),
    seed: model.get("seed"),
  });
  const ownQ = () => ({ mean: model.get("mean"), scale: model.get("scale") });
  const ownTarget = () => targets[model.get("target")];

  function halt() {
    stopWork();
    running = false;
    actions.setRunning(false);
  }
  /** Keep as many steps as there are. */
  function rest() {
    halt();
    put({ steps: sampler.tally.count });
    saver.now();
    show();
  }
  function run() {
    halt();
    if (sampler.tally.count >= MOST_STEPS) return;
    running = true;
    actions.setRunning(true);
    stopWork = drawUpTo(sampler, MOST_STEPS, {
      growing: true,
      still: stillness.matches,
      onShow() {
        put({ steps: sampler.tally.count });
        saver.soon();
        show();
      },
      onDone: rest,
    });
  }
  /** Make as many steps as the state says, anew if there are more. */
  function fill() {
    const goal = model.get("steps");
    if (goal === sampler.tally.count) return;
    halt();
    if (goal < sampler.tally.count) sampler = createSampler(ownTarget(), ownQ(), setting());
    if (goal === 0) return show();
    stopWork = drawUpTo(sampler, goal, { still: stillness.matches, onShow: show });
  }
  function start() {
    halt();
    moments = exactMoments(ownTarget(), ownQ(), setting());
    sampler = createSampler(ownTarget(), ownQ(), setting());
    if (model.get("steps") === 0) show();
    else fill();
  }
  function show() {
    const parameter = model.get("parameter");
    const { draws, baseline, constant } = setting();
    const symbol = SYMBOLS[parameter];
    const exact = moments[parameter];
    const steps = sampler.tally.count;
    const traces = Object.fromEntries(WAYS.map((way) => [way, sampler.traceOf(way, parameter)]));
    const now = Object.fromEntries(
      WAYS.map((way) => {
        const own = sampler.running[way][parameter];
        return [way, { mean: own.mean, error: errorOf(own), variance: varianceOf(own) }];
      }),
    );
    const weighed = baseline === "none" ? "f" : "(f − baseline)";
    const titles = [
      `↑ f(z), nats${constant ? `, with ${formatNumber(constant, 0)} added` : ""}`,
      parameter === "mean" ? "↑ reparameterised: the slope of f" : "↑ reparameterised: slope × (z − m) + 1",
      parameter === "mean" ? `↑ score function: ${weighed} (z − m) / s²` : `↑ score function: ${weighed} ((z − m)²/s² − 1) + 1`,
    ];
    controls.set({ ...setting(), ...ownQ(), target: model.get("target"), parameter });
    picture.show({ target: ownTarget(), q: ownQ(), constant, baseline, parameter, moments, drawn: sampler.last, titles });
    const most = Math.max(1000, roundUp(steps));
    averages.show({ exact, traces, symbol, most });
    variances.show({ exact, traces, most });
    const all = { exact, now, steps, draws, parameter, baseline };
    figures.show(all);
    said.textContent = verdict(all);
    live.say(`Gradient in ${symbol}: exact ${formatNumber(exact.gradient, 3)}. ${said.textContent}`);
  }

  const anew = ["target", "baseline", "constant", "mean", "scale", "draws", "seed"];
  const listeners = {
    ...Object.fromEntries(anew.map((key) => [`change:${key}`, start])),
    "change:steps": fill,
    "change:parameter": show,
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
      for (const drawn of [picture, averages, variances]) drawn.stop();
    },
  };
}
