// The parts that show numbers and say what they mean.

const NOT_YET = "–";
const GROUPED = new Intl.NumberFormat("en"); // made once: that takes longer than to use it
const SYMBOLS = { mean: "m", "log-scale": "log s" };
const EQUAL = 1e-9; // what is rounding
const BASELINE_SAID = { none: "no baseline", "batch-mean": "batch mean", "leave-one-out": "leave-one-out" };

/** Three digits, however large or small; none of them lost to an exponent. */
function formatThree(value) {
  const size = Math.abs(value);
  const text = size >= 999.5 ? GROUPED.format(Math.round(size)) : `${Number(size.toPrecision(3))}`;
  return value < 0 && size > 0 ? `\u2212${text}` : text;
}

/** How far an average is from the gradient, in its standard errors. */
function errorsAway({ mean, error }, gradient) {
  const off = Math.abs(mean - gradient);
  return off < EQUAL ? 0 : off / error;
}

function figuresPanel() {
  const { el, cells } = numberList(
    [
      ["reparameterised", "Reparameterised", ""],
      ["score", "Score function", ""],
      ["path-variance", "Its variance", ""],
      ["score-variance", "Its variance", ""],
      ["exact", "Exact gradient", ""],
      ["ratio", "Variance ratio", ""],
    ],
    "vaelab-figures",
  );
  const put = (key, value, text, note) => {
    cells[key].value.value = Number.isFinite(value) ? `${value}` : "";
    cells[key].value.textContent = Number.isFinite(value) ? text(value) : NOT_YET;
    cells[key].note.textContent = note;
  };
  function show({ exact, now, steps, parameter, baseline }) {
    const [path, score] = WAYS.map((way) => exact[way]);
    put("exact", exact.gradient, (value) => formatNumber(value, 3), `of the ELBO in ${SYMBOLS[parameter]}`);
    for (const way of WAYS) {
      const { mean, error } = now[way];
      const note = Number.isFinite(error) ? `± ${formatThree(error)} s.e.` : "no error yet";
      put(way, steps ? mean : NaN, (value) => formatNumber(value, 3), note);
    }
    const measured = now.score.variance / now.reparameterised.variance;
    put("ratio", score.variance / path.variance, formatThree, Number.isFinite(measured) ? `exact; measured ${formatThree(measured)}` : "exact");
    put("path-variance", now.reparameterised.variance, formatThree, `exact ${formatThree(path.variance)}`);
    put("score-variance", now.score.variance, formatThree, `exact ${formatThree(score.variance)}, ${BASELINE_SAID[baseline]}`);
  }
  return { el, show };
}

/** Which is noisier, and where the averages are. */
function verdict({ exact, now, steps, draws, baseline }) {
  const ratio = exact.score.variance / exact.reparameterised.variance;
  const named = baseline === "none" ? "with no baseline" : `with a ${BASELINE_SAID[baseline]} baseline`;
  const noise =
    ratio >= 1
      ? `The score function’s gradient, ${named}, has ${formatThree(ratio)} times the variance of the reparameterised one.`
      : `Here the score function’s gradient, ${named}, is the quieter: ${formatThree(ratio)} times the variance of the reparameterised one.`;
  const short = baseline === "batch-mean" ? ` The batch mean holds the draw itself: what comes from f is short by 1 in ${draws}.` : "";
  if (steps < 2) return `${noise}${short} ${steps ? "One step" : "No step"} yet.`;
  const [path, score] = WAYS.map((way) => errorsAway(now[way], exact.gradient).toFixed(1));
  const all = `${GROUPED.format(steps)} steps of ${draws} draws`;
  return `${noise}${short} After ${all} the averages are ${path} and ${score} standard errors from the exact gradient.`;
}
