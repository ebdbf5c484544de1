"""Tasks for Mechanical Turk: `input.csv` for a batch, and the question `question.html`.

The site puts the cells of a row into the page as they are. So a cell holds no markup:
what is in it is escaped for HTML. The page makes its buttons from the record of the
task and returns the places of those that were chosen.
"""

import csv
import html
from pathlib import Path

import msgspec

from consilience.tasks.task import MAIN_QUESTION, Survey

INPUT, QUESTION = "input.csv", "question.html"
HOW = f"""Mechanical Turk
1. Create a project from any template. In Design Layout > Source replace all by
   {QUESTION}.
2. Publish a batch with {INPUT}.
3. Download the results. The file is read as it is (format mturk).
"""

_PAGE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <p><img src="${image_url}" alt="" style="max-width: 100%; max-height: 60vh"></p>
  <div id="task" data-task="${task}"></div>
  <p id="missing" role="alert" hidden>Please answer every question.</p>
  <input type="hidden" name="chosen" id="chosen">
  <input type="hidden" name="main" id="main">
</crowd-form>
<script>
(function () {
  const place = document.getElementById("task");
  const task = JSON.parse(place.dataset.task);
  const questions = QUESTIONS;
  const none = task.labels.indexOf("none of these");

  function ask(field, text, type) {
    const set = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = text;
    set.append(legend);
    task.names.forEach(function (name, number) {
      const label = document.createElement("label");
      const button = document.createElement("input");
      button.type = type;
      button.value = number;
      // Its name groups radio buttons; without a form of its own it is not submitted.
      button.setAttribute("form", "no-form");
      if (type === "radio") { button.name = "button-" + field; }
      button.addEventListener("change", function () {
        const on = set.querySelectorAll("input:checked");
        if (type === "checkbox" && button.checked && none >= 0) {
          on.forEach(function (other) {
            const alone = Number(button.value) === none || Number(other.value) === none;
            if (other !== button && alone) { other.checked = false; }
          });
        }
        const left = Array.from(set.querySelectorAll("input:checked"));
        document.getElementById(field).value =
          left.map(function (each) { return each.value; }).join(",");
      });
      label.style.display = "block";
      label.append(button, " ", name);
      set.append(label);
    });
    place.append(set);
  }

  questions.forEach(function (each) { ask(each.field, each.text, each.type); });
  document.querySelector("crowd-form").onsubmit = function (event) {
    const open = questions.some(function (each) {
      return document.getElementById(each.field).value === "";
    });
    document.getElementById("missing").hidden = !open;
    if (open) { event.preventDefault(); }
  };
})();
</script>
"""


def write_mturk(survey: Survey, folder: Path) -> None:
    """Write the input of a batch and the page."""
    with (folder / INPUT).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(["image_url", "task"])
        for task in survey.tasks:
            record = msgspec.json.encode(task.shown).decode()
            rows.writerow([_escaped(task.image), _escaped(record)])
    several = "radio" if survey.kind == "choice" else "checkbox"
    questions = [{"field": "chosen", "text": survey.question, "type": several}]
    if survey.kind == "objects":
        questions.append({"field": "main", "text": MAIN_QUESTION, "type": "radio"})
    (folder / QUESTION).write_text(
        _PAGE.replace("QUESTIONS", _in_script(questions)), "utf-8"
    )


def _escaped(text: str) -> str:
    """Return text without markup, variables of the site, or characters it refuses."""
    plain = html.escape(text).replace("$", "&#36;")
    return plain.encode("ascii", "xmlcharrefreplace").decode()


def _in_script(value: object) -> str:
    """Return JSON that can neither end a script nor be a variable of the site."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&$":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
