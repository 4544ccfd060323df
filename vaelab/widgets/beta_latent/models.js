// What the widget shows of a digit, as numbers: no page is needed for this part.

const PRIOR_DRAWS = 24;
const POSTERIOR_DRAWS = 6;
const TRAVERSAL = [-3, -2, -1, 0, 1, 2, 3];
const WIDEST = 16; // latents
// One seed, many streams of noise: which begins where.
const STREAM = { prior: 0, posterior: 10_000, reconstruction: 20_000, proposal: 30_000 };

/** The models and images of a data file. */
function readModels(data) {
  const numbers = decodeFloat16(decodeBase64(data.weights));
  const models = new Map();
  let at = 0;
  for (const [beta, latentDim] of data.settings) {
    const vae = readVae(numbers, at, { latentDim, hidden: data.hidden, pixels: data.pixels });
    models.set(`${beta} ${latentDim}`, vae);
    at += vae.size;
  }
  if (at !== numbers.length) throw new Error(`The data file has ${numbers.length} weights, not ${at}`);
  const packed = decodeBase64(data.images);
  const image = (i) => unpackImage(packed, i, data.pixels);
  return { vae: (beta, latentDim) => models.get(`${beta} ${latentDim}`), image };
}

/** Rows of noise. Of 16 numbers a picture the first d are used: the same noise for all d. */
function noiseRows(seed, latentDim, count) {
  const noise = standardNormal(seed, count * WIDEST);
  return Array.from({ length: count }, (_, i) => noise.slice(i * WIDEST, i * WIDEST + latentDim));
}

function priorDraws(seed, latentDim) {
  return noiseRows(STREAM.prior + seed, latentDim, PRIOR_DRAWS);
}

/** An image, encoded, sampled and decoded. */
function describeDigit(vae, x, seed) {
  const { mean, logVar } = encode(vae, x);
  return {
    mean,
    deviation: logVar.map((value) => Math.exp(0.5 * value)),
    kl: klToStandardNormal(mean, logVar),
    fromMean: decodeMean(vae, mean),
    draws: noiseRows(STREAM.posterior + seed, vae.latentDim, POSTERIOR_DRAWS).map((noise) =>
      decodeMean(vae, samplePosterior(mean, logVar, noise)),
    ),
  };
}

/** What one latent does, with the others at the posterior's mean. */
function traverse(vae, mean, latent) {
  return TRAVERSAL.map((value) => {
    const z = mean.slice();
    z[latent] = value;
    return decodeMean(vae, z);
  });
}
