"use strict";
// A list of any length of which only the rows in sight exist.

const ROW = 52; // pixels: .row's height at the usual size of text
const BEYOND = 6; // rows kept above and below

class LongList {
  // frame: the element that scrolls; fillRow(element, entry); onChoose(entry).
  constructor(frame, fillRow, onChoose) {
    Object.assign(this, { frame, fillRow, onChoose, entries: [], at: -1 });
    this.inside = make("div");
    frame.replaceChildren(this.inside);
    frame.addEventListener("scroll", () => this.render(), { passive: true });
    frame.addEventListener("keydown", (event) => this.onKey(event));
    frame.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.render()).observe(frame);
  }

  get height() {
    // Follows the size of text, of which ROW is the usual case.
    return (ROW * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
  }

  show(entries, keep) {
    this.entries = entries;
    this.inside.style.height = `${entries.length * this.height}px`;
    this.frame.scrollTop = 0;
    const kept = keep === undefined ? -1 : entries.indexOf(keep);
    this.choose(entries.length ? Math.max(kept, 0) : -1);
  }

  choose(at) {
    this.at = at;
    if (at >= 0) this.intoSight(at);
    this.render();
    this.onChoose(at < 0 ? -1 : this.entries[at]);
  }

  intoSight(at) {
    const top = at * this.height;
    const bottom = top + this.height;
    const { scrollTop, clientHeight } = this.frame;
    if (top < scrollTop) this.frame.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.frame.scrollTop = bottom - clientHeight;
  }

  render() {
    const { frame, entries, height } = this;
    const first = Math.max(0, Math.floor(frame.scrollTop / height) - BEYOND);
    const last = Math.min(entries.length, Math.ceil((frame.scrollTop + frame.clientHeight) / height) + BEYOND);
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(at));
    this.inside.replaceChildren(...rows);
    if (this.at >= first && this.at < last) frame.setAttribute("aria-activedescendant", `option-${this.at}`);
    else frame.removeAttribute("aria-activedescendant");
  }

  row(at) {
    const row = make("div", {
      role: "option",
      class: "row",
      id: `option-${at}`,
      "data-at": at,
      "aria-selected": at === this.at,
      "aria-posinset": at + 1,
      "aria-setsize": this.entries.length,
    });
    row.style.top = `${at * this.height}px`;
    this.fillRow(row, this.entries[at]);
    return row;
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.frame.clientHeight / this.height) - 1);
    const last = this.entries.length - 1;
    const to = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: this.at + page,
      PageUp: this.at - page,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.choose(Math.min(Math.max(to, 0), last));
  }
}
