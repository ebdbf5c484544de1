import numpy as np
import pytest

from consilience.errors import OptionError
from consilience.posterior.labels import soft_labels


def test_a_label_that_is_no_candidate_has_probability_zero(choice_fit):
    fit = choice_fit(
        probability=[[0.7, 0.3], [1.0, np.nan]],
        candidate_class=[[2, 0], [1, -1]],
        classes=("a", "b", "c"),
    )
    table = soft_labels(fit.data)
    assert list(table.columns) == ["item", "a", "b", "c"]
    assert table["item"].tolist() == ["image 0", "image 1"]
    assert table[["a", "b", "c"]].to_numpy().tolist() == [[0.3, 0, 0.7], [0, 1, 0]]


def test_a_label_that_was_not_asked_about_is_unknown(contains_fit):
    table = soft_labels(contains_fit().data)
    assert table["item"].tolist() == ["img1", "img2"]
    assert table["dog"].isna().tolist() == [False, True]
    assert table["cat"].tolist() == [0.1, 0.5]


def test_a_label_named_item_is_refused(choice_fit):
    with pytest.raises(OptionError, match="named 'item'"):
        soft_labels(choice_fit(classes=("item", "dog")).data)
