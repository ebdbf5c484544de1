r"""Whether annotators err independently, which every table model takes for granted.

Each answer is weighed as the model weighs it, :math:`v_r = \log \theta_{jky} - \log
\theta_{jk'y}` between a label k and its rival k'. Were answers independent given the
state g of the item, which is its label or what the model knows that is finer (subtype,
difficulty), the residuals :math:`e_r = v_r - \mathrm{E}[v_r
\mid g] - c_k s_r` of two annotators would not correlate. Their correlation, given the
posterior of the state, is

.. math::

   \hat\rho = \frac{\sum_i \sum_g q_{ig} [(\sum_r e_r)^2 - \sum_r e_r^2]}
                   {\sum_i \sum_g q_{ig} [(\sum_r s_r)^2 - \sum_r s_r^2]},

with :math:`s_r` the standard deviation of :math:`v_r` under the model, numerator and
denominator averaged over draws of the parameters. The spread of the items' terms gives
the standard error. A prior holds confusions back, and residuals of a label then all
lean one way: :math:`c_k` is how far they do.

**What the consensus hides.** The truth is inferred from the same answers: where all err
together, the error is taken for the truth, and no residual is left. So :math:`\hat\rho`
is far smaller than the correlation given the *true* labels: on fifteen public data sets
its root came within .15 of the latter on nine and was far below it on six. Where
annotators err independently, models whose form is wrong leave .004 to .019, shrunk.
What is reported is tempered by four times the residual correlation above .0075.

**What several models see.** A model that explains more hides more. Where `auto`
compares models, the median of their residual correlations says whether errors are
correlated at all (public sets: .023 and more; independent crowds: .018 or less in all
but four of 36), and if they are, no model's correlation is taken for less than .15.

**An estimate, not a switch.** Few studies have answers enough to tell a correlation of
.02 from none, and one of .02 already matters. So :math:`\hat\rho` is shrunk by its own
standard error towards what is usual across public data sets, .03 ± .03 (the mean of a
normal posterior, negative ones cut off). The constants were chosen with sixteen public
sets and six kinds of simulated crowds in view, by the log-loss of the labels.

n answers whose errors correlate by :math:`\rho` are worth :math:`n / D` independent
ones, with the **design effect** :math:`D = 1 + (n - 1) \rho` (Kish 1965, section 5.4),
so no number of answers is worth more than :math:`1 / \rho`. Where several models are
mixed, that they differ says so, and :math:`D = 1 + \rho \sqrt{(n - 1)(8 - 1)}`, the
same for eight answers, which is better whichever family of public sets is left out.

References
----------
Han, Adiguzel and Carpenter (2024), arXiv 2405.19521, where posterior predictive checks
reject Dawid and Skene's model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

from consilience.model import (
    ByTables,
    HostModel,
    Model,
    OnShortlists,
    Rule,
    lists_of,
    log_prior_of_truth,
    logarithms,
    over_answers,
    thin,
)
from consilience.model.language import logsumexp
from consilience.truth import ResponseMatrix, Space
from consilience.truth.coding import some_units
from consilience.truth.response_matrix import response_matrix
from consilience.when_used import special

MIN_PROBABILITY = 1e-12  # of a probability
TIED = 1e-9  # by which two states are no more alike than rounding says


class Residuals(NamedTuple):
    """Sums over the answers r of each unit, given each state that the model knows."""

    residual: Float[np.ndarray, "U M"]
    square: Float[np.ndarray, "U M"]
    leaning: Float[np.ndarray, "U M"]
    deviation: tuple[Float[np.ndarray, "U M"], ...]
    label: Int[np.ndarray, "#U M"]


def _table_residuals(tables: ByTables, matrix: ResponseMatrix) -> Residuals:
    """Weigh a label against its rival, the one that is answered most like it.

    (Were the two chosen item by item, by what was said of the item, residuals of
    independent annotators would correlate.)
    """
    _, states, subtypes, _ = tables.log_table.shape
    logs = np.maximum(tables.log_table, np.log(MIN_PROBABILITY))
    likely = np.exp(logs - logsumexp(logs, 3)[..., None])
    share = np.broadcast_to(np.exp(tables.log_share), (states, subtypes))
    shared = (likely * share[:, :, None]).sum(2)
    weighed = np.log(shared) - _of_rivals(matrix, shared)
    mean = (likely * weighed[:, :, None]).sum(3, keepdims=True)
    square = (likely * weighed[:, :, None] ** 2).sum(3, keepdims=True)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    residual = weighed[:, :, None] - mean

    def of_units(values: Float[np.ndarray, "#J K T #L"]) -> Float[np.ndarray, "U M"]:
        summed = over_answers(matrix, np.broadcast_to(values, likely.shape))
        return summed.reshape(len(summed), -1)

    return Residuals(
        of_units(residual),
        of_units(residual**2),
        of_units(residual * deviation),
        tuple(of_units(deviation**power) for power in (1, 2, 3, 4)),
        np.repeat(matrix.state, subtypes, axis=1),
    )


def _shortlist_residuals(answers: OnShortlists, matrix: ResponseMatrix) -> Residuals:
    """Weigh right against wrong, by the annotator's odds of it.

    Where the list holds one label alone there is nothing to be wrong about, so that
    such units say nothing.
    """
    lists = lists_of(matrix)
    log_right, log_wrong = answers.log_skill.T
    chance, weight = np.exp(log_right), log_right - log_wrong
    deviation = np.abs(weight) * np.sqrt(chance * (1 - chance))
    # Of an answer that is right: what is added to that of a wrong one.
    gained = [weight, weight**2 * (1 - 2 * chance), weight * deviation]
    wrong = [-weight * chance, (weight * chance) ** 2, -weight * chance * deviation]
    powers = [deviation**power for power in (1, 2, 3, 4)]
    slots, units = lists.count.shape
    moments = lists.by_slot @ np.stack([*gained, *wrong, *powers], 1)
    moments = moments.reshape(slots, units, -1) * (lists.real.sum(0) > 1)[..., None]
    hit = lists.right.astype(float)
    right = np.einsum("st,tuc->cus", hit, moments[..., :3])
    both = right + moments[..., 3:6].sum(0).T[:, :, None]
    shape = right.shape[1:]
    spread = [
        np.broadcast_to(each[:, None], shape) for each in moments[..., 6:].sum(0).T
    ]
    return Residuals(both[0], both[1], both[2], tuple(spread), np.zeros(shape, int))


def _of_rivals(
    matrix: ResponseMatrix, shared: Float[np.ndarray, "#J K L"]
) -> Float[np.ndarray, "#J K L"]:
    """Return the log of each state's rival, the one answered most like it.

    That is by the confusions alone (Bhattacharyya), not by the answers about any item.
    Of rivals that are as good, as where all errors are alike, it is the mean, so that
    neither rounding nor the order of labels chooses.
    """
    answers = np.asarray(matrix.by_pair.sum(0))
    answers = answers.reshape(matrix.num_annotators, -1).sum(1)
    weight = answers / max(answers.sum(), 1)
    whole = np.broadcast_to(shared, (len(weight), *shared.shape[1:]))
    pooled = np.tensordot(weight, whole, 1)
    alike = np.sqrt(pooled) @ np.sqrt(pooled).T
    np.fill_diagonal(alike, -1)
    rivals, logs = alike >= alike.max(1, keepdims=True) - TIED, np.log(shared)
    number = rivals.sum(1)
    if (number == 1).all():
        return logs[:, rivals.argmax(1)]
    return (rivals / number[:, None]) @ logs


# Correlation given the truth over the residual correlation above what models of the
# wrong form leave; and mean and standard deviation of the residual correlation across
# data sets: see the module.
HIDDEN, BACKGROUND = 4.0, 0.0075
# Least correlation given the truth where several models see one; and the median of
# their residual correlations up to which none, and from which all of it, is taken.
COMMON = 0.15
AT = 8  # answers of an item for which both design effects are the same
UNCORRELATED, CORRELATED = 0.0225, 0.03
USUAL, USUAL_SPREAD = 0.03, 0.03

LOOKED_AT = 6  # draws of the parameters
# Beyond, units at even distances are looked at: of so many answers, five an item, the
# correlation has a standard error of .0012 (.0009 of 400,000).
MOST_ANSWERS = 200_000


@dataclass(frozen=True, slots=True)
class Residual:
    """How residuals of answers to one item go together."""

    correlation: float
    z: float
    common: float = np.nan

    @property
    def shrunk(self) -> float:
        """The correlation, shrunk towards what is usual; the usual one if unknown."""
        if not np.isfinite(self.z) or self.z == 0:
            return USUAL
        weight = (self.z / self.correlation) ** 2
        prior = USUAL_SPREAD**-2.0
        mean = (weight * self.correlation + prior * USUAL) / (weight + prior)
        return float(np.clip(mean, 0.0, 1.0))

    @property
    def given_truth(self) -> float:
        """Correlation to be expected given the true labels; see the module."""
        hidden = np.clip(HIDDEN * (self.shrunk - BACKGROUND), 0.0, 1.0)
        return float(np.fmax(hidden, self.common))

    def design_effect(self, number: Float[np.ndarray, " U"]) -> Float[np.ndarray, " U"]:
        """Return by how much so many answers of each item are fewer than they seem."""
        if np.isfinite(self.common):
            return mixed_effect(number, self.given_truth)
        return 1 + np.maximum(number - 1, 0) * self.given_truth


def mixed_effect(
    number: Float[np.ndarray, " U"], correlation: float
) -> Float[np.ndarray, " U"]:
    """Return the design effect of so many answers where several models are mixed."""
    further = np.sqrt(np.maximum(number - 1, 0) * (AT - 1))
    return 1 + further * correlation


def common_correlation(shrunk: Sequence[float]) -> float:
    """Return the least correlation given the true labels that several models imply."""
    return float(
        np.interp(np.median(shrunk), (UNCORRELATED, CORRELATED), (0.0, COMMON))
    )


def residual_correlation(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
) -> Residual | None:
    """Correlate the residuals of the answers to each unit."""
    if isinstance(model, Rule) or (model.layout and not model.on_host):
        return None
    if model.on_host and len(space.unit) > MOST_ANSWERS:
        number = max(space.num_units * MOST_ANSWERS // len(space.unit), 1)
        even = np.linspace(0, space.num_units - 1, number).astype(int)
        space = some_units(space, even)
    product, scale = np.zeros(space.num_units), np.zeros(space.num_units)
    draws = thin(parameters, LOOKED_AT)
    for answers, matrix, scores in scores_by_draw(model, space, draws):
        if isinstance(answers, ByTables):
            residuals = _table_residuals(answers, matrix)
        elif isinstance(answers, OnShortlists):
            residuals = _shortlist_residuals(answers, matrix)
        else:
            return None
        sums = _sums(residuals, special.softmax(scores, 1), len(space.states))
        product += sums[0]
        scale += sums[1]
    several = np.bincount(space.unit, space.n, space.num_units) > 1
    product, scale = product[several], scale[several]
    if scale.sum() <= 0:
        return Residual(np.nan, np.nan)
    correlation = product.sum() / scale.sum()
    error = np.sqrt(((product - correlation * scale) ** 2).sum()) / scale.sum()
    return Residual(float(correlation), float(correlation / error) if error else np.nan)


def scores_by_draw(
    model: Model[Any], space: Space, draws: Iterator[Mapping[str, Any]]
) -> Iterator[tuple[Any, ResponseMatrix, Float[np.ndarray, "U M"]]]:
    """Give the model of answers by each draw, and log p(state, answers) of each unit.

    A program of NumPyro that makes no tables has None.
    """
    if model.on_host:
        host = HostModel(model, space)
        for values in draws:
            logs = logarithms(values, host.closed)
            yield host.answers(logs), host.matrix, host.scores(logs)
        return
    import jax

    from consilience.model import ByTables, from_draw, lay_out
    from consilience.programs import double_precision

    matrix = response_matrix(space)
    with double_precision():
        observations = lay_out(model, space)

        @jax.jit
        def tables_of(values: Mapping[str, Any]) -> tuple[Any, Any]:
            answers, weight, *_ = from_draw(model, observations, values)
            if not isinstance(answers, ByTables):
                return None, None
            return (answers.log_prevalence, *answers.logs), weight

        for values in draws:
            parts, weight = jax.tree.map(np.asarray, tables_of(values))
            if parts is None:
                yield None, matrix, matrix.guess
                return
            tables = ByTables(*parts)
            prior = log_prior_of_truth(matrix, tables.log_prevalence, weight)
            yield tables, matrix, tables.log_joint(matrix, prior)


def _sums(
    residuals: Residuals, state: Float[np.ndarray, "U M"], num_states: int
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, " U"]]:
    """Return of each unit what both sums of the correlation take from it."""
    first, second, third, fourth = residuals.deviation

    def over_units(values: Float[np.ndarray, "U M"]) -> Float[np.ndarray, " K"]:
        shared = len(residuals.label) == 1
        weight = np.einsum("um,um->m" if shared else "um,um->um", state, values)
        return np.bincount(residuals.label.ravel(), weight.ravel(), num_states)

    # How far residuals of a label lean one way, and less that.
    weight = np.maximum(over_units(second), MIN_PROBABILITY)
    bias = (over_units(residuals.leaning) / weight)[residuals.label]
    residual = residuals.residual - bias * first
    square = residuals.square - 2 * bias * residuals.leaning + bias**2 * second
    scale = first**2 - second
    # Less a mean that they are part of, independent residuals correlate below zero.
    share = (1 / weight)[residuals.label]
    spread = (over_units(fourth) / weight**2)[residuals.label]
    lost = 2 * share * (first * third - fourth) - spread * scale
    product = residual**2 - square + lost
    return np.einsum("um,um->u", state, product), np.einsum("um,um->u", state, scale)
