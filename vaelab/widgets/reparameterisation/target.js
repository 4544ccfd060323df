// f(z) = log p(x, z) of small models, as in targets.py: z ~ N(0, 1), x | z ~ N(±d(z), noise²),
// d(z) = weight z + wave sin(frequency z), the sign being plus with probability `plus`.

const LOG_2PI = Math.log(2 * Math.PI);

function createTarget({ weight, wave, frequency, plus, noise, x }) {
  const precision = 1 / (noise * noise);
  const constant = -LOG_2PI - Math.log(noise) + Math.log(plus) - 0.5 * x * x * precision;
  const logOdds = Math.log1p(-plus) - Math.log(plus); // -Infinity where the sign is known
  const decode = (z) => weight * z + wave * Math.sin(frequency * z);
  function logJoint(z) {
    const d = decode(z);
    const pull = x * d * precision;
    return constant - 0.5 * (z * z + d * d * precision) + pull + softplus(logOdds - 2 * pull);
  }
  /** Its derivative in z. */
  function slope(z) {
    const d = decode(z);
    const sign = 1 - 2 * sigmoid(logOdds - 2 * x * d * precision); // expected, given z and x
    return -z + (sign * x - d) * precision * (weight + wave * frequency * Math.cos(frequency * z));
  }
  return { logJoint, slope };
}
