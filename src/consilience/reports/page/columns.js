"use strict";
// What the page holds beside its text: columns of numbers, unpacked when the page stands.

async function unpack(id) {
  const letters = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const whole = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(whole).json();
}

// Rows of a long column that belong to one owner, such as an item.
function rowsOf(list, owner) {
  if (!list || !list.start) return [];
  const rows = [];
  for (let row = list.start[owner]; row < list.start[owner + 1]; row++) rows.push(row);
  return rows;
}

// Add what can be derived once: the ids in lower case, for the search, and their places.
function prepared(data) {
  data.pictures = new Pictures(data.pictures);
  data.itemCodes = new Map(data.items.map((name, code) => [name, code]));
  data.labelCodes = new Map(data.labels.map((name, code) => [name, code]));
  data.search = data.items.map((name, item) => `${name} ${data.texts[item] ?? ""}`.toLowerCase());
  data.lowLabels = data.labels.map((name) => name.toLowerCase());
  for (const run of data.runs) run.ties = new Set(run.tied);
  return data;
}

function labelName(data, code) {
  return code < 0 ? NOTHING : data.labels[code];
}

// Whether the runs name different best labels for an item.
function differ(data, item) {
  return data.runs.some((run) => run.best[item] !== data.runs[0].best[item]);
}
