// A widget's state in the page's address, beside a section's anchor:
//     #the-section&beta_latent.beta=4&beta_latent.latent_dim=2
// Other widgets' entries and the anchor are left as they are.

/** Split a hash into the anchor ("" if none) and its `key=value` parts, still encoded. */
function splitHash(hash) {
  const parts = hash.replace(/^#/, "").split("&").filter(Boolean);
  const anchor = parts.length && !parts[0].includes("=") ? parts.shift() : "";
  return { anchor, parts: parts.filter((part) => part.includes("=")) };
}

/** The value a text stands for if its setting allows it, else undefined. */
function allowedValue(text, { values, least, most, real, bits, names, letters }) {
  if (names) return names.includes(text) ? text : undefined;
  if (letters) return new RegExp(letters).test(text) ? text : undefined;
  if (bits) return text.length === bits && /^[01]+$/.test(text) ? text : undefined;
  if (!/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  const number = Number(text) + 0; // -0 becomes 0
  if (values) return values.includes(number) ? number : undefined;
  return (real || Number.isInteger(number)) && number >= least && number <= most ? number : undefined;
}

function describeAllowed({ values, least, most, real, bits, names, letters, meaning }) {
  if (names) return `one of ${names.join(", ")}`;
  if (letters) return meaning;
  if (bits) return `${bits} zeros and ones`;
  return values ? `one of ${values.join(", ")}` : `a ${real ? "" : "whole "}number from ${least} to ${most}`;
}

/** Text of a part that may be badly encoded. */
function decodePart(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Read one widget's state. A value that is not allowed is left out, with a problem to show.
 * @param {object} settings  for each key, {values}, {least, most}, {least, most, real}, {bits}, {names},
 *   or {letters, meaning}: a regular expression, and what it asks for in words
 */
function readHash(hash, name, settings) {
  const state = {};
  const problems = [];
  for (const part of splitHash(hash).parts) {
    const [left, right] = part.split(/=(.*)/s).map(decodePart);
    if (!left.startsWith(`${name}.`)) continue;
    const key = left.slice(name.length + 1);
    if (!Object.hasOwn(settings, key)) {
      problems.push(`The address sets ${key}, which this widget does not have; it was ignored.`);
      continue;
    }
    const value = allowedValue(right, settings[key]);
    if (value === undefined) {
      const allowed = describeAllowed(settings[key]);
      const shown = right.length > 20 ? `${right.slice(0, 20)}…` : right;
      problems.push(`The address asks for ${key} = ${shown}; it must be ${allowed}, so it was ignored.`);
    } else {
      state[key] = value;
    }
  }
  return { state, problems };
}

/** The hash with this widget's part replaced; values equal to the defaults are left out. */
function writeHash(hash, name, state, defaults) {
  const { anchor, parts } = splitHash(hash);
  const others = parts.filter((part) => !decodePart(part).startsWith(`${name}.`));
  const ours = Object.keys(defaults)
    .filter((key) => state[key] !== defaults[key])
    .map((key) => `${name}.${key}=${state[key]}`);
  const all = [anchor, ...others, ...ours].filter(Boolean);
  return all.length ? `#${all.join("&")}` : "";
}
