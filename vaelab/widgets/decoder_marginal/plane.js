// The plane of latents: where p(x | z) p(z) lies, the prior's rings, and a point to drag.

const PLANE_STEP = 0.05; // what a drag rounds to
const KEY_STEP = 0.1;
const KEY_STRIDE = 0.5; // with Shift
const PLANE_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
// The book's colour of the posterior, which does on either theme: how opaque it is is the data.
const POSTERIOR_RGB = [0, 158, 115];

/** A latent within the plane, on multiples of `step` if one is given. */
function withinPlane(z, reach, step) {
  return z.map((value) => {
    const rounded = step ? Math.round(value / step) * step : value;
    return Number(Math.min(reach, Math.max(-reach, rounded)).toFixed(4)) + 0;
  });
}

/** Which of a lattice's points lies at each pixel of the plane's picture, row by row from above. */
function planePixels({ places, step }, reach) {
  const steps = Math.floor(reach / step + 1e-9);
  const side = 2 * steps + 1;
  const points = new Int32Array(side * side);
  places.forEach(([i, j], k) => {
    if (Math.max(Math.abs(i), Math.abs(j)) <= steps) points[(steps - j) * side + (i + steps)] = k;
  });
  return { side, points };
}

/**
 * The line along which a field equals `level`, by marching squares.
 * @param {Float64Array} field  side x side values
 * @returns {number[][]}  pieces [x, y, x, y], in steps from the first value's place
 */
function contour(field, side, level) {
  const pieces = [];
  const cuts = [];
  const cut = (from, to) => {
    const [p, q] = [field[from], field[to]];
    if (p >= level === q >= level) return;
    const part = (level - p) / (q - p);
    const [column, row] = [from % side, Math.floor(from / side)];
    cuts.push(...(to === from + 1 ? [column + part, row] : [column, row + part]));
  };
  for (let row = 0; row < side - 1; row++) {
    const end = (row + 1) * side - 1;
    let upper = field[row * side] >= level; // whether the left corners are inside
    let lower = field[(row + 1) * side] >= level;
    for (let at = row * side; at < end; at++) {
      const nextUpper = field[at + 1] >= level;
      const nextLower = field[at + side + 1] >= level;
      const isWhole = upper === lower && upper === nextUpper && upper === nextLower;
      upper = nextUpper;
      lower = nextLower;
      if (isWhole) continue; // nearly all are
      const [right, below, across] = [at + 1, at + side, at + side + 1];
      cuts.length = 0;
      cut(at, right);
      cut(right, across);
      cut(below, across);
      cut(at, below);
      for (let i = 0; i + 3 < cuts.length; i += 4) pieces.push(cuts.slice(i, i + 4));
    }
  }
  return pieces;
}

function svg(tag, attributes = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

/** Rings of the prior and the border of the region, in a box from -reach to reach. */
function planeDrawing(reach) {
  const region = svg("path", { class: "region" });
  const drawing = svg(
    "svg",
    { viewBox: `${-reach} ${-reach} ${2 * reach} ${2 * reach}`, "aria-hidden": "true" },
    svg("path", { class: "axis", d: `M${-reach} 0H${reach}M0 ${-reach}V${reach}` }),
    ...[1, 2, 3].map((radius) => svg("circle", { r: radius, class: "prior" })),
    region,
  );
  return { drawing, region };
}

/** The axes' numbers and names: text of the page, whose size does not change with the plane's. */
function planeNumbers(reach) {
  const number = (tick, axis, text) =>
    h("span", { class: `vaelab-tick-${axis}`, style: `--at: ${50 + (50 * tick) / reach}%` }, text);
  const ticks = [-4, -2, 0, 2, 4].map((tick) => [tick, formatNumber(tick, 0)]);
  const end = 0.95 * reach;
  return h(
    "div",
    { class: "vaelab-ticks", "aria-hidden": "true" },
    [...ticks, [end, "z\u2081"]].map(([tick, text]) => number(tick, "x", text)),
    [...ticks, [end, "z\u2082"]].map(([tick, text]) => number(tick, "y", text)),
  );
}

/**
 * @param {number} reach  how far the plane goes each way
 * @param {(z: number[]) => void} onMove  told where the point is put, at every step
 * @param {() => void} onEnd  told when a pointer has let go
 */
function latentPlane({ reach, onMove, onEnd }) {
  const heat = h("canvas", { width: 1, height: 1 });
  const { drawing, region } = planeDrawing(reach);
  const handle = h("button", { type: "button", class: "vaelab-handle", ...OWN_KEYS });
  const el = h("div", { class: "vaelab-plane" }, heat, drawing, planeNumbers(reach), handle);
  let z = [0, 0];
  let pointer = null;
  let picture = null; // once there is a lattice

  function set(next) {
    z = next;
    const [x, y] = z.map((value) => (value + reach) / (2 * reach));
    handle.style.insetInlineStart = `${100 * x}%`;
    handle.style.insetBlockEnd = `${100 * y}%`;
    const where = z.map((value) => formatNumber(value)).join(", ");
    handle.setAttribute("aria-label", `z = (${where}). Arrow keys move it, with Shift further.`);
  }
  const zAt = ({ clientX, clientY }) => {
    const box = el.getBoundingClientRect();
    const across = (clientX - box.left) / box.width;
    const down = (clientY - box.top) / box.height;
    return withinPlane([(2 * across - 1) * reach, (1 - 2 * down) * reach], reach, PLANE_STEP);
  };
  el.addEventListener("pointerdown", (event) => {
    // A finger beside the point may mean to scroll: it moves the point when it taps.
    if (event.button !== 0 || (event.pointerType === "touch" && event.target !== handle)) return;
    pointer = event.pointerId;
    el.setPointerCapture(pointer);
    if (event.target !== handle) onMove(zAt(event));
  });
  el.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) onMove(zAt(event));
  });
  const lift = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    handle.focus({ preventScroll: true });
    onEnd();
  };
  el.addEventListener("pointerup", lift);
  el.addEventListener("pointercancel", lift);
  el.addEventListener("click", (event) => {
    if (event.pointerType !== "touch" || event.target === handle) return;
    onMove(zAt(event));
    onEnd();
  });
  handle.addEventListener("keydown", (event) => {
    const move = PLANE_MOVES[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const step = event.shiftKey ? KEY_STRIDE : KEY_STEP;
    onMove(withinPlane(z.map((value, axis) => value + move[axis] * step), reach));
  });

  function prepare(lattice) {
    const { side, points } = planePixels(lattice, reach);
    heat.width = heat.height = side;
    const context = heat.getContext("2d", { willReadFrequently: true });
    const image = context.createImageData(side, side);
    for (let i = 0; i < points.length; i++) image.data.set(POSTERIOR_RGB, 4 * i);
    return { side, points, context, image, field: new Float64Array(points.length) };
  }
  /** Shade by the square root of the share, so that its foot is seen too. */
  function show(lattice, { shares, logLikelihood, level, mostShare }) {
    picture ??= prepare(lattice);
    const { side, points, context, image, field } = picture;
    const { data } = image;
    for (let i = 0; i < points.length; i++) {
      field[i] = logLikelihood[points[i]];
      data[4 * i + 3] = Math.round(255 * Math.sqrt(shares[points[i]] / mostShare));
    }
    context.putImageData(image, 0, 0);
    const place = (steps) => ((steps - (side - 1) / 2) * lattice.step).toFixed(2);
    const path = contour(field, side, level).map(
      ([x, y, x2, y2]) => `M${place(x)} ${place(y)}L${place(x2)} ${place(y2)}`,
    );
    region.setAttribute("d", path.join(""));
  }
  set(z);
  return { el, set, show };
}
