// Points of the plane: the presets of the data file, and drawings as text.

const DATA_REACH = 3; // the plane goes from -3 to 3 each way
const CELLS = 512; // a drawn point is kept to 6/512
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST_DRAWN = 300;
const DRAWN = "~"; // what a drawing's text begins with, so that no points is not no drawing

/** Three letters a point: 9 bits each way. Points past MOST_DRAWN are left out. */
function writePoints(points) {
  const cell = (value) =>
    Math.min(CELLS - 1, Math.max(0, Math.floor(((value + DATA_REACH) / (2 * DATA_REACH)) * CELLS)));
  let text = DRAWN;
  for (let i = 0; i + 1 < Math.min(points.length, 2 * MOST_DRAWN); i += 2) {
    const bits = cell(points[i]) * CELLS + cell(points[i + 1]);
    text += ALPHABET[bits >> 12] + ALPHABET[(bits >> 6) & 63] + ALPHABET[bits & 63];
  }
  return text;
}

/** The middles of the cells that a text names. */
function readPoints(text) {
  const place = (cell) => ((cell + 0.5) / CELLS) * 2 * DATA_REACH - DATA_REACH;
  const letters = text.slice(DRAWN.length);
  const points = new Float64Array(2 * Math.floor(letters.length / 3));
  for (let i = 0; i < points.length; i += 2) {
    const [a, b, c] = [0, 1, 2].map((k) => ALPHABET.indexOf(letters[(3 * i) / 2 + k]));
    const bits = (a << 12) | (b << 6) | c;
    points[i] = place(bits >> 9);
    points[i + 1] = place(bits & (CELLS - 1));
  }
  return points;
}

/** Which point lies nearest, or -1 if none does within `reach`. */
function nearestPoint(points, [x, y], reach = Infinity) {
  let [best, least] = [-1, reach];
  for (let i = 0; i < points.length; i += 2) {
    const distance = Math.hypot(points[i] - x, points[i + 1] - y);
    if (distance < least) [best, least] = [i / 2, distance];
  }
  return best;
}
