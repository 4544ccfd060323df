// Steps of K draws each, and running averages and variances of what each step says.

const MOST_STEPS = 1e4;
const DRAWS_AT_ONCE = 1600; // about a millisecond's

/** Mean and variance of numbers that come one by one (Welford). */
function runningMoments() {
  const moments = { count: 0, mean: 0, squares: 0 };
  moments.add = (value) => {
    moments.count++;
    const off = value - moments.mean;
    moments.mean += off / moments.count;
    moments.squares += off * (value - moments.mean);
  };
  return moments;
}

const varianceOf = ({ count, squares }) => (count > 1 ? squares / (count - 1) : Infinity);
const errorOf = (moments) => Math.sqrt(varianceOf(moments) / moments.count);

const forEachEstimate = (make) =>
  Object.fromEntries(WAYS.map((way) => [way, Object.fromEntries(PARAMETERS.map((parameter) => [parameter, make(way, parameter)]))]));

function createSampler(target, q, { constant, baseline, draws, seed }) {
  const fill = normalStream(seed);
  const sampler = {
    tally: { count: 0 },
    running: forEachEstimate(runningMoments),
    trace: { counts: [], ...forEachEstimate(() => ({ means: [], errors: [], variances: [] })) },
    last: null, // the latest step's draws
  };
  const { tally, running, trace } = sampler;
  const each = WAYS.flatMap((way) => PARAMETERS.map((parameter) => [way, parameter]));
  let nextPoint = 1;

  function keep() {
    trace.counts.push(tally.count);
    for (const [way, parameter] of each) {
      const moments = running[way][parameter];
      trace[way][parameter].means.push(moments.mean);
      trace[way][parameter].errors.push(errorOf(moments));
      trace[way][parameter].variances.push(varianceOf(moments));
    }
  }
  /** Make steps until there are `count`, or as many as take no time to speak of. */
  sampler.advance = (count) => {
    const goal = Math.min(count, tally.count + DRAWS_AT_ONCE / draws);
    while (tally.count < goal) {
      const noise = fill(new Float64Array(draws));
      const drawn = (sampler.last = drawGradients(target, q, noise, { constant, baseline }));
      for (const [way, parameter] of each) {
        running[way][parameter].add(averageOf(drawn[way][parameter]));
      }
      tally.count++;
      if (tally.count < nextPoint) continue;
      keep();
      nextPoint = afterFrame(nextPoint);
    }
    return false; // never enough of its own accord
  };
  /** What was kept of one estimate, and how it is now at its end. */
  sampler.traceOf = (way, parameter) => {
    const { counts } = trace;
    const { means, errors, variances } = trace[way][parameter];
    if (!tally.count || counts.at(-1) === tally.count) return { counts, means, errors, variances };
    const now = running[way][parameter];
    return {
      counts: [...counts, tally.count],
      means: [...means, now.mean],
      errors: [...errors, errorOf(now)],
      variances: [...variances, varianceOf(now)],
    };
  };
  return sampler;
}
