"""All tables of a fit can be had by name, and say what their columns mean."""

import numpy as np
import pandas as pd
import pytest

from consilience.errors import OptionError
from consilience.posterior.tables import TABLES

METHODS = ("labels", "items", "annotators", "confusion", "diagnostics", "comparison")


def test_a_fit_of_objects_names_all_its_tables(objects_fit):
    of_objects = {"objects", "object_counts", "same_object", "panels"}
    assert of_objects | {"ambiguity", "styles"} == {*objects_fit.tables} - {*METHODS}
    assert all(objects_fit.table(name).size for name in of_objects)


def test_every_place_lists_the_names(objects_fit):
    with pytest.raises(OptionError) as refused:
        objects_fit.table("object")
    for name in objects_fit.tables:
        assert name in repr(objects_fit)
        assert name in objects_fit._repr_html_()
        assert name in str(refused.value)


def test_a_table_that_the_fit_lacks_is_empty_or_refused(choice_fit):
    fit = choice_fit()
    assert fit.table("styles").empty
    assert fit.table("annotator_groups").empty
    with pytest.raises(OptionError, match="has no objects"):
        fit.table("same_object")
    with pytest.raises(AttributeError, match=r"fit\.table\('styles'\)"):
        fit.styles()
    with pytest.raises(AttributeError, match=r"no attribute 'mood'$"):
        fit.mood()


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(objects_fit, name):
    table = objects_fit.with_(prob=0.9).table(name)
    assert list(table.meanings) == list(table.columns)
    assert all(table.meanings.values())
    shown = table._repr_html_()
    assert all(f"{column}: " in shown for column in table.columns)


def test_bounds_name_their_probability(choice_fit):
    drawn = np.random.default_rng(0).dirichlet([3, 1], (1, 40, 2, 2))
    table = choice_fit(confusion=drawn).with_(prob=0.5).table("annotators")
    assert table.meanings["lower"] == "lower bound of the 50 % interval of accuracy"


def test_what_is_made_of_a_table_is_an_ordinary_frame(choice_fit):
    table = choice_fit().table("labels")
    assert type(table.head(2)) is pd.DataFrame
    assert type(table[["item"]]) is pd.DataFrame


def test_printed_checks_say_their_outcome_and_what_to_do(objects_fit):
    checks = objects_fit.diagnostics()
    shown = repr(checks)
    assert shown.startswith("checks: ")
    for row in checks.to_dict("records"):
        assert (row["remedy"] in shown) == (row["outcome"] != "passed")
    assert "remedy" not in repr(checks[["name", "ok"]])
