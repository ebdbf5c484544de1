"""A new model costs one file."""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.studies import SMALL

from consilience import annotators
from consilience.annotators import bayesian_dawid_skene
from consilience.errors import OptionError
from consilience.model import Heuristic


def test_a_file_dropped_in_the_room_is_a_model(tmp_path, monkeypatch):
    shutil.copy(Path(bayesian_dawid_skene.__file__), tmp_path / "fresh.py")
    paths = [*annotators.__path__, str(tmp_path)]
    monkeypatch.setattr(annotators, "__path__", paths)
    assert "fresh" in annotators.names()
    dims = annotators.load("fresh").dims(SMALL)
    assert dims["confusion"] == ("annotator", "true_class", "given_class")


def test_an_unknown_model_is_answered_with_the_known():
    with pytest.raises(OptionError, match=r"no model 'dawid'.*dawid_skene"):
        annotators.load("dawid")


def test_a_heuristic_is_loaded_but_not_fitted():
    assert isinstance(annotators.load("tsipras2020"), Heuristic)
    with pytest.raises(OptionError, match="tsipras2020 is a heuristic"):
        annotators.fittable("tsipras2020")
    assert annotators.fittable("glad") is annotators.load("glad")


@pytest.mark.parametrize("name", annotators.names())
def test_the_settings_of_a_model_give_it_back(name):
    model = annotators.load(name)
    assert annotators.load(name, asdict(model.prior)) is model


def test_settings_that_are_neither_defaults_nor_positive_are_refused():
    with pytest.raises(OptionError, match="popularity is -1"):
        annotators.load("structured", {"popularity": -1.0})
    with pytest.raises(OptionError, match="own is 0"):
        annotators.load("bayesian_dawid_skene", {"own": 0.0})
