// Random numbers that a seed repeats: Math.random has none.

/** Uniform numbers in [0, 1), 32 bits each: mulberry32 (Tommy Ettinger, public domain). */
function uniformGenerator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Standard normal numbers by Box and Muller, one run of them in as many parts as one likes:
 * gives a function that fills an array.
 */
function normalStream(seed) {
  const uniform = uniformGenerator(seed);
  let spare = null; // numbers come in pairs
  return (numbers) => {
    let i = 0;
    if (spare !== null && numbers.length) {
      numbers[i++] = spare;
      spare = null;
    }
    for (; i < numbers.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform())); // 1 - u is never 0
      const angle = 2 * Math.PI * uniform();
      numbers[i] = radius * Math.cos(angle);
      if (i + 1 < numbers.length) numbers[i + 1] = radius * Math.sin(angle);
      else spare = radius * Math.sin(angle);
    }
    return numbers;
  };
}

/** `count` standard normal numbers; a longer run begins with the shorter. */
function standardNormal(seed, count) {
  return normalStream(seed)(new Float64Array(count));
}
