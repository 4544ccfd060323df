// Where training runs: in a worker made of this same text's functions, so that the page stays
// smooth; or in the page itself where a browser allows no worker.

const WORKER_CONSTANTS = {
  DATA_DIM, HIDDEN, LOG_2PI, ADAM, MOST_EXPONENT, BLOCK, NEGLIGIBLE, SUMS, GOOD_ENOUGH,
  MOST_POINTS, FIRST_LATTICE, MOST_REACH, Q_REACH, Q_STEP, LEAST_NOISE, MOST_NOISE, LOST,
};
const WORKER_FUNCTIONS = {
  uniformGenerator, normalStream, standardNormal, readNetwork, layerForward, layerBackward,
  networkForward, networkBackward, encoderSize, parameterCount, readLabVae, initialVae, mixSeed,
  encodeAll, gaussianLogLikelihood, betaObjective, adamState, adamStep, evenAxis, latticeMeans,
  edgeBands, priorLattice, latticeBlocks, distanceToBox, greatestTerms, latticeSums,
  quadratureLogMarginal, mean, expectedLogLikelihood, klOfCodes, refinedLogMarginal, measure,
  startTraining, holdNoise, trainStep, snapshot, createTrainer,
};

/** The worker's script: it has neither this page's address nor its files. */
function workerSource() {
  const constants = Object.entries(WORKER_CONSTANTS).map(
    ([name, value]) => `const ${name} = ${JSON.stringify(value)};`,
  );
  const functions = Object.entries(WORKER_FUNCTIONS).map(([name, f]) => `const ${name} = ${f};`);
  return [...constants, ...functions, "const answer = createTrainer();"].join("\n");
}

const WORKER_LOOP = "onmessage = ({ data }) => postMessage(answer(data));";

/** A worker, or null where there can be none. */
function startWorker() {
  try {
    const blob = new Blob([workerSource(), "\n", WORKER_LOOP], { type: "text/javascript" });
    const url = URL.createObjectURL(blob);
    const worker = new Worker(url);
    return { worker, release: () => URL.revokeObjectURL(url) };
  } catch {
    return null;
  }
}

/**
 * @param {(reply: object) => void} onReply  told the answer to each request, in order
 */
function createEngine(onReply) {
  const started = startWorker();
  let isReady = false; // a worker that is forbidden says so only later
  let asked = []; // what a worker that never came up would leave unanswered
  let local = null;
  let stopped = false;

  function answerHere(request) {
    local ??= createTrainer();
    setTimeout(() => !stopped && onReply(local(request)));
  }
  if (started) {
    started.worker.onmessage = ({ data }) => {
      isReady = true;
      asked = [];
      onReply(data);
    };
    started.worker.onerror = (event) => {
      if (isReady) throw new Error(event.message);
      event.preventDefault();
      local = createTrainer();
      asked.forEach(answerHere);
    };
  }
  return {
    ask(request) {
      if (!started || local) return answerHere(request);
      if (!isReady) asked.push(request);
      started.worker.postMessage(request);
    },
    inWorker: () => Boolean(started) && !local,
    stop() {
      stopped = true;
      started?.worker.terminate();
      started?.release();
    },
  };
}
