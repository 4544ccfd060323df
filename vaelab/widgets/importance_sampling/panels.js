// The parts that show numbers, and what is said of them.

const NOT_YET = "–";

/** k-hat in words: it has none where there is no tail to fit. */
function formatK(k) {
  if (k === Infinity) return "too few";
  if (k === -Infinity) return "no tail";
  return formatNumber(k);
}

function figuresPanel() {
  const { el, cells } = numberList(
    [
      ["estimate", "Estimate", ""],
      ["exact", "log p(x)", "nats, exact"],
      ["off", "Off by", ""],
      ["k", "Pareto k-hat", ""],
      ["ess", "Effective draws", ""],
      ["useful", "Truly effective", "K E[w]² / E[w²], exact"],
      ["kl", "KL(posterior ‖ r)", ""],
      ["other", "KL(r ‖ posterior)", "nats: the ELBO’s gap"],
    ],
    "vaelab-figures",
  );
  const setText = (key, value, text) => {
    cells[key].value.value = `${value}`;
    cells[key].value.textContent = text;
  };
  function show({ known, tally, k, draws }) {
    const { target, kl, otherKl, tail, logUseful } = known;
    const [estimate, error, ess] = [logMeanWeight(tally), logMeanStandardError(tally), effectiveSampleSize(tally)];
    const off = estimate - target.logMarginal;
    setNumber(cells.estimate.value, estimate);
    cells.estimate.note.textContent = `nats ± ${error.toFixed(2)} standard error`;
    setNumber(cells.exact.value, target.logMarginal);
    setNumber(cells.off.value, off);
    cells.off.note.textContent = `nats: ${standardErrors(off, error)}`;
    if (k === null) setText("k", "", NOT_YET);
    else setText("k", k, formatK(k));
    cells.k.note.textContent = tail > 0 ? `truly ${tail.toFixed(2)}; trusted to ${paretoKThreshold(draws).toFixed(2)}` : "weights are bounded";
    setText("ess", ess, formatCount(Math.log(ess)));
    cells.ess.note.textContent = `of ${GROUPED.format(tally.count)}, measured`;
    setText("useful", logUseful, formatCount(Math.log(draws) + logUseful));
    cells.useful.note.textContent = logUseful === -Infinity ? "E[w²] is infinite" : "K E[w]² / E[w²], exact";
    setNumber(cells.kl.value, kl);
    cells.kl.note.textContent = `nats: a multiple of ${formatCount(kl)} draws`;
    setNumber(cells.other.value, otherKl);
  }
  return { el, show };
}

/** What the draws say, whether it is so, and why. */
function verdict({ known, tally, k, draws }) {
  const { target, tail } = known;
  const off = Math.abs(logMeanWeight(tally) - target.logMarginal);
  const isOff = off > EQUAL + 3 * logMeanStandardError(tally);
  const warned = !(k <= paretoKThreshold(draws));
  const along = target.d === 2 ? " in some direction" : "";
  const variance =
    tail >= 0.5
      ? `The weights’ variance is infinite:${along} the proposal’s variance is at most half the posterior’s.`
      : "The weights’ variance is finite.";
  if (k === null) return variance;
  const diagnostic = warned ? "k-hat warns" : "k-hat warns of nothing";
  const truth = isOff
    ? `the truth is outside of three standard errors, ${formatNumber(off)} nats away`
    : "the truth is within three standard errors";
  const missed = isOff && !warned ? ": what was not drawn, no diagnostic sees" : "";
  return `${variance} ${diagnostic}, and ${truth}${missed}.`;
}
