r"""Whether annotators err independently, which every table model takes for granted.

Each answer is weighed as the model weighs it, :math:`v_r = \log \theta_{jky} - \log
\theta_{jk'y}` between a label k and its rival k', the label that is answered most like
it. (Were the two chosen item by item, by what was said of the item, residuals of
independent annotators would correlate.) Were answers independent given the state g of
the item, which is its label or what the model knows that is finer (subtype,
difficulty), the residuals :math:`e_r = v_r - \mathrm{E}[v_r \mid g] - c_k s_r` of two
annotators would not correlate. Their correlation, given the posterior of the state, is

.. math::

   \hat\rho = \frac{\sum_i \sum_g q_{ig} [(\sum_r e_r)^2 - \sum_r e_r^2]}
                   {\sum_i \sum_g q_{ig} [(\sum_r s_r)^2 - \sum_r s_r^2]},

with :math:`s_r` the standard deviation of :math:`v_r` under the model, numerator and
denominator averaged over draws of the parameters. Its expectation is zero for
independent annotators, whoever they are; the spread of the items' terms gives the
standard error. A prior holds confusions back, and residuals of a label then all lean
one way: :math:`c_k` is how far they do, so that this does not count as going together.

**What the consensus hides.** The truth is inferred from the same answers: where all err
together, the error is taken for the truth, and no residual is left. So :math:`\hat\rho`
is far smaller than the correlation given the *true* labels. On fifteen public data sets
with gold labels (hierarchical model, `vb`) the root of :math:`\hat\rho` came within .15
of the latter on nine (such as rte .24 for .25, cf_amt .32 for .30, dog .25 for .38) and
was far below it on six (such as zc_in .19 for .41 and trec .17 for .56).
The root was chosen for the log-loss that it gives on eleven public sets; there is no
other constant.

n answers whose errors correlate by :math:`\rho` are worth :math:`n / (1 + (n - 1)
\rho)` independent ones: the **design effect** (Kish 1965, section 5.4).

References
----------
Han, Adiguzel and Carpenter (2024), arXiv 2405.19521, where posterior predictive checks
reject Dawid and Skene's model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.nn import softmax
from jaxtyping import Array, Float, Int, Shaped

from consilience.checks.verdict import Verdict, at_most, not_assessed
from consilience.model import (
    AnnotatorModel,
    BySubtype,
    belief,
    by_subtype,
    emission_of,
    lay_out,
    log_prior,
    prepared,
    replayed,
    some_draws,
)
from consilience.truth import Observations, Space

# One data set in a hundred fails by chance: a false alarm costs some hundredths of
# log-loss, silence several tenths. (At one in a thousand, 3.09, one of eleven public
# sets that tempering helps would pass: zc_in, of z 2.8.)
LIMIT = 2.33
LEAST = 1e-12  # of a probability
LOOKED_AT = 10  # draws of the parameters


@dataclass(frozen=True, slots=True)
class Residual:
    """How residuals of answers to one item go together.

    Attributes
    ----------
    correlation
        Of two residuals, given the posterior of the truth; NaN where no item has two
        answers.
    z
        The correlation over its standard error.
    """

    correlation: float
    z: float

    @property
    def rejected(self) -> bool:
        """Whether independent annotators would hardly ever correlate as much."""
        return bool(self.z > LIMIT)

    @property
    def given_truth(self) -> float:
        """Correlation to be expected given the true labels; see the module."""
        return float(np.sqrt(np.clip(np.nan_to_num(self.correlation), 0.0, 1.0)))

    def design_effect(self, number: Float[np.ndarray, " U"]) -> Float[np.ndarray, " U"]:
        """Return by how much so many answers of each item are fewer than they seem."""
        effect: Float[np.ndarray, " U"] = (
            1 + np.maximum(number - 1, 0) * self.given_truth
        )
        return effect


def residual_correlation(
    model: AnnotatorModel[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
) -> Residual | None:
    """Correlate the residuals of the answers to each unit.

    Parameters
    ----------
    model
        Who was fitted.
    space
        What could be true, and the answers.
    parameters
        Posterior draws of the parameters, by name; a few of them are looked at.

    Returns
    -------
    The correlation; None where answers do not come from tables.
    """
    if model.emission is None:
        return None
    observations = prepared(model, lay_out(model, space))
    product, scale = np.zeros(space.num_units), np.zeros(space.num_units)
    for values in some_draws(parameters, LOOKED_AT):
        logs = replayed(model, observations, values)
        tables = by_subtype(emission_of(model, observations, logs))
        if tables is None:
            return None
        sums = _sums(
            replace(observations, prepared=None, own=None),
            tables.log_confusion,
            tables.log_share,
            logs["prevalence"],
        )
        product += np.asarray(sums[0])
        scale += np.asarray(sums[1])
    number = np.bincount(space.unit, space.n, space.num_units)
    return _correlated(product[number > 1], scale[number > 1])


def _correlated(
    product: Float[np.ndarray, " U"], scale: Float[np.ndarray, " U"]
) -> Residual:
    if scale.sum() <= 0:
        return Residual(np.nan, np.nan)
    correlation = product.sum() / scale.sum()
    error = np.sqrt(((product - correlation * scale) ** 2).sum()) / scale.sum()
    return Residual(float(correlation), float(correlation / error) if error else np.nan)


@jax.jit
def _sums(
    observations: Observations,
    log_confusion: Float[Array, "#J K T L"],
    log_share: Float[Array, "#K T"],
    log_prevalence: Float[Array, " K"],
) -> tuple[Float[Array, " U"], Float[Array, " U"]]:
    """Return of each unit what both sums of the correlation take from it."""
    states, subtypes = log_confusion.shape[1:3]
    log_confusion = jnp.maximum(log_confusion, np.log(LEAST))
    tables = BySubtype(log_confusion, log_share)
    prior = log_prior(observations, {"prevalence": log_prevalence}, tables)
    scores = prior + tables.log_likelihood(observations)
    state = belief(scores).reshape(len(scores), -1, subtypes)

    likely = softmax(log_confusion, axis=3)
    share = jnp.broadcast_to(jnp.exp(log_share), (states, subtypes))
    shared = (likely * share[:, :, None]).sum(2)
    weighed = jnp.log(shared) - jnp.log(shared[:, _rivals(observations, shared)])
    mean = (likely * weighed[:, :, None]).sum(3, keepdims=True)
    square = (likely * weighed[:, :, None] ** 2).sum(3, keepdims=True)
    variance = jnp.maximum(square - mean**2, 0)
    deviation = jnp.sqrt(variance)
    residual = weighed[:, :, None] - mean

    def over_answers(each: Float[Array, "#J K T #L"]) -> Float[Array, "U S T"]:
        return tables.summed(observations, jnp.broadcast_to(each, likely.shape))

    def over_units(each: Float[Array, "U S T"]) -> Float[Array, " K"]:
        lists = jnp.broadcast_to(observations.state, each.shape[:2])
        return jnp.zeros(states).at[lists].add((state * each).sum(2))

    first, second, third, fourth = (over_answers(deviation**n) for n in (1, 2, 3, 4))
    weight = jnp.maximum(over_units(second), LEAST)
    leaning = over_units(over_answers(residual * deviation)) / weight
    residual -= leaning[:, None, None] * deviation
    scale = first**2 - second
    # Less a mean that they are part of, independent residuals correlate below zero.
    share = (1 / weight)[observations.state][:, :, None]
    spread = (over_units(fourth) / weight**2)[observations.state][:, :, None]
    lost = 2 * share * (first * third - fourth) - spread * scale
    product = over_answers(residual) ** 2 - over_answers(residual**2) + lost
    return (state * product).sum((1, 2)), (state * scale).sum((1, 2))


def _rivals(
    observations: Observations, shared: Float[Array, "#J K L"]
) -> Int[Array, " K"]:
    """Return of each state which other one is answered most alike (Bhattacharyya).

    It is told by the confusions alone, not by what was said of any item.
    """
    answers = observations.by_pair.T @ jnp.ones((observations.num_units, 1))
    answers = answers.reshape(observations.num_annotators, -1).sum(1)
    weight = answers / jnp.maximum(answers.sum(), 1)
    whole = jnp.broadcast_to(shared, (len(weight), *shared.shape[1:]))
    pooled = jnp.tensordot(weight, whole, 1)
    alike = jnp.sqrt(pooled) @ jnp.sqrt(pooled).T
    rival: Int[Array, " K"] = jnp.fill_diagonal(alike, -1, inplace=False).argmax(1)
    return rival


def independence(data: xr.DataTree) -> list[Verdict]:
    """Judge whether annotators err independently.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    The verdict `independence` (the residual correlation of annotators over its standard
    error); none where the model has no confusion to take residuals from.
    """
    told = data["truth"].attrs
    if "residual_correlation" not in told:
        return []
    if not np.isfinite(told["residual_z"]):
        how = (
            "fewer than two items have two answers, so errors cannot be seen to go "
            "together"
        )
        return [not_assessed("independence", LIMIT, how)]
    correlation = told["residual_correlation"]
    return [
        at_most(
            "independence",
            told["residual_z"],
            LIMIT,
            f"annotators err together (residual correlation {correlation:.3f}), so the "
            "posterior of the truth is tempered by a design effect; the intervals of "
            "annotators and confusions are not, and may be narrow",
        )
    ]
