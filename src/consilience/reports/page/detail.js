"use strict";
// One item: its posterior, run beside run, its objects, and what each annotator said.

const MOST_LINKS = 12; // pairs of labels that an item links to

function detail(data, item) {
  const picture = data.pictures.image(item, `picture of ${data.items[item]}`);
  const ofObjects = data.runs.filter((run) => run.objects);
  return [
    make("h3", {}, named(data.items[item])),
    ...(data.texts[item] ? [make("p", {}, data.texts[item])] : []),
    ...(picture ? [picture] : []),
    facts(data, item),
    ...ofObjects.flatMap((run) => groups(data, run, item)),
    posterior(data, item),
    ...ofObjects.flatMap((run) => objects(data, run, item)),
    ...answers(data, item),
    ...pairsOf(data, item),
  ];
}

// A label that leads to the items of its class.
function toClass(data, code) {
  return code < 0 ? NOTHING : toItems(data.labels[code], { class: data.labels[code] });
}

function facts(data, item) {
  const pairs = [];
  for (const run of data.runs) {
    const [who, best, entropy] = data.runs.length > 1 ? [`${run.name}: `, "best label", "entropy"] : ["", "Best label", "Entropy"];
    const tie = run.ties.has(item) ? " (tied)" : "";
    pairs.push([who + best, toClass(data, run.best[item]), tie]);
    pairs.push([who + entropy, run.entropy[item] < 0 ? NOTHING : `${(run.entropy[item] / 10000).toFixed(3)} nats`]);
  }
  if (data.own.length && data.own[item] >= 0) pairs.push(["Label of the data set", toClass(data, data.own[item])]);
  pairs.push(["Answers", String(data.runs[0].asked[item])]);
  const cell = ([name, ...what]) => make("div", {}, make("dt", {}, named(name)), make("dd", {}, ...what));
  return make("dl", { class: "facts" }, ...pairs.map(cell));
}

function posterior(data, item) {
  const found = new Map(); // label -> for each run, its row
  for (const [at, run] of data.runs.entries()) {
    for (const row of rowsOf(run.labels, item)) {
      const label = run.labels.label[row];
      if (!found.has(label)) found.set(label, []);
      found.get(label)[at] = row;
    }
  }
  const rows = [...found].map(([label, own]) => [
    toClass(data, label),
    ...data.runs.map((run, at) => {
      const { p, lower, upper } = run.labels;
      const row = own[at];
      return row === undefined ? make("td", {}, NOTHING) : estimate(p[row], lower[row], upper[row]);
    }),
  ]);
  const what = data.kind === "choice" ? "P(this is the truth)" : "P(this is there)";
  const titles = data.runs.length > 1 ? data.runs.map((run) => run.name) : [what];
  const made = table(data.runs.length > 1 ? what : "Posterior", ["Label", ...titles], rows);
  const more = Math.max(...data.runs.map((run) => run.labels.more[item] ?? 0));
  const least = data.kind === "choice" ? "less probable than .0005, or beyond the first 15" : "beyond the first 15";
  const note = more ? make("p", { class: "below" }, `${more} more labels are left out: ${least}.`) : null;
  return make("div", {}, made, note);
}

// A bar from zero to a probability.
function filled(p) {
  const width = (Math.max(p, 0) / 100).toFixed(1);
  return barOf(draw("rect", { class: "track", width: 100, height: 10 }), draw("rect", { class: "filled", width, height: 10 }));
}

// The partition of the labels into objects: each object a box with its names.
function groups(data, run, item) {
  const { objects: held } = run;
  const who = data.runs.length > 1 ? `, ${run.name}` : "";
  const boxes = Map.groupBy(rowsOf(held, item), (row) => held.object[row]);
  if (!boxes.size) return [];
  // Models number objects from where they like; here the first is 1.
  const items = [...boxes.values()].map((rows, at) => {
    const names = rows.map((row) => make("li", {}, toClass(data, held.label[row]), filled(held.share[row]), make("span", { class: "number" }, `${chance(held.share[row])} of its names`)));
    const facts = `P(it is there) ${chance(held.probability[rows[0]])}, P(it is the main one) ${chance(held.main_probability[rows[0]])}`;
    const codes = new Set(rows.map((row) => held.label[row]));
    const synonyms = rowsOf(held.same, item).filter((row) => held.same.synonyms?.[row] >= 5000 && codes.has(held.same.label[row]) && codes.has(held.same.other_label[row]));
    const both = (row) => `${labelName(data, held.same.label[row])} and ${labelName(data, held.same.other_label[row])} (${chance(held.same.synonyms[row])})`;
    const note = synonyms.length ? make("p", { class: "below" }, "Synonyms: ", named(synonyms.map(both).join(", "))) : null;
    return make("li", { class: "group" }, make("strong", {}, `Object ${at + 1}`), make("p", { class: "below" }, facts), make("ul", {}, ...names), note);
  });
  return [make("h4", {}, named(`Objects${who}`)), make("ol", { class: "groups" }, ...items)];
}

function objects(data, run, item) {
  const { objects: held } = run;
  const who = data.runs.length > 1 ? `, ${run.name}` : "";
  const parts = [];
  if (rowsOf(held.counts, item).length) parts.push(numberOf(held.counts, item, `P(number of objects)${who}`));
  const marks = held.same?.synonyms;
  const same = rowsOf(held.same, item).map((row) => {
    const { label: a, other_label: b, probability: p } = held.same;
    const link = (label) => make("td", {}, toClass(data, label));
    return [toClass(data, a[row]), link(b[row]), estimate(p[row], -1, -1), ...(marks ? [make("td", { class: "number" }, chance(marks[row]))] : [])];
  });
  if (same.length) parts.push(table(`Two names of one object${who}`, ["Label", "Other label", "P(one object)", ...(marks ? ["P(synonyms)"] : [])], same));
  if (held.ambiguity) {
    const { structure, naming, salience } = held.ambiguity;
    const nats = (values) => make("td", { class: "number" }, values[item] < 0 ? NOTHING : (values[item] / 10000).toFixed(3));
    const rows = [["which objects", nats(structure)], ["which name", nats(naming)], ["which is the main one", nats(salience)]];
    parts.push(table(`What is ambiguous${who}`, ["About", "Nats"], rows));
  }
  return parts;
}

// The distribution of the number of objects: a row for each rule of what counts as one.
function numberOf(counts, item, caption) {
  const { threshold, objects: number, probability: p } = counts;
  const all = rowsOf(counts, item);
  const numbers = [...new Set(all.map((row) => number[row]))].sort((a, b) => a - b);
  const rows = [...Map.groupBy(all, (row) => threshold[row])].map(([rule, own]) => [
    rule < 0 ? "by the rule" : `named by more than ${chance(rule)}`,
    ...numbers.map((each) => {
      const likely = p[own.find((row) => number[row] === each)] ?? 0;
      return make("td", { class: "number of" }, chance(likely), filled(likely));
    }),
  ]);
  return table(caption, ["Objects", ...numbers.map(String)], rows);
}

// What was said of an item: by label, how often; and by whom.
function answers(data, item) {
  const given = data.answers;
  const rows = rowsOf(given, item);
  if (!given.start) return [make("p", { class: "below" }, "The run does not keep the answers; name the responses when the report is written.")];
  if (!rows.length) return [make("p", { class: "below" }, "Nobody answered.")];
  return [byLabel(data, rows), byAnnotator(data, rows)];
}

function saidOf(data, row) {
  return data.answers.answer ? ["no", "maybe", "yes"][data.answers.answer[row]] ?? NOTHING : "";
}

function byLabel(data, rows) {
  const given = data.answers;
  const times = (some) => some.reduce((sum, row) => sum + (given.n?.[row] ?? 1), 0);
  const said = Map.groupBy(rows, (row) => `${given.label[row]} ${saidOf(data, row)}`);
  const counted = [...said.values()].map((own) => ({
    label: given.label[own[0]],
    word: saidOf(data, own[0]),
    n: times(own),
    main: times(own.filter((row) => given.main?.[row])),
  }));
  const order = counted.sort((a, b) => (given.answer ? a.label - b.label : 0) || b.n - a.n || a.label - b.label);
  const number = (value) => make("td", { class: "number" }, String(value));
  const titles = ["Label", ...(given.answer ? ["Answer"] : []), "Times", ...(given.main ? ["As main"] : [])];
  const body = order.map(({ label, word, n, main }) => [toClass(data, label), ...(given.answer ? [word] : []), number(n), ...(given.main ? [number(main)] : [])]);
  return table("Answers by label", titles, body);
}

// A row for each response; where answers do not say which belong together, each annotator.
function byAnnotator(data, rows) {
  const { response, who, n, main, label } = data.answers;
  const together = Map.groupBy(rows, (row) => (response ? response[row] : who[row] < 0 ? `row ${row}` : who[row]));
  const body = [...together.values()].map((own) => {
    const times = n && n[own[0]] > 1 ? ` × ${n[own[0]]}` : "";
    const name = who[own[0]] < 0 ? "anonymous" : data.people[who[own[0]]];
    const order = main ? [...own].sort((a, b) => main[b] - main[a]) : own;
    const labels = order.map((row) => {
      const more = [saidOf(data, row), main && main[row] && order.length > 1 ? "main" : ""].filter(Boolean).join(", ");
      return make("li", {}, named(labelName(data, label[row])), more ? ` (${more})` : "");
    });
    return [make("span", {}, named(name), times), make("td", {}, make("ul", { class: "said" }, ...labels))];
  });
  return table(response ? "Answers by response" : "Answers by annotator", ["By", "Answer"], body);
}

// Links to the items to which two labels of this one were both given.
function pairsOf(data, item) {
  const { label, n } = data.answers;
  const times = new Map();
  const given = givenOf(data, item);
  for (const row of rowsOf(data.answers, item)) times.set(label[row], (times.get(label[row]) ?? 0) + (n ? n[row] : 1));
  const labels = [...given].sort((a, b) => times.get(b) - times.get(a) || a - b);
  const pairs = labels.flatMap((a, at) => labels.slice(at + 1).map((b) => [a, b, at + labels.indexOf(b)]));
  if (!pairs.length) return [];
  const link = ([a, b]) => make("li", {}, toItems(`${data.labels[a]} and ${data.labels[b]}`, { pair: data.labels[a], with: data.labels[b] }));
  const shown = pairs.sort((a, b) => a[2] - b[2]).slice(0, MOST_LINKS).map(link);
  return [make("h4", {}, "Items to which both labels were given"), make("ul", { class: "listing" }, ...shown)];
}
