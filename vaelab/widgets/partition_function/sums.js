// Z of an Ising grid three ways, as vaelab.exact does: no page needed. A picture is a number
// whose binary digits are its pixels, row by row, the last pixel lowest: 1 is white, 0 is black.

/** A grid's size and, for each pixel, its place in rows that a border of zeros surrounds. */
function isingGrid(height, width) {
  const pixels = height * width;
  const stride = width + 2;
  const places = new Int32Array(pixels); // by binary digit, the lowest first
  for (let bit = 0; bit < pixels; bit++) {
    const site = pixels - 1 - bit;
    places[bit] = (Math.floor(site / width) + 1) * stride + (site % width) + 1;
  }
  const bonds = height * (width - 1) + (height - 1) * width;
  return { height, width, pixels, pictures: 2 ** pixels, stride, places, bonds };
}

/** Spins of a picture within the border, and the two whole numbers that its score depends on. */
function placePicture({ pixels, places, stride, height }, picture) {
  const spins = new Int8Array((height + 2) * stride);
  let agreement = 0; // sum of the products of neighbours
  let magnetisation = 0; // sum of the spins
  for (let bit = 0; bit < pixels; bit++) {
    const spin = Math.floor(picture / 2 ** bit) % 2 ? 1 : -1;
    const at = places[bit];
    agreement += spin * (spins[at + 1] + spins[at + stride]); // those placed before
    magnetisation += spin;
    spins[at] = spin;
  }
  return { spins, agreement, magnetisation };
}

/** log f of one picture, in nats up to log Z. */
function logScore(grid, coupling, field, picture) {
  const { agreement, magnetisation } = placePicture(grid, picture);
  return coupling * agreement + field * magnetisation;
}

/** f for every pair of whole numbers: a score is then looked up, which is quicker than exp. */
function scoreTable({ pixels, bonds }, coupling, field) {
  const columns = 2 * pixels + 1;
  const scores = new Float64Array((2 * bonds + 1) * columns);
  for (let a = -bonds; a <= bonds; a++) {
    for (let m = -pixels; m <= pixels; m++) {
      scores[(a + bonds) * columns + m + pixels] = Math.exp(coupling * a + field * m);
    }
  }
  return { columns, scores };
}

/**
 * The sum of f over pictures `start` to `stop`, the last excluded, and the best of them.
 * Counting on changes two pixels on average, and a changed pixel feels only its neighbours.
 */
function sumScores(grid, { columns, scores }, start, stop) {
  const { places, stride, pixels, bonds } = grid;
  let { spins, agreement, magnetisation } = placePicture(grid, start);
  let sum = 0;
  let most = -1;
  let best = start;
  for (let picture = start; ; ) {
    const score = scores[(agreement + bonds) * columns + magnetisation + pixels];
    sum += score;
    if (score > most) {
      most = score;
      best = picture;
    }
    picture++;
    if (picture >= stop) return { sum, most, best };
    for (let bit = 0; ; bit++) {
      const at = places[bit];
      const twice = 2 * spins[at];
      agreement -= twice * (spins[at - 1] + spins[at + 1] + spins[at - stride] + spins[at + stride]);
      magnetisation -= twice;
      spins[at] = -spins[at];
      if (twice < 0) break; // a 0 has become 1: nothing to carry
    }
  }
}

const MOST_BLOCKS = 256;

/**
 * The sum over all pictures in up to 256 blocks; each call of `next` adds one and says whether
 * that was the last. What has been added up to any picture can be asked for afterwards.
 */
function pictureSum(grid, coupling, field) {
  const table = scoreTable(grid, coupling, field);
  const blocks = Math.min(MOST_BLOCKS, grid.pictures);
  const size = grid.pictures / blocks;
  const added = new Float64Array(blocks + 1); // after 0, 1, 2 ... blocks
  let done = 0;
  let most = -1;
  const sum = { blocks, size, added, best: 0, total: 0, logNormaliser: 0 };
  sum.next = () => {
    const block = sumScores(grid, table, done * size, (done + 1) * size);
    if (block.most > most) [most, sum.best] = [block.most, block.best];
    added[done + 1] = added[done] + block.sum;
    done++;
    if (done < blocks) return false;
    sum.total = added[blocks];
    sum.logNormaliser = Math.log(sum.total);
    return true;
  };
  /** The share of Z that pictures 0 to `picture` make together. */
  sum.shareThrough = (picture) => {
    const block = Math.floor(picture / size);
    const { sum: rest } = sumScores(grid, table, block * size, picture + 1);
    return Math.min(1, (added[block] + rest) / sum.total);
  };
  return sum;
}

/**
 * log Z by transfer matrix, one pixel after another: 2^width numbers are carried from row to
 * row, and a bond mixes them in pairs. Scaled to a largest of 1 after each row.
 */
function rowsLogNormaliser(height, width, coupling, field) {
  const states = 2 ** width;
  const row = isingGrid(1, width);
  const within = new Float64Array(states);
  for (let s = 0; s < states; s++) within[s] = Math.exp(logScore(row, coupling, field, s));
  const [agree, differ] = [Math.exp(coupling), Math.exp(-coupling)];
  const message = within.slice();
  let logScale = 0;
  for (let i = 1; i < height; i++) {
    for (let bit = 1; bit < states; bit *= 2) {
      for (let s = 0; s < states; s++) {
        if (s & bit) continue;
        const [black, white] = [message[s], message[s | bit]];
        message[s] = agree * black + differ * white;
        message[s | bit] = differ * black + agree * white;
      }
    }
    let largest = 0;
    for (let s = 0; s < states; s++) largest = Math.max(largest, (message[s] *= within[s]));
    for (let s = 0; s < states; s++) message[s] /= largest;
    logScale += Math.log(largest);
  }
  return logScale + Math.log(message.reduce((total, value) => total + value, 0));
}

/** log Z of a chain: two numbers, carried from each pixel to the next. */
function chainLogNormaliser(pixels, coupling, field) {
  const [agree, differ] = [Math.exp(coupling), Math.exp(-coupling)];
  const [up, down] = [Math.exp(field), Math.exp(-field)];
  let [black, white] = [down, up];
  let logScale = 0;
  for (let i = 1; i < pixels; i++) {
    const nextBlack = down * (agree * black + differ * white);
    const nextWhite = up * (differ * black + agree * white);
    const scale = nextBlack + nextWhite;
    [black, white] = [nextBlack / scale, nextWhite / scale];
    logScale += Math.log(scale);
  }
  return logScale + Math.log(black + white);
}
