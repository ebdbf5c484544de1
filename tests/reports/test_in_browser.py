"""The page as a person meets it, in a real browser without a window."""

import io
import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from consilience.reports import write

CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text(encoding="utf-8")
NEEDED = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of any size


def choose(page, select, value):
    """Choose an option as a person would."""
    page.run(
        f"(() => {{ const select = document.getElementById('{select}');"
        f" select.value = '{value}'; select.dispatchEvent(new Event('change')); }})()"
    )


def list_of_people(page):
    return page.run(
        "[...document.getElementById('confusion-who').options].map((o) => o.value)"
    )


def texts(page, selector):
    """Return the texts of elements."""
    result = f"[...document.querySelectorAll('{selector}')]"
    return page.run(f"{result}.map((each) => each.textContent)")


def events(page, method):
    return [event["params"] for event in page.events if event["method"] == method]


@pytest.mark.parametrize("name", ["report", "beside", "contains", "objects", "many"])
def test_the_page_asks_for_nothing_and_nothing_goes_wrong(show, name):
    page = show(name)
    asked = [
        each["request"]["url"] for each in events(page, "Network.requestWillBeSent")
    ]
    assert [url.split(":")[0] for url in asked] == ["file"]
    assert events(page, "Log.entryAdded") == []
    assert events(page, "Runtime.exceptionThrown") == []


def test_the_policy_stops_a_request_and_a_script_that_were_smuggled_in(show):
    page = show("report")
    stopped = page.run(
        """new Promise((resolve) => {
          const kinds = [];
          document.addEventListener('securitypolicyviolation', (event) => {
            kinds.push(event.effectiveDirective);
            if (kinds.length === 3) resolve(kinds.sort());
          });
          fetch('https://example.org/').catch(() => 0);
          const script = document.createElement('script');
          script.textContent = 'window.hit = true';
          document.body.append(script);
          const picture = document.createElement('img');
          picture.src = 'https://example.org/picture';
          document.body.append(picture);
        })"""
    )
    assert stopped == ["connect-src", "img-src", "script-src-elem"]
    assert page.run("window.hit") is None


def test_hostile_labels_and_ids_are_shown_as_text(show, hostile):
    page = show("report")
    page.run("window.alert = () => { window.hit = true; }")
    shown = texts(page, "#confusion-tables tbody th")
    assert shown == list(hostile)
    assert page.run("document.querySelector('h1').textContent") == hostile[0]
    assert page.run("document.title") == hostile[0]
    detail = page.run("document.getElementById('items-detail').textContent")
    assert "<i>item</i>" in detail
    assert "<b>annotator" in detail
    assert page.run("document.querySelectorAll('main img, main i, main b').length") == 0
    assert page.run("window.hit") is None


def test_search_finds_markup_as_the_text_that_it_is(show, report):
    page = show("report")
    search = "document.getElementById('items-q')"
    page.run(f"{search}.focus()")
    page.press(*"</SCRIPT>")
    count = page.run("document.getElementById('items-count').textContent")
    best = report.runs[0].table("items")["label"].astype(str)
    assert count == f"{best.str.contains('</script>', regex=False).sum()} of 40 items"
    shown = "[...document.querySelectorAll('#items-list .row > bdi:nth-child(3)')]"
    seen = page.run(f"{shown}.map((e) => e.textContent)")
    assert seen
    assert all("</script>" in each for each in seen)


def test_items_are_sorted_by_ambiguity_unless_asked_otherwise(show, report):
    page = show("report")
    order = report.runs[0].table("items").sort_values("entropy", kind="stable")
    first = "document.querySelector('#items-list bdi').textContent"
    assert page.run(first) == order["item"].iloc[-1]
    choose(page, "items-sort", "given")
    page.run("document.getElementById('items-list').focus()")
    page.press("Home")
    assert page.run(first) == report.runs[0].table("items")["item"].iloc[0]


def test_an_item_shows_its_posterior_and_who_said_what(show, report):
    page = show("report")
    item = page.run("document.querySelector('#items-detail h3').textContent")
    cells = page.run(
        "[...document.querySelectorAll('#items-detail tbody')].map((body) =>"
        " [...body.rows].map((row) => [...row.cells].map((c) => c.textContent)))"
    )
    labels = report.runs[0].table("labels")
    own = labels[labels["item"] == item].sort_values("probability", ascending=False)
    posterior, by_label, by_annotator, *_ = cells
    assert posterior[0][0] == own["label"].iloc[0]
    assert float(posterior[0][1][:4]) == pytest.approx(
        own["probability"].iloc[0], abs=6e-4
    )
    given = report.runs[0].answers
    given = given[given["item"] == item]
    assert {label: int(times) for label, times in by_label} == dict(
        given["label"].astype(str).value_counts()
    )
    said = given[["annotator", "label"]].astype(str)
    assert by_annotator == said.to_numpy().tolist()


def test_the_list_is_walked_by_keyboard_and_left_for_the_item_and_back(show):
    page = show("many")
    active = "document.activeElement.id"
    chosen = (
        "document.getElementById('items-list').getAttribute('aria-activedescendant')"
    )
    title = "document.querySelector('#items-detail h3').textContent"
    page.run("document.getElementById('items-list').focus()")
    assert page.run(title) == "item 2999"
    page.press("ArrowDown", "ArrowDown")
    assert page.run(chosen) == "option-2"
    assert page.run(title) == "item 2997"
    page.press("End")
    assert page.run(chosen) == "option-2999"
    assert page.run(f"document.getElementById({chosen}).getAttribute('aria-selected')")
    assert page.run(title) == "item 0"
    page.press("Enter")
    assert page.run(active) == "items-detail"
    page.press("Escape")
    assert page.run(active) == "items-list"
    page.press("Home", "PageDown")
    assert int(page.run(chosen).split("-")[1]) > 5


def test_of_a_long_list_only_the_rows_in_sight_exist(show):
    page = show("many")
    rows = "document.querySelectorAll('#items-list [role=option]')"
    assert 5 < page.run(f"{rows}.length") < 60
    assert page.run(f"{rows}[0].getAttribute('aria-setsize')") == "3000"
    last = "document.getElementById('items-list').scrollTop = 1e7"
    page.run(last)
    page.wait("document.getElementById('option-2999') !== null")
    assert page.run(f"{rows}.length") < 60


def test_a_cell_of_the_confusion_tells_its_interval_and_finds_its_items(show, report):
    page = show("report")
    buttons = "[...document.querySelectorAll('#confusion-tables button')]"
    page.run(f"{buttons}.find((b) => b.tabIndex === 0).focus()")
    page.press("ArrowRight", "Enter")
    said = page.run("document.getElementById('confusion-cell').textContent")
    cells = report.runs[0].table("confusion")
    row = cells[cells["annotator"].isna()].iloc[1]
    assert row["true_label"] in said
    assert row["given_label"] in said
    assert "no interval is known" in said  # em states none
    page.run("document.querySelector('#confusion-cell button').click()")
    count = page.run("document.getElementById('items-count').textContent")
    best = report.runs[0].table("items").set_index("item")["label"]
    given = report.runs[0].answers
    such = given[
        (given["label"] == row["given_label"])
        & (given["item"].astype(str).map(best.to_dict()) == row["true_label"])
    ]
    assert count == f"{such['item'].nunique()} of 40 items"
    page.run("document.querySelector('#items-cell button').click()")
    count = page.run("document.getElementById('items-count').textContent")
    assert count == "40 of 40 items"


def test_each_annotators_confusion_is_there(show, report):
    page = show("report")
    choose(page, "confusion-who", str(list_of_people(page)[5]))
    shown = texts(page, "#confusion-tables button")
    name = page.run("document.getElementById('confusion-who').selectedOptions[0].text")
    cells = report.runs[0].table("confusion")
    own = cells[cells["annotator"] == name]["probability"]
    assert [float(each) for each in shown] == pytest.approx(list(own), abs=0.0051)


def test_of_many_labels_there_are_shades_and_the_answers_of_one_truth(show):
    page = show("many")
    shown = texts(page, "#confusion-answers tbody tr")
    assert shown == ["label 0.900.800 to .950", "label 1.100.050 to .200"]
    choose(page, "confusion-row", "24")
    assert texts(page, "#confusion-answers tbody th") == ["label 24", "label 0"]
    said = "document.getElementById('confusion-cell').textContent"
    stated = "everybody: truth label 24, answer label 24: .900 (90% interval .800 to"
    assert page.run(said).startswith(stated)
    page.run("document.querySelector('#confusion-tables canvas').focus()")
    page.press("ArrowLeft")
    assert "truth label 24, answer label 23: never" in page.run(said)


def test_a_cell_of_contains_finds_items_by_what_was_said_of_their_labels(
    show, contains
):
    page = show("contains")
    page.run(
        "[...document.querySelectorAll('#confusion-tables button')]"
        ".find((b) => b.ariaLabel.includes('truth present, answer no')).click()"
    )
    page.run("document.querySelector('#confusion-cell button').click()")
    count = page.run("document.getElementById('items-count').textContent")
    run = contains.runs[0]
    present = run.table("labels").astype({"item": str, "label": str})
    given = run.answers.astype({"item": str, "label": str})
    both = given.merge(present, on=["item", "label"])
    such = both[(both["probability"].round(4) >= 0.5) & (both["answer"] == "no")]
    assert such["item"].nunique() > 0
    assert count == f"{such['item'].nunique()} of 30 items"


def test_runs_stand_side_by_side(show, beside):
    page = show("beside")
    captions = texts(page, "#confusion-tables caption")
    assert [each.split(":")[0] for each in captions] == ["em", "votes"]
    heads = page.run(
        "[...document.querySelectorAll('#items-detail table')][0].tHead.textContent"
    )
    assert heads == "Labelemvotes"
    page.run("document.getElementById('items-runs').click()")
    count = page.run("document.getElementById('items-count').textContent")
    one, other = (run.table("items")["label"].astype(str) for run in beside.runs)
    assert count == f"{(one != other).sum()} of 40 items"


def test_a_picture_is_seen_though_nothing_may_be_loaded(show, report, tmp_path, files):
    kept = io.BytesIO()
    Image.new("RGB", (48, 32), "teal").save(kept, "JPEG")
    order = report.runs[0].table("items").sort_values("entropy", kind="stable")
    item = str(order["item"].iloc[-1])
    files["pictured"] = tmp_path / "pictured.html"
    write(replace(report, pictures={item: kept.getvalue()}), files["pictured"])
    page = show("pictured")
    picture = "document.querySelector('#items-detail img')"
    page.wait(f"{picture}.complete")
    assert page.run(f"{picture}.naturalWidth") == 48
    assert page.run(f"{picture}.alt") == f"picture of {item}"
    assert events(page, "Log.entryAdded") == []


def test_an_item_with_objects_shows_what_is_grouped_and_what_is_ambiguous(show):
    page = show("objects")
    page.run("document.getElementById('items-list').focus()")
    page.press("End")
    said = page.run("document.getElementById('items-detail').innerText")
    for words in (
        "two",
        "malamute",
        "Two names of one object",
        ".910",
        ".610",
        "\N{MULTIPLICATION SIGN} 2",
    ):
        assert words in said
    boxes = texts(page, "#items-detail .group")
    assert len(boxes) == 1
    assert "husky.700 of its names" in boxes[0]
    assert "malamute.300 of its names" in boxes[0]
    sorts = page.run(
        "[...document.getElementById('items-sort').options].map((o) => o.text)"
    )
    assert "most ambiguous: which name" in sorts


def test_a_table_is_sorted_by_the_button_in_its_head(show, report):
    page = show("report")
    table = "document.querySelector('#annotators table')"
    page.run(f"{table}.tHead.querySelectorAll('button')[2].click()")
    order = page.run(
        f"[...{table}.tBodies[0].rows].map((row) => row.cells[0].textContent)"
    )
    people = report.runs[0].table("annotators")
    best = people.sort_values("accuracy", ascending=False, kind="stable")
    assert order == list(best["annotator"])
    head = f"{table}.tHead.rows[0].cells[2].getAttribute('aria-sort')"
    assert page.run(head) == "descending"
    page.run(f"{table}.tHead.querySelectorAll('button')[2].click()")
    assert page.run(head) == "ascending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["beside", "objects"])
def test_all_text_stands_out_from_what_lies_behind_it(show, name, scheme):
    page = show(name, scheme=scheme)
    result = page.run(CONTRASTS)
    assert len(result) > 100
    assert [each for each in result if each[0] < NEEDED] == []


def test_the_same_check_finds_text_that_is_too_pale(show):
    page = show("beside")
    page.run("document.documentElement.style.setProperty('--muted', '#999')")
    assert any(each[0] < NEEDED for each in page.run(CONTRASTS))


def test_every_shade_of_the_confusion_bears_its_number(show):
    for scheme in ("light", "dark"):
        page = show("report", scheme=scheme)
        page.run(
            "[...document.querySelectorAll('#confusion-tables button')].slice(0, 10)"
            ".forEach((button, at) => { button.className = `heat${at}`; })"
        )
        results = [each for each in page.run(CONTRASTS) if each[1] == "BUTTON"]
        assert len(results) >= 16
        assert min(each[0] for each in results) >= NEEDED


def test_light_and_dark_follow_the_system_until_the_button_says_otherwise(show):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = show("report").run(ground)
    page = show("report", scheme="dark")
    assert page.run(ground) != light
    page.run("document.getElementById('theme').click()")
    assert page.run("document.getElementById('theme').textContent") == "Theme: light"
    assert page.run(ground) == light


def test_a_screen_reader_finds_landmarks_names_and_heads(show):
    page = show("beside")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    nodes = [node for node in nodes if not node.get("ignored")]

    def named(role):
        return [
            node.get("name", {}).get("value", "").strip()
            for node in nodes
            if node["role"]["value"] == role
        ]

    for landmark in ("banner", "navigation", "main", "search"):
        assert len(named(landmark)) == 1, landmark
    assert len(named("region")) >= 8
    for role in ("button", "combobox", "searchbox", "listbox", "region", "table"):
        assert named(role), role
        assert all(named(role)), role
    assert all(named("image"))
    levels = page.run(
        "[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    bare = page.run(
        "[...document.querySelectorAll('table')].filter((t) => !t.caption ||"
        " [...t.querySelectorAll('th')].some((th) => !th.scope)).length"
    )
    assert bare == 0
    assert page.run("document.documentElement.lang") == "en"


def test_tab_reaches_the_content_first_and_never_leaves_the_page_stuck(show):
    page = show("report")
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Skip to the content"
    page.press("Enter")
    page.wait("document.activeElement.id === 'main'")
    page.run("document.getElementById('pairs-shown').focus()")
    for _ in range(8):
        page.press("Tab")
    assert page.run("document.activeElement.closest('section').id") != "items"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", ["beside", "objects"])
def test_no_width_makes_the_page_scroll_sideways(show, name, width):
    page = show(name, width=width)
    assert page.run("document.documentElement.scrollWidth") <= width


def test_paper_shows_the_most_ambiguous_items_and_no_controls(show):
    page = show("report")
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        table = "document.querySelector('#items table')"
        assert page.run(f"{table}.checkVisibility()")
        assert page.run(f"{table}.tBodies[0].rows.length") == 40
        for hidden in ("nav", "#items-app", "#theme", "#confusion-who"):
            seen = page.run(f"document.querySelector('{hidden}').checkVisibility()")
            assert not seen, hidden
        assert page.run("document.querySelector('#confusion table').checkVisibility()")
    finally:
        page.send("Emulation.setEmulatedMedia", media="")
    assert not page.run(f"{table}.checkVisibility()")
