// The running estimate of log p(x): what is kept of it, and the chart of it beside the truth.
// A widget that uses this names "../_js/weights.js", "../_js/chart.js" and this file.

const TRACE_GROWTH = 1.02; // from one point that is kept to the next
const BAND_ERRORS = 2; // standard errors each way

/** How many draws there are at the point that is kept after `count`. */
function nextTracePoint(count) {
  return Math.max(count + 1, Math.ceil(count * TRACE_GROWTH));
}

/** The estimate at numbers of draws that grow by a factor: few points, however many draws. */
function estimateTrace() {
  const trace = { counts: [], estimates: [], errors: [] };
  trace.keep = (tally) => {
    trace.counts.push(tally.count);
    trace.estimates.push(logMeanWeight(tally));
    trace.errors.push(logMeanStandardError(tally));
  };
  return trace;
}

/** What was kept, and the estimate of now at its end. */
function traceUpTo(trace, tally) {
  if (!tally.count || trace.counts.at(-1) === tally.count) return trace;
  const now = estimateTrace();
  now.keep(tally);
  return {
    counts: [...trace.counts, ...now.counts],
    estimates: [...trace.estimates, ...now.estimates],
    errors: [...trace.errors, ...now.errors],
  };
}

/** The part of the axis to show: the truth and the estimate of now, with its band. */
function estimateRange(truth, estimate, error) {
  const off = estimate - truth;
  const width = Number.isFinite(error) ? BAND_ERRORS * error : 0;
  const reach = (away) => roundUp(Math.max(0.1, 1.3 * away, 2 * width));
  const below = reach(Math.max(0, -off));
  const above = reach(Math.max(0, off));
  return { least: truth - below, most: truth + Math.max(above, 0.3 * below) };
}

/** Running estimate, its band and the truth, over the number of draws. */
function runningChart() {
  let shown = null;
  const { el, draw, stop } = chart("vaelab-running", (size) => {
    if (!shown) return [];
    const { trace, truth, most } = shown;
    const { counts, estimates, errors } = trace;
    const length = counts.length;
    const [now, error] = [estimates[length - 1], errors[length - 1]];
    const range = length ? estimateRange(truth, now, error) : { least: truth - 1, most: truth + 1 };
    const draws = { least: 1, most, log: true };
    const a = axes(
      size,
      { ...draws, ticks: decadeTicks(draws, size.width / (3.2 * size.em)), name: "draws K →" },
      { ...range, ticks: ticksOf(range, 5), name: "↑ log p(x), nats" },
    );
    // Browsers draw no line to a place that is too far away.
    const y = (value) => Math.min(1e4, Math.max(-1e4, a.y(value)));
    const x = (i) => a.x(counts[i]);
    const finite = (i) => (Number.isFinite(errors[i]) ? BAND_ERRORS * errors[i] : 0);
    const band = bandOf(length, x, (i) => y(estimates[i] - finite(i)), (i) => y(estimates[i] + finite(i)));
    const [width, height] = [a.right - a.left, a.bottom - a.top];
    const viewBox = `${a.left} ${a.top} ${width} ${height}`;
    const inside = mark(
      "svg",
      { x: a.left, y: a.top, width, height, viewBox },
      mark("path", { class: "band", d: band }),
      mark("path", { class: "truth", d: `M${a.left} ${a.y(truth)}H${a.right}` }),
      mark("path", { class: "estimate", d: pathOf(length, x, (i) => y(estimates[i])) }),
    );
    const at = { x: a.left + 0.4 * a.em, y: a.y(truth) - 0.4 * a.em };
    const dot = length ? [mark("circle", { class: "estimate", r: 3.5, cx: x(length - 1), cy: y(now) })] : [];
    return [...a.parts, inside, mark("text", { class: "truth", ...at }, "exact"), ...dot];
  });
  function show(next) {
    shown = next;
    draw();
  }
  return { el, show, stop };
}
