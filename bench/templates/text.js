// Elements and texts. Whatever a policy or an environment wrote enters the page through `visible`, as text nodes.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child is a node, a text, or nothing. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function drawn(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

// The same characters as `proofgym.bench.hidden`: controls, bidirectional marks, zero-width ones, lone surrogates, tags.
const HIDDEN =
  /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e007f}])\1*/gu;

const signOf = (char) => {
  const code = char.codePointAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
};

/** A text in which no character hides or reorders its neighbours: those are shown by name. */
function visible(text) {
  const found = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    found.append(text.slice(at, match.index));
    const times = match[0].length / match[1].length;
    const sign = signOf(match[1]);
    const name = data.names[sign.slice(2)] || `control character ${sign}`;
    found.append(make("i", { class: "ch", title: name }, times > 1 ? `${sign}×${times}` : sign));
    at = match.index + match[0].length;
  }
  found.append(text.slice(at));
  return found;
}

/** The same in plain text, for attributes. */
const named = (text) => text.replace(HIDDEN, (run, char) => `[${signOf(char)}]${run.length > char.length ? "…" : ""}`);

function num(value, digits = 2, signed = false) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const sign = value < 0 ? "−" : signed ? "+" : "";
  return sign + text;
}

/** A credit's value as short as it can be said. */
const short = (value) => (value === 0 ? "0" : (value < 0 ? "−" : "+") + Number(Math.abs(value).toPrecision(3)));
const count = (value) => value.toLocaleString("en");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
const classOf = (label) => label.replace(" ", "-");
const chip = (label, text = label) => make("span", { class: `chip ${classOf(label)}` }, text);
