"use strict";
// The browser of items: search, sort and filter on the left, the item on the right.

const SORTS = {
  ambiguous: ["most ambiguous first", (data) => (a, b) => data.runs[0].entropy[b] - data.runs[0].entropy[a] || a - b],
  sure: ["surest first", (data) => (a, b) => data.runs[0].p[b] - data.runs[0].p[a] || a - b],
  unsure: ["least probable first", (data) => (a, b) => data.runs[0].p[a] - data.runs[0].p[b] || a - b],
  answers: ["most answers first", (data) => (a, b) => data.runs[0].asked[b] - data.runs[0].asked[a] || a - b],
  given: ["as in the data", () => (a, b) => a - b],
};
for (const [part, what] of [["structure", "which objects"], ["naming", "which name"], ["salience", "which is the main one"]]) {
  const of = (data) => data.runs[0].objects?.ambiguity?.[part];
  SORTS[part] = [`most ambiguous: ${what}`, (data) => (a, b) => of(data)[b] - of(data)[a] || a - b, of];
}

const ONLY = {
  "": ["all items", () => true],
  tied: ["tied only", (data, item) => data.runs.some((run) => run.ties.has(item))],
  differ: ["where runs differ", differ, (data) => data.runs.length > 1],
  own: ["other than the data set's label", (data, item) => data.own[item] >= 0 && data.own[item] !== data.runs[0].best[item], (data) => data.own.length],
};

function found(data, { text, label, only, cell, sort }) {
  const wanted = text.trim().toLowerCase();
  const keep = ONLY[only][1];
  const items = [];
  for (let item = 0; item < data.items.length; item++) {
    if (label !== "" && !data.runs.some((run) => run.best[item] === Number(label))) continue;
    if (wanted && !matches(data, item, wanted)) continue;
    if (keep(data, item) && (!cell || inCell(data, item, cell))) items.push(item);
  }
  return items.sort(SORTS[sort][1](data));
}

function matches(data, item, wanted) {
  if (data.search[item].includes(wanted)) return true;
  return data.runs.some((run) => run.best[item] >= 0 && data.lowLabels[run.best[item]].includes(wanted));
}

// Whether an item is probably of a cell's truth, and somebody gave the cell's answer.
function inCell(data, item, { run, truth, given, who }) {
  const own = data.runs[run];
  const answers = data.answers;
  if (data.kind === "choice" && labelName(data, own.best[item]) !== truth) return false;
  return rowsOf(answers, item).some((row) => {
    if (who >= 0 && answers.who[row] !== who) return false;
    if (data.kind !== "contains") return labelName(data, answers.label[row]) === given;
    const about = rowsOf(own.labels, item).find((each) => own.labels.label[each] === answers.label[row]);
    if (about === undefined || ["no", "maybe", "yes"][answers.answer[row]] !== given) return false;
    return own.labels.p[about] >= 5000 === (truth !== "absent");
  });
}

function startItems(data, thumbnails) {
  const get = (name) => document.getElementById(`items-${name}`);
  const state = { text: "", label: "", only: "", cell: null, sort: "ambiguous" };
  const there = (choices) => Object.entries(choices).filter(([, [, , has]]) => !has || has(data));
  options(get("sort"), there(SORTS).map(([name, [title]]) => [name, title]));
  options(get("only"), there(ONLY).map(([name, [title]]) => [name, title]));
  const best = new Set(data.runs.flatMap((run) => run.best).filter((code) => code >= 0));
  const labels = [...best].sort((a, b) => a - b).map((code) => [code, data.labels[code]]);
  options(get("label"), [["", "any"], ...labels]);

  let chosen;
  const list = new LongList(get("list"), (row, item) => fillRow(data, row, item), (item) => {
    if (item >= 0) chosen = item;
    get("detail").replaceChildren(...(item < 0 ? [make("p", {}, "No item is chosen.")] : detail(data, thumbnails, item)));
  });
  const update = (keep) => {
    const items = found(data, state);
    get("count").textContent = `${items.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")} items`;
    list.show(items, keep);
  };
  const listen = (name, event, key) => get(name).addEventListener(event, () => {
    state[key] = get(name).value;
    update(chosen);
  });
  listen("search", "input", "text");
  listen("sort", "change", "sort");
  listen("label", "change", "label");
  listen("only", "change", "only");
  document.querySelector("#items-app form").addEventListener("submit", (event) => event.preventDefault());
  get("list").addEventListener("keydown", ({ key }) => key === "Enter" && get("detail").focus());
  get("detail").addEventListener("keydown", ({ key }) => key === "Escape" && get("list").focus());
  get("cell").querySelector("button").addEventListener("click", () => showCell(null));

  // Only the items of a cell of a confusion; null shows all again.
  function showCell(cell) {
    state.cell = cell;
    get("cell").hidden = !cell;
    if (cell) get("cell").querySelector("span").textContent = cell.told;
    update();
    if (cell) get("list").focus();
  }
  document.getElementById("items-app").hidden = false;
  update();
  return showCell;
}

function fillRow(data, row, item) {
  const run = data.runs[0];
  const marks = [];
  if (run.ties.has(item)) marks.push("tied");
  if (differ(data, item)) marks.push("runs differ");
  if (run.entropy[item] >= 0) marks.push(`${(run.entropy[item] / 10000).toFixed(2)} nats`);
  row.append(
    named(data.items[item]),
    make("span", { class: "number" }, chance(run.p[item])),
    named(labelName(data, run.best[item])),
    make("span", { class: "number" }, marks.join(", ")),
  );
}
