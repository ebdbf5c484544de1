import html
import re

import numpy as np
import pytest
from tests.comparisons.conftest import drawn

import consilience as cs
from consilience.errors import FolderExistsError, OptionError
from consilience.reports.written import is_report
from consilience.tables import vega


@pytest.fixture(scope="module")
def ranking():
    """Three systems, of which two are alike; judges prefer what is shown first."""
    table, _ = drawn(3, number=600, score=np.array([1.5, -0.7, -0.8]), first_place=1.0)
    names = {"s0": "best <i>system</i>", "s1": "other", "s2": "third"}
    return cs.comparisons.fit(cs.comparisons.read(table.replace(names)))


def sentences(page):
    """What the list of a page's first section says."""
    (listed,) = re.findall(r'(?s)<ul class="listing">(.*?)</ul>', page)
    entries = re.findall(r"(?s)<li><bdi>(.*?)</bdi></li>", listed)
    return [html.unescape(each) for each in entries]


def test_a_page_says_who_is_best_which_judges_to_mind_and_what_to_do(ranking, tmp_path):
    place = cs.report(ranking, tmp_path / "ranking.html", title="Three systems")
    assert is_report(place)
    page = place.read_text("utf-8")
    assert "<title>Three systems</title>" in page
    assert "<i>system</i>" not in page
    asked, best, bias, trust, following = sentences(page)
    assert "6 judges made 600 comparisons" in asked
    assert "of 3 systems in all, on 600 items" in asked
    assert best.startswith("The best is most probably best <i>system</i> (1.00)")
    assert "of 3 pairs of systems, 2 are in order" in best
    worst = ranking.judges().set_index("judge")["first_place_lower"].idxmax()
    assert bias.startswith(
        f"Between equal systems, {worst} prefers what is shown first"
    )
    assert trust.startswith("No check failed")
    assert following.startswith("To do next: compare ")
    assert "third" in following
    assert "best" not in following


def test_each_pair_is_there_once_and_each_system_and_judge(ranking, tmp_path):
    page = cs.report(ranking, tmp_path / "ranking.html").read_text("utf-8")
    bodies = re.findall(r"(?s)<tbody>(.*?)</tbody>", page)
    assert [body.count("<tr>") for body in bodies] == [3, 3, 3, 6, 1]
    numbers = [float(value) for value in re.findall(r">(0?\.\d\d|1\.00)</text>", page)]
    pairs = ranking.differences()
    assert sorted(numbers)[-3:] == sorted(pairs["p_greater"].round(2))[-3:]


def test_covariates_have_their_effects(tmp_path):
    table, _ = drawn(0, number=300)
    table["words"] = range(300)
    ranking = cs.comparisons.fit(cs.comparisons.read(table), covariates=["words"])
    page = cs.report(ranking, tmp_path / "ranking.html").read_text("utf-8")
    assert "Effects of covariates" in page


def test_what_belongs_to_fits_is_refused_and_a_page_replaced_only_if_asked(
    ranking, tmp_path
):
    place = tmp_path / "ranking.html"
    with pytest.raises(OptionError, match="shown as it is"):
        cs.report(ranking, place, prob=0.8)
    assert not place.exists()
    cs.report(ranking, place)
    with pytest.raises(FolderExistsError):
        cs.report(ranking, place)
    cs.report(ranking, place, overwrite=True)


def test_every_colour_of_a_chart_is_one_that_the_page_has(ranking, tmp_path):
    page = cs.report(ranking, tmp_path / "ranking.html").read_text("utf-8")
    used = {*re.findall(r"var\(--([\w-]+)\)", page)}
    assert "ground" in used  # of numbers in dark cells
    assert used <= {*re.findall(r"--([\w-]+):", page)}
    assert {*vega._LIGHT} <= {*re.findall(r"--([\w-]+):", page)}
