r"""Exact leave-one-response-out: how well a model predicts each answer from the others.

Given the parameters, :math:`p(y_r \mid y_{i,-r}, \theta)` is the likelihood of item i
with the answer over that without it, the truth summed out: exact. Over the parameters,

.. math::

   \frac{1}{p(y_r \mid y_{-r})}
   = \mathrm{E}\Big[\frac{1}{p(y_r \mid y_{i,-r}, \theta)} \Big| y\Big],

estimated from posterior draws by importance sampling with truncated weights. The latent
trait of a pair has the posterior :math:`p(s \mid y_{-r}) \propto p(s \mid y) / p(y_r
\mid s)` without answer r, whatever the labels of an item share. It scores
models without gold labels: one that knows who confuses what predicts better.

**Stacking**: models weighted so that their mixture predicts each answer best.

References
----------
Gelfand, Dey and Chang (1992), Model determination using predictive distributions.
Ionides (2008), Truncated importance sampling.
Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation, section 2.
Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian predictive
distributions, section 3.
Rubin (1981), The Bayesian bootstrap.
Peters and Walker (1978), An iterative procedure for obtaining maximum-likelihood
estimates of the parameters for a mixture of normal distributions.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.model import HostModel, Model, logarithms, thin
from consilience.truth import ContainsSpace, Space

MAX_SCORED = 50_000_000  # answers x draws held at once (float32: 200 MB)
# The mean over so many answers x draws has far less error from the draws than from the
# answers; of every answer, this many draws are scored at least.
ENOUGH, MIN_DRAWS = 300_000, 30
TINY = 1e-12  # of a probability
ROWS = 50_000  # answers looked at together


def leave_one_response_out(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
) -> Float[np.ndarray, " N"] | None:
    """Return the log predictive density of every answer, given the others."""
    if not parameters:
        return None
    number = math.prod(next(iter(parameters.values())).shape[:2])
    answers = max(len(space.unit), 1)
    most = max(min(max(ENOUGH // answers, MIN_DRAWS), MAX_SCORED // answers), 2)
    if model.whole_items and not model.of_classes:
        return _of_trait(model, space, parameters, most)
    if not model.on_host or number < 2:
        return None
    tables = HostModel(model, space)
    responses = space.unit, space.annotator, space.answer
    scored = [
        tables.given_the_others(logarithms(values, tables.closed), responses).astype(
            np.float32
        )
        for values in thin(parameters, most)
    ]
    return _weighted(np.stack(scored))


def _of_trait(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    most: int,
) -> Float[np.ndarray, " N"] | None:
    """Score answers by the trait of their pair of item and label, summed out."""
    from consilience.presence.latent_trait import traits  # noqa: PLC0415 (loads JAX)

    if not isinstance(space, ContainsSpace):
        return None
    of_draws = traits(model, space, parameters, most)
    each = [_given_the_others(space, *draw) for draw in of_draws]
    return _weighted(np.log(np.stack(each)).astype(np.float32))


def given_two_states(
    space: ContainsSpace,
    truth: Float[np.ndarray, "U 2"],
    confusion: Float[np.ndarray, "J 2 L"],
) -> Float[np.ndarray, " N"]:
    """Score answers by what is believed of their pair, and one table an annotator."""
    tables = np.swapaxes(confusion, 1, 2)[:, None].astype(float)
    return np.log(_given_the_others(space, truth, tables))


def _given_the_others(
    space: ContainsSpace,
    belief: Float[np.ndarray, "U T"],
    answers: Float[np.ndarray, "J G L T"],
) -> Float[np.ndarray, " N"]:
    """Return p(answer | the others).

    Tables of answers are of annotators and groups of labels, given states or nodes.
    """
    likely = np.empty(len(space.unit))
    for start in range(0, len(space.unit), ROWS):
        rows = slice(start, start + ROWS)
        unit = space.unit[rows]
        of_group = space.groups.code[unit] if answers.shape[1] > 1 else 0
        tables = answers[space.annotator[rows], of_group]
        seen = np.take_along_axis(tables, space.answer[rows, None, None], 1)[:, 0]
        likely[rows] = 1 / (belief[unit] / np.maximum(seen, TINY)).sum(1)
    return likely


def _weighted(scored: Float[np.ndarray, "D N"]) -> Float[np.ndarray, " N"]:
    # Relative to the least probable draw of each answer, which has the largest weight.
    least = scored.min(0)
    weight = np.exp(least - scored)
    # The largest weight is held to the mean times the root of the number of draws.
    np.minimum(weight, weight.mean(0) * np.sqrt(len(scored)), out=weight)
    mean = np.einsum("dn,dn->n", weight, np.exp(scored - least)) / weight.sum(0)
    return (np.log(mean) + least).astype(float)


# How far weights are shrunk, and the drift of labels at which a model's share falls to
# 1 / e: see `shrink_weights`. Chosen on public sets by log-loss, a family of sets left
# out at a time (`benchmarks/left_out.py`): a drift of .005 to .05 is as good within
# .005.
SHRINKAGE = 0.6
DRIFT = 0.01
STEPS = 1000  # of the fixed point; it stops sooner when weights stand still
STILL = 1e-6
# Steps of EM for the shares of a mixture converge up to twice as long (Peters and
# Walker 1978).
RELAXED = 1.9
DRAWS = 4000  # of the Bayesian bootstrap: a Monte Carlo error of .008 at most
BLOCKS = 250  # of units that the bootstrap weighs alike, where there are more units


def standing(
    elpd: Float[np.ndarray, "A N"],
    unit: Int[np.ndarray, " N"],
    n: Int[np.ndarray, " N"],
    seed: int = 0,
) -> pd.DataFrame:
    """Compare models on the same answers; each has a row.

    Answers about one item are alike, so standard errors are those of a mean over items
    (a ratio: items have different numbers of answers).
    """
    units = int(unit.max()) + 1
    total = np.stack([np.bincount(unit, n * values, units) for values in elpd])
    size = np.bincount(unit, n, units)
    mean = total.sum(1) / size.sum()
    first = int(mean.argmax())
    lacking = total - total[first]
    blocks = min(units, BLOCKS)
    place = np.arange(units) % blocks
    weighed = np.stack([np.bincount(place, values, blocks) for values in total])
    generator = np.random.default_rng(seed)
    drawn = generator.standard_exponential((DRAWS, blocks)) @ weighed.T
    first_of_all = drawn == drawn.max(1, keepdims=True)
    wins = (first_of_all / first_of_all.sum(1, keepdims=True)).sum(0)
    return pd.DataFrame(
        {
            "elpd": mean,
            "se": ratio_se(total, size),
            "difference": mean - mean[first],
            "difference_se": ratio_se(lacking, size),
            "weight": stacking_weights(elpd, n),
            "best": wins / DRAWS,
        }
    )


def stacking_weights(
    elpd: Float[np.ndarray, "A N"], n: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " A"]:
    """Return the mixture of models under which the answers are most probable."""
    likely = np.exp(elpd - elpd.max(0))
    weight = np.full(len(elpd), 1 / len(elpd))
    # EM for the shares of a mixture, with longer steps: the objective is concave.
    for _ in range(STEPS):
        mixed = np.einsum("a,an->n", weight, likely)
        ratio = np.einsum("an,n->a", likely, n / mixed) / n.sum()
        new = weight * ratio**RELAXED
        new /= new.sum()
        moved = np.abs(new - weight).max()
        weight = new
        if moved < STILL:
            break
    return weight / weight.sum()


def shrink_weights(
    weight: Float[np.ndarray, " A"],
    drift: Float[np.ndarray, " A"],
    shown: Bool[np.ndarray, " A"],
) -> Float[np.ndarray, " A"]:
    """Shrink weights towards equal ones of the models whose labels do not drift.

    Stacking finds the mixture that predicts answers best. That need not be the one
    nearest the truth: a model in which a label drifts to the answers of another one
    predicts answers as well as before. It then moves the shares of the labels, which
    is seen without gold. Not so where labels have subtypes: these can exchange items
    between labels and keep the shares. Where errors of the votes themselves are far
    from even, good models move the shares too; so stacking keeps much of the weight.
    """
    if not shown.any():
        return weight
    steady = np.where(shown, np.exp(-(drift - drift[shown].min()) / DRIFT), 0.0)
    return (1 - SHRINKAGE) * weight + SHRINKAGE * steady / steady.sum()


def ratio_se(
    total: Float[np.ndarray, "A U"], size: Float[np.ndarray, " U"]
) -> Float[np.ndarray, " A"]:
    """Return the standard error of means over units that differ in size."""
    mean = total.sum(1, keepdims=True) / size.sum()
    if total.shape[1] < 2:
        return np.full(len(total), np.nan)
    spread = (total - mean * size).var(1, ddof=1)
    return np.sqrt(spread * total.shape[1]) / size.sum()
