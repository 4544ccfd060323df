// Draws from the prior, weighed one by one, and what is kept of them.

const MOST_DRAWS = 1e6;
const LEAST_DRAWS = 100; // before the rule is asked
const HEAVIEST = 30;
const BINS = 60;

/** Where the bins of log weights lie: they hold the prior's draws and the posterior's. */
function weightBins({ prior, posterior, highest }) {
  const least = Math.min(prior.mean - 3 * prior.deviation, posterior.mean - 4 * posterior.deviation);
  const most = Math.max(highest, least + 1); // no weight is over the highest
  return { least, most: most + 0.02 * (most - least) };
}

/** Whether the draws say that they are enough. They can't know what they have missed. */
function looksConverged(tally, tolerance) {
  return tally.count >= LEAST_DRAWS && logMeanStandardError(tally) < tolerance;
}

function createSampler(known, seed) {
  const { model } = known;
  const fill = normalStream(seed);
  const z = new Float64Array(model.slopes.length);
  const bins = { ...weightBins(known), counts: new Float64Array(BINS) };
  const perNat = BINS / (bins.most - bins.least);
  const sampler = {
    tally: weightTally(),
    trace: estimateTrace(),
    heaviest: heaviestList(HEAVIEST),
    bins,
    best: z.slice(), // the latent of the heaviest draw
    last: null, // log weight of the last draw
  };
  const { tally, trace, heaviest } = sampler;
  let nextPoint = 1;

  /** Draw until there are `count`, or until `isEnough` says so at a point of the trace. */
  sampler.advance = (count, isEnough = () => false) => {
    while (tally.count < count) {
      fill(z);
      const logWeight = logLikelihood(model, z);
      tally.add(logWeight);
      const bin = Math.floor((logWeight - bins.least) * perNat);
      bins.counts[Math.min(BINS - 1, Math.max(0, bin))]++;
      if (heaviest.add(logWeight)) sampler.best.set(z);
      sampler.last = logWeight;
      if (tally.count < nextPoint) continue;
      trace.keep(tally);
      nextPoint = nextTracePoint(nextPoint);
      if (isEnough()) return true;
    }
    return false;
  };
  return sampler;
}
