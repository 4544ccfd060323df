// What the reader chooses, and what a step does.

const TARGET_WORDS = { linear: "linear", wavy: "wavy", modes: "two modes" };
const PARAMETER_WORDS = { mean: "mean m", "log-scale": "log scale" };
const BASELINE_WORDS = { none: "none", "batch-mean": "batch mean", "leave-one-out": "leave-one-out" };
const stepsOf = (least, most, step) =>
  Array.from({ length: Math.round((most - least) / step) + 1 }, (_, i) => Number((least + i * step).toFixed(2)));

/** Choices tell `change`, sliders `changeOften`. */
function settings(change, changeOften) {
  const segments = (legend, words, key) =>
    radioGroup({
      legend,
      values: Object.keys(words),
      content: (value) => h("span", {}, words[value]),
      onChange: (value) => change({ [key]: value }),
      class: "vaelab-segments",
    });
  const several = (key, label, symbol, values, marks, digits) =>
    slider({ label, symbol, values, marks, show: (value) => formatNumber(value, digits(value)), onChange: (value) => changeOften({ [key]: value }) });
  const plain = (value) => (Number.isInteger(value) ? 0 : Number.isInteger(Number((10 * value).toFixed(6))) ? 1 : 2);
  const rows = {
    target: segments("Decoder", TARGET_WORDS, "target"),
    parameter: segments("Gradient in", PARAMETER_WORDS, "parameter"),
    baseline: segments("Score function’s baseline", BASELINE_WORDS, "baseline"),
    constant: several("constant", "Added to f, nats", "c", stepsOf(-50, 50, 1), [-50, 0, 50], plain),
    mean: several("mean", "Mean of q", "m", stepsOf(-3, 3, 0.1), [-3, 0, 3], plain),
    scale: several("scale", "Deviation of q", "s", stepsOf(0.05, 3, 0.05), [0.05, 1, 2, 3], plain),
    draws: several("draws", "Draws a step", "K", [2, 4, 8, 16, 32], [2, 4, 8, 16, 32], plain),
  };
  const set = (state) => {
    for (const [key, row] of Object.entries(rows)) row.set(state[key]);
  };
  const pick = (...keys) => keys.map((key) => rows[key].el);
  return { choices: pick("target", "parameter", "baseline"), sliders: pick("constant", "draws", "mean", "scale"), set };
}

function stepping(act) {
  const run = button("Run", act.run, { class: "vaelab-button vaelab-run" });
  const el = h(
    "div",
    { class: "vaelab-actions" },
    button("One step", act.step),
    run,
    button("Clear", act.clear),
    button("New seed", act.seed),
  );
  return { el, setRunning: (running) => (run.textContent = running ? "Pause" : "Run") };
}
