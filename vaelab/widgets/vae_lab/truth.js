// What the model is worth on its data: the ELBO and the exact log p(x), so their gap.

const GOOD_ENOUGH = 0.01; // nats that a lattice of twice the step may differ by, on average
const MOST_POINTS = { 1: 40_001, 2: 300_000 };
const FIRST_LATTICE = { 1: { reach: 8, step: 0.04 }, 2: { reach: 5, step: 0.2 } };
const MOST_REACH = 60;
const Q_REACH = 6; // standard deviations of q that are summed over
const Q_STEP = { 1: 0.25, 2: 0.5 };

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** E_q[log p(x | z)] of each point by the trapezoidal rule, on a lattice that moves with q. */
function expectedLogLikelihood(vae, x, codes) {
  const { latentDim } = vae;
  const offsets = evenAxis(Q_REACH, Q_STEP[latentDim]);
  const weights = offsets.map((e) => Math.exp(-0.5 * e * e));
  const total = weights.reduce((sum, w) => sum + w, 0) ** latentDim;
  const values = new Float64Array(x.length / DATA_DIM);
  for (let n = 0; n < values.length; n++) {
    const axes = Array.from({ length: latentDim }, (_, j) => {
      const at = codes[2 * n * latentDim + j];
      const deviation = Math.exp(0.5 * codes[(2 * n + 1) * latentDim + j]);
      return offsets.map((e) => at + deviation * e);
    });
    const means = latticeMeans(vae.decoder, axes);
    let sum = 0;
    for (let g = 0; g < means.length / 2; g++) {
      const across = x[2 * n] - means[2 * g];
      const up = x[2 * n + 1] - means[2 * g + 1];
      const column = g % offsets.length;
      const row = (g - column) / offsets.length;
      const weight = latentDim === 1 ? weights[column] : weights[row] * weights[column];
      sum += weight * (across * across + up * up);
    }
    values[n] = gaussianLogLikelihood(sum / total, vae.noiseLogVar[0]);
  }
  return values;
}

/** KL(q(z | x) || p(z)) in nats: rows x latentDim. */
function klOfCodes(codes, latentDim) {
  const kl = new Float64Array(codes.length / 2);
  for (let i = 0; i < kl.length; i++) {
    const n = Math.floor(i / latentDim);
    const m = codes[i + n * latentDim];
    const v = codes[i + (n + 1) * latentDim];
    kl[i] = 0.5 * (m * m + Math.expm1(v) - v);
  }
  return kl;
}

/**
 * log p(x) on a lattice that suits the decoder: finer while the step matters, wider while the
 * ends do, and as fine as time allows at most. `hint` is the lattice that suited last.
 */
function refinedLogMarginal(vae, x, hint = FIRST_LATTICE[vae.latentDim]) {
  let { reach, step } = hint;
  for (;;) {
    const found = quadratureLogMarginal(vae, x, reach, step);
    const [change, beyond] = [mean(found.change), mean(found.beyond)];
    const points = (wide, fine) => (2 * (wide / fine) + 1) ** vae.latentDim;
    const isWide = beyond < GOOD_ENOUGH || reach >= MOST_REACH;
    const isFine = change < GOOD_ENOUGH;
    const [wider, finer] = [isWide ? reach : 1.5 * reach, isFine ? step : step / 2];
    const affordable = points(wider, finer) <= MOST_POINTS[vae.latentDim];
    if ((isWide && isFine) || !affordable) {
      // Twice the step is what `change` speaks of: if that was plenty, it will do next time.
      const coarsest = FIRST_LATTICE[vae.latentDim].step;
      const nextStep = change < GOOD_ENOUGH / 100 ? Math.min(2 * step, coarsest) : step;
      return { ...found, error: change + beyond, lattice: { reach, step }, hint: { reach, step: nextStep } };
    }
    [reach, step] = [wider, finer];
  }
}

/** All that is plotted, averaged over the points; and log p(x) and the ELBO of each. */
function measure(vae, x, hint) {
  const rows = x.length / DATA_DIM;
  const codes = encodeAll(vae, x).output;
  const reconstructions = expectedLogLikelihood(vae, x, codes);
  const kl = klOfCodes(codes, vae.latentDim);
  const elbos = reconstructions.slice();
  const rates = new Float64Array(vae.latentDim);
  kl.forEach((value, i) => {
    elbos[Math.floor(i / vae.latentDim)] -= value;
    rates[i % vae.latentDim] += value / rows;
  });
  const exact = refinedLogMarginal(vae, x, hint);
  const [reconstruction, logMarginal] = [mean(reconstructions), mean(exact.logMarginal)];
  const rate = rates.reduce((sum, value) => sum + value, 0);
  return {
    reconstruction,
    rate,
    rates,
    elbo: reconstruction - rate,
    logMarginal,
    gap: logMarginal - (reconstruction - rate),
    error: exact.error,
    noise: Math.exp(0.5 * vae.noiseLogVar[0]),
    elbos,
    logMarginals: exact.logMarginal,
    hint: exact.hint,
  };
}
