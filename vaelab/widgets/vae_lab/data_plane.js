// The plane of the data to look at and to draw on: by mouse, by finger, by keyboard.

const PEN_STEP = 0.12; // between two points of a stroke
const RUBBER = 0.28;
const CURSOR_STEP = 0.1;
const CURSOR_STRIDE = 0.5; // with Shift
const CURSOR_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const USES = {
  look: "Press a point to choose it.",
  draw: "Drag to draw points.",
  erase: "Drag to rub points out.",
};

/**
 * @param {(context: object, frame: object) => void} paint
 * @param {(use: string, place: number[]) => void} onUse  told where a pointer or a key acts
 * @param {() => void} onEnd  told when a stroke is over
 */
function dataPlane({ paint, onUse, onEnd }) {
  const square = squareCanvas(paint);
  const cursor = button("", () => {}, { class: "vaelab-cursor", name: "cursor" });
  square.el.append(cursor);
  square.el.classList.add("vaelab-data-plane");
  let use = "look";
  let place = [0, 0];
  let pointer = null;
  let last = null;

  function moveTo(next) {
    place = next.map((v) => Math.min(DATA_REACH, Math.max(-DATA_REACH, v)));
    const [x, y] = place.map((v) => (v + DATA_REACH) / (2 * DATA_REACH));
    cursor.style.insetInlineStart = `${100 * x}%`;
    cursor.style.insetBlockEnd = `${100 * y}%`;
    say();
  }
  function say() {
    const where = place.map((v) => formatNumber(v, 1)).join(", ");
    const acts = { look: "chooses the nearest point", draw: "puts a point", erase: "rubs out" }[use];
    cursor.setAttribute("aria-label", `Cursor at (${where}). Arrow keys move it, Enter ${acts}.`);
  }
  const placeOf = ({ clientX, clientY }) => {
    const box = square.el.getBoundingClientRect();
    const across = (clientX - box.left) / box.width;
    const down = (clientY - box.top) / box.height;
    return [(2 * across - 1) * DATA_REACH, (1 - 2 * down) * DATA_REACH];
  };
  const isInside = (at) => at.every((v) => Math.abs(v) <= DATA_REACH);

  square.el.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || pointer !== null) return;
    if (event.pointerType === "touch" && use === "look") return; // a tap becomes a click
    pointer = event.pointerId;
    square.el.setPointerCapture(pointer);
    last = placeOf(event);
    moveTo(last);
    onUse(use, last);
  });
  square.el.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const at = placeOf(event);
    if (!isInside(at)) return;
    if (use === "draw" && Math.hypot(at[0] - last[0], at[1] - last[1]) < PEN_STEP) return;
    last = at;
    moveTo(at);
    onUse(use, at);
  });
  const lift = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    onEnd();
  };
  square.el.addEventListener("pointerup", lift);
  square.el.addEventListener("pointercancel", lift);
  square.el.addEventListener("click", (event) => {
    if (event.detail === 0) onUse(use, place); // Enter or Space on the cursor
    else if (event.pointerType === "touch" && use === "look") {
      moveTo(placeOf(event));
      onUse(use, place);
    } else return;
    onEnd();
  });
  cursor.addEventListener("keydown", (event) => {
    const move = CURSOR_MOVES[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const step = event.shiftKey ? CURSOR_STRIDE : CURSOR_STEP;
    moveTo(place.map((v, axis) => v + move[axis] * step));
  });
  moveTo(place);
  return {
    el: square.el,
    draw: square.draw,
    stop: square.stop,
    setUse(next) {
      use = next;
      square.el.dataset.use = use;
      say();
    },
  };
}
