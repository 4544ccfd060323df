// A Gaussian proposal of diagonal covariance, { mean, width }, held against a target: all exact.

/** KL(posterior || proposal), nats: what importance sampling pays. */
function klToProposal(target, { mean, width }) {
  const { d, humps, covariance, precision, logDet } = target;
  const signs = humps === 2 ? [1, -1] : [1];
  let cross = 0; // -E log r, over the posterior
  for (let i = 0; i < d; i++) {
    const squared = signs.reduce((sum, sign) => sum + (sign * target.mean[i] - mean[i]) ** 2, 0) / signs.length;
    const ratio = (covariance[i * d + i] + squared) / width[i] ** 2;
    cross += 0.5 * (LOG_2PI + ratio) + Math.log(width[i]);
  }
  let entropy = 0.5 * (d * (1 + LOG_2PI) + logDet);
  if (humps === 2) {
    const apart = dot(target.mean, times(precision, target.mean));
    entropy += Math.LN2 - expectedSoftplus(apart, apart);
  }
  return Math.max(0, cross - entropy);
}

/** KL(proposal || posterior), nats: the ELBO's gap. */
function klFromProposal(target, { mean, width }) {
  const { d, humps, precision, logDet } = target;
  const off = mean.map((m, i) => m - target.mean[i]);
  const trace = width.reduce((sum, w, i) => sum + precision[i * d + i] * w * w, 0);
  const entropy = width.reduce((sum, w) => sum + 0.5 * (1 + LOG_2PI) + Math.log(w), 0);
  let cross = 0.5 * (d * LOG_2PI + logDet + trace + dot(off, times(precision, off)));
  if (humps === 2) {
    const slope = times(precision, target.mean);
    const spread = slope.reduce((sum, value, i) => sum + (value * width[i]) ** 2, 0);
    cross += Math.LN2 - expectedSoftplus(dot(slope, mean), spread);
  }
  return Math.max(0, cross - entropy);
}

/** The shape k of the weights' tail: none is over a bound where it is not positive. */
function tailShape({ d, precision }, { width }) {
  return 1 - leastEigenvalue(precision.map((value, at) => value * width[Math.floor(at / d)] * width[at % d]));
}

/** Log of the share of the draws that count, E[w]^2 / E[w^2]: -Infinity where E[w^2] is infinite. */
function logUsefulShare(target, proposal) {
  const { d, humps, precision, logDet } = target;
  const { mean, width } = proposal;
  if (tailShape(target, proposal) >= 0.5) return -Infinity;
  const own = width.map((w) => 1 / (w * w));
  const left = precision.map((value, at) => 2 * value - (at % (d + 1) === 0 ? own[at % d] : 0));
  const back = inverse(left);
  const pull = mean.map((m, i) => own[i] * m);
  const about = dot(target.mean, times(precision, target.mean));
  const signs = humps === 2 ? [2, 0, 0, -2] : [2]; // of the sum of two humps' means
  const terms = signs.map((sign) => {
    const h = times(precision, target.mean).map((value, i) => sign * value - pull[i]);
    return 0.5 * dot(h, times(back, h));
  });
  const sum = terms.reduce(logAddExp, -Infinity) - Math.log(signs.length);
  const logWidths = width.reduce((total, w) => total + Math.log(w), 0);
  return -(sum - about + 0.5 * dot(mean, pull) - logDet + logWidths - 0.5 * Math.log(determinant(left)));
}

/** What is known of a proposal without a draw. */
function describeProposal(target, proposal) {
  return {
    target,
    proposal,
    kl: klToProposal(target, proposal),
    otherKl: klFromProposal(target, proposal),
    tail: tailShape(target, proposal),
    logUseful: logUsefulShare(target, proposal),
  };
}

/** Where to start from: what each button sets. */
function presets(target) {
  const whole = posteriorMoments(target);
  const hump = { mean: target.mean, width: posteriorMoments({ ...target, humps: 1 }).width };
  const origin = target.mean.map(() => 0);
  return {
    prior: { mean: origin, width: origin.map(() => 1) },
    posterior: whole,
    narrow: { mean: hump.mean, width: hump.width.map((w) => w / 3) },
    // Beside the hump if there is one; on one of them, and a little wider, if there are two.
    shifted:
      target.humps === 2
        ? { ...hump, width: hump.width.map((w) => 1.2 * w) }
        : { ...hump, mean: hump.mean.map((m, i) => m - 2 * hump.width[i]) },
  };
}
