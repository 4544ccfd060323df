// The parts that show numbers, and how those are said.

const NOT_YET = "\u2013";

/** A probability in a form that a reader can picture, however small. */
function formatShare(share) {
  if (share >= 0.0995) return `${(100 * share).toFixed(0)}%`;
  if (share >= 0.001) return `${(100 * share).toPrecision(2)}%`;
  if (share >= 1e-6) return `1 in ${Number((1 / share).toPrecision(2)).toLocaleString("en")}`;
  const [digits, exponent] = share.toExponential(0).split("e-");
  const raised = [...exponent].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `${digits} × 10⁻${raised}`;
}

/** The joint at the point that is dragged. */
function pointPanel() {
  const { el, cells } = numberList(
    [
      ["prior", "log p(z)", "nats, of z"],
      ["likelihood", "log p(x | z)", "nats, of x at z"],
      ["joint", "log p(x, z)", "nats, their sum"],
    ],
    "vaelab-point",
  );
  for (const key of ["likelihood", "joint"]) cells[key].value.textContent = NOT_YET;
  function show(logPrior, logLikelihood) {
    setNumber(cells.prior.value, logPrior);
    if (logLikelihood === null) return;
    setNumber(cells.likelihood.value, logLikelihood);
    setNumber(cells.joint.value, logPrior + logLikelihood);
  }
  return { el, show };
}

/** What was measured against what: the image's marginal, and what little of the prior makes it. */
function marginalPanel({ log_likelihood, labels }) {
  const { el, cells } = numberList(
    [
      ["marginal", "log p(x)", "nats"],
      ["average", "Held-out mean", `nats, of ${labels.length} digits`],
      ["mass", "Prior in use", "mass that makes 99% of p(x)"],
      ["draws", "Useful draws", "effective share of the prior’s"],
    ],
    "vaelab-marginal",
  );
  setNumber(cells.average.value, log_likelihood);
  for (const key of ["marginal", "mass", "draws"]) cells[key].value.textContent = NOT_YET;
  function show({ logMarginal, error, priorMass, effectiveShare }) {
    setNumber(cells.marginal.value, logMarginal);
    cells.marginal.note.textContent = Number.isFinite(error)
      ? `nats, right to ${Math.max(error, 0.001).toFixed(3)}`
      : "nats; some lies beyond";
    const shares = [["mass", priorMass], ["draws", effectiveShare]];
    for (const [key, share] of shares) {
      cells[key].value.value = `${share}`;
      cells[key].value.textContent = formatShare(share);
    }
  }
  return { el, show };
}
