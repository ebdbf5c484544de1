"""Arguments that cannot be used are refused in one sentence, the nearest name proposed.

The calls run in a process of their own, where types are not checked on the way in, as
they are in the other tests.
"""

import json
import subprocess
import sys

import pytest

from consilience.errors import not_among

PROGRAM = """
import json, sys
import pandas as pd
import consilience as cs
from consilience.errors import ConsilienceError

nan = float("nan")
frame = pd.DataFrame({"item": [1, 1, 2], "annotator": [1, 2, 1], "label": [0, 1, 1]})
empty = frame.iloc[:0]
asked = frame.rename(columns={"label": "answer"}).assign(label="cat")
model = {"model": "bayesian_dawid_skene"}
ranked = cs.comparisons.fit(
    cs.comparisons.read({"first": [*"xyx"], "second": [*"yxy"], "winner": [*"xxy"]})
)
found = {}
for call in json.load(sys.stdin):
    try:
        eval(call)
        found[call] = "nothing was raised"
    except ConsilienceError as error:
        found[call] = str(error)
    except Exception as error:
        found[call] = f"traceback: {error!r}"
print(json.dumps(found))
"""
CALLS = {
    "cs.contains.filtering(cs.fit(asked), by='vote')": "did you mean 'votes'?",
    "cs.scoring.ScoreOptions(clip=2)": "clip is 2; give the smallest probability",
    "cs.read(frame, kind='choise')": "did you mean 'choice'?",
    "cs.read(frame, repeats='frist')": "did you mean 'first'?",
    "cs.read(frame, repeats=None)": "no rule for repeats None",
    "cs.read(frame, format='lon')": "did you mean 'long'?",
    "cs.read(frame, missing='NA')": "give a list",
    "cs.read(frame, label=3)": "label is of type int; give the name of a column",
    "cs.read(frame, separator=5)": "separator is of type int",
    "cs.read(frame, fold_case='no')": "fold_case is of type str",
    "cs.read(frame['item'])": "of type Series",
    "cs.read(empty)": "no row",
    "cs.fit(frame['item'].to_numpy())": "of type ndarray",
    "cs.fit(frame, model='dawid_skeen')": "did you mean 'dawid_skene'?",
    "cs.fit(frame, seed='x')": "seed is 'x'",
    "cs.fit(frame, effort={})": "effort is of type dict",
    "cs.fit(frame, prior={'onw': 1.0}, **model)": "did you mean 'own'?",
    "cs.fit(frame, prior={'own': nan}, **model)": "own is nan",
    "cs.analysis.gold_design(cs.fit(frame, **model), 1.5)": "give a number from 1 to",
    "cs.fit(frame, gold=frame['label'], **model)": "gold is of type Series",
    "cs.predict(5, frame)": "fit is of type int",
    "cs.analysis.label_sets(cs.read(frame), frame)": "fit is of type Responses",
    "cs.analysis.label_sets(cs.fit(frame, **model), None)": "gold is of type NoneType",
    "cs.EngineOptions(tolerance=nan)": "tolerance is nan",
    "cs.EngineOptions(draws=1.5)": "draws is 1.5",
    "cs.sklearn.MajorityVote().fit(frame[['item']])": "no column worker or annotator",
    "cs.sklearn.DawidSkene().fit(frame, true_labels=5)": "true_labels is of type int",
    "cs.sklearn.BradleyTerry().fit(frame)": "no column left",
    "cs.sklearn.BradleyTerry().fit(5)": "the data is of type int",
    "cs.sklearn.DawidSkene(tol=nan).fit(frame)": "tolerance is nan",
    "cs.agreement(frame)": "of type DataFrame",
    "cs.plot.ranking(ranked, 'ranks')": "choose one of scores, wins",
}


@pytest.fixture(scope="module")
def messages():
    """Return what each call says."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(list(CALLS)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(("call", "sentence"), CALLS.items())
def test_what_cannot_be_used_is_refused_in_a_sentence(messages, call, sentence):
    assert sentence in messages[call]


def test_without_a_near_name_none_is_proposed():
    text = not_among("engine", "magic", ["em", "vb"])
    assert text == "there is no engine 'magic'; choose one of em, vb"
