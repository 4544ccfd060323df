// Numbers with more digits than a page is wide, in words.

const YEAR = 31_557_600; // seconds
const LOG10_UNIVERSE = Math.log10(13.8e9 * YEAR);
const UNITS = [
  [1e-9, "ns"],
  [1e-6, "µs"],
  [1e-3, "ms"],
  [1, "s"],
  [60, "minutes"],
  [3600, "hours"],
  [86_400, "days"],
  [YEAR, "years"],
];

function superscript(exponent) {
  return [...`${exponent}`].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("");
}

/** "1.8 × 10¹⁹" from its log10; of more than 10^15 digits nothing is asked. */
function formatPower(log10) {
  let exponent = Math.floor(log10);
  let digits = (10 ** (log10 - exponent)).toFixed(1);
  if (digits === "10.0") [digits, exponent] = ["1.0", exponent + 1];
  const power = `10${superscript(exponent)}`;
  return exponent > 999 ? power : `${digits} × ${power}`; // of a huge one the power says it all
}

/** A count, given as its log10: in full while it is short. */
function formatCount(log10) {
  return log10 < 8.5 ? Math.round(10 ** log10).toLocaleString("en") : formatPower(log10);
}

/** Seconds, given as their log10, in the unit that suits; ages are those of the universe. */
function formatDuration(log10) {
  const ages = log10 - LOG10_UNIVERSE;
  if (ages >= 0) {
    const count = ages < 6 ? roundCount(10 ** ages) : formatPower(ages);
    return `${count} ${count === "1" ? "age" : "ages"}`;
  }
  const seconds = 10 ** log10;
  if (seconds >= 1e6 * YEAR) return `${roundCount(seconds / YEAR / 1e6)} million years`;
  const [unit, name] = UNITS.findLast(([size]) => seconds >= 0.9995 * size) ?? UNITS[0];
  const value = roundCount(seconds / unit);
  return `${value} ${value === "1" && name.endsWith("s") && name.length > 2 ? name.slice(0, -1) : name}`;
}

/** Two digits, and thousands in full. */
function roundCount(value) {
  return Number(value.toPrecision(2)).toLocaleString("en", { maximumSignificantDigits: 2 });
}

/** How a screen reader says it: signs that are set high are skipped by some. */
function spoken(text) {
  const plain = (raised) => [...raised].map((sign) => (sign === "⁻" ? "minus " : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign)));
  return text
    .replace(/ages?$/, "$& of the universe")
    .replace(/10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, raised) => `10 to the power ${plain(raised).join("")}`)
    .replace(/ × /g, " times ");
}

/** A probability or a ratio, however small or large. */
function formatRatio(value) {
  if (value >= 1e4 || value < 1e-3) return formatPower(Math.log10(value));
  return value < 999.5 ? value.toPrecision(3) : Math.round(value).toLocaleString("en");
}
