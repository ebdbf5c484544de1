import pytest

from consilience import annotators
from consilience.benchmark import runs
from consilience.errors import OptionError


def test_every_model_for_choice_the_choice_and_the_baseline_are_methods():
    names = [method.name for method in runs.choose_methods([], runs.library_methods())]
    assert names[:2] == ["smoothed_shares", "auto"]
    for_choice = [
        name
        for name in annotators.names()
        if "choice" in annotators.load(name).kinds and name != "class_confusion"
    ]
    assert names[2:] == for_choice
    assert "contains" not in names


def test_methods_are_taken_by_name_once():
    names = ["auto", "majority", "auto"]
    result = runs.choose_methods(names, runs.library_methods())
    assert [method.name for method in result] == ["auto", "majority"]


def test_a_model_without_the_engine_asked_for_takes_its_best():
    by_name = {method.name: method for method in runs.library_methods("vb")}
    assert by_name["bayesian_dawid_skene"].setting == "bayesian_dawid_skene/vb"
    assert by_name["majority"].setting == "majority/rule"
    assert by_name["auto"].setting == "auto"


def test_an_unknown_method_is_refused():
    with pytest.raises(OptionError, match="no method 'nonsense'"):
        runs.choose_methods(["nonsense"], runs.library_methods())
