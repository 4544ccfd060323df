// Long work in slices or after the next frame, so that the page goes on answering. A widget that
// uses it names "../_js/slices.js" among its files.

const SLICE = 5; // milliseconds of work between two chances for the page to answer

/** Call `step` until it says that it is done, with breaks for the page; gives a way to stop. */
function inSlices(step, onDone) {
  let timer;
  const slice = () => {
    const start = performance.now();
    do {
      if (step()) return onDone();
    } while (performance.now() - start < SLICE);
    timer = setTimeout(slice);
  };
  timer = setTimeout(slice);
  return () => clearTimeout(timer);
}

/**
 * Put `run` off until what has changed so far is drawn. Asked several times before that, it runs
 * once: of a quick gesture's many states only those are worked out that there is time for.
 */
function afterDrawing(run) {
  let isAsked = false;
  let timer;
  const later = () => {
    timer = setTimeout(() => {
      isAsked = false;
      run();
    });
  };
  const ask = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(later);
  };
  return { ask, stop: () => clearTimeout(timer) };
}
