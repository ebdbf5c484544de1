import json

import pandas as pd
import pytest

from consilience.responses import describe, read


def test_the_description_of_a_small_study_is_worked_by_hand():
    frame = pd.DataFrame(
        [
            ("1", "a", "x"),
            ("1", "b", "x"),
            ("1", "c", "y"),
            ("2", "a", "y"),
            ("2", "b", "y"),
            ("2", "b", "x"),
            ("3", "c", None),
            ("3", None, "x"),
        ],
        columns=["item", "annotator", "label"],
    )
    design = describe(read(frame, gold=pd.DataFrame({"item": ["1"], "label": ["x"]})))
    assert (design.answers, design.skipped, design.anonymous) == (7, 1, 1)
    assert (design.items, design.annotators, design.labels) == (3, 3, 2)
    assert design.repeated == 1
    # ordered pairs: item 1 has 6, of which 2 agree; item 2 has 6, of which 2 agree
    assert design.agreement == pytest.approx(4 / 12)
    # (1,a) (1,b) (1,c) (2,a) (2,b) of 3 x 3
    assert design.coverage == pytest.approx(5 / 9)
    assert design.frequencies == {"x": 4, "y": 3}
    assert (design.answers_per_question.min, design.answers_per_question.max) == (1, 3)
    assert design.answers_per_annotator.median == 2
    assert design.gold == 1


def test_what_cannot_be_known_is_none_in_json():
    design = describe(read(pd.DataFrame({"item": ["1"], "label": ["x"]})))
    text = json.dumps(design.to_dict(), allow_nan=False)
    assert json.loads(text)["coverage"] is None
    assert json.loads(text)["agreement"] is None
