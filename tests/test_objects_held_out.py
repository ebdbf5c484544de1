"""Responses about objects foreseen: nothing of a response is told beforehand."""

import jax
import numpy as np
import pandas as pd
import pytest
from benchmarks.objects_held_out import contexts, log_likelihood_with
from numpyro.handlers import seed

from consilience.annotators import load
from consilience.model import lay_out, sample_answers
from consilience.objects.covariates import candidate_covariates
from consilience.objects.pooling import pool
from consilience.responses import read
from consilience.spaces import space_of

LABELS = ["a", "b", "c", "d"]
ROWS = [
    ("i", "1", "a", True),
    ("i", "1", "b", False),
    ("i", "2", "a", True),
    ("i", "3", "c", True),
    ("i", "4", "b", True),
    ("j", "1", "d", True),
    ("j", "1", "a", False),
    ("j", "2", "d", True),
]


@pytest.fixture(scope="module")
def space():
    frame = pd.DataFrame(ROWS, columns=["item", "response_id", "label", "main"])
    return space_of(read(frame, kind="objects", labels=LABELS))


def test_candidates_are_those_that_the_others_name(space):
    asked = contexts(space, None, 0)
    named = asked.space.named
    reported = {
        (asked.space.unit_item[unit], int(kept), int(main), bool(new)): [
            LABELS[code] for code in row if code >= 0
        ]
        for unit, (row, kept, main, new) in enumerate(
            zip(named.candidate, asked.kept, asked.main, asked.new_main, strict=True)
        )
    }
    # Of i: {a, b}, {a}, {c} (which nobody else names) and {b}; of j: {d, a} and {d}.
    assert reported == {
        ("i", 0b011, 0, False): ["a", "b", "c"],
        ("i", 0b001, 0, False): ["a", "b", "c"],
        ("i", 0b000, -1, True): ["a", "b"],
        ("i", 0b010, 1, False): ["a", "b", "c"],
        ("j", 0b1, 0, False): ["d"],
        ("j", 0b10, 1, False): ["a", "d"],
    }


def test_what_may_be_answered_next_sums_to_one(space):
    model = load("objects")
    with jax.enable_x64(True):
        observations = lay_out(model, space)
        parameters = seed(sample_answers, 0)(model, observations).answers.parameters
        names = observations.layout.names
        columns = candidate_covariates(
            space, pool(space), among=False, pairs=names.pairs
        )
        every = [
            (main, mask) for main in range(3) for mask in range(8) if mask >> main & 1
        ]
        main, mask = (np.array(each) for each in zip(*every, strict=True))
        nothing = (np.array([-1]), np.array([0]))
        mains = (np.arange(3), np.zeros(3, int))
        item = int(np.flatnonzero(space.unit_item == "i")[0])
        before, sets, alone = (
            log_likelihood_with(space, columns, parameters, np.full(len(m), item), m, s)
            for m, s in (nothing, (main, mask), mains)
        )
    assert np.isclose(np.exp(sets - before).sum(), 1)
    assert np.isclose(np.exp(alone - before).sum(), 1)
    # Who names one label names it as the main one, with whatever set.
    of_main = np.bincount(main, np.exp(sets - before))
    assert np.allclose(of_main, np.exp(alone - before))
