"use strict";
// Elements made of text: nothing here ever reads text as markup.

const SVG = "http://www.w3.org/2000/svg";
const NOTHING = "–";

// make("td", { class: "number" }, "text", element, …); text becomes a text node.
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) throw new Error(`${name}: use addEventListener`);
    element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// A name from the data: it keeps its direction to itself.
function named(text) {
  return make("bdi", {}, text);
}

// A probability in ten thousandths as text; -1 is unknown. What rounds to 1 but is not
// is said to be more than .999.
function chance(p) {
  if (p < 0) return NOTHING;
  if (p >= 9995 && p < 10000) return "> .999";
  if (p > 0 && p < 5) return "< .001";
  return p === 10000 ? "1.000" : (p / 10000).toFixed(3).slice(1);
}

function bar(p, lower, upper) {
  const place = (x) => (x / 100).toFixed(1);
  const parts = [draw("rect", { class: "track", width: 100, y: 4, height: 2 })];
  if (lower >= 0 && upper >= 0) {
    const width = Math.max(upper - lower, 50);
    parts.push(draw("rect", { class: "reach", x: place(lower), y: 2.5, width: place(width), height: 5 }));
  }
  if (p >= 0) parts.push(draw("rect", { class: "value", x: place(p - 100), width: 2, height: 10 }));
  return barOf(...parts);
}

function barOf(...parts) {
  return draw("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, ...parts);
}

// A cell with a probability, its bar and its interval.
function estimate(p, lower, upper) {
  const between = lower >= 0 && upper >= 0 ? `${chance(lower)} to ${chance(upper)}` : "";
  const small = between ? make("small", {}, between) : null;
  return make("td", { class: "number" }, chance(p), p < 0 ? null : bar(p, lower, upper), small);
}

// table("Posterior", ["Label", "P"], rows of cells); text in a row becomes a cell.
function table(caption, titles, rows) {
  const head = titles.map((title) => make("th", { scope: "col" }, named(title)));
  const cell = (content, at) => {
    if (content instanceof HTMLTableCellElement) return content;
    return make(at ? "td" : "th", at ? {} : { scope: "row" }, content instanceof Node ? content : named(content));
  };
  return make(
    "table",
    {},
    make("caption", {}, named(caption)),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => make("option", { value }, text)));
}
