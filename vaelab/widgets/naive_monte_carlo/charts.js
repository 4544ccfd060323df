// How the weights are spread, and what the heaviest of them make of the estimate.

/** Counts of log weights on a log scale, with the truth and where the posterior's draws would lie. */
function weightsChart() {
  let shown = null;
  const { el, draw, stop } = chart("vaelab-weights", (size) => {
    if (!shown) return [];
    const { known, bins, last } = shown;
    const most = Math.max(10, ...bins.counts);
    const heights = { least: 0.5, most: 1.3 * most, log: true };
    const a = axes(
      size,
      { ...bins, ticks: ticksOf(bins, size.width / (5 * size.em)), name: "log w of a draw, nats →" },
      { ...heights, ticks: decadeTicks(heights, 5), name: "↑ draws" },
    );
    const { mean, deviation } = known.posterior;
    const within = (value) => a.x(Math.min(bins.most, Math.max(bins.least, value)));
    const [from, to] = [within(mean - 2 * deviation), within(mean + 2 * deviation)];
    const width = (a.right - a.left) / BINS;
    let bars = "";
    bins.counts.forEach((count, i) => {
      if (!count) return;
      const left = a.left + i * width;
      bars += `M${left.toFixed(1)} ${a.bottom}V${a.y(count).toFixed(1)}h${Math.max(1, width - 1).toFixed(1)}V${a.bottom}Z`;
    });
    const truth = a.x(Math.max(bins.least, known.logMarginal));
    return [
      mark("rect", { class: "posterior", x: from, y: a.top, width: Math.max(2, to - from), height: a.bottom - a.top }),
      ...a.parts,
      mark("path", { class: "bars", d: bars }),
      mark("path", { class: "truth", d: `M${truth.toFixed(1)} ${a.top}V${a.bottom}` }),
      ...(last === null ? [] : [mark("circle", { class: "last", r: 4, cx: within(last), cy: a.bottom })]),
    ];
  });
  function show(next) {
    shown = next;
    draw();
  }
  return { el, show, stop };
}

