// What the widget shows, as numbers: no page is needed for this part.

const PRIOR_DRAWS = 24;
const POSTERIOR_DRAWS = 6;
const ELBO_DRAWS = 200;
// Seeds of noise that stays the same, so that only the model changes between two choices.
const POSTERIOR_SEED = 1;
const ELBO_SEED = 2;

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

/** Latents from the prior. Of 16 numbers a picture the first d are used: same noise for all d. */
function priorDraws(seed, latentDim, count = PRIOR_DRAWS, widest = 16) {
  const noise = standardNormal(seed, count * widest);
  return Array.from({ length: count }, (_, i) => noise.slice(i * widest, i * widest + latentDim));
}

/** Everything shown about one held-out image. */
function describeImage(vae, x) {
  const { mean, logVar } = encode(vae, x);
  const noise = standardNormal(POSTERIOR_SEED, POSTERIOR_DRAWS * vae.latentDim);
  const draws = Array.from({ length: POSTERIOR_DRAWS }, (_, k) => {
    const row = noise.subarray(k * vae.latentDim, (k + 1) * vae.latentDim);
    return decodeMean(vae, samplePosterior(mean, logVar, row));
  });
  const terms = elboTerms(vae, x, standardNormal(ELBO_SEED, ELBO_DRAWS * vae.latentDim));
  return { ...terms, fromMean: decodeMean(vae, mean), draws };
}
