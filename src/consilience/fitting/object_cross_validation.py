"""How well the model of objects predicts a response from the others about its item.

Of each response it is asked how probable the set of labels is that it names, and the
label that it marks as the main one, given some of the other responses about the item
and a model fitted to the items of other folds. The outcome space is blind to the
response: it is the labels that those others name, the data set's own, and *something
else*. A set is the named labels among those, and whether there is something else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Float, Int
from scipy.special import logsumexp

from consilience import annotators
from consilience.errors import OptionError
from consilience.fitting.inputs import Table, as_candidates, as_similarity, both_tasks
from consilience.fitting.objects import (
    Contexts,
    contexts,
    probability_of_new_label,
    rows_of_units,
)
from consilience.fitting.request import Request
from consilience.inference import EngineOptions, run
from consilience.model import Model, Parameters, from_draw, marginal
from consilience.model.summed import lay_out
from consilience.objects.block_counts import Answers, Blocks, count_answers
from consilience.objects.covariates import (
    BlockCovariates,
    Columns,
    candidate_covariates,
)
from consilience.objects.label_counts import unit_sums
from consilience.objects.pooling import Pool, pool
from consilience.objects.space import Names, objects
from consilience.programs import double_precision
from consilience.progress import Progress, Reporter, reporter, silent
from consilience.responses import Responses
from consilience.truth import ObjectsSpace
from consilience.truth.arrays import AnyArray
from consilience.truth.coding import some_units

ROOM = 16_384  # allocations of up to four candidates that are summed at once


def cross_validate_objects(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    folds: Int[np.ndarray, " I"] | int = 5,
    *,
    only: Sequence[int] | None = None,
    others: int | None = None,
    seed: int = 0,
    candidates: Table | None = None,
    similarity: Table | None = None,
    contains: Responses | Table | None = None,
    prior: Mapping[str, float] | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> pd.DataFrame:
    """Predict each response of kind objects by a model fitted without its item.

    Parameters
    ----------
    responses : Responses, data frame or path
        Responses of kind objects, or anything that `read` accepts.
    folds : int or array of int, default 5
        The fold of each item, in the order of the items' codes. A number assigns the
        items to so many folds at random.
    only : sequence of int, optional
        The folds that are predicted; all by default.
    others : int, optional
        How many of the other responses about the item are given, drawn at random; all
        by default.
    seed : int, default 0
        Seed of the folds, of the choice of other responses, and of the fits.
    candidates, similarity, contains, prior, effort, progress : optional
        As for `fit`.

    Returns
    -------
    pandas.DataFrame
        One row per response: item, fold, n (how often it was given, where equal
        responses share a row), selected and main (log predictive density of the set
        and of the main label, in nats), `top` (probability that the most probable
        label is the main one), `new_label` and `new_main` (whether the response names
        a label that no other response names, or has such a label as the main one).

    Raises
    ------
    OptionError
        If there is not one fold for each item, or there are fewer than two folds.

    See Also
    --------
    cross_validate : The same for models whose answers are drawn from tables.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> table = cs.cross_validate_objects(study.responses, folds=2)
    >>> list(table.columns)
    ['item', 'fold', 'n', 'selected', 'main', 'top', 'new_label', 'new_main']
    """
    given, beside = both_tasks(responses, contains)
    seed = Request(seed=seed, effort=effort).seed
    with double_precision(), reporter(progress) as report:
        space = objects(
            given,
            as_candidates(candidates, given),
            beside,
            as_similarity(similarity, given.labels["label"]),
        )
        fold = _folds(folds, space.num_units, seed)
        model = annotators.fittable("objects", prior)
        tables, test_folds = [], np.unique(fold if only is None else only)
        for number, test_fold in enumerate(test_folds, 1):
            test, seeds = fold == test_fold, (seed, int(test_fold))
            table = _of_fold(model, space, test, others, seeds, effort)
            table.insert(1, "fold", int(test_fold))
            tables.append(table)
            report(Progress("folds", number, len(test_folds)))
    return pd.concat(tables, ignore_index=True)


def _folds(
    folds: Int[np.ndarray, " I"] | int, items: int, seed: int
) -> Int[np.ndarray, " I"]:
    if isinstance(folds, int):
        if not 2 <= folds <= items:
            raise OptionError(f"{folds} folds of {items} items; give from 2 to {items}")
        order = np.random.default_rng(seed).permutation(items)
        return order % folds
    if len(folds) != items or len(np.unique(folds)) < 2:
        raise OptionError(
            f"{len(folds)} folds were given; give one of two or more to {items} items"
        )
    return folds


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
