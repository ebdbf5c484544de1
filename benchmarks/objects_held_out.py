"""How well the model of objects predicts a response from the others about its item.

Of each response it is asked how probable the set of labels is that it names, and the
label that it marks as the main one, given some of the other responses about the item
and a model fitted to the items of other folds. The outcome space is blind to the
response: it is the labels that those others name, the data set's own, and *something
else*. A set is the named labels among those, and whether there is something else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Float, Int
from scipy.special import logsumexp

from consilience import annotators
from consilience.inference import EngineOptions, run
from consilience.model import Model, Parameters, from_draw, marginal
from consilience.model.summed import lay_out
from consilience.objects.block_counts import Answers, Blocks, count_answers
from consilience.objects.covariates import (
    BlockCovariates,
    Columns,
    candidate_covariates,
)
from consilience.objects.label_counts import sums_by_size
from consilience.objects.pooling import Pool, class_codes, pool
from consilience.objects.space import Names, anonymous, objects
from consilience.programs import double_precision
from consilience.progress import silent
from consilience.ragged import places_within
from consilience.truth import ObjectsSpace
from consilience.truth.arrays import AnyArray
from consilience.truth.coding import some_units
from consilience.truth.named import Named

ROOM = 16_384  # allocations of up to four candidates that are summed at once
MIN_PROBABILITY = 1e-3  # of the probability of something else


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contexts:
    """Responses to be predicted, and the answers that are given."""

    space: ObjectsSpace
    unit: Int[np.ndarray, " C"]
    kept: Int[np.ndarray, " C"]
    main: Int[np.ndarray, " C"]
    new_label: Bool[np.ndarray, " C"]
    new_main: Bool[np.ndarray, " C"]
    n: Int[np.ndarray, " C"]

    @property
    def empty(self) -> float:
        """Share of responses with something else that name nothing beside it."""
        new = self.n * self.new_label
        return float(((new * (self.kept == 0)).sum() + 0.5) / (new.sum() + 1))


def contexts(
    space: ObjectsSpace, others: int | None, seed: int, max_responses: int | None = None
) -> Contexts:
    """Return every response with the other answers that are given."""
    named = space.named
    generator = np.random.default_rng(seed)
    if others is None:
        target, n = np.arange(len(space.n)), space.n
    else:
        target = np.repeat(np.arange(len(space.n)), space.n)
        n = np.ones(len(target), np.int64)
    if max_responses is not None and len(target) > max_responses:
        chosen = np.sort(generator.choice(len(target), max_responses, replace=False))
        target, n = target[chosen], n[chosen]
    context, row, count = _conditioned(space, target, others, generator)
    unit = space.unit[target]
    slots = np.arange(named.candidate.shape[1])
    present = (slots == named.dataset_label_slot[unit][:, None]).astype(int)
    bits = (named.mask[row][:, None] >> slots) & 1
    np.maximum.at(present, context, bits)
    place = np.cumsum(present, axis=1) - 1
    moved = np.where(present > 0, 1 << np.maximum(place, 0), 0)
    answered = (named.mask[target][:, None] >> slots) & 1
    layout = replace(
        _with_candidates(named, unit, present, place),
        mask=(bits * moved[context]).sum(1),
        main=place[context, named.main[row]],
    )
    conditioned = anonymous(layout, space.unit_item[unit], context, count)
    is_there = present[np.arange(len(unit)), named.main[target]] > 0
    return Contexts(
        space=conditioned,
        unit=np.arange(len(unit)),
        kept=(answered * moved).sum(1),
        main=np.where(is_there, place[np.arange(len(unit)), named.main[target]], -1),
        new_label=(answered * (1 - present)).any(1),
        new_main=~is_there,
        n=n,
    )


def _with_candidates(
    named: Named,
    unit: Int[np.ndarray, " C"],
    present: Int[np.ndarray, "C S"],
    place: Int[np.ndarray, "C S"],
) -> Named:
    """Return the candidates that are present in each context, at their places there."""
    at, slot = np.nonzero(present)
    here, there = (at, place[at, slot]), (unit[at], slot)
    candidate = np.full(present.shape, -1)
    candidate[here] = named.candidate[there]
    covariates = np.zeros((len(unit), *named.covariates.shape[1:]))
    covariates[here] = named.covariates[there]
    counts = None
    if named.contains_counts is not None:
        counts = np.zeros((*present.shape, 3), np.int64)
        counts[here] = named.contains_counts[there]
    return replace(
        named,
        candidate=candidate,
        dataset_label=named.dataset_label[unit],
        covariates=covariates,
        none=np.zeros(len(unit), np.int64),
        observed=np.ones(len(unit), bool),
        contains_counts=counts,
    )


def _conditioned(
    space: ObjectsSpace,
    target: Int[np.ndarray, " C"],
    others: int | None,
    generator: np.random.Generator,
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return context, row and number of the answers given in each context."""
    context, row = rows_of_units(space, space.unit[target])
    count = space.n[row] - (row == target[context])
    if others is not None:
        one = np.repeat(np.arange(len(row)), count)
        order = np.lexsort([generator.random(len(one)), context[one]])
        one = one[order]
        first = np.searchsorted(context[one], np.arange(len(target)))
        rank = np.arange(len(one)) - first[context[one]]
        count = np.bincount(one[rank < others], minlength=len(row))
    kept = count > 0
    return context[kept], row[kept], count[kept]


def rows_of_units(
    space: ObjectsSpace, units: Int[np.ndarray, " C"]
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return the rows of answers about some units, and the place of each one's unit."""
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    length = start[units + 1] - start[units]
    place = np.repeat(np.arange(len(units)), length)
    return place, start[units][place] + places_within(length)


def cross_validate_objects(responses, folds, *, others=None, seed=0):
    """Predict each response of kind objects by a model fitted without its item.

    Returns one row per response: item, fold, n (how often it was given, where equal
    responses share a row), selected and main (log predictive density of the set and of
    the main label, in nats), `top` (probability that the most probable label is the
    main one), `new_label` and `new_main` (whether the response names a label that no
    other response names, or has such a label as the main one). `folds` has the fold of
    each item; `others` is how many of the other responses about the item are given.
    """
    effort = EngineOptions()
    with double_precision():
        space = objects(responses)
        model = annotators.fittable("objects", None)
        tables = []
        for test_fold in np.unique(folds):
            test, seeds = folds == test_fold, (seed, int(test_fold))
            table = _of_fold(model, space, test, others, seeds, effort)
            table.insert(1, "fold", int(test_fold))
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _of_fold(
    model: Model[Any],
    space: ObjectsSpace,
    test: Bool[np.ndarray, " U"],
    others: int | None,
    seed: tuple[int, int],
    effort: EngineOptions,
) -> pd.DataFrame:
    named = space.named
    training = replace(space, named=replace(named, observed=~test))
    result = run(model, training, "em", seed, effort, silent)
    observations = lay_out(model, training)
    values = {name: value[0, 0] for name, value in result.parameters.items()}
    answers: Any = from_draw(model, observations, values).answers
    counts = pool(training)
    training_items = some_units(space, np.flatnonzero(~test))
    before = contexts(training_items, others, seed[0] + 1, max_responses=20_000)
    asked = contexts(some_units(space, np.flatnonzero(test)), others, seed[0])
    new_label, new_main = probability_of_new_label(before, asked, counts)
    names = observations.layout.names
    selected, main, top = score_responses(asked, counts, names, answers.parameters)
    alone = asked.kept == 0
    with_new = np.where(alone, np.log(before.empty), np.log1p(-before.empty))
    of_new = np.where(
        asked.new_label, np.log(new_label) + with_new, np.log1p(-new_label)
    )
    return pd.DataFrame(
        {
            "item": asked.space.unit_item[asked.unit],
            "n": asked.n,
            "selected": of_new + np.where(alone, 0.0, selected),
            "main": np.where(
                asked.new_main, np.log(new_main), np.log1p(-new_main) + main
            ),
            "top": np.where(asked.new_main, 0.0, top),
            "new_label": asked.new_label,
            "new_main": asked.new_main,
        }
    )


def score_responses(
    contexts: Contexts, counts: Pool, names: Names, parameters: Parameters
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
                answers, np.arange(len(at)), number, max_answers=most
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
    return marginal(sums_by_size(blocks, covariates, parameters))


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
    unit, row = rows_of_units(space, context)
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
        if name not in {"num_labels", "most"}
    }
    spare = jnp.arange(room) >= len(blocks.of_unit)
    filled["of_unit"] = jnp.where(spare, room // 2, filled["of_unit"])
    filled["unit"] = np.asarray(filled["unit"])
    alike = jax.tree.map(lambda leaf: fill(leaf, room // 2 + 1), covariates)
    return replace(blocks, **filled), alike


def probability_of_new_label(
    training: Contexts, test: Contexts, counts: Pool
) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Return how probable a new label is, anywhere and as the main one.

    A logistic regression on the answers given: how many answers, candidates, labels
    that one answer alone names, and how much of its class's votes the candidates leave
    out.
    """
    # Every fit would pay for it: a second, of some five for all other imports.
    from sklearn.linear_model import LogisticRegression

    before, now = _features(training.space, counts), _features(test.space, counts)
    probabilities = []
    for truth in (training.new_label, training.new_main):
        if truth.all() or not truth.any():
            chance = np.full(len(now), truth.mean())
        else:
            model = LogisticRegression(C=1.0, max_iter=1000)
            model.fit(before, truth, sample_weight=training.n)
            chance = model.predict_proba(now)[:, 1]
        probabilities.append(np.clip(chance, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    return probabilities[0], probabilities[1]


def _features(space: ObjectsSpace, counts: Pool) -> Float[np.ndarray, "C F"]:
    named = space.named
    shape = named.candidate.shape
    slots = np.arange(shape[1])
    bits = ((named.mask[:, None] >> slots) & 1) * space.n[:, None]
    votes = np.stack(
        [np.bincount(space.unit, column, shape[0]) for column in bits.T], axis=1
    )
    mains = np.zeros(shape)
    np.add.at(mains, (space.unit, named.main), space.n)
    number = np.bincount(space.unit, space.n, shape[0])
    codes = class_codes(named)
    has = named.dataset_label >= 0
    listed = np.where(has, counts.share.at(codes).sum(1), 0)
    whole = np.where(has, counts.items.at(named.dataset_label), 0)
    missing = np.maximum(whole - listed, 0)
    share = (missing + 0.1) / (whole + 1)
    rate = votes.sum(1) / np.maximum(number, 1)
    return np.stack(
        [
            np.log1p(number),
            np.log((votes == 1).sum(1) + 0.5),
            np.log((mains == 1).sum(1) + 0.5),
            np.log(named.size),
            rate,
            np.log(share),
            mains.max(1) / np.maximum(number, 1),
        ],
        axis=1,
    )
