// Two latents: the posterior as a heat map, the proposal as ellipses, draws as dots.

const HEAT_SIDE = 90;
const HEAVIEST_RADIUS = 0.022; // of the picture's width
// The book's colour of the posterior, which does on either theme: how opaque it is is the data.
const POSTERIOR_RGB = [0, 158, 115];

/** The posterior's density over the plane, by its square root, as the address of a picture. */
function heatPicture(target) {
  const canvas = h("canvas", { width: HEAT_SIDE, height: HEAT_SIDE });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(HEAT_SIDE, HEAT_SIDE);
  const peak = target.logMarginal + createPeak(target) - Math.log(target.humps);
  for (let row = 0, at = 0; row < HEAT_SIDE; row++) {
    for (let column = 0; column < HEAT_SIDE; column++, at += 4) {
      const z = [((column + 0.5) / HEAT_SIDE) * 2 * REACH - REACH, REACH - ((row + 0.5) / HEAT_SIDE) * 2 * REACH];
      image.data.set(POSTERIOR_RGB, at);
      image.data[at + 3] = Math.round(255 * Math.min(1, Math.exp(0.5 * (target.logJoint(z) - peak))));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function paintPlane({ width, height, em }, { known, sampler, heat }) {
  const { proposal } = known;
  const unit = width / (2 * REACH);
  const x = (z) => width / 2 + unit * z;
  const y = (z) => height / 2 - unit * z;
  const [cx, cy] = [x(proposal.mean[0]), y(proposal.mean[1])];
  const [w1, w2] = proposal.width;
  const ellipses = [1, 2].map((times) =>
    mark("ellipse", { class: "proposal", cx, cy, rx: times * unit * w1, ry: times * unit * w2 }),
  );
  const count = Math.min(PICTURED, sampler.tally.count);
  const { places, logWeights, tally } = sampler;
  const px = (i) => Math.min(2 * width, Math.max(-width, x(places[2 * i])));
  const py = (i) => Math.min(2 * height, Math.max(-height, y(places[2 * i + 1])));
  const radius = (i) => HEAVIEST_RADIUS * width * Math.exp(0.5 * (logWeights[i] - tally.largest));
  return [
    mark("image", { href: heat, width, height, preserveAspectRatio: "none" }),
    mark("path", { class: "grid", d: `M0 ${height / 2}H${width}M${width / 2} 0V${height}` }),
    ...[1, 2, 3].map((r) => mark("circle", { class: "prior", cx: width / 2, cy: height / 2, r: r * unit })),
    mark("path", { class: "draws in-plane", d: dotsOf(count, px, py) }),
    mark("path", { class: "heavy", d: circlesOf(count, px, py, radius, 1) }),
    ...ellipses,
    mark("path", { class: "proposal", d: `M${cx} ${cy}h${unit * (w1 + OUTSIDE)}M${cx} ${cy}v${-unit * (w2 + OUTSIDE)}` }),
    ...axisNumbers(x, height - 0.7 * em, "z₁"),
    ...[-2, 2, 4].map((tick) => mark("text", { x: 0.5 * em, y: y(tick) + 0.35 * em }, formatNumber(tick, 0))),
    mark("text", { x: 0.5 * em, y: y(3.2) }, "z₂"),
  ];
}
