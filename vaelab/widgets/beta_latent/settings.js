// The controls: a setting or two, what is looked at, and the digit.

const LETTERS = ["A", "B"];
// The traits of each setting.
const SETTING_KEYS = {
  A: { beta: "beta", latent_dim: "latent_dim" },
  B: { beta: "other_beta", latent_dim: "other_latent_dim" },
};

function letterBadge(letter) {
  return h("span", { class: "vaelab-letter", "aria-hidden": "true" }, letter);
}

/** β and the latent dimension of one setting. */
function settingControls(letter, recorded, change) {
  const keys = SETTING_KEYS[letter];
  const beta = slider({
    label: "Weight of the KL",
    symbol: "β",
    values: recorded.betas,
    onChange: (value) => change({ [keys.beta]: value }),
  });
  const latentDim = radioGroup({
    legend: "Latent dimension d",
    values: recorded.latent_dims,
    content: (value) => h("span", {}, `${value}`),
    onChange: (value) => change({ [keys.latent_dim]: value }),
    class: "vaelab-segments",
  });
  const el = h(
    "div",
    { class: "vaelab-setting", role: "group", "aria-label": `Setting ${letter}` },
    letterBadge(letter),
    beta.el,
    latentDim.el,
  );
  const set = (figures) => {
    beta.set(figures.beta);
    latentDim.set(figures.latent_dim);
  };
  return { el, set };
}

const TAB_MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/**
 * Tabs: one is shown, arrow keys go to the next.
 * @param {object[]} views  `name` and `label` of each
 * @param {Element} panel  where what is chosen is shown
 */
function tabList(views, panel, onChoose) {
  const id = uniqueName("tabs");
  const tabs = views.map(({ name, label }) =>
    button(label, () => onChoose(name), { name: id, id: `${id}-${name}`, role: "tab", "aria-controls": `${id}-panel` }),
  );
  panel.id = `${id}-panel`;
  panel.setAttribute("role", "tabpanel");
  const el = h("div", { class: "vaelab-tabs", role: "tablist", "aria-label": "What to look at" }, tabs);
  el.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(event.target);
    const move = TAB_MOVES[event.key];
    if (at < 0 || !move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const next = Math.min(tabs.length - 1, Math.max(0, at + move));
    tabs[next].focus();
    onChoose(views[next].name);
  });
  const set = (name) => {
    views.forEach((view, i) => {
      const isChosen = view.name === name;
      tabs[i].setAttribute("aria-selected", `${isChosen}`);
      tabs[i].tabIndex = isChosen ? 0 : -1;
      if (isChosen) panel.setAttribute("aria-labelledby", tabs[i].id);
    });
  };
  return { el, set };
}

/** The digit: drawn, or held out. */
function digitPanel(recorded, { change, onDraw, onEnd }) {
  const pad = digitPad({ label: "The digit x", onDraw, onEnd });
  const chooser = digitChooser(
    [...recorded.labels].map(Number),
    (image) => change({ image, drawing: "" }),
    "Or a digit the models have not seen",
  );
  const clear = button("Clear the pad", () => change({ drawing: "0".repeat(64) }));
  chooser.el.append(clear);
  const el = h("div", { class: "vaelab-digit" }, captioned("x: draw on it", pad.el), chooser.el);
  let chosen = "";
  /** @param {string} drawing  empty for a held-out digit */
  function set(image, drawing) {
    const next = `${image} ${drawing !== ""}`;
    if (next === chosen) return;
    chosen = next;
    chooser.set(image);
    if (drawing) chooser.clear(); // so that the digit can be chosen anew
  }
  return { el, set, ink: (x) => pad.set(x.join("")), show: chooser.show };
}
