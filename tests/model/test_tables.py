"""Sums on the host, against those that JAX takes of the same score and its gradient."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pandas as pd
import pytest
from tests.studies import FITTED, SMALL

from consilience.annotators import load
from consilience.model import HostModel, belief, given, lay_out, marginal, score
from consilience.responses import read
from consilience.spaces import space_of

MODELS = [name for name in FITTED if load(name).by_tables and load(name).closed(SMALL)]
# Items, annotators and classes, and whether items have lists of candidates.
STUDIES = [(name, (40, 6, 3), True) for name in MODELS]
STUDIES += [(name, (9, 30, 5), False) for name in MODELS]
STUDIES.append(("bayesian_dawid_skene", (1, 1, 2), False))


def study(items, annotators, classes, *, lists, seed=0):
    """Draw answers by no model; some twice, and some lists of candidates."""
    generator = np.random.default_rng(seed)
    rows = [
        (f"i{item}", f"a{annotator}", f"l{item % classes}")
        for item in range(items)
        for annotator in range(annotators)
        if not annotator or generator.random() < 0.6
    ]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    labels = np.array([f"l{label}" for label in range(classes)])
    mixed = generator.random(len(table)) < 0.4
    table.loc[mixed, "label"] = generator.choice(labels, mixed.sum())
    if table["label"].nunique() < 2:
        table = pd.concat([table, table.iloc[:1].assign(annotator="b", label="l1")])
    candidates = None
    if lists:
        more = table[["item", "label"]]
        more = more.assign(log_odds=generator.normal(size=len(more)))
        candidates = more.drop_duplicates(["item", "label"])
    space = space_of(read(table), lists=candidates)
    return replace(space, n=generator.integers(1, 3, len(space.n)))


@partial(jax.jit, static_argnums=0)
def compiled(model, observations, logs, weight):
    def scored(logs):
        return score(given(model, observations, logs), observations)

    scores, pull = jax.vjp(scored, logs)
    (counts,) = pull(observations.scale[:, None] * weight)
    return marginal(scores), belief(scores), counts


def by_jax(model, space, logs, weight):
    with jax.enable_x64(True):
        result = compiled(model, lay_out(model, space), logs, weight)
        return jax.tree.map(np.asarray, result)


def parameters(tables, seed=1):
    generator = np.random.default_rng(seed)
    return {
        name: np.log(generator.dirichlet(np.ones(p.shape[-1]), p.shape[:-1]))
        for name, p in tables.priors.items()
    }


@pytest.mark.parametrize(("name", "size", "lists"), STUDIES)
def test_a_sweep_is_the_score_and_its_gradient(name, size, lists):
    model = load(name)
    space = study(*size, lists=lists)
    tables = HostModel(model, space)
    logs = parameters(tables)
    swept = tables.sweep(logs)
    likelihood, believed, counts = by_jax(model, space, logs, swept.belief)
    assert np.allclose(swept.log_likelihood, likelihood, rtol=1e-10)
    assert np.allclose(swept.belief, believed, atol=1e-10)
    assert swept.counts.keys() == tables.priors.keys()
    for event, count in swept.counts.items():
        assert np.allclose(count, counts[event], atol=1e-8), event


@pytest.mark.parametrize("name", MODELS)
def test_states_that_are_assigned_are_counted(name):
    model, space = load(name), study(40, 6, 3, lists=True)
    tables = HostModel(model, space)
    logs = parameters(tables)
    shape = tables.sweep(logs).belief.shape
    weight = np.random.default_rng(2).random(shape)
    weight *= np.repeat(space.real, shape[1] // space.real.shape[1], axis=1)
    swept = tables.sweep(logs, assign=lambda _: weight)
    counts = by_jax(model, space, logs, weight)[2]
    for event, count in swept.counts.items():
        assert np.allclose(count, counts[event], atol=1e-8), event


@pytest.mark.parametrize("name", ["mace", "community_bcc"])
def test_parts_of_a_mixture_are_dealt_as_they_are_expected(name):
    space = study(40, 6, 3, lists=False)
    tables = HostModel(load(name), space)
    logs, generator = parameters(tables), np.random.default_rng(3)
    sure = np.eye(3)[np.arange(40) % 3]
    draws = [
        tables.sweep(logs, assign=lambda _: sure, deal=generator).counts
        for _ in range(400)
    ]
    expected = tables.sweep(logs, assign=lambda _: sure).counts
    for event, count in expected.items():
        dealt = np.stack([draw[event] for draw in draws])
        assert np.allclose(dealt, np.rint(dealt))
        error = dealt.std(0, ddof=1) / np.sqrt(len(draws)) + 1e-12
        assert (np.abs(dealt.mean(0) - count) < 5 * error).all(), event
        others = np.abs(dealt.mean(0) - 1.2 * count) > 5 * error
        assert others.any(), event
