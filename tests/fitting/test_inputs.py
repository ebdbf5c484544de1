"""Side tables of a fit are held to the rules of tables."""

import pandas as pd
import pytest

from consilience.errors import BadCellError, ConsilienceError, UnreadableFileError
from consilience.fitting.inputs import (
    as_candidates,
    as_similarity,
    as_table,
    classifiers_of,
)
from consilience.responses import read

RESPONSES = read(
    pd.DataFrame({"item": [1, 2], "worker": ["a", "b"], "label": ["x", "y"]})
)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"item": [1, 2], "label": ["x", None]}, "row 2: the label is empty"),
        ({"item": [None, 2], "label": ["x", "y"]}, "row 1: the item is empty"),
        ({"item": [1, 2], "label": [["x"], ["y"]]}, "column 'label' holds lists"),
    ],
)
def test_a_row_of_candidates_or_gold_without_item_or_label_is_an_error(rows, said):
    for what in ("candidates", "gold"):
        with pytest.raises(BadCellError, match=said):
            as_table(pd.DataFrame(rows), what)


def test_a_damaged_folder_of_candidates_is_named(tmp_path):
    frame = pd.DataFrame({"item": ["1"], "label": ["x"], "score": [0.0]})
    frame.to_parquet(tmp_path / "candidates.parquet")
    for name in ("labels.parquet", "sources.parquet"):
        (tmp_path / name).write_bytes(b"PAR1PAR1")
        with pytest.raises(UnreadableFileError, match=name):
            as_candidates(tmp_path, RESPONSES)
    with pytest.raises(UnreadableFileError, match=r"sources\.parquet"):
        classifiers_of(tmp_path)
    (tmp_path / "candidates.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConsilienceError, match=r"candidates\.parquet"):
        as_similarity(tmp_path / "candidates.parquet", ["x", "y"])
    with pytest.raises(ConsilienceError, match=r"labels\.parquet|candidates\.parquet"):
        as_similarity(tmp_path, ["x", "y"])
