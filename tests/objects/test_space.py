"""The space of objects: candidates, sets of names, and what is counted of blocks."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from consilience.errors import DataError
from consilience.objects.block_counts import (
    count_blocks,
    log_sum_allocations,
    log_sum_allocations_and_sizes,
)
from consilience.objects.covariates import candidate_covariates
from consilience.objects.partitions import MAX_LABELS, by_recursion
from consilience.responses import read
from consilience.spaces import space_of

ROWS = [
    ("i", "ann", "lamp", True),
    ("i", "ann", "shade", False),
    ("i", "bob", "lamp", True),
    ("i", "cat", "lamp", False),
    ("i", "cat", "shade", True),
    ("i", "cat", "desk", False),
    ("j", "ann", "dog", True),
]
LABELS = ["desk", "dog", "lamp", "shade"]


def responses(rows=ROWS, **options):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    return read(frame, kind="objects", labels=LABELS, **options)


def test_candidates_are_what_somebody_named_and_responses_sets_of_them():
    space = space_of(responses())
    named = space.named
    results = [
        [named.labels[code] for code in row if code >= 0] for row in named.candidate
    ]
    assert results == [["desk", "lamp", "shade"], ["dog"]]
    whose = space.annotators[space.annotator]
    each = zip(space.unit, whose, named.mask, named.main, strict=True)
    assert {(unit, who): told for unit, who, *told in each} == {
        (0, "ann"): [0b110, 1],
        (0, "bob"): [0b010, 1],
        (0, "cat"): [0b111, 2],
        (1, "ann"): [0b1, 0],
    }


def test_responses_alike_are_counted_where_nobody_has_an_id():
    frame = pd.DataFrame(
        {
            "item": ["i"] * 5,
            "response_id": ["1", "1", "2", "3", "3"],
            "label": ["lamp", "shade", "lamp", "lamp", "shade"],
            "main": [True, False, True, True, False],
        }
    )
    space = space_of(read(frame, kind="objects", labels=LABELS))
    assert dict(zip(space.named.mask.tolist(), space.n.tolist(), strict=True)) == {
        0b01: 1,
        0b11: 2,
    }


def test_listed_candidates_join_those_that_were_named_with_what_is_known_of_them():
    lists = pd.DataFrame({"item": ["j"], "label": ["desk"], "score": [0.25]})
    named = space_of(responses(), lists=lists).named
    assert named.candidate[1, :2].tolist() == [0, 1]
    assert named.covariates[1, :2, 0].tolist() == [0.25, 0.0]
    assert named.covariate_names == ("score",)
    lists = pd.DataFrame({"item": ["j", "j"], "label": ["desk", "car"]})
    named = space_of(responses(), lists=lists).named
    assert "car" in named.labels[named.candidate[1]]


def listed(**columns):
    return {"lists": pd.DataFrame({"item": ["j"], **columns})}


UNMARKED = [("i", "ann", "lamp", False), ("i", "ann", "desk", False)]
GOLD = pd.DataFrame({"item": ["i"], "label": ["lamp"]})
ALIKE = pd.DataFrame(
    [("shade", "lamp", 3.0), ("desk", "dog", 1.0)],
    columns=["label", "other_label", "value"],
)


@pytest.mark.parametrize(
    ("given", "beside", "said"),
    [
        ({"rows": UNMARKED}, {}, "0 of its labels as the main"),
        ({}, listed(label=["car"]), "no candidate is one of the labels"),
        ({}, listed(label=["desk"], score=["high"]), "expected a finite number"),
        ({}, {"gold": GOLD}, "by models, and no rules or predictions"),
        ({}, {"alike": ALIKE.assign(label="cup")}, "'cup'"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(given, beside, said):
    with pytest.raises(DataError, match=said):
        space_of(responses(**given), **beside)


def test_too_many_candidates_are_cut_and_the_result_says_so():
    labels = [f"l{number:02d}" for number in range(12)]
    rows = [("i", "ann", label, label == "l00") for label in labels]
    rows += [("i", "bob", label, label == "l01") for label in labels[:10]]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    space = space_of(read(frame, kind="objects", labels=labels))
    assert space.named.size.tolist() == [MAX_LABELS]
    assert any("9.09% of all names" in said for said in space.assumptions)


@pytest.fixture(scope="module")
def weighed():
    """Two items of three candidates with several allocations, and weights of theirs."""
    rows = [*ROWS[:-1], *(("k", *row[1:]) for row in ROWS[:-1])]
    rows += [("k", "dan", "shade", True), ("k", "eve", "lamp", True)]
    (blocks,) = count_blocks(space_of(responses(rows)))
    ways = len(blocks.of_unit)
    generator = np.random.default_rng(0)
    phi = generator.normal(0, 3, (ways, 8))
    phi[:, 0] = 0.0
    return blocks, jnp.asarray(phi), jnp.asarray(generator.normal(0, 3, ways))


def test_both_sums_at_once_are_the_sums_one_after_the_other(weighed):
    blocks, *weights = weighed
    phi, rest = map(np.asarray, weights)
    at_once = log_sum_allocations_and_sizes(blocks, phi, rest)
    apart = log_sum_allocations(blocks, by_recursion(phi) + rest[:, None])
    assert np.allclose(at_once, apart, atol=1e3 * np.finfo(at_once.dtype).eps)
    forgetful = log_sum_allocations_and_sizes(blocks, phi, 0 * rest)
    assert np.abs(apart - forgetful).max() > 0.1


def test_a_size_out_of_reach_has_a_finite_sum_and_slope(weighed):
    blocks, phi, rest = weighed
    alone = np.isin(np.arange(8), [1, 2, 4])
    phi = jnp.where(alone, -1e4, phi)  # three objects: next to impossible
    assert np.isfinite(log_sum_allocations_and_sizes(blocks, phi, rest)).all()
    total = jax.grad(lambda phi: log_sum_allocations_and_sizes(blocks, phi, rest).sum())
    slope = jax.jit(total)(phi)
    assert np.isfinite(slope).all()


def test_how_alike_labels_are_is_a_column_of_their_pair():
    space = space_of(responses(), alike=ALIKE)
    columns = candidate_covariates(space, None, among=False)
    similar = columns.pair[0, :, :, columns.names.pair.index("similar")]
    # Candidates of the first item are desk, lamp, shade: three pairs, one known.
    expected = 3.0 / np.std([0.0, 0.0, 3.0])
    assert np.allclose(similar, [[0, 0, 0], [0, 0, expected], [0, expected, 0]])
    assert any("similarity" in sentence for sentence in space.assumptions)
    assert (
        "similar"
        not in candidate_covariates(space_of(responses()), None, among=False).names.pair
    )
