r"""Whether annotators err independently, which every table model takes for granted.

Each answer is weighed as the model weighs it, :math:`v_r = \log \theta_{jky} - \log
\theta_{jk'y}` between a label k and its rival k', the label that is answered most like
it. (Were the two chosen item by item, by what was said of the item, residuals of
independent annotators would correlate.) Were answers independent given the truth, the
residuals :math:`e_r = v_r - \mathrm{E}[v_r \mid k]` of two annotators would not
correlate. Their correlation, given the posterior of the truth, is

.. math::

   \hat\rho = \frac{\sum_i \sum_k q_{ik} [(\sum_r e_r)^2 - \sum_r e_r^2]}
                   {\sum_i \sum_k q_{ik} [(\sum_r s_r)^2 - \sum_r s_r^2]},

with :math:`s_r` the standard deviation of :math:`v_r` under the model. Its expectation
is zero for independent annotators, whoever they are; the spread of the items' terms
gives the standard error.

**What the consensus hides.** The truth is inferred from the same answers: where all err
together, the error is taken for the truth, and no residual is left. So :math:`\hat\rho`
is far smaller than the correlation given the *true* labels. On thirteen public data
sets with gold labels (hierarchical model, `vb`) the root of :math:`\hat\rho` came
within .1 of the latter on seven (such as dog .24 for .23, leaves .17 for .20, zc_us .26
for .26), lay above it on four (bird .27 for .14, cf .29 for .12, cf_amt .35 for .23,
senti_1k .32 for .18) and well below it on two (fact .14 for .51, fej2013 .15 for .48).
The root was chosen for the log-loss that it gives on eleven public sets; there is no
other constant.

n answers whose errors correlate by :math:`\rho` are worth :math:`n / (1 + (n - 1)
\rho)` independent ones: the **design effect** (Kish 1965, section 5.4).

References
----------
Han, Adiguzel and Carpenter (2024), arXiv 2405.19521, where posterior predictive checks
reject Dawid and Skene's model.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from consilience.checks.verdict import Verdict, at_most, not_assessed
from consilience.truth import Space

# One data set in a thousand fails by chance.
LIMIT = 3.09
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
    likely = np.maximum(confusion, LEAST)
    likely = likely / likely.sum(2, keepdims=True)
    rival = _rivals(space, likely)
    weighed = np.log(likely) - np.log(likely[:, rival])
    mean = (likely * weighed).sum(2)
    variance = np.maximum((likely * weighed**2).sum(2) - mean**2, 0)
    deviation = np.sqrt(variance)
    whose = np.zeros_like(space.annotator) if len(likely) == 1 else space.annotator
    product, scale = np.zeros(units), np.zeros(units)
    for slot in range(belief.shape[1]):
        state = lists[space.unit, slot]
        residual = weighed[whose, state, space.answer] - mean[whose, state]
        terms = (
            residual,
            residual**2,
            deviation[whose, state],
            variance[whose, state],
        )
        sums = [np.bincount(space.unit, space.n * term, units) for term in terms]
        product += belief[:, slot] * (sums[0] ** 2 - sums[1])
        scale += belief[:, slot] * (sums[2] ** 2 - sums[3])
    number = np.bincount(space.unit, space.n, units)
    product, scale = product[number > 1], scale[number > 1]
    if scale.sum() <= 0:
        return Residual(np.nan, np.nan)
    correlation = product.sum() / scale.sum()
    error = np.sqrt(((product - correlation * scale) ** 2).sum()) / scale.sum()
    return Residual(float(correlation), float(correlation / error) if error else np.nan)


def _rivals(space: Space, likely: Float[np.ndarray, "J K L"]) -> Int[np.ndarray, " K"]:
    """Return of each state which other one is answered most alike (Bhattacharyya).

    It is told by the confusions alone, not by what was said of any item.
    """
    shared = likely[0]
    if len(likely) > 1:
        answers = np.bincount(space.annotator, space.n, len(likely))
        shared = np.tensordot(answers / answers.sum(), likely, 1)
    alike = np.sqrt(shared) @ np.sqrt(shared).T
    np.fill_diagonal(alike, -1)
    rival: Int[np.ndarray, " K"] = alike.argmax(1)
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
