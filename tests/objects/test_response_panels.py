"""What fresh panels find stands in a fit of the model, and in none of a rule."""

import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.objects.response_panels import SIZES


def test_what_a_panel_would_find_stands_in_the_fit(objects_study, objects_fit):
    panels = objects_fit.table("panels")
    assert list(panels.columns) == ["item", "annotators", "several", "differs"]
    assert set(panels["annotators"]) == {*SIZES, 0}
    assert (panels["annotators"] == 1).sum() == 120
    several = panels.groupby("annotators")["several"].mean()
    table = objects_study.responses.table
    named = table.groupby(["item", "annotator"], observed=True).size()
    # How many responses name several, over all items, is what was fitted.
    assert abs(several[1] - (named > 1).mean()) < 0.05
    assert abs(several[25] - (named > 1).mean()) > 0.05


def test_a_rule_foresees_no_panel():
    rows = [("i", "a", "cat", True), ("i", "a", "dog", False), ("j", "b", "cat", True)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    fit = cs.fit(cs.read(frame, kind="objects"), model="tsipras2020")
    with pytest.raises(OptionError, match="panels"):
        fit.table("panels")
