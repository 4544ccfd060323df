// Draws from the proposal, weighed one by one.

const HEAVIEST = 30;
const PICTURED = 300; // draws that are shown in the picture

function createSampler(known, seed, most) {
  const { target, proposal } = known;
  const { mean, width } = proposal;
  const fill = normalStream(seed);
  const noise = new Float64Array(target.d);
  const z = new Float64Array(target.d);
  const logNormaliser = width.reduce((sum, w) => sum - 0.5 * LOG_2PI - Math.log(w), 0);
  const logWeights = new Float64Array(most);
  const sampler = {
    tally: weightTally(),
    trace: estimateTrace(),
    heaviest: heaviestList(HEAVIEST),
    logWeights,
    places: new Float64Array(PICTURED * target.d),
  };
  const { tally, trace, heaviest, places } = sampler;
  let nextPoint = 1;

  sampler.advance = (count) => {
    while (tally.count < count) {
      fill(noise);
      let logProposal = logNormaliser;
      for (let i = 0; i < z.length; i++) {
        z[i] = mean[i] + width[i] * noise[i];
        logProposal -= 0.5 * noise[i] * noise[i];
      }
      const logWeight = target.logJoint(z) - logProposal;
      if (tally.count < PICTURED) places.set(z, tally.count * z.length);
      logWeights[tally.count] = logWeight;
      tally.add(logWeight);
      heaviest.add(logWeight);
      if (tally.count < nextPoint) continue;
      trace.keep(tally);
      nextPoint = nextTracePoint(nextPoint);
    }
    return false;
  };
  /** k-hat of all draws so far. */
  sampler.kHat = () => paretoK(logWeights.subarray(0, tally.count));
  return sampler;
}
