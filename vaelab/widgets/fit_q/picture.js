// The picture: p(x, z) as a heat map, q as ellipses over it, and q's handles.

const REACH = 4; // of the latents that are shown, each way from 0
const HEAT_SIDE = 120;
const OUTSIDE = 0.55; // from a deviation to its handle, so that handles lie apart
// The book's colour of the posterior, which does on either theme: how opaque it is is the data.
const POSTERIOR_RGB = [0, 158, 115];
const DEGREE = Math.PI / 180;

const across = (z) => (50 * (z + REACH)) / REACH; // percent
const rounded = (value, digits = 2) => Number(value.toFixed(digits)) + 0;
const withinMean = (value) => rounded(clamp(value, -MOST_MEAN, MOST_MEAN));
const withinScale = (value) => rounded(clamp(value, LEAST_SCALE, MOST_SCALE));
const withinAngle = (degrees) => rounded(withinHalfTurn(degrees * DEGREE) / DEGREE, 1);

/** p(x, z) over the plane, by its square root, as the address of a picture. */
function heatPicture(target) {
  const canvas = h("canvas", { width: HEAT_SIDE, height: HEAT_SIDE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(HEAT_SIDE, HEAT_SIDE);
  const place = (i) => ((i + 0.5) / HEAT_SIDE) * 2 * REACH - REACH;
  const values = Float64Array.from({ length: HEAT_SIDE ** 2 }, (_, at) =>
    target.logJoint(place(at % HEAT_SIDE), -place(Math.floor(at / HEAT_SIDE))),
  );
  const peak = values.reduce((most, value) => Math.max(most, value), -Infinity);
  values.forEach((value, at) => {
    image.data.set(POSTERIOR_RGB, 4 * at);
    image.data[4 * at + 3] = Math.round(255 * Math.exp(0.5 * (value - peak)));
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

/** Where q's handles are, from its mean: on its two axes, and beyond the first, backwards. */
function handlePlaces({ scale, angle }) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [r1, r2] = scale.map((s) => s + OUTSIDE);
  return { scale1: [cos * r1, sin * r1], scale2: [-sin * r2, cos * r2], turn: [-cos * r1, -sin * r1] };
}

function paintPlane({ width, height, em }, { q, rotated, path, heat }) {
  const unit = width / (2 * REACH);
  const x = (z) => width / 2 + unit * z;
  const y = (z) => height / 2 - unit * z;
  const [cx, cy] = [x(q.mean[0]), y(q.mean[1])];
  const turn = `rotate(${(-q.angle / DEGREE).toFixed(2)} ${cx} ${cy})`;
  const ellipses = [1, 2].map((times) =>
    mark("ellipse", { class: "q", cx, cy, rx: times * unit * q.scale[0], ry: times * unit * q.scale[1], transform: turn }),
  );
  const places = handlePlaces(q);
  const arms = Object.entries(places).filter(([name]) => rotated || name !== "turn");
  const armPath = arms.map(([, [dx, dy]]) => `M${cx} ${cy}l${unit * dx} ${-unit * dy}`).join("");
  const ticks = [-3, -2, -1, 1, 2, 3];
  return [
    mark("image", { href: heat, width, height, preserveAspectRatio: "none" }),
    mark("path", { class: "grid", d: `M0 ${height / 2}H${width}M${width / 2} 0V${height}` }),
    ...(path ? [mark("path", { class: "trail", d: pathOf(path.length, (i) => x(path[i][0]), (i) => y(path[i][1])) })] : []),
    ...ellipses,
    mark("path", { class: "arm", d: armPath }),
    ...ticks.map((z) => mark("text", { x: x(z), y: height - 0.6 * em, "text-anchor": "middle" }, formatNumber(z, 0))),
    ...ticks.map((z) => mark("text", { x: 0.5 * em, y: y(z) + 0.35 * em }, formatNumber(z, 0))),
    mark("text", { x: width - 1.6 * em, y: height - 0.6 * em }, "z₁"),
    mark("text", { x: 0.5 * em, y: 1.3 * em }, "z₂"),
  ];
}

/**
 * @param {(values: object) => void} onMove  told the state's new values, at every step
 * @param {() => void} onEnd  told when a pointer has let go
 */
function fitPicture({ onMove, onEnd }) {
  let shown = null; // { target, q, rotated, path }
  let heat = null;
  let heated = null;
  let start = null;
  const painting = chart("vaelab-picture", (size) => (shown ? paintPlane(size, { ...shown, heat }) : []));
  const el = h("div", { class: "vaelab-box" }, painting.el);
  const common = {
    box: el,
    unit: () => el.clientWidth / (2 * REACH),
    onEnd,
    onStart: () => (start = shown.q),
  };
  const mean = dragHandle({
    ...common,
    name: "mean",
    onDrag: (by) => onMove({ mean1: withinMean(start.mean[0] + by[0]), mean2: withinMean(start.mean[1] + by[1]) }),
    onKey: (by, far) => {
      const [m1, m2] = shown.q.mean.map((value, i) => withinMean(value + by[i] * (far ? 0.5 : 0.1)));
      onMove({ mean1: m1, mean2: m2 });
    },
  });
  const scales = [0, 1].map((axis) =>
    dragHandle({
      ...common,
      name: `scale${axis + 1}`,
      hollow: true,
      onDrag: ([dx, dy]) => {
        const angle = start.angle + (axis * Math.PI) / 2;
        onMove({ [`scale${axis + 1}`]: withinScale(start.scale[axis] + dx * Math.cos(angle) + dy * Math.sin(angle)) });
      },
      onKey: ([x, y], far) =>
        onMove({ [`scale${axis + 1}`]: withinScale(shown.q.scale[axis] + (x + y) * (far ? 0.25 : 0.05)) }),
    }),
  );
  const turn = dragHandle({
    ...common,
    name: "turn",
    onDrag: ([dx, dy]) => {
      const [x, y] = handlePlaces(start).turn;
      if (Math.hypot(x + dx, y + dy) > 0.05) onMove({ angle: withinAngle(Math.atan2(-y - dy, -x - dx) / DEGREE) });
    },
    onKey: ([x, y], far) => onMove({ angle: withinAngle(shown.q.angle / DEGREE + (y - x) * (far ? 10 : 2)) }),
  });

  function placeHandles({ q, rotated }) {
    const keys = "Arrow keys move it, with Shift further.";
    const places = handlePlaces(q);
    const put = (handle, [dx, dy], label) =>
      handle.set(across(q.mean[0] + dx), 100 - across(q.mean[1] + dy), `${label}. ${keys}`);
    put(mean, [0, 0], `Mean of q: (${q.mean.map((value) => formatNumber(value)).join(", ")})`);
    scales.forEach((handle, axis) =>
      put(handle, places[`scale${axis + 1}`], `Deviation of q along its axis ${axis + 1}: ${q.scale[axis].toFixed(2)}`),
    );
    put(turn, places.turn, `Rotation of q: ${formatNumber(q.angle / DEGREE, 1)} degrees`);
    if (rotated !== (turn.el.parentNode === el)) rotated ? el.append(turn.el) : turn.el.remove();
  }
  function show(state) {
    shown = state;
    if (heated !== state.target) {
      heated = state.target;
      heat = heatPicture(heated);
    }
    placeHandles(state);
    painting.draw();
  }
  return { el, show, stop: painting.stop };
}
