// The parts of the widget that show something. Each is an element and a way to update it.

/** What the test log-likelihood rests on. */
function describeLikelihood(likelihood) {
  if (likelihood.method === "quadrature") {
    const error = likelihood.mean_error.toExponential(0);
    return `log p(x) by quadrature, right to ${error} nats on average.`;
  }
  const samples = likelihood.num_samples.toLocaleString("en");
  const error = likelihood.standard_error.toFixed(3);
  return (
    `log p(x) estimated by importance sampling: K = ${samples} draws, ` +
    `${likelihood.proposal}; standard error ${error}.`
  );
}

/** The figures recorded with the weights, over all held-out digits. */
function averagesPanel(recorded) {
  const { el, cells } = numberList(
    [
      ["rate", "Rate R", "KL(q ‖ prior)"],
      ["distortion", "Distortion D", "−E log p(x | z)"],
      ["elbo", "ELBO", "−R − D"],
      ["likelihood", "log p(x)", ""],
      ["active", "Active units", "latents in use"],
    ],
    "vaelab-averages",
  );
  const texts = recorded.settings.map((figures) => describeLikelihood(figures.likelihood));
  const longest = texts.reduce((a, b) => (b.length > a.length ? b : a));
  const basis = h("span", {});
  const unit = h(
    "p",
    { class: "vaelab-unit" },
    `Nats an image, averaged over ${recorded.labels.length} held-out digits; recorded with the weights.`,
    h("span", { class: "vaelab-basis", "data-longest": longest }, basis),
  );
  function show(figures) {
    const { likelihood } = figures;
    const exact = likelihood.method === "quadrature";
    for (const key of ["rate", "distortion", "elbo"]) setNumber(cells[key].value, figures[key]);
    setNumber(cells.likelihood.value, likelihood.log_likelihood);
    cells.likelihood.name.textContent = exact ? "log p(x)" : "log p(x), est.";
    cells.likelihood.note.textContent = exact ? "quadrature" : `± ${likelihood.standard_error.toFixed(3)}`;
    basis.textContent = describeLikelihood(likelihood);
    cells.active.value.value = figures.active_units;
    cells.active.value.textContent = `${figures.active_units} of ${figures.latent_dim}`;
  }
  return { parts: [el, unit], show };
}

/** Pictures decoded from the prior. */
function priorPanel(onMore) {
  const tiles = tileRow(PRIOR_DRAWS);
  const label = `${PRIOR_DRAWS} pictures decoded from draws of the prior`;
  const el = h(
    "div",
    { class: "vaelab-prior" },
    captioned("Decoded from draws of the prior", pictures(tiles, label)),
    button("New draws", onMore),
  );
  const show = (vae, seed) =>
    priorDraws(seed, vae.latentDim).forEach((z, i) => paint(tiles[i], decodeMean(vae, z)));
  return { el, show };
}

/** One image, coded and decoded. */
function digitPanel() {
  const [original, fromMean] = tileRow(2);
  const draws = tileRow(POSTERIOR_DRAWS);
  const drawsLabel = `${POSTERIOR_DRAWS} pictures decoded from draws of q`;
  const row = h(
    "div",
    { class: "vaelab-recon" },
    captioned("Held out", pictures([original], "The held-out digit")),
    captioned("q’s mean", pictures([fromMean], "Decoded from the mean of q")),
    captioned("Decoded from draws of q", pictures(draws, drawsLabel)),
  );
  const numbers = numberList(
    [
      ["rate", "Rate", "exact"],
      ["distortion", "Distortion", "\u00a0"],
      ["elbo", "ELBO", "−R − D"],
    ],
    "vaelab-single",
  );
  const unit = `Nats, this digit; its distortion averaged over ${ELBO_DRAWS} draws of z.`;
  const bars = h("div", { class: "vaelab-bars", role: "img", "aria-label": "Rate of each latent" });
  const about = h(
    "div",
    { class: "vaelab-about" },
    h("div", {}, numbers.el, h("p", { class: "vaelab-unit" }, unit)),
    captioned("Rate of each latent, this digit", bars),
  );
  function showBars(kl) {
    const most = Math.max(4, ...kl);
    const named = kl.length <= 8; // with more bars their numbers would run into each other
    const texts = kl.map((value) => value.toFixed(2)).join(", ");
    bars.setAttribute("aria-label", `Rate of each latent in nats: ${texts}`);
    bars.replaceChildren(
      ...kl.map((value) =>
        h("span", { style: `--share: ${value / most}` }, named ? h("i", {}, value.toFixed(1)) : null),
      ),
    );
  }
  function show(vae, x) {
    const shown = describeImage(vae, x);
    paint(original, x);
    paint(fromMean, shown.fromMean);
    shown.draws.forEach((values, k) => paint(draws[k], values));
    for (const key of ["rate", "distortion", "elbo"]) setNumber(numbers.cells[key].value, shown[key]);
    numbers.cells.distortion.note.textContent = `± ${shown.standardError.toFixed(2)}`;
    showBars([...shown.kl]);
  }
  return { parts: [row, about], show };
}
