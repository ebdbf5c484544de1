"""Side tables and options that cannot be used are one clear sentence."""

import pandas as pd
import pytest

from consilience.errors import ConsilienceError, DataError
from consilience.responses import read

FRAME = pd.DataFrame(
    {"item": [1, 2, 1], "annotator": ["a", "a", "b"], "label": ["x", "y", "x"]}
)


def test_a_folder_in_place_of_a_side_table_is_an_error(tmp_path):
    with pytest.raises(ConsilienceError, match=r"cannot be read \(Is a directory\)"):
        read(FRAME, gold=tmp_path)


def test_an_empty_cell_of_the_offer_is_found_in_its_row_below_equal_rows():
    offered = pd.DataFrame({"item": [1, 1, 2], "label": ["x", "x", None]})
    with pytest.raises(DataError, match="row 3: the label is empty"):
        read(FRAME, offered=offered)


def test_a_message_does_not_grow_with_the_data(written):
    path = written("a.csv", f"item,annotator,{'x ' * 50_000}label\n1,a\n")
    with pytest.raises(ConsilienceError, match=r"fix the row or give the .*sep"):
        read(path)
    with pytest.raises(ConsilienceError) as caught:
        read(path)
    assert len(str(caught.value)) < 2_100
