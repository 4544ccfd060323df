// Pareto k-hat: whether the tail of the weights is too heavy for an average.
// A widget that uses this names "../_js/pareto.js" among its files. It mirrors vaelab.estimators.

const LEAST_TAIL = 5; // fewer tail weights than this say nothing
const PRIOR_WEIGHTS = 10; // the fit is drawn towards 1/2 as if by so many more
const PRIOR_K = 0.5;
const EQUAL_TAIL = 1e-4; // tail weights that differ by less have no tail to fit

function paretoTailLength(count) {
  return Math.ceil(Math.min(0.2 * count, 3 * Math.sqrt(count)));
}

/** The k-hat above which so many draws are too few to be trusted. */
function paretoKThreshold(count) {
  return count > 1 ? Math.min(1 - 1 / Math.log10(count), 0.7) : -Infinity;
}

/** The `count` largest of some numbers, largest first. */
function largestOf(values, count) {
  const all = Float64Array.from(values);
  const cut = all.length - count; // from here on they are to be the largest
  let [low, high] = [0, all.length - 1];
  while (low < high) {
    const pivot = all[(low + high) >> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (all[i] < pivot) i++;
      while (all[j] > pivot) j--;
      if (i <= j) {
        const held = all[i];
        all[i++] = all[j];
        all[j--] = held;
      }
    }
    if (cut <= j) high = j;
    else if (cut >= i) low = i;
    else break;
  }
  return all.subarray(cut).sort().reverse();
}

/** Shape of a generalised Pareto distribution, by Zhang and Stephens; `y` from small to large. */
function fitGeneralisedPareto(y) {
  const n = y.length;
  const quartile = y[Math.floor(n / 4 + 0.5) - 1];
  const size = 30 + Math.floor(Math.sqrt(n));
  const shapeAt = (theta) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.log1p(-theta * y[i]);
    return sum / n;
  };
  const grid = Array.from(
    { length: size },
    (_, j) => 1 / y[n - 1] + (1 - Math.sqrt(size / (j + 0.5))) / (3 * quartile),
  );
  const logLikelihoods = grid.map((theta) => {
    const k = shapeAt(theta);
    return n * (Math.log(-theta / k) - k - 1);
  });
  const most = Math.max(...logLikelihoods);
  const shares = logLikelihoods.map((value) => Math.exp(value - most));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shapeAt(grid.reduce((sum, theta, j) => sum + theta * shares[j], 0) / total);
}

/** How heavy the tail is. -Infinity where there is none, Infinity where there are too few weights. */
function paretoK(logWeights) {
  const tail = largestOf(logWeights, Math.min(paretoTailLength(logWeights.length) + 1, logWeights.length));
  if (tail.length <= LEAST_TAIL) return Infinity;
  const [top, cutoff] = [tail[0], tail[tail.length - 1]];
  if (top - cutoff < EQUAL_TAIL) return -Infinity;
  const excess = [];
  for (let i = tail.length - 2; i >= 0; i--) {
    // w - u in units of the largest weight, without the digits that a difference would lose.
    const value = -Math.exp(tail[i] - top) * Math.expm1(cutoff - tail[i]);
    if (value > 0) excess.push(value);
  }
  if (excess.length < LEAST_TAIL) return Infinity;
  const fit = fitGeneralisedPareto(Float64Array.from(excess));
  const k = (excess.length * fit + PRIOR_WEIGHTS * PRIOR_K) / (excess.length + PRIOR_WEIGHTS);
  return Number.isNaN(k) ? Infinity : k;
}
