// The exact log p(x) of models with one or two latents, worked out in steps. The lattices of the
// last models are kept: to draw on x then costs little.

const LATTICES_KEPT = 3; // one of two latents takes 20 MB

function exactMarginals() {
  const lattices = new Map(); // by model, the last used at the end

  function latticeOf(vae) {
    const lattice = lattices.get(vae) ?? decoderLattice(vae);
    lattices.delete(vae);
    lattices.set(vae, lattice);
    for (const oldest of lattices.keys()) if (lattices.size > LATTICES_KEPT) lattices.delete(oldest);
    return lattice;
  }
  /**
   * Steps towards an image's log p(x).
   * @returns {() => ({value: number, error: number} | undefined)}  call it until it gives them
   */
  function steps(vae, x) {
    let lattice = null;
    let logLikelihood = null;
    return () => {
      lattice ??= latticeOf(vae); // not before the first step: many settings are passed by quickly
      if (lattice.decoded < lattice.count) return void lattice.decodeNext();
      if (!logLikelihood) {
        logLikelihood = latticeLogLikelihood(lattice, x, lattice.before);
        lattice.before = { x, logLikelihood };
        return undefined;
      }
      const { shares, logSum } = normalise(lattice, logLikelihood);
      const value = logSum + lattice.latentDim * Math.log(lattice.step);
      return { value, error: latticeError(lattice, shares) };
    };
  }
  return { steps };
}
