"""Which labels are valid: by hand, and in a study where most candidates go unnamed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit, logit

import consilience as cs
from consilience.objects.draws import Chunk, streams
from consilience.objects.response_panels import OPINION, WEIGHT, LabelCounts, levels

WORLDS = 4000


def validity(shares, votes, answers, *, own=-1, frequency=0.95, synonyms=False):
    """Return how often each of two names of one object is valid, of many worlds."""
    shape = (1, WORLDS, 2)
    share = np.broadcast_to(np.array(shares, float), shape)
    chunk = Chunk(
        rows=np.zeros(1, int),
        partition=np.ones((1, 1)),
        blocks=np.broadcast_to([3, 0], shape),
        salience=np.broadcast_to([1.0, 0.0], shape),
        frequency=np.broadcast_to([frequency, 0.0], shape),
        object_of=np.zeros(shape, int),
        share=share,
        rate=np.ones(shape),
        lists=np.ones((1, WORLDS)),
        none=np.zeros((1, WORLDS)),
        synonyms=np.full(shape, synonyms),
        duplicates=np.zeros((2, 4, 2)),
    )
    given = LabelCounts(
        np.array([votes], float),
        np.array([answers], float),
        np.zeros(1, int),
        np.array([[answers, 0]]),
        np.array([own]),
    )
    result = levels(chunk, np.zeros(1, int), given, streams(0, np.array(["i"], object)))
    assert (result <= frequency).all()
    return result


def valid(*told_of, **settings):
    return (validity(*told_of, **settings)[0] > 0.5).mean(0)


MANY = 10**8  # so that the share who give a label is what they say
GIVEN = ([0.8, 0.2], [0.6 * MANY, 0.3 * MANY], MANY)
NOISE = 4 / WORLDS  # the random numbers are evenly spread


@pytest.mark.parametrize(
    ("how", "relative", "weight", "opinion"),
    [
        ({}, 0.25, 1, [0, 0]),
        ({"own": 1}, 0.25, WEIGHT, [-OPINION, OPINION]),
        ({"synonyms": True}, 0.5, 1, [0, 0]),  # another is used more, and right too
    ],
)
def test_the_odds_of_a_right_name_are_those_stated(how, relative, weight, opinion):
    result = validity(*GIVEN, frequency=0.9, **how)[0]
    q = np.sqrt(np.array([0.6, 0.3]) * 0.9 * np.array([1.0, relative]))
    odds = logit(q) * np.array([1, weight]) + np.array(opinion)
    for tau in (0.2, 0.5, 0.8):  # a threshold moves the odds by its own
        stated = expit(odds - logit(tau))
        assert np.abs((result > tau).mean(0) - stated).max() < NOISE
    assert np.abs((result > 0.4).mean(0) - expit(odds)).max() > NOISE


def test_a_name_that_nobody_gave_is_not_valid_because_its_object_is_there():
    named, unnamed = valid([0.97, 0.03], [9, 0], 9)
    assert named > 0.85
    assert unnamed < 0.05


def test_names_given_together_are_both_right_and_rivals_are_not():
    together = valid([0.5, 0.5], [9, 9], 9)
    rivals = valid([0.55, 0.45], [5, 4], 9)
    assert together.min() > 0.8
    assert rivals.max() < 0.75
    assert rivals[0] > rivals[1] > 0.2


def test_the_label_of_the_data_set_needs_more_votes_to_be_as_sure():
    named = valid([0.9, 0.1], [9, 1], 9)
    own = valid([0.9, 0.1], [9, 1], 9, own=0)
    assert own[0] < named[0]
    assert own[1] < named[1]
    seldom = valid([0.1, 0.9], [1, 9], 9)
    assert valid([0.1, 0.9], [1, 9], 9, own=0)[0] > seldom[0]


@pytest.mark.parametrize("own", [pytest.param(False, marks=pytest.mark.study), True])
def test_an_only_candidate_is_held_to_the_same_rule(own):
    people, other = {"i": 1, "j": 9}, [("k", "a", "x"), ("k", "b", "y")]
    rows = [(item, f"a{k}", "x") for item, n in people.items() for k in range(n)]
    frame = pd.DataFrame([*rows, *other], columns=["item", "annotator", "label"])
    responses = cs.read(frame, kind="objects")
    if own:
        items = pd.DataFrame({"item": list("ijk"), "dataset_label": "x"})
        responses = replace(responses, items=items.astype("str"))
    effort = cs.EngineOptions(restarts=1)
    fit = cs.fit(responses, model="objects", engine="em", effort=effort)
    result = fit.labels().astype({"item": str}).set_index("item")["probability"]
    for item, n in people.items():

        def stated(share, n=n):
            odds = logit(np.sqrt(share))
            odds = WEIGHT * odds + OPINION if own else odds
            return expit(odds) * stats.beta.pdf(share, n + 1, 1)

        # Draws of the share spread by less than .3, and there are a thousand.
        noise = 4 * 0.3 / np.sqrt(1000)
        assert result[item] == pytest.approx(quad(stated, 0, 1)[0], abs=noise)


def test_an_object_that_is_not_there_has_no_valid_name():
    assert valid([0.9, 0.1], [4, 1], 9, frequency=0.49).max() == 0


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(False, id="plain"),
        pytest.param(True, id="log_odds", marks=pytest.mark.study),
    ],
)
def unnamed(request):
    """Return a study with candidates, most of which nobody names, and its fit."""
    generator = np.random.default_rng(0)
    names = [f"class{k:02d}" for k in range(30)]
    answers, candidates = [], []
    for i in range(25):
        item, shown = f"photo{i:02d}", list(generator.choice(names, 5, replace=False))
        odds = np.sort(generator.normal(-2, 1.5, 5))[::-1]
        candidates += [(item, *each) for each in zip(shown, odds, strict=True)]
        two = generator.random() < 0.25
        for a in range(7):
            said = {shown[0]} | ({shown[1]} if two and a < 5 else set())
            answers += [(item, f"w{a}", name, name == shown[0]) for name in said]
    columns = ["item", "annotator", "label", "main"]
    frame = pd.DataFrame(answers, columns=columns)
    known = pd.DataFrame(candidates, columns=["item", "label", "log_odds"])
    known = known if request.param else known[["item", "label"]]
    responses = cs.read(frame, kind="objects", labels=names)
    effort = cs.EngineOptions(restarts=1)
    fit = cs.fit(
        responses, model="objects", engine="em", candidates=known, effort=effort
    )
    votes = frame.groupby(["item", "label"])["annotator"].nunique()
    table = fit.labels().astype({"item": str, "label": str})
    pairs = pd.MultiIndex.from_frame(table[["item", "label"]])
    return fit, table.assign(votes=votes.reindex(pairs).fillna(0).to_numpy())


def test_candidates_that_nobody_named_are_not_valid(unnamed):
    fit, table = unnamed
    mean = table.groupby("votes")["probability"].mean()
    assert mean[0] <= 0.05
    assert mean[7] >= 0.8
    never = table[table["votes"] == 0].groupby("item")["label"].first().reset_index()
    result = cs.evaluate(fit, never.assign(rank=1), top=1).models
    accuracy = result.query("metric == 'accuracy' and subset == 'all'")["value"].item()
    assert accuracy <= 0.05


def test_their_objects_alone_would_have_called_them_valid(unnamed):
    fit, table = unnamed
    objects = fit.table("objects").astype({"item": str, "label": str})
    both = table.merge(objects, on=["item", "label"], suffixes=("", "_of_object"))
    assert both.loc[both["votes"] == 0, "probability_of_object"].mean() > 0.05
