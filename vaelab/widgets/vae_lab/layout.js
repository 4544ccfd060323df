// Where the parts of the lab stand: the two spaces, and beside or below them what is measured.

/** A line of what each colour and stroke stands for. */
function legendList(rows) {
  const items = rows.map(([colour, shape, words]) =>
    h("span", {}, h("i", { class: `vaelab-key-${shape}`, style: `color: var(--${colour})` }), words),
  );
  return h("p", { class: "vaelab-legend" }, items);
}

function labBench({ plane, tools, bridge: between, latent, notes, numbers, bound, distances }) {
  const spaces = h(
    "div",
    { class: "vaelab-spaces" },
    h("div", {}, captioned("Data space", plane), h("div", { class: "vaelab-tools" }, tools)),
    between,
    h("div", {}, captioned("Latent space", latent), notes),
  );
  const curves = h(
    "div",
    { class: "vaelab-curves" },
    captioned("The bound and what it bounds", bound),
    captioned("The two KLs", distances),
  );
  const readings = h("div", { class: "vaelab-readings" }, numbers, curves, legendList(CURVE_LEGEND));
  return h("div", { class: "vaelab-bench" }, spaces, readings);
}
