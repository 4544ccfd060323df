// Parts that widgets share: a heading, what went wrong, named numbers, captions, a choice of digits.

/** A widget's name and buttons, then its "Try ... Notice ..." lines. */
function heading(title, suggestions, ...buttons) {
  const lines = suggestions.map(({ attempt, notice }) =>
    h("p", {}, h("b", {}, "Try "), attempt, h("b", {}, " Notice "), notice),
  );
  return [
    h(
      "div",
      { class: "vaelab-head" },
      h("p", { class: "vaelab-title" }, title),
      h("div", { class: "vaelab-buttons" }, buttons),
    ),
    h("div", { class: "vaelab-try" }, lines),
  ];
}

/** A line that says what went wrong, where something did. */
function problemLine(model) {
  const el = h("p", { class: "vaelab-problem", role: "status", hidden: true });
  const show = () => {
    el.textContent = model.get("_problem");
    el.hidden = !model.get("_problem");
  };
  return { el, show };
}

/** Have a model call listeners, by event; gives the function that ends it. */
function listenTo(model, listeners) {
  for (const [event, listener] of Object.entries(listeners)) model.on(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) model.off(event, listener);
  };
}

/** A list of named numbers. `rows` holds [key, name, note]. */
function numberList(rows, extra) {
  const cells = {};
  const items = rows.map(([key, name, note]) => {
    const cell = { name: h("dt", {}, name), value: h("data"), note: h("small", {}, note) };
    cells[key] = cell;
    const value = h("dd", {}, cell.value, cell.note);
    return h("div", { class: `vaelab-number-${key}` }, cell.name, value);
  });
  // No class on the list itself: the book's theme indents lists that have one.
  return { el: h("div", { class: `vaelab-numbers ${extra}` }, h("dl", {}, items)), cells };
}

function captioned(caption, content) {
  return h("figure", {}, h("figcaption", {}, caption), content);
}

/** Pictures that are one image to a screen reader. */
function pictures(tiles, label) {
  return h("div", { class: "vaelab-tiles", role: "img", "aria-label": label }, tiles);
}

function tileRow(count) {
  return Array.from({ length: count }, tile);
}

/** Which held-out image: a digit of each kind, and another of the same kind. */
function digitChooser(labels, onChoose, legend = "A digit the models have not seen") {
  const digits = [...new Set(labels)].sort();
  const imageOf = Object.fromEntries(digits.map((digit) => [digit, labels.indexOf(digit)]));
  const thumbnails = Object.fromEntries(digits.map((digit) => [digit, tile()]));
  let current = 0;
  const radios = radioGroup({
    legend,
    values: digits,
    content: (digit) => thumbnails[digit],
    describe: (digit) => `Digit ${digit}`,
    onChange: (digit) => onChoose(imageOf[digit]),
    class: "vaelab-digits",
  });
  const another = button("", () => {
    const later = labels.indexOf(labels[current], current + 1);
    onChoose(later >= 0 ? later : labels.indexOf(labels[current]));
  });
  function set(image) {
    current = image;
    imageOf[labels[image]] = image;
    radios.set(labels[image]);
    another.textContent = `Another ${labels[image]}`;
  }
  function show(models) {
    for (const digit of digits) paint(thumbnails[digit], models.image(imageOf[digit]));
  }
  return { el: h("div", { class: "vaelab-digit-row" }, radios.el, another), set, clear: radios.clear, show };
}
