"""Weights of models by how well they predict answers, and the probability of the best.

References
----------
Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian predictive
distributions, section 3.
Rubin (1981), The Bayesian bootstrap.
Peters and Walker (1978), An iterative procedure for obtaining maximum-likelihood
estimates of the parameters for a mixture of normal distributions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

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


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How models stand to each other."""

    elpd: Float[np.ndarray, " A"]
    se: Float[np.ndarray, " A"]
    difference: Float[np.ndarray, " A"]
    difference_se: Float[np.ndarray, " A"]
    weight: Float[np.ndarray, " A"]
    best: Float[np.ndarray, " A"]


def standing(
    elpd: Float[np.ndarray, "A N"],
    unit: Int[np.ndarray, " N"],
    n: Int[np.ndarray, " N"],
    seed: int = 0,
) -> Standing:
    """Compare models on the same answers.

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
    return Standing(
        elpd=mean,
        se=ratio_se(total, size),
        difference=mean - mean[first],
        difference_se=ratio_se(lacking, size),
        weight=stacking_weights(elpd, n),
        best=wins / DRAWS,
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
    shares: Float[np.ndarray, " A"] = weight / weight.sum()
    return shares


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
    shares: Float[np.ndarray, " A"] = (
        1 - SHRINKAGE
    ) * weight + SHRINKAGE * steady / steady.sum()
    return shares


def ratio_se(
    total: Float[np.ndarray, "A U"], size: Float[np.ndarray, " U"]
) -> Float[np.ndarray, " A"]:
    """Return the standard error of means over units that differ in size."""
    mean = total.sum(1, keepdims=True) / size.sum()
    if total.shape[1] < 2:
        return np.full(len(total), np.nan)
    spread = (total - mean * size).var(1, ddof=1)
    se: Float[np.ndarray, " A"] = np.sqrt(spread * total.shape[1]) / size.sum()
    return se
