"""The page for Mechanical Turk, as a person meets it."""

import csv
import html
import json

import pandas as pd
import pytest

import consilience as cs

LABELS = ["</script><b>x</b>", 'say "cat"', "${task}", "&amp; 'y'"]


@pytest.fixture
def page(browser_page, tmp_path):
    """Open the page of a task, with the row put in as the site does it."""

    def opened(kind):
        frame = pd.DataFrame({"item": "a", "label": LABELS})
        folder = cs.images.write_tasks(
            frame, tmp_path / kind, tool="mturk", kind=kind, image_prefix="/"
        )
        with (folder / "input.csv").open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        text = (folder / "question.html").read_text("utf-8")
        for name, cell in row.items():
            text = text.replace(f"${{{name}}}", cell)
        # Without the site's own script, which is not at hand here.
        text = text.partition("</script>\n")[2]
        ready = "<script>document.documentElement.dataset.ready = 'yes'</script>"
        shown = folder / "page.html"
        shown.write_text(text + ready, "utf-8")
        browser_page.open(shown)
        return browser_page, json.loads(html.unescape(row["task"]))

    return opened


def click(page, question, place):
    page.run(
        f"document.querySelectorAll('fieldset')[{question}]"
        f".querySelectorAll('input')[{place}].click()"
    )


def value(page, field):
    return page.run(f"document.getElementById('{field}').value")


def submitted(page):
    """Say whether the form lets a person go."""
    return page.run(
        "(() => { const event = new Event('submit', {cancelable: true});"
        " document.querySelector('crowd-form').onsubmit(event);"
        " return !event.defaultPrevented; })()"
    )


def test_names_are_text_and_one_choice_is_returned_by_its_place(page):
    shown, task = page("choice")
    texts = shown.run(
        "[...document.querySelectorAll('fieldset label')].map((each) =>"
        " each.textContent.trim())"
    )
    assert texts == task["names"]
    assert sorted(texts[:-1]) == sorted(LABELS)
    assert shown.run("document.querySelectorAll('fieldset b').length") == 0
    assert not submitted(shown)
    click(shown, 0, 1)
    click(shown, 0, 2)
    assert value(shown, "chosen") == "2"
    assert submitted(shown)


def test_none_of_these_stands_alone(page):
    shown, task = page("contains")
    none = task["labels"].index("none of these")
    click(shown, 0, 0)
    click(shown, 0, 2)
    assert value(shown, "chosen") == "0,2"
    click(shown, 0, none)
    assert value(shown, "chosen") == str(none)
    click(shown, 0, 1)
    assert value(shown, "chosen") == "1"


def test_objects_have_a_main_one(page):
    shown, _ = page("objects")
    click(shown, 0, 3)
    assert not submitted(shown)
    click(shown, 1, 3)
    assert (value(shown, "chosen"), value(shown, "main")) == ("3", "3")
    assert submitted(shown)
