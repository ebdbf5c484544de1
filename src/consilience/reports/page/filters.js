"use strict";
// Which items are shown: what a reader asks for, and whether an item has it.

const NO_FILTER = Object.freeze({ q: "", class: -1, as: "", objects: -1, pair: -1, with: -1, nats: 0, differs: false, disagree: false, tied: false, runs: false, cell: null });

function found(data, state) {
  const wanted = state.q.trim().toLowerCase();
  const items = [];
  for (let item = 0; item < data.items.length; item++) {
    if (wanted && !matches(data, item, wanted)) continue;
    if (kept(data, item, state)) items.push(item);
  }
  return items.sort(SORTS[state.sort][1](data));
}

function kept(data, item, state) {
  const { entropy, number } = data.runs[0];
  if (state.class >= 0 && !isOf(data, item, state.class, state.as)) return false;
  if (state.objects >= 0 && number[item] !== state.objects) return false;
  if (state.nats > 0 && entropy[item] < state.nats * 10000) return false;
  if (state.pair >= 0 && !givenOf(data, item).has(state.pair)) return false;
  if (state.with >= 0 && !givenOf(data, item).has(state.with)) return false;
  if (state.differs && !isOther(data, item)) return false;
  if (state.disagree && !disagree(data, item)) return false;
  if (state.tied && !data.runs.some((run) => run.ties.has(item))) return false;
  if (state.runs && !differ(data, item)) return false;
  return !state.cell || inCell(data, item, state.cell);
}

function matches(data, item, wanted) {
  if (data.search[item].includes(wanted)) return true;
  return data.runs.some((run) => run.best[item] >= 0 && data.lowLabels[run.best[item]].includes(wanted));
}

// Whether a label is an item's best label, or the data set's; by default either.
function isOf(data, item, label, as) {
  const best = as !== "dataset" && data.runs.some((run) => run.best[item] === label);
  return best || (as !== "best" && data.own[item] === label);
}

// Whether the best label is not the data set's.
function isOther(data, item) {
  return data.own[item] >= 0 && data.own[item] !== data.runs[0].best[item];
}

// An item's class: the data set's label where there is one, else the best label.
function classOf(data, item) {
  return data.own[item] >= 0 ? data.own[item] : data.runs[0].best[item];
}

// The labels that somebody gave an item; of contains, those said to be there.
function givenOf(data, item) {
  if (!data.given) data.given = [];
  if (!data.given[item]) {
    const { label, answer } = data.answers;
    const rows = rowsOf(data.answers, item).filter((row) => !answer || answer[row] === 2);
    data.given[item] = new Set(rows.map((row) => label[row]));
  }
  return data.given[item];
}

// Whether annotators gave different labels: main labels where they say which is main; of
// contains, whether one label has different answers.
function disagree(data, item) {
  const { label, answer, main } = data.answers;
  const rows = rowsOf(data.answers, item);
  if (answer) return rows.some((row) => rows.some((other) => label[row] === label[other] && answer[row] !== answer[other]));
  const telling = main ? rows.filter((row) => main[row]) : rows;
  return new Set(telling.map((row) => label[row])).size > 1;
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

// The filter in words; empty where all items are shown.
function inWords(data, state) {
  const name = (code) => labelName(data, code);
  const as = { best: "best label", dataset: "label of the data set" }[state.as] ?? "class";
  return [
    state.cell && `truth probably ${state.cell.truth}, and ${data.people[state.cell.who] ?? "somebody"} said ${state.cell.given}`,
    state.class >= 0 && `${as} ${name(state.class)}`,
    state.objects >= 0 && `${state.objects} object${state.objects === 1 ? "" : "s"}`,
    state.pair >= 0 && state.with >= 0 && `${name(state.pair)} and ${name(state.with)} both given`,
    state.pair >= 0 !== state.with >= 0 && `${name(Math.max(state.pair, state.with))} given`,
    state.nats > 0 && `at least ${state.nats} nats`,
    state.differs && "best label is not the data set's",
    state.disagree && "annotators disagree",
    state.tied && "tied",
    state.runs && "runs differ",
  ].filter(Boolean).join("; ");
}
