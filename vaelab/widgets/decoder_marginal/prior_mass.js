// How much of the prior an image's posterior needs: no page needed. The sums are over a lattice.

/**
 * The least prior mass of a region with this share of the posterior. As in Neyman and Pearson's
 * lemma it takes the points in order of posterior over prior, which is the order of p(x | z);
 * of the last it takes the part that is needed.
 * @returns {{priorMass: number, level: number}}  mass, and log p(x | z) on the region's border
 */
function leastPriorMass({ count, cellMass }, shares, logLikelihood, share = 0.99) {
  const points = [];
  for (let k = 0; k < count; k++) if (shares[k] > 1e-10) points.push(k);
  const sumAbove = (level, values) => {
    let sum = 0;
    for (const k of points) if (logLikelihood[k] > level) sum += values[k];
    return sum;
  };
  // Numbers alone sort quickly; then halve to the highest level above which the share is reached.
  const levels = new Float64Array(points.length);
  points.forEach((k, i) => (levels[i] = logLikelihood[k]));
  levels.sort();
  let [low, high] = [0, levels.length - 1]; // among these is the region's last point
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sumAbove(levels[middle], shares) < share) high = middle;
    else low = middle + 1;
  }
  const level = levels[low];
  const last = points.filter((k) => logLikelihood[k] === level);
  const sumLast = (values) => last.reduce((sum, k) => sum + values[k], 0);
  const part = Math.min(1, (share - sumAbove(level, shares)) / sumLast(shares));
  return { priorMass: sumAbove(level, cellMass) + part * sumLast(cellMass), level };
}

/**
 * p(x)^2 / E p(x | z)^2 under the prior: the effective share of its draws. In shares of
 * p(x | z) p(z), whose squares over p(z) are p(x | z)^2 p(z), scaled.
 */
function effectiveShare({ count, cellMass }, shares) {
  let sum = 0;
  for (let k = 0; k < count; k++) if (shares[k] > 0) sum += (shares[k] * shares[k]) / cellMass[k];
  return Math.min(1, 1 / sum);
}

/** All that is shown of one image, 64 zeros and ones; `before` is what was shown before. */
function describeMarginal(lattice, x, before) {
  const { step, places } = lattice;
  const logLikelihood = latticeLogLikelihood(lattice, x, before);
  const { shares, peak, logSum } = normalise(lattice, logLikelihood);
  return {
    x,
    logMarginal: logSum + 2 * Math.log(step),
    error: latticeError(lattice, shares),
    effectiveShare: effectiveShare(lattice, shares),
    ...leastPriorMass(lattice, shares, logLikelihood),
    shares,
    logLikelihood,
    mostShare: shares[peak],
    peak: places[peak].map((i) => i * step),
  };
}
