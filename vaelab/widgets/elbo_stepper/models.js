// Two models of one latent z ~ N(0, 1) whose log p(x) is known, as in models.py.
// q = { mean, scale } is a Gaussian over z.

const LOG_2PI = Math.log(2 * Math.PI);
const LATTICE = 0.02; // step of sums over z: halving it changes no digit that is shown
const REACH_OF_Q = 8.5; // deviations each way: beyond are 2e-17 of q
const MOST_POINTS = 4000; // of a sum: what a state may be needs no more than 1700
const REACH_OF_PRIOR = 10;
// What a state may be, as in models.py.
const MOST_MEAN = 3;
const [LEAST_SCALE, MOST_SCALE] = [0.05, 2];

const logNormal = (value, mean, deviation) =>
  -0.5 * LOG_2PI - Math.log(deviation) - 0.5 * ((value - mean) / deviation) ** 2;

/** E_q[log N(z; mean, deviation²)]. */
const averageLogNormal = (q, mean, deviation) =>
  logNormal(q.mean, mean, deviation) - 0.5 * (q.scale / deviation) ** 2;

/** KL(q || N(mean, deviation²)). */
function klToNormal(q, mean, deviation) {
  const logRatio = 2 * Math.log(q.scale / deviation);
  return 0.5 * (((q.mean - mean) / deviation) ** 2 + Math.expm1(logRatio) - logRatio);
}

const entropyOf = (q) => 0.5 + 0.5 * LOG_2PI + Math.log(q.scale);

/**
 * Where E_q[f(z)] is summed, and q's weight there: the trapezium rule, whose error for a smooth f
 * falls faster than any power of the step.
 * @returns {object[]}  `z`, `weight`, and `i`, which point of the lattice it is, if it is of it
 */
function pointsOf(q) {
  const step = Math.max(Math.min(LATTICE, q.scale / 4), (2 * REACH_OF_Q * q.scale) / MOST_POINTS);
  const last = Math.floor((q.mean + REACH_OF_Q * q.scale) / step);
  const points = [];
  for (let i = Math.ceil((q.mean - REACH_OF_Q * q.scale) / step); i <= last; i++) {
    const [z, logQ] = [i * step, logNormal(i * step, q.mean, q.scale)];
    points.push({ z, logQ, weight: step * Math.exp(logQ), i: step === LATTICE ? i : undefined });
  }
  return points;
}

const average = (points, f) => points.reduce((sum, point) => sum + point.weight * f(point), 0);

/** x | z ~ N(weight z, noise²): a Gaussian posterior, all in closed form. */
function createLinear({ weight, noise, x }) {
  const deviation = 1 / Math.hypot(1, weight / noise);
  const mean = deviation ** 2 * ((weight * x) / noise ** 2);
  const logLikelihood = (z) => logNormal(x, weight * z, noise);
  return {
    logMarginal: logNormal(x, 0, Math.hypot(weight, noise)),
    posterior: { mean, scale: deviation },
    logLikelihood,
    logPosterior: (z) => logNormal(z, mean, deviation),
    reconstruction: (q) => logNormal(x, weight * q.mean, noise) - 0.5 * ((weight * q.scale) / noise) ** 2,
    crossPosterior: (q) => averageLogNormal(q, mean, deviation),
    toPosterior: (q) => klToNormal(q, mean, deviation),
  };
}

/** A decoder of binary pixels, at one picture: by sums over z. */
function createDigit({ weights, hidden, pixels, image }) {
  const numbers = decodeFloat16(decodeBase64(weights));
  const layer = (at, inputs, outputs) => ({
    weight: numbers.subarray(at, at + inputs * outputs),
    bias: numbers.subarray(at + inputs * outputs, at + (inputs + 1) * outputs),
  });
  const decoder = [layer(0, 1, hidden), layer(2 * hidden, hidden, pixels)];
  const x = Float64Array.from(image, Number);
  const known = new Map(); // of the lattice's points
  const evaluate = (z) => bernoulliLogLikelihood(x, decode({ decoder }, [z]));
  function logLikelihood(z, i) {
    if (i === undefined) return evaluate(z);
    if (!known.has(i)) known.set(i, evaluate(z));
    return known.get(i);
  }
  /** log of the integral of p(x, z) over z, on the lattice or between its points. */
  function logIntegral(between) {
    const last = REACH_OF_PRIOR / LATTICE;
    const logs = [];
    for (let i = -last; i <= last; i++) {
      const z = (i + between) * LATTICE;
      logs.push(logLikelihood(z, between ? undefined : i) + logNormal(z, 0, 1));
    }
    const most = Math.max(...logs);
    return most + Math.log(LATTICE * logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
  }
  // Two integrals that share no point: that their logarithms agree is what the check checks.
  const logMarginal = logIntegral(0);
  const logNormaliser = logIntegral(0.5);
  const logPosterior = (z, i) => logLikelihood(z, i) + logNormal(z, 0, 1) - logNormaliser;
  return {
    image: x,
    logMarginal,
    logLikelihood,
    logPosterior,
    reconstruction: (q, points) => average(points, ({ z, i }) => logLikelihood(z, i)),
    crossPosterior: (q, points) => average(points, ({ z, i }) => logPosterior(z, i)),
    toPosterior: (q, points) => average(points, ({ z, i, logQ }) => logQ - logPosterior(z, i)),
  };
}

/** Every number of the derivation for one q, in nats. */
function termsOf(model, q) {
  const points = pointsOf(q);
  const integral = average(points, () => 1);
  const reconstruction = model.reconstruction(q, points);
  const logPrior = averageLogNormal(q, 0, 1);
  const entropy = entropyOf(q);
  const toPrior = klToNormal(q, 0, 1);
  const { logMarginal } = model;
  const logWeight = ({ z, i, logQ }) => model.logLikelihood(z, i) + logNormal(z, 0, 1) - logQ;
  return {
    logMarginal,
    integral,
    timesOne: logMarginal * integral,
    averageLogMarginal: average(points, () => logMarginal),
    reconstruction,
    logPrior,
    logPosterior: model.crossPosterior(q, points),
    logQ: -entropy,
    entropy,
    toPrior,
    toPosterior: model.toPosterior(q, points),
    logJoint: reconstruction + logPrior,
    logWeight: average(points, logWeight),
    elbo: reconstruction - toPrior,
  };
}
