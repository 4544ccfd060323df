// β × latent dimension: choose a pair, and its VAE, trained on handwritten digits, answers.

const TITLE = "β and latent dimension";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "16 latents, and raise β step by step.",
    notice: "how many units stay active, and how the samples fade into one average.",
  },
  {
    attempt: "2 latents, and look for the best β.",
    notice: "that the ELBO and log p(x) disagree: a bound is not what it bounds.",
  },
];

function betaLatentControls(recorded, change) {
  const beta = slider({
    label: "Weight of the KL",
    symbol: "β",
    values: recorded.betas,
    onChange: (value) => change({ beta: value }),
  });
  const latentDim = radioGroup({
    legend: "Latent dimension d",
    values: recorded.latent_dims,
    content: (value) => h("span", {}, `${value}`),
    onChange: (value) => change({ latent_dim: value }),
    class: "vaelab-segments",
  });
  const set = (figures) => {
    beta.set(figures.beta);
    latentDim.set(figures.latent_dim);
  };
  return { el: h("div", { class: "vaelab-controls" }, beta.el, latentDim.el), set };
}

function announcement({ beta, latent_dim, rate, distortion, elbo, active_units }) {
  return (
    `β ${beta}, ${latent_dim} latents: rate ${formatNumber(rate)}, ` +
    `distortion ${formatNumber(distortion)}, ELBO ${formatNumber(elbo)} nats, ${active_units} active.`
  );
}

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const recorded = model.get("_recorded");
  const change = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };

  const controls = betaLatentControls(recorded, change);
  const averages = averagesPanel(recorded);
  const prior = priorPanel(() => change({ seed: (model.get("seed") + 1) % (recorded.most_seed + 1) }));
  const plot = ratePlot(recorded.settings, ({ beta, latent_dim }) => change({ beta, latent_dim }));
  const chooser = digitChooser([...recorded.labels].map(Number), (image) => change({ image }));
  const digit = digitPanel();
  const reset = button("Reset", () => change(model.get("_defaults")));
  const problem = h("p", { class: "vaelab-problem", role: "status", hidden: true });
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-beta-latent", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  root.append(
    ...heading("β × latent dimension", SUGGESTIONS, reset, stage.toggle),
    problem,
    controls.el,
    ...averages.parts,
    h("div", { class: "vaelab-pair" }, prior.el, captioned("Distortion against rate", plot.el)),
    chooser.el,
    ...digit.parts,
    live.el,
  );

  let models = null; // until the data are there, recorded figures are all there is
  const picturesSoon = afterDrawing(() => showPictures());
  const vae = () => models.vae(model.get("beta"), model.get("latent_dim"));
  function showChoice() {
    const isChosen = (figures) =>
      figures.beta === model.get("beta") && figures.latent_dim === model.get("latent_dim");
    const figures = recorded.settings.find(isChosen);
    controls.set(figures);
    averages.show(figures);
    plot.update(figures);
    live.say(announcement(figures));
    picturesSoon.ask();
  }
  function showPrior() {
    if (models) prior.show(vae(), model.get("seed"));
  }
  function showPictures() {
    if (!models) return;
    showPrior();
    digit.show(vae(), models.image(model.get("image")));
  }
  function showImage() {
    chooser.set(model.get("image"));
    if (models) chooser.show(models);
    picturesSoon.ask();
  }
  function showData() {
    if (!model.get("_data") || models) return;
    models = readModels(model.get("_data"));
    chooser.show(models);
    showPictures();
  }
  function showProblem() {
    problem.textContent = model.get("_problem");
    problem.hidden = !model.get("_problem");
  }

  const listeners = {
    "change:beta": showChoice,
    "change:latent_dim": showChoice,
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
      picturesSoon.stop();
      plot.stop();
      live.stop();
    },
  };
}
