// The lab: a VAE trained in the page on points that the reader may draw, and its true gap.

const TITLE = "Lab: a VAE in training";
const SAMPLE_COUNT = 120;
const DRAWS_OF_Q = 24;
const SAY_EVERY = 5000; // milliseconds between two announcements while playing

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
    put(values);
    saver.now();
  };
  const get = (key) => model.get(key);
  const state = () => Object.fromEntries(Object.keys(get("_defaults")).map((key) => [key, get(key)]));
  const points = () =>
    get("drawing") ? readPoints(get("drawing")) : Float64Array.from(recorded.points[get("dataset")]);

  const history = createHistory();
  let x = points();
  let chosen = 0; // which point is looked at
  let shot = null; // the newest weights
  let view = null; // what is drawn of them
  let figures = null;
  let layer = "density";
  let lastSaid = -Infinity;

  const player = createPlayer({
    options: () => ({
      beta: get("beta"),
      rate: get("learning_rate"),
      part: get("part"),
      learnNoise: get("noise_mode") === "learnt",
      noise: get("noise"),
    }),
    beginning: () => ({
      points: [...x],
      latentDim: get("latent_dim"),
      seed: get("seed"),
      noise: get("noise"),
    }),
    onShot: show,
    onState(change_) {
      if ("isPlaying" in change_) transport.setPlaying(change_.isPlaying);
      if (change_.part) change({ part: change_.part });
      if ("isPlaying" in change_ && !change_.isPlaying) saySoon();
    },
  });

  const heat = {};
  const latentHeat = {};
  const plane = dataPlane({ paint: paintData, onUse: usePlane, onEnd: () => saver.now() });
  const latent = squareCanvas(paintLatent);
  const bound = boundChart(history);
  const distances = distanceChart(history);
  const numbers = figuresPanel();
  const pointWords = h("p", { class: "vaelab-unit vaelab-point-words" });
  const transport = transportPanel({
    onToggle: () => player.toggle(),
    onStep: () => player.step(),
    onPart(value) {
      player.leavePlan();
      change({ part: value });
    },
    onSpeed: (value) => player.setSpeed(value),
  });
  const settings = settingsPanel({
    allowed: recorded.allowed,
    change,
    onAnother: () => change({ seed: (get("seed") + 1) % (MOST_SEED + 1) }),
  });
  const experiments = experimentsPanel(recorded.experiments, ({ settings: own, phases }) => {
    put({ ...get("_defaults"), ...own, part: phases[0][0] });
    saver.now();
    begin();
    player.follow(phases);
  });
  const arrows = bridge();
  const uses = radioGroup({
    legend: "On this plane",
    values: ["look", "draw", "erase"],
    content: (value) => h("span", {}, { look: "Look", draw: "Draw", erase: "Erase" }[value]),
    onChange: setUse,
    class: "vaelab-segments",
  });
  const layers = radioGroup({
    legend: "Show the model’s",
    values: ["density", "samples"],
    content: (value) => h("span", {}, { density: "p(x)", samples: "Samples" }[value]),
    onChange(value) {
      layer = value;
      plane.draw();
    },
    class: "vaelab-segments",
  });
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-vae-lab", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading(TITLE, [], button("Reset", resetAll), stage.toggle),
    problem.el,
    experiments.el,
    transport.el,
    labBench({
      plane: plane.el,
      tools: [uses.el, button("Clear", () => change({ drawing: DRAWN })), layers.el],
      bridge: arrows.el,
      latent: latent.el,
      notes: [legendList(LEGEND), pointWords],
      numbers: numbers.el,
      bound: bound.el,
      distances: distances.el,
    }),
    settings.el,
    live.el,
  );

  function setUse(value) {
    uses.set(value);
    plane.setUse(value);
  }
  function resetAll() {
    put(get("_defaults"));
    saver.now();
    experiments.clear();
    begin();
  }
  function usePlane(use, place) {
    if (use === "look") {
      const nearest = nearestPoint(x, place);
      if (nearest >= 0) chosen = nearest;
      drawSpaces();
      saySoon();
      return;
    }
    const kept = use === "draw" ? [...x, ...place] : [];
    if (use === "erase") {
      for (let i = 0; i < x.length; i += 2) {
        if (Math.hypot(x[i] - place[0], x[i + 1] - place[1]) > RUBBER) kept.push(x[i], x[i + 1]);
      }
      if (kept.length === x.length) return;
    }
    put({ drawing: writePoints(kept) });
    saver.soon();
  }

  function paintData(context, frame) {
    const scale = planeScale(DATA_REACH, frame.side);
    if (view) {
      if (layer === "density") {
        const density = modelDensity(view.vae);
        const most = density.reduce((best, value) => Math.max(best, value), 1e-9);
        const shares = density.map((value) => 0.5 * Math.sqrt(value / most));
        paintHeat(context, shares, CELLS_ACROSS, frame.inks.prior, [0, 0, frame.side, frame.side], heat);
      }
      paintDecoderGrid(context, frame, scale, view.vae, view.lines);
      if (layer === "samples") {
        const draws = standardNormal(7, SAMPLE_COUNT * (view.vae.latentDim + 2));
        paintSamples(context, frame, scale, view.vae, draws);
      }
    }
    paintPoints(context, frame, scale, x);
    if (view) {
      if (view.vae.latentDim === 1) paintCurveMarks(context, frame, scale, view.vae);
      if (x.length) paintChosenPoint(context, frame, scale, view.vae, chosenPoint(), decodedDraws());
    }
    paintAxes(context, frame, scale, [-2, 0, 2], ["x₁", "x₂"]);
  }
  function paintLatent(context, frame) {
    if (!view) return;
    const paint = view.vae.latentDim === 1 ? paintLatentLine : paintLatentPlane;
    const point = x.length ? chosenPoint() : null;
    paint(context, frame, { vae: view.vae, codes: view.codes, chosen, point, kept: latentHeat });
  }
  const chosenPoint = () => x.subarray(2 * chosen, 2 * chosen + 2);
  function decodedDraws() {
    const { latentDim } = view.vae;
    const code = view.codes.subarray(2 * latentDim * chosen, 2 * latentDim * (chosen + 1));
    const z = standardNormal(3, DRAWS_OF_Q * latentDim).map(
      (e, i) => code[i % latentDim] + Math.exp(0.5 * code[latentDim + (i % latentDim)]) * e,
    );
    return networkForward(view.vae.decoder, z, DRAWS_OF_Q).output;
  }

  /** What is drawn of the newest weights, with the codes of the points as they are now. */
  function drawSpaces() {
    if (shot) {
      const vae = readLabVae(shot.values, shot.latentDim);
      const lines = view?.vae.latentDim === shot.latentDim ? view.lines : gridLines(shot.latentDim);
      view = { vae, lines, codes: encodeAll(vae, x).output };
    }
    chosen = Math.max(0, Math.min(chosen, x.length / 2 - 1));
    plane.draw();
    latent.draw();
    showPoint();
  }
  function show(next) {
    shot = next;
    drawSpaces();
    if (next.figures) {
      figures = next.figures;
      noteFigures(next.step);
    } else if ("figures" in next) {
      figures = null;
      numbers.show(null);
    }
    showPoint();
    showStatus(next);
    if (!player.isPlaying()) saySoon();
    else if (performance.now() - lastSaid > SAY_EVERY) saySoon();
  }
  function noteFigures(step) {
    numbers.show(figures);
    history.add(step, figures);
    bound.draw();
    distances.draw();
  }
  function showStatus({ step, diverged }) {
    if (!x.length) transport.say("There are no points: draw some, or choose data below.", true);
    else if (diverged) {
      transport.say(`Training diverged at step ${step}: reset, or lower the learning rate.`, true);
    } else transport.say(`Step ${step.toLocaleString("en")}, ${x.length / 2} points`);
  }
  function showPoint() {
    const own = figures?.elbos.length === x.length / 2 && x.length;
    if (!own) {
      pointWords.textContent = "";
      return;
    }
    const [logMarginal, elbo] = [figures.logMarginals[chosen], figures.elbos[chosen]];
    const where = [...chosenPoint()].map((v) => formatNumber(v)).join(", ");
    pointWords.textContent =
      `Chosen: x = (${where}). log p(x) ${formatNumber(logMarginal)}, ELBO ${formatNumber(elbo)}, ` +
      `gap ${formatNumber(logMarginal - elbo)} nats.`;
  }
  function saySoon() {
    lastSaid = performance.now();
    if (!figures || !shot) return;
    const { logMarginal, elbo, gap } = figures;
    const [a, b, c] = [logMarginal, elbo, gap].map((v) => formatNumber(v));
    const trouble = shot.diverged ? "Training diverged. " : "";
    const average = `Step ${shot.step}. log p of x ${a} nats, ELBO ${b}, gap ${c}.`;
    live.say(`${trouble}${average} ${pointWords.textContent}`);
  }

  function begin() {
    x = points();
    shot = null;
    history.clear();
    settings.set(state());
    player.restart();
  }
  function redraw() {
    x = points();
    settings.set(state());
    history.clear();
    drawSpaces();
    player.setPoints([...x]);
  }
  function showOptions() {
    settings.set(state());
    player.refresh();
  }
  function showPart() {
    if (shot?.step) history.mark(shot.step, PARTS[get("part")].toLowerCase());
    transport.setPart(get("part"));
    arrows.set(get("part"));
  }
  const listeners = { "change:_problem": problem.show, "change:drawing": redraw };
  for (const key of ["dataset", "latent_dim", "seed"]) listeners[`change:${key}`] = begin;
  for (const key of ["beta", "learning_rate", "noise", "noise_mode"]) {
    listeners[`change:${key}`] = showOptions;
  }
  listeners["change:part"] = showPart;
  const stopListening = listenTo(model, listeners);
  el.append(root);
  setUse("look");
  layers.set(layer);
  transport.setSpeed("steady");
  showPart();
  problem.show();
  begin();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      for (const part_ of [player, plane, latent, bound, distances, saver, live]) part_.stop();
    },
  };
}
