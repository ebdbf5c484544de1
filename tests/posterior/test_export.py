import json
import re

import numpy as np
import pandas as pd
import pyarrow.csv
import pytest

from consilience.errors import FolderExistsError, OptionError
from consilience.posterior._export import export

DANGEROUS = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\uff1d1",
    "'=1",
    "'",
)
HARMLESS = ("-1", "+1.5e3", "-.5", "007", "a=b", "", " =1", "né", "a,b", 'q"r')


def test_each_table_becomes_one_file(choice_fit, tmp_path):
    export(choice_fit(), ("labels", "confusion"), "parquet", tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["about.json", "confusion.parquet", "labels.parquet"]
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about["prob"] == 0.9
    assert about["interval"] == "equal-tailed"
    assert about["labels.label"].startswith("choice, objects: one of the candidates")
    assert "items.label" not in about


def test_no_cell_of_a_csv_file_is_a_formula_and_all_can_be_read_back(
    choice_fit, tmp_path
):
    names = (*DANGEROUS, *HARMLESS)
    fit = choice_fit(
        probability=np.full((len(names), len(names)), 1 / len(names)),
        classes=names,
        items=names,
    )
    what = ("labels", "items", "annotators", "confusion", "soft_labels")
    export(fit, what, "csv", tmp_path / "out")
    formula = re.compile("[=+\\-@\t\uff1d]")
    for name in what:
        table = read_csv_text(tmp_path / "out" / f"{name}.csv")
        cells = [text for row in table for text in row if text is not None]
        risky = {text for text in cells if formula.match(text)}
        assert {float(text) for text in risky} <= {-1, 1500, -0.5}
    items = read_csv_text(tmp_path / "out" / "items.csv")
    assert [row[0].removeprefix("'") for row in items[1:]] == list(names)


def read_csv_text(path):
    table = pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
        ),
    )
    columns = [map(none_or_text, column.to_pylist()) for column in table.columns]
    return list(zip(*columns, strict=True))


def none_or_text(value):
    return None if value is None else str(value)


def test_csv_gives_every_number_back_and_keeps_null_and_empty_apart(
    choice_fit, tmp_path
):
    fit = choice_fit(
        probability=[[1 / 3, 2 / 3], [0.1 + 0.2, 0.7]], annotators=("", "NA")
    )
    export(fit, ("labels", "confusion"), "csv", tmp_path / "out")
    labels = pyarrow.csv.read_csv(tmp_path / "out" / "labels.csv")
    assert labels["probability"].to_pylist() == [1 / 3, 2 / 3, 0.1 + 0.2, 0.7]
    rows = read_csv_text(tmp_path / "out" / "confusion.csv")[1:]
    assert [row[0] for row in rows] == [None] * 4 + [""] * 4 + ["NA"] * 4


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_numbers_of_single_precision_have_no_more_digits(choice_fit, tmp_path, ending):
    single = [[float(np.float32(0.4)), float(np.float32(0.6))], [1 / 3, 2 / 3]]
    export(choice_fit(probability=single), ("labels",), ending, tmp_path / "out")
    text = (tmp_path / "out" / f"labels.{ending}").read_text("utf-8")
    assert "0.4," in text
    assert "0.400000" not in text
    assert str(1 / 3)[:15] in text


def test_a_table_that_is_given_is_written_beside_those_of_the_fit(choice_fit, tmp_path):
    fit, more = choice_fit(), {"mine": pd.DataFrame({"item": ["=a"], "size": [2]})}
    export(fit, ("mine", "items"), "csv", tmp_path / "out", tables=more)
    assert read_csv_text(tmp_path / "out" / "mine.csv")[1] == ("'=a", "2")
    assert len(pd.read_csv(tmp_path / "out" / "items.csv")) == len(fit.items())
    export(fit, ["mine"], "parquet", tmp_path / "mine.parquet", tables=more)
    assert pd.read_parquet(tmp_path / "mine.parquet").equals(more["mine"])
    with pytest.raises(OptionError, match="did you mean 'mine'"):
        export(fit, ("mines",), "csv", tmp_path / "other", tables=more)


def test_an_earlier_export_is_replaced_if_asked_and_nothing_else_is(
    choice_fit, tmp_path
):
    fit, out = choice_fit(), tmp_path / "out"
    export(fit, ("labels",), "csv", out)
    files = export(fit, ("items",), "csv", out, overwrite=True)
    assert files == [out / "items.csv"]
    assert sorted(path.name for path in out.iterdir()) == ["about.json", "items.csv"]
    (out / "about.json").unlink()
    with pytest.raises(FolderExistsError, match="not written by this program"):
        export(fit, ("labels",), "csv", out, overwrite=True)
