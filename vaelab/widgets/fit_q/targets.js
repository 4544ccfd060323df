// Posteriors with a known normaliser, as in targets.py: z ~ N(0, I), x | z ~ N(±f(z), noise²),
// f(z) = w · z + bend z₁², the sign being plus with probability `plus`.

const LOG_2PI = Math.log(2 * Math.PI);

const logNormal = (value, deviation) => -0.5 * LOG_2PI - Math.log(deviation) - 0.5 * (value / deviation) ** 2;

/** log of exp(a) + exp(b). */
function logAddExp(a, b) {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** log p(x): the second latent in closed form, the first by the trapezium rule. */
function logMarginalOf({ weight, bend, plus, noise, x }) {
  const step = 0.02; // the integrand is entire: exact to rounding
  const deviation = Math.hypot(weight[1], noise);
  let sum = -Infinity;
  for (let i = -500; i <= 500; i++) {
    const z = i * step;
    const decoded = weight[0] * z + bend * z * z;
    const here = Math.log(plus) + logNormal(x - decoded, deviation);
    const there = Math.log1p(-plus) + logNormal(x + decoded, deviation);
    sum = logAddExp(sum, logNormal(z, 1) + logAddExp(here, there));
  }
  return sum + Math.log(step);
}

function createTarget(parts) {
  const { weight, bend, plus, noise, x } = parts;
  const precision = 1 / (noise * noise);
  const constant = -1.5 * LOG_2PI - Math.log(noise) + Math.log(plus) - 0.5 * x * x * precision;
  const logOdds = Math.log1p(-plus) - Math.log(plus); // -Infinity where the sign is known
  const decode = (z1, z2) => weight[0] * z1 + weight[1] * z2 + bend * z1 * z1;
  /** log p(x, z). */
  function logJoint(z1, z2) {
    const f = decode(z1, z2);
    const pull = x * f * precision;
    return constant - 0.5 * (z1 * z1 + z2 * z2 + f * f * precision) + pull + softplus(logOdds - 2 * pull);
  }
  /** Its gradient in z, written into `out`. */
  function gradient(z1, z2, out) {
    const f = decode(z1, z2);
    const sign = 1 - 2 * sigmoid(logOdds - 2 * x * f * precision); // expected, given z and x
    const slope = (sign * x - f) * precision;
    out[0] = -z1 + slope * (weight[0] + 2 * bend * z1);
    out[1] = -z2 + slope * weight[1];
  }
  return {
    plus,
    bend,
    logJoint,
    gradient,
    logMarginal: logMarginalOf(parts),
    // Where log p(x, z) is no polynomial: along which direction, and how steeply.
    split: plus < 1 ? weight.map((w) => w * x * precision) : null,
    /** Share of the posterior on z's side of the two modes. */
    share: (z1, z2) => (plus === 1 ? 1 : decode(z1, z2) * x > 0 ? plus : 1 - plus),
  };
}
