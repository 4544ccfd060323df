// One of the two settings that stand side by side: its panels, and what is known of it.

function createSide(letter, recorded, { change, onUnit, exact }) {
  const keys = SETTING_KEYS[letter];
  const side = {
    letter,
    controls: settingControls(letter, recorded, change),
    code: codePanel(onUnit),
    decoded: decodedPanel(),
    bound: boundPanel(),
    averages: averagesPanel(recorded),
    prior: priorPanel(),
    figures: null, // recorded of its setting
    digit: null, // once there are weights
    known: null, // of the bound
  };
  let vae = null;
  let estimate = null;
  let exactSteps = null;

  /** Take the setting off the model. */
  side.choose = (model, models) => {
    const [beta, latentDim] = [model.get(keys.beta), model.get(keys.latent_dim)];
    side.figures = recorded.settings.find((row) => row.beta === beta && row.latent_dim === latentDim);
    side.controls.set(side.figures);
    side.averages.show(side.figures);
    vae = models?.vae(beta, latentDim) ?? null;
    if (!vae) side.code.showFigures(side.figures);
  };
  side.showPrior = (seed) => {
    if (vae) side.prior.show(vae, seed);
  };
  /** Encode and decode: at once. */
  side.encode = (x, seed) => {
    side.digit = describeDigit(vae, x, seed);
    estimate = createBound(vae, x, side.digit, { widen: side.figures.widen, seed });
    exactSteps = vae.latentDim <= 2 ? exact.steps(vae, x) : null;
    side.known = null;
  };
  side.showCode = (chosen) => {
    const { figures, digit } = side;
    const unit = Math.min(chosen, figures.latent_dim);
    side.code.show(figures, digit, unit);
    side.decoded.show(vae, digit, unit, figures.order[unit - 1]);
  };
  /** A little more of the estimate, then of the exact value. Whether all is done. */
  side.work = (draws) => {
    const count = side.known?.count ?? 0;
    if (count < draws) {
      estimate.advance(Math.min(draws, count + DRAWS_AT_ONCE));
      side.known = { ...estimate.now(), latentDim: vae.latentDim, exact: side.known?.exact ?? null };
      return false;
    }
    if (!exactSteps) return true;
    const found = exactSteps();
    if (found) {
      side.known.exact = found;
      exactSteps = null;
    }
    return !exactSteps;
  };
  side.stop = side.bound.stop;
  return side;
}
