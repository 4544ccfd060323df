// Pictures, and the figures recorded with the weights. Each panel is an element and a way to
// update it.

/** What the test log-likelihood rests on. */
function describeLikelihood(likelihood) {
  if (likelihood.method === "quadrature") {
    const error = likelihood.mean_error.toExponential(0);
    return `log p(x) by quadrature, right to ${error} nats on average.`;
  }
  const samples = GROUPED.format(likelihood.num_samples);
  const error = likelihood.standard_error.toFixed(3);
  return (
    `log p(x) estimated by importance sampling: K = ${samples} draws, ` +
    `${likelihood.proposal}; standard error ${error}.`
  );
}

/** Least and most of a figure over trainings from several seeds. */
function describeSpread(values, digits = 2) {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((v) => formatNumber(v, digits));
  return least === most ? `always ${least}` : `${least} to ${most}`;
}

/** The figures recorded with the weights, over all held-out digits. */
function averagesPanel(recorded) {
  const { el, cells } = numberList(
    [
      ["rate", "Rate R", ""],
      ["distortion", "Distortion D", ""],
      ["elbo", "ELBO", ""],
      ["likelihood", "log p(x)", ""],
      ["active", "Active units", ""],
    ],
    "vaelab-averages",
  );
  const texts = recorded.settings.map((figures) => describeLikelihood(figures.likelihood));
  const longest = texts.reduce((a, b) => (b.length > a.length ? b : a));
  const basis = h("span", {});
  const unit = h(
    "p",
    { class: "vaelab-unit" },
    `Nats an image, averaged over ${recorded.labels.length} held-out digits; ELBO = −R − D. ` +
      `Small: least to most of ${recorded.seeds.length} trainings, of which the first is shown. `,
    h("span", { class: "vaelab-basis", "data-longest": longest }, basis),
  );
  function show(figures) {
    const { likelihood, over_seeds: seeds } = figures;
    for (const key of ["rate", "distortion", "elbo"]) {
      setNumber(cells[key].value, figures[key]);
      cells[key].note.textContent = describeSpread(seeds[key]);
    }
    setNumber(cells.likelihood.value, likelihood.log_likelihood);
    cells.likelihood.name.textContent = likelihood.method === "quadrature" ? "log p(x)" : "log p(x), est.";
    cells.likelihood.note.textContent = describeSpread(seeds.log_likelihood);
    basis.textContent = describeLikelihood(likelihood);
    cells.active.value.value = figures.active_units;
    cells.active.value.textContent = `${figures.active_units} of ${figures.latent_dim}`;
    cells.active.note.textContent = describeSpread(seeds.active_units, 0);
  }
  return { el: h("div", { class: "vaelab-averages-box" }, el, unit), show };
}

/** Pictures decoded from the prior. */
function priorPanel() {
  const tiles = tileRow(PRIOR_DRAWS);
  const label = `${PRIOR_DRAWS} pictures decoded from draws of the prior`;
  const el = h("div", { class: "vaelab-prior" }, captioned("Samples from the prior", pictures(tiles, label)));
  const show = (vae, seed) =>
    priorDraws(seed, vae.latentDim).forEach((z, i) => paint(tiles[i], decodeMean(vae, z)));
  return { el, show };
}

/** What a code decodes to: q's mean, draws of q, and what one latent does. */
function decodedPanel() {
  const draws = tileRow(1 + POSTERIOR_DRAWS);
  const walk = tileRow(TRAVERSAL.length);
  const drawsLabel = `Decoded from the mean of q, and from ${POSTERIOR_DRAWS} draws of q`;
  const walkLabel = "Decoded with one latent from −3 to 3, the others at the mean of q";
  const ticks = TRAVERSAL.map((value) => h("span", {}, formatNumber(value, 0)));
  const walkFigure = captioned("Decoded with one latent from −3 to 3", pictures(walk, walkLabel));
  walkFigure.append(h("div", { class: "vaelab-tiles vaelab-walk-ticks", "aria-hidden": "true" }, ticks));
  const el = h(
    "div",
    { class: "vaelab-decoded" },
    captioned(`Decoded: q’s mean, then ${POSTERIOR_DRAWS} draws of q`, pictures(draws, drawsLabel)),
    walkFigure,
  );
  function show(vae, digit, unit, latent) {
    [digit.fromMean, ...digit.draws].forEach((values, k) => paint(draws[k], values));
    traverse(vae, digit.mean, latent).forEach((values, k) => paint(walk[k], values));
    walkFigure.firstChild.textContent = `Decoded with latent ${unit} from −3 to 3`;
  }
  return { el, show };
}
