// The parts that show numbers.

const NOT_YET = "\u2013";

/** Binary variables that have a name, for those that are many pixels of something. */
const KNOWN_AS = {
  16: "4 × 4 pixels: summed below",
  64: "8 × 8 pixels, black and white",
  784: "28 × 28 pixels, black and white",
  4096: "64 × 64 pixels, black and white",
  65_536: "256 × 256 pixels, black and white",
  524_288: "256 × 256 pixels in 256 greys: 8 bits each",
};

function setText(cell, text, value, note) {
  cell.value.value = `${value}`;
  if (cell.value.textContent !== text) cell.value.textContent = text;
  if (note !== undefined && cell.note.textContent !== note) cell.note.textContent = note;
}

/** How many pictures there are, and how long each way to sum them takes. */
function countPanel() {
  const { el, cells } = numberList(
    [
      ["count", "Pictures", "\u00a0"],
      ["pictures", "Z, each picture", "\u00a0"],
      ["rows", "Z, grid by rows", "\u00a0"],
      ["chain", "Z, chain", "\u00a0"],
    ],
    "vaelab-counts",
  );
  const ways = ["pictures", "rows", "chain"];
  for (const key of ways) cells[key].value.textContent = NOT_YET;
  function show(pixels, log10s) {
    const log10 = pixels * Math.log10(2);
    const digits = (Math.floor(log10) + 1).toLocaleString("en");
    setText(cells.count, formatCount(log10), log10, digits === "1" ? "1 digit" : `${digits} digits`);
    if (!log10s) return;
    for (const key of ways) {
      const isLong = log10s[key] >= LOG10_UNIVERSE;
      setText(cells[key], formatDuration(log10s[key]), log10s[key], isLong ? "of the universe" : "\u00a0");
    }
  }
  return { el, show };
}

/** The speeds that the times rest on. */
function speedNote() {
  const cells = { pictures: h("data"), rows: h("data"), chain: h("data") };
  for (const cell of Object.values(cells)) cell.textContent = NOT_YET;
  const el = h(
    "p",
    { class: "vaelab-unit vaelab-speeds" },
    ["Speeds that this page has just measured, in millions a second: ", cells.pictures, " pictures; "],
    [cells.rows, " steps of a grid, by rows; ", cells.chain, " pixels of a chain. "],
    "A mark at the top is off the chart.",
  );
  function show(rates) {
    for (const [key, cell] of Object.entries(cells)) {
      cell.value = `${rates[key]}`;
      cell.textContent = roundCount(rates[key] / 1e6);
    }
  }
  return { el, show };
}

/** One picture's probability, and what it is made of. */
function picturePanel() {
  const { el, cells } = numberList(
    [
      ["score", "Score f(x)", "\u00a0"],
      ["probability", "p(x) = f(x) / Z", "needs the whole sum"],
      ["ratio", "f(x) / f(last x)", "has no Z in it"],
      ["share", "Share of Z so far", "up to this picture"],
      ["sum", "log Z, summed", "\u00a0"],
      ["exact", "log Z, by rows", "\u00a0"],
    ],
    "vaelab-picture",
  );
  for (const key of ["probability", "ratio", "share", "sum"]) cells[key].value.textContent = NOT_YET;
  function showPicture(logF, logRatio, logProbability, share) {
    setText(cells.score, formatRatio(Math.exp(logF)), logF, `log f = ${formatNumber(logF)} nats`);
    if (logRatio !== null) setText(cells.ratio, formatRatio(Math.exp(logRatio)), logRatio);
    if (logProbability === null) return;
    setText(cells.probability, formatRatio(Math.exp(logProbability)), logProbability);
    setText(cells.share, `${(100 * share).toFixed(1)}%`, share);
  }
  function showSum({ pixels, width }, logNormaliser, exact) {
    const terms = `nats, 2${superscript(pixels)} terms`;
    const carried = `nats, 2${superscript(width)} numbers`;
    setText(cells.exact, formatNumber(exact, 4), exact, carried);
    if (logNormaliser !== null) setText(cells.sum, formatNumber(logNormaliser, 4), logNormaliser, terms);
  }
  return { el, showPicture, showSum };
}
