"use strict";
// One item: its posterior, run beside run, its objects, and what each annotator said.

function detail(data, thumbnails, item) {
  const picture = thumbnails[data.items[item]];
  const parts = [make("h3", {}, named(data.items[item]))];
  if (picture) parts.push(make("img", { src: `data:image/jpeg;base64,${picture}`, alt: `picture of ${data.items[item]}` }));
  parts.push(facts(data, item), posterior(data, item));
  for (const run of data.runs) if (run.objects) parts.push(...objects(data, run, item));
  parts.push(answers(data, item));
  return parts;
}

function facts(data, item) {
  const pairs = [];
  for (const run of data.runs) {
    const [who, best, entropy] = data.runs.length > 1 ? [`${run.name}: `, "best label", "entropy"] : ["", "Best label", "Entropy"];
    const tie = run.ties.has(item) ? " (tied)" : "";
    pairs.push([who + best, labelName(data, run.best[item]) + tie]);
    pairs.push([who + entropy, run.entropy[item] < 0 ? NOTHING : `${(run.entropy[item] / 10000).toFixed(3)} nats`]);
  }
  if (data.own.length && data.own[item] >= 0) pairs.push(["Label of the data set", labelName(data, data.own[item])]);
  pairs.push(["Answers", String(data.runs[0].asked[item])]);
  const cell = ([name, what]) => make("div", {}, make("dt", {}, named(name)), make("dd", {}, named(what)));
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
    labelName(data, label),
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
  return make("div", {}, made, ...(note ? [note] : []));
}

function objects(data, run, item) {
  const { objects: held } = run;
  const who = data.runs.length > 1 ? `, ${run.name}` : "";
  // Models number objects from where they like; here the first is 1.
  const order = [...new Set(rowsOf(held, item).map((row) => held.object[row]))];
  const rows = rowsOf(held, item).map((row) => [
    `object ${order.indexOf(held.object[row]) + 1}`,
    make("td", {}, named(labelName(data, held.label[row]))),
    make("td", { class: "number" }, chance(held.share[row])),
    make("td", { class: "number" }, chance(held.p[row])),
    make("td", { class: "number" }, chance(held.main[row])),
  ]);
  const titles = ["Object", "Label", "Share of its names", "P(it is there)", "P(it is the main one)"];
  const parts = [table(`Objects${who}`, titles, rows)];
  const counts = rowsOf(held.counts, item).map((row) => {
    const { tau, objects: number, p } = held.counts;
    const at = tau[row] < 0 ? "by the rule" : `named by more than ${chance(tau[row])}`;
    return [`${number[row]} (${at})`, estimate(p[row], -1, -1)];
  });
  if (counts.length) parts.push(table(`How many objects${who}`, ["Objects", "P"], counts));
  const same = rowsOf(held.same, item).map((row) => {
    const { a, b, p } = held.same;
    const cell = (label) => make("td", {}, named(labelName(data, label)));
    return [named(labelName(data, a[row])), cell(b[row]), estimate(p[row], -1, -1)];
  });
  if (same.length) parts.push(table(`Two names of one object${who}`, ["Label", "Other label", "P"], same));
  if (held.ambiguity) {
    const { structure, naming, salience } = held.ambiguity;
    const nats = (values) => make("td", { class: "number" }, values[item] < 0 ? NOTHING : (values[item] / 10000).toFixed(3));
    const rows = [["which objects", nats(structure)], ["which name", nats(naming)], ["which is the main one", nats(salience)]];
    parts.push(table(`What is ambiguous${who}`, ["About", "Nats"], rows));
  }
  return parts;
}

// What was said of an item, by label: how often, and by whom.
function answers(data, item) {
  const given = data.answers;
  const rows = rowsOf(given, item);
  if (!given.start) return make("p", { class: "below" }, "The run does not keep the answers; name the responses when the report is written.");
  if (!rows.length) return make("p", { class: "below" }, "Nobody answered.");
  const said = new Map();
  for (const row of rows) {
    const word = given.answer ? ["no", "maybe", "yes"][given.answer[row]] ?? NOTHING : "";
    const key = `${given.label[row]} ${word}`;
    if (!said.has(key)) said.set(key, { label: given.label[row], word, n: 0, who: [], main: 0 });
    const one = said.get(key);
    const n = given.n ? given.n[row] : 1;
    const main = given.main && given.main[row];
    one.n += n;
    one.main += main ? n : 0;
    one.who.push((given.who[row] < 0 ? "anonymous" : data.people[given.who[row]]) + (n > 1 ? ` × ${n}` : "") + (main ? " (main)" : ""));
  }
  const order = [...said.values()].sort((a, b) => (given.answer ? a.label - b.label : 0) || b.n - a.n || a.label - b.label);
  const titles = ["Label", ...(given.answer ? ["Answer"] : []), "Times", ...(given.main ? ["As main"] : []), "By"];
  const body = order.map(({ label, word, n, who, main }) => [
    labelName(data, label),
    ...(given.answer ? [word] : []),
    make("td", { class: "number" }, String(n)),
    ...(given.main ? [make("td", { class: "number" }, String(main))] : []),
    make("td", { class: "who" }, named(who.join(", "))),
  ]);
  return table("Raw answers", titles, body);
}
