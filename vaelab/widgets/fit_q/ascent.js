// Gradient ascent on the exact ELBO. The gradient is the natural one (by q's own covariance),
// and every step is halved until the ELBO rises.

const LEAST_SCALE = 0.05;
const MOST_SCALE = 3;
const MOST_MEAN = 4;
const MOST_STEPS = 200;

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

/** Eigenvalues and first eigenvector's angle of the symmetric [[a, b], [b, c]], the larger first. */
function eigen(a, b, c) {
  const half = (a - c) / 2;
  const radius = Math.hypot(half, b);
  return { values: [(a + c) / 2 + radius, (a + c) / 2 - radius], angle: 0.5 * Math.atan2(b, half) };
}

/** An angle, up to half turns, in (-pi/2, pi/2]. */
function withinHalfTurn(angle) {
  const turned = angle - Math.PI * Math.round(angle / Math.PI);
  return turned <= -Math.PI / 2 ? turned + Math.PI : turned;
}

/** q after a step of `rate` along its gradient, within the widget's limits. */
function stepped(q, { mean: g, shape }, rate, rotated) {
  const { mean, angle } = q;
  const [s1, s2] = q.scale;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = rate * s1 * s1 * (cos * g[0] + sin * g[1]);
  const over = rate * s2 * s2 * (cos * g[1] - sin * g[0]);
  const moved = [mean[0] + cos * along - sin * over, mean[1] + sin * along + cos * over];
  const limit = (value) => clamp((rate * value) / 2, -1, 1);
  const next = { mean: moved.map((value) => clamp(value, -MOST_MEAN, MOST_MEAN)), angle };
  let scale = [s1 * Math.exp(limit(shape[0])), s2 * Math.exp(limit(shape[2]))];
  if (rotated) {
    // S exp(2 M) S, of which the new scales and the turn are the eigenvalues and their frame.
    const { values, angle: own } = eigen(...shape);
    const [c, s] = [Math.cos(own), Math.sin(own)];
    const grown = values.map((value) => Math.exp(2 * limit(value)));
    const whole = eigen(
      s1 * s1 * (c * c * grown[0] + s * s * grown[1]),
      s1 * s2 * c * s * (grown[0] - grown[1]),
      s2 * s2 * (s * s * grown[0] + c * c * grown[1]),
    );
    scale = whole.values.map((value) => Math.sqrt(Math.max(0, value)));
    // The axis nearest to the old first one stays the first.
    const swap = Math.abs(withinHalfTurn(whole.angle)) > Math.PI / 4;
    if (swap) scale.reverse();
    next.angle = withinHalfTurn(angle + whole.angle + (swap ? Math.PI / 2 : 0));
  }
  next.scale = scale.map((value) => clamp(value, LEAST_SCALE, MOST_SCALE));
  return next;
}

/**
 * @param {boolean} rotated  whether q may turn
 * @returns {object}  `q` and `steps` so far; `advance()` takes a step and says whether it could
 */
function createAscent(target, start, rotated) {
  const ascent = { q: start, steps: 0, path: [start.mean] };
  let here = measure(target, start);
  let rate = 1;
  ascent.advance = () => {
    if (ascent.steps >= MOST_STEPS) return false;
    rate = Math.min(1, 4 * rate);
    for (let halvings = 0; halvings < 30; halvings++, rate /= 2) {
      const q = stepped(ascent.q, here.gradient, rate, rotated);
      const there = measure(target, q);
      if (!(there.elbo > here.elbo + 1e-9)) continue;
      Object.assign(ascent, { q, steps: ascent.steps + 1 });
      ascent.path.push(q.mean);
      here = there;
      return true;
    }
    return false;
  };
  return ascent;
}
