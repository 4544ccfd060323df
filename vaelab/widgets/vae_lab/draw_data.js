// The plane of the data: the points, and the model's world as the decoder folds it into the plane.

const GRID_REACH = 3; // latents whose lines are shown
const GRID_STEP = 0.5;
const LINE_STEP = 0.1;

/** How strongly a piece of the grid is drawn: as the prior would have it. */
const presence = (squared) => Math.exp(-squared / 6);

/** The lines of the latent grid, as pieces: {z: [[z1, z2], ...]} with the line's place. */
function gridLines(latentDim) {
  const along = evenAxis(GRID_REACH, LINE_STEP);
  if (latentDim === 1) return [Array.from(evenAxis(4, 0.02), (z) => [z])];
  const places = evenAxis(GRID_REACH, GRID_STEP);
  return [
    ...Array.from(places, (at) => Array.from(along, (z) => [z, at])),
    ...Array.from(places, (at) => Array.from(along, (z) => [at, z])),
  ];
}

function paintDecoderGrid(context, { inks }, { x, y }, vae, lines) {
  context.strokeStyle = inks.prior;
  context.lineJoin = "round";
  const isCurve = vae.latentDim === 1;
  const piece = isCurve ? 10 : 6; // points that share one opacity
  lines.forEach((line) => {
    const means = networkForward(vae.decoder, Float64Array.from(line.flat()), line.length).output;
    for (let start = 0; start + 1 < line.length; start += piece) {
      const end = Math.min(line.length - 1, start + piece);
      const middle = line[Math.floor((start + end) / 2)];
      const squared = middle.reduce((sum, z) => sum + z * z, 0);
      const onAxis = line.every(([, b]) => b === 0) || line.every(([a]) => a === 0);
      context.globalAlpha = (isCurve ? 1 : onAxis ? 0.95 : 0.6) * presence(squared);
      context.lineWidth = isCurve ? 2.4 : onAxis ? 1.7 : 0.9;
      context.beginPath();
      for (let i = start; i <= end; i++) context.lineTo(x(means[2 * i]), y(means[2 * i + 1]));
      context.stroke();
    }
  });
  context.globalAlpha = 1;
}

/** On a curve, where z = -3, ..., 3 are. */
function paintCurveMarks(context, { inks, em }, { x, y }, vae) {
  const places = [-3, -2, -1, 0, 1, 2, 3];
  const means = networkForward(vae.decoder, Float64Array.from(places), places.length).output;
  context.textAlign = "center";
  context.textBaseline = "middle";
  places.forEach((z, i) => {
    const [left, top] = [x(means[2 * i]), y(means[2 * i + 1])];
    context.fillStyle = inks.paper;
    context.beginPath();
    context.arc(left, top, 0.75 * em, 0, 2 * Math.PI);
    context.fill();
    context.strokeStyle = inks.prior;
    context.lineWidth = 1;
    context.stroke();
    context.fillStyle = inks.prior;
    context.fillText(formatNumber(z, 0), left, top + 0.05 * em);
  });
}

function paintPoints(context, { inks }, { x, y }, points) {
  context.fillStyle = inks.ink;
  context.strokeStyle = inks.paper;
  context.lineWidth = 1;
  context.globalAlpha = 0.85;
  for (let i = 0; i < points.length; i += 2) {
    context.beginPath();
    context.arc(x(points[i]), y(points[i + 1]), 2.6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** Points that the model makes: a latent from the prior, decoded, with noise. */
function paintSamples(context, { inks }, { x, y }, vae, draws) {
  const count = draws.length / (vae.latentDim + 2);
  const z = draws.subarray(0, count * vae.latentDim);
  const noise = draws.subarray(count * vae.latentDim);
  const means = networkForward(vae.decoder, z, count).output;
  const deviation = Math.exp(0.5 * vae.noiseLogVar[0]);
  context.strokeStyle = inks.prior;
  context.lineWidth = 1.4;
  context.beginPath();
  for (let i = 0; i < count; i++) {
    const left = x(means[2 * i] + deviation * noise[2 * i]);
    const top = y(means[2 * i + 1] + deviation * noise[2 * i + 1]);
    context.moveTo(left - 2.5, top - 2.5);
    context.lineTo(left + 2.5, top + 2.5);
    context.moveTo(left + 2.5, top - 2.5);
    context.lineTo(left - 2.5, top + 2.5);
  }
  context.stroke();
}

/** One point, and where draws from its q are decoded to. */
function paintChosenPoint(context, { inks }, { x, y }, vae, point, decoded) {
  context.fillStyle = inks.posterior;
  context.strokeStyle = inks.paper;
  context.lineWidth = 1;
  for (let i = 0; i < decoded.length; i += 2) {
    context.beginPath();
    context.arc(x(decoded[i]), y(decoded[i + 1]), 3, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  context.strokeStyle = inks.ink;
  context.fillStyle = inks.paper;
  context.lineWidth = 2.2;
  context.beginPath();
  context.arc(x(point[0]), y(point[1]), 6, 0, 2 * Math.PI);
  context.stroke();
}
