"""Annotators of objects told apart: sums over all answers, a limit, and recovery."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from tests.studies import every_objects_answer

import consilience as cs
from consilience.annotators import load, objects, objects_by_annotator
from consilience.errors import UnfamiliarAnnotatorsWarning
from consilience.model import lay_out
from consilience.objects.items import items_of
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth.arrays import on_host

MODEL = load("objects_by_annotator")
# What other items say follows from their answers, and is not drawn with them.
ALONE = replace(
    MODEL, layout=lambda space, _: items_of(space, pooled=False, by_annotator=True)
)
ALIKE = replace(load("objects"), layout=lambda space, _: items_of(space, pooled=False))


def score(observations, parameters):
    """Return the score by NumPy's arithmetic, which takes no time to compile."""
    data, values = on_host((observations, dict(parameters)))
    return objects_by_annotator.score(data, values)


def space_of_answers(answers, num_labels):
    """Return a space of items; ann, bob and so on give the answers (main, mask)."""
    labels = [f"l{label}" for label in range(num_labels)]
    rows = [
        (f"i{unit:05d}", who, labels[label], label == main)
        for unit, each in enumerate(answers)
        for who, (main, mask) in zip(("ann", "bob", "cid"), each, strict=False)
        for label in range(num_labels)
        if mask >> label & 1
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    items = [f"i{unit:05d}" for unit in range(len(answers))]
    offered = pd.DataFrame(itertools.product(items, labels), columns=["item", "label"])
    return space_of(read(frame, kind="objects", labels=labels), lists=offered)


@pytest.mark.parametrize(("num_labels", "annotators"), [(2, 2), (2, 3), (3, 2)])
def test_the_score_sums_over_all_answers_to_the_prior(
    num_labels, annotators, objects_parameters
):
    answers = list(
        itertools.product(every_objects_answer(num_labels), repeat=annotators)
    )
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space_of_answers(answers, num_labels))
        parameters = objects_parameters(ALONE, observations)
        apart = jnp.array([0.9, -0.6, 0.2][:annotators])
        parameters = {**parameters, "recall": apart, "single_label_effect": -2 * apart}
        total = np.exp(score(observations, parameters)).sum(0)
        nobody = replace(observations.layout, observed=jnp.zeros(len(answers), bool))
        before = score(replace(observations, layout=nobody), parameters)
    assert np.allclose(total, np.exp(before[0]), rtol=1e-10)
    assert np.isclose(total.sum(), 1)


def test_the_host_scores_as_what_is_compiled(objects_parameters):
    answers = list(itertools.product(every_objects_answer(2), repeat=2))
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space_of_answers(answers, 2))
        parameters = objects_parameters(ALONE, observations)
        compiled = jax.jit(objects_by_annotator.score)(observations, parameters)
        assert np.allclose(score(observations, parameters), compiled, rtol=1e-12)


def test_annotators_who_are_alike_are_those_of_the_plain_model(objects_parameters):
    answers = [
        [(0, 0b001), (1, 0b010), (0, 0b001)],
        [(0, 0b011), (1, 0b010), (2, 0b101)],
        [(0, 0b111), (2, 0b110), (2, 0b100)],
    ]
    space = space_of_answers(answers, 3)
    with jax.enable_x64(True):
        apart, alike = lay_out(ALONE, space), lay_out(ALIKE, space)
        drawn = objects_parameters(ALONE, apart)
        nobody = jnp.zeros(3)
        # Styles that hardly differ between items: a narrow Beta, a narrow normal.
        mean = drawn["single_label"][0]
        narrow = {**drawn, "single_label_effect": nobody, "recall": nobody}
        one = score(apart, {**narrow, "single_label": jnp.array([mean, -9.0])})
        plain = {**drawn, "single_label": jnp.array([mean, 18.0])}
        other = objects.score(*on_host((alike, plain)))
        assert np.allclose(one, other, atol=1e-5)
        moved = {**narrow, "recall": jnp.array([0.5, 0.0, 0.0])}
        third = score(apart, {**moved, "single_label": jnp.array([mean, -9.0])})
        assert not np.allclose(third, other, atol=1e-2)


def test_one_label_from_who_lists_all_says_that_there_is_one_object(objects_parameters):
    """From who picks, it says little: so the same answer is believed otherwise."""
    space = space_of_answers([[(0, 0b01)], [(0, 0b01)]], 2)
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space)
        # Of what is there, nearly all is seen by who lists.
        drawn = {
            **objects_parameters(ALONE, observations, 1),
            "detection": jnp.array([2.0, 0.0]),
        }
        results = []
        for effect in (-4.0, 4.0):
            picks = {**drawn, "single_label_effect": jnp.full(1, effect)}
            scores = score(observations, picks)[0]
            results.append(np.exp(scores[0] - np.logaddexp(*scores)))
    assert results[0] > results[1] + 0.05


SETTINGS = {
    "fewest": 3.0,
    "most": 3.0,
    "new": 8.0,  # labels are mostly objects of their own
    "single_label": 0.3,
    "recall": 0.6,
    "recall_spread": 0.8,
}


@pytest.fixture(scope="module")
def study():
    """Eight annotators, by another hand than the model's."""
    return cs.simulate(
        kind="objects",
        items=150,
        annotators=8,
        classes=10,
        per_item=5,
        prior=SETTINGS,
        seed=3,
    )


@pytest.fixture(scope="module")
def fit(study):
    return cs.fit(study.responses, model="objects_by_annotator", engine="em", seed=0)


@pytest.fixture
def both(study, fit):
    """What is found of each annotator, and what is true."""
    both = fit.annotators().merge(
        study.truth["annotators"], on="annotator", suffixes=("", "_true")
    )
    return both.set_index("annotator")


def errors(both):
    """Return how far shares of pickers are off, in standard errors.

    A share p = h + (1 - h) m of the answers names one label, m being the chance that a
    lister does: about (1 - r)^2, two objects standing beside the main one. Solved for
    h, that errs by the noise of p, and by that of r, which listers' 2 (1 - h) n looks
    tell.
    """
    h, n = both["single_label_true"], both["responses"]
    r = expit(logit(SETTINGS["recall"]) + both["recall_shift"])
    m = (1 - r) ** 2
    p = h + (1 - h) * m
    of_m = 4 * (1 - r) ** 2 * r * (1 - r) / (2 * (1 - h) * n)
    spread = (p * (1 - p) / n + (1 - h) ** 2 * of_m) / (1 - m) ** 2
    return (both["single_label"] - h) / np.sqrt(spread)


def scatter(estimates, truth):
    """Return the standard deviation about the line that fits best."""
    line = np.polyfit(truth, estimates, 1)
    return (estimates - np.polyval(line, truth)).std(ddof=2)


@pytest.mark.parametrize("exchanged", [0, 3])
def test_who_picks_one_object_is_found_and_nobody_else(both, exchanged):
    turned = both.assign(single_label=np.roll(both["single_label"], exchanged))
    # A sum of eight squares of standard normals.
    most = 8 + 4 * np.sqrt(2 * 8)
    assert ((errors(turned) ** 2).sum() < most) == (not exchanged)


def test_who_sees_more_is_found(both):
    # In log-odds, a share r of so many looks errs by 1 / sqrt(looks r (1 - r)); twice
    # that is allowed, for what is one object is not told.
    looks = 2 * (1 - both["single_label_true"]) * both["responses"]
    allowed = 2 * np.sqrt((1 / (looks * 0.2)).mean())
    result = logit(both["recall"])
    assert scatter(result, both["recall_shift"]) < allowed
    turned = np.roll(result, 3)
    assert scatter(turned, both["recall_shift"]) > allowed


def test_tables_are_whole_and_kept(fit, tmp_path):
    people = fit.annotators()
    assert people["single_label"].between(0, 1).all()
    assert people["recall"].between(0, 1).all()
    assert people["single_label_lower"].isna().all()  # em states no bounds
    fit.save(tmp_path / "run")
    written = pd.read_parquet(tmp_path / "run" / "tables" / "annotators.parquet")
    assert np.allclose(written["single_label"], people["single_label"])
    by_object = fit.table("objects").groupby(["item", "object"], observed=True)
    assert np.allclose(by_object["share"].sum(), 1)
    assert fit.table("panels").query("annotators == 5")["several"].between(0, 1).all()


def test_who_is_known_is_predicted_with_what_was_learned(study, fit):
    reported = study.responses.where(
        study.responses.table["item"].isin(["item1", "item2"])
    )
    result, before = cs.predict(fit, reported), fit.items().set_index("item")
    again = result.items().set_index("item")
    assert np.allclose(again["probability"], before.loc[again.index, "probability"])
    names = {who: f"new {who}" for who in reported.table["annotator"].cat.categories}
    strange = reported.table["annotator"].cat.rename_categories(names)
    reported = replace(reported, table=reported.table.assign(annotator=strange))
    with pytest.warns(UnfamiliarAnnotatorsWarning):
        other = cs.predict(fit, reported)
    one, two = (each.data["truth"]["probability"] for each in (result, other))
    assert not np.allclose(one, two, atol=1e-3)
    assert "annotators were not in it" in other.data.attrs["engine_reason"]
