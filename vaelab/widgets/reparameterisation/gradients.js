// The ELBO's gradient from K draws z = mean + scale * noise, one number a draw, in two ways:
//     ELBO = E_q[f(z)] + entropy of q,   f(z) = log p(x, z) + constant.
// The entropy's gradient is known, 1 in the log scale: it is in every draw's, and is no noise.

const WAYS = ["reparameterised", "score"];
const PARAMETERS = ["mean", "log-scale"];

/** Through z: the slope of f, by the chain rule. */
const reparameterised = {
  mean: (slope) => slope,
  "log-scale": (slope, q, noise) => slope * q.scale * noise + 1,
};

/** Derivatives of log q at a draw that is held fixed. */
const scoreOf = {
  mean: (q, noise) => noise / q.scale,
  "log-scale": (q, noise) => noise * noise - 1,
};

const entropyGradient = { mean: 0, "log-scale": 1 };

/** Numbers filled one by one: a tenth of the time that map takes, and steps are many. */
function filled(count, at) {
  const numbers = new Float64Array(count);
  for (let k = 0; k < count; k++) numbers[k] = at(k);
  return numbers;
}

function averageOf(numbers) {
  let sum = 0;
  for (let k = 0; k < numbers.length; k++) sum += numbers[k];
  return sum / numbers.length;
}

/** f less its baseline, draw by draw. */
function lessBaseline(values, baseline) {
  if (baseline === "none") return values;
  const count = values.length;
  const average = averageOf(values);
  // Less the average of the others is this difference, a little longer.
  const stretch = baseline === "leave-one-out" ? count / (count - 1) : 1;
  return filled(count, (k) => (values[k] - average) * stretch);
}

/**
 * @param {{mean: number, scale: number}} q
 * @param {Float64Array} noise  standard normal, K of them
 * @returns {object}  of every draw: z, f's value and slope, what the score is weighed by; and
 *     under each way and parameter its gradients
 */
function drawGradients(target, q, noise, { constant, baseline }) {
  const count = noise.length;
  const z = filled(count, (k) => q.mean + q.scale * noise[k]);
  const values = filled(count, (k) => target.logJoint(z[k]) + constant);
  const slopes = filled(count, (k) => target.slope(z[k]));
  const weights = lessBaseline(values, baseline);
  const drawn = { z, values, slopes, weights, reparameterised: {}, score: {} };
  for (const parameter of PARAMETERS) {
    const [byPath, score, entropy] = [reparameterised[parameter], scoreOf[parameter], entropyGradient[parameter]];
    drawn.reparameterised[parameter] = filled(count, (k) => byPath(slopes[k], q, noise[k]));
    drawn.score[parameter] = filled(count, (k) => weights[k] * score(q, noise[k]) + entropy);
  }
  return drawn;
}
