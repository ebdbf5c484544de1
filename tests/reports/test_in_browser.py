"""The page as a person meets it, in a real browser without a window."""

import io
import itertools
from dataclasses import replace

import pytest
from PIL import Image

from consilience.reports import write


@pytest.mark.parametrize("name", ["report", "beside", "contains", "objects", "many"])
def test_the_page_asks_for_nothing_and_nothing_goes_wrong(show, name):
    page = show(name)
    asked = page.events("Network.requestWillBeSent")
    assert [each["request"]["url"].split(":")[0] for each in asked] == ["file"]
    assert page.errors == []


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
    heads = page.every("#confusion-tables tbody th")
    names = [head.rpartition(" (")[0] for head in heads]  # without how many items
    assert names == list(hostile)
    assert page.of("h1") == page.run("document.title") == hostile[0]
    detail = page.of("#items-detail")
    assert "<i>item</i>" in detail
    assert "<b>annotator" in detail
    assert page.every("main img, main i, main b") == []
    assert page.run("window.hit") is None


def test_search_finds_markup_as_the_text_that_it_is(show, report):
    page = show("report")
    page.focus("#items-q")
    page.press(*"</SCRIPT>")
    best = report.runs[0].table("items")["label"].astype(str)
    number = best.str.contains("</script>", regex=False).sum()
    assert page.count == f"{number} of 40 items"
    seen = page.every("#items-list .row > bdi:nth-child(3)")
    assert seen
    assert all("</script>" in each for each in seen)


def test_items_are_sorted_by_ambiguity_unless_asked_otherwise(show, report):
    page = show("report")
    items = report.runs[0].table("items")
    order = items.sort_values("entropy", kind="stable")["item"]
    assert page.of("#items-list bdi") == order.iloc[-1]
    page.choose("#items-sort", "given")
    page.focus("#items-list")
    page.press("Home")
    assert page.of("#items-list bdi") == items["item"].iloc[0]


def test_an_item_shows_its_posterior_and_who_said_what(show, report):
    page = show("report")
    item = page.item
    cells = page.run(
        "[...document.querySelectorAll('#items-detail tbody')].map((body) =>"
        " [...body.rows].map((row) => [...row.cells].map((c) => c.textContent)))"
    )
    labels = report.runs[0].table("labels")
    own = labels[labels["item"] == item].sort_values("probability", ascending=False)
    posterior, by_label, by_annotator, *_ = cells
    assert posterior[0][0] == own["label"].iloc[0]
    probability = pytest.approx(own["probability"].iloc[0], abs=6e-4)
    assert float(posterior[0][1][:4]) == probability
    given = report.runs[0].answers
    given = given[given["item"] == item][["annotator", "label"]].astype(str)
    times = {label: int(times) for label, times in by_label}
    assert times == dict(given["label"].value_counts())
    assert by_annotator == given.to_numpy().tolist()


def test_the_list_is_walked_by_keyboard_and_left_for_the_item_and_back(show):
    page = show("many")

    def chosen():
        return page.of("#items-list", "getAttribute('aria-activedescendant')")

    page.focus("#items-list")
    assert page.item == "item 2999"
    page.press("ArrowDown", "ArrowDown")
    assert (chosen(), page.item) == ("option-2", "item 2997")
    page.press("End")
    assert (chosen(), page.item) == ("option-2999", "item 0")
    assert page.of("#option-2999", "getAttribute('aria-selected')")
    page.press("Enter")
    assert page.active == "items-detail"
    page.press("Escape")
    assert page.active == "items-list"
    page.press("Home", "PageDown")
    assert int(chosen().split("-")[1]) > 5


def test_of_a_long_list_only_the_rows_in_sight_exist(show):
    page = show("many")
    rows = "#items-list [role=option]"
    assert 5 < len(page.every(rows)) < 60
    assert page.of(rows, "getAttribute('aria-setsize')") == "3000"
    page.of("#items-list", "scrollTop = 1e7")
    page.wait("document.getElementById('option-2999') !== null")
    assert len(page.every(rows)) < 60


def test_a_cell_of_the_confusion_tells_its_interval_and_finds_its_items(show, report):
    page = show("report")
    page.focus("#confusion-tables button[tabindex='0']")
    page.press("ArrowRight", "Enter")
    said = page.of("#confusion-cell")
    cells = report.runs[0].table("confusion")
    row = cells[cells["annotator"].isna()].iloc[1]
    assert row["true_label"] in said
    assert row["given_label"] in said
    assert "no interval is known" in said  # em states none
    page.of("#confusion-cell button", "click()")
    best = report.runs[0].table("items").set_index("item")["label"]
    given = report.runs[0].answers
    such = given[
        (given["label"] == row["given_label"])
        & (given["item"].astype(str).map(best.to_dict()) == row["true_label"])
    ]
    assert page.count == f"{such['item'].nunique()} of 40 items"
    page.of("#items-cell button", "click()")
    assert page.count == "40 of 40 items"


def test_each_annotators_confusion_is_there(show, report):
    page = show("report")
    name = page.every("#confusion-who option", "text")[5]
    page.choose("#confusion-who", name)
    cells = report.runs[0].table("confusion")
    own = cells[cells["annotator"] == name]["probability"]
    shown = [float(each) for each in page.every("#confusion-tables button")]
    assert shown == pytest.approx(list(own), abs=0.0051)


def test_of_many_labels_there_are_shades_and_the_answers_of_one_truth(show):
    page = show("many")
    shown = page.every("#confusion-answers tbody tr")
    assert shown == ["label 0.900.800 to .950", "label 1.100.050 to .200"]
    assert page.of("#confusion-answers caption").endswith("label 0 (0)")
    page.choose("#confusion-row", "24")
    assert page.every("#confusion-answers tbody th") == ["label 24", "label 0"]
    stated = "everybody: truth label 24, answer label 24: .900 (90% interval .800 to"
    assert page.of("#confusion-cell").startswith(stated)
    page.focus("#confusion-tables canvas")
    page.press("ArrowLeft")
    assert "truth label 24, answer label 23: never" in page.of("#confusion-cell")


def test_a_cell_of_contains_finds_items_by_what_was_said_of_their_labels(
    show, contains
):
    page = show("contains")
    page.of("button[aria-label*='truth present, answer no']", "click()")
    page.of("#confusion-cell button", "click()")
    run = contains.runs[0]
    present = run.table("labels").astype({"item": str, "label": str})
    given = run.answers.astype({"item": str, "label": str})
    both = given.merge(present, on=["item", "label"])
    such = both[(both["probability"].round(4) >= 0.5) & (both["answer"] == "no")]
    assert such["item"].nunique() > 0
    assert page.count == f"{such['item'].nunique()} of 30 items"


def test_runs_stand_side_by_side(show, beside):
    page = show("beside")
    captions = page.every("#confusion-tables caption")
    assert [each.split(":")[0] for each in captions] == ["em", "votes"]
    assert page.of("#items-detail table", "tHead.textContent") == "Labelemvotes"
    page.of("#items-runs", "click()")
    one, other = (run.table("items")["label"].astype(str) for run in beside.runs)
    assert page.count == f"{(one != other).sum()} of 40 items"


def test_a_picture_is_seen_though_nothing_may_be_loaded(show, report, tmp_path):
    kept = io.BytesIO()
    Image.new("RGB", (48, 32), "teal").save(kept, "JPEG")
    order = report.runs[0].table("items").sort_values("entropy", kind="stable")
    item = str(order["item"].iloc[-1])
    file = tmp_path / "pictured.html"
    write(replace(report, pictures={item: kept.getvalue()}), file)
    page = show("pictured", file=file)
    page.wait("document.querySelector('#items-detail img').complete")
    assert page.of("#items-detail img", "naturalWidth") == 48
    assert page.of("#items-detail img", "alt") == f"picture of {item}"
    assert page.errors == []


def test_what_shows_an_item_stands_with_it_as_text_and_is_found(show, report, tmp_path):
    items = report.runs[0].table("items").sort_values("entropy", kind="stable")["item"]
    first, other = str(items.iloc[-1]), str(items.iloc[-2])
    texts = {first: "<b>A tweet</b> about rain", other: "Another, about votes"}
    file = tmp_path / "texts.html"
    run = replace(report.runs[0], texts=texts)
    write(replace(report, runs=(run,)), file)
    page = show("texts", file=file)
    assert "<b>A tweet</b> about rain" in page.of("#items-detail", "innerText")
    page.focus("#items-q")
    page.press(*"about votes")
    assert page.count == "1 of 40 items"
    assert "Another, about votes" in page.of("#items-detail", "innerText")
    assert page.errors == []


def test_an_item_with_objects_shows_what_is_grouped_and_what_is_ambiguous(show):
    page = show("objects")
    page.focus("#items-list")
    page.press("End")
    said = page.of("#items-detail", "innerText")
    times = "\N{MULTIPLICATION SIGN} 2"
    for words in ("two", "malamute", "Two names of one object", ".910", ".610", times):
        assert words in said
    (box,) = page.every("#items-detail .group")
    assert "husky.700 of its names" in box
    assert "malamute.300 of its names" in box
    sorts = page.every("#items-sort option", "text")
    assert "most ambiguous: which name" in sorts


def test_a_table_is_sorted_by_the_button_in_its_head(show, report):
    page = show("report")
    head = "#annotators table thead th:nth-child(3)"
    page.of(f"{head} button", "click()")
    people = report.runs[0].table("annotators")
    best = people.sort_values("accuracy", ascending=False, kind="stable")
    order = page.every("#annotators table tbody tr", "cells[0].textContent")
    assert order == list(best["annotator"])
    assert page.of(head, "getAttribute('aria-sort')") == "descending"
    page.of(f"{head} button", "click()")
    assert page.of(head, "getAttribute('aria-sort')") == "ascending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["beside", "objects"])
def test_all_text_stands_out_from_what_lies_behind_it(show, name, scheme):
    page = show(name, scheme=scheme)
    assert len(page.contrasts) > 100
    assert page.pale == []
    # The same check finds text that is too pale.
    muted = "#999" if scheme == "light" else "#444"
    page.of(":root", f"style.setProperty('--muted', '{muted}')")
    assert page.pale


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shade_of_the_confusion_bears_its_number(show, scheme):
    page = show("report", scheme=scheme)
    page.run(
        "[...document.querySelectorAll('#confusion-tables button')].slice(0, 10)"
        ".forEach((button, at) => { button.className = `heat${at}`; })"
    )
    assert len([each for each in page.contrasts if each[1] == "BUTTON"]) >= 16
    assert [each for each in page.pale if each[1] == "BUTTON"] == []


def test_light_and_dark_follow_the_system_until_the_button_says_otherwise(show):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = show("report").run(ground)
    page = show("report", scheme="dark")
    assert page.run(ground) != light
    page.of("#theme", "click()")
    assert page.of("#theme") == "Theme: light"
    assert page.run(ground) == light


def test_a_screen_reader_finds_landmarks_names_and_heads(show):
    page = show("beside")
    nodes = page.nodes

    def named(role):
        return [name for each, name in nodes if each == role]

    for landmark in ("banner", "navigation", "main", "search"):
        assert len(named(landmark)) == 1, landmark
    assert len(named("region")) >= 8
    for role in ("button", "combobox", "searchbox", "listbox", "region", "table"):
        assert named(role), role
        assert all(named(role)), role
    assert all(named("image"))
    levels = [int(tag[1]) for tag in page.every("h1, h2, h3", "tagName")]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert page.every("table:not(:has(caption)), table th:not([scope])") == []
    assert page.run("document.documentElement.lang") == "en"


def test_tab_reaches_the_content_first_and_never_leaves_the_page_stuck(show):
    page = show("report")
    page.press("Tab")
    assert page.run("document.activeElement.textContent") == "Skip to the content"
    page.press("Enter")
    page.wait("document.activeElement.id === 'main'")
    page.focus("#items-detail")
    page.press(*["Tab"] * 30)
    assert page.run("document.activeElement.closest('section')?.id") != "items"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("name", ["beside", "objects"])
def test_no_width_makes_the_page_scroll_sideways(show, name, width):
    page = show(name, width=width)
    assert page.width <= width


def test_paper_shows_the_most_ambiguous_items_and_no_controls(show):
    page = show("report")
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        assert page.of("#items table", "checkVisibility()")
        assert page.of("#items table", "tBodies[0].rows.length") == 40
        for hidden in ("nav", "#items-app", "#theme", "#confusion-who"):
            assert not page.of(hidden, "checkVisibility()"), hidden
        assert page.of("#confusion table", "checkVisibility()")
    finally:
        page.send("Emulation.setEmulatedMedia", media="")
    assert not page.of("#items table", "checkVisibility()")
