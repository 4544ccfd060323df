// The mathematics of vaelab in float64, under the names it has in Python.
// Vectors are Float64Array; matrices are row by row, as PyTorch stores them.

/** Bytes of a base64 text. (atob exists only in browsers; the tests run elsewhere too.) */
function decodeBase64(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const digit = new Uint8Array(128);
  for (let i = 0; i < 64; i++) digit[alphabet.charCodeAt(i)] = i;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let i = 0, out = 0; i < text.length; i += 4) {
    let bits = 0;
    for (let j = 0; j < 4; j++) bits = (bits << 6) | digit[text.charCodeAt(i + j)];
    for (let shift = 16; shift >= 0 && out < bytes.length; shift -= 8) bytes[out++] = bits >> shift;
  }
  return bytes;
}

/** The number that 16 bits stand for, as IEEE 754 half precision. */
function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Little-endian float16 bytes as float64. */
function decodeFloat16(bytes) {
  const numbers = new Float64Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = float16(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  }
  return numbers;
}

/** Image i out of many packed at one bit a pixel, the first pixel highest. */
function unpackImage(packed, i, pixels) {
  return Float64Array.from({ length: pixels }, (_, p) => {
    const bit = i * pixels + p;
    return (packed[bit >> 3] >> (7 - (bit & 7))) & 1;
  });
}

function sigmoid(x) {
  const e = Math.exp(-Math.abs(x)); // never overflows
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** log(1 + exp(x)), without overflow and without losing small values. */
function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** weight @ input + bias. */
function linear({ weight, bias }, input) {
  const output = new Float64Array(bias.length);
  for (let i = 0, w = 0; i < output.length; i++) {
    let sum = bias[i];
    for (let j = 0; j < input.length; j++) sum += weight[w++] * input[j];
    output[i] = sum;
  }
  return output;
}

/** Linear, tanh, linear: an encoder or a decoder. */
function network([first, second], input) {
  return linear(second, linear(first, input).map(Math.tanh));
}

/**
 * Take one VAE's weights off an array of numbers, in the order of PyTorch's state_dict.
 * @returns {{latentDim: number, encoder: object[], decoder: object[], size: number}}
 */
function readVae(numbers, start, { latentDim, hidden, pixels }) {
  let at = start;
  const layer = (inputs, outputs) => {
    const weight = numbers.subarray(at, (at += inputs * outputs));
    const bias = numbers.subarray(at, (at += outputs));
    return { weight, bias };
  };
  const encoder = [layer(pixels, hidden), layer(hidden, 2 * latentDim)];
  const decoder = [layer(latentDim, hidden), layer(hidden, pixels)];
  return { latentDim, encoder, decoder, size: at - start };
}

/** Mean and log-variance of q(z | x). */
function encode(vae, x) {
  const output = network(vae.encoder, x);
  return { mean: output.slice(0, vae.latentDim), logVar: output.slice(vae.latentDim) };
}

/** Bernoulli logits of p(x | z). */
function decode(vae, z) {
  return network(vae.decoder, z);
}

/** E[x | z]: the picture. */
function decodeMean(vae, z) {
  return decode(vae, z).map(sigmoid);
}

/** log p(x | z) in nats, for one image. */
function bernoulliLogLikelihood(x, logits) {
  let sum = 0;
  let factors = 1; // product of 1 + exp(-|logit|): one logarithm for many softplus
  for (let i = 0; i < x.length; i++) {
    const logit = logits[i];
    sum += x[i] * logit - Math.max(logit, 0);
    factors *= 1 + Math.exp(-Math.abs(logit));
    if (factors > 1e300) [sum, factors] = [sum - Math.log(factors), 1];
  }
  return sum - Math.log(factors);
}

/** KL(N(mean, exp(logVar)) || N(0, 1)) in nats, for each latent. */
function klToStandardNormal(mean, logVar) {
  return mean.map((m, j) => 0.5 * (m * m + Math.expm1(logVar[j]) - logVar[j]));
}

/** One draw from q(z | x): mean + deviation * noise. */
function samplePosterior(mean, logVar, noise) {
  return mean.map((m, j) => m + Math.exp(0.5 * logVar[j]) * noise[j]);
}

/**
 * The ELBO's two terms for one image: KL in closed form, reconstruction averaged over draws.
 * @param {Float64Array} noise  K rows of latentDim standard normal numbers
 */
function elboTerms(vae, x, noise) {
  const { mean, logVar } = encode(vae, x);
  const kl = klToStandardNormal(mean, logVar);
  const draws = noise.length / vae.latentDim;
  const values = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    const row = noise.subarray(k * vae.latentDim, (k + 1) * vae.latentDim);
    values[k] = bernoulliLogLikelihood(x, decode(vae, samplePosterior(mean, logVar, row)));
  }
  const sum = (numbers) => numbers.reduce((total, value) => total + value, 0);
  const reconstruction = sum(values) / draws;
  const variance = sum(values.map((v) => (v - reconstruction) ** 2)) / (draws - 1);
  const rate = sum(kl);
  return {
    reconstruction,
    standardError: draws > 1 ? Math.sqrt(variance / draws) : Infinity,
    kl,
    rate,
    distortion: -reconstruction,
    elbo: reconstruction - rate,
  };
}
