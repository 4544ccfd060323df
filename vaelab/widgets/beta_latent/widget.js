// β × latent dimension: choose a pair, and its VAE, trained on handwritten digits, answers.

/** What the test log-likelihood rests on. */
function describeLikelihood(likelihood) {
  if (likelihood.method === "quadrature") {
    return `log p(x) by quadrature, right to ${likelihood.mean_error.toExponential(0)} nats on average.`;
  }
  const samples = likelihood.num_samples.toLocaleString("en");
  const error = likelihood.standard_error.toFixed(3);
  return `log p(x) estimated by importance sampling: K = ${samples} draws, ${likelihood.proposal}; standard error ${error}.`;
}

// What the figures show is left to find: tests hold that it is there to be found.
const SUGGESTIONS = [
  ["16 latents, and raise β step by step.", "how many units stay active, and how the samples fade into one average."],
  ["2 latents, and look for the best β.", "that the ELBO and log p(x) disagree: a bound is not what it bounds."],
];

/** A list of named numbers. `rows` holds [key, name, explanation]. */
function numberList(rows, extra) {
  const cells = {};
  const items = rows.map(([key, name, note]) => {
    const cell = { name: h("dt", {}, name), value: h("data"), note: h("small", {}, note) };
    cells[key] = cell;
    return h("div", { class: `vaelab-number-${key}` }, cell.name, h("dd", {}, cell.value, cell.note));
  });
  // No class on the list itself: the book's theme indents lists that have one.
  return { el: h("div", { class: `vaelab-numbers ${extra}` }, h("dl", {}, items)), cells };
}

function create({ model, el }) {
  const recorded = model.get("_recorded");
  const defaults = model.get("_defaults");
  const labels = [...recorded.labels].map(Number);
  const digits = [...new Set(labels)].sort();
  const imageOf = Object.fromEntries(digits.map((digit) => [digit, labels.indexOf(digit)]));
  let models = null;

  const change = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };
  const chosen = () =>
    recorded.settings.find((f) => f.beta === model.get("beta") && f.latent_dim === model.get("latent_dim"));

  // Controls
  const beta = slider({ label: "Weight of the KL", symbol: "β", values: recorded.betas, onChange: (value) => change({ beta: value }) });
  const latentDim = radioGroup({
    legend: "Latent dimension d",
    values: recorded.latent_dims,
    content: (value) => h("span", {}, `${value}`),
    onChange: (value) => change({ latent_dim: value }),
    class: "vaelab-segments",
  });
  const redraw = button("New draws", () => change({ seed: (model.get("seed") + 1) % (recorded.most_seed + 1) }));
  const thumbnails = Object.fromEntries(digits.map((digit) => [digit, tile()]));
  const digit = radioGroup({
    legend: "A digit the models have not seen",
    values: digits,
    content: (value) => thumbnails[value],
    describe: (value) => `Digit ${value}`,
    onChange: (value) => change({ image: imageOf[value] }),
    class: "vaelab-digits",
  });
  const another = button("", () => {
    const label = labels[model.get("image")];
    const later = labels.indexOf(label, model.get("image") + 1);
    change({ image: later >= 0 ? later : labels.indexOf(label) });
  });
  const reset = button("Reset", () => change(defaults));

  // What they show
  const averages = numberList(
    [
      ["rate", "Rate R", "KL(q ‖ prior)"],
      ["distortion", "Distortion D", "−E log p(x | z)"],
      ["elbo", "ELBO", "−R − D"],
      ["likelihood", "log p(x)", ""],
      ["active", "Active units", "latents in use"],
    ],
    "vaelab-averages",
  );
  const single = numberList(
    [
      ["rate", "Rate", "exact"],
      ["distortion", "Distortion", "\u00a0"],
      ["elbo", "ELBO", "−R − D"],
    ],
    "vaelab-single",
  );
  const longest = recorded.settings.map((f) => describeLikelihood(f.likelihood)).reduce((a, b) => (b.length > a.length ? b : a));
  const basis = h("span", {});
  const plot = ratePlot(recorded.settings, (point) => change({ beta: point.beta, latent_dim: point.latent_dim }));
  const tiles = (count) => Array.from({ length: count }, tile);
  const prior = tiles(PRIOR_DRAWS);
  const [original, fromMean] = tiles(2);
  const draws = tiles(POSTERIOR_DRAWS);
  const bars = h("div", { class: "vaelab-bars", role: "img", "aria-label": "Rate of each latent" });
  const problem = h("p", { class: "vaelab-problem", role: "status", hidden: true });
  const live = announcer();

  const root = h("div", { class: "vaelab vaelab-beta-latent", role: "group", "aria-label": "β and latent dimension" });
  const stage = presenter(root, "β and latent dimension");
  const picture = (caption, pictures, label) =>
    h("figure", {}, h("figcaption", {}, caption), h("div", { class: "vaelab-tiles", role: "img", "aria-label": label }, pictures));
  root.append(
    h("div", { class: "vaelab-head" },
      h("p", { class: "vaelab-title" }, "β × latent dimension"),
      h("div", { class: "vaelab-buttons" }, reset, stage.toggle)),
    h("div", { class: "vaelab-try" }, SUGGESTIONS.map(([what, result]) =>
      h("p", {}, h("b", {}, "Try "), what, h("b", {}, " Notice "), result))),
    problem,
    h("div", { class: "vaelab-controls" }, beta.el, latentDim.el),
    averages.el,
    h("p", { class: "vaelab-unit" }, `Nats an image, averaged over ${labels.length} held-out digits; recorded with the weights.`, h("span", { class: "vaelab-basis", "data-longest": longest }, basis)),
    h("div", { class: "vaelab-pair" },
      h("div", { class: "vaelab-prior" },
        picture("Decoded from draws of the prior", prior, `${PRIOR_DRAWS} pictures decoded from draws of the prior`),
        redraw),
      h("figure", {}, h("figcaption", {}, "Distortion against rate"), plot.el)),
    h("div", { class: "vaelab-digit-row" }, digit.el, another),
    h("div", { class: "vaelab-recon" },
      picture("Held out", [original], "The held-out digit"),
      picture("q’s mean", [fromMean], "Decoded from the mean of q"),
      picture("Decoded from draws of q", draws, `${POSTERIOR_DRAWS} pictures decoded from draws of q`)),
    h("div", { class: "vaelab-about" },
      h("div", {}, single.el, h("p", { class: "vaelab-unit" }, `Nats, this digit; its distortion averaged over ${ELBO_DRAWS} draws of z.`)),
      h("figure", {}, h("figcaption", {}, "Rate of each latent, this digit"), bars)),
    live.el,
  );

  function showChoice() {
    const figures = chosen();
    beta.set(figures.beta);
    latentDim.set(figures.latent_dim);
    const { cells } = averages;
    for (const key of ["rate", "distortion", "elbo"]) setNumber(cells[key].value, figures[key]);
    cells.active.value.value = figures.active_units;
    cells.active.value.textContent = `${figures.active_units} of ${figures.latent_dim}`;
    const { likelihood } = figures;
    setNumber(cells.likelihood.value, likelihood.log_likelihood);
    const exact = likelihood.method === "quadrature";
    cells.likelihood.name.textContent = exact ? "log p(x)" : "log p(x), est.";
    cells.likelihood.note.textContent = exact ? "quadrature" : `± ${likelihood.standard_error.toFixed(3)}`;
    basis.textContent = describeLikelihood(likelihood);
    plot.update(figures);
    live.say(
      `β ${figures.beta}, ${figures.latent_dim} latents: rate ${formatNumber(figures.rate)}, ` +
        `distortion ${formatNumber(figures.distortion)}, ELBO ${formatNumber(figures.elbo)} nats, ` +
        `${figures.active_units} active.`,
    );
  }

  function showPrior() {
    if (!models) return;
    const vae = models.vae(model.get("beta"), model.get("latent_dim"));
    priorDraws(model.get("seed"), vae.latentDim).forEach((z, i) => paint(prior[i], decodeMean(vae, z)));
  }

  function showImage() {
    const label = labels[model.get("image")];
    imageOf[label] = model.get("image");
    digit.set(label);
    another.textContent = `Another ${label}`;
    if (!models) return;
    const x = models.image(model.get("image"));
    const shown = describeImage(models.vae(model.get("beta"), model.get("latent_dim")), x);
    paint(thumbnails[label], x);
    paint(original, x);
    paint(fromMean, shown.fromMean);
    shown.draws.forEach((values, k) => paint(draws[k], values));
    for (const key of ["rate", "distortion", "elbo"]) setNumber(single.cells[key].value, shown[key]);
    single.cells.distortion.note.textContent = `± ${shown.standardError.toFixed(2)}`;
    showBars([...shown.kl]);
  }

  function showBars(kl) {
    const most = Math.max(4, ...kl);
    bars.setAttribute("aria-label", `Rate of each latent in nats: ${kl.map((value) => value.toFixed(2)).join(", ")}`);
    bars.replaceChildren(...kl.map((value) => h("span", { style: `--share: ${value / most}` }, kl.length <= 8 ? h("i", {}, value.toFixed(1)) : null)));
  }

  function showData() {
    if (!model.get("_data") || models) return;
    models = readModels(model.get("_data"));
    for (const label of digits) paint(thumbnails[label], models.image(imageOf[label]));
    showPrior();
    showImage();
  }

  function showProblem() {
    problem.textContent = model.get("_problem");
    problem.hidden = !model.get("_problem");
  }

  const listeners = {
    "change:beta": () => [showChoice(), showPrior(), showImage()],
    "change:latent_dim": () => [showChoice(), showPrior(), showImage()],
    "change:seed": showPrior,
    "change:image": showImage,
    "change:_data": showData,
    "change:_problem": showProblem,
  };
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  el.append(root);
  plot.draw();
  showChoice();
  showImage();
  showData();
  showProblem();
  return {
    present: stage.open,
    destroy() {
      for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
      plot.stop();
      live.stop();
    },
  };
}
