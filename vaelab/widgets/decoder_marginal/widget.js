// Decoder and marginal: pick or draw an image, drag a latent, and see what p(x) is made of.

const TITLE = "Decoder and marginal";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "dragging z away from the green spot.",
    notice: "that nearly all of the plane decodes to something else.",
  },
  {
    attempt: "inking one stray pixel, then clear the pad and scribble.",
    notice: "what a pixel costs in log p(x), and how far below the average a scribble falls.",
  },
];
const LEGEND =
  "Green: p(x | z) p(z), shaded by its square root. Outlined: the least of the prior that makes 99% of p(x). " +
  "Dashed: the prior at 1, 2 and 3 standard deviations.";

/** The model and images of a data file. */
function readDecoder({ sizes, weights, images }) {
  const packed = decodeBase64(images);
  return {
    vae: readVae(decodeFloat16(decodeBase64(weights)), 0, sizes),
    image: (i) => unpackImage(packed, i, sizes.pixels),
  };
}

function latentSliders(reach, change) {
  const values = Array.from({ length: 20 * reach + 1 }, (_, i) => (i - 10 * reach) / 10);
  const sliders = ["z1", "z2"].map((key, axis) =>
    slider({
      label: "Latent",
      symbol: `z${"₁₂"[axis]}`,
      values,
      marks: [-4, -2, 0, 2, 4],
      show: (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
      onChange: (value) => change({ [key]: value }),
    }),
  );
  const set = (z) => z.forEach((value, axis) => sliders[axis].set(value));
  return { el: h("div", { class: "vaelab-latents" }, sliders.map(({ el }) => el)), set };
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
  const change = (values) => {
    put(values);
    saver.now();
  };
  const changeOften = (values) => {
    put(values);
    saver.soon();
  };
  const z = () => [model.get("z1"), model.get("z2")];

  let source = null; // the decoder and the images, once the data are there
  let lattice = null; // once it is decoded
  let marginal = null; // what is known of the image
  let x = null;
  let choice = ""; // which digit, and whether something is drawn instead
  let stopWork = () => {};
  const marginalSoon = afterDrawing(() => showMarginal());

  const plane = latentPlane({
    reach: recorded.reach,
    onMove: ([z1, z2]) => changeOften({ z1, z2 }),
    onEnd: saver.now,
  });
  const sliders = latentSliders(recorded.reach, changeOften);
  const pad = digitPad({
    label: "The image x",
    onDraw: (drawing) => changeOften({ drawing }),
    onEnd: saver.now,
  });
  const decoded = tile();
  const point = pointPanel();
  const totals = marginalPanel(recorded);
  const standing = standingPanel();
  const chooser = digitChooser(
    [...recorded.labels].map(Number),
    (image) => change({ image, drawing: "" }),
    "A digit the model has not seen",
  );
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-decoder-marginal", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  const actions = h(
    "div",
    { class: "vaelab-actions" },
    button("Clear the pad", () => change({ drawing: "0".repeat(64) })),
    button("z to the peak", () => {
      if (!marginal) return;
      const [z1, z2] = withinPlane(marginal.peak, recorded.reach);
      change({ z1, z2 });
    }),
  );
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", () => change(model.get("_defaults"))), stage.toggle),
    problem.el,
    h(
      "div",
      { class: "vaelab-sides" },
      h(
        "div",
        {},
        captioned("p(x | z) p(z) over the plane of latents", plane.el),
        h("p", { class: "vaelab-unit" }, LEGEND),
        sliders.el,
      ),
      h(
        "div",
        {},
        h(
          "div",
          { class: "vaelab-images" },
          captioned("x: draw on it", pad.el),
          captioned("What z decodes to", pictures([decoded], "The image that z decodes to")),
          actions,
        ),
        point.el,
        totals.el,
        standing.el,
      ),
    ),
    chooser.el,
    live.el,
  );

  function announce() {
    const [z1, z2] = z().map((value) => formatNumber(value));
    const parts = [`z is ${z1}, ${z2}.`];
    if (x) {
      const value = bernoulliLogLikelihood(x, decode(source.vae, Float64Array.from(z())));
      parts.push(`log p of x given z: ${formatNumber(value)} nats.`);
    }
    if (marginal) {
      parts.push(`log p of x: ${formatNumber(marginal.logMarginal)} nats.`);
      parts.push(`Prior in use: ${formatShare(marginal.priorMass)}.`);
    }
    live.say(parts.join(" "));
  }
  function showPoint() {
    plane.set(z());
    sliders.set(z());
    const logPrior = z().reduce((sum, value) => sum + standardNormalLogDensity(value), 0);
    const logits = source && decode(source.vae, Float64Array.from(z()));
    if (logits) paint(decoded, logits.map(sigmoid));
    point.show(logPrior, logits && x ? bernoulliLogLikelihood(x, logits) : null);
    announce();
  }
  function showImage() {
    const drawing = model.get("drawing");
    const chosen = `${model.get("image")} ${drawing !== ""}`;
    if (chosen !== choice) {
      chooser.set(model.get("image"));
      if (drawing) chooser.clear(); // so that the digit can be chosen anew
      choice = chosen;
    }
    if (!source) return;
    const next = drawing ? Float64Array.from(drawing, Number) : source.image(model.get("image"));
    if (x && next.every((value, i) => value === x[i])) return;
    x = next;
    pad.set(x.join(""));
    marginalSoon.ask(); // the ink first
    showPoint();
  }
  function showMarginal() {
    if (!lattice) return;
    marginal = describeMarginal(lattice, x, marginal);
    plane.show(lattice, marginal);
    totals.show(marginal);
    standing.show(marginal.logMarginal);
    announce();
  }
  function showData() {
    if (!model.get("_data") || source) return;
    source = readDecoder(model.get("_data"));
    chooser.show(source);
    showImage();
    const decoding = decoderLattice(source.vae);
    stopWork = inSlices(decoding.decodeNext, () => {
      lattice = decoding;
      showMarginal();
      rankHeldOut();
    });
  }
  function rankHeldOut() {
    const values = new Float64Array(recorded.labels.length);
    let next = 0;
    const step = () => {
      values[next] = logMarginal(lattice, source.image(next));
      return ++next === values.length;
    };
    stopWork = inSlices(step, () => {
      standing.setAll(values);
      standing.show(marginal.logMarginal);
    });
  }

  const listeners = {
    "change:image": showImage,
    "change:drawing": showImage,
    "change:z1": showPoint,
    "change:z2": showPoint,
    "change:_data": showData,
    "change:_problem": problem.show,
  };
  const stopListening = listenTo(model, listeners);
  el.append(root);
  showPoint();
  showImage();
  showData();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      stopWork();
      marginalSoon.stop();
      saver.stop();
      live.stop();
    },
  };
}
