// Adam (Kingma and Ba, 2015), as PyTorch computes it.

const ADAM = { mean: 0.9, square: 0.999, tiny: 1e-8 };

/** The running moments of `count` parameters that are trained together. */
function adamState(count) {
  return { steps: 0, mean: new Float64Array(count), square: new Float64Array(count) };
}

/** One step down the gradient, in place. */
function adamStep(state, values, gradient, rate) {
  state.steps += 1;
  const size = rate / (1 - ADAM.mean ** state.steps);
  const scale = 1 / Math.sqrt(1 - ADAM.square ** state.steps);
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i];
    state.mean[i] += (1 - ADAM.mean) * (g - state.mean[i]);
    state.square[i] += (1 - ADAM.square) * (g * g - state.square[i]);
    values[i] -= (size * state.mean[i]) / (Math.sqrt(state.square[i]) * scale + ADAM.tiny);
  }
}
