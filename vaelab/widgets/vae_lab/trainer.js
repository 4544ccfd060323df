// One VAE in training. It answers messages, so that it can live in a worker or in the page.

const LEAST_NOISE = 0.05; // below, no lattice that a page can afford resolves p(x | z)
const MOST_NOISE = 2;
const LOST = -1e5; // nats a point below which training has run away

/**
 * A model with its optimisers and data.
 * @param {object} settings  {points, latentDim, seed, noise}
 */
function startTraining({ points, latentDim, seed, noise }) {
  const vae = initialVae(seed, latentDim, noise);
  const split = encoderSize(latentDim, vae.hidden);
  return {
    vae,
    gradient: readLabVae(new Float64Array(vae.values.length), latentDim),
    x: Float64Array.from(points),
    seed,
    step: 0,
    split,
    encoderAdam: adamState(split),
    decoderAdam: adamState(vae.values.length - split),
    diverged: false,
    lattice: undefined,
  };
}

/** log s^2 where it is learnt, kept to what quadrature can follow. */
function holdNoise(vae) {
  const [least, most] = [2 * Math.log(LEAST_NOISE), 2 * Math.log(MOST_NOISE)];
  vae.noiseLogVar[0] = Math.min(most, Math.max(least, vae.noiseLogVar[0]));
}

/**
 * One step of Adam on all points, with one draw of z each.
 * @param {object} training  from startTraining
 * @param {object} options  {beta, rate, part: "both", "encoder" or "decoder", learnNoise, noise}
 * @param {Float64Array} [draws]  standard normal numbers; without them, those of seed and step
 */
function trainStep(training, { beta, rate, part, learnNoise, noise }, draws) {
  const { vae, gradient, x, split } = training;
  if (training.diverged || !x.length) return;
  if (!learnNoise) vae.noiseLogVar[0] = 2 * Math.log(noise);
  training.step += 1;
  draws ??= standardNormal(mixSeed(training.seed, training.step), (x.length / DATA_DIM) * vae.latentDim);
  const { objective } = betaObjective(vae, gradient, x, draws, beta);
  const isSound = gradient.values.every(Number.isFinite) && objective > LOST; // no NaN is
  if (!isSound) {
    training.diverged = true; // the weights stay as they were: finite
    return;
  }
  const last = vae.values.length;
  if (part !== "decoder") {
    adamStep(training.encoderAdam, vae.values.subarray(0, split), gradient.values.subarray(0, split), rate);
  }
  if (part !== "encoder") {
    if (!learnNoise) gradient.noiseLogVar[0] = 0;
    const [values, slope] = [vae.values, gradient.values].map((all) => all.subarray(split, last));
    adamStep(training.decoderAdam, values, slope, rate);
    if (learnNoise) holdNoise(vae);
    else vae.noiseLogVar[0] = 2 * Math.log(noise);
  }
}

/** The weights with what is measured on them. */
function snapshot(training, withFigures) {
  const { vae, x, step, diverged } = training;
  const shot = { step, diverged, latentDim: vae.latentDim, values: vae.values.slice() };
  if (!withFigures) return shot;
  shot.figures = x.length ? measure(vae, x, training.lattice) : null;
  training.lattice = shot.figures?.hint;
  return shot;
}

/** What a worker does: keep one training, and answer each request with a snapshot. */
function createTrainer() {
  let training = null;
  return ({ id, start, points, options, count = 0, figures = false, patience = Infinity }) => {
    const began = Date.now();
    if (start) training = startTraining(start);
    if (points) training.x = Float64Array.from(points);
    if (options && !options.learnNoise) training.vae.noiseLogVar[0] = 2 * Math.log(options.noise);
    for (let i = 0; i < count && Date.now() - began < patience; i++) trainStep(training, options);
    const trained = Date.now() - began;
    const shot = snapshot(training, figures);
    return { id, ...shot, trained, took: Date.now() - began };
  };
}
