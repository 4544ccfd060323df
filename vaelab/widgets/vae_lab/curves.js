// The bound and what it bounds, over steps: the band between them is the gap.

const MOST_KEPT = 500; // of the figures that are plotted
const NATS_SHOWN = 12; // below the best log p(x): the first steps lie far below

/** Figures over steps, thinned out where there are many. */
function createHistory() {
  let entries = [];
  let marks = [];
  return {
    entries: () => entries,
    marks: () => marks,
    clear() {
      entries = [];
      marks = [];
    },
    add(step, { reconstruction, rate, elbo, logMarginal, gap }) {
      if (entries.length && entries.at(-1).step === step) entries.pop();
      entries.push({ step, reconstruction, rate, elbo, logMarginal, gap });
      if (entries.length > MOST_KEPT) {
        // The newest stays, and so does a denser recent half.
        entries = entries.filter((_, i) => i % 2 === 0 || i > entries.length / 2);
      }
    },
    mark(step, words) {
      if (marks.length && marks.at(-1).step === step) marks.pop();
      marks.push({ step, words });
      marks = marks.slice(-8);
    },
  };
}

/** The range of nats that is shown: the last figures, and as much below as there is room for. */
function natsRange(entries) {
  const best = Math.max(...entries.map((e) => Math.max(e.logMarginal, e.reconstruction)));
  const least = Math.min(...entries.map((e) => e.elbo));
  const last = entries.at(-1)?.elbo ?? 0;
  const top = Number.isFinite(best) ? best : 0;
  const bottom = Math.min(Math.max(least, top - NATS_SHOWN), last);
  const margin = 0.06 * Math.max(1, top - bottom);
  return { least: bottom - margin, most: top + margin };
}

function stepAxis(entries, width, em) {
  const last = entries.at(-1)?.step ?? 0;
  const range = { least: 0, most: Math.max(100, Math.ceil(last / 100) * 100) };
  return { ...range, ticks: ticksOf(range, Math.max(2, width / (8 * em))), name: "step" };
}

function paintMarks(frame, marks) {
  return marks.flatMap(({ step, words }) => {
    const at = frame.x(step);
    const isLate = at > (frame.left + frame.right) / 2;
    return [
      mark("path", { class: "phase", d: `M${at.toFixed(1)} ${frame.top - 1.2 * frame.em}V${frame.bottom}` }),
      mark(
        "text",
        { class: "phase", x: at + (isLate ? -4 : 4), y: frame.top - 0.4 * frame.em, "text-anchor": isLate ? "end" : "start" },
        words,
      ),
    ];
  });
}

/** Marks within the axes: what lies outside is cut off. */
function clipped({ left, right, top, bottom }, ...children) {
  const [width, height] = [right - left, bottom - top];
  return mark("svg", { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` }, ...children);
}

function line(frame, entries, key, name) {
  const d = pathOf(entries.length, (i) => frame.x(entries[i].step), (i) => frame.y(entries[i][key]));
  return mark("path", { class: name, d });
}

/** log p(x), the ELBO and the reconstruction: the bands between them are the gap and the KL. */
function boundChart(history) {
  return chart("vaelab-bound", ({ width, height, em }) => {
    const entries = history.entries();
    const range = natsRange(entries);
    const y = { ...range, ticks: ticksOf(range, 5), name: "nats a point" };
    const frame = axes({ width, height, em }, stepAxis(entries, width, em), y);
    const x = (i) => frame.x(entries[i].step);
    const level = (key) => (i) => frame.y(entries[i][key]);
    const gap = bandOf(entries.length, x, level("elbo"), level("logMarginal"));
    return [
      ...frame.parts,
      clipped(
        frame,
        mark("path", { class: "band", d: gap }),
        line(frame, entries, "reconstruction", "reconstruction"),
        line(frame, entries, "logMarginal", "truth"),
        line(frame, entries, "elbo", "estimate"),
      ),
      ...paintMarks(frame, history.marks()),
    ];
  });
}

/** The two distances, from zero: KL(q || p(z)), and the gap, which is KL(q || p(z | x)). */
function distanceChart(history) {
  return chart("vaelab-distances", ({ width, height, em }) => {
    const entries = history.entries();
    const highest = Math.max(1, ...entries.map(({ rate }) => rate), entries.at(-1)?.gap ?? 0);
    const range = { least: 0, most: 1.08 * Math.min(highest, 2 * NATS_SHOWN) };
    const y = { ...range, ticks: ticksOf(range, 3), name: "nats a point" };
    const frame = axes({ width, height, em }, stepAxis(entries, width, em), y);
    const x = (i) => frame.x(entries[i].step);
    const d = bandOf(entries.length, x, () => frame.y(0), (i) => frame.y(entries[i].gap));
    return [
      ...frame.parts,
      clipped(
        frame,
        mark("path", { class: "band", d }),
        line(frame, entries, "gap", "estimate"),
        line(frame, entries, "rate", "rate"),
      ),
    ];
  });
}
