// One widget, full screen, for a lecture hall.

/**
 * Move `root` into a modal dialog and back. A dialog keeps focus inside, closes on Escape,
 * and lies above whatever the page has.
 */
function presenter(root, title) {
  const holder = h("div", { class: "vaelab-holder" });
  const dialog = h("dialog", { class: "vaelab-present", "aria-label": title });
  const toggle = button("Present", () => (dialog.open ? dialog.close() : open()), {
    "aria-pressed": "false",
  });
  const settle = (presenting) => {
    toggle.textContent = presenting ? "Leave" : "Present";
    toggle.setAttribute("aria-pressed", `${presenting}`);
    toggle.focus({ preventScroll: true });
  };
  function open() {
    holder.style.blockSize = `${root.offsetHeight}px`; // the page behind does not move
    root.replaceWith(holder);
    dialog.replaceChildren(root);
    // A sibling of the holder: the theme's styles for this place go on applying.
    holder.after(dialog);
    dialog.showModal();
    settle(true);
  }
  dialog.addEventListener("close", () => {
    holder.replaceWith(root);
    dialog.remove();
    settle(false);
  });
  return { toggle, open };
}
