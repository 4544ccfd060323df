// Running averages of both estimates beside the exact gradient, and their running variances
// beside the exact ones.

const BAND_ERRORS = 2; // standard errors each way
const WAY_WORDS = { reparameterised: "reparameterised", score: "score function" };

/** Powers of ten within a range, those below 1 too; every second or third where many. */
function powerTicks({ least, most }, count) {
  const [first, last] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(most) + 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first + 1) / count));
  const ticks = [];
  for (let power = first; power <= last; power += stride) {
    const text = power >= -3 && power <= 3 ? GROUPED.format(10 ** power) : `10${[...`${power}`].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
    ticks.push({ value: 10 ** power, text });
  }
  return ticks;
}

/** What is shown about the gradient: both averages of now, and the wider band. */
function averageRange(gradient, traces) {
  let away = 1e-3;
  for (const { means, errors } of Object.values(traces)) {
    if (!means.length) continue;
    const error = errors.at(-1);
    away = Math.max(away, 1.15 * Math.abs(means.at(-1) - gradient), Number.isFinite(error) ? 3 * error : 0);
  }
  const reach = roundUp(away);
  return { least: gradient - reach, most: gradient + reach };
}

/** Whole powers of ten around both exact variances and those of now. */
function varianceRange(exact, traces) {
  const all = WAYS.flatMap((way) => [exact[way].variance, traces[way].variances.at(-1)]).filter((value) => value > 0 && Number.isFinite(value));
  return {
    least: 10 ** Math.floor(Math.log10(Math.min(...all)) - 0.15),
    most: 10 ** Math.ceil(Math.log10(Math.max(...all)) + 0.15),
  };
}

/** A chart over the number of steps; `paint(a, y, traces)` draws between the axes. */
function overSteps(extra, { rangeOf, ticks, log = false, name, paint }) {
  let shown = null;
  const drawn = chart(extra, (size) => {
    if (!shown) return [];
    const steps = { least: 1, most: shown.most, log: true };
    const range = rangeOf(shown);
    const a = axes(
      size,
      { ...steps, ticks: powerTicks(steps, size.width / (3.2 * size.em)), name: "steps →" },
      { ...range, log, ticks: ticks(range), name: name(shown) },
    );
    const y = (value) => clamp(a.y(value), -1e4, 1e4);
    const [width, height] = [a.right - a.left, a.bottom - a.top];
    const viewBox = `${a.left} ${a.top} ${width} ${height}`;
    const { inside, over } = paint(a, y, shown);
    return [...a.parts, mark("svg", { x: a.left, y: a.top, width, height, viewBox }, ...inside), ...over];
  });
  const show = (next) => {
    shown = next;
    drawn.draw();
  };
  return { el: drawn.el, show, stop: drawn.stop };
}

/** Dots at the ends of both lines. */
const endDots = (a, traces, at) =>
  WAYS.flatMap((way) => {
    const { counts } = traces[way];
    const end = counts.length - 1;
    if (end < 0 || !Number.isFinite(at(way, end))) return [];
    return mark("circle", { class: `end ${way}`, r: 3.5, cx: a.x(counts[end]).toFixed(1), cy: clamp(at(way, end), a.top, a.bottom).toFixed(1) });
  });

const averagesChart = () =>
  overSteps("vaelab-averages", {
    rangeOf: ({ exact, traces }) => averageRange(exact.gradient, traces),
    ticks: (range) => ticksOf(range, 5),
    name: ({ symbol }) => `↑ gradient in ${symbol}`,
    paint(a, y, { exact, traces }) {
      const inside = ["score", "reparameterised"].flatMap((way) => {
        const { counts, means, errors } = traces[way];
        const x = (i) => a.x(counts[i]);
        const wide = (i) => (Number.isFinite(errors[i]) ? BAND_ERRORS * errors[i] : 0);
        return [
          mark("path", { class: `band ${way}`, d: bandOf(counts.length, x, (i) => y(means[i] - wide(i)), (i) => y(means[i] + wide(i))) }),
          mark("path", { class: `line ${way}`, d: pathOf(counts.length, x, (i) => y(means[i])) }),
        ];
      });
      inside.push(mark("path", { class: "truth", d: `M${a.left} ${a.y(exact.gradient).toFixed(1)}H${a.right}` }));
      const label = mark("text", { class: "truth", x: a.right - 0.3 * a.em, y: a.y(exact.gradient) - 0.4 * a.em, "text-anchor": "end" }, "exact");
      return { inside, over: [label, ...endDots(a, traces, (way, i) => y(traces[way].means[i]))] };
    },
  });

const variancesChart = () =>
  overSteps("vaelab-variances", {
    rangeOf: ({ exact, traces }) => varianceRange(exact, traces),
    ticks: (range) => powerTicks(range, 5),
    log: true,
    name: () => "↑ variance of a step’s gradient",
    paint(a, y, { exact, traces }) {
      const inside = WAYS.flatMap((way) => {
        const { counts, variances } = traces[way];
        const from = counts.findIndex((count) => count > 1); // one step has no variance
        const length = from < 0 ? 0 : counts.length - from;
        const path = pathOf(length, (i) => a.x(counts[from + i]), (i) => y(Math.max(Number.MIN_VALUE, variances[from + i])));
        return [
          mark("path", { class: `line ${way}`, d: path }),
          mark("path", { class: "truth", d: `M${a.left} ${y(exact[way].variance).toFixed(1)}H${a.right}` }),
        ];
      });
      // The upper line's name above it, the lower one's below.
      const upper = exact.score.variance > exact.reparameterised.variance ? "score" : "reparameterised";
      const labels = WAYS.map((way) => {
        const at = y(exact[way].variance) + (way === upper ? -0.5 : 1.15) * a.em;
        return mark("text", { class: "words", x: a.right - 0.3 * a.em, y: at.toFixed(1), "text-anchor": "end" }, WAY_WORDS[way]);
      });
      return { inside, over: [...labels, ...endDots(a, traces, (way, i) => y(traces[way].variances[i]))] };
    },
  });
