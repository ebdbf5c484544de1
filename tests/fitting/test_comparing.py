"""Models compared on answers of which the model is known."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from benchmarks.simulation_based_calibration import replace_answers

from consilience.annotators import fittable, load
from consilience.errors import OptionError
from consilience.fitting import EngineOptions, compare, comparing
from consilience.fitting.request import Request
from consilience.fitting.single import fit_one
from consilience.model import dirichlet_priors, simulate
from consilience.posterior.leave_one_out import SHRINKAGE
from consilience.progress import silent
from consilience.responses import read
from consilience.simulation import simulate as study
from consilience.spaces import space_of
from consilience.truth.response_matrix import response_matrix

OWN, POOLED, KINDS = "hierarchical_dawid_skene", "multinomial", "ebcc"
STUDIES = 6
ENOUGH = EngineOptions(restarts=2, draws=40)


def tables(model, prior, *, shuffled=False):
    """Compare three models on studies that one of them, or its like, has made."""
    design = space_of(
        study(items=200, annotators=8, classes=3, per_item=6, seed=0).responses
    )
    words = len(design.answers)
    results = []
    with jax.enable_x64(True):
        made_by = load(model, prior)
        for seed in range(STUDIES):
            drawn = simulate(made_by, design, jax.random.key(seed))
            responses = replace_answers(design, np.asarray(drawn.answer))
            if shuffled:
                order = np.random.default_rng(seed).permutation(len(design.unit))
                whose = np.repeat(design.annotator[order], words)
                responses = replace(responses, annotator=whose)
            names = (OWN, POOLED, KINDS)
            _, table = comparing.compare_models(
                responses, names, Request(seed=seed, effort=ENOUGH), silent
            )
            results.append(table.set_index("model"))
    return results


def lead(comparison, one, other):
    """How far one model is ahead of another over all studies, in standard errors.

    The error of the difference is that of the one which is behind, to the best.
    """
    difference = [each["elpd"][one] - each["elpd"][other] for each in comparison]
    error = [each["difference_se"][[one, other]].max() for each in comparison]
    return np.sum(difference) / np.sqrt(np.sum(np.square(error)))


@pytest.fixture(scope="module")
def of_their_own():
    """Annotators differ much, and err independently."""
    return tables(OWN, {"own": 3.0, "other": 0.7})


@pytest.fixture(scope="module")
def nobodys():
    """The same, and the annotators' names dealt out anew."""
    return tables(OWN, {"own": 3.0, "other": 0.7}, shuffled=True)


@pytest.fixture(scope="module")
def of_kinds():
    """Each label is of two kinds, which annotators confuse with different others."""
    return tables(KINDS, {"subtypes": 2.0, "spread": 6.0, "own": 1.5, "other": 0.3})


def test_annotators_that_differ_are_told_apart(of_their_own):
    assert lead(of_their_own, OWN, POOLED) > 4
    assert all(each["best"][POOLED] < 0.05 for each in of_their_own)


def test_where_names_mean_nothing_the_advantage_is_gone(nobodys):
    assert lead(nobodys, OWN, POOLED) < 4
    assert lead(nobodys, POOLED, OWN) > 0


@pytest.mark.study
def test_labels_of_two_kinds_are_found(of_kinds):
    assert lead(of_kinds, KINDS, OWN) > 4
    # One study of 200 items may favour another model, within the error of its lead.
    for each in of_kinds:
        assert each["difference"][KINDS] >= -3 * each["difference_se"][KINDS]
    # Its shares of labels do not show drift, so what it gets is by stacking: more than
    # half of that, where the model leads.
    ahead = [each for each in of_kinds if each.index[0] == KINDS]
    assert len(ahead) > STUDIES / 2
    assert all(each["weight"][KINDS] > (1 - SHRINKAGE) / 2 for each in ahead)


def test_kinds_that_are_not_there_give_no_advantage(of_their_own):
    assert lead(of_their_own, KINDS, OWN) < 4


def test_a_comparison_has_a_row_for_each_model_the_best_first(crowd, few, standing):
    table = compare(crowd, effort=few)
    names = ("elpd", "se", "difference", "difference_se", "weight", "best", "seconds")
    assert tuple(table.columns) == ("model", *names)
    assert set(table["model"]) == set(comparing.CANDIDATES)
    assert (np.diff(table["elpd"]) <= 0).all()
    assert table.loc[0, "difference"] == table.loc[0, "difference_se"] == 0
    assert table["weight"].sum() == pytest.approx(1)
    assert table["best"].sum() == pytest.approx(1)
    # By the library's face and by its heart the same.
    same = [name for name in table if name != "seconds"]
    pd.testing.assert_frame_equal(table[same], standing[1][same])


def test_a_model_stands_where_it_stood_whoever_else_is_compared(crowd, few, standing):
    results = []
    table = compare(crowd, ("shared_errors",), effort=few, progress=results.append)
    among = standing[1].set_index("model").loc["shared_errors"]
    assert table.loc[0, "elpd"] == among["elpd"]
    assert table.loc[0, "se"] == among["se"]
    assert table.loc[0, "weight"] == table.loc[0, "best"] == 1
    assert {each.phase for each in results} == {"shared_errors (1 of 1)"}


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"models": (OWN, "best")}, OptionError, "no model 'best'"),
        ({"models": (OWN, "glad")}, OptionError, "cannot be fitted by vb"),
        ({"effort": EngineOptions(draws=1)}, OptionError, "1 were asked for"),
    ],
)
def test_what_cannot_be_compared_is_refused(crowd, monkeypatch, wrong, error, message):
    def stop(*_):
        pytest.fail("a model was fitted first")

    monkeypatch.setattr("consilience.fitting.single.run", stop)
    with pytest.raises(error, match=message):
        compare(crowd, **wrong)


def test_of_many_answers_some_items_are_compared_on(crowd, monkeypatch):
    space = space_of(crowd)
    assert comparing.sample(space, 0) is space
    monkeypatch.setattr(comparing, "MAX_COMPARED", 100)
    part = comparing.sample(space, 0)
    assert part.num_units == 60 * 100 // 240
    assert len(part.unit) == 100
    items = part.unit_item.tolist()
    assert items == [name for name in space.unit_item if name in items]
    assert comparing.sample(space, 0).unit_item.tolist() == items
    assert comparing.sample(space, 1).unit_item.tolist() != items
    monkeypatch.setattr(comparing, "MAX_COMPARED", 1)
    assert comparing.sample(space, 0).num_units == 1


def few_answers():
    """Three items: votes are cat 1, cat 2/3 and dog 1/3, dog 1."""
    rows = ["0 a cat", "1 a cat", "1 b cat", "1 c dog", "2 a dog", "2 b dog"]
    columns = ["item", "annotator", "label"]
    return space_of(read(pd.DataFrame([row.split() for row in rows], columns=columns)))


def imagined(model, space):
    return dirichlet_priors(model, response_matrix(space))["prevalence"].concentration


def test_votes_are_added_to_the_prior_of_the_prevalence():
    space = few_answers()
    held = imagined(comparing.near_votes("shared_errors", space), space)
    # One each, and three items, of which 5/9 are cats by the votes.
    assert np.allclose(held, [1 + 3 * 5 / 9, 1 + 3 * 4 / 9])


def test_a_model_named_or_with_effects_has_no_votes_in_its_prior():
    space = few_answers()
    assert np.allclose(imagined(fittable("shared_errors"), space), 1)
    effects = comparing.near_votes("correlated_dawid_skene", space)
    assert np.allclose(imagined(effects, space), 1)


RATERS, RATED, GRADES, CROWDS = 15, 150, 7, 6


def rated(seed):
    """Raters with a bias and a noise of their own, and grades from 0 to 6."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, GRADES, RATED)
    bias = generator.normal(0, 0.6, RATERS)
    noise = np.exp(generator.normal(0, 0.3, RATERS))
    item = np.arange(RATED).repeat(4)
    who = generator.random((RATED, RATERS)).argsort(1)[:, :4].ravel()
    seen = truth[item] + bias[who] + noise[who] * generator.standard_normal(len(item))
    grade = np.clip(np.rint(seen), 0, GRADES - 1).astype(int)
    frame = pd.DataFrame({"item": item, "annotator": who, "label": grade})
    space = space_of(read(frame.astype(str)))
    return space, truth[np.array(space.unit_item).astype(int)]


def graded_right(model):
    """Share of items that communities, or votes, grade right in all crowds."""
    hits = []
    for space, truth in map(rated, range(CROWDS)):
        belief = response_matrix(space).guess
        if model != "votes":
            held = comparing.near_votes("community_bcc", space)
            request = Request(engine="vb", effort=EngineOptions(draws=60))
            informative = held if model == "held" else load("community_bcc")
            fitted = fit_one(
                "community_bcc", space, request, silent, informative=informative
            )
            belief = fitted.result.belief
        top = belief >= belief.max(1, keepdims=True) - 1e-9
        hits.append((top[np.arange(RATED), truth] / top.sum(1)).mean())
    return np.mean(hits)


# Two standard errors of a difference of two shares of so many items.
FAR = 2 * np.sqrt(2 * 0.25 / (RATED * CROWDS))


@pytest.mark.study
def test_communities_do_not_relabel_seven_grades():
    assert graded_right("held") > graded_right("votes") - FAR


@pytest.mark.study
def test_communities_relabel_seven_grades_where_votes_do_not_hold_them():
    assert graded_right("plain") < graded_right("votes") - FAR
