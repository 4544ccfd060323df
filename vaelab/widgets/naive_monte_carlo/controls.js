// What the reader chooses: how many latents, how much noise, which rule; and what to do.

const FITTED = 0; // as the noise: the one that fits the data best

function settingControls({ noises, dims }, change, heldNoise) {
  const latentDim = slider({
    label: "Latent dimension",
    symbol: "d",
    values: dims,
    marks: [1, 5, 10, 15, 20],
    onChange: (value) => change({ latent_dim: value }),
  });
  const noise = slider({
    label: "Decoder’s noise",
    symbol: "s",
    values: noises,
    marks: [0.05, 0.1, 0.2, 0.4, 1],
    show: (value) => `${Number(value.toPrecision(3))}`,
    onChange: (value) => change({ noise: value }),
  });
  const kind = radioGroup({
    legend: "As d changes, the noise is",
    values: ["fitted", "held"],
    content: (value) => h("span", {}, value === "fitted" ? "fitted anew" : "held"),
    onChange: (value) => change({ noise: value === "fitted" ? FITTED : heldNoise() }),
    class: "vaelab-segments",
  });
  const set = (dim, held, deviation) => {
    latentDim.set(dim);
    noise.set(deviation);
    kind.set(held === FITTED ? "fitted" : "held");
  };
  return { dim: latentDim.el, noise: h("div", { class: "vaelab-noise" }, kind.el, noise.el), set };
}

function drawingControls({ tolerances }, act) {
  const run = button("Run", act.run, { class: "vaelab-button vaelab-run" });
  const tolerance = radioGroup({
    legend: "It looks converged when its standard error is under",
    values: tolerances,
    content: (value) => h("span", {}, `${value} nats`),
    onChange: act.tolerance,
    class: "vaelab-segments vaelab-tolerance",
  });
  const el = h(
    "div",
    { class: "vaelab-actions" },
    button("Draw one", act.step),
    run,
    button("Run until it looks converged", act.converge),
    button("Clear", act.clear),
    button("New seed", act.seed),
  );
  const setRunning = (running) => (run.textContent = running ? "Pause" : "Run");
  return { el, rule: tolerance.el, setTolerance: tolerance.set, setRunning };
}
