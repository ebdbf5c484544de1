import pytest

from consilience.errors import DataError
from consilience.responses import describe, read


def test_yes_of_shown_gives_the_no_of_the_others(written):
    path = written(
        "a.csv", "image,label,n_yes,n_shown\n1,a,3,5\n1,b,0,5\n2,a,4,4\n3,a,0,0\n"
    )
    responses = read(path)
    result = responses.table[["item", "label", "answer", "n"]].astype("str")
    assert result.to_numpy().tolist() == [
        ["1", "a", "no", "2"],
        ["1", "a", "yes", "3"],
        ["1", "b", "no", "5"],
        ["2", "a", "yes", "4"],
    ]
    assert responses.kind == "contains"
    assert responses.num_items == 3
    assert "1 rows were shown to nobody" in str(responses.cleaning)
    assert describe(responses).agreement == pytest.approx((2 + 6 + 20 + 12) / 52)


def test_more_answers_than_were_shown_are_refused(written):
    path = written("a.csv", "item,label,n_yes,n_maybe,n_shown\n1,a,1,0,1\n1,b,3,1,3\n")
    with pytest.raises(DataError, match=r"row 3: 3 yes, 1 maybe, 3 shown"):
        read(path)


def test_a_matrix_of_items_by_labels_keeps_the_order_of_the_labels(written):
    path = written("a.csv", "item,z,a\n1,0,51\n2,10,41\n3,0,0\n")
    responses = read(path, format="counts")
    assert responses.labels["label"].tolist() == ["z", "a"]
    assert responses.table["n"].tolist() == [51, 10, 41]
    assert responses.num_items == 3
    with pytest.raises(DataError, match=r"row 2: the count is '-1'"):
        read(written("b.csv", "item,z,a\n1,-1,51\n"), format="counts")
