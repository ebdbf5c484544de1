import numpy as np
import pandas as pd
import pytest

from consilience import read
from consilience.analysis import agreement
from consilience.errors import SourceError

CORRECTED = [
    "cohen",
    "scott",
    "fleiss",
    "conger",
    "brennan_prediger",
    "gwet_ac1",
    "krippendorff",
]


def of(responses, **options):
    return agreement(responses, **options).coefficients.set_index("coefficient")


@pytest.mark.parametrize("offered", [None, ["cat", "dog"]])
def test_when_everybody_gives_one_answer_nothing_is_corrected_for_chance(
    offered, rated
):
    result = of(rated([["cat", "cat"]] * 5, labels=offered))
    assert result["value"]["percent"] == 1
    for name in CORRECTED:
        assert np.isnan(result["value"][name])
        assert "everybody answered 'cat'" in result["reason"][name]


def test_when_nobody_meets_nothing_is_defined(rated):
    result = of(rated([["cat", None], [None, "dog"]]))
    assert result[["value", "lower", "se", "observed"]].isna().all().all()
    assert set(result["reason"]) == {"no question was answered by two annotators"}


def test_perfect_agreement_has_no_interval(rated):
    result = agreement(rated([["cat", "cat"], ["dog", "dog"]] * 4))
    assert result["fleiss"] == 1
    bounds = ["lower", "upper", "se", "se_lower", "se_upper"]
    assert result.coefficients[bounds].isna().all().all()
    assert "no two annotators disagree" in " ".join(result.notes)


def test_without_ids_annotators_cannot_be_compared():
    table = pd.DataFrame({"item": list("112233"), "label": list("xxxyyy")})
    result = of(read(table))
    for name in ("cohen", "scott", "conger"):
        assert result["reason"][name] == "the answers have no annotator's id"
    assert result["value"]["percent"] == pytest.approx(2 / 3)


def test_a_pair_whose_two_give_one_answer_only_has_no_kappa(rated):
    table = [["cat", "cat", "cat"], ["cat", "cat", "dog"]] * 6
    result = agreement(rated(table), by=("pair",), resamples=0)
    kappa = result.pairs.set_index(["annotator", "other_annotator"])["kappa"]
    assert np.isnan(kappa["a00", "a01"])
    assert result["cohen"] == pytest.approx(0)  # the mean of the two others


def test_skipped_questions_leave_nothing_to_compare():
    table = {"item": ["1"], "annotator": ["a"], "label": ["cat"], "answer": ["skip"]}
    with pytest.raises(SourceError, match="skipped"):
        agreement(read(pd.DataFrame(table)))
