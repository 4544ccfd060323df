// log p(x) by the trapezoidal rule over a lattice of latents, as vaelab.exact.quadrature does,
// and how far it can be off. Terms that can't matter are skipped a block at a time.

const BLOCK = 8; // neighbouring points that are left out together
const NEGLIGIBLE = 30; // nats below the greatest term: 100,000 that are skipped sum to 1e-8
const SUMS = 6; // for each point: four interleaved lattices, the outermost band, the one within

/** Which band of a lattice a point lies in: 1 the outermost, 2 the one within, 0 further inside. */
function edgeBands(rows, columns) {
  const band = Math.max(1, Math.floor(columns / 24));
  const zones = new Uint8Array(rows * columns);
  for (let i = 0, at = 0; i < rows; i++) {
    const vertical = rows === 1 ? Infinity : Math.min(i, rows - 1 - i);
    for (let j = 0; j < columns; j++, at++) {
      const depth = Math.min(vertical, j, columns - 1 - j);
      zones[at] = depth < band ? 1 : depth < 2 * band ? 2 : 0;
    }
  }
  return zones;
}

/** A lattice over the prior: decoded means and log p(z), up to its constant. */
function priorLattice(vae, reach, step) {
  const axis = evenAxis(reach, step);
  const axes = vae.latentDim === 1 ? [axis] : [axis, axis];
  const rows = vae.latentDim === 1 ? 1 : axis.length;
  const logPrior = new Float64Array(rows * axis.length);
  for (let i = 0, at = 0; i < rows; i++) {
    const slow = rows === 1 ? 0 : axis[i] * axis[i];
    for (let j = 0; j < axis.length; j++) logPrior[at++] = -0.5 * (slow + axis[j] * axis[j]);
  }
  return {
    rows,
    columns: axis.length,
    step: axis[1] - axis[0],
    means: latticeMeans(vae.decoder, axes),
    logPrior,
    zones: edgeBands(rows, axis.length),
  };
}

/** A box around each block's means, and its greatest log p(z). */
function latticeBlocks({ rows, columns, means, logPrior }) {
  const blocks = [];
  for (let i = 0; i < rows; i++) {
    for (let start = 0; start < columns; start += BLOCK) {
      const from = i * columns + start;
      const to = i * columns + Math.min(columns, start + BLOCK);
      const box = [Infinity, -Infinity, Infinity, -Infinity, -Infinity];
      for (let g = from; g < to; g++) {
        box[0] = Math.min(box[0], means[2 * g]);
        box[1] = Math.max(box[1], means[2 * g]);
        box[2] = Math.min(box[2], means[2 * g + 1]);
        box[3] = Math.max(box[3], means[2 * g + 1]);
        box[4] = Math.max(box[4], logPrior[g]);
      }
      blocks.push({ row: i, from, to, box });
    }
  }
  return blocks;
}

/** The least squared distance from a point to a box. */
function distanceToBox(x, y, [left, right, bottom, top]) {
  const across = x < left ? left - x : x > right ? x - right : 0;
  const up = y < bottom ? bottom - y : y > top ? y - top : 0;
  return across * across + up * up;
}

/** The greatest term of each point's sum on a thinned lattice: a start, to know what matters. */
function greatestTerms({ rows, columns, means, logPrior }, x, precision) {
  const greatest = new Float64Array(x.length / 2).fill(-Infinity);
  for (let i = 0; i < rows; i += 6) {
    for (let j = 0; j < columns; j += 6) {
      const g = i * columns + j;
      for (let n = 0; n < greatest.length; n++) {
        const [across, up] = [x[2 * n] - means[2 * g], x[2 * n + 1] - means[2 * g + 1]];
        const term = logPrior[g] - 0.5 * precision * (across * across + up * up);
        if (term > greatest[n]) greatest[n] = term;
      }
    }
  }
  return greatest;
}

/** Sums of exp(log p(x, z) - greatest), SUMS for each point, and the greatest of each. */
function latticeSums(lattice, x, precision) {
  const { columns, means, logPrior, zones } = lattice;
  const greatest = greatestTerms(lattice, x, precision);
  const sums = new Float64Array(SUMS * greatest.length);
  for (const { row, from, to, box } of latticeBlocks(lattice)) {
    const parity = 2 * (row & 1);
    for (let n = 0; n < greatest.length; n++) {
      const [x1, x2] = [x[2 * n], x[2 * n + 1]];
      const limit = box[4] - 0.5 * precision * distanceToBox(x1, x2, box);
      if (limit < greatest[n] - NEGLIGIBLE) continue;
      const start = SUMS * n;
      for (let g = from; g < to; g++) {
        const across = x1 - means[2 * g];
        const up = x2 - means[2 * g + 1];
        const term = logPrior[g] - 0.5 * precision * (across * across + up * up) - greatest[n];
        if (term < -NEGLIGIBLE) continue;
        if (term > 0) {
          const shrink = Math.exp(-term);
          for (let k = start; k < start + SUMS; k++) sums[k] *= shrink;
          greatest[n] += term;
        }
        const share = Math.exp(Math.min(term, 0));
        sums[start + parity + ((g - row * columns) & 1)] += share;
        if (zones[g]) sums[start + 3 + zones[g]] += share;
      }
    }
  }
  return { greatest, sums };
}

/**
 * log p(x) of every point, with the most that each can be off: what a lattice of twice the
 * step differs by, wherever it starts, plus a bound on what lies beyond the ends.
 * @returns {{logMarginal: Float64Array, change: Float64Array, beyond: Float64Array}}
 */
function quadratureLogMarginal(vae, x, reach, step) {
  const lattice = priorLattice(vae, reach, step);
  const noiseLogVar = vae.noiseLogVar[0];
  const { greatest, sums } = latticeSums(lattice, x, Math.exp(-noiseLogVar));
  const interleaved = vae.latentDim === 1 ? 2 : 4;
  const constant =
    vae.latentDim * (Math.log(lattice.step) - 0.5 * LOG_2PI) -
    0.5 * DATA_DIM * (LOG_2PI + noiseLogVar);
  const [logMarginal, change, beyond] = [0, 0, 0].map(() => new Float64Array(greatest.length));
  for (let n = 0; n < greatest.length; n++) {
    const own = sums.subarray(SUMS * n, SUMS * (n + 1));
    let total = 0;
    for (let k = 0; k < interleaved; k++) total += own[k];
    logMarginal[n] = greatest[n] + Math.log(total) + constant;
    for (let k = 0; k < interleaved; k++) {
      change[n] = Math.max(change[n], Math.abs(Math.log((interleaved * own[k]) / total)));
    }
    // Bands of a tail that falls as a Gaussian's does shrink at least by the ratio of the last two.
    const [last, before] = [own[4] / total, own[5] / total];
    if (last > 0) beyond[n] = last < before ? Math.log1p((last * last) / (before - last)) : Infinity;
  }
  return { logMarginal, change, beyond };
}
