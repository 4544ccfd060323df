// What the estimates are of, and how noisy they must be: the gradient and both variances.

// Trapezium rule for a standard normal. The integrands are entire, or have poles that are five
// steps away and more: exact to rounding, or nearly.
const QUADRATURE = (() => {
  const [step, half] = [0.02, 450];
  const noise = Float64Array.from({ length: 2 * half + 1 }, (_, i) => (i - half) * step);
  const weights = noise.map((e) => Math.exp(-0.5 * e * e));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { noise, weights: weights.map((weight) => weight / total) };
})();

const expect = (values) => values.reduce((sum, value, i) => sum + QUADRATURE.weights[i] * value, 0);

/**
 * Of a step's estimates of the gradient, averages of `draws` draws: for each parameter the exact
 * gradient, and for each way the estimate's mean and variance, and one draw's deviation.
 */
function exactMoments(target, q, { constant, baseline, draws }) {
  const { noise } = QUADRATURE;
  const { z, values, reparameterised: paths } = drawGradients(target, q, noise, { constant, baseline: "none" });
  const level = expect(values);
  const centred = values.map((value) => value - level);
  const variance = expect(centred.map((value) => value * value));
  const moments = { z, level };
  for (const parameter of PARAMETERS) {
    const entropy = entropyGradient[parameter];
    const path = paths[parameter];
    const gradient = expect(path);
    const pathVariance = expect(path.map((value) => (value - gradient) ** 2));
    const score = noise.map((e) => scoreOf[parameter](q, e));
    const weighed = (weights) => expect(weights.map((weight, i) => (weight * score[i]) ** 2));
    const [covariance, scores] = [gradient - entropy, expect(score.map((value) => value * value))];
    let [bias, stepVariance, drawVariance] = [1, 0, 0];
    if (baseline === "none") {
      drawVariance = weighed(values) - covariance ** 2;
      stepVariance = drawVariance / draws;
    } else {
      // The step's estimate is the sample covariance of f and the score.
      const together = weighed(centred);
      bias = baseline === "batch-mean" ? (draws - 1) / draws : 1;
      const shared = ((draws - 2) * covariance ** 2 - variance * scores) / (draws - 1);
      stepVariance = (bias ** 2 * (together - shared)) / draws;
      drawVariance = bias ** 2 * (together + (variance * scores) / (draws - 1) - covariance ** 2);
    }
    moments[parameter] = {
      gradient,
      reparameterised: { mean: gradient, variance: pathVariance / draws, deviation: Math.sqrt(pathVariance) },
      score: { mean: bias * covariance + entropy, variance: stepVariance, deviation: Math.sqrt(Math.max(0, drawVariance)) },
    };
  }
  return moments;
}
