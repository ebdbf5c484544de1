"""Charts of few models and few classes: nothing lies on the frame, nothing is empty."""

import copy
from dataclasses import replace

import pandas as pd
import pytest

from consilience.figures import accuracy, labels
from consilience.figures.record import PEOPLE

pytest.importorskip("altair")


@pytest.mark.parametrize("number", [3, 6])
def test_points_of_few_models_lie_inside_the_frame(study, number):
    rows = pd.DataFrame(
        {
            "model": [study.models[at % 3] for at in range(number)],
            "accuracy": [0.5 + 0.1 * at / number for at in range(number)],
            "value": 0.5,
            "lower": 0.4,
            "upper": 0.6,
            "items": 10,
        }
    )
    made = accuracy._by_accuracy(study, "main_label", rows)[""]().to_dict()
    domains = [layer["encoding"]["x"]["scale"].get("domain") for layer in made["layer"]]
    if number == 6:
        assert set(domains) == {None}
        return
    for low, high in domains:
        assert low < rows["accuracy"].min()
        assert high > rows["accuracy"].max()


def test_of_many_labels_only_those_that_occur_are_drawn(study):
    names = pd.Series([f"l{number:02d}" for number in range(60)])
    of_many = pd.DataFrame({"label": names, "name": names, "parent": None})
    other = copy.copy(study)
    vars(other)["responses"] = replace(study.responses, labels=of_many)
    cells = pd.DataFrame(
        {
            "model": PEOPLE,
            "true_label": ["l03", "l07"],
            "given_label": ["l07", "l07"],
            "probability": [0.4, 0.9],
            "lower": 0.1,
            "upper": 1.0,
        }
    )
    drawn = str(labels._drawn_classes(other, cells, "class_confusion").to_dict())
    assert "superclass" not in drawn
    assert "l07" in drawn
    assert "'row'" not in drawn.replace("'row': ", "")
