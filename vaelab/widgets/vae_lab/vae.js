// A VAE on points of the plane: tanh encoder and decoder, p(x | z) = N(mean(z), s^2 I).
// The objective and its gradient, by hand. Tests hold both against PyTorch's.

const DATA_DIM = 2;
const HIDDEN = 24;
const LOG_2PI = Math.log(2 * Math.PI);

/** How many parameters belong to the encoder; the decoder's and the noise come after. */
function encoderSize(latentDim, hidden) {
  return hidden * (DATA_DIM + 1) + 2 * latentDim * (hidden + 1);
}

function parameterCount(latentDim, hidden) {
  return encoderSize(latentDim, hidden) + hidden * (latentDim + 1) + DATA_DIM * (hidden + 1) + 1;
}

/**
 * Parameters by name, as views of one array: what is written to either is in both.
 * `noiseLogVar` holds one number, log s^2.
 */
function readLabVae(values, latentDim, hidden = HIDDEN) {
  const encoder = readNetwork(values, 0, [DATA_DIM, hidden, 2 * latentDim]);
  const decoder = readNetwork(values, encoder.end, [latentDim, hidden, DATA_DIM]);
  return {
    values,
    latentDim,
    hidden,
    encoder: encoder.layers,
    decoder: decoder.layers,
    noiseLogVar: values.subarray(decoder.end, decoder.end + 1),
  };
}

/** Weights uniform within 1 / sqrt(inputs), as PyTorch draws them, here by the seed. */
function initialVae(seed, latentDim, noise, hidden = HIDDEN) {
  const vae = readLabVae(new Float64Array(parameterCount(latentDim, hidden)), latentDim, hidden);
  const uniform = uniformGenerator(mixSeed(seed, 0));
  for (const { weight, bias } of [...vae.encoder, ...vae.decoder]) {
    const bound = 1 / Math.sqrt(weight.length / bias.length);
    for (const part of [weight, bias]) {
      for (let i = 0; i < part.length; i++) part[i] = bound * (2 * uniform() - 1);
    }
  }
  vae.noiseLogVar[0] = 2 * Math.log(noise);
  return vae;
}

/** A seed for the noise of one step: any step's can be drawn without those before. */
function mixSeed(seed, step) {
  let mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Means and log-variances of q(z | x), rows x 2 latentDim, with the hidden units. */
function encodeAll({ encoder }, x) {
  return networkForward(encoder, x, x.length / DATA_DIM);
}

/** The squared distance of each point from its decoded mean, and log N(x; mean, s^2 I). */
function gaussianLogLikelihood(squaredDistance, noiseLogVar) {
  return -0.5 * (DATA_DIM * (LOG_2PI + noiseLogVar) + squaredDistance * Math.exp(-noiseLogVar));
}

/**
 * reconstruction - beta KL with one draw of z for each point, averaged over points; and the
 * gradient of its negative, written to `gradient`.
 * @param {object} gradient  from readLabVae, of the same shape as vae
 * @param {Float64Array} x  rows of DATA_DIM
 * @param {Float64Array} noise  rows of latentDim standard normal numbers
 */
function betaObjective(vae, gradient, x, noise, beta) {
  const { latentDim } = vae;
  const rows = x.length / DATA_DIM;
  const encoded = encodeAll(vae, x);
  const z = new Float64Array(rows * latentDim);
  const deviation = new Float64Array(z.length);
  let rate = 0;
  for (let n = 0; n < rows; n++) {
    for (let j = 0; j < latentDim; j++) {
      const at = n * latentDim + j;
      const mean = encoded.output[2 * n * latentDim + j];
      const logVar = encoded.output[(2 * n + 1) * latentDim + j];
      deviation[at] = Math.exp(0.5 * logVar);
      z[at] = mean + deviation[at] * noise[at];
      rate += 0.5 * (mean * mean + Math.expm1(logVar) - logVar);
    }
  }

  const decoded = networkForward(vae.decoder, z, rows);
  const precision = Math.exp(-vae.noiseLogVar[0]);
  const atMean = new Float64Array(x.length);
  let squares = 0;
  for (let i = 0; i < x.length; i++) {
    const residual = decoded.output[i] - x[i];
    squares += residual * residual;
    atMean[i] = (residual * precision) / rows;
  }

  gradient.values.fill(0);
  gradient.noiseLogVar[0] = 0.5 * (DATA_DIM - (squares * precision) / rows);
  const atZ = networkBackward(vae.decoder, gradient.decoder, decoded, atMean, rows);
  const atCode = new Float64Array(encoded.output.length);
  for (let n = 0; n < rows; n++) {
    for (let j = 0; j < latentDim; j++) {
      const at = n * latentDim + j;
      const [m, v] = [2 * n * latentDim + j, (2 * n + 1) * latentDim + j];
      const [mean, logVar] = [encoded.output[m], encoded.output[v]];
      atCode[m] = atZ[at] + (beta * mean) / rows;
      atCode[v] = 0.5 * (atZ[at] * deviation[at] * noise[at] + (beta * Math.expm1(logVar)) / rows);
    }
  }
  networkBackward(vae.encoder, gradient.encoder, encoded, atCode, rows);

  const reconstruction = gaussianLogLikelihood(squares / rows, vae.noiseLogVar[0]);
  rate /= rows;
  return { reconstruction, rate, objective: reconstruction - beta * rate };
}
