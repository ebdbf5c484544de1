r"""The posterior of the truth, tempered: as of fewer answers than there are.

Answers whose errors are correlated carry less information than independent ones. With
the design effect D of an item, what was learned from its answers is raised to the power
1 / D:

.. math::

   q_k^{(D)} \propto p_k \, (q_k / p_k)^{1/D},

where q is the posterior and p the part of the prior that stays at full strength.
For *choice* it is what is known of candidates (their columns, such as a classifier's
scores, with the weights learned, and their log-odds), because that does not depend on
the annotators whose errors are correlated. At full strength beside tempered answers,
scores of simulated classifiers lowered the log-loss of labels on three public sets (rte
.104 to .055, temp .126 to .086, dog .295 to .178 for scores two standard deviations
apart; .151 to .131, .162 to .146 and .443 to .380 for one). The prevalence does not
stay: although learned from the same answers, at full strength it pulls labels towards
common classes. Without candidates labels keep their order. For
*contains* it stays: it is the share of pairs that hold, and without it the log-loss of
many answers to a pair is far worse (reassessed ImageNet, 78 raters, two states, D by
the root of the residual correlation: .262 instead of .174).

Bounds move with the probability: their distance in log-odds is divided by D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from consilience.errors import OptionError, not_among
from consilience.intervals import move_bound
from consilience.model.array_api import logsumexp
from consilience.when_used import xr

type Which = Literal["raw", "tempered"]

MIXTURE = "the truth is a mixture"  # in the reason of a fit of several models
MIN_PROBABILITY = 1e-300  # of a probability, so that it has a logarithm
FIELDS = ("probability", "lower", "upper")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is believed of each unit."""

    probability: Float[np.ndarray, "U S"]
    lower: Float[np.ndarray, "U S"]
    upper: Float[np.ndarray, "U S"]


@dataclass(frozen=True, slots=True, eq=False)
class Tempering:
    """A posterior of the truth, raw and tempered."""

    raw: Truth
    tempered: Truth
    design_effect: Float[np.ndarray, " U"]
    reported: Which
    correlation: float
    z: float
    shrunk: float
    common: float


def temper(
    truth: Truth,
    kept: Float[np.ndarray, "#U S"],
    design_effect: Float[np.ndarray, " U"],
) -> Truth:
    """Temper a posterior of the truth."""
    power = 1 / design_effect[:, None]
    possible = kept > 0
    log_kept = np.log(np.where(possible, kept, 1.0))
    log_truth = np.log(np.maximum(truth.probability, MIN_PROBABILITY))
    log_weight = power * log_truth + (1 - power) * log_kept
    log_weight = np.where(possible, log_weight, -np.inf)
    probability = np.exp(log_weight - logsumexp(log_weight, 1)[:, None])
    lower, upper = (
        move_bound(bound, truth.probability, probability, power)
        for bound in (truth.lower, truth.upper)
    )
    return Truth(
        probability,
        np.minimum(lower, probability),
        np.maximum(upper, probability),
    )


def mix(truths: list[Truth], weights: Float[np.ndarray, "A ..."]) -> Truth:
    """Mix what several models believe, each with its weight, or one for each unit."""
    return Truth(
        *(
            sum(
                weight * getattr(truth, name)
                for weight, truth in zip(weights, truths, strict=True)
            )
            for name in FIELDS
        )
    )


def with_truth(data: xr.DataTree, which: Which) -> xr.DataTree:
    """Return a fit with the raw or the tempered posterior of the truth."""
    if which not in ("raw", "tempered"):
        msg = not_among("posterior of the truth", which, ("raw", "tempered"))
        raise OptionError(msg)
    truth = data["truth"].to_dataset()
    reported = truth.attrs.get("reported", "raw")
    if reported == which:
        return data
    if f"{which}_probability" not in truth:
        msg = (
            f"this fit has no {which} posterior of the truth, only the {reported} one: "
            "its model has no confusions to take residuals from"
        )
        raise OptionError(msg)
    swapped = {
        name: truth[f"{which}_{name}"].astype(truth[name].dtype) for name in FIELDS
    }
    kept = {f"{reported}_{name}": truth[name] for name in FIELDS}
    new = truth.drop_vars([f"{which}_{name}" for name in FIELDS]).assign(
        {**swapped, **kept}
    )
    new.attrs["reported"] = which
    groups = {path: node.to_dataset() for path, node in data.subtree_with_keys}
    at = next(path for path in groups if path.strip("/") == "truth")
    return xr.DataTree.from_dict({**groups, at: new})
