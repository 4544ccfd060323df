// Partition function: how many pictures Z sums over, and a Z small enough to be summed here.

const TITLE = "Partition function";
// What there is to see is left to find; tests hold that it is there to be found.
const SUGGESTIONS = [
  {
    attempt: "32 pixels, then 64, then a photograph.",
    notice: "which of the three times a reader can wait for, and that all three sum the same number of terms.",
  },
  {
    attempt: "J = 1, and running the sum from the first picture to the last.",
    notice: "when Z comes in, and why no picture may be left out.",
  },
  {
    attempt: "flipping a pixel of the most probable picture at two values of h.",
    notice: "what the ratio of the two scores needs, and what a probability needs.",
  },
];
const VARIABLES = [
  2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 72, 80, 100, 144, 256, 400, 784, 1024, 4096,
  16_384, 65_536, 524_288,
];
const RUN_SECONDS = 8;
const SLOWEST = 4; // pictures a second, of a run

/** Controls of the small grid: its size, J and h. */
function gridControls(shapes, change, changeOften) {
  const sides = (pixels) => shapes.find(([height, width]) => height * width === pixels);
  const size = radioGroup({
    legend: "Size of the picture",
    values: shapes.map(([height, width]) => height * width),
    content: (pixels) => h("span", {}, sides(pixels).join("×")),
    describe: (pixels) => sides(pixels).join(" by "),
    onChange: (pixels) => change({ pixels }),
    class: "vaelab-segments",
  });
  const parameter = (label, symbol, key) =>
    slider({
      label,
      symbol,
      values: Array.from({ length: 41 }, (_, i) => (i - 20) / 20),
      marks: [-1, 0, 1],
      show: (value) => formatNumber(value, Number.isInteger(value) ? 0 : 2),
      onChange: (value) => changeOften({ [key]: value }),
    });
  const coupling = parameter("Coupling", "J", "coupling");
  const field = parameter("Field", "h", "field");
  const set = (model) => {
    size.set(model.get("pixels"));
    coupling.set(model.get("coupling"));
    field.set(model.get("field"));
  };
  return { el: h("div", { class: "vaelab-grid-controls" }, size.el, coupling.el, field.el), set };
}

/**
 * @param {object} context  a model with anywidget's get, set, save_changes, on and off, and an element
 */
function create({ model, el }) {
  const { shapes } = model.get("_recorded");
  const saver = atMostEvery(400, () => model.save_changes());
  const put = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
  };
  const change = (values) => {
    stopRun();
    put(values);
    saver.now();
  };
  const changeOften = (values) => {
    if ("picture" in values) stopRun();
    put(values);
    saver.soon();
  };

  let rates = null; // once they are measured
  let grid = null;
  let summing = null; // a sum that is not done
  let sum = null; // the last one that is: of this grid, and soon of this J and h
  let exact = 0;
  let last = null; // the picture before this one
  let shown = null;
  let stopMeasuring = () => {};
  let stopSum = () => {};
  const sumSoon = afterDrawing(() => startSum());
  let frame = 0; // of a run

  const variables = slider({
    label: "Pixels, each black or white",
    symbol: "D",
    values: VARIABLES,
    marks: [2, 20, 64, 256, 65_536],
    show: (value) => value.toLocaleString("en"),
    onChange: (value) => changeOften({ variables: value }),
  });
  const known = h("p", { class: "vaelab-unit" });
  const counts = countPanel();
  const speeds = speedNote();
  const times = timeChart();
  const controls = gridControls(shapes, change, changeOften);
  const board = pixelBoard((bit) => change({ picture: shownPicture() ^ (1 << bit) }));
  const panel = picturePanel();
  const shares = sumChart();
  const progress = progressBar((picture) => changeOften({ picture }));
  const run = button("Run", () => (frame ? pauseRun() : startRun()));
  const problem = problemLine(model);
  const live = announcer();
  const root = h("div", { class: "vaelab vaelab-partition-function", role: "group", "aria-label": TITLE });
  const stage = presenter(root, TITLE);
  const actions = h(
    "div",
    { class: "vaelab-actions" },
    run,
    button("Next picture", () => change({ picture: (shownPicture() + 1) % grid.pictures })),
    button("Most probable", () => {
      finishSum();
      if (sum) change({ picture: sum.best });
    }),
  );
  root.append(
    ...heading(TITLE, SUGGESTIONS, button("Reset", () => change(model.get("_defaults"))), stage.toggle),
    problem.el,
    h(
      "div",
      { class: "vaelab-sides vaelab-count" },
      h("div", {}, variables.el, known, counts.el, speeds.el),
      times.el,
    ),
    h(
      "div",
      { class: "vaelab-sides vaelab-summed" },
      h("div", {}, captioned("A picture x: click to flip", board.el), controls.el),
      h("div", {}, panel.el, h("div", {}, captioned("Z, picture by picture", shares.el), progress.el, actions)),
    ),
    live.el,
  );

  const shownPicture = () => model.get("picture") % grid.pictures;

  function showCount() {
    const pixels = model.get("variables");
    const log10s = rates && log10Seconds(pixels, rates);
    variables.set(pixels);
    known.textContent = KNOWN_AS[pixels] ?? "\u00a0";
    counts.show(pixels, log10s);
    times.show(pixels, log10s);
    const parts = [`${pixels} pixels: ${spoken(formatCount(pixels * Math.log10(2)))} pictures.`];
    if (log10s) {
      const [all, chain] = [log10s.pictures, log10s.chain].map((value) => spoken(formatDuration(value)));
      parts.push(`Z takes ${all} picture by picture, and ${chain} for a chain.`);
    }
    live.say(parts.join(" "));
  }

  /** The grid, J or h has changed: what follows from Z by rows at once, and then a new sum. */
  function showGrid() {
    const [height, width] = shapes.find(([rows, columns]) => rows * columns === model.get("pixels"));
    const [coupling, field] = [model.get("coupling"), model.get("field")];
    if (grid?.pixels !== height * width) {
      grid = isingGrid(height, width);
      last = shown = sum = null;
      board.setSize(height, width);
      progress.setSize(grid.pictures);
    }
    stopSum();
    controls.set(model);
    exact = rowsLogNormaliser(height, width, coupling, field);
    panel.showSum(grid, null, exact);
    showPicture();
    if (!model.get("_data")) return;
    summing = pictureSum(grid, coupling, field);
    sumSoon.ask();
  }
  function startSum() {
    stopSum();
    if (summing) stopSum = inSlices(summing.next, showSum);
  }
  function finishSum() {
    stopSum();
    if (!summing) return;
    while (!summing.next());
    showSum();
  }
  function showSum() {
    [sum, summing] = [summing, null];
    panel.showSum(grid, sum.logNormaliser, exact);
    shares.setSum(sum, Math.exp(exact));
    showPicture();
  }
  function showPicture() {
    const picture = shownPicture();
    const score = (which) => logScore(grid, model.get("coupling"), model.get("field"), which);
    if (shown !== null && shown !== picture) last = shown;
    shown = picture;
    board.set(picture);
    progress.set(picture);
    const logF = score(picture);
    const logRatio = last === null ? null : logF - score(last);
    const share = sum && sum.shareThrough(picture);
    panel.showPicture(logF, logRatio, sum && logF - exact, share);
    if (sum) shares.show((picture + 1) / grid.pictures, share);
    const parts = [`Picture ${picture + 1} of ${grid.pictures}.`];
    if (sum) {
      parts.push(`Probability ${spoken(formatRatio(Math.exp(logF - exact)))}.`);
      parts.push(`Share of Z so far: ${(100 * share).toFixed(1)}%.`);
    }
    live.say(parts.join(" "));
  }

  function startRun() {
    const first = (shownPicture() + 1) % grid.pictures;
    const pace = Math.max(SLOWEST, grid.pictures / RUN_SECONDS);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (isStill) return change({ picture: grid.pictures - 1 });
    let start;
    const step = (now) => {
      start ??= now;
      const picture = Math.min(grid.pictures - 1, first + Math.floor(((now - start) / 1000) * pace));
      put({ picture });
      if (picture === grid.pictures - 1) pauseRun();
      else frame = requestAnimationFrame(step);
    };
    run.textContent = "Pause";
    frame = requestAnimationFrame(step);
  }
  function stopRun() {
    cancelAnimationFrame(frame);
    frame = 0;
    run.textContent = "Run";
  }
  function pauseRun() {
    stopRun();
    saver.now();
  }

  function showData() {
    if (!model.get("_data")) return;
    showGrid();
    const measuring = measurement();
    stopMeasuring();
    stopMeasuring = inSlices(measuring.next, () => {
      rates = measuring.rates();
      speeds.show(rates);
      times.setRates(rates);
      showCount();
    });
  }

  const listeners = {
    "change:variables": showCount,
    "change:pixels": showGrid,
    "change:coupling": showGrid,
    "change:field": showGrid,
    "change:picture": showPicture,
    "change:_data": showData,
    "change:_problem": problem.show,
  };
  const stopListening = listenTo(model, listeners);
  el.append(root);
  showCount();
  showGrid();
  showData();
  problem.show();
  return {
    present: stage.open,
    destroy() {
      stopListening();
      stopRun();
      stopMeasuring();
      sumSoon.stop();
      stopSum();
      saver.stop();
      live.stop();
    },
  };
}
