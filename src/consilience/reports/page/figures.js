"use strict";
// Figures: what a mark says where the reader points at it or moves to it by arrows, one
// model shown in all figures, and a slider between the frames of a figure.

const MARKS = "[role='graphics-symbol']:is([aria-roledescription='point'],[aria-roledescription='bar'],[aria-roledescription='rect mark'],[aria-roledescription='line mark'],[aria-roledescription='square'])";

function startFigures() {
  for (const drawing of document.querySelectorAll(".drawing")) {
    const out = drawing.querySelector(".read-out");
    for (const chart of drawing.querySelectorAll(".chart")) startChart(chart, out);
    const slider = drawing.querySelector(".slider input");
    if (slider) startSlider(drawing, slider);
  }
  startModels();
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll(".drawing details")) each.open = true;
  });
}

function startChart(chart, out) {
  const marks = [...chart.querySelectorAll(MARKS)];
  if (!marks.length) return;
  let at = -1;
  const tip = make("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  chart.append(tip);
  const choose = (mark) => {
    for (const each of chart.querySelectorAll(".chosen")) each.classList.remove("chosen");
    out.textContent = mark ? mark.getAttribute("aria-label") : "";
    tip.hidden = !mark;
    if (!mark) return;
    mark.classList.add("chosen");
    at = marks.indexOf(mark);
    tip.textContent = out.textContent;
    const box = chart.getBoundingClientRect();
    const { left, top, width } = mark.getBoundingClientRect();
    const room = chart.scrollLeft + box.width - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(room, chart.scrollLeft + left - box.left + width / 2 + 8))}px`;
    tip.style.top = `${top - box.top + 14}px`;
  };
  chart.addEventListener("pointerover", (event) => {
    const mark = event.target.closest(MARKS);
    if (mark) choose(mark);
  });
  chart.addEventListener("pointerleave", () => choose(null));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = { Home: 0, End: marks.length - 1 }[event.key] ?? (step && (at < 0 ? 0 : at + step));
    if (event.key === "Escape") choose(null);
    if (to === undefined || !marks[to]) return;
    event.preventDefault();
    choose(marks[to]);
  });
}

function startSlider(drawing, slider) {
  const frames = [...drawing.querySelectorAll(".frame")];
  const order = frames.map((frame) => frame.dataset.caption).sort((a, b) => a - b);
  slider.max = order.length - 1;
  const update = () => {
    const caption = order[slider.value];
    for (const frame of frames) frame.hidden = frame.dataset.caption !== caption;
    drawing.querySelector(".slider output").textContent = caption;
    slider.setAttribute("aria-valuetext", caption);
  };
  slider.value = order.indexOf(frames[0].dataset.caption);
  slider.addEventListener("input", update);
  update();
}

function startModels() {
  const buttons = [...document.querySelectorAll(".models button")];
  const marks = [...document.querySelectorAll(`.drawing ${MARKS}`)];
  const names = buttons.map((button) => `${button.textContent.trim()}: `);
  const ofModels = marks.filter((mark) => names.some((name) => mark.getAttribute("aria-label").startsWith(name)));
  for (const [at, button] of buttons.entries()) {
    button.addEventListener("click", () => {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      for (const each of buttons) each.setAttribute("aria-pressed", String(pressed && each === button));
      for (const mark of ofModels) {
        mark.classList.toggle("faint", pressed && !mark.getAttribute("aria-label").startsWith(names[at]));
      }
    });
  }
}
