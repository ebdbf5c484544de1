"""Plate diagrams of the documentation say what the models say."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from tests.studies import SMALL

from consilience import annotators
from consilience.model import Heuristic, Rule

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def plate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS)
    from plates import plate as module

    return module


@pytest.mark.parametrize("name", annotators.names())
def test_every_model_has_a_diagram_of_its_parameters_and_their_plates(plate, name):
    drawn = plate.read(DOCS / "plates" / f"{name}.toml")
    model = annotators.load(name)
    if isinstance(model, (Heuristic, Rule)):
        assert plate.amiss(drawn, getattr(model, "axes", {}), {}) == []
    else:
        assert plate.amiss(drawn, model.own_dims(SMALL)) == []


def test_a_parameter_in_the_wrong_plate_is_amiss(plate):
    drawn = plate.read(DOCS / "plates" / "dawid_skene.toml")
    without = tuple(each for each in drawn.plates if each.name != "annotators")
    result = plate.amiss(
        replace(drawn, plates=without), annotators.load("dawid_skene").own_dims(SMALL)
    )
    assert result == ["confusion stands in ['labels'], not ['annotators', 'labels']"]


def test_a_parameter_that_is_not_drawn_is_amiss(plate):
    drawn = plate.read(DOCS / "plates" / "dawid_skene.toml")
    result = plate.amiss(drawn, annotators.load("glad").own_dims(SMALL))
    assert "skill is not drawn" in result


def test_a_parameter_that_the_model_has_not_is_amiss(plate):
    drawn = plate.read(DOCS / "plates" / "glad.toml")
    result = plate.amiss(drawn, annotators.load("dawid_skene").own_dims(SMALL))
    assert "the model has no skill" in result


def test_every_diagram_stands_on_the_page_of_the_models():
    page = (DOCS / "explanation" / "models.md").read_text(encoding="utf-8")
    for name in annotators.names():
        assert f"```{{plate}} {name}\n" in page


def test_a_picture_tells_in_words_what_it_shows(plate):
    responses = plate.read(DOCS / "plates" / "dawid_skene.toml").alt
    assert responses == (
        "Plate diagram. prevalence, estimated; truth (for each of the items), summed "
        "out, from prevalence; answer (for each of the items, annotators), observed, "
        "from truth, confusion; confusion (for each of the annotators, labels), "
        "estimated."
    )


def test_an_arrow_to_nowhere_is_refused(plate, tmp_path):
    whole = (DOCS / "plates" / "majority.toml").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(whole.replace("answer > truth", "answer > trust"), "utf-8")
    with pytest.raises(ValueError, match="there is no node trust"):
        plate.read(wrong)


def test_a_drawing_is_in_the_colour_of_the_page_and_is_named(plate):
    pytest.importorskip("matplotlib")
    from plates import drawing

    drawn = plate.read(DOCS / "plates" / "contains.toml")
    made = drawing.svg(drawn)
    assert made.count("<rect") == len(drawn.plates) + 1  # and one square: given
    assert f'aria-label="{drawn.alt}"' in made
    assert "#" not in made
