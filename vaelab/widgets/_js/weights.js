// Weights kept as logarithms: their average, how far to trust it, and the heaviest of them.
// A widget that uses this names "../_js/weights.js" among its files.

const GROUPED = new Intl.NumberFormat("en"); // made once: that takes longer than to use it
const EQUAL = 1e-9; // nats that are rounding
const MANY_DRAWS = 1e5; // from here on counts are shown as powers of ten

/** Sums of weights, draw by draw, each relative to the largest so far: nothing overflows. */
function weightTally() {
  const tally = { count: 0, largest: -Infinity, sum: 0, squares: 0 };
  tally.add = (logWeight) => {
    tally.count++;
    if (logWeight > tally.largest) {
      const shrink = Math.exp(tally.largest - logWeight);
      tally.sum = tally.sum * shrink + 1;
      tally.squares = tally.squares * shrink * shrink + 1;
      tally.largest = logWeight;
    } else if (logWeight > -Infinity) {
      const weight = Math.exp(logWeight - tally.largest);
      tally.sum += weight;
      tally.squares += weight * weight;
    }
  };
  return tally;
}

/** Log of the average weight, in nats. */
function logMeanWeight({ count, largest, sum }) {
  return largest + Math.log(sum / count);
}

/** How many equally weighted draws the weighted ones are worth. */
function effectiveSampleSize({ sum, squares }) {
  return squares > 0 ? (sum * sum) / squares : 0;
}

/** The standard error of the log of the average weight: infinite for one draw. */
function logMeanStandardError(tally) {
  const { count } = tally;
  if (count < 2) return Infinity;
  return Math.sqrt(Math.max(0, count / effectiveSampleSize(tally) - 1) / (count - 1));
}

/** The `most` heaviest weights, heaviest first. */
function heaviestList(most) {
  const list = new Float64Array(most).fill(-Infinity);
  return {
    list,
    /** Whether it is now the heaviest. */
    add(logWeight) {
      if (!(logWeight > list[most - 1])) return false;
      let at = most - 1;
      for (; at > 0 && list[at - 1] < logWeight; at--) list[at] = list[at - 1];
      list[at] = logWeight;
      return at === 0;
    },
  };
}

/** How far off, in standard errors; where all weights are equal both are rounding, or zero. */
function standardErrors(off, error) {
  const times = Math.abs(off) < EQUAL ? 0 : Math.abs(off) / error;
  return `${times.toFixed(1)} standard errors`;
}

/** Bars for the heaviest draws, each as high as it is heavy beside the heaviest. */
function heaviestBars(most) {
  const bars = Array.from({ length: most }, () => h("span"));
  const el = h("div", { class: "vaelab-heaviest", role: "img" }, bars);
  /** Gives the heaviest draw's share of the average. */
  function show({ list }, { count, largest, sum }) {
    bars.forEach((bar, i) => {
      bar.style.setProperty("--share", count ? Math.exp(list[i] - largest).toFixed(4) : 0);
    });
    const share = count ? 1 / sum : 0;
    const said = `Weights of the ${most} heaviest draws; the heaviest makes ${(100 * share).toFixed(1)}% of the estimate`;
    el.setAttribute("aria-label", count ? said : "No draws yet");
    return share;
  }
  return { el, show };
}

/** A number given by its logarithm, however large or small: 0.25, 1,230, 4 × 10¹². */
function formatCount(logValue) {
  const value = Math.exp(logValue);
  if (value >= 9.95 && value < MANY_DRAWS) return GROUPED.format(Number(value.toPrecision(3)));
  if (value >= 0.00995 && value < 9.95) return value.toPrecision(2);
  if (logValue === -Infinity) return "0";
  const power = logValue / Math.LN10;
  let exponent = Math.floor(power);
  let digit = Math.round(10 ** (power - exponent));
  if (digit === 10) [digit, exponent] = [1, exponent + 1];
  const raised = [...`${exponent}`].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("");
  return `${digit} × 10${raised}`;
}
