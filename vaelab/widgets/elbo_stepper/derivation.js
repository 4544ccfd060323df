// The derivation, line by line: what is done in words, in symbols, and which pieces it leaves.
// Steps 1 to 6 are the chapter's; 7 and 8 are the bound's two other forms.

const piece = (sign, symbol, key, look) => ({ sign, symbol, key, look });
const RECONSTRUCTION = piece(1, "E_q[log p(x | z)]", "reconstruction", "reconstruction");
const LOG_PRIOR = piece(1, "E_q[log p(z)]", "logPrior", "prior");
const LESS_LOG_POSTERIOR = piece(-1, "E_q[log p(z | x)]", "logPosterior", "posterior");
const TO_PRIOR = piece(-1, "KL(q ‖ p(z))", "toPrior", "prior");
const TO_POSTERIOR = piece(1, "KL(q ‖ p(z | x))", "toPosterior", "posterior");

const STEPS = [
  {
    title: "Write 1 as an integral",
    words: "A density integrates to 1 over what it is a density of, so this multiplies log p(x) by 1.",
    line: "log p(x) = log p(x) · ∫ q(z) dz",
    pieces: [piece(1, "log p(x) · ∫ q(z) dz", "timesOne", "whole")],
  },
  {
    title: "An average that changes nothing",
    words: "There is no z in log p(x): averaged over draws from q, it is what it was. But now we may work inside an average.",
    line: "log p(x) = E_q[log p(x)]",
    pieces: [piece(1, "E_q[log p(x)]", "averageLogMarginal", "whole")],
  },
  {
    title: "Bayes’ rule, inside",
    words: "Solved for p(x), Bayes’ rule holds at every z. Likelihood and prior lead down, and dividing by the posterior leads back.",
    line: "log p(x) = E_q[log (p(x | z) p(z) / p(z | x))]",
    pieces: [RECONSTRUCTION, LOG_PRIOR, LESS_LOG_POSTERIOR],
  },
  {
    title: "Write 1 as q / q, inside the logarithm",
    words: "Two pieces come in, equal and opposite. One stands beside the prior and one beside the posterior.",
    line: "log p(x) = E_q[log (p(x | z) p(z) / p(z | x) · q(z) / q(z))]",
    pieces: [
      RECONSTRUCTION,
      LOG_PRIOR,
      piece(-1, "E_q[log q(z)]", "logQ", "q"),
      piece(1, "E_q[log q(z)]", "logQ", "q"),
      LESS_LOG_POSTERIOR,
    ],
  },
  {
    title: "Regroup",
    words: "Each pair is a divergence of q: one from the prior, one from the posterior. Every piece depends on q; their sum doesn’t.",
    line: "log p(x) = E_q[log p(x | z)] − KL(q ‖ p(z)) + KL(q ‖ p(z | x))",
    pieces: [RECONSTRUCTION, TO_PRIOR, TO_POSTERIOR],
  },
  {
    title: "Leave the last piece out: the bound",
    words: "No divergence is negative, so without it the sum can only be smaller. Nothing that is left needs the posterior.",
    line: "log p(x) ≥ E_q[log p(x | z)] − KL(q ‖ p(z)) = ELBO(q)",
    pieces: [RECONSTRUCTION, TO_PRIOR],
    isBound: true,
  },
  {
    title: "The same bound: energy and entropy",
    words: "Grouped the other way: how probable the pairs (x, z) are that q makes, and how widely it spreads them.",
    line: "ELBO(q) = E_q[log p(x, z)] + H(q)",
    pieces: [piece(1, "E_q[log p(x, z)]", "logJoint", "reconstruction"), piece(1, "H(q)", "entropy", "q")],
    isBound: true,
  },
  {
    title: "The same bound: mean log weight",
    words: "As one average, of the logarithm of importance weights w(z) = p(x, z) / q(z). The average of w itself is p(x): the logarithm bends.",
    line: "ELBO(q) = E_q[log w(z)] ≤ log E_q[w(z)] = log p(x)",
    pieces: [piece(1, "E_q[log w(z)]", "logWeight", "reconstruction")],
    isBound: true,
  },
];

/**
 * A step's bars: what each piece adds, from where and to where, in nats.
 * @returns {{bars: object[], sum: number, off: number}}  `off`: the pieces, with what a bound
 *     leaves out, less log p(x)
 */
function barsOf({ pieces, isBound = false }, terms) {
  let sum = 0;
  const bars = pieces.map((one) => {
    const adds = one.sign * terms[one.key];
    const from = sum;
    sum += adds;
    return { ...one, adds, from, to: sum };
  });
  const leftOut = isBound ? terms.toPosterior : 0;
  return { bars, sum, off: sum + leftOut - terms.logMarginal };
}

/** How far bars of any step end from log p(x), below and above: nothing is rescaled between steps. */
function reachOf(terms) {
  const ends = STEPS.flatMap((step) => barsOf(step, terms).bars.map(({ to }) => to));
  const { logMarginal } = terms;
  return { below: logMarginal - Math.min(...ends), above: Math.max(...ends) - logMarginal };
}

/** Symbols as HTML: a letter after "_" below the line, single letters in italics. */
function symbols(text) {
  // A sign stays with what follows it, and what is in brackets together.
  const kept = text.replace(/(?<=[|‖,/·+−=≥≤]|log) | (?=[|‖/])/g, "\u00a0").replaceAll("|", "|\u2060");
  return kept.split(/(_[a-z]|\b[pqxzwH]\b|E(?=_)|dz)/).map((part) => {
    if (/^_/.test(part)) return h("sub", {}, h("i", {}, part[1]));
    if (part === "dz") return h("i", {}, part);
    return /^[pqxzwEH]$/.test(part) ? h("i", {}, part) : part;
  });
}
