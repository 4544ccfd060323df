// How long a sum takes: speeds that this page measures, and what follows from them.

const BOUTS = 8; // the fastest counts: the others were interrupted, or not yet compiled
const BOUT = 2; // milliseconds

const SUMMED = [3, 4]; // grids and chains that are timed
const BY_ROWS = [10, 10];
const CHAIN = 10_000;

/** Steps a second of `work`, which does `steps` of them a call; a call of `bout` is one try. */
function stopwatch(work, steps) {
  const watch = { rate: 0 };
  watch.bout = () => {
    const start = performance.now();
    let [calls, elapsed] = [0, 0];
    do {
      work();
      calls++;
      elapsed = performance.now() - start;
    } while (elapsed < BOUT); // so it is never 0, however coarse the clock
    watch.rate = Math.max(watch.rate, (1000 * calls * steps) / elapsed);
  };
  return watch;
}

/** Steps a second of the three ways. `next` measures a little and says whether it is done. */
function measurement() {
  const grid = isingGrid(...SUMMED);
  const table = scoreTable(grid, 0.3, 0);
  const watches = {
    pictures: stopwatch(() => sumScores(grid, table, 0, grid.pictures), grid.pictures),
    rows: stopwatch(() => rowsLogNormaliser(...BY_ROWS, 0.3, 0), rowSteps(BY_ROWS[0] * BY_ROWS[1])),
    chain: stopwatch(() => chainLogNormaliser(CHAIN, 0.3, 0), CHAIN),
  };
  const order = Object.values(watches).flatMap((watch) => Array(BOUTS).fill(watch));
  const rates = () => Object.fromEntries(Object.entries(watches).map(([key, watch]) => [key, watch.rate]));
  const next = () => {
    order.shift().bout();
    return order.length === 0;
  };
  return { next, rates };
}

/** Rows of a grid of about this many pixels, as square as whole rows allow. */
function rowLength(pixels) {
  return Math.floor(Math.sqrt(pixels));
}

/** log10 of the pairs of numbers that are mixed, going row by row through the grid. */
function log10RowSteps(pixels) {
  return Math.log10(pixels) + (rowLength(pixels) - 1) * Math.log10(2);
}

function rowSteps(pixels) {
  return 10 ** log10RowSteps(pixels);
}

/** log10 of the seconds that each way takes, at these rates. */
function log10Seconds(pixels, rates) {
  return {
    pictures: pixels * Math.log10(2) - Math.log10(rates.pictures),
    rows: log10RowSteps(pixels) - Math.log10(rates.rows),
    chain: Math.log10(pixels) - Math.log10(rates.chain),
  };
}
