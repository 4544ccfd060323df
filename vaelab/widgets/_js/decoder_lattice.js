// log p(x) by summing over a lattice of one or two latents, as vaelab.exact.quadrature does.
// The decoder's outputs on the lattice are kept, so that a new image costs a few additions a point.
// A widget that uses this names "../_js/decoder_lattice.js" among its files.

// Of the plane at beta = 1, on all 360 held-out digits: within 0.003 nats of half the step.
const LATTICE_STEPS = { 1: 0.005, 2: 0.08 };
const LATTICE_RADIUS = 9; // the prior has 3e-18 of its mass beyond
const BAND = 0.5; // width of the two outermost rings, which tell what lies beyond
const BLOCK = 64; // points that are decoded together

/** log N(z; 0, 1) in nats. */
function standardNormalLogDensity(z) {
  return -0.5 * (z * z + Math.log(2 * Math.PI));
}

/** The points within a radius on a line or a square lattice; the last coordinate runs fastest. */
function discLattice(latentDim, step, radius) {
  const steps = Math.floor(radius / step);
  const line = Array.from({ length: 2 * steps + 1 }, (_, i) => [i - steps]);
  if (latentDim === 1) return line;
  const places = [];
  for (const [i] of line) {
    for (const [j] of line) if (i * i + j * j <= (radius / step) ** 2) places.push([i, j]);
  }
  return places;
}

/**
 * A decoder of one or two latents on a lattice. Nothing is decoded until `decodeNext` was called often
 * enough, so that a page can go on answering in between.
 */
function decoderLattice(vae, step = LATTICE_STEPS[vae.latentDim], radius = LATTICE_RADIUS) {
  const { latentDim } = vae;
  const places = discLattice(latentDim, step, radius);
  const count = places.length;
  const pixels = vae.decoder[1].bias.length;
  const logPrior = new Float64Array(count);
  const cellMass = new Float64Array(count); // the prior's mass in a point's cell
  const half = new Uint8Array(count); // which of the 2 ** latentDim lattices of twice the step
  const ring = new Uint8Array(count); // 2 for the outermost ring, 1 for the next
  places.forEach((place, k) => {
    let [odd, squares] = [0, 0];
    for (const i of place) {
      logPrior[k] += standardNormalLogDensity(i * step);
      odd = 2 * odd + (i & 1);
      squares += i * i;
    }
    cellMass[k] = step ** latentDim * Math.exp(logPrior[k]);
    half[k] = odd;
    const norm = step * Math.sqrt(squares);
    ring[k] = norm > radius - BAND ? 2 : norm > radius - 2 * BAND ? 1 : 0;
  });
  // Pixel by pixel, so that inking one adds a run of neighbours in memory.
  const logits = new Float64Array(pixels * count);
  const logBlank = new Float64Array(count); // log p(no ink | z)
  const prior = { logPrior, cellMass };
  const sizes = { latentDim, step, places, count, pixels };
  const lattice = { ...sizes, ...prior, half, ring, logits, logBlank, decoded: 0 };
  lattice.decodeNext = () => {
    const end = Math.min(lattice.decoded + BLOCK, count);
    decodeBlock(vae, lattice, lattice.decoded, end);
    lattice.decoded = end;
    return end === count;
  };
  return lattice;
}

function decodeBlock(vae, { latentDim, step, places, count, pixels, logits, logBlank }, start, end) {
  const [first, second] = vae.decoder;
  const size = end - start;
  const units = first.bias.length;
  const hidden = new Float64Array(units * size); // point by point
  for (let k = 0; k < size; k++) {
    const place = places[start + k];
    for (let unit = 0, at = 0; unit < units; unit++) {
      let sum = 0;
      for (let axis = 0; axis < latentDim; axis++) sum += first.weight[at++] * place[axis];
      hidden[k * units + unit] = Math.tanh(sum * step + first.bias[unit]);
    }
  }
  // sum of log(1 + exp(-|logit|)): each factor is at most 2, so a product of 64 is safe.
  const factors = new Float64Array(size).fill(1);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const row = logits.subarray(pixel * count + start, pixel * count + end);
    const weight = second.weight.subarray(pixel * units, (pixel + 1) * units);
    for (let k = 0; k < size; k++) {
      let logit = second.bias[pixel];
      for (let unit = 0, at = k * units; unit < units; unit++) logit += weight[unit] * hidden[at++];
      row[k] = logit;
    }
    for (let k = 0; k < size; k++) {
      logBlank[start + k] -= Math.max(row[k], 0);
      factors[k] *= 1 + Math.exp(-Math.abs(row[k]));
    }
  }
  for (let k = 0; k < size; k++) logBlank[start + k] -= Math.log(factors[k]);
}

/**
 * log p(x | z) at every point, for an image of zeros and ones. A pixel that changes its mind adds
 * or takes away its logit, so the sum starts from the blank image or from the one before,
 * whichever is nearer.
 * @param {{x: Float64Array, logLikelihood: Float64Array}} [before]
 */
function latticeLogLikelihood({ count, logits, logBlank }, x, before) {
  const blank = { x: new Float64Array(x.length), logLikelihood: logBlank };
  const distance = (from) => x.reduce((sum, value, pixel) => sum + (value !== from.x[pixel]), 0);
  const start = before && distance(before) < distance(blank) ? before : blank;
  const values = start.logLikelihood.slice();
  const changed = [...x.keys()].filter((pixel) => x[pixel] !== start.x[pixel]);
  const row = (pixel) => logits.subarray(pixel * count, (pixel + 1) * count);
  const sign = (pixel) => x[pixel] - start.x[pixel];
  // Four at a time: what takes long is to fetch and to store the sums.
  while (changed.length >= 4) {
    const four = changed.splice(-4);
    const [a, b, c, d] = four.map(sign);
    const [rowA, rowB, rowC, rowD] = four.map(row);
    for (let k = 0; k < count; k++) values[k] += a * rowA[k] + b * rowB[k] + (c * rowC[k] + d * rowD[k]);
  }
  for (const pixel of changed) {
    const [a, rowA] = [sign(pixel), row(pixel)];
    for (let k = 0; k < count; k++) values[k] += a * rowA[k];
  }
  return values;
}

/** p(x | z) p(z) at every point as shares of its sum, the log of that sum, and the point of most. */
function normalise({ count, logPrior }, logLikelihood) {
  let peak = 0;
  let most = -Infinity;
  for (let k = 0; k < count; k++) {
    const logJoint = logLikelihood[k] + logPrior[k];
    if (logJoint > most) [most, peak] = [logJoint, k];
  }
  const shares = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const below = logLikelihood[k] + logPrior[k] - most;
    if (below > -50) sum += shares[k] = Math.exp(below); // less is never seen in the sum
  }
  for (let k = 0; k < count; k++) shares[k] /= sum;
  return { shares, peak, logSum: most + Math.log(sum) };
}

/**
 * How far the sum can be off, in nats: the most that one of the lattices of twice the step
 * differs by, and a bound on what lies beyond the disc if rings fall off as the last two do.
 */
function latticeError({ latentDim, count, half, ring }, shares) {
  const coarse = new Array(2 ** latentDim).fill(0);
  const outer = [0, 0, 0];
  for (let k = 0; k < count; k++) {
    if (shares[k] === 0) continue;
    coarse[half[k]] += shares[k];
    outer[ring[k]] += shares[k];
  }
  const change = Math.max(...coarse.map((sum) => Math.abs(Math.log(coarse.length * sum))));
  const [, before, last] = outer;
  const beyond = last === 0 ? 0 : last < before ? (last * last) / (before - last) : Infinity;
  return change + Math.log1p(beyond);
}

/** log p(x) in nats. */
function logMarginal(lattice, x) {
  const { logSum } = normalise(lattice, latticeLogLikelihood(lattice, x));
  return logSum + lattice.latentDim * Math.log(lattice.step);
}
