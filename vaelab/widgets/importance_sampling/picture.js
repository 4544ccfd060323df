// The picture: posterior, prior and proposal, the draws and their weights; in it, the handles.

const REACH = 4.5; // of the latents that are shown, each way from 0
const MOST_MEAN = 4;
const [LEAST_WIDTH, MOST_WIDTH] = [0.05, 3];
const OUTSIDE = 0.9; // from a width to its handle in the plane, so that handles lie apart

const across = (z) => (50 * (z + REACH)) / REACH; // percent
const rounded = (value) => Number((Math.round(value * 100) / 100).toFixed(2)) + 0;
const withinMean = (value) => rounded(Math.min(MOST_MEAN, Math.max(-MOST_MEAN, value)));
const withinWidth = (value) => rounded(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, value)));

/** Dots as one path, whose round ends are what is seen of it. */
function dotsOf(count, x, y) {
  let path = "";
  for (let i = 0; i < count; i++) path += `M${x(i).toFixed(1)} ${y(i).toFixed(1)}h0`;
  return path;
}

/** Circles as one path. `radius(i)` in pixels; those under `least` are left out. */
function circlesOf(count, x, y, radius, least) {
  let path = "";
  for (let i = 0; i < count; i++) {
    const r = radius(i);
    if (r < least) continue;
    const size = r.toFixed(1);
    const way = (2 * r).toFixed(1);
    path += `M${(x(i) - r).toFixed(1)} ${y(i).toFixed(1)}a${size} ${size} 0 1 0 ${way} 0a${size} ${size} 0 1 0 -${way} 0`;
  }
  return path;
}

/** Numbers along an axis within the picture. */
function axisNumbers(place, y, words) {
  const ticks = [-4, -2, 0, 2, 4].map((tick) => [tick, formatNumber(tick, 0)]);
  return [...ticks, [3.2, words]].map(([z, text]) => mark("text", { x: place(z), y, "text-anchor": "middle" }, text));
}

/**
 * @param {(values: object) => void} onMove  told the state's new values, at every step
 * @param {() => void} onEnd  told when a pointer has let go
 */
function proposalPicture({ onMove, onEnd }) {
  let shown = null; // { known, sampler }
  let heat = null; // of the target in the plane, as the address of a picture
  const painting = chart("vaelab-picture", (size) => {
    if (!shown) return [];
    return shown.known.target.d === 1 ? paintLine(size, shown) : paintPlane(size, { ...shown, heat });
  });
  const el = h("div", { class: "vaelab-box" }, painting.el);
  const unit = () => el.clientWidth / (2 * REACH);
  let start = null;
  const now = () => shown.known.proposal;
  const named = (kind, values) =>
    Object.fromEntries(values.map((value, i) => [`${kind}${i + 1}`, value]).filter(([, value]) => value !== undefined));

  const common = { box: el, unit, onEnd, onStart: () => (start = now()) };
  const mean = dragHandle({
    ...common,
    name: "mean",
    onDrag: (by) => onMove(named("mean", start.mean.map((m, i) => withinMean(m + by[i])))),
    onKey: (by, far) => onMove(named("mean", now().mean.map((m, i) => withinMean(m + by[i] * (far ? 0.5 : 0.1))))),
  });
  const widths = [0, 1].map((axis) =>
    dragHandle({
      ...common,
      name: `width${axis + 1}`,
      hollow: true,
      onDrag: (by) => onMove({ [`width${axis + 1}`]: withinWidth(start.width[axis] + by[axis]) }),
      onKey: ([x, y], far) =>
        onMove({ [`width${axis + 1}`]: withinWidth(now().width[axis] + (x + y) * (far ? 0.25 : 0.05)) }),
    }),
  );

  function placeHandles({ target, proposal }) {
    const where = proposal.mean.map((value) => formatNumber(value)).join(", ");
    const keys = "Arrow keys move it, with Shift further.";
    const [m, w] = [proposal.mean, proposal.width];
    const said = (axis) =>
      `Proposal’s deviation${target.d === 2 ? ` along z${axis + 1}` : ""}: ${w[axis].toFixed(2)}. ${keys}`;
    if (target.d === 1) {
      widths[1].el.remove();
      const { top, density } = lineScale(target);
      mean.set(across(m[0]), 100 * LINE_BASE, `Proposal’s mean: ${where}. ${keys}`);
      const height = density(w[0], Math.exp(-0.5));
      widths[0].set(across(m[0] + w[0]), 100 * (LINE_BASE - Math.min(1, height) * (LINE_BASE - top)), said(0));
      return;
    }
    if (!widths[1].el.isConnected) el.append(widths[1].el); // moved anew it would lose the focus
    mean.set(across(m[0]), 100 - across(m[1]), `Proposal’s mean: (${where}). ${keys}`);
    widths[0].set(across(m[0] + w[0] + OUTSIDE), 100 - across(m[1]), said(0));
    widths[1].set(across(m[0]), 100 - across(m[1] + w[1] + OUTSIDE), said(1));
  }
  let drawnTarget = null;
  function show(known, sampler) {
    shown = { known, sampler };
    if (known.target !== drawnTarget) {
      drawnTarget = known.target;
      heat = known.target.d === 2 ? heatPicture(known.target) : null;
    }
    placeHandles(known);
    painting.draw();
  }
  return { el, show, stop: painting.stop };
}
