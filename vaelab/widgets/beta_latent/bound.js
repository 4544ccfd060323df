// ELBO and log p(x) of one image, from the same number of draws each: no page is needed.

const LOG_2PI = Math.log(2 * Math.PI);

/** log p(x | z) of one image, for many z: nothing is allocated between them. */
function likelihoodOf({ latentDim, decoder: [first, second] }, x) {
  const hidden = new Float64Array(first.bias.length);
  const logits = new Float64Array(x.length);
  return (z) => {
    for (let unit = 0, at = 0; unit < hidden.length; unit++) {
      let sum = first.bias[unit];
      for (let axis = 0; axis < latentDim; axis++) sum += first.weight[at++] * z[axis];
      hidden[unit] = Math.tanh(sum);
    }
    for (let pixel = 0, at = 0; pixel < logits.length; pixel++) {
      let sum = second.bias[pixel];
      for (let unit = 0; unit < hidden.length; unit++) sum += second.weight[at++] * hidden[unit];
      logits[pixel] = sum;
    }
    return bernoulliLogLikelihood(x, logits);
  };
}

/**
 * The defensive mixture of vaelab.estimators: half the prior, half q with its deviations widened.
 * A draw takes one more normal number than it has latents, whose sign picks the half.
 */
function defensiveMixture(mean, deviation, widen) {
  const d = mean.length;
  const wide = deviation.map((value) => widen * value);
  const logWide = wide.reduce((sum, value) => sum - Math.log(value), 0);
  return {
    /** Turns noise into z, in place: the first d numbers of it. */
    transform(noise) {
      if (noise[d] <= 0) return;
      for (let i = 0; i < d; i++) noise[i] = mean[i] + wide[i] * noise[i];
    },
    logDensity(z) {
      let [prior, own] = [0, 0];
      for (let i = 0; i < d; i++) {
        prior += z[i] * z[i];
        own += ((z[i] - mean[i]) / wide[i]) ** 2;
      }
      const [a, b] = [-0.5 * prior, logWide - 0.5 * own];
      const sum = Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
      return sum - Math.LN2 - 0.5 * d * LOG_2PI;
    },
  };
}

/** Mean and variance of numbers that come one by one (Welford). */
function runningMean() {
  const tally = { count: 0, mean: 0, squares: 0 };
  tally.add = (value) => {
    const off = value - tally.mean;
    tally.mean += off / ++tally.count;
    tally.squares += off * (value - tally.mean);
  };
  return tally;
}

/**
 * Both estimates of one image.
 * @param {{mean: Float64Array, deviation: Float64Array, kl: Float64Array}} q
 * @param {number} widen  of the proposal for log p(x), on q's deviations
 */
function createBound(vae, x, q, { widen, seed }) {
  const d = vae.latentDim;
  const logLikelihood = likelihoodOf(vae, x);
  const proposal = defensiveMixture(q.mean, q.deviation, widen);
  const fillZ = normalStream(STREAM.reconstruction + seed);
  const fillProposal = normalStream(STREAM.proposal + seed);
  const z = new Float64Array(d);
  const drawn = new Float64Array(d + 1);
  const reconstruction = runningMean();
  const weights = weightTally();
  const rate = q.kl.reduce((sum, value) => sum + value, 0);

  /** Go on up to so many draws each. */
  function advance(count) {
    while (weights.count < count) {
      fillZ(z);
      for (let i = 0; i < d; i++) z[i] = q.mean[i] + q.deviation[i] * z[i];
      reconstruction.add(logLikelihood(z));
      fillProposal(drawn);
      proposal.transform(drawn);
      let prior = -0.5 * d * LOG_2PI;
      for (let i = 0; i < d; i++) prior -= 0.5 * drawn[i] * drawn[i];
      weights.add(logLikelihood(drawn) + prior - proposal.logDensity(drawn));
    }
  }
  /** What is known so far. Of one draw an error is not known: infinity. */
  function now() {
    const { count, mean, squares } = reconstruction;
    const logMarginal = logMeanWeight(weights);
    const elbo = mean - rate;
    return {
      count,
      rate,
      distortion: -mean,
      elbo,
      elboError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : Infinity,
      logMarginal,
      error: logMeanStandardError(weights),
      effective: effectiveSampleSize(weights),
      gap: logMarginal - elbo,
    };
  }
  return { advance, now };
}
