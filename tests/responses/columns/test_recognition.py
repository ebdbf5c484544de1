"""Tables of any names of columns: read right or asked about, and never wrongly."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.responses import reading_back
from tests.responses.reading_back import NAMES

from consilience.errors import ConsilienceError, SourceError
from consilience.responses import read

LABELS = ("cat", "dog", "fox")


def answers(seed=0, *, items=40, annotators=5, each=3, labels=LABELS, skill=0.8):
    """Return answers of annotators who are right so often, and the truth."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for k in range(items):
        name = f"i{k:03d}"
        truth[name] = labels[rng.integers(len(labels))]
        for who in rng.choice(annotators, each, replace=False):
            right = rng.random() < skill
            label = truth[name] if right else labels[rng.integers(len(labels))]
            rows.append((name, f"w{who}", label))
    return pd.DataFrame(rows, columns=NAMES), truth


def back(responses):
    return sorted(reading_back.back(responses))


def rows_of(frame):
    return sorted(map(tuple, frame[NAMES].astype("str").to_numpy()))


def outcome(table, **options):
    """Return what was read; None: it was asked."""
    try:
        return back(read(table, **options))
    except ConsilienceError:
        return None


@pytest.mark.parametrize(
    "names",
    [
        "bildnummer wer befund",
        "q_id coder code",
        "imagen anotador etiqueta",
        "texte annotateur réponse",
        "hit_id turker verdict",
        "unit_id judge decision",
        "sample reviewer tag",
        "doc_id respondent score",
        "fall arzt diagnose",
        "afbeelding beoordelaar oordeel",
        "policy_clause judge final_verdict",
        "Beleg-Nr. Prüfer/in Einstufung",
    ],
)
def test_less_usual_names_are_assumed_where_the_content_agrees(names):
    frame, _ = answers()
    responses = read(frame.set_axis(names.split(), axis=1))
    assert back(responses) == rows_of(frame)
    assert "By its name and what it holds" in responses.assumptions[0]
    # The same names over other content are asked about.
    turned = frame.iloc[:, [2, 0, 1]].set_axis(names.split(), axis=1)
    assert outcome(turned) is None


def test_answers_that_agree_by_chance_alone_are_asked_about():
    frame, _ = answers(items=60, each=4, annotators=6, skill=0.0)
    named = frame.set_axis(["image_file", "worker_id", "animal"], axis=1)
    with pytest.raises(ConsilienceError, match="which column is which"):
        read(named)


@pytest.mark.parametrize("seed", range(2))
def test_the_call_that_is_proposed_reads_the_table(seed):
    frame, _ = answers(seed)
    table = frame.iloc[:, [1, 2, 0]].set_axis(["a", "b", "c"], axis=1)
    with pytest.raises(SourceError) as caught:
        read(table)
    first = str(caught.value).partition(" or `")[0]
    call = dict(re.findall(r'`(\w+)="(\w+)"`', first))
    assert call == {"item": "c", "annotator": "a", "label": "b"}
    assert back(read(table, **call)) == rows_of(frame)


def test_an_annotator_of_another_name_is_not_lost():
    frame, _ = answers()
    assert back(read(frame.rename(columns={"annotator": "who"}))) == rows_of(frame)
    with pytest.raises(SourceError, match=r'`annotator="zzz"`.*`format="long"`'):
        read(frame.rename(columns={"annotator": "zzz"}))
    assert read(frame.drop(columns="annotator")).anonymous


PEOPLE = {
    "raters": "rater1 rater2 rater3 rater4 rater5",
    "people": "Anna Ben Carla Dimitri Eva",
    "numbers": "0 1 2 3 4",
    "labels": "label_1 label_2 label_3 label_4 label_5",
    "others": "foo bar baz qux quux",
}
LEADS = ["Unnamed: 0", "kennung", None]


def wide(frame, names):
    table = frame.pivot(index="item", columns="annotator", values="label")  # noqa: PD010
    called = dict(zip(sorted(table.columns), names, strict=True))
    wanted = frame.assign(annotator=frame["annotator"].map(called))
    return table.rename(columns=called).rename_axis(columns=None), wanted


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("kind", PEOPLE)
def test_a_wide_table_is_recognised(kind, lead):
    frame, _ = answers()
    table, wanted = wide(frame, PEOPLE[kind].split())
    if lead is None:
        number = {name: str(k) for k, name in enumerate(table.index)}
        wanted = wanted.assign(item=wanted["item"].map(number))
        table = table.reset_index(drop=True)
        if kind == "others":
            assert outcome(table) is None
            return
    else:
        table = table.rename_axis(lead).reset_index()
    responses = read(table)
    assert back(responses) == rows_of(wanted)
    assert "holds the labels of one annotator" in responses.assumptions[0]


def test_a_column_made_of_the_others_is_asked_about():
    frame, _ = answers(each=5)
    table, _ = wide(frame, PEOPLE["people"].split())
    made = table.assign(zzz=table.mode(axis=1)[0]).reset_index()
    with pytest.raises(SourceError, match=r"'zzz'.*`exclude=zzz`"):
        read(made)
    assert read(made, exclude=["zzz"]).num_annotators == 5
    again = table.assign(Zoe=table["Anna"]).reset_index()
    assert read(again).num_annotators == 6


@pytest.mark.parametrize("lead", ["annotator", "x"])
def test_rows_may_be_annotators(lead):
    frame, _ = answers()
    table, wanted = wide(frame, PEOPLE["people"].split())
    turned = table.T.rename_axis(lead).reset_index()
    responses = read(turned)
    assert back(responses) == rows_of(wanted)
    assert "Each row holds the answers of one annotator" in responses.assumptions[0]
    named = read(turned, format="wide", annotator=lead)
    assert back(named) == rows_of(wanted)
    # Rows of items are not turned.
    assert back(read(table.reset_index())) == rows_of(wanted)


def numbers(size, low, high, seed=0):
    return np.random.default_rng(seed).integers(low, high, size)


N = 60
OTHERS = {
    "aspects of texts": {
        "text_id": range(N),
        **{
            name: np.clip(numbers(N, 1, 6) + numbers(N, -1, 2, k), 1, 5)
            for k, name in enumerate(["fluency", "adequacy", "style"])
        },
    },
    "a survey": {"id": range(N), **{f"q{k}": numbers(N, 1, 6, k) for k in range(8)}},
    "one column per label": {
        "image": range(N),
        **{name: numbers(N, 0, 2, k) for k, name in enumerate(["cat", "dog", "fox"])},
    },
    "counts": {"image": range(N), "cat": numbers(N, 0, 8), "dog": numbers(N, 0, 8, 1)},
    "measures": {
        "id": range(N),
        "age": numbers(N, 18, 80),
        "weight": numbers(N, 50, 90),
    },
    "ranked labels": {
        "image": range(N),
        **{f"label_{k}": np.roll(["cat", "dog", "fox"] * 20, k) for k in range(3)},
    },
    "models": {
        "image": range(N),
        "resnet": np.take(["a", "b"], numbers(N, 0, 2)),
        "vgg": np.take(["a", "b"], numbers(N, 0, 2, 1)),
    },
    "pairs": {
        "left": np.take(list("abcdef"), numbers(N, 0, 6)),
        "right": np.take(list("abcdef"), numbers(N, 0, 6, 1)),
        "winner": np.take(["left", "right"], numbers(N, 0, 2)),
    },
    "two labels": {
        "bild": np.arange(N) // 3,
        "wer": np.arange(N) % 3,
        "befund": np.take(["a", "b"], numbers(N, 0, 2, 3)),
        "diagnose": np.take(["p", "q"], numbers(N, 0, 2, 4)),
    },
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_such_table_is_asked_about(name):
    with pytest.raises(ConsilienceError) as caught:
        read(pd.DataFrame(OTHERS[name]))
    assert re.search(r"`\w+=|read it with", str(caught.value))
    assert len(str(caught.value)) < 600
