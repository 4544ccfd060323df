// Controls made of native inputs, so that keyboard, touch and screen readers work as usual.

/** An id or a name for one control. Each widget of a page brings its own copy of this script. */
function uniqueName(kind) {
  globalThis.vaelabControls = (globalThis.vaelabControls ?? 0) + 1;
  return `vaelab-${kind}-${globalThis.vaelabControls}`;
}

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

/**
 * A range input over a list of values, with marks below. A value in between, which Python may
 * set, moves the thumb to the nearest.
 */
function slider({ label, symbol, values, marks = values, show = String, onChange }) {
  const id = uniqueName("slider");
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
  const nearest = (value) =>
    values.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(values[best] - value) ? i : best), 0);
  // Marks are for pointers; the input itself says its value to everybody else.
  const marked = marks.map((value) =>
    h(
      "span",
      { style: `--at: ${nearest(value) / (values.length - 1)}`, onclick: () => onChange(value) },
      show(value),
    ),
  );
  const el = h(
    "div",
    { class: "vaelab-field vaelab-slider" },
    h("label", { for: id }, label, " ", shown),
    input,
    h("div", { class: "vaelab-marks", "aria-hidden": "true" }, marked),
  );
  const set = (value) => {
    input.value = nearest(value);
    input.setAttribute("aria-valuetext", `${symbol} = ${show(value)}`);
    shown.textContent = `${symbol} = ${show(value)}`;
  };
  return { el, set };
}

/** Radio buttons in a fieldset; `content(value)` is what each shows. */
function radioGroup({ legend, values, content, describe, onChange, class: extra = "" }) {
  const name = uniqueName("radio");
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
  const clear = () => inputs.forEach((input) => (input.checked = false));
  return { el, set, clear };
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

/**
 * Call `run` at once, then at most every `delay` milliseconds while calls of soon() go on:
 * browsers refuse an address that changes hundreds of times in a few seconds.
 */
function atMostEvery(delay, run) {
  let timer;
  let waiting = false;
  const now = () => {
    clearTimeout(timer);
    waiting = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (waiting) now();
    }, delay);
    run();
  };
  const soon = () => {
    if (timer === undefined) now();
    else waiting = true;
  };
  const stop = () => {
    if (waiting) run();
    clearTimeout(timer);
  };
  return { now, soon, stop };
}
