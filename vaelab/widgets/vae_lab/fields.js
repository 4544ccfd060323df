// What is shown as shading: the model's density, the codes together, one point's true posterior.

const CELLS_ACROSS = 72; // of a shaded plane
const PRIOR_REACH = 4.5;

/**
 * p(x) over the data plane, row by row from above: the prior carried over by the decoder, with
 * the noise on top. For the eye: the cells round positions that quadrature does not.
 */
function modelDensity(vae, reach = DATA_REACH, cells = CELLS_ACROSS) {
  const axis = evenAxis(PRIOR_REACH, vae.latentDim === 1 ? 0.01 : 0.1);
  const means = latticeMeans(vae.decoder, vae.latentDim === 1 ? [axis] : [axis, axis]);
  const weights = axis.map((z) => Math.exp(-0.5 * z * z));
  const mass = new Float64Array(cells * cells);
  const cell = (2 * reach) / cells;
  let total = 0;
  for (let g = 0; g < means.length / 2; g++) {
    const column = g % axis.length;
    const weight = vae.latentDim === 1 ? weights[g] : weights[column] * weights[(g - column) / axis.length];
    total += weight;
    // Shared among the four cells around it.
    const [u, v] = [(means[2 * g] + reach) / cell - 0.5, (reach - means[2 * g + 1]) / cell - 0.5];
    const [i, j] = [Math.floor(u), Math.floor(v)];
    if (!(i >= 0 && j >= 0 && i < cells - 1 && j < cells - 1)) continue;
    const [a, b] = [u - i, v - j];
    mass[j * cells + i] += weight * (1 - a) * (1 - b);
    mass[j * cells + i + 1] += weight * a * (1 - b);
    mass[(j + 1) * cells + i] += weight * (1 - a) * b;
    mass[(j + 1) * cells + i + 1] += weight * a * b;
  }
  const spread = Math.exp(0.5 * vae.noiseLogVar[0]) / cell;
  return blur(mass, cells, spread).map((value) => value / (total * cell * cell));
}

/** A Gaussian blur of a square field; `spread` in cells. */
function blur(field, cells, spread) {
  const radius = Math.min(cells, Math.ceil(3 * spread));
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / spread) ** 2),
  );
  const total = kernel.reduce((sum, w) => sum + w, 0);
  const pass = (from, along, across) => {
    const to = new Float64Array(from.length);
    for (let row = 0; row < cells; row++) {
      for (let at = 0; at < cells; at++) {
        const value = from[row * across + at * along];
        if (value === 0) continue;
        const first = Math.max(0, at - radius);
        const last = Math.min(cells - 1, at + radius);
        for (let to_ = first; to_ <= last; to_++) {
          to[row * across + to_ * along] += (value * kernel[to_ - at + radius]) / total;
        }
      }
    }
    return to;
  };
  return pass(pass(field, 1, cells), cells, 1);
}

/** log p(x, z) of one point on a lattice over the latents, and the axis it is on. */
function jointOnLattice(vae, x, reach, cells) {
  const axis = Float64Array.from({ length: cells }, (_, i) => ((2 * i + 1) / cells - 1) * reach);
  const means = latticeMeans(vae.decoder, vae.latentDim === 1 ? [axis] : [axis, axis]);
  const precision = Math.exp(-vae.noiseLogVar[0]);
  const joint = new Float64Array(means.length / 2);
  for (let g = 0; g < joint.length; g++) {
    const column = g % cells;
    const slow = vae.latentDim === 1 ? 0 : axis[(g - column) / cells] ** 2;
    const [across, up] = [x[0] - means[2 * g], x[1] - means[2 * g + 1]];
    joint[g] = -0.5 * (slow + axis[column] ** 2 + precision * (across * across + up * up));
  }
  return { axis, joint };
}

/** p(z | x) by its greatest value, on a lattice over the latents. */
function truePosterior(vae, x, reach, cells) {
  const { axis, joint } = jointOnLattice(vae, x, reach, cells);
  const most = joint.reduce((best, value) => Math.max(best, value), -Infinity);
  return { axis, shares: joint.map((value) => Math.exp(value - most)) };
}

/** The codes of all points, averaged: the aggregate posterior of one latent, on an axis. */
function aggregate(codes, axis) {
  const density = new Float64Array(axis.length);
  const rows = codes.length / 2;
  for (let n = 0; n < rows; n++) {
    const [at, deviation] = [codes[2 * n], Math.exp(0.5 * codes[2 * n + 1])];
    for (let i = 0; i < axis.length; i++) {
      const away = (axis[i] - at) / deviation;
      if (Math.abs(away) < 9) density[i] += Math.exp(-0.5 * away * away) / (rows * deviation);
    }
  }
  return density.map((value) => value / Math.sqrt(2 * Math.PI));
}
