"""The probability of a response, given other answers about its item and parameters."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.special import logsumexp

from consilience.fitting.objects.contexts import Contexts
from consilience.model import Parameters, marginal
from consilience.objects.layout.block_counts import Answers, Blocks, count_answers
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.covariates import (
    BlockCovariates,
    Columns,
    candidate_covariates,
)
from consilience.objects.layout.pooling import Pool
from consilience.objects.likelihood.label_counts import unit_sums
from consilience.ragged import places_within
from consilience.truth import ObjectsSpace
from consilience.truth.arrays.maths import AnyArray

ROOM = 16_384  # allocations of up to four candidates that are summed at once


def score_responses(
    contexts: Contexts,
    counts: Pool,
    names: Names,
    parameters: Parameters,
) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Return log p(set), log p(main label) and the chance of the best main label.

    The response is added to the answers given: with each label of the set as its main
    one, and with each candidate as its main label and no set. What that adds to the log
    likelihood of the item is the log probability of the response.
    """
    space, num = contexts.space, len(contexts.unit)
    named = space.named
    slots = np.arange(named.candidate.shape[1])
    of_set, main_of_set = np.nonzero((contexts.kept[:, None] >> slots) & 1)
    of_main, main = np.nonzero(named.candidate >= 0)
    added = np.concatenate([np.full(num, -1), main_of_set, main])
    mask = np.concatenate(
        [np.zeros(num, int), contexts.kept[of_set], np.zeros(len(main), int)]
    )
    context = np.concatenate([np.arange(num), of_set, of_main])
    columns = candidate_covariates(space, counts, among=False, pairs=names.pairs).named(
        names
    )
    logs = log_likelihood_with(space, columns, parameters, context, added, mask)
    before = logs[:num]
    sets = logs[num : num + len(of_set)] - before[of_set]
    mains = logs[num + len(of_set) :] - before[of_main]
    selected = np.full(num, -np.inf)
    np.logaddexp.at(selected, of_set, sets)
    log_mains = np.full(named.candidate.shape, -np.inf)
    log_mains[of_main, main] = mains
    log_mains -= logsumexp(log_mains, axis=1, keepdims=True)
    best = log_mains >= log_mains.max(1, keepdims=True) - 1e-9
    main_slot = np.maximum(contexts.main, 0)
    rows = np.arange(num)
    return selected, log_mains[rows, main_slot], best[rows, main_slot] / best.sum(1)


def log_likelihood_with(
    space: ObjectsSpace,
    columns: Columns,
    parameters: Parameters,
    context: Int[np.ndarray, " X"],
    main: Int[np.ndarray, " X"],
    mask: Int[np.ndarray, " X"],
) -> Float[np.ndarray, " X"]:
    """Return the log-likelihood of contexts, each with a response added to it."""
    named = space.named
    most = int(np.bincount(space.unit, space.n).max(initial=0)) + 1
    logs = np.zeros(len(context))
    size = named.size[context]
    for number in np.unique(size[size > 1]).tolist():
        units = np.flatnonzero(size == number)
        ways = _num_allocations(space)[context[units]] * np.where(
            np.bitwise_count(mask[units]) == 1, 2, 1
        )
        room = int(max(ROOM >> (2 * max(number - 4, 0)), ways.max()))
        for part in _chunks(ways, room):
            at = units[part]
            answers = _answers(space, context[at], main[at], mask[at])
            blocks = count_answers(
                answers, np.arange(len(at)), number, slopes=False, max_answers=most
            )
            covariates = columns.of(context[at], number)
            padded, alike = _pad(blocks, covariates, room)
            log_likelihood = _likelihood(padded, alike, parameters)
            logs[at] = np.asarray(log_likelihood)[: len(at)]
    return logs


@jax.jit
def _likelihood(
    blocks: Blocks, covariates: BlockCovariates, parameters: Parameters
) -> Float[Array, " U"]:
    return marginal(unit_sums(blocks, covariates, parameters))


def _num_allocations(space: ObjectsSpace) -> Int[np.ndarray, " U"]:
    """Return at least as many as the allocations of each unit."""
    named = space.named
    one = np.bitwise_count(named.mask) == 1
    shape = named.candidate.shape
    alone = np.zeros(shape, np.int64)
    np.add.at(alone, (space.unit[one], named.main[one]), space.n[one])
    return np.prod(alone + 1, axis=1)


def _chunks(ways: Int[np.ndarray, " X"], room: int) -> Iterator[Int[np.ndarray, " _"]]:
    """Give as many at a time as have room, those of many ways apart from the others."""
    order = np.argsort(ways, kind="stable")
    start = 0
    total = np.cumsum(ways[order])
    while start < len(order):
        before = total[start - 1] if start else 0
        end = int(np.searchsorted(total, before + room, side="right"))
        end = min(max(end, start + 1), start + room // 2)
        yield order[start:end]
        start = end


def _answers(
    space: ObjectsSpace,
    context: Int[np.ndarray, " X"],
    main: Int[np.ndarray, " X"],
    mask: Int[np.ndarray, " X"],
) -> Answers:
    """Return the answers of some contexts, with one more where its main is no -1."""
    named = space.named
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    length = start[context + 1] - start[context]
    unit = np.repeat(np.arange(len(context)), length)
    within = places_within(length)
    row = start[context][unit] + within
    more = np.flatnonzero(main >= 0)
    return Answers(
        np.concatenate([unit, more]),
        np.concatenate([named.mask[row], mask[more]]),
        np.concatenate([named.main[row], main[more]]),
        np.concatenate([space.n[row], np.ones(len(more), np.int64)]),
    )


def _pad(
    blocks: Blocks, covariates: BlockCovariates, room: int
) -> tuple[Blocks, BlockCovariates]:
    """Fill up to sizes that are always the same, so that one program serves all."""
    allocations = {"of_unit", "exhaustive_singles", "single_label", "log_multiplicity"}

    def fill(leaf: AnyArray, size: int) -> Array:
        return jnp.pad(leaf, ((0, size - len(leaf)), *((0, 0),) * (leaf.ndim - 1)))

    filled: dict[str, Any] = {
        name: fill(
            jnp.asarray(getattr(blocks, name)),
            room if name in allocations else room // 2 + 1,
        )
        for name in Blocks.__dataclass_fields__
        if name not in {"by_unit", "by_style", "num_labels", "most"}
    }
    spare = jnp.arange(room) >= len(blocks.of_unit)
    filled["of_unit"] = jnp.where(spare, room // 2, filled["of_unit"])
    filled["unit"] = np.asarray(filled["unit"])
    alike = jax.tree.map(lambda leaf: fill(leaf, room // 2 + 1), covariates)
    return replace(blocks, **filled), alike
