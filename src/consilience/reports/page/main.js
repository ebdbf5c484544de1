"use strict";
// The start: what can be seen at once stands already; the rest follows.

const THEMES = { "": "as the system", light: "light", dark: "dark" };

function startTheme() {
  const button = document.getElementById("theme");
  const names = Object.keys(THEMES);
  let at = 0;
  button.hidden = false;
  button.addEventListener("click", () => {
    at = (at + 1) % names.length;
    document.documentElement.dataset.theme = names[at];
    button.textContent = `Theme: ${THEMES[names[at]]}`;
  });
}

async function startRuns() {
  const data = prepared(await unpack("columns-packed"));
  const { showCell, follow } = startItems(data);
  startConfusion(data, showCell);
  startHeat(data);
  follow();
}

async function start() {
  startTheme();
  for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
  startFigures();
  if (document.getElementById("columns-packed").textContent) await startRuns();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}

// The page is painted first: unpacking must not stand in its way.
requestAnimationFrame(() => setTimeout(start));
