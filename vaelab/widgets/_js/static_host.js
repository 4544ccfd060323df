// The host of a built page: no kernel, no network, from http or from file://.
// It gives a widget what anywidget gives it under a kernel: a model and an element.

/** A model with anywidget's get, set, save_changes, on and off. */
function createModel(values) {
  const listeners = new Map();
  const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
  return {
    get: (key) => values[key],
    set(key, value) {
      if (values[key] === value) return;
      values[key] = value;
      of(`change:${key}`).forEach((listener) => listener());
    },
    save_changes: () => of("saved").forEach((listener) => listener()),
    on: (event, listener) => of(event).add(listener),
    off: (event, listener) => of(event).delete(listener),
  };
}

/**
 * A widget's data, from a classic script beside the pages: fetch does not work on file://.
 * Scripts register themselves on window.vaelabData, so pages and widgets share one copy.
 */
function loadData(name) {
  window.vaelabLoading ??= {};
  window.vaelabLoading[name] ??= new Promise((resolve, reject) => {
    const source = `${document.documentElement.dataset.content_root ?? ""}_widgets/${name}.js`;
    const script = h("script", { src: source });
    script.onload = () => resolve(window.vaelabData[name]);
    script.onerror = () => reject(new Error(`The file ${source} did not load`));
    document.head.append(script);
  });
  return window.vaelabLoading[name];
}

/** Run once `el` is nearly in view. */
function whenNear(el, run) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      run();
    },
    { rootMargin: "600px" },
  );
  observer.observe(el);
}

/** Keep the address and the model in step. */
function followAddress(model, name, settings, defaults) {
  const read = () => {
    const { state, problems } = readHash(location.hash, name, settings);
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.set("_problem", problems.join(" "));
  };
  const write = () => {
    const state = Object.fromEntries(Object.keys(defaults).map((key) => [key, model.get(key)]));
    const hash = writeHash(location.hash, name, state, defaults);
    if (hash === location.hash) return;
    history.replaceState(history.state, "", hash || location.pathname + location.search);
  };
  // The browser looks for an element named by the whole hash, so the anchor is ours to find.
  const scroll = () => {
    const { anchor, parts } = splitHash(location.hash);
    const section = anchor && parts.length && document.getElementById(decodePart(anchor));
    if (section) section.scrollIntoView({ behavior: "instant" });
  };
  read();
  model.on("saved", write);
  if (document.readyState === "complete") scroll();
  else window.addEventListener("load", scroll, { once: true });
  window.addEventListener("hashchange", () => {
    read();
    write(); // a link to another section keeps the widget's state
    scroll();
  });
}

/** Show a widget in the element that holds its static message. */
function mountStatic(el, { name, create, defaults, settings, recorded, hasData }) {
  const first = document.querySelector(`[data-vaelab-widget="${name}"]`) === el;
  const internal = { _defaults: defaults, _recorded: recorded, _data: null, _problem: "" };
  const model = createModel({ ...defaults, ...internal });
  // Two of a kind on a page would write over each other's part of the address.
  if (first) followAddress(model, name, settings, defaults);
  el.replaceChildren();
  const { present } = create({ model, el });
  const asked = new URLSearchParams(location.search).get("present");
  const foremost = asked === "" && document.querySelector("[data-vaelab-widget]") === el;
  const load = async () => {
    try {
      model.set("_data", hasData ? await loadData(name) : {});
    } catch (error) {
      const rest = "so there are no pictures. The recorded figures are right.";
      model.set("_problem", `${error.message}, ${rest}`);
    }
  };
  if (first && (asked === name || foremost)) {
    present(); // in view, however far down the page its place is
    load();
  } else {
    whenNear(el, load);
  }
}
