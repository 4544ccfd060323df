// A Gaussian q = { mean, scale, angle } against a target, by quadrature in q's own coordinates:
// z = mean + R(angle) (scale * noise).

// Gauss and Hermite's rule of five nodes: exact for polynomials up to the ninth degree.
const HERMITE = [
  [-Math.sqrt(5 + Math.sqrt(10)), (7 - 2 * Math.sqrt(10)) / 60],
  [-Math.sqrt(5 - Math.sqrt(10)), (7 + 2 * Math.sqrt(10)) / 60],
  [0, 8 / 15],
  [Math.sqrt(5 - Math.sqrt(10)), (7 + 2 * Math.sqrt(10)) / 60],
  [Math.sqrt(5 + Math.sqrt(10)), (7 - 2 * Math.sqrt(10)) / 60],
];

// Of three nodes, up to the fifth: enough beside a split, where the rest is quadratic.
const HERMITE_3 = [
  [-Math.sqrt(3), 1 / 6],
  [0, 2 / 3],
  [Math.sqrt(3), 1 / 6],
];

/** Trapezium rule for a standard normal and a softplus of `steepness`, whose poles are near. */
function trapezium(steepness) {
  const step = Math.min(0.25, 0.4 / steepness);
  const half = Math.ceil(9 / step);
  const nodes = Array.from({ length: 2 * half + 1 }, (_, i) => {
    const node = (i - half) * step;
    return [node, Math.exp(-0.5 * node * node)];
  });
  const total = nodes.reduce((sum, [, weight]) => sum + weight, 0);
  return nodes.map(([node, weight]) => [node, weight / total]);
}

/** The direction between two modes, in q's own coordinates. */
function splitWithin(target, { scale, angle }) {
  const [a, b] = target.split;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [scale[0] * (cos * a + sin * b), scale[1] * (cos * b - sin * a)];
}

const steepnessOf = (target, q) => Math.hypot(...splitWithin(target, q));

/** Two axes' nodes, and the cosine and sine by which the first is turned within q's noise. */
function frameOf(target, q) {
  if (!target.split) return { first: HERMITE, second: HERMITE, turn: [1, 0] };
  const along = splitWithin(target, q);
  const steepness = Math.hypot(...along);
  return { first: trapezium(steepness), second: HERMITE_3, turn: along.map((value) => value / steepness) };
}

/**
 * ELBO and KL(q || posterior) in nats, and the ELBO's gradient: in the mean, and in a symmetric
 * M of q's own coordinates, where scale * noise becomes scale * exp(M) noise: [M11, M12, M22].
 */
function measure(target, q) {
  const { mean, scale, angle } = q;
  const [s1, s2] = scale;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const { first, second, turn } = frameOf(target, q);
  const logScales = Math.log(s1) + Math.log(s2);
  const g = [0, 0];
  let [energy, kl, g1, g2, m11, m12, m22] = [0, 0, 0, 0, 0, 0, 0];
  for (const [a, weightA] of first) {
    for (const [b, weightB] of second) {
      const weight = weightA * weightB;
      const e1 = turn[0] * a - turn[1] * b;
      const e2 = turn[1] * a + turn[0] * b;
      const z1 = mean[0] + cos * s1 * e1 - sin * s2 * e2;
      const z2 = mean[1] + sin * s1 * e1 + cos * s2 * e2;
      const logJoint = target.logJoint(z1, z2);
      const logQ = -LOG_2PI - logScales - 0.5 * (a * a + b * b);
      energy += weight * logJoint;
      kl += weight * (logQ - (logJoint - target.logMarginal));
      target.gradient(z1, z2, g);
      g1 += weight * g[0];
      g2 += weight * g[1];
      const h1 = s1 * (cos * g[0] + sin * g[1]);
      const h2 = s2 * (cos * g[1] - sin * g[0]);
      m11 += weight * h1 * e1;
      m12 += (weight * (h1 * e2 + h2 * e1)) / 2;
      m22 += weight * h2 * e2;
    }
  }
  return {
    elbo: energy + 1 + LOG_2PI + logScales,
    kl: Math.max(0, kl),
    gradient: { mean: [g1, g2], shape: [m11 + 1, m12, m22 + 1] }, // 1: the entropy's
  };
}

/** The same gradient in the numbers that sliders set: means, log scales, angle in radians. */
function gradientInParameters({ scale }, { mean, shape }) {
  const ratio = scale[0] / scale[1];
  return [...mean, shape[0], shape[2], shape[1] * (ratio - 1 / ratio)];
}
