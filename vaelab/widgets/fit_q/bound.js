// The IWAE bound L_K of a q: the mean logarithm of the mean of K weights, from seeded draws.

const BOUND_DRAWS = 4096;
const BOUND_SEED = 0;
const BOUND_KS = [1, 2, 4, 8, 16, 32, 64];

/** log p(x, z) - log q(z) of draws whose standard normal noise is given, two numbers each. */
function logWeightsOf(target, { mean, scale, angle }, noise) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const logScales = Math.log(scale[0]) + Math.log(scale[1]);
  const logWeights = new Float64Array(noise.length / 2);
  for (let i = 0; i < logWeights.length; i++) {
    const e1 = noise[2 * i];
    const e2 = noise[2 * i + 1];
    const along = scale[0] * e1;
    const over = scale[1] * e2;
    const logJoint = target.logJoint(mean[0] + cos * along - sin * over, mean[1] + sin * along + cos * over);
    logWeights[i] = logJoint + LOG_2PI + logScales + 0.5 * (e1 * e1 + e2 * e2);
  }
  return logWeights;
}

/** L_K and its standard error, nats, from as many groups of K as there are. */
function iwaeBound(logWeights, k) {
  const groups = Math.floor(logWeights.length / k);
  const values = new Float64Array(groups);
  for (let j = 0; j < groups; j++) {
    const start = j * k;
    let most = -Infinity;
    for (let i = start; i < start + k; i++) most = Math.max(most, logWeights[i]);
    let sum = 0;
    for (let i = start; i < start + k; i++) sum += Math.exp(logWeights[i] - most);
    values[j] = most + Math.log(sum / k);
  }
  const bound = values.reduce((sum, value) => sum + value, 0) / groups;
  const squares = values.reduce((sum, value) => sum + (value - bound) ** 2, 0);
  return { k, bound, error: Math.sqrt(squares / (groups - 1) / groups) };
}
