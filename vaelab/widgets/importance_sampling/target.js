// A posterior that is known: a linear decoder of one or two latents, with Gaussian noise. With
// two humps the decoder forgets its sign: x is W z or -W z, plus noise, each half the time.
// Matrices are of one or two rows, row by row.

const LOG_2PI = Math.log(2 * Math.PI);

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const times = (matrix, v) => v.map((_, i) => dot(matrix.slice(i * v.length, (i + 1) * v.length), v));
const determinant = (m) => (m.length === 1 ? m[0] : m[0] * m[3] - m[1] * m[2]);

function inverse(m) {
  const det = determinant(m);
  return m.length === 1 ? [1 / m[0]] : [m[3] / det, -m[1] / det, -m[2] / det, m[0] / det];
}

/** The eigenvalues' least, of a symmetric matrix. */
function leastEigenvalue(m) {
  if (m.length === 1) return m[0];
  return (m[0] + m[3]) / 2 - Math.hypot((m[0] - m[3]) / 2, m[1]);
}

/** E log(1 + exp(-2 u)) for u from a Gaussian, by the trapezium rule. */
function expectedSoftplus(mean, variance) {
  const deviation = Math.sqrt(variance);
  const step = Math.min(0.25, 0.4 / deviation); // to rounding: the nearest poles are pi / 2 away
  let [sum, total] = [0, 0];
  for (let e = -9; e <= 9; e += step) {
    const density = Math.exp(-0.5 * e * e);
    sum += density * softplus(-2 * (mean + deviation * e));
    total += density;
  }
  return sum / total;
}

/** log of exp(a) + exp(b). */
function logAddExp(a, b) {
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/**
 * @param {object} model  `weight`, `noise` (a deviation) and `x`
 * @param {number} humps  of the posterior, 1 or 2
 */
function createTarget({ weight, noise, x }, humps) {
  const d = x.length;
  const noiseVar = noise * noise;
  const identity = (i, j) => (i === j ? 1 : 0);
  const pairs = Array.from({ length: d * d }, (_, at) => [Math.floor(at / d), at % d]);
  const precision = pairs.map(
    ([i, j]) => identity(i, j) + x.reduce((sum, _, k) => sum + weight[k * d + i] * weight[k * d + j], 0) / noiseVar,
  );
  const covariance = inverse(precision);
  const projected = x.map((_, i) => x.reduce((sum, value, k) => sum + weight[k * d + i] * value, 0) / noiseVar);
  const mean = times(covariance, projected);
  const target = { d, humps, mean, covariance, precision, logDet: Math.log(determinant(covariance)) };

  const logNormaliser = -0.5 * d * (2 * LOG_2PI + Math.log(noiseVar)); // of p(x | z) and p(z)
  /** log p(x | z) p(z). */
  target.logJoint = (z) => {
    let [prior, here, there] = [0, 0, 0];
    for (let k = 0; k < d; k++) {
      let decoded = 0;
      for (let j = 0; j < d; j++) decoded += weight[k * d + j] * z[j];
      prior += z[k] * z[k];
      here += (x[k] - decoded) ** 2;
      there += (x[k] + decoded) ** 2;
    }
    const base = logNormaliser - 0.5 * prior;
    const one = base - (0.5 * here) / noiseVar;
    return humps === 1 ? one : logAddExp(one, base - (0.5 * there) / noiseVar) - Math.LN2;
  };
  // Both kinds of decoder give x the same probability: the prior is even in z.
  const peak = createPeak(target);
  target.logMarginal = logNormaliser - 0.5 * dot(mean, mean) - residual() / (2 * noiseVar) - peak;
  function residual() {
    return x.reduce((sum, value, k) => {
      const decoded = mean.reduce((inner, m, j) => inner + weight[k * d + j] * m, 0);
      return sum + (value - decoded) ** 2;
    }, 0);
  }
  return target;
}

/** Log density of one hump at its own mean. */
function createPeak({ d, logDet }) {
  return -0.5 * (d * LOG_2PI + logDet);
}

/** Mean and deviations of the whole posterior, latent by latent. */
function posteriorMoments({ humps, d, mean, covariance }) {
  const variance = mean.map((m, i) => covariance[i * d + i] + (humps === 2 ? m * m : 0));
  return { mean: humps === 2 ? mean.map(() => 0) : mean, width: variance.map(Math.sqrt) };
}
