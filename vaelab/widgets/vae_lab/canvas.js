// A square canvas in the theme's colours: redrawn when its size or the theme changes.

const INKS = ["ink", "soft", "line", "paper", "prior", "posterior", "estimate"];

/** Colours as a canvas takes them: custom properties may hold light-dark(), which it doesn't. */
function inkPots() {
  const pots = Object.fromEntries(INKS.map((name) => [name, h("i", { style: `color: var(--${name})` })]));
  const el = h("span", { hidden: true }, Object.values(pots));
  const read = () =>
    Object.fromEntries(INKS.map((name) => [name, getComputedStyle(pots[name]).color]));
  return { el, read };
}

/** Call `run` when the page's theme or the system's changes; gives a way to stop. */
function onThemeChange(run) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(run);
  const attributeFilter = ["data-theme", "theme", "data-mode", "data-jp-theme-light"];
  for (const el of [document.documentElement, document.body]) {
    observer.observe(el, { attributes: true, attributeFilter });
  }
  system.addEventListener("change", run);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", run);
  };
}

/**
 * @param {(context: CanvasRenderingContext2D, frame: object) => void} paint  told the side in
 *     CSS pixels, the size of letters and the colours
 */
function squareCanvas(paint) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const pots = inkPots();
  const el = h("div", { class: "vaelab-square" }, canvas, pots.el);
  let inks = null;
  let em = 0;
  let isDue = false;
  function draw() {
    isDue = false;
    const side = el.clientWidth;
    if (!side || !el.isConnected) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const pixels = Math.round(side * ratio);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    inks ??= pots.read();
    em ||= parseFloat(getComputedStyle(el).fontSize);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    context.font = `${0.8 * em}px system-ui, sans-serif`;
    paint(context, { side, em: 0.8 * em, inks });
  }
  const soon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  const anew = () => {
    inks = null;
    em = 0;
    soon();
  };
  const observer = new ResizeObserver(anew);
  observer.observe(el);
  const forgetTheme = onThemeChange(anew);
  const stop = () => {
    observer.disconnect();
    forgetTheme();
  };
  return { el, draw: soon, stop };
}

/** From a plane of [-reach, reach] each way to a square's pixels. */
function planeScale(reach, side) {
  return {
    x: (value) => ((value + reach) / (2 * reach)) * side,
    y: (value) => ((reach - value) / (2 * reach)) * side,
    length: (value) => (value / (2 * reach)) * side,
  };
}

/** Numbers along the lower and the left edge, and the axes' names at their ends. */
function paintAxes(context, { side, em, inks }, { x, y }, ticks, names) {
  context.fillStyle = inks.soft;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const tick of ticks) if (x(tick) < side - 2 * em) context.fillText(formatNumber(tick, 0), x(tick), side - 0.45 * em);
  context.fillText(names[0], side - 0.9 * em, side - 0.45 * em);
  if (!names[1]) return;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const tick of ticks.slice(1)) if (y(tick) > 2 * em) context.fillText(formatNumber(tick, 0), 0.4 * em, y(tick));
  context.fillText(names[1], 0.4 * em, 0.9 * em);
}

/** A picture of values between 0 and 1, as so much of one colour, over a rectangle. */
function paintHeat(context, values, columns, colour, [left, top, width, height], kept) {
  kept.canvas ??= document.createElement("canvas");
  const rows = values.length / columns;
  Object.assign(kept.canvas, { width: columns, height: rows });
  const small = kept.canvas.getContext("2d", { willReadFrequently: true });
  const image = small.createImageData(columns, rows);
  const [red, green, blue] = colour.match(/[\d.]+/g).map(Number);
  for (let i = 0; i < values.length; i++) {
    image.data.set([red, green, blue, Math.round(255 * Math.min(1, values[i]))], 4 * i);
  }
  small.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(kept.canvas, left, top, width, height);
}
