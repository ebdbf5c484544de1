"""The summary of what was read, where little was read."""

import pandas as pd

from consilience.responses import describe, read


def test_a_table_of_which_every_question_was_skipped_has_a_summary():
    frame = pd.DataFrame(
        {"item": [1, 2], "annotator": ["a", "b"], "label": [None, "x"]}
    )
    responses = read(frame, labels=["x"])
    skipped = responses.where(responses.table["label"].isna())
    assert skipped.summary.answers_per_item == (0, 0.0, 0)
    assert skipped.summary.answers == 0


def test_answers_without_annotator_are_counted_as_often_as_they_were_given():
    rows = [
        *[("a", "ann", "u", 1), ("a", None, "v", 3), ("b", None, "u", 2)],
        *[("b", None, None, 4), ("b", "bob", "u", 1)],
    ]
    responses = read(pd.DataFrame(rows, columns=["item", "annotator", "label", "n"]))
    notes = responses.cleaning.notes
    assert "answers without annotator (anonymous): 5" in notes
    assert describe(responses).anonymous == 5
