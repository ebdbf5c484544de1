"use strict";
// The browser of items: search, sort and filter on the left, the item on the right.
//
// The address tells its state, so that any link may lead to items:
//   #items?class=NAME        items whose label of the data set or best label is NAME;
//          as=best|dataset   ... only the best label, or only the data set's
//          objects=N         of N objects
//          pair=A&with=B     to which both labels were given (one alone: that one)
//          nats=X            whose entropy is X nats or more
//          differs=1         whose best label is not the data set's
//          disagree=1        whose annotators disagree
//          tied=1            that are tied
//          runs=1            on which runs differ
//          truth=A&given=B   whose truth is probably A, and of which somebody said B;
//          by=WHO            ... this annotator;
//          run=NAME          ... by this run instead of the first
//          q=TEXT            that the search finds
//          sort=NAME         a name of SORTS
//          view=gallery      as a gallery
//          item=ID           with this one chosen; if it is filtered out, the first
// Names and ids are looked up among those of the page; what is not there is ignored.

const SORTS = {
  ambiguous: ["most ambiguous first", (data) => (a, b) => data.runs[0].entropy[b] - data.runs[0].entropy[a] || a - b],
  sure: ["surest first", (data) => (a, b) => data.runs[0].p[b] - data.runs[0].p[a] || a - b],
  unsure: ["least probable first", (data) => (a, b) => data.runs[0].p[a] - data.runs[0].p[b] || data.runs[0].asked[a] - data.runs[0].asked[b] || a - b],
  answers: ["most answers first", (data) => (a, b) => data.runs[0].asked[b] - data.runs[0].asked[a] || a - b],
  given: ["as in the data", () => (a, b) => a - b],
};
for (const [part, what] of [["structure", "which objects"], ["naming", "which name"], ["salience", "which is the main one"]]) {
  const of = (data) => data.runs[0].objects?.ambiguity?.[part];
  SORTS[part] = [`most ambiguous: ${what}`, (data) => (a, b) => of(data)[b] - of(data)[a] || a - b, of];
}

// The filters of the address that are a yes, and where each makes a difference.
const YES = {
  differs: (data) => data.own.length,
  disagree: (data) => data.answers.start,
  tied: () => true,
  runs: (data) => data.runs.length > 1,
};

// Of kind choice the items stand as in "Items to check".
const startOf = ({ kind }) => ({ ...NO_FILTER, sort: kind === "choice" ? "unsure" : "ambiguous", view: "list" });

function readAddress(data, hash) {
  const asked = new URLSearchParams(hash.slice("#items?".length));
  const get = (key) => asked.get(key) ?? "";
  const label = (key) => data.labelCodes.get(get(key)) ?? -1;
  const state = { ...startOf(data), q: get("q"), class: label("class"), pair: label("pair"), with: label("with") };
  if (["best", "dataset"].includes(get("as"))) state.as = get("as");
  if (/^\d{1,3}$/.test(get("objects")) && data.runs[0].number) state.objects = Number(get("objects"));
  if (/^\d{1,3}(\.\d{1,4})?$/.test(get("nats"))) state.nats = Number(get("nats"));
  for (const [key, has] of Object.entries(YES)) state[key] = get(key) === "1" && Boolean(has(data));
  const run = Math.max(0, data.runs.findIndex(({ name }) => name === get("run")));
  const { true: truths = [], given = [] } = data.runs[run].confusion;
  if (truths.includes(get("truth")) && given.includes(get("given"))) {
    state.cell = { run, truth: get("truth"), given: get("given"), who: data.people.indexOf(get("by")) };
  }
  const sort = Object.hasOwn(SORTS, get("sort")) && SORTS[get("sort")];
  if (sort && (!sort[2] || sort[2](data))) state.sort = get("sort");
  if (get("view") === "gallery" && data.pictures.of.size) state.view = "gallery";
  return { state, item: data.itemCodes.get(get("item")) };
}

function address(data, state, item) {
  const asked = new URLSearchParams();
  const set = (key, value, usual) => value !== usual && asked.set(key, value);
  const start = startOf(data);
  for (const key of ["q", "as", "sort", "view"]) set(key, state[key], start[key]);
  for (const key of ["class", "pair", "with"]) set(key, labelName(data, state[key]), NOTHING);
  set("objects", state.objects, -1);
  set("nats", state.nats, 0);
  for (const key of Object.keys(YES)) set(key, state[key] ? 1 : 0, 0);
  if (state.cell) {
    const { run, truth, given, who } = state.cell;
    set("truth", truth);
    set("given", given);
    set("by", data.people[who]);
    set("run", data.runs[run].name, data.runs[0].name);
  }
  if (item !== undefined) asked.set("item", data.items[item]);
  return `#items?${asked}`;
}

// A link to items, such as toItems("text", { class: "husky" }).
function toItems(text, asked) {
  return make("a", { href: `#items?${new URLSearchParams(asked)}` }, named(text));
}

function startItems(data) {
  const get = (name) => document.getElementById(`items-${name}`);
  let state = startOf(data);
  let chosen;
  let byReader = false;
  let waiting;
  offer(data, get);

  const list = new LongList(get("list"), (row, item) => (list.gallery ? fillCell : fillRow)(data, row, item), (item) => {
    chosen = item < 0 ? undefined : item;
    get("detail").replaceChildren(...(item < 0 ? [make("p", {}, "No item is chosen.")] : detail(data, item)));
    if (byReader) note();
  });
  // The address follows when the reader rests: browsers limit how often it changes.
  const note = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => history.replaceState(null, "", address(data, state, chosen)), 200);
  };
  const update = (keep) => {
    const items = found(data, state);
    get("count").textContent = `${items.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")} items`;
    const words = inWords(data, state);
    get("cell").hidden = !words;
    get("cell").querySelector("span").textContent = words && `Only: ${words}.`;
    get("list").classList.toggle("gallery", state.view === "gallery");
    get("list").closest(".browser").classList.toggle("wide", state.view === "gallery");
    for (const name of ["list", "gallery"]) get(`as-${name}`).setAttribute("aria-pressed", state.view === name);
    list.as(state.view === "gallery");
    list.show(items, keep);
  };
  const showState = () => {
    for (const key of ["q", "sort", "as", "class", "objects", "pair", "with"]) get(key).value = state[key];
    get("nats").value = state.nats || "";
    for (const key of Object.keys(YES)) get(key).checked = state[key];
    const hidden = ["objects", "pair", "with"].some((key) => state[key] >= 0) || state.nats > 0 || Object.keys(YES).some((key) => state[key]);
    if (hidden) get("more").open = true;
  };
  const set = (more) => {
    byReader = true;
    state = { ...state, ...more };
    update(chosen);
  };
  for (const key of ["q", "sort", "as"]) get(key).addEventListener(key === "q" ? "input" : "change", () => set({ [key]: get(key).value }));
  for (const key of ["class", "objects", "pair", "with"]) get(key).addEventListener("change", () => set({ [key]: Number(get(key).value) }));
  get("nats").addEventListener("input", () => set({ nats: Math.max(0, Number(get("nats").value) || 0) }));
  for (const key of Object.keys(YES)) get(key).addEventListener("change", () => set({ [key]: get(key).checked }));
  for (const name of ["list", "gallery"]) get(`as-${name}`).addEventListener("click", () => set({ view: name }));
  for (const event of ["keydown", "pointerdown"]) get("list").addEventListener(event, () => (byReader = true), { capture: true });
  get("list").addEventListener("keydown", ({ key }) => key === "Enter" && get("detail").focus());
  get("detail").addEventListener("keydown", ({ key }) => key === "Escape" && get("list").focus());
  get("cell").querySelector("button").addEventListener("click", () => {
    set({ ...NO_FILTER, q: state.q });
    showState();
    get("list").focus();
  });

  // Only the items of a cell of a confusion.
  function showCell(cell) {
    set({ ...NO_FILTER, cell });
    showState();
    get("list").focus();
  }
  function follow() {
    if (!location.hash.startsWith("#items?")) return;
    const read = readAddress(data, location.hash);
    state = read.state;
    byReader = false;
    clearTimeout(waiting);
    showState();
    update(read.item);
    get("list").focus({ preventScroll: true });
    // Where the item stands below the list, the item is what was asked for.
    const below = get("detail").offsetTop > get("list").offsetTop;
    const sight = read.item === undefined || !below ? (get("cell").hidden ? "count" : "cell") : "detail";
    get(sight).scrollIntoView({ behavior: "instant" });
  }
  addEventListener("hashchange", follow);
  document.getElementById("items-app").hidden = false;
  update();
  return { showCell, follow };
}

// Fill the controls with what there is to choose, and hide those that cannot matter.
function offer(data, get) {
  const sorts = Object.entries(SORTS).filter(([, [, , has]]) => !has || has(data));
  options(get("sort"), sorts.map(([name, [title]]) => [name, title]));
  const codes = (all) => [...new Set(all)].filter((code) => code >= 0).sort((a, b) => a - b);
  const labels = (all) => [[-1, "any"], ...codes(all).map((code) => [code, data.labels[code]])];
  options(get("class"), labels([...data.runs.flatMap((run) => run.best), ...data.own]));
  for (const key of ["pair", "with"]) options(get(key), labels(data.answers.label ?? []));
  const numbers = codes(data.runs[0].number ?? []);
  options(get("objects"), [[-1, "any number"], ...numbers.map((each) => [each, each])]);
  const hide = (key, there) => (get(key).closest("label").hidden = !there);
  hide("as", data.own.length);
  hide("objects", numbers.length);
  for (const key of ["pair", "with"]) hide(key, data.answers.start);
  for (const [key, has] of Object.entries(YES)) hide(key, has(data));
  get("as-list").parentElement.hidden = !data.pictures.of.size;
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

function fillCell(data, cell, item) {
  const run = data.runs[0];
  const other = isOther(data, item) ? `data set: ${labelName(data, data.own[item])}` : data.items[item];
  cell.append(
    data.pictures.image(item) ?? make("span", { class: "absent" }, "no picture"),
    make("span", { class: "name" }, named(labelName(data, run.best[item])), " ", make("span", { class: "number" }, chance(run.p[item]))),
    make("small", {}, named(other)),
  );
}
