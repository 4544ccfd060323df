// The parts that show numbers, and what is said of them.

const NOT_YET = "–";

function figuresPanel() {
  const { el, cells } = numberList(
    [
      ["draws", "Draws K", "from the prior"],
      ["estimate", "Estimate", ""],
      ["exact", "log p(x)", "nats, exact"],
      ["off", "Off by", ""],
      ["ess", "Effective draws", "measured on the draws"],
      ["useful", "Truly effective", "K E[w]² / E[w²], exact"],
      ["heaviest", "Heaviest draw", "its share of the estimate"],
      ["needed", "Draws it takes", "about exp KL(posterior ‖ prior)"],
    ],
    "vaelab-figures",
  );
  const setText = (key, value, text) => {
    cells[key].value.value = `${value}`;
    cells[key].value.textContent = text;
  };
  function show({ tally, known, share }) {
    const { count } = tally;
    setText("draws", count, GROUPED.format(count));
    setNumber(cells.exact.value, known.logMarginal);
    setText("needed", known.kl, formatCount(known.kl));
    cells.needed.note.textContent = `e to the KL, ${formatNumber(known.kl, 1)} nats`;
    setText("useful", known.logEssFraction, count ? formatCount(Math.log(count) + known.logEssFraction) : "0");
    if (!count) {
      for (const key of ["estimate", "off", "ess", "heaviest"]) setText(key, "", NOT_YET);
      cells.estimate.note.textContent = cells.off.note.textContent = "no draws yet";
      return;
    }
    const [estimate, error] = [logMeanWeight(tally), logMeanStandardError(tally)];
    const off = estimate - known.logMarginal;
    const ess = effectiveSampleSize(tally);
    setNumber(cells.estimate.value, estimate);
    cells.estimate.note.textContent = Number.isFinite(error) ? `± ${error.toFixed(2)} standard error` : "no error from one draw";
    setNumber(cells.off.value, off);
    cells.off.note.textContent = Number.isFinite(error) ? `nats: ${standardErrors(off, error)}` : "nats";
    setText("ess", ess, formatCount(Math.log(ess)));
    setText("heaviest", share, `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`);
  }
  return { el, show };
}

/** What the rule makes of the draws, and whether it is right. */
function verdict(tally, known, tolerance) {
  const rule = `The rule: ${LEAST_DRAWS} draws and a standard error under ${tolerance} nats.`;
  if (tally.count < LEAST_DRAWS) return `${rule} Not yet ${LEAST_DRAWS} draws.`;
  const error = logMeanStandardError(tally);
  const off = Math.abs(logMeanWeight(tally) - known.logMarginal);
  const truth = `The truth is ${formatNumber(off)} nats away`;
  if (error >= tolerance) {
    const end = tally.count >= MOST_DRAWS ? "this is as far as the widget goes" : "draw on";
    return `${rule} Not met: ${error.toFixed(2)}, ${end}. ${truth}.`;
  }
  const times = standardErrors(off, error);
  if (off > EQUAL + 3 * error) return `${rule} Met, and wrong! ${truth}, ${times}: what matters was not drawn.`;
  return `${rule} Met, and rightly: the truth is ${times} away.`;
}
