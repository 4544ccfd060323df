// The code of a digit: an interval for each latent, which is also the choice of a latent.
// Latents stand in the order of their rate over held-out digits, the busiest first.

const CODE_REACH = 4; // of the scale, each way from 0
const CODE_LEGEND = "Bars: q, one and two deviations each way. Bands: the prior.";

/** Bars of one and two deviations about q's mean, for one latent; `i` is its place. */
function codeColumn(i, active) {
  return h(
    "span",
    { class: `vaelab-latent${active ? "" : " vaelab-idle"}` },
    h("span", { class: "vaelab-track" }, h("i", { class: "wide" }), h("i", { class: "narrow" }), h("b")),
    active ? null : h("em", {}, "idle"),
    h("small", {}, `${i}`),
  );
}

/** What is said of one latent. */
function describeLatent(i, { mean, deviation, kl, active }) {
  const numbers = `mean ${formatNumber(mean)}, deviation ${formatNumber(deviation)}, rate ${formatNumber(kl)} nats`;
  return `Latent ${i}: ${numbers}${active ? "" : ". Idle: it says nothing of any digit"}.`;
}

/**
 * @param {(unit: number) => void} onUnit  told which latent is chosen, 1 for the busiest
 */
function codePanel(onUnit) {
  const caption = h("p", { class: "vaelab-caption", "aria-hidden": "true" });
  const scale = h(
    "div",
    { class: "vaelab-scale", "aria-hidden": "true" },
    [-4, -2, 0, 2, 4].map((tick) =>
      h("span", { style: `--at: ${(tick + CODE_REACH) / (2 * CODE_REACH)}` }, formatNumber(tick, 0)),
    ),
  );
  const words = h("p", { class: "vaelab-unit vaelab-latent-words" });
  const legend = h("p", { class: "vaelab-unit" }, CODE_LEGEND);
  const place = h("div", { class: "vaelab-code-place" });
  const box = h("div", { class: "vaelab-code-box" }, scale, place);
  const el = h("div", { class: "vaelab-code" }, caption, box, words, legend);
  let built = null; // which figures the columns are for
  let group;
  let columns;
  let inputs;

  function build(figures) {
    built = figures;
    const units = figures.order.map((_, i) => i + 1);
    group = radioGroup({
      legend: "Latent to traverse",
      values: units,
      content: (unit) => codeColumn(unit, unit <= figures.active_units),
      onChange: onUnit,
      class: "vaelab-latents",
    });
    columns = [...group.el.querySelectorAll(".vaelab-latent")];
    inputs = [...group.el.querySelectorAll("input")];
    place.replaceChildren(group.el);
    caption.replaceChildren(
      "q(z | x): ",
      h("strong", {}, `${figures.active_units} of ${figures.latent_dim}`),
      figures.latent_dim === 1 ? " latent active" : " latents active",
    );
  }
  /** @param {object} q  mean, deviation and kl of each latent, in the model's own order */
  function show(figures, q, unit) {
    if (built !== figures) build(figures);
    const latents = figures.order.map((j, i) => ({
      mean: q.mean[j],
      deviation: q.deviation[j],
      kl: q.kl[j],
      active: i < figures.active_units,
    }));
    latents.forEach((latent, i) => {
      columns[i].style.setProperty("--mean", latent.mean.toFixed(3));
      columns[i].style.setProperty("--deviation", latent.deviation.toFixed(3));
      columns[i].classList.toggle("vaelab-above", latent.mean > CODE_REACH);
      columns[i].classList.toggle("vaelab-below", latent.mean < -CODE_REACH);
      inputs[i].setAttribute("aria-label", describeLatent(i + 1, latent));
    });
    group.set(unit);
    words.textContent = describeLatent(unit, latents[unit - 1]);
  }
  /** Without weights: how many latents there are, and how many are in use. */
  function showFigures(figures) {
    if (built !== figures) build(figures);
  }
  return { el, show, showFigures };
}
