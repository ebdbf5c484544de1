"""Units that look alike are merged; what is fitted to them is as if they were not."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
from tests.studies import WORDS

from consilience.annotators import load
from consilience.inference import EngineOptions, mode
from consilience.inference.engines import em
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import merge_identical
from consilience.truth.coding import Merged
from consilience.truth.space import Groups

NAMES = ["item", "annotator", "label", "answer"]


def space(items=60):
    """Pairs of two groups of labels, some alike, answered in any order."""
    generator = np.random.default_rng(0)
    rows = [
        (f"i{k:03d}", who, "husky" if k % 2 else "cup", WORDS[generator.integers(3)])
        for k in range(items)
        for who in generator.permutation(["a", "b"])
    ]
    labels = pd.DataFrame({"label": ["husky", "cup"], "parent": ["dog", "thing"]})
    table = pd.DataFrame(rows, columns=NAMES)
    return space_of(read(table, kind="contains", labels=labels))


def test_one_stands_for_all_that_got_the_same_answers_in_the_same_group():
    whole = space()
    merged = merge_identical(whole)
    answers = [
        (whole.groups.code[u], *sorted(zip(*where(whole, u), strict=True)))
        for u in range(whole.num_units)
    ]
    assert merged.space.num_units == len(set(answers)) < whole.num_units
    for unit, place in enumerate(merged.place):
        code = merged.space.groups.code[place]
        reported = sorted(zip(*where(merged.space, place), strict=True))
        assert answers[unit] == (code, *reported)
    assert (merged.count == np.bincount(merged.place)).all()


def where(space, unit):
    here = space.unit == unit
    return (space.annotator[here], space.answer[here], space.n[here])


def test_what_is_known_beforehand_keeps_units_apart():
    rows = [
        ("i", "a", "cat", "yes"),
        ("j", "a", "cat", "yes"),
        ("k", "a", "cat", "yes"),
    ]
    responses = read(pd.DataFrame(rows, columns=NAMES), kind="contains")
    known = pd.DataFrame(
        {"item": list("ijk"), "label": "cat", "score": [1.0, 1.0, 2.0]}
    )
    gold = pd.DataFrame({"item": ["i"], "label": ["cat"], "answer": ["yes"]})
    assert merge_identical(space_of(responses)).space.num_units == 1
    assert merge_identical(space_of(responses, lists=known)).space.num_units == 2
    assert (
        merge_identical(space_of(responses, lists=known, gold=gold)).space.num_units
        == 3
    )


def fitted(name, whole):
    model = load(name)
    effort = EngineOptions(tolerance=1e-13)
    with jax.enable_x64(True):
        return em.fit(model, whole, 0, effort)


def apart(whole, count=1.0):
    """Nothing merged."""
    number = whole.num_units
    return Merged(whole, np.full(number, count), np.arange(number))


def test_merged_or_not_the_fit_is_the_same(monkeypatch):
    name, whole = "contains_counts", space()
    nobody = np.zeros_like(whole.annotator)
    whole = replace(
        whole,
        annotator=nobody,
        annotators=whole.annotators[:1],
        identified=whole.identified[:1],
        annotator_groups=Groups(np.zeros(1, np.int32), np.zeros(0, object)),
        groups=Groups(np.zeros(whole.num_units, np.int32), np.zeros(0, object)),
    )
    merged = fitted(name, whole)
    monkeypatch.setattr(mode, "WORTH_MERGING", 1.0)
    monkeypatch.setattr(mode, "merge_identical", lambda one, **_: apart(one))
    each = fitted(name, whole)
    assert np.allclose(merged.belief, each.belief, atol=1e-4)
    assert np.allclose(merged.log_likelihood, each.log_likelihood, atol=1e-3)
    for reported in ("prevalence", "confusion"):
        assert np.allclose(
            merged.parameters[reported], each.parameters[reported], atol=1e-4
        )
    # Counted twice, they are not the same: the check can tell.
    monkeypatch.setattr(mode, "merge_identical", lambda one, **_: apart(one, 2.0))
    twice = fitted(name, whole)
    assert not np.allclose(merged.belief, twice.belief, atol=1e-3)
