"""A table reads the same wherever it is drawn."""

import numpy as np
import pandas as pd

from consilience.tables import CATALOGUE, Column, Schema, schema_of
from consilience.tables.html import beside, html

FRAME = pd.DataFrame({"x": [0.5], "lower": [0.2], "upper": [0.7]})
SCHEMA = Schema(
    name="made",
    title="Made",
    columns=(Column(name="x", words="x", form=".3f", bounds=("lower", "upper")),),
)


def test_a_table_says_whether_it_has_intervals():
    point = FRAME.assign(lower=np.nan, upper=np.nan)
    assert SCHEMA.of(FRAME, 0.9).notes == "90% intervals."
    assert SCHEMA.of(point, 0.9).notes == "A point, without intervals."
    assert SCHEMA.of(point).notes == ""


def test_values_beyond_one_widen_the_scale_and_unknown_bounds_are_not_drawn():
    frame = pd.DataFrame(
        {"x": [-1.0, 3.0], "lower": [-2.0, np.nan], "upper": [0.0, np.nan]}
    )
    (column,) = html(SCHEMA.of(frame)).columns
    first, second = column.cells
    assert (first.bar.lower, first.bar.value, first.bar.upper) == (0.0, 20.0, 40.0)
    assert second.bar.value == 100.0
    assert second.bar.lower is None
    assert second.between == ""


def test_a_cell_that_is_empty_is_a_dash():
    cells = Schema(name="t", columns=(Column(name="t"),)).of(
        pd.DataFrame({"t": ["a", None]})
    )
    assert [cell.text for cell in cells.cells("t")] == ["a", "\N{EN DASH}"]


def test_rows_that_are_left_out_are_counted():
    frame = pd.DataFrame({"x": np.linspace(0, 1, 9)})
    table = SCHEMA.of(frame).sort("x")
    assert table.first(3).notes == "The first 3 of 9 rows."
    ends = table.ends(2, 1)
    assert ends.frame["x"].tolist() == [1.0, 0.875, 0.0]
    assert (ends.gap, ends.total) == (2, 9)
    assert table.ends(5, 4) is table


def test_identifiers_are_words_in_the_columns_that_have_them():
    frame = pd.DataFrame({"subset": ["three_objects"], "label": ["three_objects"]})
    (row,) = html(schema_of("mine", frame).of(frame)).rows
    assert [cell.text for cell in row] == ["three objects", "three_objects"]


def test_a_column_of_text_stays_text_whatever_its_name():
    frame = pd.DataFrame({"probability": ["high"], "ok": [True], "size": [1234]})
    (row,) = html(schema_of("labels", frame).of(frame)).rows
    assert [cell.text for cell in row] == ["high", "yes", "1,234"]


def test_parties_stand_beside_each_other_in_the_rows_that_are_shown():
    frame = pd.DataFrame(
        {"model": ["people", "net", "net"], "label": ["a", "a", "b"]}
    ).assign(other_label="c", mutual=[0.1, 0.2, 0.3])
    rows = CATALOGUE["compared_pairs"].of(frame[["label", "other_label"]][:1])
    made = beside(rows, frame, "model", "mutual")
    assert [column.title for column in made.columns[2:]] == ["people", "net"]
    assert [cell.text for cell in made.rows[0][2:]] == ["0.100", "0.200"]
