"""The summary of what was read, where little was read."""

import pandas as pd

from consilience.responses import read


def test_a_table_of_which_every_question_was_skipped_has_a_summary():
    frame = pd.DataFrame(
        {"item": [1, 2], "annotator": ["a", "b"], "label": [None, "x"]}
    )
    responses = read(frame, labels=["x"])
    skipped = responses.where(responses.table["label"].isna())
    assert skipped.summary.answers_per_item == (0, 0.0, 0)
    assert skipped.summary.answers == 0
