// An 8 by 8 pad to draw on. A widget that uses it names "../_js/digit_pad.js" among its files.

const PAD_MOVES = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** The cells from one to another, both included: a quick pointer skips some in between. */
function cellsBetween([row, column], [lastRow, lastColumn]) {
  const steps = Math.max(Math.abs(lastRow - row), Math.abs(lastColumn - column), 1);
  return Array.from({ length: steps + 1 }, (_, i) => [
    Math.round(row + ((lastRow - row) * i) / steps),
    Math.round(column + ((lastColumn - column) * i) / steps),
  ]);
}

/**
 * Pixels that a pointer draws (the first one it meets says whether it inks or clears), that
 * arrow keys move between, and that Space, Enter or a screen reader's press toggles.
 *
 * @param {(bits: string) => void} onDraw  told the pixels, "0" or "1" each, at every change
 * @param {() => void} onEnd  told when a pointer's stroke is over
 */
function digitPad({ label, onDraw, onEnd, size = 8 }) {
  const name = uniqueName("pad");
  const cells = Array.from({ length: size * size }, (_, i) =>
    h("button", {
      type: "button",
      name, // of a set, of which Tab reaches one
      tabindex: i ? -1 : 0,
      "aria-pressed": "false",
      "aria-label": `Row ${Math.floor(i / size) + 1}, column ${(i % size) + 1}`,
      ...OWN_KEYS,
    }),
  );
  const help = "Arrow keys move, Space inks or clears.";
  const el = h("div", { class: "vaelab-pad", role: "group", "aria-label": `${label}. ${help}` }, cells);
  let bits = "0".repeat(size * size);
  let stroke = null; // the pointer that draws, its ink, the cell where it was last

  const isInside = ([row, column]) => Math.min(row, column) >= 0 && Math.max(row, column) < size;
  const cellAt = ({ clientX, clientY }) => {
    const box = el.getBoundingClientRect();
    return [clientY - box.top, clientX - box.left].map((at, axis) =>
      Math.floor((at / (axis ? box.width : box.height)) * size),
    );
  };
  function set(next) {
    for (let i = 0; i < cells.length; i++) {
      if (next[i] !== bits[i]) cells[i].setAttribute("aria-pressed", `${next[i] === "1"}`);
    }
    bits = next;
  }
  function draw(places, ink) {
    const next = [...bits];
    for (const [row, column] of places.filter(isInside)) next[row * size + column] = ink;
    const text = next.join("");
    if (text === bits) return;
    set(text);
    onDraw(text);
  }
  function moveTo(i) {
    for (const cell of cells) cell.tabIndex = cell === cells[i] ? 0 : -1;
    cells[i].focus();
  }

  el.addEventListener("pointerdown", (event) => {
    const place = cellAt(event);
    if (stroke || event.button !== 0 || !isInside(place)) return;
    const ink = bits[place[0] * size + place[1]] === "1" ? "0" : "1";
    stroke = { pointer: event.pointerId, ink, place };
    el.setPointerCapture(event.pointerId);
    draw([place], ink);
  });
  el.addEventListener("pointermove", (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    const place = cellAt(event);
    draw(cellsBetween(stroke.place, place), stroke.ink);
    stroke.place = place;
  });
  const lift = (event) => {
    if (stroke?.pointer !== event.pointerId) return;
    stroke = null;
    onEnd();
  };
  el.addEventListener("pointerup", lift);
  el.addEventListener("pointercancel", lift);
  el.addEventListener("click", (event) => {
    const i = cells.indexOf(event.target);
    if (event.detail > 0 || i < 0) return; // a pointer's click: it has drawn already
    draw([[Math.floor(i / size), i % size]], bits[i] === "1" ? "0" : "1");
  });
  el.addEventListener("keydown", (event) => {
    const i = cells.indexOf(event.target);
    const move = PAD_MOVES[event.key];
    if (i < 0 || !move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const within = (at) => Math.min(size - 1, Math.max(0, at));
    moveTo(within(Math.floor(i / size) + move[0]) * size + within((i % size) + move[1]));
  });
  return { el, set };
}
