"""Comparisons are read from tables of every usual form."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import ColumnError, DataError, SourceError

FORMS = {
    "names": ["x", "z", "tie"],
    "sides": ["first", "second", "draw"],
    "left": ["left", "Right", "both"],
    "letters": ["A", "b", "equal"],
    "models": ["model_a", "model_b", "tie (bothbad)"],
    "responses": ["response1", "response2", "Tie"],
    "numbers": [1, 2, 0.5],
    "written numbers": ["1.0", "2.0", "0.5"],
    "points": [1.0, 0.0, 0.5],
    "orders": ["A>B", "B>A", "A=B"],
    "strong": ["A>>B", "A<B", "=="],
    "signs": [">", "<", "="],
    "verdicts": ["[[A]]", "[[B]]", "[[C]]"],
}


@pytest.mark.parametrize("form", FORMS)
def test_winners_of_every_form_are_the_same(form):
    rows = {"left": [*"xyz"], "right": [*"yzx"], "winner": FORMS[form]}
    comparisons = cs.comparisons.read(rows)
    assert list(comparisons.outcome) == [0, 1, 2]
    assert list(comparisons.table["winner"]) == ["x", "z", "tie"]


@pytest.mark.parametrize(
    "names",
    [
        ("judge", "first", "second", "winner", "item"),
        ("worker", "left", "right", "label", "task"),
        ("Annotator", "model_a", "model_b", "Winner", "question_id"),
        ("rater", "system a", "system b", "preference", "prompt"),
        ("annotator", "a", "b", "choice", "id"),
    ],
)
def test_columns_are_recognized(names, tmp_path):
    values = (["ann", "bob"], ["x", "y"], ["y", "x"], ["x", "x"], [1, 1])
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))
    frame.to_csv(tmp_path / "c.csv", index=False)
    frame.to_parquet(tmp_path / "c.parquet")
    frame.to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    tables = [
        cs.comparisons.read(source).table
        for source in (
            frame,
            *(tmp_path / f"c.{s}" for s in ("csv", "parquet", "jsonl")),
        )
    ]
    for table in tables:
        assert table.astype(str).equals(tables[0].astype(str))
    assert list(tables[0]["judge"]) == ["ann", "bob"]
    assert list(tables[0]["item"]) == ["1", "1"]


def test_systems_may_be_numbered():
    rows = {"first": [0, 1, 2], "second": [1, 2, 0], "winner": ["0", "2", "tie"]}
    assert list(cs.comparisons.read(rows).outcome) == [0, 1, 2]
    several = {"first": [1, 3, 2], "second": [2, 1, 3], "winner": [2, 1, 3]}
    assert list(cs.comparisons.read(several).outcome) == [1, 1, 1]


def test_rows_without_a_winner_are_counted():
    rows = {"first": [*"xxx"], "second": [*"yyy"], "winner": ["x", "", None]}
    comparisons = cs.comparisons.read(rows)
    assert (len(comparisons), comparisons.skipped) == (1, 2)
    assert comparisons.judges == ("(anonymous)",)


def test_rows_without_an_item_are_not_of_one():
    rows = {"first": [*"xxx"], "second": [*"yyy"], "winner": [*"xyx"]}
    for items in ({}, {"item": ["", None, "a"]}):
        comparisons = cs.comparisons.read(rows | items)
        assert len(set(comparisons.item)) == 3


def test_further_numbers_are_kept_and_names_win_over_guesses():
    rows = {"one": ["x"], "two": ["y"], "winner": ["y"], "better": ["x"], "words": [3]}
    read = cs.comparisons.read(rows, first="one", second="two", winner="better")
    assert list(read.table["winner"]) == ["x"]
    assert list(read.further) == ["words"]


REFUSED = {
    "row 2: winner 'w' is unknown; expected the name": ([*"xx"], [*"yy"], [*"xw"]),
    "row 1: 'x' is compared with itself": (["x"], ["x"], ["x"]),
    "row 1: winner 'A' is the name of a system and": ([*"BB"], [*"AC"], [*"AA"]),
    "row 1: winner '1' is the name of a system and": (["2"], ["1"], ["1"]),
    "0 may be the second system or a tie": ([*"xxx"], [*"yyy"], [0, 1, 2]),
    "no row has a winner": (["x"], ["y"], [""]),
    "the second system is missing": (["x"], [""], ["x"]),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_ambiguous_or_unknown_is_refused_with_its_place(message):
    rows = dict(zip(("first", "second", "winner"), REFUSED[message], strict=True))
    with pytest.raises(DataError, match=message):
        cs.comparisons.read(rows)


def test_what_is_missing_is_named(tmp_path):
    rows = pd.DataFrame({"first": ["x"], "second": ["y"], "won": ["x"]})
    with pytest.raises(ColumnError, match="no column is recognized as winner"):
        cs.comparisons.read(rows)
    with pytest.raises(ColumnError, match="did you mean 'won'"):
        cs.comparisons.read(rows, winner="wone")
    with pytest.raises(SourceError, match="no such file"):
        cs.comparisons.read(tmp_path / "nowhere.csv")
    grouped = rows.rename(columns={"won": "winner"}).loc[[0, 0]]
    with pytest.raises(DataError, match="in several groups"):
        cs.comparisons.read(grouped.assign(group=["p", "m"], judge="j"))


def test_codes_stay_when_some_are_taken(draw):
    table, _ = draw(0, number=50)
    comparisons = cs.comparisons.read(table)
    some = comparisons.take(np.arange(50) < 20)
    assert some.systems == comparisons.systems
    assert some.table.equals(comparisons.table.head(20))


@pytest.mark.parametrize("winner", ["names", "columns"])
def test_comparisons_are_not_taken_for_answers_about_items(draw, winner):
    table, _ = draw(0, number=200)
    if winner == "columns":
        won = np.where(table["winner"] == table["first"], "first", "second")
        table["winner"] = np.where(table["winner"] == "tie", "tie", won)
    with pytest.raises(ColumnError, match="'winner' say which of 'first' and 'second'"):
        cs.read(table)
    roles = {"item": "item", "annotator": "judge", "label": "winner"}
    assert cs.read(table, **roles).num_responses == 200


def test_two_models_whose_answers_a_person_decides_between_are_no_comparisons():
    random = np.random.default_rng(0)
    one, other = random.choice([*"abc"], (2, 200))
    columns = {"item": range(200), "model_1": one, "model_2": other}
    said = np.where(random.random(200) < 0.9, one, random.choice([*"abc"], 200))
    table = pd.DataFrame(columns).assign(annotator="ann", label=said)
    assert cs.read(table).num_responses == 200
