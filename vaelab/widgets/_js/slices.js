// Long work in slices, so that the page goes on answering. A widget that uses it names
// "../_js/slices.js" among its files.

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
