"""Pictures, galleries, filters and pairs as a person meets them, by keyboard."""

import io
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import pytest
from PIL import Image

from consilience.reports import write

CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text(encoding="utf-8")
NEEDED = 4.5
WIDTHS = (400, 800, 1600)


def jpeg(shade: int) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), (shade % 256, 90, 160)).save(kept, "JPEG")
    return kept.getvalue()


@pytest.fixture(scope="session")
def pictured(report, hostile):
    """Items with labels of the data set, of which the last has no picture."""
    items = report.runs[0].table("items")
    names = list(items["item"].astype(str))
    labels = dict(zip(names, items["label"].astype(str), strict=True))
    for name in names[::5]:
        labels[name] = hostile[(hostile.index(labels[name]) + 1) % 4]
    pictures = {name: jpeg(5 * at) for at, name in enumerate(names[:-1])}
    return replace(report, dataset_labels=labels, pictures=pictures)


@pytest.fixture(scope="session")
def grouped(objects):
    """The objects of two pictures, with synonyms and pairs of labels."""
    run = objects.runs[0]
    same = run.table("same_object").assign(synonyms=[0.0, 0.8])
    return replace(
        objects,
        runs=(replace(run, tables={**run.tables, "same_object": same}),),
        dataset_labels={"one": "desk", "two": "malamute"},
        pictures={"one": jpeg(0), "two": jpeg(200)},
        pairs={
            "objects_that_come_together": pd.DataFrame(
                {
                    "class_label": ["desk"],
                    "label": ["lamp"],
                    "together": [1],
                    "items": [1],
                    "share": [1.0],
                }
            ),
        },
    )


@pytest.fixture(scope="session")
def crowd(many):
    """Three thousand pictures."""
    names = many.runs[0].table("items")["item"].astype(str)
    one = jpeg(7)
    return replace(many, pictures=dict.fromkeys(names, one))


@pytest.fixture
def show(show, files, pictured, grouped, crowd, tmp_path_factory):
    """Open a report of this module too."""
    made = {"pictured": pictured, "grouped": grouped, "crowd": crowd}

    def opened(name, **more):
        if name in made and name not in files:
            files[name] = tmp_path_factory.mktemp("pictured") / f"{name}.html"
            write(made[name], files[name])
        return show(name, **more)

    return opened


def at(**asked):
    return "#items?" + urlencode(asked)


def value(page, name, what="value"):
    return page.run(f"document.getElementById('{name}').{what}")


def focus(page, name):
    page.run(f"document.getElementById('{name}').focus()")


def active(page):
    return page.run("document.activeElement.id")


def choose(page, select, option):
    """Choose an option by its text."""
    page.run(
        f"(() => {{ const select = document.getElementById('{select}');"
        f" select.selectedIndex = [...select.options].findIndex("
        f"(each) => each.text === {option!r});"
        " select.dispatchEvent(new Event('change')); })()"
    )


def shown(page):
    """Return the ids of all items that a filter keeps, by walking the list."""
    count = value(page, "items-count", "textContent")
    number = int(count.split(" of ")[0].replace(",", ""))
    focus(page, "items-list")
    page.press("Home")
    names = set()
    for _ in range(number):
        names.add(page.run("document.querySelector('#items-detail h3').textContent"))
        page.press("ArrowDown")
    assert len(names) == number
    return names


def errors(page):
    bad = ("Log.entryAdded", "Runtime.exceptionThrown")
    return [event for event in page.events if event["method"] in bad]


def test_the_gallery_is_walked_by_keyboard_in_two_directions(show):
    page = show("pictured", width=1600)
    focus(page, "items-as-gallery")
    page.press("Enter")
    assert value(page, "items-as-gallery", "ariaPressed") == "true"
    focus(page, "items-list")
    chosen = (
        "Number(document.querySelector('#items-list [aria-selected=true]').dataset.at)"
    )
    top = "document.querySelector('#items-list [role=option]').offsetTop"
    columns = page.run(
        "[...document.querySelectorAll('#items-list [role=option]')]"
        f".filter((each) => each.offsetTop === {top}).length"
    )
    assert columns >= 3
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowLeft", columns),
        ("ArrowUp", 0),
        ("ArrowUp", 0),
        ("End", 39),
        ("Home", 0),
    ):
        page.press(key)
        assert page.run(chosen) == place, key
    page.press("PageDown")
    assert page.run(chosen) % columns == 0
    assert page.run(chosen) >= columns
    page.press("Enter")
    assert active(page) == "items-detail"
    page.press("Escape")
    assert active(page) == "items-list"
    focus(page, "items-as-list")
    page.press("Enter")
    focus(page, "items-list")
    before = page.run(chosen)
    page.press("ArrowRight")
    assert page.run(chosen) == before
    assert errors(page) == []


def test_a_cell_of_the_gallery_has_its_picture_and_label_or_says_there_is_none(
    show, pictured
):
    page = show("pictured", address=at(view="gallery", sort="given"))
    focus(page, "items-list")
    items = pictured.runs[0].table("items")
    cell = "document.querySelector('#items-list [aria-selected=true]')"
    page.press("Home")
    page.wait(f"{cell}.querySelector('img')?.naturalWidth === 64")
    assert items["label"].iloc[0] in page.run(f"{cell}.textContent")
    page.press("End")
    assert page.run(f"{cell}.querySelector('img')") is None
    assert "no picture" in page.run(f"{cell}.textContent")


def test_of_a_long_gallery_only_the_pictures_in_sight_exist(show):
    page = show("crowd", address=at(view="gallery"))
    images = "document.querySelectorAll('#items-list img').length"
    assert 5 < page.run(images) < 60
    focus(page, "items-list")
    first = "document.querySelector('#items-list [data-at=\"1\"]')"
    page.run(f"window.kept = {first}")
    page.press("ArrowRight")
    assert page.run(f"window.kept === {first}")  # not drawn, nor decoded, again
    page.press("End")
    page.wait("document.querySelector('[data-at=\"2999\"] img')?.naturalWidth === 64")
    assert page.run(images) < 60


def test_without_pictures_there_is_a_list_alone(show):
    page = show("report", address=at(view="gallery"))
    assert not page.run("document.getElementById('items-as-gallery').checkVisibility()")
    assert page.run("document.querySelectorAll('#items-list .row').length") > 5


def wanted(report, name):
    """Return the items that a filter should keep, of the tables themselves."""
    items = report.runs[0].table("items").set_index("item")
    best = items["label"].astype(str)
    own = pd.Series(report.dataset_labels).reindex(best.index)
    given = report.runs[0].answers.astype({"item": str, "label": str})
    labels = given.groupby("item")["label"].agg(set).reindex(best.index)
    first, second = sorted(best.unique())[:2]
    return {
        "class": ({"class": first}, (best == first) | (own == first)),
        "best": ({"class": first, "as": "best"}, best == first),
        "dataset": ({"class": first, "as": "dataset"}, own == first),
        "differs": ({"differs": 1}, best != own),
        "disagree": ({"disagree": 1}, labels.map(len) > 1),
        "nats": ({"nats": "0.5"}, items["entropy"] > 0.5),
        "pair": (
            {"pair": first, "with": second},
            labels.map({first, second}.issubset),
        ),
        "cell": (
            {"truth": first, "given": second},
            (best == first) & labels.map(lambda each: second in each),
        ),
        "both": (
            {"class": first, "disagree": 1},
            ((best == first) | (own == first)) & (labels.map(len) > 1),
        ),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["class", "best", "dataset", "differs", "disagree", "nats", "pair", "cell", "both"],
)
def test_an_address_opens_the_items_that_it_names(show, pictured, name):
    asked, kept = wanted(pictured, name)
    assert 0 < kept.sum() < 40
    page = show("pictured", address=at(**asked))
    assert shown(page) == set(kept.index[kept])


def test_a_filter_stands_in_the_address_and_comes_back_from_there(show, hostile):
    page = show("pictured")
    before = page.run("location.hash")
    assert before == ""
    choose(page, "items-class", hostile[1])
    focus(page, "items-disagree")
    page.run("document.getElementById('items-more').open = true")
    focus(page, "items-disagree")
    page.press(" ")
    focus(page, "items-list")
    page.press("ArrowDown")
    item = page.run("document.querySelector('#items-detail h3').textContent")
    asked = urlencode({"class": hostile[1], "disagree": 1, "item": item})
    page.wait(f"location.hash === {'#items?' + asked!r}")
    count = value(page, "items-count", "textContent")
    again = show("pictured", address=f"#items?{asked}")
    assert value(again, "items-count", "textContent") == count
    title = "document.querySelector('#items-detail h3').textContent"
    assert again.run(title) == item
    assert again.run("document.getElementById('items-more').open")
    focus(again, "items-list")
    again.run("document.querySelector('#items-cell button').focus()")
    again.press("Enter")
    assert value(again, "items-count", "textContent") == "40 of 40 items"
    assert not again.run("document.getElementById('items-cell').checkVisibility()")


@pytest.mark.parametrize(
    "asked",
    [
        {"class": "no such label", "pair": "0", "with": "-1"},
        {"item": "../../etc/passwd", "objects": "1", "nats": "-1"},
        {"sort": "constructor", "view": "<b>", "as": "__proto__", "differs": "yes"},
        {"__proto__": "x", "cell": "x", "class": "", "truth": "x", "given": "x"},
    ],
)
def test_what_is_not_on_the_page_is_ignored_in_an_address(show, asked):
    page = show("pictured", address=at(**asked))
    assert value(page, "items-count", "textContent") == "40 of 40 items"
    assert errors(page) == []


def test_a_link_opens_items_while_the_page_is_open(show, pictured):
    page = show("pictured")
    own = next(iter(pictured.dataset_labels.items()))
    page.run(f"location.hash = {at(item=own[0])!r}")
    title = "document.querySelector('#items-detail h3').textContent"
    page.wait(f"{title} === {own[0]!r}")
    assert active(page) == "items-list"
    page.run("[...document.querySelectorAll('#items-detail .facts a')].at(-1).focus()")
    page.press("Enter")
    kept = wanted(pictured, "class")
    count = sum(
        own[1] in (best, pictured.dataset_labels[item])
        for item, best in zip(
            kept[1].index, pictured.runs[0].table("items")["label"], strict=True
        )
    )
    page.wait(
        f"document.getElementById('items-count').textContent === '{count} of 40 items'"
    )


def test_objects_stand_in_boxes_with_their_names_and_synonyms(show):
    page = show("grouped", address=at(item="two"))
    box = page.run("document.querySelector('#items-detail .group').innerText")
    for words in ("Object 1", ".970", "husky", ".700", "malamute", ".300"):
        assert words in box
    assert "Synonyms: husky and malamute (.800)" in box
    page = show("grouped", address=at(item="one"))
    boxes = page.run("document.querySelectorAll('#items-detail .group').length")
    assert boxes == 2
    text = page.run("document.getElementById('items-detail').innerText")
    assert "Synonyms" not in text
    row = page.run(
        "[...document.querySelectorAll('#items-detail table')].find((each) =>"
        " each.caption.textContent.startsWith('P(number')).tBodies[0].rows[0].innerText"
    )
    assert row.split() == ["named", "by", "more", "than", ".100", ".400", ".600"]
    answers = page.run(
        "[...document.querySelectorAll('#items-detail table')].find((each) =>"
        " each.caption.textContent === 'Answers by response').tBodies[0].innerText"
    )
    assert answers.split() == ["ada", "desk", "(main)", "lamp"]


def test_items_are_filtered_by_the_number_of_their_objects(show):
    for number, item in ((2, "one"), (1, "two")):
        assert shown(show("grouped", address=at(objects=number))) == {item}


def test_pairs_that_come_together_and_their_items(show):
    page = show("grouped")
    row = page.run("document.querySelector('#pairs-list [role=option]').innerText")
    assert row.split("\n") == ["desk", "lamp", "1 of 1 items (1.000)"]
    focus(page, "pairs-list")
    page.press("Enter")
    frame = "document.activeElement"
    assert page.run(f"{frame}.ariaLabel") == "desk, and lamp is there"
    assert page.run(f"{frame}.querySelectorAll('[role=option]').length") == 1
    page.press("Enter")
    title = "document.querySelector('#items-detail h3').textContent"
    page.wait(f"{title} === 'one' && document.activeElement.id === 'items-list'")


def test_pairs_that_are_confused_stand_side_by_side(show, pictured):
    page = show("pictured")
    choose(page, "pairs-which", "labels that people confuse")
    table = pictured.runs[0].table("confusion")
    table = table[table["annotator"].isna()].astype({"true_label": str})
    table = table.astype({"given_label": str})
    off = table[table["true_label"] != table["given_label"]]
    top = off.sort_values("probability").iloc[-1]
    rows = page.run("document.querySelectorAll('#pairs-list bdi').length")
    assert rows == 2 * 6
    first = page.run(
        "[...document.querySelectorAll('#pairs-list [role=option]')[0]"
        ".querySelectorAll('bdi')].map((each) => each.textContent)"
    )
    assert first == [top["true_label"], top["given_label"]]
    items = pictured.runs[0].table("items").astype({"label": str, "item": str})
    best = dict(zip(items["item"], items["label"], strict=True))
    given = pictured.runs[0].answers.astype({"item": str, "label": str})
    said = given.groupby("item")["label"].agg(set)
    for frame, own, other in zip(
        page.run("[...document.querySelectorAll('.sides h5')].map((e) => e.innerText)"),
        first,
        first[::-1],
        strict=True,
    ):
        such = [
            item
            for item, label in pictured.dataset_labels.items()
            if label == own and (other in said[item] or best[item] == other)
        ]
        assert frame.endswith(f"({len(such)})")
    focus(page, "pairs-list")
    page.press("ArrowDown", "Enter")
    assert page.run("document.activeElement.getAttribute('role')") == "listbox"
    page.press("Escape")
    assert active(page) == "pairs-list"


def test_the_quiz_hides_labels_and_counts_what_is_right(show, pictured):
    page = show("pictured")
    choose(page, "pairs-which", "labels that people confuse")
    pair = page.run(
        "[...document.querySelectorAll('#pairs-list [role=option]')[0]"
        ".querySelectorAll('bdi')].map((each) => each.textContent)"
    )
    focus(page, "pairs-quiz")
    page.press("Enter")
    assert active(page) == "pairs-shown"
    body = "document.querySelector('#pairs-shown').innerText"
    status = "document.querySelector('#pairs-shown [role=status]').textContent"
    right = 0
    for number in range(1, 4):
        assert "label is" not in page.run(body)
        assert page.run("document.querySelectorAll('#pairs-shown a').length") == 0
        page.press("1")
        said = page.run(status)
        page.press("2")  # one guess alone counts
        assert page.run(status) == said
        page.press("l")
        item = page.run("document.querySelector('#pairs-shown a').textContent")
        truth = pictured.dataset_labels[item]
        assert f"The data set's label is {truth}. " in page.run(body)
        right += truth == pair[0]
        verdict = "Right" if truth == pair[0] else "Wrong"
        assert said == f"{verdict}, by the data set's label: {right} of {number} right."
        page.press("n")
    page.press("l")
    page.press("1")  # after the labels have been seen
    assert page.run(status) == said
    page.press("Escape")
    assert active(page) == "pairs-list"
    focus(page, "pairs-quiz")
    page.press("Enter")
    assert page.run("document.querySelectorAll('.sides').length") == 1


def test_linked_pictures_load_from_their_folder_and_no_others(
    show, files, pictured, tmp_path
):
    files["linked"] = tmp_path / "100% #1?.html"
    write(pictured, files["linked"], pictures="linked")
    page = show("linked", address=at(view="gallery", sort="given"))
    first = "document.querySelector('#items-list img')"
    page.wait(f"{first}.naturalWidth === 64")
    source = page.run(f"{first}.src")
    assert source.endswith("100%25%20%231%3F_files/000000.jpg")
    assert errors(page) == []
    stopped = page.run(
        """new Promise((resolve) => {
          const seen = [];
          document.addEventListener('securitypolicyviolation', (event) => {
            seen.push(event.blockedURI.split(':')[0]);
            if (seen.length === 2) resolve(seen.sort());
          });
          for (const source of ['https://example.org/a.jpg', 'data:image/gif,GIF']) {
            const image = document.createElement('img');
            image.src = source;
            document.body.append(image);
          }
        })"""
    )
    assert stopped == ["data", "https"]
    for picture in tmp_path.glob("*_files/*.jpg"):
        picture.unlink()
    page = show("linked", address=at(view="gallery", sort="given"))
    page.wait(
        "document.querySelector('#items-list .cell').innerText"
        ".startsWith('The picture is not in its folder.')"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["pictured", "grouped"])
def test_at_every_width_text_stands_out_and_nothing_scrolls_sideways(
    show, name, scheme
):
    for width in WIDTHS:
        page = show(name, width=width, scheme=scheme, address=at(view="gallery"))
        page.run("document.getElementById('items-more').open = true")
        choose(page, "pairs-which", "labels that people confuse")
        for quiz in (False, True):
            if quiz:
                page.run("document.getElementById('pairs-quiz').click()")
            assert page.run("document.documentElement.scrollWidth") <= width
            assert [each for each in page.run(CONTRASTS) if each[0] < NEEDED] == []


def test_every_control_has_a_name(show):
    page = show("grouped", address=at(view="gallery"))
    page.run("document.getElementById('items-more').open = true")
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    controls = [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if not node.get("ignored")
        and node["role"]["value"]
        in ("button", "combobox", "checkbox", "listbox", "option", "spinbutton", "link")
    ]
    assert len(controls) > 30
    assert [each for each in controls if not each[1]] == []
    names = page.run("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(names) == len(set(names))
