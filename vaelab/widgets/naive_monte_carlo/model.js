// A linear decoder with Gaussian noise, in the axes of the data's covariance, where all is a sum
// over axes. Axis j of the image depends on latent j alone: x_j = slope_j z_j + noise.

const LOG_2PI = Math.log(2 * Math.PI);

/** The noise that fits the data best: the variance that no latent accounts for, on average. */
function fittedNoiseVar(eigenvalues, latentDim) {
  const left = eigenvalues.slice(latentDim);
  return left.reduce((sum, value) => sum + value, 0) / left.length;
}

/** The most likely model of so many latents at a given noise, and one image x to score. */
function linearGaussian({ eigenvalues, coordinates }, latentDim, noiseVar) {
  return {
    noiseVar,
    pixels: coordinates.length,
    slopes: Float64Array.from(eigenvalues.slice(0, latentDim), (value) => Math.sqrt(Math.max(0, value - noiseVar))),
    x: Float64Array.from(coordinates),
    rest: coordinates.slice(latentDim).reduce((sum, value) => sum + value * value, 0),
  };
}

/** log p(x | z) in nats. */
function logLikelihood({ noiseVar, pixels, slopes, x, rest }, z) {
  let squared = rest;
  for (let j = 0; j < slopes.length; j++) squared += (x[j] - slopes[j] * z[j]) ** 2;
  return -0.5 * (pixels * (LOG_2PI + Math.log(noiseVar)) + squared / noiseVar);
}

/** The exact log p(x), for the model's noise or another. */
function logMarginal({ noiseVar, pixels, slopes, x, rest }, variance = noiseVar) {
  let sum = (pixels - slopes.length) * Math.log(variance) + rest / variance;
  slopes.forEach((slope, j) => {
    const total = slope * slope + variance;
    sum += Math.log(total) + (x[j] * x[j]) / total;
  });
  return -0.5 * (pixels * LOG_2PI + sum);
}

/** Log of the share of the prior's draws that count: E[w]^2 / E[w^2]. */
function logEssFraction(model) {
  const { noiseVar, pixels } = model;
  const logSecondMoment = logMarginal(model, noiseVar / 2) - 0.5 * pixels * Math.log(4 * Math.PI * noiseVar);
  return 2 * logMarginal(model) - logSecondMoment;
}

/** Mean and variance of p(z | x), axis by axis. */
function posterior({ noiseVar, slopes, x }) {
  const total = slopes.map((slope) => slope * slope + noiseVar);
  return {
    mean: slopes.map((slope, j) => (slope * x[j]) / total[j]),
    variance: total.map((value) => noiseVar / value),
  };
}

/** KL(p(z | x) || p(z)) in nats: what x tells about z. */
function klPosteriorPrior(model) {
  const { mean, variance } = posterior(model);
  return mean.reduce((sum, m, j) => sum + 0.5 * (m * m + variance[j] - 1 - Math.log(variance[j])), 0);
}

/** Mean and deviation of log p(x | z) for z from a Gaussian, axis by axis. */
function logLikelihoodSpread(model, { mean, variance }) {
  const { noiseVar, slopes, x } = model;
  let spread = 0;
  let expected = logLikelihood(model, mean);
  slopes.forEach((slope, j) => {
    const part = slope * slope * variance[j]; // variance of slope * z
    const off = x[j] - slope * mean[j];
    expected -= part / (2 * noiseVar);
    spread += (part * part) / 2 + off * off * part;
  });
  return { mean: expected, deviation: Math.sqrt(spread) / noiseVar };
}

/** What is known of the model and its image without a draw. */
function describeModel(spectrum, latentDim, noise) {
  const noiseVar = noise ? noise * noise : fittedNoiseVar(spectrum.eigenvalues, latentDim);
  const model = linearGaussian(spectrum, latentDim, noiseVar);
  const prior = { mean: new Float64Array(latentDim), variance: new Float64Array(latentDim).fill(1) };
  return {
    model,
    logMarginal: logMarginal(model),
    logEssFraction: logEssFraction(model),
    kl: klPosteriorPrior(model),
    useful: model.slopes.filter((slope) => slope > 0).length,
    prior: logLikelihoodSpread(model, prior),
    posterior: logLikelihoodSpread(model, posterior(model)),
    highest: logLikelihood(model, model.slopes.map((slope, j) => (slope ? model.x[j] / slope : 0))),
  };
}
