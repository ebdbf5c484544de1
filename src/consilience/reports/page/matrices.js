"use strict";
// Matrices of labels side by side, each of one party: numbers where they fit, else shades
// with the answers of a row listed; from superclasses down where labels have any.

const WIDEST = 20; // labels of a matrix of numbers
const SIDE = 480; // pixels of a matrix of shades
const LARGEST = 26; // pixels of its cells, at most
const LEGIBLE = 13; // pixels of a cell from which names are written
const MOST_ANSWERS = 12; // of a row that are listed

// Each map has its levels of cells, the `owner` of the cells that its select names, and
// what this `party` is called; show(map, truth, answer, value) leads to the items of a cell.
function startMatrices(id, { maps, prob, title, corner, words, least, show, ofClasses }) {
  const app = document.getElementById(`${id}-app`);
  const get = (name) => document.getElementById(`${id}-${name}`);
  const selects = app.querySelectorAll("select.party");
  const top = maps[0].levels.length - 1;
  const { true: truths, given: answers } = maps[0].levels[top];
  // Classes that no item has are left out.
  const there = (rows, { items }) => rows.filter((row) => !ofClasses || items[row] > 0);
  const rowName = ({ true: names, items }, row) => (items ? `${names[row]} (${few(items[row])})` : names[row]);
  const path = [{ level: top, rows: there([...truths.keys()], maps[0].levels[top]), columns: [...answers.keys()], name: "all" }];
  let chosen = { map: 0, row: 0, column: 0 };
  let views = [];

  const here = () => path[path.length - 1];
  const isLarge = () => Math.max(here().rows.length, here().columns.length) > WIDEST;
  const cellOf = ({ cells }, row, column) => cells.get(`${here().rows[row]} ${here().columns[column]}`);
  const inWords = (view, row, column) => {
    const { p, lower, upper, true: rows, given: columns } = view.level;
    const cell = cellOf(view, row, column);
    const start = words(rows[here().rows[row]], columns[here().columns[column]]);
    if (cell === undefined) return `${start}: ${(!here().level && least) || "never"}`;
    const between = lower[cell] < 0 ? "no interval is known" : `${Math.round(prob * 100)}% interval ${chance(lower[cell])} to ${chance(upper[cell])}`;
    return `${start}: ${chance(p[cell])} (${between})`;
  };

  const numbers = (view, map) => {
    const { rows, columns } = here();
    view.buttons = new Map();
    const cell = (row, column) => {
      const p = view.level.p[cellOf(view, row, column)];
      const text = p === undefined ? "" : (p / 10000).toFixed(2).replace(/^0/, "");
      const label = [text, inWords(view, row, column)].filter(Boolean).join(", "); // begins with what stands there
      const button = make("button", { type: "button", class: `heat${Math.min(9, Math.floor((p ?? 0) / 1000))}`, "aria-label": label }, text);
      button.addEventListener("click", () => choose({ map, row, column }));
      view.buttons.set(`${row} ${column}`, button);
      return make("td", {}, button);
    };
    const body = rows.map((each, row) => [named(rowName(view.level, each)), ...columns.map((_, column) => cell(row, column))]);
    const made = table(title(view.party), [corner, ...columns.map((each) => view.level.given[each])], body);
    made.classList.add("matrix");
    return made;
  };
  const shades = (view, map) => {
    view.canvas = make("canvas", { tabindex: 0, role: "img" });
    for (const kind of ["pointermove", "click"]) {
      view.canvas.addEventListener(kind, (event) => {
        const cell = cellAt(view.canvas, event, here());
        if (!cell) return;
        choose({ map, ...cell });
        if (kind === "click") act();
      });
    }
    return make("figure", {}, make("figcaption", {}, named(title(view.party))), view.canvas);
  };
  // The answers of the row of the cell that is chosen, the most probable first.
  const listed = (view) => {
    const { given, t, g, p, lower, upper } = view.level;
    const truth = here().rows[chosen.row];
    const cells = [...view.cells.values()].filter((cell) => t[cell] === truth).sort((a, b) => p[b] - p[a]);
    const body = cells.slice(0, MOST_ANSWERS).map((cell) => [given[g[cell]], estimate(p[cell], lower[cell], upper[cell])]);
    return table(`${title(view.party)}; ${rowName(view.level, truth)}`, ["Answer", "Share"], body);
  };

  const update = () => {
    const { level, rows } = here();
    views = maps.map((map, at) => {
      const value = Number((selects[at] ?? selects[0]).value);
      const cells = rowsOf(map.levels[level], map.owner(value)).map((cell) => [`${map.levels[level].t[cell]} ${map.levels[level].g[cell]}`, cell]);
      return { value, party: map.party(value), level: map.levels[level], cells: new Map(cells) };
    });
    get("out").disabled = path.length === 1;
    get("place").textContent = path.map(({ name }) => name).join(" → ");
    get("row").parentElement.hidden = !isLarge();
    options(get("row"), rows.map((each, row) => [row, rowName(views[0].level, each)]));
    get("tables").replaceChildren(...views.map((view, map) => {
      if (!view.cells.size) return make("p", {}, `${view.party}: no confusion`);
      return make("div", {}, (isLarge() ? shades : numbers)(view, map));
    }));
    choose(chosen);
  };
  const choose = (cell) => {
    chosen = cell;
    const { row, column } = chosen;
    for (const view of views) {
      if (view.canvas) drawShades(view, here(), chosen, rowName);
      for (const [place, button] of view.buttons ?? []) {
        button.setAttribute("aria-pressed", place === `${row} ${column}`);
        button.tabIndex = place === `${row} ${column}` ? 0 : -1; // one stop for Tab
      }
    }
    const button = make("button", { type: "button" }, here().level ? "Zoom in" : "Show such items");
    button.addEventListener("click", act);
    const text = views.filter(({ cells }) => cells.size).map((view) => `${view.party}: ${inWords(view, row, column)}`).join("; ");
    get("cell").replaceChildren(make("span", {}, text), " ", button);
    get("row").value = row;
    get("answers").replaceChildren(...(isLarge() ? views.map(listed) : []));
  };
  const focus = () => {
    const { canvas, buttons } = views[chosen.map];
    (canvas ?? buttons?.get(`${chosen.row} ${chosen.column}`))?.focus();
  };
  const enter = (next) => {
    if (next) path.push(next);
    else if (path.length > 1) path.pop();
    chosen = { map: chosen.map, row: 0, column: 0 };
    update();
    focus();
  };
  const act = () => {
    const { level, rows, columns } = here();
    const [truth, answer] = [rows[chosen.row], columns[chosen.column]];
    const view = views[chosen.map];
    const names = [view.level.true[truth], view.level.given[answer]];
    if (!level) return show(chosen.map, ...names, view.value);
    const { up } = maps[0].levels[level - 1];
    const [below, beside] = [truth, answer].map((parent) => [...up.keys()].filter((at) => up[at] === parent));
    const classes = there(below, maps[0].levels[level - 1]);
    if (classes.length && beside.length) enter({ level: level - 1, rows: classes, columns: beside, name: words(...names) });
  };

  get("tables").addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const map = [...get("tables").children].findIndex((each) => each.contains(event.target));
    if (step) {
      const [row, column] = [chosen.row + step[0], chosen.column + step[1]];
      choose({ map, row: within(row, here().rows.length), column: within(column, here().columns.length) });
      focus();
    } else if (event.key === "Enter") act();
    else if (event.key === "Escape") enter();
    else return;
    event.preventDefault();
  });
  get("row").addEventListener("change", () => {
    const row = Number(get("row").value);
    choose({ ...chosen, row, column: within(row, here().columns.length) });
  });
  for (const select of selects) select.addEventListener("change", update);
  get("out").addEventListener("click", () => enter());
  for (const each of [get("out"), get("place")]) each.hidden = !top;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  new MutationObserver(update).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  app.hidden = false;
  update();
}

// An expected number of items: with a decimal where it is small.
function few(tenths) {
  return tenths < 100 ? (tenths / 10).toFixed(1).replace(/\.0$/, "") : Math.round(tenths / 10).toLocaleString("en");
}

function within(at, number) {
  return Math.max(0, Math.min(number - 1, at));
}

function cellAt(canvas, event, { rows, columns }) {
  const { left, top, size, width } = canvas.grid;
  const box = canvas.getBoundingClientRect();
  const scale = width / box.width;
  const column = Math.floor(((event.clientX - box.left) * scale - left) / size);
  const row = Math.floor(((event.clientY - box.top) * scale - top) / size);
  return row >= 0 && column >= 0 && row < rows.length && column < columns.length ? { row, column } : null;
}

function drawShades({ canvas, level, cells, party }, { rows, columns }, chosen, rowName) {
  const size = Math.max(1, Math.min(LARGEST, Math.floor(SIDE / Math.max(rows.length, columns.length))));
  const [left, top, right] = size >= LEGIBLE ? [150, 110, 76] : [4, 4, 4];
  const width = left + size * columns.length + right;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = (top + size * rows.length + 4) * ratio;
  // By a property: the policy of the page allows no style attributes.
  canvas.style.width = `${width}px`;
  canvas.grid = { left, top, size, width };
  const ink = getComputedStyle(document.body).color;
  const drawn = canvas.getContext("2d");
  drawn.scale(ratio, ratio);
  drawn.font = `12px ${getComputedStyle(document.documentElement).fontFamily || "sans-serif"}`;
  drawn.fillStyle = getComputedStyle(document.querySelector("a")).color;
  for (const [row, truth] of rows.entries()) {
    for (const [column, answer] of columns.entries()) {
      const cell = cells.get(`${truth} ${answer}`);
      if (cell === undefined) continue;
      drawn.globalAlpha = Math.sqrt(level.p[cell] / 10000);
      drawn.fillRect(left + column * size, top + row * size, size, size);
    }
  }
  drawn.globalAlpha = 1;
  drawn.fillStyle = drawn.strokeStyle = ink;
  if (size >= LEGIBLE) {
    const short = (text) => (text.length > 20 ? `${text.slice(0, 19)}…` : text);
    drawn.textBaseline = "middle";
    drawn.textAlign = "right";
    for (const [row, each] of rows.entries()) drawn.fillText(short(rowName(level, each)), left - 6, top + (row + 0.5) * size);
    drawn.textAlign = "left";
    for (const [column, each] of columns.entries()) {
      drawn.save();
      drawn.translate(left + (column + 0.5) * size, top - 6);
      drawn.rotate(-Math.PI / 4);
      drawn.fillText(short(level.given[each]), 0, 0);
      drawn.restore();
    }
  }
  drawn.lineWidth = 2;
  drawn.strokeRect(left + chosen.column * size, top + chosen.row * size, Math.max(size, 3), Math.max(size, 3));
  canvas.setAttribute("aria-label", `${party}: shares of ${rows.length} by ${columns.length} labels`);
}

// The confusions of annotators, run beside run.
function startConfusion(data, showCell) {
  const runs = data.runs.map((run, at) => ({ at, ...run })).filter((run) => run.confusion.start);
  if (!runs.length) return;
  const people = [...new Set(runs.flatMap((run) => run.confusion.who))].filter((who) => who >= 0);
  people.sort((a, b) => data.people[a].localeCompare(data.people[b], "en", { numeric: true }));
  options(document.getElementById("confusion-who"), [[-1, "everybody's"], ...people.map((who) => [who, data.people[who]])]);
  const left = Math.max(...runs.map((run) => run.confusion.left));
  if (left) document.getElementById("confusion-tables").before(make("p", { class: "below" }, `${left} annotators who answered least are left out; all are in the table confusion of the run.`));
  startMatrices("confusion", {
    maps: runs.map(({ name, confusion }) => ({
      levels: [confusion],
      owner: (who) => confusion.who.indexOf(who),
      party: (who) => `${data.runs.length > 1 ? `${name}: ` : ""}${who < 0 ? "everybody" : data.people[who]}`,
    })),
    prob: data.prob,
    title: (party) => `${party}, P(answer given truth)`,
    corner: "truth (items) ↓ answer →",
    words: (truth, given) => `truth ${truth}, answer ${given}`,
    show: (map, truth, given, who) => showCell({ run: runs[map].at, truth, given, who }),
  });
}

// The confusion of people beside that of models, from superclasses to classes.
function startHeat({ heat, prob }) {
  if (!heat) return;
  for (const [at, name] of ["left", "right"].entries()) {
    const select = document.getElementById(`heat-${name}`);
    options(select, heat.who.map((who, place) => [place, who]));
    select.value = Math.min(at, heat.who.length - 1);
  }
  const map = { levels: heat.levels, owner: (at) => at, party: (at) => heat.who[at] };
  startMatrices("heat", {
    maps: [map, map],
    prob,
    title: (party) => party,
    corner: "is (items) ↓ called →",
    words: (truth, given) => `${truth} called ${given}`,
    least: "less than .02 for all, or never",
    ofClasses: true,
    show: (_, truth, given) => (location.hash = `#items?${new URLSearchParams({ class: truth, as: "dataset", pair: given })}`),
  });
}
