"""How results show themselves: static HTML of the page's colours, and short text."""

import re
from html.parser import HTMLParser

import pytest

import consilience as cs
from consilience import progress as module
from consilience.demo import study
from consilience.progress import Progress, bar, duration

HOSTILE = "<script>alert(1)</script>&<b onclick='x'>\x1b[31m"


class Tags(HTMLParser):
    """Collects the tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def is_static(page: str) -> bool:
    found = Tags(page)
    return found.tags <= {
        *("div", "strong", "table", "thead", "tbody", "tr", "td", "th", "p"),
        *("details", "summary", "ul", "li"),
    } and found.attributes <= {"style"}


@pytest.fixture(scope="module")
def shown():
    table = study(0, num_photos=12).answers
    table["animal"] = table["animal"].replace("fox", HOSTILE)
    table["annotator"] = table["annotator"].replace("Ada", HOSTILE)
    responses = cs.read(table, item="photo", label="animal")
    fit = cs.fit(responses, model="bayesian_dawid_skene", engine="vb")
    few = responses.table["annotator"].isin([HOSTILE, "Ben", "Chloe"])
    guesses = fit.items()[["item"]].assign(label=HOSTILE, rank=1, model=HOSTILE)
    gold = fit.items()[["item", "label"]]
    return {
        "responses": responses,
        "fit": cs.fit(responses.where(few), model="dawid_skene"),
        "rule": cs.fit(responses, model="majority"),
        "agreement": cs.agreement(responses, resamples=0, by=("label", "pair")),
        "evaluation": cs.evaluate(fit, guesses, resamples=20, allow_circular=True),
        "score": cs.score(fit, gold),
    }


NAMES = ("responses", "fit", "rule", "agreement", "evaluation", "score")


@pytest.mark.parametrize("name", NAMES)
def test_text_of_the_data_never_becomes_markup(shown, name):
    page = shown[name]._repr_html_()
    assert is_static(page)
    assert "\x1b" not in page
    if name not in {"score", "rule"}:
        assert "<script>" in Tags(page).text  # there, as text
    assert not is_static(page.replace("&lt;", "<").replace("&gt;", ">") + HOSTILE)


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_those_of_the_page(shown, name):
    page = shown[name]._repr_html_()
    hard = r"#[0-9a-f]{3,6}\b|rgba?\(|background|color:(?!\s*currentColor)"
    assert not re.search(hard, page)
    assert re.search(hard, page + "<p style='color:#fff'>")


def test_a_fit_shows_its_weakest_annotators_and_failed_checks(shown):
    fit = shown["fit"]
    page = Tags(fit._repr_html_()).text
    assert "dawid_skene by em" in page
    worst = fit.annotators().nsmallest(2, "accuracy")["annotator"]
    assert all(str(name) in page for name in worst)
    assert "dawid_skene by em" in repr(fit)


def test_a_plain_line_is_printed_where_a_phase_ends(capsys):
    with bar() as report:
        for done in (1, 10, 11, 50, 100, 100):
            report(Progress("<b>", done, 100, "start 1"))
        report(Progress("next", 1, 2))
    assert capsys.readouterr().err.splitlines() == ["<b>: done start 1"]


def test_what_is_left_follows_from_the_pace_since_the_first_report(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with bar() as report:
        report(Progress("phase", 50, 100))  # the work of an earlier run
        for seconds, done in ((109.0, 59), (110.0, 60), (115.0, 65), (121.0, 70)):
            now[0] = seconds
            report(Progress("phase", done, 100))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "phase: 60 of 100, about 40 s left"
    assert second == "phase: 70 of 100, about 32 s left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.2, "3 s"), (150.0, "2 min"), (7300.0, "2 h 2 min")]
)
def test_durations_are_stated_as_roughly_as_they_are_known(seconds, words):
    assert duration(seconds) == words
