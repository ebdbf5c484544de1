"use strict";
// Confusions: a matrix where it fits, else the answers about one truth; cells to choose.

const WIDEST = 20; // labels of a matrix that still fits

function startConfusion(data, showCell) {
  const get = (name) => document.getElementById(`confusion-${name}`);
  const runs = data.runs.map((run, at) => ({ at, ...run })).filter((run) => run.confusion.start);
  if (!runs.length) return;
  const people = [...new Set(runs.flatMap((run) => run.confusion.who))].filter((who) => who >= 0);
  people.sort((a, b) => data.people[a].localeCompare(data.people[b], "en", { numeric: true }));
  options(get("who"), [[-1, "everybody's"], ...people.map((who) => [who, data.people[who]])]);
  const left = Math.max(...runs.map((run) => run.confusion.left));
  if (left) get("tables").before(make("p", { class: "below" }, `${left} annotators who answered least are left out; all are in the table confusion of the run.`));

  const truths = [...new Set(runs.flatMap((run) => run.confusion.t.map((code) => run.confusion.true[code])))];
  const large = truths.length > WIDEST;
  get("true").parentElement.hidden = !large;
  if (large) options(get("true"), truths.sort().map((name) => [name, name]));

  const update = () => {
    const who = Number(get("who").value);
    const shown = runs.map((run) => block(run, who));
    get("tables").replaceChildren(...shown);
    get("cell").hidden = true;
  };
  const block = (run, who) => {
    const owner = run.confusion.who.indexOf(who);
    const name = data.runs.length > 1 ? `${run.name}: ` : "";
    const caption = `${name}P(answer given truth), ${who < 0 ? "everybody" : data.people[who]}`;
    if (owner < 0) return make("div", {}, make("p", {}, `${name}no confusion of this annotator`));
    const rows = rowsOf(run.confusion, owner);
    const tell = (row, button) => choose(run, who, row, button);
    const made = large ? ofOneTruth(run, rows, caption, get("true").value, tell) : matrix(run, rows, caption, tell);
    return make("div", {}, made);
  };
  const choose = (run, who, row, button) => {
    for (const each of get("tables").querySelectorAll("[aria-pressed=true]")) each.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    const { t, g, p, lower, upper } = run.confusion;
    const truth = run.confusion.true[t[row]];
    const given = run.confusion.given[g[row]];
    const between = lower[row] < 0 ? "no interval is known" : `${Math.round(data.prob * 100)}% interval ${chance(lower[row])} to ${chance(upper[row])}`;
    const whose = who < 0 ? "answers" : `the answers of ${data.people[who]}`;
    const told = `When the truth is ${truth}, ${chance(p[row])} of ${whose} say ${given} (${between}).`;
    const show = make("button", { type: "button" }, "Show such items");
    show.addEventListener("click", () => showCell({
      run: run.at, truth, given, who,
      told: `Items whose truth is probably ${truth}, and of which ${who < 0 ? "somebody" : data.people[who]} said ${given}.`,
    }));
    get("cell").replaceChildren(make("span", {}, told), " ", show);
    get("cell").hidden = false;
  };
  get("who").addEventListener("change", update);
  get("true").addEventListener("change", update);
  document.querySelector("#confusion-app form").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("confusion-app").hidden = false;
  update();
}

function cellName({ confusion }, row) {
  const { t, g, p, lower, upper } = confusion;
  const between = lower[row] < 0 ? "" : `, between ${chance(lower[row])} and ${chance(upper[row])}`;
  return `truth ${confusion.true[t[row]]}, answer ${confusion.given[g[row]]}: ${chance(p[row])}${between}`;
}

function matrix(run, rows, caption, tell) {
  const { t, g, p } = run.confusion;
  const truths = [...new Set(rows.map((row) => t[row]))].sort((a, b) => a - b);
  const givens = [...new Set(rows.map((row) => g[row]))].sort((a, b) => a - b);
  const at = new Map(rows.map((row) => [`${t[row]} ${g[row]}`, row]));
  const body = truths.map((truth) => [
    named(run.confusion.true[truth]),
    ...givens.map((given) => {
      const row = at.get(`${truth} ${given}`);
      if (row === undefined) return make("td", {}, "");
      const heat = Math.min(9, Math.floor(p[row] / 1000));
      const shown = (p[row] / 10000).toFixed(2).replace(/^0/, "");
      const label = `${shown}, ${cellName(run, row)}`; // begins with what stands there
      const button = make("button", { type: "button", class: `heat${heat}`, tabindex: -1, "aria-pressed": "false", "aria-label": label }, shown);
      button.addEventListener("click", () => tell(row, button));
      return make("td", {}, button);
    }),
  ]);
  const made = table(caption, ["truth ↓ answer →", ...givens.map((given) => run.confusion.given[given])], body);
  made.classList.add("matrix");
  roam(made);
  return made;
}

// One stop for Tab; arrows move within.
function roam(made) {
  const grid = [...made.tBodies[0].rows].map((row) => [...row.querySelectorAll("button")]);
  const all = grid.flat();
  if (!all.length) return;
  all[0].tabIndex = 0;
  made.addEventListener("keydown", (event) => {
    const row = grid.findIndex((line) => line.includes(document.activeElement));
    if (row < 0) return;
    const column = grid[row].indexOf(document.activeElement);
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
    const to = grid[row + down]?.[column + right];
    if (!to || (!down && !right)) return;
    event.preventDefault();
    for (const each of all) each.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  });
}

function ofOneTruth(run, rows, caption, truth, tell) {
  const { t, g, p, lower, upper } = run.confusion;
  const own = rows.filter((row) => run.confusion.true[t[row]] === truth).sort((a, b) => p[b] - p[a]);
  const body = own.map((row) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, named(run.confusion.given[g[row]]));
    button.addEventListener("click", () => tell(row, button));
    return [button, estimate(p[row], lower[row], upper[row])];
  });
  return table(`${caption}; the truth is ${truth}`, ["Answer", "P(answer given truth)"], body);
}
