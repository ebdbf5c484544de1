r"""Selection frequencies of labels: the share of annotators who would answer yes.

The share of yes among five answers is a noisy frequency, and rules that keep what has a
high share keep what was lucky: of the kept the true frequencies are lower, and the
distribution of shares is wider than that of frequencies. Both are put right by the
mixture that `contains_counts` has learned: of one pair, :math:`p(f_i \mid y_i)`; of the
data set, the mean of these,

.. math::

   G(t) = \frac{1}{U} \sum_i p(f_i > t \mid y_i, \hat\phi).

Bounds of `G` carry the error of the mixture as well as the draw of the items
(linearised, clustered by item).

References
----------
Engstrom et al. (2020), Identifying statistical bias in dataset replication. Newey and
McFadden (1994), section 6, on estimates in two steps.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import NormalDist
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
import pandas as pd
from jax.flatten_util import ravel_pytree
from jax.nn import logsumexp, sigmoid, softmax
from jaxtyping import Array, Float
from numpyro.handlers import seed
from numpyro.infer.util import potential_energy
from scipy.special import expit

from consilience.analysis.decisions import ROUNDING, vote_shares
from consilience.annotators.contains_counts import (
    Prior,
    log_frequency,
    nodes,
    share_above,
)
from consilience.errors import OptionError
from consilience.model import Model, from_draw, lay_out, sample_answers, thin
from consilience.posterior import Fit
from consilience.posterior.spaces import restored_contains
from consilience.posterior.stored import restored_model
from consilience.posterior.truth import MAX_DRAWS
from consilience.programs import double_precision
from consilience.responses.id_types import restores_types
from consilience.truth import ContainsSpace, Observations, Space, merge_identical
from consilience.truth.coding import some_units

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)
BLOCK = 20_000  # pairs looked at together: 20 MB for each table of nodes
DRAWS = 100  # of the fit, evenly taken
STEP = 1e-4  # of the differences that the curvature is taken from
_SAMPLED = ("mean", "concentration", "share", "weight", "maybe")
_FREE: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "concentration": (jnp.log, jnp.exp),
    "maybe": (lambda share: jnp.log(share) - jnp.log1p(-share), sigmoid),
}


@restores_types
def frequencies(fit: Fit, thresholds: Sequence[float] = (0.5,)) -> pd.DataFrame:
    """Return the selection frequency of each label: the share that would answer yes.

    Parameters
    ----------
    fit : Fit
        A fit of the model `contains_counts`.
    thresholds : sequence of float, default (0.5,)
        Frequencies above which a label counts as present.

    Returns
    -------
    pandas.DataFrame
        Columns item, label, frequency (posterior mean; a maybe counts half), lower and
        upper; and for each threshold a column, such as above_0.5: the probability that
        the frequency is above it.

    Raises
    ------
    OptionError
        If the fit is of another model, or a threshold is not between 0 and 1.

    See Also
    --------
    selection_frequencies : The distribution of the frequencies in the data set.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_counts", engine="em")
    >>> cs.contains.frequencies(fit)[["item", "label", "frequency"]].head(1).round(1)
        item   label  frequency
    0  item0  class1        0.6
    """
    space, model = _restore(fit, thresholds)
    tail = (1 - float(fit.data.attrs["prob"])) / 2
    merged = merge_identical(space, annotators=False)
    with double_precision():
        belief, grid = _mean_posterior(fit, merged.space, model), nodes(model.prior)
        above = {
            f"above_{threshold:g}": belief @ share_above(grid, jnp.asarray(threshold))
            for threshold in thresholds
        }
    node, below = np.asarray(grid), np.cumsum(belief, 1)
    edge = node + (node[1] - node[0]) / 2
    columns = {
        "frequency": belief @ expit(node),
        "lower": _quantile(below, edge, tail),
        "upper": _quantile(below, edge, 1 - tail),
        **above,
    }
    values = {name: np.asarray(each)[merged.place] for name, each in columns.items()}
    names = {"item": space.unit_item, "label": space.unit_label}
    return pd.DataFrame(names | values)


def draw_probability_above(
    fit: Fit, threshold: float
) -> tuple[pd.DataFrame, Float[np.ndarray, "D U"]]:
    """Return P(frequency above a threshold) of each label by draw of the parameters."""
    space, model = _restore(fit, [threshold])
    merged = merge_identical(space)
    with double_precision():
        above = share_above(nodes(model.prior), jnp.asarray(threshold))
        parts = [
            [
                np.asarray(_posterior(model, observations, values) @ above)
                for values in thin(_values(fit), MAX_DRAWS)
            ]
            for observations in _blocks(merged.space, model)
        ]
    names = pd.DataFrame({"item": space.unit_item, "label": space.unit_label})
    return names, np.concatenate(parts, axis=1)[:, merged.place]


def selection_frequencies(
    fit: Fit, thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """Return the share of labels whose selection frequency exceeds each threshold.

    Parameters
    ----------
    fit, thresholds
        See `frequencies`.

    Returns
    -------
    pandas.DataFrame
        Columns threshold, observed (share of the pairs of item and label with at least
        that share of yes among their answers), share (of those whose frequency is above
        the threshold), lower and upper.

    Raises
    ------
    OptionError
        If the fit is of another model, or a threshold is not between 0 and 1.

    See Also
    --------
    frequencies : The frequency of each label.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_counts", engine="em")
    >>> table = cs.contains.selection_frequencies(fit, [0.3, 0.7])
    >>> table[["threshold", "observed", "share"]].round(1)
       threshold  observed  share
    0        0.3       0.7    0.8
    1        0.7       0.4    0.2
    """
    space, model = _restore(fit, thresholds)
    votes = vote_shares(fit)
    observed = [(votes >= threshold - ROUNDING).mean() for threshold in thresholds]
    reach = NormalDist().inv_cdf((1 + float(fit.data.attrs["prob"])) / 2)
    with double_precision():
        node = nodes(model.prior)
        above = jnp.stack(
            [share_above(node, jnp.asarray(value)) for value in thresholds], 1
        )
        share, error = _share_above(fit, space, model, above)
    return pd.DataFrame(
        {
            "threshold": list(thresholds),
            "observed": observed,
            "share": share,
            "lower": np.clip(share - reach * error, 0, 1),
            "upper": np.clip(share + reach * error, 0, 1),
        }
    )


def _restore(
    fit: Fit, thresholds: Sequence[float]
) -> tuple[ContainsSpace, Model[Prior]]:
    name = fit.data.attrs["model"]
    if name != "contains_counts":
        raise OptionError(
            f"the fit is of the model {name}; fit contains_counts to the responses"
        )
    for threshold in thresholds:
        if not 0 < threshold < 1:
            raise OptionError(
                f"threshold {threshold} is not a frequency between 0 and 1"
            )
    return restored_contains(fit.data), restored_model(fit.data)


def _values(fit: Fit) -> dict[str, Float[np.ndarray, "chain draw ..."]]:
    posterior = fit.data["posterior"]
    return {name: posterior[name].to_numpy() for name in _SAMPLED if name in posterior}


def _blocks(space: Space, model: Model[Prior]) -> list[Observations]:
    number = max(-(-space.num_units // BLOCK), 1)
    parts = np.array_split(np.arange(space.num_units), number)
    return [lay_out(model, some_units(space, units)) for units in parts]


@partial(jax.jit, static_argnames="model")
def _posterior(
    model: Model[Prior], observations: Observations, values: Any
) -> Float[Array, "U T"]:
    answers: Any = from_draw(model, observations, values).answers
    frequency = log_frequency(observations.layout, answers.parameters)
    return softmax(frequency, axis=1)


def _mean_posterior(
    fit: Fit, space: Space, model: Model[Prior]
) -> Float[np.ndarray, "U T"]:
    """Return p(frequency | answers) on the nodes, the mean over draws."""
    parts = []
    for observations in _blocks(space, model):
        draws = [
            np.asarray(_posterior(model, observations, values))
            for values in thin(_values(fit), DRAWS)
        ]
        parts.append(np.mean(draws, 0))
    return np.concatenate(parts)


def _quantile(
    below: Float[np.ndarray, "U T"], edge: Float[np.ndarray, " T"], chance: float
) -> Float[np.ndarray, " U"]:
    """Return the frequency below which there is such a probability."""
    place = np.minimum((below < chance).sum(1), below.shape[1] - 1)
    rows = np.arange(len(below))
    before = np.where(place > 0, below[rows, place - 1], 0.0)
    inside = np.clip(
        (chance - before) / np.maximum(below[rows, place] - before, 1e-300), 0, 1
    )
    width = edge[1] - edge[0]
    return expit(edge[place] - width * (1 - inside))


def _share_above(
    fit: Fit, space: Space, model: Model[Prior], above: Float[Array, "T Q"]
) -> tuple[Float[np.ndarray, " Q"], Float[np.ndarray, " Q"]]:
    """Return the mean share above each threshold, and its standard error."""
    values = {
        name: jnp.asarray(value.astype(float).mean((0, 1)))
        for name, value in _values(fit).items()
    }
    free = {
        name: _FREE[name][0](v) if name in _FREE else v for name, v in values.items()
    }
    point, back = ravel_pytree(free)
    slopes_at = partial(_unit_slopes, model, back)
    merged = merge_identical(space, annotators=False)
    count, place = merged.count, merged.place
    parts = _blocks(merged.space, model)
    terms = [slopes_at(part, point, above) for part in parts]
    score, share, rise = (np.concatenate(term) for term in zip(*terms, strict=True))

    def total(at: Float[Array, " P"]) -> Float[np.ndarray, " P"]:
        scores = np.concatenate([np.asarray(slopes_at(p, at, above)[0]) for p in parts])
        return count @ scores

    gradient = count @ score
    moves = STEP * np.eye(len(gradient))
    curvature = np.stack([gradient - total(point + move) for move in moves]) / STEP
    whole = count.sum()
    mean = count @ share / whole
    steep = np.tensordot(count, rise, 1) / whole
    whole_curvature = (curvature + curvature.T) / 2 + _prior_curvature(
        model, back, parts[0], point
    )
    through = np.linalg.solve(whole_curvature, steep.T)
    influence = ((share - mean) / whole + score @ through)[place]
    item = pd.factorize(space.unit_item)[0]
    sums = np.stack([np.bincount(item, column) for column in influence.T], 1)
    number = len(sums)
    return mean, np.sqrt(number / max(number - 1, 1) * (sums**2).sum(0))


@partial(jax.jit, static_argnames=("model", "back"))
def _prior_curvature(
    model: Model[Prior],
    back: Callable[[Float[Array, " P"]], Any],
    observations: Observations,
    point: Float[Array, " P"],
) -> Float[Array, "P P"]:
    """Return the curvature of the log prior, which holds what answers leave open."""
    program = seed(sample_answers, 0)

    def energy(flat: Float[Array, " P"]) -> Float[Array, ""]:
        return potential_energy(program, (model, observations), {}, back(flat))

    return jax.hessian(energy)(point)


@partial(jax.jit, static_argnames=("model", "back"))
def _unit_slopes(
    model: Model[Prior],
    back: Callable[[Float[Array, " P"]], Any],
    observations: Observations,
    point: Float[Array, " P"],
    above: Float[Array, "T Q"],
) -> tuple[Float[Array, "U P"], Float[Array, "U Q"], Float[Array, "U Q P"]]:
    """Return each pair's score, P(frequency above), and how that moves."""

    def of(flat: Float[Array, " P"]) -> tuple[Float[Array, " U"], Float[Array, "U Q"]]:
        free = back(flat)
        values = {
            name: _FREE[name][1](value) if name in _FREE else value
            for name, value in free.items()
        }
        answers: Any = from_draw(model, observations, values).answers
        log_joint = log_frequency(observations.layout, answers.parameters)
        return logsumexp(log_joint, axis=1), softmax(log_joint, axis=1) @ above

    score, rise = jax.jacfwd(of)(point)
    return score, of(point)[1], rise
