// The densities over z, and under them the two handles that move q.

const REACH = 4; // of z that is shown, each way from 0
const CURVE_POINTS = 320;
const BASE = 0.76; // where densities begin, as a share of the height from above
const TOP = 0.06;
const HANDLES_AT = 0.865;
const OUTSIDE = 0.6; // from a deviation to its handle, so that the two lie apart

const rounded = (value) => Number(value.toFixed(2)) + 0;
const withinMean = (value) => rounded(Math.min(MOST_MEAN, Math.max(-MOST_MEAN, value)));
const withinScale = (value) => rounded(Math.min(MOST_SCALE, Math.max(LEAST_SCALE, value)));
const placeOfPoint = (i) => -REACH + (2 * REACH * i) / CURVE_POINTS;

const posteriors = new WeakMap(); // by model
/** The posterior at the curve's points. */
function posteriorCurve(model) {
  if (!posteriors.has(model)) posteriors.set(model, drawnPosterior(model));
  return posteriors.get(model);
}

function drawnPosterior(model) {
  const values = Float64Array.from({ length: CURVE_POINTS + 1 }, (_, i) => Math.exp(model.logPosterior(placeOfPoint(i))));
  return { values, peak: values.reduce((most, value) => Math.max(most, value), 0) };
}

/** Places in a picture of this size. */
function placesOf({ width, height }, posterior) {
  const x = (z) => (width * (z + REACH)) / (2 * REACH);
  // Of the posterior's peak; what is higher leaves the picture.
  const y = (density) => height * (BASE - Math.min(1.3, (0.75 * density) / posterior.peak) * (BASE - TOP));
  const at = (i) => x(placeOfPoint(i));
  const gaussian = (mean, deviation) => (i) => y(Math.exp(logNormal(placeOfPoint(i), mean, deviation)));
  return { x, y, at, gaussian, base: height * BASE, count: CURVE_POINTS + 1 };
}

/** What stays as it is while q moves. */
function paintModel(size, posterior) {
  const { width, height, em } = size;
  const { x, y, at, gaussian, base, count } = placesOf(size, posterior);
  const text = (z, words) => mark("text", { x: x(z), y: height - 0.5 * em, "text-anchor": "middle" }, words);
  return [
    mark("path", { class: "grid", d: `M0 ${base}H${width}M${x(0)} 0V${base}` }),
    mark("path", { class: "posterior", d: bandOf(count, at, () => base, (i) => y(posterior.values[i])) }),
    mark("path", { class: "prior", d: pathOf(count, at, gaussian(0, 1)) }),
    ...[-3, -2, -1, 0, 1, 2, 3].map((z) => text(z, formatNumber(z, 0))),
    text(3.7, "z"),
  ];
}

function paintQ(size, q, posterior) {
  const { x, at, gaussian, base, count } = placesOf(size, posterior);
  const curve = pathOf(count, at, gaussian(q.mean, q.scale));
  const bar = size.height * HANDLES_AT;
  const end = q.mean + q.scale + OUTSIDE;
  return [
    mark("path", { class: "q-area", d: `${curve}L${size.width} ${base}L0 ${base}Z` }),
    mark("path", { class: "q", d: curve }),
    mark("path", { class: "arm", d: `M${x(q.mean)} ${bar}H${x(end)}M${x(q.mean)} ${base}V${bar}` }),
  ];
}

/**
 * @param {(values: object) => void} onMove  told the state's new values, at every step
 * @param {() => void} onEnd  told when a pointer has let go
 */
function densities({ onMove, onEnd }) {
  let shown = null; // { q, posterior }
  let start = null;
  let still = {}; // what was drawn of the model, and for which size
  const painting = chart("vaelab-picture", (size) => {
    if (!shown) return [];
    const { q, posterior } = shown;
    if (still.size !== size || still.posterior !== posterior) still = { size, posterior, marks: paintModel(size, posterior) };
    return [...still.marks, ...paintQ(size, q, posterior)];
  });
  const el = h("div", { class: "vaelab-box" }, painting.el);
  const common = {
    box: el,
    unit: () => el.clientWidth / (2 * REACH),
    onStart: () => (start = shown.q),
    onEnd() {
      start = null;
      onEnd();
    },
  };
  const mean = dragHandle({
    ...common,
    name: "mean",
    onDrag: ([dx]) => onMove({ mean: withinMean(start.mean + dx) }),
    onKey: ([x, y], far) => onMove({ mean: withinMean(shown.q.mean + (x + y) * (far ? 0.5 : 0.1)) }),
  });
  const width = dragHandle({
    ...common,
    name: "scale",
    hollow: true,
    onDrag: ([dx]) => onMove({ scale: withinScale(start.scale + dx) }),
    onKey: ([x, y], far) => onMove({ scale: withinScale(shown.q.scale + (x + y) * (far ? 0.25 : 0.05)) }),
  });
  const across = (z) => (50 * (z + REACH)) / REACH;

  function show({ q, model }) {
    shown = { q, posterior: posteriorCurve(model) };
    const keys = "Arrow keys move it, with Shift further.";
    mean.set(across(q.mean), 100 * HANDLES_AT, `Mean of q: ${formatNumber(q.mean)}. ${keys}`);
    const end = q.mean + q.scale + OUTSIDE;
    width.set(across(end), 100 * HANDLES_AT, `Deviation of q: ${formatNumber(q.scale)}. ${keys}`);
    painting.draw();
  }
  return { el, show, isHeld: () => start !== null, stop: painting.stop };
}
