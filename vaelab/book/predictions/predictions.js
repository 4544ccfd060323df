// Predictions in a built page: a result stays closed until the reader has made a guess.
//
// This runs in the head, before there is a body. Without it nothing is closed: the style closes
// results only under the class set here, so that none shows for a moment and then goes.

document.documentElement.classList.add("vaelab-predicting");

const SHOWN = ""; // kept where the reader asked to be shown; else the label of the guess
const CLOSED = "until-found"; // a browser's own search finds what is so hidden, and opens it
const address = new URLSearchParams(location.search);
// Sphinx marks what was searched for, and forgets it before the page is ready.
const searched = `${address.get("highlight") ?? ""} ${read("sphinx_highlight_terms") ?? ""}`
  .toLowerCase()
  .split(/\s+/)
  .filter(Boolean);

/** What this browser keeps; nothing where it refuses to. */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Then guesses last as long as the page is open.
  }
}

function make(tag, properties, ...children) {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
}

/** One question. `said` is undefined while it is open, else SHOWN or the label of the guess. */
class Prediction {
  constructor(el) {
    this.el = el;
    this.id = el.dataset.vaelabPrediction;
    this.form = el.querySelector("form");
    this.commit = el.querySelector(".vaelab-commit");
    this.verdict = el.querySelector(".vaelab-verdict");
    this.told = document.querySelector(`[data-vaelab-reveal="${this.id}"]`);
    this.verdicts = JSON.parse(this.told.dataset.verdicts);
    const mark = { className: "vaelab-truth", ariaHidden: "true" };
    this.mark = make("span", mark, make("i", {}, "measured"));
    this.range = el.querySelector("input[type=range]");
    if (this.range) {
      this.labels = JSON.parse(this.range.dataset.labels);
      this.range.oninput = () => this.set(this.guess);
    }
    const kept = read(`vaelab.${this.id}`);
    // An older book's guess may be none of today's.
    if (kept === SHOWN || Object.hasOwn(this.verdicts, kept)) this.said = kept;
    if (this.said) this.set(this.said);
  }

  get guess() {
    return this.range ? this.labels[this.range.value] : this.form.elements[this.id].value;
  }

  set(label) {
    if (!this.range) {
      this.form.elements[this.id].value = label;
      return;
    }
    this.range.value = this.labels.indexOf(label);
    this.range.setAttribute("aria-valuetext", label);
    this.el.querySelector(".vaelab-shown").textContent = label;
  }

  say(what, keep = true) {
    this.said = what;
    if (keep) write(`vaelab.${this.id}`, what);
  }

  forget() {
    this.said = undefined;
    write(`vaelab.${this.id}`, null);
    this.form.reset();
    if (this.range) this.set(this.guess);
  }

  get isClose() {
    return Boolean(this.said) && this.verdicts[this.said][1];
  }

  render(isOpen) {
    const state = `${isOpen} ${this.said}`;
    if (state === this.rendered) return; // a screen reader would read the verdict once more
    this.rendered = state;
    const answered = this.said !== undefined;
    this.form.firstElementChild.disabled = answered;
    this.commit.hidden = answered;
    this.el.classList.toggle("vaelab-unguessed", this.said === SHOWN);
    this.mark.remove();
    if (!answered) this.verdict.textContent = "";
    else if (!isOpen) this.verdict.textContent = "Noted. The result opens with the other answer.";
    else {
      const words = this.said ? ` ${this.verdicts[this.said][0]}` : "";
      this.verdict.replaceChildren(make("strong", {}, `${this.told.textContent}.`), words);
      this.mark.style.setProperty("--at", this.told.dataset.at);
      (this.range ?? this.rightOption).after(this.mark);
    }
  }

  get rightOption() {
    const options = [...this.form.elements[this.id]];
    return options.find(({ value }) => this.told.textContent === `Measured: ${value}`).nextSibling;
  }
}

/** What waits for one question, or for several. */
class Result {
  constructor(el, predictions) {
    this.el = el;
    this.predictions = predictions;
    el.tabIndex = -1;
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", "The result");
    const text = searched.length ? el.textContent.toLowerCase() : "";
    if (address.has("reveal") || searched.some((word) => text.includes(word))) this.show();
  }

  get isOpen() {
    return this.predictions.every((one) => one.said !== undefined);
  }

  /** Open it without a guess, for now or, as the reader's wish, for the next visit too. */
  show(keep = false) {
    for (const one of this.predictions) if (one.said === undefined) one.say(SHOWN, keep);
  }

  render() {
    if (this.isOpen) this.el.removeAttribute("hidden");
    else this.el.setAttribute("hidden", CLOSED);
    for (const one of this.predictions) one.render(this.isOpen);
  }

  /** Lead on from a question that has just been answered. */
  follow(one) {
    const next = this.predictions.find((other) => other.said === undefined);
    if (next) next.form.querySelector("input").focus();
    else this.el.focus({ preventScroll: true });
    one.el.scrollIntoView({ block: "nearest" });
  }
}

function start() {
  const find = (id) => document.querySelector(`[data-vaelab-prediction="${id}"]`);
  const results = [...document.querySelectorAll(".vaelab-result")].map((el) => {
    const ids = el.dataset.predictions.split(" ");
    return new Result(el, ids.map((id) => new Prediction(find(id))));
  });
  const all = results.flatMap((result) => result.predictions);
  const tally = document.querySelector(".vaelab-tally");
  const startOver = tally.querySelector("[data-do=over]");

  const count = () => {
    const guessed = all.filter((one) => one.said).length;
    return `${guessed} of ${all.length} made, ${all.filter((one) => one.isClose).length} close`;
  };
  const render = () => {
    for (const result of results) result.render();
    tally.querySelector("span").textContent = `${count()}.`;
    startOver.hidden = all.every((one) => one.said === undefined);
    tally.querySelector("[data-do=all]").hidden = all.every((one) => one.said !== undefined);
  };
  const answer = (one, result) => {
    render();
    if (result.isOpen) one.verdict.append(make("small", {}, ` So far: ${count()}.`));
    result.follow(one);
  };

  for (const result of results) {
    result.el.addEventListener("beforematch", () => {
      result.show();
      render();
    });
    for (const one of result.predictions) {
      one.form.onsubmit = (event) => {
        event.preventDefault();
        one.say(one.guess);
        answer(one, result);
      };
      one.el.querySelector("[data-do=show]").onclick = () => {
        result.show(true);
        answer(one, result);
      };
    }
  }
  for (const button of document.querySelectorAll("[data-do=all]")) {
    button.onclick = () => {
      const mine = results.find(({ predictions }) => predictions.some(({ el }) => el.contains(button)));
      for (const result of results) result.show(true);
      render();
      const at = mine ?? results[0]; // the button below all of them leads back to the first
      at.follow(at.predictions.at(-1));
    };
  }
  startOver.onclick = () => {
    for (const one of all) one.forget();
    render();
    all[0].form.querySelector("input").focus();
  };

  /** A link to something closed opens it. Widgets keep their state behind an & in the hash. */
  const openTarget = () => {
    const target = document.getElementById(location.hash.slice(1).split("&")[0]);
    const result = results.find(({ el, isOpen }) => !isOpen && el.contains(target));
    if (!result) return;
    result.show();
    render();
    target.scrollIntoView();
  };
  render();
  openTarget();
  window.addEventListener("hashchange", openTarget);
}

document.addEventListener("DOMContentLoaded", start);
