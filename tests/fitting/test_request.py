"""What is asked of a fit, and the study that it is asked of."""

import pandas as pd
import pytest

from consilience.errors import DataError
from consilience.fitting.request import Request, Study
from consilience.responses import read
from consilience.truth import ChoiceSpace, ContainsSpace, ObjectsSpace

ROWS = pd.DataFrame(
    {"item": ["i", "i", "j"], "annotator": ["a", "b", "a"], "label": ["x", "y", "x"]}
)
ANSWERS = ROWS.assign(answer=["yes", "no", "yes"])


@pytest.mark.parametrize(
    ("rows", "kind", "space"),
    [
        (ROWS, "choice", ChoiceSpace),
        (ANSWERS, "contains", ContainsSpace),
        (ROWS, "objects", ObjectsSpace),
    ],
)
def test_each_kind_of_response_has_a_space_of_its_own(rows, kind, space):
    result = Study.read(read(rows, kind=kind)).space()
    assert type(result) is space
    assert result.kind == kind


def test_nothing_known_is_nothing_of_its_type():
    choice = Study.read(read(ROWS)).space()
    assert choice.parent.tolist() == ["", ""]
    assert len(choice.similar.first) == len(choice.covariates.names) == 0
    contains = Study.read(read(ANSWERS, kind="contains")).space()
    assert len(contains.groups.names) == len(contains.covariates.names) == 0
    assert contains.groups.code.tolist() == [0, 0, 0]
    assert not contains.similar_sets.linked


def test_objects_take_no_gold_labels():
    gold = pd.DataFrame({"item": ["i"], "label": ["x"]})
    study = Study.read(read(ROWS, kind="objects"), gold=gold)
    with pytest.raises(DataError):
        study.space()


def test_what_all_fits_of_a_study_say_is_read_off_both():
    study = Study(responses=read(ROWS), classifiers=("one",))
    attributes = Request(seed=7).attributes(study)
    assert attributes["seed"] == 7
    assert attributes["kind"] == "choice"
    assert attributes["classifiers"] == ["one"]
    assert attributes["seconds"] >= 0
