// Draws over time: a little at every frame, so that the page goes on answering.
// A widget that uses this names "../_js/draw_up_to.js" among its files.

const DRAW_SLICE = 4; // milliseconds of drawing between two chances for the page to answer
const DRAW_CHUNK = 200; // draws between two looks at the clock
const FRAME_GROWTH = 1.04; // the number of draws grows by this at every frame: steady on a log axis

/** How many draws there should be after a frame that begins with `count`. */
function afterFrame(count) {
  return Math.max(count + 1, Math.ceil(count * FRAME_GROWTH));
}

/**
 * Let a sampler draw up to `goal`, or until `isEnough`.
 * @param {object} options  `growing`: no faster than an eye can follow; `still`: nothing is
 *     shown before the end; `onShow` after every part; `onDone` after the last
 * @returns {() => void}  stops it
 */
function drawUpTo(sampler, goal, { growing = false, still = false, isEnough, onShow, onDone = () => {} }) {
  const { tally } = sampler;
  let timer;
  const next = () => (timer = still ? setTimeout(part) : requestAnimationFrame(part));
  function part() {
    const start = performance.now();
    const upTo = growing && !still ? Math.min(goal, afterFrame(tally.count)) : goal;
    let enough;
    do enough = sampler.advance(Math.min(upTo, tally.count + DRAW_CHUNK), isEnough);
    while (!enough && tally.count < upTo && performance.now() - start < DRAW_SLICE);
    const over = enough || tally.count >= goal;
    if (!over) next();
    if (over || !still) onShow();
    if (over) onDone();
  }
  part();
  return () => {
    cancelAnimationFrame(timer);
    clearTimeout(timer);
  };
}
