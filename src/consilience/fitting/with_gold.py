"""A fit that gold labels correct: its truth, its annotators, and what gold is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience import annotators
from consilience.annotators import names
from consilience.executors import products_on_one_thread
from consilience.fitting.earlier import few_draws
from consilience.fitting.gold import GROUP, Taught, Worth, learn
from consilience.fitting.gold_columns import Gold, Start, gold_of
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, prior_at_full_strength
from consilience.inference import Result
from consilience.inference.augmentation import (
    GIVEN_BURN_IN,
    counted_in,
    tables_given_truth,
)
from consilience.inference.options import generator_of, seed_for
from consilience.intervals import share_bounds
from consilience.model import HostModel, Model, Rule, num_substates
from consilience.posterior.effective import error_correlation
from consilience.posterior.stored import with_tables
from consilience.posterior.tables import OF_GOLD
from consilience.posterior.tree import reported_truth, with_groups
from consilience.posterior.truth import MIN_PROBABILITY, Tempering, Truth, temper
from consilience.truth import ChoiceSpace, ContainsSpace, Space
from consilience.truth.coding import gold_weights
from consilience.truth.space import no_covariates
from consilience.when_used import special, xr

# Whose tables are drawn where the fit's own model has none of probabilities alone.
TABLES = "hierarchical_dawid_skene"
TABLES_BEFORE = "tables"  # the group of the tables that the fit had without gold
SCORED = 1e-3  # least probability, as everywhere that log-loss is stated
# Draws of the tables: at least and at most so many, by answers times states. Where the
# fit has more, each stands for several.
FEWEST, MOST, VISITS = 50, 150, 200_000_000


def learns_from_gold(study: Study, model: str | Model[Any]) -> bool:
    """Return whether gold corrects a fit; else it fixes the truth of its items.

    A rule is what it is, and the latent trait is calibrated by gold itself. Where all
    items have gold there is nothing to correct.
    """
    if study.gold is None:
        return False
    items = study.responses.table["item"].cat.categories.astype(str)
    if items.isin(study.gold["item"].astype(str)).all():
        return False
    if model == "auto":
        return True
    loaded = annotators.load(model) if isinstance(model, str) else model
    if not isinstance(loaded, Model) or isinstance(loaded, Rule):
        return False
    return not loaded.whole_items


class Corrected(NamedTuple):
    """A fit as gold has corrected it, and what is kept of that."""

    single: Single
    lesson: Lesson
    given: Int[np.ndarray, " G"]
    space: Space
    before: Single

    def kept(self, data: xr.DataTree) -> xr.DataTree:
        """Return the fit with what gold taught it, and what that is worth."""
        lesson = self.lesson
        items = int(lesson.table["items"].iloc[0])
        about = {"sentence": lesson.sentence, "surprise": lesson.surprise}
        about |= {"items": items, "correlation": lesson.errors[0]}
        about |= {"correlation_error": lesson.errors[1]}
        group = lesson.learned.stored().assign_attrs(about)
        group["given"] = "unit_with_gold", self.given
        start = start_of(self.before).truth.probability
        group["before"] = ("unit", "slot"), start.astype(np.float32)
        for name, values in lesson.names.items():  # also of units that are not here
            group[name] = "pair_with_gold", np.array(values, object)
        groups, was = {GROUP: group}, self.before
        if was.name in names() and was.result.parameters:
            tables = few_draws(was.model, self.space, was.result, was.tempering)
            groups[f"{GROUP}/{TABLES_BEFORE}"] = tables.assign_attrs(model=was.name)
        return with_tables(with_groups(data, **groups), {"gold": lesson.table})


class Tables(NamedTuple):
    """Tables of annotators given the truth, and the model that they are of."""

    model: Model[Any]
    drawn: dict[str, Float[np.ndarray, "C N ..."]]


class Lesson(NamedTuple):
    """What gold has taught, what that is worth, and how errors go together."""

    learned: Taught
    table: pd.DataFrame
    sentence: str
    surprise: float
    errors: tuple[float, float]
    names: dict[str, list[str]]

    def corrected(
        self, space: Space, gold: Gold, single: Single, prob: float, tables: Tables
    ) -> Corrected:
        """Correct what a fit says of some items."""
        truth = self.learned.corrected(space, start_of(single), prob)
        truth = with_known(truth, gold)
        result = replace(single.result, log_likelihood=None)
        before = replace(single, result=result)
        same = tables.model is single.model
        if tables.drawn:
            kept = {n: v for n, v in result.parameters.items() if same or n == "weight"}
            result = replace(result, parameters={**kept, **tables.drawn})
        name, reason = single.name, single.reason
        if not same:
            name = TABLES
            reason += f"; annotators are those of {TABLES}, given the truth"
        single = replace(
            single, model=tables.model, name=name, result=result, reason=reason
        )
        single = believing(single, space, truth)
        return Corrected(single, self, gold.unit, space, before)


@products_on_one_thread()
def corrected(
    space: Space,
    fixed: Space,
    single: Single,
    request: Request,
    given: pd.DataFrame | None,
) -> Corrected | None:
    """Correct a fit that was made without gold; None where no item has any."""
    gold = gold_of(space, fixed)
    if not len(gold.unit):
        return None
    generator = generator_of(seed_for(request.seed, GROUP))
    lesson = taught_by(space, gold, single, request, given, generator)
    tables, number = Tables(single.model, {}), draws_of(single)
    if number:
        affordable = VISITS // max(len(space.unit) * space.state.shape[1], 1)
        some = min(max(affordable, FEWEST), max(number, FEWEST), MOST)
        host = host_of_tables(single, space)
        truths = drawn_truths(lesson.learned, space, single, gold, some)
        counts = counted_in(host, truths, generator)
        drawn = tables_given_truth(host, counts, generator)
        tables = Tables(host.model, as_draws(drawn, single))
    return lesson.corrected(space, gold, single, request.effort.prob, tables)


def taught_by(
    space: Space,
    gold: Gold,
    single: Single,
    request: Request,
    given: pd.DataFrame | None,
    generator: np.random.Generator,
) -> Lesson:
    """Learn from the gold labels of a space what a fit that was without is worth."""
    numbers = pd.to_numeric(pd.Series(space.states), errors="coerce").notna().all()
    ordered = space.kind == "choice" and bool(request.ordered or numbers)
    learned, worth = learn(space, start_of(single), gold, generator, ordered=ordered)
    weight = _weights(space, gold, given)
    sentence, table, surprise = stated(worth, weight, request.effort.prob, space.kind)
    sure = (gold.likelihood > 0).sum(1) == 1
    slot = gold.likelihood.argmax(1)[:, None]
    listed = np.broadcast_to(space.state, (space.num_units, gold.likelihood.shape[1]))
    state = np.take_along_axis(listed[gold.unit], slot, 1)[:, 0]
    errors = error_correlation(space, gold.unit[sure], state[sure])
    names = {"given_item": space.unit_item[gold.unit].astype(str).tolist()}
    if isinstance(space, ContainsSpace):
        names["given_label"] = space.unit_label[gold.unit].astype(str).tolist()
    return Lesson(learned, table, sentence, surprise, errors, names)


def drawn_truths(
    learned: Taught, space: Space, single: Single, gold: Gold, number: int
) -> Iterator[Float[np.ndarray, "U S"]]:
    """Give draws of P(state) as gold has corrected it, after those of the start."""
    for drawn in learned.drawn(space, start_of(single), GIVEN_BURN_IN + number):
        yield with_known(Truth(drawn, drawn, drawn), gold).probability


def start_of(single: Single) -> Start:
    """Return what a fit without gold believes."""
    return Start(reported_truth(single.result, single.tempering), single.models)


def draws_of(single: Single) -> int:
    """Return how many draws of parameters a fit has that NumPy can draw again."""
    parameters = single.result.parameters
    if not parameters or not single.model.on_host:
        return 0
    chains, draws = next(iter(parameters.values())).shape[:2]
    return int(chains * draws)


def as_draws(
    drawn: Mapping[str, Float[np.ndarray, "D ..."]], single: Single
) -> dict[str, Float[np.ndarray, "C N ..."]]:
    """Return draws as many as a fit has; a point where that is what it has."""
    chains, draws = next(iter(single.result.parameters.values())).shape[:2]
    shaped = {}
    for name, values in drawn.items():
        if chains * draws == 1:
            every = values.mean(0, keepdims=True)
        else:
            every = np.resize(values, (chains * draws, *values.shape[1:]))
        shaped[name] = every.reshape(chains, draws, *values.shape[1:])
    return shaped


def _weights(
    space: Space, gold: Gold, given: pd.DataFrame | None
) -> Float[np.ndarray, " G"]:
    """Return for how many units each with gold stands, by how it was drawn."""
    if given is None:
        return np.ones(len(gold.unit))
    names, key = [space.unit_item[gold.unit].astype(str)], ["item"]
    if isinstance(space, ContainsSpace):
        names.append(space.unit_label[gold.unit].astype(str))
        key.append("label")
    return gold_weights(given, key, pd.MultiIndex.from_arrays(names))


def believing(single: Single, space: Space, truth: Truth) -> Single:
    """Return the fit with another posterior of the truth, tempered as it was."""
    if single.tempering is None:
        return single.believing(truth)
    tempering = tempered_as(truth, single.tempering, space, single.result)
    return replace(single.believing(tempering.raw), tempering=tempering)


def tempered_as(
    truth: Truth, tempering: Tempering, space: Space, result: Result
) -> Tempering:
    """Return how a tempered posterior was before, tempered as another was."""
    kept = prior_at_full_strength(space, result)
    raw = temper(truth, kept, 1 / tempering.design_effect)
    return replace(tempering, raw=raw, tempered=truth, reported="tempered")


def with_known(truth: Truth, gold: Gold) -> Truth:
    """Return the posterior with the truth of units that have gold."""
    believed = np.maximum(truth.probability[gold.unit], MIN_PROBABILITY)
    share = believed * gold.likelihood
    share /= share.sum(1, keepdims=True)
    certain = (share == 0) | (share == 1)

    def at(bound: Float[np.ndarray, "U S"]) -> Float[np.ndarray, "U S"]:
        changed = bound.copy()
        changed[gold.unit] = np.where(certain, share, bound[gold.unit])
        return changed

    probability = truth.probability.copy()
    probability[gold.unit] = share
    lower, upper = at(truth.lower), at(truth.upper)
    return Truth(
        probability, np.minimum(lower, probability), np.maximum(upper, probability)
    )


def host_of_tables(single: Single, space: Space) -> HostModel:
    """Lay out the model whose tables are drawn given the truth."""
    model = single.model
    columns = False
    if isinstance(space, ChoiceSpace) and space.covariates.names:
        columns = True
        space = replace(space, covariates=no_covariates(space.num_units, 0))
    has_tables = model.by_tables and not model.by_gradient(space) and not model.has_rows
    as_it_is = has_tables and not columns and num_substates(model) == 1
    if not (as_it_is and model.closed(space)):
        model = annotators.fittable(TABLES)
    return HostModel(model, space)


def logs_near(host: HostModel, single: Single) -> dict[str, Float[np.ndarray, ...]]:
    """Return the logarithms of a fit's tables, or of their priors for want of them."""
    logs = {}
    for name, prior in host.priors.items():
        near = np.broadcast_to(np.asarray(prior.concentration), prior.shape)
        if host.model is single.model:
            near = np.asarray(single.result.parameters[name], float).mean((0, 1))
        logs[name] = np.log(np.maximum(near, SCORED**10))
    return logs


def stated(
    worth: Worth, weight: Float[np.ndarray, " G"], prob: float, kind: str
) -> tuple[str, pd.DataFrame, float]:
    """Return what gold is worth: a sentence, a table, and a surprise."""
    number = len(worth.without)
    before, after = (
        -np.log(np.maximum(each, SCORED)) for each in (worth.without, worth.left_out)
    )
    right_before, right = worth.right_before.astype(float), worth.right.astype(float)
    values = {
        "without gold": (before, right_before),
        "with gold": (after, right),
        "difference": (after - before, right - right_before),
    }
    rows = []
    for method, (loss, hits) in values.items():
        of_loss = _estimate(loss, weight, prob)
        of_hits = _estimate(hits, weight, prob)
        if method != "difference":
            effective = weight.sum() ** 2 / (weight**2).sum()
            share = np.array([of_hits[0]])
            bounds = share_bounds(
                share, share * (1 - share) / effective, np.array([effective]), prob
            )
            of_hits = (of_hits[0], float(bounds[0][0]), float(bounds[1][0]))
        rows.append((method, number, *of_loss, *of_hits))
    table = pd.DataFrame(rows, columns=list(OF_GOLD))
    (_, _, loss, *_, before_hits, _, _), (_, _, with_it, *_, hits, _, _) = rows[:2]
    gain, low, high = rows[2][2:5]
    what = "items" if kind == "choice" else "pairs of item and label"
    around = f", {low:+.3f} to {high:+.3f}" if number > 1 else ""
    sentence = (
        f"gold labels of {number:,} {what}: on gold left out, log-loss is "
        f"{with_it:.3f} with gold and {loss:.3f} without (difference "
        f"{gain:+.3f}{around}), accuracy {hits:.3f} and {before_hits:.3f}"
    )
    expected = worth.stated.sum() - worth.right.sum()
    spread = np.sqrt(np.maximum((worth.stated * (1 - worth.stated)).sum(), 1e-12))
    return sentence, table, float(expected / spread)


def _estimate(
    values: Float[np.ndarray, " G"], weight: Float[np.ndarray, " G"], prob: float
) -> tuple[float, float, float]:
    """Return a weighted mean with bounds; the error is that of a ratio of sums."""
    mean, number = float(np.average(values, weights=weight)), len(values)
    if number < 2:
        return mean, np.nan, np.nan
    off = weight * (values - mean) / weight.sum()
    error = np.sqrt((off**2).sum() * number / (number - 1))
    reach = float(special.stdtrit(number - 1, (1 + prob) / 2) * error)
    return mean, mean - reach, mean + reach
