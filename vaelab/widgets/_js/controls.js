// Controls made of native inputs, so that keyboard, touch and screen readers work as usual.

let controlCount = 0;

// JupyterLab moves between cells on arrows and Enter, unless the focused element says this.
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

/** An element with attributes (or properties, where the value is a function) and children. */
function h(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") el[key] = value;
    else if (value === true) el.setAttribute(key, "");
    else if (value !== false && value != null) el.setAttribute(key, value);
  }
  el.append(...children.flat().filter((child) => child != null));
  return el;
}

function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "vaelab-button", onclick, ...OWN_KEYS, ...attributes }, label);
}

/** A range input over a list of values, each with a mark below. */
function slider({ label, symbol, values, onChange }) {
  const id = `vaelab-slider-${++controlCount}`;
  const input = h("input", {
    id,
    ...OWN_KEYS,
    type: "range",
    min: 0,
    max: values.length - 1,
    step: 1,
    oninput: () => onChange(values[input.valueAsNumber]),
  });
  const shown = h("output", { for: id, class: "vaelab-shown" });
  // Marks are for pointers; the input itself says its value to everybody else.
  const marks = values.map((value, i) =>
    h("span", { style: `--at: ${i / (values.length - 1)}`, onclick: () => onChange(value) }, `${value}`),
  );
  const el = h(
    "div",
    { class: "vaelab-field vaelab-slider" },
    h("label", { for: id }, label, " ", shown),
    input,
    h("div", { class: "vaelab-marks", "aria-hidden": "true" }, marks),
  );
  const set = (value) => {
    input.value = values.indexOf(value);
    input.setAttribute("aria-valuetext", `${symbol} = ${value}`);
    shown.textContent = `${symbol} = ${value}`;
  };
  return { el, set };
}

/** Radio buttons in a fieldset; `content(value)` is what each shows. */
function radioGroup({ legend, values, content, describe, onChange, class: extra = "" }) {
  const name = `vaelab-radio-${++controlCount}`;
  const inputs = new Map();
  const labels = values.map((value) => {
    const input = h("input", {
      ...OWN_KEYS,
      type: "radio",
      name,
      value,
      "aria-label": describe?.(value),
      onchange: () => onChange(value),
    });
    inputs.set(value, input);
    return h("label", {}, input, content(value));
  });
  const el = h(
    "fieldset",
    { class: `vaelab-field vaelab-radios ${extra}` },
    h("legend", {}, legend),
    h("div", {}, labels),
  );
  const set = (value) => {
    inputs.get(value).checked = true;
  };
  return { el, set };
}

/** A number whose full value is kept for whoever wants to copy or test it. */
function setNumber(el, value, digits = 2) {
  el.value = `${value}`;
  el.textContent = formatNumber(value, digits);
}

/** Fixed decimals, with a true minus sign and without "-0.00". */
function formatNumber(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** An 8 by 8 picture: ink where the value is 1, paper where it is 0. */
function tile() {
  const canvas = h("canvas", { width: 8, height: 8 });
  return h("span", { class: "vaelab-tile" }, canvas);
}

function paint(el, values) {
  const canvas = el.firstChild;
  // 64 pixels are quicker in memory than on a graphics card, which this option asks for.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(8, 8);
  // Black ink, as opaque as the pixel is likely; the dark theme inverts it.
  for (let i = 0; i < values.length; i++) image.data[4 * i + 3] = Math.round(255 * values[i]);
  context.putImageData(image, 0, 0);
}

/** A polite live region that waits until things settle, so a dragged slider does not chatter. */
function announcer(delay = 700) {
  const el = h("p", { class: "vaelab-hidden", "aria-live": "polite", "aria-atomic": "true" });
  let timer;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (el.textContent = text), delay);
  };
  return { el, say, stop: () => clearTimeout(timer) };
}
