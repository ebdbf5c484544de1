"use strict";
// A list or gallery of any length of which only what is in sight exists.

const ROW = 52; // pixels: .row's height at the usual size of text
const CELL = { width: 150, height: 184 }; // the least width, and the height, of .cell
const BEYOND = 6; // rows kept above and below a list
const BEYOND_CELLS = 1;

class LongList {
  // frame: the element that scrolls; fillRow(element, entry); onChoose(entry).
  constructor(frame, fillRow, onChoose) {
    Object.assign(this, { frame, fillRow, onChoose, entries: [], at: -1, gallery: false, rows: new Map() });
    this.inside = make("div", { role: "presentation" });
    frame.replaceChildren(this.inside);
    frame.addEventListener("scroll", () => this.render(), { passive: true });
    frame.addEventListener("keydown", (event) => this.onKey(event));
    frame.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.arrange()).observe(frame);
  }

  // Follows the size of text, of which ROW and CELL are the usual case.
  get scale() {
    return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  }

  get height() {
    return (this.gallery ? CELL.height : ROW) * this.scale;
  }

  show(entries, keep) {
    this.entries = entries;
    const kept = keep === undefined ? -1 : entries.indexOf(keep);
    this.at = entries.length ? Math.max(kept, 0) : -1;
    this.frame.scrollTop = 0;
    this.arrange(true);
    this.choose(this.at);
  }

  // Show what stands in the list as a gallery, or back.
  as(gallery) {
    if (gallery === this.gallery) return;
    this.gallery = gallery;
    this.arrange(true);
    if (this.at >= 0) this.intoSight(this.at);
    this.render();
  }

  arrange(anew = false) {
    const columns = this.gallery ? Math.max(1, Math.floor(this.frame.clientWidth / (CELL.width * this.scale))) : 1;
    const turned = columns !== this.columns;
    this.columns = columns;
    this.inside.style.height = `${Math.ceil(this.entries.length / columns) * this.height}px`;
    if (anew || turned) this.rows.clear();
    if (turned && this.at >= 0) this.intoSight(this.at);
    this.render();
  }

  choose(at) {
    this.at = at;
    if (at >= 0) this.intoSight(at);
    this.render();
    this.onChoose(at < 0 ? -1 : this.entries[at]);
  }

  intoSight(at) {
    const top = Math.floor(at / this.columns) * this.height;
    const bottom = top + this.height;
    const { scrollTop, clientHeight } = this.frame;
    if (top < scrollTop) this.frame.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.frame.scrollTop = bottom - clientHeight;
  }

  // Rows that stay in sight stay as they are, so that no picture is decoded again.
  render() {
    const { frame, entries, height, columns, rows } = this;
    const beyond = this.gallery ? BEYOND_CELLS : BEYOND;
    const first = Math.max(0, Math.floor(frame.scrollTop / height) - beyond) * columns;
    const last = Math.min(entries.length, (Math.ceil((frame.scrollTop + frame.clientHeight) / height) + beyond) * columns);
    for (const at of rows.keys()) if (at < first || at >= last) rows.delete(at);
    for (let at = first; at < last; at++) {
      if (!rows.has(at)) rows.set(at, this.row(at));
      rows.get(at).setAttribute("aria-selected", at === this.at);
    }
    const order = [...rows.keys()].sort((a, b) => a - b).map((at) => rows.get(at));
    if (order.length !== this.inside.childElementCount || order.some((row) => row.parentNode !== this.inside)) this.inside.replaceChildren(...order);
    if (this.at >= first && this.at < last) frame.setAttribute("aria-activedescendant", `option-${this.at}`);
    else frame.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const row = make("div", {
      role: "option",
      class: this.gallery ? "cell" : "row",
      id: `option-${at}`,
      "data-at": at,
      "aria-posinset": at + 1,
      "aria-setsize": this.entries.length,
    });
    row.style.top = `${Math.floor(at / this.columns) * this.height}px`;
    if (this.gallery) {
      row.style.left = `${(100 * (at % this.columns)) / this.columns}%`;
      row.style.width = `${100 / this.columns}%`;
    }
    this.fillRow(row, this.entries[at]);
    return row;
  }

  onKey(event) {
    const { at, columns } = this;
    const page = Math.max(1, Math.floor(this.frame.clientHeight / this.height) - 1) * columns;
    const last = this.entries.length - 1;
    const to = {
      ArrowDown: at + columns,
      ArrowUp: at - columns,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: last,
      ...(this.gallery && { ArrowRight: at + 1, ArrowLeft: at - 1 }),
    }[event.key];
    if (to === undefined || last < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const stays = event.key === "ArrowUp" && to < 0;
    if (!stays) this.choose(Math.min(Math.max(to, 0), last));
  }
}
