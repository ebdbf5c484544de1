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


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", ["beside", "objects"])
def test_no_width_makes_the_page_scroll_sideways(show, name, width):
    page = show(name, width=width)
    assert page.width <= width
