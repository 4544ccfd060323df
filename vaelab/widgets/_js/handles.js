// Buttons on a picture that are dragged by pointer and moved by arrow keys.

const HANDLE_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @param {object} options  `box`, the picture; `unit()`, pixels to one of the picture's units;
 *     `onStart()` when it is taken up; `onDrag([dx, dy])` in units since then; `onEnd()`;
 *     `onKey([x, y], far)` told a direction;
 *     `hollow`, for one that stands for a width or a turn
 */
function dragHandle({ name, box, unit, onStart, onDrag, onEnd, onKey, hollow = false }) {
  const look = `vaelab-handle vaelab-handle-${name} ${hollow ? "vaelab-hollow" : ""}`;
  const el = h("button", { type: "button", name, class: look, ...OWN_KEYS });
  let held = null;
  el.addEventListener("pointerdown", (event) => {
    if (held || event.button !== 0) return;
    held = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
    el.setPointerCapture(event.pointerId);
    onStart();
  });
  el.addEventListener("pointermove", (event) => {
    if (event.pointerId !== held?.pointer) return;
    onDrag([(event.clientX - held.x) / unit(), (held.y - event.clientY) / unit()]);
  });
  const lift = (event) => {
    if (event.pointerId !== held?.pointer) return;
    held = null;
    el.focus({ preventScroll: true });
    onEnd();
  };
  el.addEventListener("pointerup", lift);
  el.addEventListener("pointercancel", lift);
  el.addEventListener("keydown", (event) => {
    const move = HANDLE_MOVES[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    onKey(move, event.shiftKey);
  });
  /** Put it at a place of the picture, in percent from its left and its top, never outside. */
  function set(left, top, label) {
    const within = (value) => `${Math.min(98, Math.max(2, value)).toFixed(2)}%`;
    el.style.cssText = `left: ${within(left)}; top: ${within(top)}`;
    el.setAttribute("aria-label", label);
  }
  box.append(el);
  return { el, set };
}
