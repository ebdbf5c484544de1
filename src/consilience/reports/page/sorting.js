"use strict";
// Tables that stand in the page are sorted by a button in the head of each column.

function makeSortable(table) {
  for (const [at, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = make("button", { type: "button" }, ...head.childNodes);
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sortBy(table, at));
  }
}

function sortBy(table, at) {
  const heads = [...table.tHead.rows[0].cells];
  const numeric = heads[at].classList.contains("number");
  const before = heads[at].getAttribute("aria-sort");
  // Numbers begin with the largest, names with the first.
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const order = before === first ? second : first;
  const key = (row) => {
    const cell = row.cells[at];
    return numeric ? Number(cell.dataset.order.replace("inf", "Infinity")) : cell.textContent;
  };
  const sign = order === "ascending" ? 1 : -1;
  const compare = numeric
    ? (a, b) => Math.sign(a.key - b.key) || 0
    : (a, b) => a.key.localeCompare(b.key, "en", { numeric: true });
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: key(row) }));
  rows.sort((a, b) => sign * compare(a, b));
  table.tBodies[0].append(...rows.map(({ row }) => row));
  for (const head of heads) head.setAttribute("aria-sort", "none");
  heads[at].setAttribute("aria-sort", order);
}
