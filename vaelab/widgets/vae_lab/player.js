// Play, pause and step: which requests go to the engine, and when. One is on its way at a time.

const SPEEDS = { slow: 5, steady: 60, full: Infinity }; // steps a second
const FRAME = 33; // milliseconds between two pictures while playing
const CALM_FRAME = 1000; // the same for who asked for less motion
const FIGURES_EVERY = 3; // times what they cost to compute

const prefersCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * @param {() => object} options  the training's options as they are now
 * @param {() => object} beginning  what a new training starts from
 * @param {(shot: object) => void} onShot  told each snapshot of the training that is current
 * @param {(state: object) => void} onState  told when playing starts or stops, or a phase begins
 */
function createPlayer({ options, beginning, onShot, onState }) {
  const wants = { start: false, points: null, steps: 0, look: false };
  let id = 0; // of the training; answers of an earlier one are dropped
  let isBusy = false;
  let isPlaying = false;
  let timer = null;
  let speed = "steady";
  let step = 0;
  let plan = []; // phases still to come: {part, until}
  let lastSent = 0;
  let lastFigures = { at: -Infinity, cost: 0 };

  const engine = createEngine((reply) => {
    isBusy = false;
    if (reply.id === id) {
      step = reply.step;
      if (reply.figures) lastFigures = { at: performance.now(), cost: reply.took - reply.trained };
      onShot(reply);
      if (reply.diverged) pause();
      else advancePlan();
    }
    pump();
  });

  function send(request) {
    isBusy = true;
    lastSent = performance.now();
    engine.ask({ id, options: options(), ...request });
  }
  /** Send the next request, if one is due. */
  function pump() {
    if (isBusy) return;
    clearTimeout(timer);
    timer = null;
    if (wants.start) {
      wants.start = wants.look = false;
      wants.points = null;
      id += 1;
      step = 0;
      send({ start: beginning(), figures: true });
    } else if (wants.points) {
      const { points } = wants;
      wants.points = null;
      wants.look = false;
      send({ points, figures: true });
    } else if (wants.steps) {
      const count = wants.steps;
      wants.steps = 0;
      send({ count, figures: true });
    } else if (wants.look && !isPlaying) {
      wants.look = false;
      send({ figures: true });
    } else if (isPlaying) {
      timer = setTimeout(sendPlayed, Math.max(0, lastSent + pace().every - performance.now()));
    }
  }
  function pace() {
    const perSecond = SPEEDS[speed];
    const every = prefersCalm() ? CALM_FRAME : Math.max(FRAME, 1000 / perSecond);
    if (perSecond === Infinity) return { every: Math.min(every, 500), count: 10_000, patience: every };
    return { every, count: Math.round((perSecond * every) / 1000) };
  }
  function sendPlayed() {
    timer = null;
    if (isBusy || !isPlaying) return pump();
    const { count, patience } = pace();
    const left = plan.length ? plan[0].until - step : Infinity;
    const since = performance.now() - lastFigures.at;
    const figures = since > FIGURES_EVERY * lastFigures.cost || count >= left || prefersCalm();
    send({ count: Math.min(count, left), patience, figures });
  }
  function advancePlan() {
    if (!plan.length || step < plan[0].until) return;
    plan.shift();
    if (plan.length) onState({ part: plan[0].part });
    else pause();
  }
  function play() {
    isPlaying = true;
    onState({ isPlaying });
    pump();
  }
  function pause() {
    if (!isPlaying) return;
    isPlaying = false;
    wants.look = true; // figures of where it stopped
    onState({ isPlaying });
    pump();
  }
  return {
    play,
    pause,
    toggle: () => (isPlaying ? pause() : play()),
    isPlaying: () => isPlaying,
    inWorker: engine.inWorker,
    setSpeed: (next) => (speed = next),
    step() {
      if (isPlaying) return pause();
      wants.steps += 1;
      pump();
    },
    /** Forget the weights and begin anew, paused. */
    restart() {
      plan = [];
      isPlaying = false;
      onState({ isPlaying });
      wants.start = true;
      wants.steps = 0;
      id += 1; // what is on its way is of no interest now
      setTimeout(pump); // several settings that change at once are one beginning
    },
    /** Go through phases from the beginning: [[part, steps], ...]. */
    follow(phases) {
      let until = 0;
      plan = phases.map(([part, steps]) => ({ part, until: (until += steps) }));
      onState({ part: plan[0].part });
      play();
    },
    leavePlan: () => (plan = []),
    setPoints(points) {
      wants.points = points;
      pump();
    },
    /** Options have changed: show what is measured under them. */
    refresh() {
      wants.look = true;
      pump();
    },
    stop() {
      clearTimeout(timer);
      isPlaying = false;
      engine.stop();
    },
  };
}
