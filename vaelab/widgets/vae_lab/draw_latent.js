// The space of latents: the prior, every point's q, and for the chosen point p(z | x) beside its q.

const LATENT_REACHES = [3.5, 5, 7, 10, 14, 20, 28, 40, 60];

/** How far the plane must go to hold nearly all codes. */
function latentReach(codes, latentDim) {
  const places = [];
  for (let n = 0; n < codes.length / (2 * latentDim); n++) {
    for (let j = 0; j < latentDim; j++) {
      const deviation = Math.min(2, Math.exp(0.5 * codes[(2 * n + 1) * latentDim + j]));
      places.push(Math.abs(codes[2 * n * latentDim + j]) + deviation);
    }
  }
  const most = places.length ? places.sort((a, b) => a - b)[Math.floor(0.98 * (places.length - 1))] : 0;
  return LATENT_REACHES.find((reach) => reach >= most) ?? LATENT_REACHES.at(-1);
}

const reachTicks = (reach) => {
  const step = reach < 5 ? 1 : reach < 8 ? 2 : reach < 20 ? 5 : 10;
  const last = Math.floor((0.9 * reach) / step);
  return Array.from({ length: 2 * last + 1 }, (_, i) => (i - last) * step);
};

function ellipse(context, { x, y, length }, codes, n, deviations) {
  const [m1, m2, v1, v2] = codes.subarray(4 * n, 4 * n + 4);
  const radius = (v) => Math.max(1.2, length(deviations * Math.exp(0.5 * v)));
  context.beginPath();
  context.ellipse(x(m1), y(m2), radius(v1), radius(v2), 0, 0, 2 * Math.PI);
  return Math.sqrt(radius(v1) * radius(v2));
}

function paintLatentGrid(context, { inks }, { x, y }) {
  const places = evenAxis(GRID_REACH, GRID_STEP);
  context.strokeStyle = inks.prior;
  for (const at of places) {
    for (const [from, to] of [[-3, -2], [-2, -1], [-1, 1], [1, 2], [2, 3]]) {
      const middle = (from + to) / 2;
      context.globalAlpha = (at === 0 ? 0.7 : 0.3) * presence(at * at + middle * middle);
      context.lineWidth = at === 0 ? 1.5 : 0.8;
      context.beginPath();
      context.moveTo(x(from), y(at));
      context.lineTo(x(to), y(at));
      context.moveTo(x(at), y(from));
      context.lineTo(x(at), y(to));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

function paintPriorRings(context, { inks }, { x, y, length }) {
  context.strokeStyle = inks.prior;
  context.lineWidth = 1.4;
  context.setLineDash([4, 4]);
  for (const radius of [1, 2, 3]) {
    context.beginPath();
    context.arc(x(0), y(0), length(radius), 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
}

/** Two latents: an ellipse at one standard deviation for each point. */
function paintLatentPlane(context, frame, { vae, codes, chosen, point, kept }) {
  const { side, inks } = frame;
  const reach = latentReach(codes, 2);
  const scale = planeScale(reach, side);
  paintLatentGrid(context, frame, scale);
  paintPriorRings(context, frame, scale);
  context.strokeStyle = inks.posterior;
  context.fillStyle = inks.posterior;
  context.lineWidth = 1;
  for (let n = 0; n < codes.length / 4; n++) {
    const size = ellipse(context, scale, codes, n, 1);
    const solid = Math.min(1, 12 / (size * size)); // what is small is drawn full
    context.globalAlpha = 0.06 + 0.8 * solid;
    context.fill();
    context.globalAlpha = 0.4 + 0.5 * solid;
    context.stroke();
  }
  context.globalAlpha = 1;
  if (point) {
    const { shares } = truePosterior(vae, point, reach, CELLS_ACROSS + 24);
    const cells = CELLS_ACROSS + 24;
    // The last latent runs fastest and the picture goes down: turn it.
    const turned = new Float64Array(shares.length);
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < cells; j++) turned[(cells - 1 - j) * cells + i] = 0.9 * Math.sqrt(shares[i * cells + j]);
    }
    paintHeat(context, turned, cells, inks.ink, [0, 0, side, side], kept);
    context.strokeStyle = inks.posterior;
    context.lineWidth = 3;
    for (const deviations of [1, 2]) {
      ellipse(context, scale, codes, chosen, deviations);
      context.stroke();
      context.lineWidth = 1.6;
    }
  }
  paintAxes(context, frame, scale, reachTicks(reach), ["z₁", "z₂"]);
}

function curve(context, axis, x, heights, base) {
  context.beginPath();
  axis.forEach((z, i) => context.lineTo(x(z), base - heights[i]));
}

/** One latent: the codes together above, the chosen point's below. */
function paintLatentLine(context, frame, { vae, codes, chosen, point }) {
  const { side, em, inks } = frame;
  const reach = latentReach(codes, 1);
  const { x } = planeScale(reach, side);
  const axis = Float64Array.from({ length: 281 }, (_, i) => ((i - 140) / 140) * reach);
  const prior = axis.map((z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI));
  const bases = [0.44 * side, side - 2.2 * em];
  const label = (words, base, height) => {
    context.fillStyle = inks.soft;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.fillText(words, 0.5 * em, base - height);
  };

  const together = aggregate(codes, axis);
  const most = Math.max(0.45, ...together);
  const up = (0.34 * side) / most;
  context.fillStyle = inks.posterior;
  context.strokeStyle = inks.posterior;
  context.lineWidth = 2;
  curve(context, axis, x, together.map((v) => v * up), bases[0]);
  context.stroke();
  context.lineTo(x(reach), bases[0]);
  context.lineTo(x(-reach), bases[0]);
  context.globalAlpha = 0.25;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = inks.prior;
  context.setLineDash([5, 4]);
  curve(context, axis, x, prior.map((v) => v * up), bases[0]);
  context.stroke();
  context.setLineDash([]);
  // Each q as a bar of one standard deviation each way.
  context.strokeStyle = inks.posterior;
  for (let n = 0; n < codes.length / 2; n++) {
    const deviation = Math.exp(0.5 * codes[2 * n + 1]);
    const top = bases[0] + 4 + (n % 10) * 0.0075 * side;
    context.globalAlpha = n === chosen ? 1 : 0.4;
    context.lineWidth = n === chosen ? 3 : 1.2;
    context.beginPath();
    context.moveTo(x(codes[2 * n] - deviation), top);
    context.lineTo(x(codes[2 * n] + deviation), top);
    context.stroke();
  }
  context.globalAlpha = 1;
  label("all codes together", bases[0], 0.36 * side);

  if (point) {
    const fine = Float64Array.from({ length: 561 }, (_, i) => ((i - 280) / 280) * reach);
    const { joint } = { joint: posteriorDensity(vae, point, fine) };
    const q = fine.map((z) => normalDensity(z, codes[2 * chosen], codes[2 * chosen + 1]));
    const tall = (0.3 * side) / Math.max(...joint, ...q);
    context.lineWidth = 2.4;
    context.fillStyle = inks.ink;
    curve(context, fine, x, joint.map((v) => v * tall), bases[1]);
    context.lineTo(x(reach), bases[1]);
    context.globalAlpha = 0.35;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = inks.posterior;
    curve(context, fine, x, q.map((v) => v * tall), bases[1]);
    context.stroke();
    label("the chosen point", bases[1], 0.32 * side);
  }
  context.strokeStyle = inks.line;
  context.lineWidth = 1;
  for (const base of bases) {
    context.beginPath();
    context.moveTo(0, base);
    context.lineTo(side, base);
    context.stroke();
  }
  paintAxes(context, frame, { x }, reachTicks(reach), ["z"]);
}

const normalDensity = (z, mean, logVar) =>
  Math.exp(-0.5 * (logVar + (z - mean) ** 2 * Math.exp(-logVar) + LOG_2PI));

/** p(z | x) on an even axis of one latent, normalised over it. */
function posteriorDensity(vae, x, axis) {
  const means = latticeMeans(vae.decoder, [axis]);
  const precision = Math.exp(-vae.noiseLogVar[0]);
  const joint = axis.map((z, i) => {
    const [across, up] = [x[0] - means[2 * i], x[1] - means[2 * i + 1]];
    return -0.5 * (z * z + precision * (across * across + up * up));
  });
  const most = joint.reduce((best, value) => Math.max(best, value), -Infinity);
  const shares = joint.map((value) => Math.exp(value - most));
  const total = shares.reduce((sum, value) => sum + value, 0) * (axis[1] - axis[0]);
  return shares.map((value) => value / total);
}
