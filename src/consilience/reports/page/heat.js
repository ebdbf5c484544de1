"use strict";
// The confusion of people and of models as heat maps, from superclasses to classes.

const HEAT_SIDE = 480; // pixels of a map
const HEAT_CELL = 26; // pixels of a cell, at most
const HEAT_TEXT = 13; // pixels of a cell from which names are written

function startHeat(heat, prob) {
  const app = document.getElementById("heat-app");
  if (!heat || !app) return;
  const get = (name) => document.getElementById(`heat-${name}`);
  const maps = [...app.querySelectorAll("figure")];
  const selects = [get("left"), get("right")];
  const cells = heat.levels.map((level) => level.parties.map((party) => {
    const at = new Map();
    party.t.forEach((t, row) => at.set(t * level.names.length + party.g[row], row));
    return at;
  }));
  const who = heat.who.map((name, at) => [at, name]);
  for (const [at, select] of selects.entries()) {
    options(select, who);
    select.value = Math.min(at, heat.who.length - 1);
    select.addEventListener("change", () => update());
  }
  const top = heat.levels.length - 1;
  const all = heat.levels[top].names.map((_, at) => at);
  const path = [{ level: top, rows: all, columns: all, told: "all" }];
  let cursor = [0, 0];

  const here = () => path[path.length - 1];
  const children = (level, parent) => heat.levels[level].up.flatMap((up, at) => (up === parent ? [at] : []));
  const words = (party, row, column) => {
    const { level, rows, columns } = here();
    const { names, parties } = heat.levels[level];
    const found = cells[level][party].get(rows[row] * names.length + columns[column]);
    const { p, lower, upper } = parties[party];
    const start = `${heat.who[party]}: ${names[rows[row]]} called ${names[columns[column]]}: `;
    if (found === undefined) return `${start}${level ? "never" : "less than .02 for all, or never"}`;
    const between = lower[found] < 0 ? "" : ` (${Math.round(prob * 100)}% interval ${chance(lower[found])} to ${chance(upper[found])})`;
    return `${start}${chance(p[found])}${between}`;
  };
  const read = () => {
    get("cell").textContent = selects.map((select) => words(Number(select.value), ...cursor)).join("; ");
  };
  const zoom = () => {
    const { level, rows, columns } = here();
    const [row, column] = [rows[cursor[0]], columns[cursor[1]]];
    const { names } = heat.levels[level];
    if (!level) {
      location.hash = `#items?${new URLSearchParams({ class: names[row], as: "dataset", pair: names[column] })}`;
      return;
    }
    const next = { level: level - 1, rows: children(level - 1, row), columns: children(level - 1, column) };
    if (!next.rows.length || !next.columns.length) return;
    path.push({ ...next, told: `${names[row]} called ${names[column]}` });
    cursor = [0, 0];
    update();
  };
  const out = () => {
    if (path.length > 1) path.pop();
    cursor = [0, 0];
    update();
  };
  const update = () => {
    get("out").disabled = path.length === 1;
    get("place").textContent = path.map((each) => each.told).join(" → ");
    for (const [at, map] of maps.entries()) {
      const party = Number(selects[at].value);
      map.querySelector("figcaption").textContent = heat.who[party];
      drawHeat(map.querySelector("canvas"), heat, cells, party, here(), cursor);
    }
    read();
  };
  const place = (canvas, event) => {
    const { left, top: above, size } = canvas.grid;
    const box = canvas.getBoundingClientRect();
    const scale = canvas.grid.width / box.width;
    const column = Math.floor(((event.clientX - box.left) * scale - left) / size);
    const row = Math.floor(((event.clientY - box.top) * scale - above) / size);
    const { rows, columns } = here();
    return row >= 0 && column >= 0 && row < rows.length && column < columns.length ? [row, column] : null;
  };
  for (const map of maps) {
    const canvas = map.querySelector("canvas");
    canvas.addEventListener("pointermove", (event) => {
      const found = place(canvas, event);
      if (!found || (found[0] === cursor[0] && found[1] === cursor[1])) return;
      cursor = found;
      update();
    });
    canvas.addEventListener("click", (event) => {
      const found = place(canvas, event);
      if (found) { cursor = found; zoom(); }
    });
    canvas.addEventListener("keydown", (event) => {
      const { rows, columns } = here();
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (event.key === "Enter") zoom();
      else if (event.key === "Escape") out();
      else if (step) cursor = [clamp(cursor[0] + step[0], rows.length), clamp(cursor[1] + step[1], columns.length)];
      else return;
      event.preventDefault();
      update();
    });
  }
  get("out").addEventListener("click", out);
  document.querySelector("#heat-app form").addEventListener("submit", (event) => event.preventDefault());
  const again = () => update();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  app.hidden = false;
  update();
}

function clamp(at, number) {
  return Math.max(0, Math.min(number - 1, at));
}

function drawHeat(canvas, heat, cells, party, { level, rows, columns }, cursor) {
  const { names, parties } = heat.levels[level];
  const { p } = parties[party];
  const most = Math.max(rows.length, columns.length);
  const size = Math.max(1, Math.min(HEAT_CELL, Math.floor(HEAT_SIDE / most)));
  const written = size >= HEAT_TEXT;
  const [left, top, right] = written ? [150, 110, 76] : [4, 4, 4];
  const width = left + size * columns.length + right;
  const height = top + size * rows.length + 4;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  // By properties of its own: the policy of the page allows no style attributes.
  canvas.style.width = `${width}px`;
  canvas.grid = { left, top, size, width };
  const style = getComputedStyle(document.documentElement);
  const probe = getComputedStyle(canvas.parentElement.querySelector("figcaption"));
  const ink = probe.color;
  const accent = getComputedStyle(document.querySelector("a")).color;
  const drawn = canvas.getContext("2d");
  drawn.scale(ratio, ratio);
  drawn.font = `12px ${style.fontFamily || "sans-serif"}`;
  for (const [row, true_] of rows.entries()) {
    for (const [column, given] of columns.entries()) {
      const found = cells[level][party].get(true_ * names.length + given);
      if (found === undefined) continue;
      drawn.globalAlpha = Math.sqrt(p[found] / 10000);
      drawn.fillStyle = accent;
      drawn.fillRect(left + column * size, top + row * size, size, size);
    }
  }
  drawn.globalAlpha = 1;
  drawn.fillStyle = ink;
  if (written) {
    drawn.textBaseline = "middle";
    drawn.textAlign = "right";
    for (const [row, each] of rows.entries()) drawn.fillText(shortened(names[each], 20), left - 6, top + (row + 0.5) * size);
    drawn.textAlign = "left";
    for (const [column, each] of columns.entries()) {
      drawn.save();
      drawn.translate(left + (column + 0.5) * size, top - 6);
      drawn.rotate(-Math.PI / 4);
      drawn.fillText(shortened(names[each], 19), 0, 0);
      drawn.restore();
    }
  }
  drawn.strokeStyle = ink;
  drawn.lineWidth = 2;
  drawn.strokeRect(left + cursor[1] * size, top + cursor[0] * size, Math.max(size, 3), Math.max(size, 3));
  canvas.setAttribute("aria-label", `Heat map: what ${heat.who[party]} call ${rows.length} labels, ${columns.length} columns`);
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
