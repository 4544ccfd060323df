// One latent: densities above, and below them log weights, over the same axis.

const LINE_BASE = 0.56; // where densities begin, as a share of the height from above
const LINE_TOP = 0.07;
const WEIGHTS_TOP = 0.62; // of the log weights
const WEIGHTS_BASE = 0.91;
const LOG_WEIGHTS = { least: -8, most: 12 }; // less log p(x)
const LINE_POINTS = 180;

/** Heights of densities: the posterior's peak is at three quarters. */
function lineScale(target) {
  const peak = Math.exp(createPeak(target)) / target.humps;
  return {
    top: LINE_TOP,
    /** Height of a Gaussian of this width where it is `part` of its peak. */
    density: (width, part) => (0.75 * part) / (width * Math.sqrt(2 * Math.PI)) / peak,
    of: (density) => (0.75 * density) / peak,
  };
}

function paintLine({ width, height, em }, { known, sampler }) {
  const { target, proposal } = known;
  const [m, w] = [proposal.mean[0], proposal.width[0]];
  const place = (z) => (width * (z + REACH)) / (2 * REACH);
  const at = (i) => -REACH + (2 * REACH * i) / LINE_POINTS;
  const x = (i) => place(at(i));
  const scaled = lineScale(target);
  const y = (share) => height * (LINE_BASE - Math.min(1.15, share) * (LINE_BASE - LINE_TOP));
  const base = height * LINE_BASE;
  const posterior = (z) => Math.exp(target.logJoint([z]) - target.logMarginal);
  const gaussian = (z, mean, deviation) => Math.exp(-0.5 * ((z - mean) / deviation) ** 2);
  const count = LINE_POINTS + 1;
  const curve = (f) => pathOf(count, x, (i) => y(f(at(i))));
  const area = (f) => bandOf(count, x, () => base, (i) => y(f(at(i))));
  const ofPosterior = (z) => scaled.of(posterior(z));
  const ofProposal = (z) => scaled.density(w, gaussian(z, m, w));

  const log = scale(LOG_WEIGHTS, height * WEIGHTS_BASE, height * WEIGHTS_TOP);
  const within = (value) => log(Math.min(LOG_WEIGHTS.most, Math.max(LOG_WEIGHTS.least, value)));
  const logRatio = (z) =>
    target.logJoint([z]) - target.logMarginal + 0.5 * ((z - m) / w) ** 2 + 0.5 * LOG_2PI + Math.log(w);
  const far = (value) => Math.min(1e4, Math.max(-1e4, log(value))); // browsers draw no further
  const [top, tall] = [height * WEIGHTS_TOP, height * (WEIGHTS_BASE - WEIGHTS_TOP)];
  const weights = { y: top, width, height: tall, viewBox: `0 ${top} ${width} ${tall}` };
  const drawn = Math.min(PICTURED, sampler.tally.count);
  const dots = dotsOf(
    drawn,
    (i) => place(Math.min(REACH, Math.max(-REACH, sampler.places[i]))),
    (i) => within(sampler.logWeights[i] - target.logMarginal),
  );
  const name = (words, down) => mark("text", { x: 0.5 * em, y: down }, words);
  return [
    mark("path", { class: "grid", d: `M0 ${base}H${width}M${place(0)} ${height * LINE_TOP}V${height * WEIGHTS_BASE}` }),
    mark("path", { class: "posterior", d: area(ofPosterior) }),
    mark("path", { class: "prior", d: curve((z) => scaled.density(1, gaussian(z, 0, 1))) }),
    mark("path", { class: "proposal", d: curve(ofProposal) }),
    mark("path", { class: "proposal", d: `M${place(m)} ${y(ofProposal(m + w))}H${place(m + w)}` }),
    mark("path", { class: "truth", d: `M0 ${within(0)}H${width}` }),
    mark("svg", weights, mark("path", { class: "weight", d: pathOf(count, x, (i) => far(logRatio(at(i)))) })),
    mark("path", { class: "draws", d: dots }),
    name("densities", 1.3 * em),
    name("log w, less log p(x)", height * WEIGHTS_TOP + 0.9 * em),
    ...[0, 5, 10].map((tick) => mark("text", { x: width - 0.4 * em, y: log(tick) - 0.3 * em, "text-anchor": "end" }, `${tick}`)),
    ...axisNumbers(place, height - 0.7 * em, "z"),
  ];
}
