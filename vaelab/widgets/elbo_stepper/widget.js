// Deriving the ELBO, a step at a time: every piece is a bar, and q is the reader's to drag.

const TITLE = "Deriving the ELBO, step by step";
const SUGGESTIONS = [
  {
    attempt: "step 5, and drag q about.",
    notice: "which pieces grow and which shrink, and where the last bar ends.",
  },
  {
    attempt: "the linear model, q on its posterior, and step 6; then a narrow q, and step 7.",
    notice: "what is left out of the bound, and what keeps q from shrinking onto one z.",
  },
];
const PICTURE_NOTE =
  "Green: the posterior p(z | x). Pink: q(z). Blue, dashed: the prior p(z). Drag the filled handle to move q, the ring to widen it.";
const BARS_NOTE = "Each bar begins where the one before it ended: to the left it takes away, to the right it gives back. What fades at the edge begins at 0.";

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const recorded = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const models = new Map();
  let held = false;

  function modelOf(name) {
    if (!models.has(name)) models.set(name, name === "linear" ? createLinear(recorded.linear) : createDigit(recorded.digit));
    return models.get(name);
  }
  function move(values) {
    held = true; // one answer to many changes
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    held = false;
    refresh();
  }
  const change = (values) => {
    move(values);
    saver.now();
  };
  const changeOften = (values) => {
    move(values);
    saver.soon();
  };
  function reset() {
    check.forget();
    change({ ...model.get("_defaults") });
  }
  const stepBy = (by) => change({ step: Math.min(STEPS.length, Math.max(1, model.get("step") + by)) });

  const controls = choices(change, changeOften);
  const back = button("Back", () => stepBy(-1));
  const next = button("Next", () => stepBy(1), { class: "vaelab-button vaelab-next" });
  const seen = seenPanel();
  const picture = densities({
    onMove: changeOften,
    onEnd() {
      refresh(); // the bars' scale may shrink now
      saver.now();
    },
  });
  const named = recorded.places.map(({ name, mean, scale }) => button(name, () => change({ mean, scale })));
  const knowing = button("", () => change(bestKnown()), { class: "vaelab-button vaelab-known" });
  const stepShown = stepPanel();
  const bars = waterfall();
  const check = checkLine();
  const said = h("p", { class: "vaelab-said" });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-elbo-stepper", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", reset), stage.toggle),
    problem.el,
    h(
      "div",
      { class: "vaelab-setting" },
      h("div", { class: "vaelab-model" }, controls.model, seen.el),
      h("div", { class: "vaelab-stepping" }, controls.step, h("div", { class: "vaelab-actions" }, back, next)),
    ),
    h(
      "div",
      { class: "vaelab-sides" },
      h("div", { class: "vaelab-telling" }, stepShown.el, said),
      h(
        "div",
        { class: "vaelab-pieces" },
        captioned("What each piece adds, in nats", bars.el),
        check.el,
        h("p", { class: "vaelab-unit" }, BARS_NOTE),
      ),
      h(
        "div",
        { class: "vaelab-own" },
        captioned("Drag q over z", picture.el),
        h("p", { class: "vaelab-unit" }, PICTURE_NOTE),
        h("div", { class: "vaelab-actions", role: "group", "aria-label": "Where to put q" }, h("span", {}, "q:"), knowing, named),
        h("div", { class: "vaelab-shape" }, controls.shape),
      ),
    ),
    live.el,
  );

  /** The q of somebody who knows the model: its posterior, or what its encoder was trained to say. */
  const bestKnown = () => modelOf(model.get("model")).posterior ?? recorded.encoder;

  function refresh() {
    const state = Object.fromEntries(["model", "step", "mean", "scale"].map((key) => [key, model.get(key)]));
    const chosen = modelOf(state.model);
    const q = { mean: state.mean, scale: state.scale };
    const terms = termsOf(chosen, q);
    const step = STEPS[state.step - 1];
    const { bars: pieces, sum, off } = barsOf(step, terms);
    controls.set(state);
    seen.show(state.model, chosen, recorded.linear.x);
    picture.show({ q, model: chosen });
    stepShown.show(state.step);
    bars.show({ step, terms, held: picture.isHeld() });
    check.show({ step: state.step, off, key: `${state.model} ${q.mean} ${q.scale}` });
    setText(said, saying(state.step, terms));
    setText(knowing, chosen.posterior ? "posterior" : "encoder");
    back.setAttribute("aria-disabled", `${state.step === 1}`);
    next.setAttribute("aria-disabled", `${state.step === STEPS.length}`);
    const parts = pieces.map(({ symbol, adds }) => `${symbol.replace("_q", "")} adds ${formatNumber(adds, 3)}`);
    live.say(
      `Step ${state.step}, ${step.title}: ${parts.join(", ")}. Together ${formatNumber(sum, 3)}; ` +
        `log p(x) is ${formatNumber(terms.logMarginal, 3)} nats. ${said.textContent}`,
    );
  }

  const follow = () => !held && refresh(); // else it has been shown
  const listeners = { "change:_problem": problem.show };
  for (const key of Object.keys(model.get("_defaults"))) listeners[`change:${key}`] = follow;
  const stopListening = listenTo(model, listeners);
  el.append(root);
  refresh();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      saver.stop();
      live.stop();
      picture.stop();
    },
  };
}
