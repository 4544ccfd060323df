// Where one image's log p(x) stands among those of the held-out digits.

/** The ends of an axis that holds all of `values`, on multiples of `step`, and its ticks. */
function axisOver(values, step) {
  const least = Math.floor(Math.min(...values) / step) * step;
  const most = Math.ceil(Math.max(...values) / step) * step;
  const ticks = Array.from({ length: Math.round((most - least) / step) + 1 }, (_, i) => least + i * step);
  return { least, most, ticks, place: (value) => Math.max(0, (value - least) / (most - least)) };
}

/** A strip with a line for each held-out digit and a marker for this image. */
function standingPanel() {
  const lines = svg("path");
  const box = { class: "vaelab-lines", viewBox: "0 0 1 1", preserveAspectRatio: "none" };
  const ticks = h("div");
  const marker = h("div", { class: "vaelab-marker", hidden: true });
  const words = h("p", { class: "vaelab-unit" }, "Being computed \u2026");
  const strip = h("div", { class: "vaelab-strip", "aria-hidden": "true" }, svg("svg", box, lines), ticks, marker);
  const el = h("div", { class: "vaelab-standing" }, captioned("log p(x) among held-out digits", strip), words);
  const at = (place) => `--at: ${(100 * place).toFixed(2)}%`;
  let all = null;
  let axis = null;

  function setAll(values) {
    all = values;
    axis = axisOver(values, 5);
    lines.setAttribute("d", Array.from(values, (value) => `M${axis.place(value).toFixed(4)} 0v1`).join(""));
    ticks.replaceChildren(
      ...axis.ticks.map((tick) => h("span", { style: at(axis.place(tick)) }, formatNumber(tick, 0))),
    );
  }
  function show(logMarginal) {
    if (!all) return;
    const beyond = logMarginal < axis.least;
    marker.hidden = false;
    marker.style = at(axis.place(logMarginal));
    marker.textContent = beyond ? "\u25c0" : "\u25bc";
    const above = all.filter((other) => other > logMarginal).length;
    const more = above === 1 ? "1 is" : `${above} are`;
    words.textContent = `Of ${all.length}, ${more} more probable than x${beyond ? ", which lies off the strip" : ""}.`;
  }
  return { el, setAll, show };
}
