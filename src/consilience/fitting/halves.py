r"""Presence by two models by halves, and by a latent trait where answers are few.

Tables of two states and tables of three are tempered, and their P(present) are
averaged. They are not weighed by how well they predict answers: on sentences whose
relations experts know, the latent trait predicts answers best and the truth worst.

**The latent trait** (`grid_trait`) says better what is present where a pair has few
answers, and worse where it has many, which say it themselves. Log-odds are averaged,
and the share of the trait falls with the number *n* of answers of the pair, and with
the weight *h* of its informative cut: as far as its components overlap, they need not
be what is there and what is not.

.. math::

   \mathrm{logit}\, P_u = (1 - w_u)\, \mathrm{logit}\, \tfrac12 (P_u^{(2)} + P_u^{(3)})
   + w_u\, \mathrm{logit}\, P_u^{(s)}, \qquad w_u = (1 - h)\, e^{-(n_u - 1) / 8}

**What else is known of a pair.** Labels have prevalences of their own, learned from the
same answers, whose errors go together within a label too: a part of what they add to
the log-odds is taken. Covariates of pairs, which depend on no annotator, have weights
that are learned, and all of what they add is taken. Smoothed shares of votes have a
share in the posterior, less where answers of a pair are many, as in `auto` of choice.
Other labels of the item move the log-odds last (`association`).

**What present means** is no part of the answers. So P(present) of all pairs may be off
together, and draws of annotators' tables are given the truth after such a move:

.. math::

   \delta \sim N(0, \tau^2), \quad
   z_u \sim \mathrm{Bernoulli}(\mathrm{logit}^{-1}(\mathrm{logit}\, P_u + \delta)),
   \quad \theta \mid z, y,

the last as in data augmentation. Bounds of P(present) hold the same move.

**To predict**, a fit keeps the parameters of both models and of the trait, and what was
learned of labels, pairs of labels, and covariates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.annotators import fittable
from consilience.fitting.association import Association
from consilience.fitting.association import learned as associated
from consilience.fitting.comparing import mixture_of
from consilience.fitting.earlier import few_draws
from consilience.fitting.grid_trait import TRAIT, Trait, read, stored
from consilience.fitting.single import Single, prior_at_full_strength
from consilience.inference import Result
from consilience.inference.augmentation import (
    GIVEN_BURN_IN,
    counted_in,
    tables_given_truth,
)
from consilience.intervals import log_odds
from consilience.model import HostModel, Model
from consilience.posterior.correlation import COMMON, mixed_effect
from consilience.posterior.stored import BY_HALVES
from consilience.posterior.tree import reported_truth
from consilience.posterior.truth import Tempering, Truth, temper
from consilience.truth import ContainsSpace, tally
from consilience.when_used import special, xr

# Tables of two states, whose annotators are reported, and of three.
HALVES = ("hierarchical_dawid_skene", "contains_states")
# Answers of a pair over which the share of the trait falls by the factor e, and the
# share of votes of a pair with one answer. The 26 simulated kinds have a log-loss of
# .345 without the trait and .318 with it. Where a family of kinds is left out, the rest
# choose 9 and .1 (once 6 and .2) among those that keep relations and images as they
# were; less keeps relations and rare findings nearer to what they were.
FADING, VOTES = 8.0, 0.1
# Part of what a label's prevalence adds to log-odds. Of 0 to 1: on relations in
# sentences, images, simulated findings and kinds, each left out in turn, the rest
# choose .75 or more. All of it costs .011 where images have five raters and more.
LABELS = 0.6
# Standard deviation of what all pairs may be off together, in log-odds. In 26 simulated
# kinds, two studies each, 90 % intervals hold sensitivity and specificity .90 and .94
# of the time, and with 0 .65 and .73.
OFF = 1.3
CONCENTRATIONS = np.geomspace(2, 500, 30)  # pairs that a label's prevalence may weigh
ROUNDS = 15  # of prevalences and posteriors, which then change by less than .001
LEAST = 1e-6  # precision of what is free, so that a matrix can be inverted
ASSOCIATION = "association"  # the group of which labels go together


class Half(NamedTuple):
    """What a model says of the pairs, with its states of them."""

    name: str
    space: ContainsSpace
    result: Result
    tempering: Tempering | None

    def share(self) -> float:
        """Return the share of pairs that are present."""
        return float(self.present()[1].mean())

    def present(self) -> Float[np.ndarray, "3 U"]:
        """Return P(present), tempered, between its bounds."""
        truth = reported_truth(self.result, self.tempering)
        each = truth.lower, truth.probability, truth.upper
        # Of several states, sums of the bounds are wider than the bounds of the sum.
        return np.minimum([part @ self.space.present for part in each], 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Additions:
    """What is known of pairs without their answers, in log-odds of presence.

    Attributes
    ----------
    level
        That of the mean of what the halves believed before.
    labels, of_label
        Labels, and what their prevalence adds.
    weight, error
        A constant and the weights of the covariates, with their standard errors.
    association
        Which labels of an item go together, once it is learned.
    """

    level: float
    labels: Shaped[np.ndarray, " M"]
    of_label: Float[np.ndarray, " M"]
    weight: Float[np.ndarray, " P"]
    error: Float[np.ndarray, " P"]
    association: Association | None = None

    def moved(self, space: ContainsSpace) -> Float[np.ndarray, " U"]:
        """Return what is added to the log-odds of each pair."""
        before, now = (
            pd.Index(labels.astype(str)) for labels in (self.labels, space.unit_label)
        )
        place: Int[np.ndarray, " U"] = before.get_indexer(now)
        of_label = np.append(self.of_label, 0.0)[place]
        columns = _design(space)
        by_columns = columns @ self.weight[: columns.shape[1]]
        return by_columns + of_label - self.level


def _design(space: ContainsSpace) -> Float[np.ndarray, "U P"]:
    return np.column_stack([np.ones(space.num_units), space.covariates.value])


class Mixed(NamedTuple):
    """The posterior of the truth by halves, what is added, and the shares in words."""

    tempering: Tempering
    added: Additions
    reason: str


def by_halves(
    halves: Sequence[Half], trait: Trait, prob: float, added: Additions | None = None
) -> Mixed:
    """Mix what is said of presence; learn what is added, unless it is given."""
    first = halves[0]
    space = first.space
    means = np.mean([half.present() for half in halves], 0)
    certain, gold = (means[1] <= 0) | (means[1] >= 1), means[1]
    number = np.bincount(space.unit, space.n, space.num_units)
    seen = read(space, trait)
    by_trait = (1 - seen.by_cut) * np.exp(-np.maximum(number - 1, 0) / FADING)
    low, mean, high = special.expit(
        (1 - by_trait) * log_odds(means) + by_trait * log_odds(seen.present)
    )
    mean = np.where(certain, gold, mean)
    added = added or _learned(space, mean)
    move = np.where(certain, 0.0, added.moved(space))
    share = VOTES / mixed_effect(number, COMMON)
    votes = _votes(space)
    low, mean, high = (
        share * votes + (1 - share) * special.expit(log_odds(each) + move)
        for each in (low, mean, high)
    )
    mean = np.where(certain, gold, mean)
    association = added.association or associated(space, mean)
    added = replace(added, association=association)
    move = np.where(certain, 0.0, association.moved(space, mean))
    low, high = (special.expit(log_odds(each) + move) for each in (low, high))
    mean = np.where(certain, gold, special.expit(log_odds(mean) + move))
    off = OFF * NormalDist().inv_cdf((1 + prob) / 2)
    middle = log_odds(mean)
    low, high = (
        special.expit(middle + sign * np.hypot(off, log_odds(bound) - middle))
        for sign, bound in ((-1, low), (1, high))
    )
    low, high = (np.where(certain, mean, bound) for bound in (low, high))
    tempered = Truth(
        np.stack([1 - mean, mean], 1),
        np.stack([1 - high, low], 1),
        np.stack([1 - low, high], 1),
    )
    parts = [half.tempering for half in halves if half.tempering is not None]
    effect = np.mean([part.design_effect for part in parts], 0)
    kept = prior_at_full_strength(space, first.result)
    raw = temper(tempered, kept, 1 / effect)
    tempering = replace(parts[0], raw=raw, tempered=tempered, design_effect=effect)
    parts_of = [((1 - by_trait) / 2, half.name) for half in halves]
    parts_of.append((by_trait, TRAIT))
    shares = [(name, float(((1 - share) * of).mean())) for of, name in parts_of]
    shares.append(("votes", float(share.mean())))
    return Mixed(tempering, added, mixture_of(shares))


def mixed_single(first: Single, mixed: Mixed) -> Single:
    """Return the fit of the first model with the posterior of the mixture."""
    return replace(
        first.believing(mixed.tempering.raw),
        tempering=mixed.tempering,
        reason=f"{mixed.reason}; annotators are those of {first.name}",
    )


def _learned(space: ContainsSpace, given: Float[np.ndarray, " U"]) -> Additions:
    """Learn the prevalence of labels, and the weights of covariates."""
    labels, label = np.unique(space.unit_label.astype(str), return_inverse=True)
    pairs, columns = np.bincount(label), _design(space)
    level = log_odds(given.mean(keepdims=True))
    ridge = np.diag(np.append(LEAST, np.ones(columns.shape[1] - 1)))
    evidence, present = log_odds(given) - level, given
    weight = np.append(level, np.zeros(columns.shape[1] - 1))
    for _ in range(ROUNDS):
        mean, count = present.mean(keepdims=True), np.bincount(label, present)
        most = CONCENTRATIONS[:, None]
        likely = special.betaln(count + most * mean, pairs - count + most * (1 - mean))
        likely -= special.betaln(most * mean, most * (1 - mean))
        best = CONCENTRATIONS[likely.sum(1).argmax()]
        shrunk = (count + best * mean) / (pairs + best)
        of_label = LABELS * (log_odds(shrunk) - log_odds(mean))
        prior = special.expit(columns @ weight + of_label[label])
        slope = columns.T @ (present - prior) - ridge @ weight
        curvature = (columns.T * (prior * (1 - prior))) @ columns + ridge
        weight += np.linalg.solve(curvature, slope)
        present = special.expit(evidence + columns @ weight + of_label[label])
    error = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return Additions(float(level[0]), labels.astype(object), of_label, weight, error)


def _votes(space: ContainsSpace) -> Float[np.ndarray, " U"]:
    """Return smoothed shares of votes: two of the mean vote are added to each pair."""
    votes = tally(space)
    votes = (votes + 2 * votes.sum(0) / votes.sum()) * np.exp(space.log_prior)
    return votes[:, 1] / votes.sum(1)


def tables_given_presence(
    model: Model[Any],
    space: ContainsSpace,
    mixed: Mixed,
    number: int,
    generator: np.random.Generator,
) -> dict[str, Float[np.ndarray, ...]]:
    """Draw tables of annotators given draws of what the mixture says is present."""
    present = mixed.tempering.tempered.probability[:, 1]
    certain, middle = (present <= 0) | (present >= 1), log_odds(present)

    def truths() -> Iterator[Float[np.ndarray, "U 2"]]:
        for _ in range(GIVEN_BURN_IN + number):
            moved = special.expit(middle + OFF * generator.standard_normal())
            moved = np.where(certain, present, moved)
            yield np.stack([1 - moved, moved], 1)

    host = HostModel(model, space)
    counts = counted_in(host, truths(), generator)
    tables = tables_given_truth(host, counts, generator)
    drawn = {name: values[None] for name, values in tables.items()}
    weight, error = mixed.added.weight[1:], mixed.added.error[1:]
    if len(weight):
        noise = generator.standard_normal((1, number, len(weight)))
        drawn["weight"] = (weight + error * noise).astype(np.float32)
    return drawn


def kept(
    halves: Sequence[Half], trait: Trait, added: Additions
) -> dict[str, xr.Dataset]:
    """Return what is kept of the models to predict, as groups of a fit."""
    columns = {"weight": ("column", added.weight), "error": ("column", added.error)}
    of_label = {"of_label": ("label", added.of_label)}
    groups = {
        BY_HALVES: xr.Dataset(
            columns | of_label, {"label": added.labels}, {"level": added.level}
        ),
        f"{BY_HALVES}/{TRAIT}": stored(trait),
    }
    if added.association is not None:
        groups[f"{BY_HALVES}/{ASSOCIATION}"] = added.association.stored()
    for half in halves:
        kept = few_draws(fittable(half.name), half.space, half.result, half.tempering)
        groups[f"{BY_HALVES}/{half.name}"] = kept
    return groups


def additions_of(data: xr.DataTree) -> Additions:
    """Return what a fit has learned of labels and covariates."""
    group = data[BY_HALVES].to_dataset()
    names = ("label", "of_label", "weight", "error")
    labels, of_label, weight, error = (group[name].to_numpy() for name in names)
    return Additions(
        level=float(group.attrs["level"]),
        labels=labels,
        of_label=of_label,
        weight=weight,
        error=error,
        association=Association.restored(
            data[f"{BY_HALVES}/{ASSOCIATION}"].to_dataset()
        ),
    )
