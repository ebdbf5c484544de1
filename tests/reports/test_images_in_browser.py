"""Pictures, galleries and filters as a person meets them, by keyboard."""

import io
from dataclasses import replace
from urllib.parse import urlencode

import pandas as pd
import pytest
from PIL import Image

from consilience.reports import write

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
    """The objects of two pictures, with synonyms."""
    run = objects.runs[0]
    same = run.table("same_object").assign(synonyms=[0.0, 0.8])
    return replace(
        objects,
        runs=(replace(run, tables={**run.tables, "same_object": same}),),
        dataset_labels={"one": "desk", "two": "malamute"},
        pictures={"one": jpeg(0), "two": jpeg(200)},
    )


@pytest.fixture(scope="session")
def crowd(many):
    """Three thousand pictures."""
    names = many.runs[0].table("items")["item"].astype(str)
    return replace(many, pictures=dict.fromkeys(names, jpeg(7)))


def at(**asked):
    return "#items?" + urlencode(asked)


def shown(page):
    """Return the ids of all items that a filter keeps, by walking the list."""
    number = int(page.count.split(" of ")[0].replace(",", ""))
    page.focus("#items-list")
    page.press("Home")
    names = set()
    for _ in range(number):
        names.add(page.item)
        page.press("ArrowDown")
    assert len(names) == number
    return names


def test_the_gallery_is_walked_by_keyboard_in_two_directions(show):
    page = show("pictured", width=1600)
    page.focus("#items-as-gallery")
    page.press("Enter")
    assert page.of("#items-as-gallery", "ariaPressed") == "true"
    page.focus("#items-list")

    def chosen():
        return int(page.of("#items-list [aria-selected=true]", "dataset.at"))

    tops = page.every("#items-list [role=option]", "offsetTop")
    columns = tops.count(tops[0])
    assert columns >= 3
    keys = ["Right", "Down", "Left", "Up", "Up"]
    places = [1, 1 + columns, columns, 0, 0]
    for key, place in zip(keys, places, strict=True):
        page.press(f"Arrow{key}")
        assert chosen() == place, key
    page.press("End")
    assert chosen() == 39
    page.press("Home")
    assert chosen() == 0
    page.press("PageDown")
    assert chosen() % columns == 0
    assert chosen() >= columns
    page.press("Enter")
    assert page.active == "items-detail"
    page.press("Escape")
    assert page.active == "items-list"
    page.focus("#items-as-list")
    page.press("Enter")
    page.focus("#items-list")
    before = chosen()
    page.press("ArrowRight")
    assert chosen() == before
    assert page.errors == []


def test_of_a_long_gallery_only_the_pictures_in_sight_exist(show):
    page = show("crowd", address=at(view="gallery"))
    assert 5 < len(page.every("#items-list img")) < 60
    page.focus("#items-list")
    first = "document.querySelector('#items-list [data-at=\"1\"]')"
    page.run(f"window.kept = {first}")
    page.press("ArrowRight")
    assert page.run(f"window.kept === {first}")  # not drawn, nor decoded, again
    page.press("End")
    page.wait("document.querySelector('[data-at=\"2999\"] img')?.naturalWidth === 64")
    assert len(page.every("#items-list img")) < 60


def wanted(report, name):
    """Return the items that a filter should keep, of the tables themselves."""
    items = report.runs[0].table("items").set_index("item")
    best = items["label"].astype(str)
    own = pd.Series(report.dataset_labels).reindex(best.index)
    given = report.runs[0].answers.astype({"item": str, "label": str})
    labels = given.groupby("item")["label"].agg(set).reindex(best.index)
    first, second = sorted(best.unique())[:2]
    either, several = (best == first) | (own == first), labels.map(len) > 1
    both, named = (labels.map(each.issubset) for each in ({first, second}, {second}))
    return {
        "class": ({"class": first}, either),
        "best": ({"class": first, "as": "best"}, best == first),
        "dataset": ({"class": first, "as": "dataset"}, own == first),
        "differs": ({"differs": 1}, best != own),
        "disagree": ({"disagree": 1}, several),
        "nats": ({"nats": "0.5"}, items["entropy"] > 0.5),
        "pair": ({"pair": first, "with": second}, both),
        "cell": ({"truth": first, "given": second}, (best == first) & named),
        "both": ({"class": first, "disagree": 1}, either & several),
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
    assert page.run("location.hash") == ""
    page.choose("#items-class", hostile[1])
    page.of("#items-more", "open = true")
    page.focus("#items-disagree")
    page.press(" ")
    page.focus("#items-list")
    page.press("ArrowDown")
    before = page.item, page.count
    address = at(**{"class": hostile[1], "disagree": 1, "item": page.item})
    page.wait(f"location.hash === {address!r}")
    again = show("pictured", address=address)
    assert (again.item, again.count) == before
    assert again.of("#items-more", "open")
    again.focus("#items-list")
    again.focus("#items-cell button")
    again.press("Enter")
    assert again.count == "40 of 40 items"
    assert not again.of("#items-cell", "checkVisibility()")


@pytest.mark.parametrize(
    "asked",
    [
        {"class": "no such label", "pair": "0", "with": "-1"},
        {"sort": "constructor", "view": "<b>", "as": "__proto__", "differs": "yes"},
        {"__proto__": "x", "cell": "x", "class": "", "truth": "x", "given": "x"},
    ],
)
def test_what_is_not_on_the_page_is_ignored_in_an_address(show, asked):
    page = show("pictured", address=at(**asked))
    assert page.count == "40 of 40 items"
    assert page.errors == []


def test_objects_stand_in_boxes_with_their_names_and_synonyms(show):
    page = show("grouped", address=at(item="two"))
    box = page.of("#items-detail .group", "innerText")
    for words in ("Object 1", ".970", "husky", ".700", "malamute", ".300"):
        assert words in box
    assert "Synonyms: husky and malamute (.800)" in box
    page = show("grouped", address=at(item="one"))
    assert len(page.every("#items-detail .group")) == 2
    assert "Synonyms" not in page.of("#items-detail", "innerText")
    captions = page.every("#items-detail caption")
    bodies = page.every("#items-detail tbody", "innerText")
    tables = {
        name[:8]: body.split() for name, body in zip(captions, bodies, strict=True)
    }
    row = ["named", "by", "more", "than", ".100", ".400", ".600"]
    assert tables["P(number"][: len(row)] == row
    assert tables["Answers "] == ["ada", "desk", "(main)", "lamp"]


def test_linked_pictures_load_from_their_folder_and_no_others(show, pictured, tmp_path):
    file = tmp_path / "100% #1?.html"
    write(pictured, file, pictures="linked")
    page = show("linked", file=file, address=at(view="gallery", sort="given"))
    page.wait("document.querySelector('#items-list img').naturalWidth === 64")
    source = page.of("#items-list img", "src")
    assert source.endswith("100%25%20%231%3F_files/000000.jpg")
    assert page.errors == []
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
    page = show("linked", file=file, address=at(view="gallery", sort="given"))
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
        page.of("#items-more", "open = true")
        assert page.width <= width
        assert page.pale == []
