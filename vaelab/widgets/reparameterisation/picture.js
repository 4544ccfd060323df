// The picture: f over the latent with the step's draws on it; below, what each draw says about
// the gradient, in both ways and at one scale.

const HALF_WINDOW = 3; // deviations of q that are shown at least, each way; then up to twice that
const CURVE_POINTS = 200;
const WITHIN = 2.5; // deviations of q over which all of f is to be seen
const LANE_WITHIN = 1.5; // deviations of a draw's gradient that a lane holds

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Which latents are shown: q moves within them, and they move on where it would leave. */
function windowOf({ mean, scale: deviation }) {
  const half = 2 ** Math.ceil(Math.log2(HALF_WINDOW * deviation) - 1e-9);
  const middle = Math.round((2 * mean) / half) * (half / 2);
  return { least: middle - half, most: middle + half };
}

/** A range with a little room at both ends. */
const roomy = (least, most, room = 0.08) => ({ least: least - room * (most - least), most: most + room * (most - least) });

/** What of f is shown: all of it where q is, and what it is measured from. */
function heightRange({ target, q, constant, anchor }) {
  let [least, most] = [anchor, anchor];
  for (let i = 0; i <= 40; i++) {
    const value = target.logJoint(q.mean + WITHIN * q.scale * (i / 20 - 1)) + constant;
    [least, most] = [Math.min(least, value), Math.max(most, value)];
  }
  return roomy(least, Math.max(most, least + 0.1));
}

/** One scale for both lanes: nought, the gradient, and most of the draws of either. */
function laneRange(exact) {
  const ends = WAYS.flatMap((way) => [-1, 1].map((side) => exact[way].mean + side * LANE_WITHIN * exact[way].deviation));
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  return roomy(least, Math.max(most, least + 1e-3), 0.02);
}

/** An arrow from one place to another, with a head of `size` unless it is shorter. */
function arrowPath(x1, y1, x2, y2, size) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const head = Math.min(size, length);
  const [ux, uy] = length ? [(x2 - x1) / length, (y2 - y1) / length] : [0, 0];
  const [bx, by] = [x2 - head * ux, y2 - head * uy];
  const side = 0.4 * head;
  const to = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${to(x1, y1)}L${to(bx, by)}M${to(x2, y2)}L${to(bx - side * uy, by + side * ux)}L${to(bx + side * uy, by - side * ux)}Z`;
}

/** One part of the picture: its y axis, its title, and room within which marks are cut off. */
function strip({ left, right, em }, top, bottom, range, title) {
  const y = scale(range, bottom, top);
  const near = (value) => clamp(y(value), -1e4, 1e4); // browsers draw no line to far places
  const [width, height] = [right - left, bottom - top];
  const frame = ticksOf(range, 4).flatMap(({ value, text }) => [
    mark("path", { class: "grid", d: `M${left} ${y(value).toFixed(1)}H${right}` }),
    mark("text", { x: left - 0.5 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, text),
  ]);
  const name = mark("text", { class: "words", x: left, y: top - 0.55 * em }, title);
  const inside = (...marks) =>
    mark("svg", { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` }, ...marks);
  const across = (value) => `M${left} ${near(value).toFixed(1)}H${right}`;
  return { y: near, top, bottom, frame: [...frame, name], inside, across };
}

function paintHeights(place, { target, q, constant, anchor, drawn }) {
  const { em, x, at } = place;
  const curve = pathOf(CURVE_POINTS + 1, (i) => x(at(i)), (i) => place.y(target.logJoint(at(i)) + constant));
  const density = (z) => Math.exp(-0.5 * ((z - q.mean) / q.scale) ** 2);
  const high = 0.3 * (place.bottom - place.top);
  const hill = bandOf(CURVE_POINTS + 1, (i) => x(at(i)), () => place.bottom, (i) => place.bottom - high * density(at(i)));
  const marks = [mark("path", { class: "q", d: hill }), mark("path", { class: "f", d: curve })];
  marks.push(mark("path", { class: "anchor", d: place.across(anchor) }));
  if (!drawn) return marks;
  const perUnit = [x(1) - x(0), place.y(1) - place.y(0)];
  let [stems, tangents] = ["", ""];
  drawn.z.forEach((z, k) => {
    const [cx, cy] = [x(z), place.y(drawn.values[k])];
    stems += `M${cx.toFixed(1)} ${place.y(drawn.values[k] - drawn.weights[k]).toFixed(1)}V${cy.toFixed(1)}`;
    const uphill = Math.sign(drawn.slopes[k]);
    const [dx, dy] = [uphill * perUnit[0], uphill * perUnit[1] * drawn.slopes[k]];
    const length = (2.4 * em) / Math.hypot(dx, dy);
    tangents += arrowPath(cx, cy, cx + length * dx, cy + length * dy, 0.5 * em);
  });
  const dots = Array.from(drawn.z, (z, k) =>
    mark("circle", { class: "draw", r: 3, cx: x(z).toFixed(1), cy: place.y(drawn.values[k]).toFixed(1) }),
  );
  return [...marks, mark("path", { class: "stem", d: stems }), mark("path", { class: "tangent", d: tangents }), ...dots];
}

/** A gradient as a function of the draw, its arrows, and the exact one. */
function paintLane(place, way, { parameter, exact, guide, drawn }) {
  const { x, at } = place;
  const guidePath = pathOf(CURVE_POINTS + 1, (i) => x(at(i)), (i) => place.y(guide(at(i))));
  const marks = [
    mark("path", { class: `guide ${way}`, d: guidePath }),
    mark("path", { class: "zero", d: place.across(0) }),
  ];
  if (drawn) {
    let arrows = "";
    drawn.z.forEach((z, k) => {
      arrows += arrowPath(x(z), place.y(0), x(z), place.y(drawn[way][parameter][k]), 0.55 * place.em);
    });
    marks.push(mark("path", { class: `arrow ${way}`, d: arrows }));
  }
  marks.push(mark("path", { class: "truth", d: place.across(exact.gradient) }));
  return marks;
}

function paintPicture({ width, height, em }, shown) {
  const { q, parameter, moments, drawn, target, constant, baseline } = shown;
  const exact = moments[parameter];
  const level = drawn ? averageOf(drawn.values) : moments.level;
  const anchor = baseline === "none" ? 0 : level;
  const sides = { left: 3.6 * em, right: width - 1.4 * em, em };
  const latents = windowOf(q);
  const x = scale(latents, sides.left, sides.right);
  const at = (i) => latents.least + (latents.most - latents.least) * (i / CURVE_POINTS);
  const room = height - 9.2 * em; // less three titles and the axis
  const cuts = [0.46, 0.27, 0.27].map((share) => share * room);
  const tops = [1.8 * em, 4.2 * em + cuts[0], 6.6 * em + cuts[0] + cuts[1]];
  const range = laneRange(exact);
  const places = [heightRange({ target, q, constant, anchor }), range, range].map((each, i) => ({
    ...strip(sides, tops[i], tops[i] + cuts[i], each, shown.titles[i]),
    ...{ em, x, at },
  }));
  const [heights, ...lanes] = places;
  const noise = (z) => (z - q.mean) / q.scale;
  const guides = {
    reparameterised: (z) => reparameterised[parameter](target.slope(z), q, noise(z)),
    score: (z) => (target.logJoint(z) + constant - anchor) * scoreOf[parameter](q, noise(z)) + entropyGradient[parameter],
  };
  const bottom = lanes[1].bottom;
  const threads = drawn ? Array.from(drawn.z, (z) => `M${x(z).toFixed(1)} ${tops[0]}V${bottom}`).join("") : "";
  const averages = WAYS.map((way, i) => {
    if (!drawn) return null;
    const cy = clamp(lanes[i].y(averageOf(drawn[way][parameter])), lanes[i].top, lanes[i].bottom);
    return mark("circle", { class: `average ${way}`, r: 4.5, cx: sides.right, cy: cy.toFixed(1) });
  });
  return [
    ...places.flatMap((place) => place.frame),
    mark("path", { class: "thread", d: threads }),
    heights.inside(...paintHeights(heights, { target, q, constant, anchor, drawn })),
    ...WAYS.map((way, i) => lanes[i].inside(...paintLane(lanes[i], way, { parameter, exact, guide: guides[way], drawn }))),
    ...averages.filter(Boolean),
    ...ticksOf(latents, 4).map(({ value, text }) => mark("text", { x: x(value), y: bottom + 1.3 * em, "text-anchor": "middle" }, text)),
    mark("text", { x: sides.right, y: bottom + 2.4 * em, "text-anchor": "end" }, "latent z →"),
  ];
}

function gradientPicture() {
  let shown = null;
  const drawn = chart("vaelab-two-ways", (size) => (shown ? paintPicture(size, shown) : []));
  const show = (next) => {
    shown = next;
    drawn.draw();
  };
  return { el: drawn.el, show, stop: drawn.stop };
}
