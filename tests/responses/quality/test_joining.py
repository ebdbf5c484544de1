"""Answers that came one after the other, as one reading."""

from dataclasses import replace

import pandas as pd
import pytest

from consilience.errors import DataError, OptionError
from consilience.responses import read
from consilience.responses.table import concatenate

ROWS = pd.DataFrame(
    {
        "item": list("iijjk"),
        "annotator": list("abaca"),
        "label": ["cat", "dog", "dog", "eel", "ant"],
    }
)


def plain(responses):
    columns = ["item", "annotator", "label"]
    return responses.table[columns].astype(str).reset_index(drop=True)


def test_answers_in_parts_are_the_answers_at_once():
    parts = [read(ROWS.iloc[:2]), read(ROWS.iloc[2:4]), read(ROWS.iloc[4:])]
    result = concatenate(parts)
    assert plain(result).equals(plain(read(ROWS)))
    assert set(result.labels["label"]) == set(read(ROWS).labels["label"])
    assert result.cleaning.answers == 5
    labels = result.table["label"].cat.categories
    assert labels.tolist() == result.labels["label"].tolist()


def test_an_annotator_who_comes_back_to_an_item_is_refused():
    with pytest.raises(DataError, match="annotator 'a' had answered about"):
        concatenate([read(ROWS), read(ROWS.iloc[4:])])


def test_answers_of_two_kinds_are_not_joined():
    other = read(ROWS.assign(answer="yes"), kind="contains")
    with pytest.raises(OptionError, match="answers of kind choice and contains"):
        concatenate([read(ROWS), other])


def test_what_was_said_last_of_an_item_is_kept():
    first = read(ROWS.iloc[:2])
    later = read(ROWS.iloc[2:])
    one, other = (
        pd.DataFrame({"item": ["i", "j"], "dataset_label": labels}, dtype="str")
        for labels in (["cat", "dog"], ["cat", "eel"])
    )
    result = concatenate([replace(first, items=one), replace(later, items=other)])
    reported = result.items.set_index("item")["dataset_label"]
    assert reported.to_dict() == {"i": "cat", "j": "eel"}
