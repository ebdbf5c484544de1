"""Tables of objects: their pairs of names."""

import pandas as pd

import consilience as cs

NONE = "none of these"


def test_none_of_these_is_in_no_pair_of_names():
    rows = [
        (f"i{item}", f"p{who}", [NONE, "tabby", "tiger cat"][(item + who) % 3])
        for item in range(9)
        for who in range(6)
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    fit = cs.fit(cs.read(frame, kind="objects"), model="objects", engine="em")
    pairs = fit.same_object()
    assert set(map(tuple, pairs[["label_a", "label_b"]].astype(str).to_numpy())) == {
        ("tabby", "tiger cat")
    }
    assert "pairs of names leave it out" in fit.data.attrs["assumptions"]
