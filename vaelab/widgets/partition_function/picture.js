// The picture x: pixels to flip, by pointer or key.

const PIXEL_MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** @param {(bit: number) => void} onFlip  told which binary digit of the picture changes */
function pixelBoard(onFlip) {
  const name = uniqueName("pixels");
  const label = "The picture x; pressed pixels are white. Arrow keys move, Space flips.";
  const el = h("div", { class: "vaelab-board", role: "group", "aria-label": label });
  let [height, width] = [0, 0];
  let cells = [];

  function moveTo(i) {
    for (const cell of cells) cell.tabIndex = cell === cells[i] ? 0 : -1;
    cells[i].focus();
  }
  function setSize(rows, columns) {
    if (rows === height && columns === width) return;
    [height, width] = [rows, columns];
    cells = Array.from({ length: rows * columns }, (_, i) =>
      h("button", {
        type: "button",
        name, // of a set, of which Tab reaches one
        tabindex: i ? -1 : 0,
        "aria-pressed": "false",
        "aria-label": `Row ${Math.floor(i / columns) + 1}, column ${(i % columns) + 1}`,
        onclick: () => onFlip(rows * columns - 1 - i),
        ...OWN_KEYS,
      }),
    );
    el.style.setProperty("--columns", columns);
    el.style.setProperty("--rows", rows);
    el.replaceChildren(...cells);
  }
  function set(picture) {
    for (const [i, cell] of cells.entries()) {
      const white = `${(picture >> (cells.length - 1 - i)) % 2 === 1}`;
      if (cell.ariaPressed !== white) cell.ariaPressed = white;
    }
  }
  el.addEventListener("keydown", (event) => {
    const i = cells.indexOf(event.target);
    const move = PIXEL_MOVES[event.key];
    if (i < 0 || !move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const row = Math.min(height - 1, Math.max(0, Math.floor(i / width) + move[0]));
    const column = Math.min(width - 1, Math.max(0, (i % width) + move[1]));
    moveTo(row * width + column);
  });
  return { el, setSize, set };
}

/**
 * The progress of the sum, and a way to go to any place in it: a range input over at most 64
 * stops, which a picture in between leaves where it is nearest.
 */
function progressBar(onGo) {
  const id = uniqueName("slider");
  let pictures = 2;
  let stops = 1;
  const input = h("input", {
    id,
    ...OWN_KEYS,
    type: "range",
    min: 0,
    step: 1,
    oninput: () => onGo(Math.round((input.valueAsNumber / stops) * (pictures - 1))),
  });
  const shown = h("output", { for: id, class: "vaelab-shown" });
  const el = h(
    "div",
    { class: "vaelab-field vaelab-slider vaelab-progress" },
    h("label", { for: id }, "Summed so far ", shown),
    input,
  );
  function setSize(count) {
    pictures = count;
    stops = Math.min(64, count - 1);
    input.max = stops;
  }
  function set(picture) {
    const text = `${(picture + 1).toLocaleString("en")} of ${pictures.toLocaleString("en")}`;
    input.value = Math.round((picture / (pictures - 1)) * stops);
    input.setAttribute("aria-valuetext", `${text} pictures`);
    shown.textContent = text;
  }
  return { el, setSize, set };
}
