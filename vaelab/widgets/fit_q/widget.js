// Fit q by hand: mean, two deviations and a rotation, against a posterior that is known.

const TITLE = "Fit q by hand";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "the banana: lower the gap as far as you can, then let gradient ascent try from there; then allow rotation.",
    notice: "how little is left to gain by either. A Gaussian can’t bend.",
  },
  {
    attempt: "two modes: put q on the fainter one, and let gradient ascent try.",
    notice: "where it stays, and that more draws under the logarithm don’t bring the other mode back.",
  },
];
const LEGEND =
  "Green: p(x, z) over the two latents, which is the posterior up to p(x). Pink: q, at one and two deviations. " +
  "Drag the filled handle to move q, the rings on its axes to widen it, the orange one to turn it. Orange: gradient ascent’s path.";
const BARS_NOTE =
  "Pink and dashed add up to log p(x), whatever q is. Below, the bound of K draws, two standard errors each way; small dots are the other K.";
const STEP_MS = 70;

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const { targets: parts } = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  const targets = new Map();
  const noise = standardNormal(BOUND_SEED, 2 * BOUND_DRAWS);
  const bests = new Map(); // by posterior and family: the least gap by hand
  let held = false;
  let helped = false; // by gradient ascent, since which no gap is the reader's own
  let ascent = null;
  let climb = null; // { start, from, kl, steps, running, stuck }
  let timer;

  const put = (values) => {
    held = true; // one answer to many changes
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    held = false;
  };
  const change = (values) => {
    move(values);
    saver.now();
  };
  function move(values) {
    if (!("draws" in values)) {
      stop();
      if (climb) climb.left = true;
    }
    if ("angle" in values && !("family" in values)) values.family = "rotated";
    if (values.family === "diagonal") values.angle = 0;
    if ("target" in values || "family" in values) forget();
    put(values);
    refresh();
  }
  function forget() {
    climb = null;
    helped = false;
  }

  const controls = choices((key, value) => change({ [key]: value }));
  const picture = fitPicture({
    onMove(values) {
      move(values);
      saver.soon();
    },
    onEnd: saver.now,
  });
  const figures = figuresPanel();
  const bars = barsChart();
  const said = h("p", { class: "vaelab-said" });
  const problem = problemLine(model);
  const live = announcer();
  const climbButton = button("", () => (climb?.running ? finish() : start()), { class: "vaelab-button vaelab-climb" });
  const backButton = button("Back to where it began", back);
  const root = h("div", { class: "vaelab vaelab-fit-q", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", reset), stage.toggle),
    problem.el,
    h("div", { class: "vaelab-setting" }, controls.setting),
    h(
      "div",
      { class: "vaelab-sides" },
      h(
        "div",
        {},
        captioned("Drag q over p(x, z)", picture.el),
        h("div", { class: "vaelab-actions" }, climbButton, backButton),
        h("p", { class: "vaelab-unit" }, LEGEND),
        h("div", { class: "vaelab-shape" }, controls.shape),
      ),
      h(
        "div",
        {},
        figures.el,
        captioned("What adds up to log p(x), in nats", bars.el),
        h("p", { class: "vaelab-unit" }, BARS_NOTE),
        said,
      ),
    ),
    live.el,
  );

  const rotates = () => model.get("family") === "rotated";
  function targetOf() {
    const name = model.get("target");
    if (!targets.has(name)) targets.set(name, createTarget(parts[name]));
    return targets.get(name);
  }
  const ownQ = () => ({
    mean: [model.get("mean1"), model.get("mean2")],
    scale: [model.get("scale1"), model.get("scale2")],
    angle: rotates() ? model.get("angle") * DEGREE : 0,
  });
  const asState = ({ mean, scale, angle }) => ({
    mean1: rounded(mean[0], 4),
    mean2: rounded(mean[1], 4),
    scale1: rounded(scale[0], 4),
    scale2: rounded(scale[1], 4),
    ...(rotates() ? { angle: rounded(angle / DEGREE, 2) } : {}),
  });

  function start() {
    const state = Object.fromEntries(["mean1", "mean2", "scale1", "scale2", "angle"].map((key) => [key, model.get(key)]));
    ascent = createAscent(targetOf(), ownQ(), rotates());
    const from = measure(targetOf(), ownQ()).kl;
    climb = { start: state, from, kl: from, steps: 0, running: true, stuck: false };
    helped = true;
    if (stillness.matches) {
      while (ascent.advance());
      finish(true);
    } else climbOn();
  }
  function climbOn() {
    if (!ascent.advance()) return finish(true);
    showClimb();
    timer = setTimeout(climbOn, STEP_MS);
  }
  function showClimb() {
    put(asState(ascent.q));
    climb.steps = ascent.steps;
    climb.kl = measure(targetOf(), ownQ()).kl;
    refresh();
  }
  /** End it: by itself, stuck, or by the reader. */
  function finish(stuck = false) {
    clearTimeout(timer);
    Object.assign(climb, { running: false, stuck });
    showClimb();
    saver.now();
  }
  function stop() {
    if (climb?.running) finish();
  }
  function back() {
    if (!climb) return;
    stop();
    const { start } = climb;
    forget();
    change(rotates() ? start : { ...start, family: "diagonal" });
  }
  function reset() {
    stop();
    forget();
    bests.clear();
    change({ ...model.get("_defaults") });
  }

  function refresh() {
    const target = targetOf();
    const q = ownQ();
    const measured = measure(target, q);
    const logWeights = logWeightsOf(target, q, noise);
    const bounds = BOUND_KS.map((k) => iwaeBound(logWeights, k));
    const [family, k] = [model.get("family"), model.get("draws")];
    const key = `${model.get("target")} ${family}`;
    if (!helped) bests.set(key, Math.min(bests.get(key) ?? Infinity, measured.kl));
    const chosen = bounds.find((bound) => bound.k === k);
    const all = { target, q, measured, chosen, best: bests.get(key), helped, family, climb };
    controls.set({
      target: model.get("target"),
      family,
      draws: k,
      mean1: q.mean[0],
      mean2: q.mean[1],
      scale1: q.scale[0],
      scale2: q.scale[1],
      angle: q.angle / DEGREE,
    });
    picture.show({ target, q, rotated: rotates(), path: climb && !climb.left ? ascent.path : null });
    figures.show(all);
    bars.show({ logMarginal: target.logMarginal, elbo: measured.elbo, kl: measured.kl, bounds, k });
    said.textContent = verdict(all);
    climbButton.textContent = climb?.running ? "Stop" : "Let gradient ascent try";
    backButton.setAttribute("aria-disabled", `${!climb}`);
    live.say(
      `Gap ${formatNumber(measured.kl, 3)} nats: ELBO ${formatNumber(measured.elbo)}, log p(x) ${formatNumber(target.logMarginal)}. ` +
        `With ${k} draws the bound is ${formatNumber(chosen.bound)}. ${verdict(all)}`,
    );
  }
  function follow(forgets) {
    if (held) return; // else Python or the address has set it
    stop();
    if (climb) climb.left = true;
    if (forgets) forget();
    refresh();
  }

  const listeners = { "change:_problem": problem.show };
  for (const key of Object.keys(model.get("_defaults"))) listeners[`change:${key}`] = () => follow(key === "target" || key === "family");
  const stopListening = listenTo(model, listeners);
  el.append(root);
  refresh();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      clearTimeout(timer);
      saver.stop();
      live.stop();
      picture.stop();
      bars.stop();
    },
  };
}
