r"""Whether annotators err independently, which every table model takes for granted.

Each answer is weighed as the model weighs it, :math:`v_r = \log \theta_{jky} - \log
\theta_{jk'y}` between the two most probable labels k, k' of its item. Were answers
independent given the truth, the residuals :math:`e_r = v_r - \mathrm{E}[v_r \mid k]`
of two annotators would not correlate. Their correlation, given the posterior of the
truth, is

.. math::

   \hat\rho = \frac{\sum_i \sum_k q_{ik} [(\sum_r e_r)^2 - \sum_r e_r^2]}
                   {\sum_i \sum_k q_{ik} [(\sum_r s_r)^2 - \sum_r s_r^2]},

with :math:`s_r` the standard deviation of :math:`v_r` under the model. Its expectation
is zero for independent annotators, whoever they are; the spread of the items' terms
gives the standard error.

**What the consensus hides.** The truth is inferred from the same answers: where all err
together, the error is taken for the truth, and no residual is left. So :math:`\hat\rho`
is far smaller than the correlation given the *true* labels. On eleven public data sets
with gold labels, the root of :math:`\hat\rho` came near the latter (.27 for .23, .23
for .24, .31 for .24, .31 for .27, .45 for .50); the form was chosen on these, there is
no other constant. n answers whose errors correlate by :math:`\rho` are worth :math:`n /
(1 + (n - 1) \rho)` independent ones: the **design effect** (Kish 1965, section 5.4).

References
----------
Han, Adiguzel and Carpenter (2024), arXiv 2405.19521, where posterior predictive checks
reject Dawid and Skene's model.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_most, not_assessed
from consilience.truth import Space

# One data set in a thousand fails by chance.
LIMIT = 3.09
BLOCK = 4_000_000  # numbers held for a block of answers
LEAST = 1e-12  # of a probability


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
    space: Space,
    belief: Float[np.ndarray, "U S"],
    confusion: Float[np.ndarray, "J K L"],
) -> Residual:
    """Correlate the residuals of the answers to each unit.

    Parameters
    ----------
    space
        What could be true, and the answers.
    belief
        Posterior of the truth over the listed states.
    confusion
        p(answer | state) of each annotator; one row where all share it.
    """
    units = space.num_units
    lists = np.broadcast_to(space.state, belief.shape)
    top = np.argsort(-belief, axis=1, kind="stable")[:, :2]
    if top.shape[1] < 2:
        return Residual(np.nan, np.nan)
    rows = np.arange(units)
    leading = np.take_along_axis(lists, top, 1)
    likely = np.maximum(confusion, LEAST)
    product, scale = np.zeros(units), np.zeros(units)
    answers = len(space.unit)
    step = max(BLOCK // likely.shape[2], 1)
    whose = np.zeros_like(space.annotator) if len(likely) == 1 else space.annotator
    parts = [slice(at, at + step) for at in range(0, answers, step)]
    for own in (0, 1):
        sums = np.zeros((4, units))
        for part in parts:
            unit, n = space.unit[part], space.n[part]
            given = likely[whose[part], leading[unit, own]]
            other = likely[whose[part], leading[unit, 1 - own]]
            given = given / given.sum(1, keepdims=True)
            weighed = np.log(given) - np.log(other)
            mean = (given * weighed).sum(1)
            variance = np.maximum((given * weighed**2).sum(1) - mean**2, 0)
            said = np.arange(len(n)), space.answer[part]
            residual = weighed[said] - mean
            terms = (residual, residual**2, np.sqrt(variance), variance)
            sums += [np.bincount(unit, n * term, units) for term in terms]
        weight = belief[rows, top[:, own]]
        product += weight * (sums[0] ** 2 - sums[1])
        scale += weight * (sums[2] ** 2 - sums[3])
    number = np.bincount(space.unit, space.n, units)
    product, scale = product[number > 1], scale[number > 1]
    if scale.sum() <= 0:
        return Residual(np.nan, np.nan)
    correlation = product.sum() / scale.sum()
    error = np.sqrt(((product - correlation * scale) ** 2).sum()) / scale.sum()
    return Residual(float(correlation), float(correlation / error) if error else np.nan)


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
