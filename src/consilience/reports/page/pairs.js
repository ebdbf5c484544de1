"use strict";
// Pairs of labels: which come together and which are confused, with the items of each.

// Each sort of pairs: its title; its pairs as { a, b, told, more }; the items of a pair, as
// galleries of [title, items]; and whether there are such pairs, where that is sooner known.
const MOST_PAIRS = 2000; // of those given to one item
const PAIRS = {
  together: ["labels that come together", together, (data, { a, b }) => [[`${labelName(data, a)}, and ${labelName(data, b)} is there`, itemsOf(data, a, (item) => isThere(data, item, b))]]],
  confused: ["labels that people confuse", confused, ofEither],
  given: ["labels given to one item", bothGiven, ofEither, (data) => data.items.some((_, item) => givenOf(data, item).size > 1)],
};

function together(data) {
  const { class_label: a, label: b, together: n, items, share } = data.pairs.objects_that_come_together ?? { class_label: [] };
  return a.map((code, at) => ({ a: code, b: b[at], told: `${n[at]} of ${items[at]} items (${chance(share[at])})`, more: `of class ${labelName(data, code)} also have an object called ${labelName(data, b[at])}` }));
}

function confused(data) {
  const { label_a: a, label_b: b, a_called_b: there, b_called_a: back } = data.pairs.labels_with_another_main_object ?? { label_a: [] };
  return a.map((code, at) => ({ a: code, b: b[at], told: `${chance(there[at])}; back ${chance(back[at])}`, more: `(the share of ${labelName(data, code)} called ${labelName(data, b[at])}; and the other way round)` }));
}

// Pairs by the number of items to which both labels were given.
function bothGiven(data) {
  const count = new Map();
  for (let item = 0; item < data.items.length; item++) {
    const labels = [...givenOf(data, item)].sort((x, y) => x - y);
    for (const [at, a] of labels.entries()) {
      for (const b of labels.slice(at + 1)) count.set(a * data.labels.length + b, (count.get(a * data.labels.length + b) ?? 0) + 1);
    }
  }
  const pairs = [...count].sort(([x, n], [y, m]) => m - n || x - y).slice(0, MOST_PAIRS);
  return pairs.map(([key, n]) => ({ a: Math.floor(key / data.labels.length), b: key % data.labels.length, told: `${n} item${n > 1 ? "s" : ""}`, more: "to which both labels were given" }));
}

function itemsOf(data, label, wanted) {
  const items = [];
  for (let item = 0; item < data.items.length; item++) if (classOf(data, item) === label && wanted(item)) items.push(item);
  return items;
}

// Whether an item has several objects, of which one is mostly called by a label.
function isThere(data, item, label) {
  const { objects: held } = data.runs[0];
  const names = new Map(); // object -> row of its most frequent name
  for (const row of rowsOf(held, item)) {
    if (held.probability[row] < 5000) continue;
    const before = names.get(held.object[row]);
    if (before === undefined || held.share[row] > held.share[before]) names.set(held.object[row], row);
  }
  return names.size > 1 && [...names.values()].some((row) => held.label[row] === label);
}

// Items of one label of which somebody said the other, and the other way round.
function ofEither(data, { a, b }) {
  const said = (label) => (item) => givenOf(data, item).has(label) || data.runs[0].best[item] === label;
  const side = (own, other) => [`${labelName(data, own)}, called ${labelName(data, other)}`, itemsOf(data, own, said(other))];
  return [side(a, b), side(b, a)];
}

function startPairs(data) {
  const get = (name) => document.getElementById(`pairs-${name}`);
  const made = {};
  const listed = (name) => (made[name] ??= PAIRS[name][1](data));
  const there = Object.keys(PAIRS).filter((name) => (PAIRS[name][3] ? PAIRS[name][3](data) : listed(name).length));
  if (!there.length) return;
  options(get("which"), there.map((name) => [name, PAIRS[name][0]]));
  get("by").closest("label").hidden = !data.own.length;
  if (!data.own.length) get("by").value = "best";
  const which = () => get("which").value;
  let quizzed = false;
  let at = -1;
  const list = new LongList(get("list"), (row, each) => fillPair(data, row, listed(which())[each]), (each) => {
    at = each;
    show();
  }, "pair");
  const show = () => {
    const pair = listed(which())[at];
    const sides = pair ? PAIRS[which()][2](data, pair) : [];
    const shown = quizzed ? quiz(data, pair, sides, get("by").value === "best") : galleries(data, pair, sides);
    get("shown").replaceChildren(...shown);
  };
  const update = () => {
    const pairs = listed(which());
    get("quiz").parentElement.hidden = which() === "together";
    if (which() === "together") quizzed = false;
    get("quiz").setAttribute("aria-pressed", quizzed);
    const most = pairs.length === MOST_PAIRS ? "The most frequent " : "";
    get("count").textContent = `${most}${pairs.length.toLocaleString("en")} pair${pairs.length === 1 ? "" : "s"}`;
    list.show(pairs.map((_, each) => each));
  };
  get("which").addEventListener("change", update);
  get("by").addEventListener("change", show);
  get("quiz").addEventListener("click", () => {
    quizzed = !quizzed;
    get("quiz").setAttribute("aria-pressed", quizzed);
    show();
    if (quizzed) get("shown").focus();
  });
  get("list").addEventListener("keydown", ({ key }) => key === "Enter" && (get("shown").querySelector("[role=listbox]") ?? get("shown")).focus());
  get("shown").addEventListener("keydown", ({ key }) => key === "Escape" && get("list").focus());
  get("shown").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const button = get("shown").querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]:enabled`);
    if (button) button.click();
  });
  get("app").hidden = false;
  update();
}

function fillPair(data, row, { a, b, told }) {
  row.append(named(labelName(data, a)), make("span", { class: "number" }), named(labelName(data, b)), make("span", { class: "number" }, told));
}

function pairTitle(data, { a, b, told, more }) {
  const links = make("p", { class: "below" }, named(`${told} ${more}`), `. Items of the class `, toClass(data, a), ", ", toClass(data, b), "; ", toItems("items to which both were given", { pair: data.labels[a], with: data.labels[b] }), ".");
  return [make("h4", {}, named(`${labelName(data, a)} and ${labelName(data, b)}`)), links];
}

function galleries(data, pair, sides) {
  if (!pair) return [];
  const made = sides.map(([title, items], side) => {
    const frame = make("div", { class: "list gallery", role: "listbox", tabindex: 0, "aria-label": title });
    const open = make("p", { class: "below" });
    const pictured = data.pictures.of.size > 0;
    const list = new LongList(frame, (row, item) => (pictured ? fillCell : fillRow)(data, row, item), (item) => {
      open.replaceChildren(...(item < 0 ? ["No item."] : ["Open ", toItems(data.items[item], { item: data.items[item] })]));
    }, `pair-${side}-item`);
    list.gallery = pictured;
    frame.hidden = !items.length;
    frame.addEventListener("keydown", ({ key }) => key === "Enter" && open.querySelector("a")?.click());
    list.show(items);
    return make("div", {}, make("h5", {}, named(title), ` (${items.length.toLocaleString("en")})`), frame, open);
  });
  return [...pairTitle(data, pair), make("div", { class: "sides" }, ...made)];
}

// The labels are hidden until they are asked for; what is guessed before that counts.
function quiz(data, pair, sides, byBest) {
  if (!pair) return [];
  // An order that tells nothing, the same each time.
  const seen = (item) => !data.pictures.of.size || data.pictures.of.has(item);
  const order = [...new Set(sides.flatMap(([, items]) => items))].filter(seen).sort((x, y) => mixed(x) - mixed(y));
  const score = { right: 0, of: 0 };
  const told = make("p", { role: "status" }, "No guess yet.");
  const stage = make("div");
  const button = (text, key, act) => {
    const made = make("button", { type: "button", "data-key": key, "aria-keyshortcuts": key }, make("kbd", {}, key.toUpperCase()), " ", named(text));
    made.addEventListener("click", () => act(made));
    return made;
  };
  const by = byBest ? "the best label" : "the data set's label";
  const ask = (place) => {
    const item = order[place];
    const truth = byBest ? data.runs[0].best[item] : classOf(data, item);
    const labels = make("p", { hidden: "" });
    const guesses = [pair.a, pair.b, -1].map((code, at) => button(code < 0 ? "Something else" : labelName(data, code), String(at + 1), (pressed) => {
      const right = code < 0 ? truth !== pair.a && truth !== pair.b : truth === code;
      score.of += 1;
      score.right += right ? 1 : 0;
      told.textContent = `${right ? "Right" : "Wrong"}, by ${by}: ${score.right} of ${score.of} right.`;
      for (const each of guesses) each.disabled = true;
      pressed.setAttribute("aria-pressed", "true");
      stage.closest("article").focus();
    }));
    const reveal = button("Show labels", "l", () => {
      const own = data.own[item] >= 0 ? `The data set's label is ${labelName(data, data.own[item])}. ` : "";
      labels.replaceChildren(named(`${own}The best label is ${labelName(data, data.runs[0].best[item])}. `), toItems(data.items[item], { item: data.items[item] }));
      labels.hidden = false;
      for (const each of guesses) each.disabled = true;
      reveal.disabled = true;
      stage.closest("article").focus();
    });
    const next = button("Next", "n", () => {
      ask((place + 1) % order.length);
      stage.closest("article").focus();
    });
    const picture = data.pictures.image(item, "The picture to name") ?? make("p", {}, named(data.items[item]));
    stage.replaceChildren(make("p", { class: "below" }, `${place + 1} of ${order.length}`), picture, make("div", { class: "views" }, ...guesses), make("div", { class: "views" }, reveal, next), labels);
  };
  if (!order.length) return [make("p", {}, "No item is of this pair.")];
  ask(0);
  return [make("h4", {}, "Which is it?"), stage, told];
}

function mixed(number) {
  return Math.imul(number + 1, 2654435761) >>> 0;
}
