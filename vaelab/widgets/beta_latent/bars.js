// One digit's ELBO and log p(x) as bars on one axis, and the gap between them.

const BAR_ERRORS = 2; // standard errors each way
const FEW = 10; // effective draws below which no error bar means much

/** The axis for some bounds, so that two settings share it: round steps, all values inside. */
function boundRange(bounds) {
  const values = bounds.flatMap(({ elbo, logMarginal, exact }) => [elbo, logMarginal, exact?.value ?? elbo]);
  const reach = Math.max(...bounds.map(({ error }) => (Number.isFinite(error) ? BAR_ERRORS * error : 0)));
  const [low, high] = [Math.min(...values), Math.max(...values) + Math.min(1, reach)];
  const span = roundUp(Math.max(0.5, 1.35 * (high - low)));
  return { least: high - span, most: high + 0.15 * span };
}

function paintBound({ width, height, em }, { bound, range }) {
  const [left, right] = [0.3 * em, width - 0.3 * em];
  const place = scale(range, left, right);
  const within = (at, least, most) => Math.min(most, Math.max(least, at));
  const x = (value) => within(place(value), left, right);
  const [first, second, bottom] = [3 * em, 6.3 * em, height - 1.9 * em];
  const bar = (name, from, to, y) => {
    const [start, end] = [Math.min(from, to), Math.max(from, to)];
    return mark("rect", { class: name, x: start.toFixed(1), y, width: (end - start).toFixed(1), height: 1.5 * em });
  };
  const text = (at, y, words, anchor, name = "words") =>
    mark("text", { x: at, y, "text-anchor": anchor, class: name }, words);
  const whisker = (value, error, y) => {
    const reach = Number.isFinite(error) ? BAR_ERRORS * error : 0;
    const [from, to] = [x(value - reach), x(value + reach)].map((at) => at.toFixed(1));
    return mark("path", { class: "whisker", d: `M${from} ${y + 0.75 * em}H${to}` });
  };
  const { elbo, elboError, logMarginal, error, gap, count, exact } = bound;
  const ticks = ticksOf(range, Math.max(2, Math.min(6, width / (7 * em))));
  const truth = exact && Number.isFinite(exact.error) ? x(exact.value) : null;
  const exactWords = exact && `exact ${formatNumber(exact.value)}`;
  return [
    ...ticks.flatMap(({ value, text: words }) => [
      mark("path", { class: "grid", d: `M${place(value).toFixed(1)} ${1.6 * em}V${bottom}` }),
      text(within(place(value), left + 1.2 * em, right - 1.2 * em), bottom + 1.3 * em, words, "middle", ""),
    ]),
    bar("elbo", left, x(elbo), first),
    bar("gap", x(elbo), x(logMarginal), first),
    whisker(elbo, elboError, first),
    bar("estimated", left, x(logMarginal), second),
    whisker(logMarginal, error, second),
    ...(truth === null ? [] : [mark("path", { class: "truth", d: `M${truth.toFixed(1)} ${1.4 * em}V${bottom}` })]),
    text(left, first - 0.45 * em, `ELBO ${formatNumber(elbo)}, gap ${formatNumber(gap)}`, "start"),
    text(left, second - 0.45 * em, `log p(x) ≈ ${formatNumber(logMarginal)}, K = ${GROUPED.format(count)}`, "start"),
    ...(truth === null ? [] : [text(within(truth + 3 * em, 0, right), em, exactWords, "end", "truth")]),
  ];
}

/** What the estimate says, whether to trust it, and whether it is so. */
function boundVerdict({ count, elbo, logMarginal, error, elboError, effective, gap, exact }) {
  if (count < 2) return "One draw tells nothing of its error: raise K.";
  const few = `only ${formatCount(Math.log(effective))} of ${GROUPED.format(count)} draws count`;
  const isFew = effective < FEW;
  if (exact && Number.isFinite(exact.error)) {
    const off = logMarginal - exact.value;
    const short = `The bound is ${formatNumber(Math.max(0, exact.value - elbo))} nats short.`;
    const away = `The estimate is off by ${formatNumber(off)}: ${standardErrors(off, error)}`;
    return `${short} ${away}${isFew ? `, and ${few}` : ""}.`;
  }
  const doubt = BAR_ERRORS * Math.hypot(error, elboError);
  if (gap < -doubt) return `The estimate lies below the bound, where no log p(x) can be: ${few}. Raise K.`;
  if (isFew) return `Not to be trusted yet: ${few}. Raise K.`;
  if (gap < doubt && doubt < 0.1) return "The gap is less than 0.1 nats.";
  if (gap < doubt) return "The gap is within its own error: raise K.";
  const why = exact ? "Some of p(x) lies beyond the grid" : "No grid covers this many latents";
  return `The bound is about ${formatNumber(gap)} nats short. ${why}: there is no exact value to check by.`;
}

/** What an exact value rests on. */
function describeExact(exact, latentDim) {
  if (latentDim > 2) return `no grid in ${latentDim} dimensions`;
  if (!exact) return "on a grid";
  if (!Number.isFinite(exact.error)) return "some lies beyond the grid";
  return `by a grid, to ${Math.max(exact.error, 0.001).toFixed(3)}`;
}

/** Bars, numbers and what is said of them. */
function boundPanel() {
  const drawn = chart("vaelab-bars", (size) => (shown ? paintBound(size, shown) : []));
  const said = h("p", { class: "vaelab-said" });
  const numbers = numberList(
    [
      ["rate", "Rate", "nats, exact"],
      ["distortion", "Distortion", ""],
      ["elbo", "ELBO", ""],
      ["likelihood", "log p(x) ≈", ""],
      ["exact", "log p(x) =", ""],
      ["gap", "Gap", "estimate − ELBO"],
    ],
    "vaelab-single",
  );
  const { cells } = numbers;
  for (const { value } of Object.values(cells)) value.textContent = "–";
  let shown = null;
  const plusMinus = (error) => (Number.isFinite(error) ? `± ${error.toFixed(2)}` : "of one draw");

  /** @param {object} bound  what `createBound` knows, with `exact` and `latentDim` */
  function show(bound, range) {
    shown = { bound, range };
    drawn.draw();
    const { exact, latentDim, count } = bound;
    for (const key of ["rate", "distortion", "elbo", "gap"]) setNumber(cells[key].value, bound[key]);
    setNumber(cells.likelihood.value, bound.logMarginal);
    cells.distortion.note.textContent = plusMinus(bound.elboError);
    cells.elbo.note.textContent = plusMinus(bound.elboError);
    const effective = formatCount(Math.log(bound.effective));
    cells.likelihood.note.textContent =
      count > 1 ? `${plusMinus(bound.error)}, ${effective} effective` : plusMinus(bound.error);
    cells.exact.value.value = exact ? `${exact.value}` : "";
    cells.exact.value.textContent = exact ? formatNumber(exact.value) : latentDim > 2 ? "–" : "…";
    cells.exact.note.textContent = describeExact(exact, latentDim);
    said.textContent = boundVerdict(bound);
  }
  const bars = captioned("Bound and log p(x), nats ± 2 s.e.", drawn.el);
  return { el: h("div", { class: "vaelab-bound" }, bars, numbers.el, said), show, stop: drawn.stop };
}
