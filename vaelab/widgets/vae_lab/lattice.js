// Decoded means over a lattice of latents. exp(a + b) = exp(a) exp(b), so a lattice costs
// exponentials along its axes alone; the rest is multiplication.

const MOST_EXPONENT = 300; // beyond, a product of two exponentials might not be finite

/** 2 k + 1 points from -reach to reach, with steps of about `step`. */
function evenAxis(reach, step) {
  const steps = 2 * Math.max(1, Math.ceil(reach / step / 2));
  return Float64Array.from({ length: 2 * steps + 1 }, (_, i) => ((i - steps) * reach) / steps);
}

/**
 * @param {object[]} decoder  of one latent or two
 * @param {Float64Array[]} axes  one array of coordinates for each latent
 * @returns {Float64Array}  DATA_DIM numbers a point; the last latent runs fastest
 */
function latticeMeans([first, second], axes) {
  const [rows, columns] = axes.length === 1 ? [new Float64Array(1), axes[0]] : axes;
  const means = new Float64Array(DATA_DIM * rows.length * columns.length);
  for (let i = 0; i < means.length; i++) means[i] = second.bias[i % DATA_DIM];
  const hidden = first.bias.length;
  const [low, high] = [new Float64Array(rows.length), new Float64Array(columns.length)];
  for (let k = 0; k < hidden; k++) {
    const [slow, fast] =
      axes.length === 1 ? [0, first.weight[k]] : [first.weight[2 * k], first.weight[2 * k + 1]];
    let most = 0;
    rows.forEach((z, i) => (low[i] = 2 * (slow * z + first.bias[k])));
    columns.forEach((z, j) => (high[j] = 2 * fast * z));
    for (const part of [low, high]) for (const value of part) most = Math.max(most, Math.abs(value));
    const [a, b] = [second.weight[k], second.weight[hidden + k]];
    if (most <= MOST_EXPONENT) {
      for (const part of [low, high]) for (let i = 0; i < part.length; i++) part[i] = Math.exp(part[i]);
      for (let i = 0, at = 0; i < low.length; i++) {
        for (let j = 0; j < high.length; j++) {
          const tanh = 1 - 2 / (low[i] * high[j] + 1);
          means[at++] += a * tanh;
          means[at++] += b * tanh;
        }
      }
    } else {
      for (let i = 0, at = 0; i < low.length; i++) {
        for (let j = 0; j < high.length; j++) {
          const tanh = Math.tanh(0.5 * (low[i] + high[j]));
          means[at++] += a * tanh;
          means[at++] += b * tanh;
        }
      }
    }
  }
  return means;
}
