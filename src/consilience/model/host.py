r"""A model on the host: the truth summed out, and events of parameters counted.

One product gives the scores of all units and another the expected answers, of which
sums are the expected counts of events; nothing is compiled, whatever the model and the
size of the study. EM, variational Bayes and the draws are loops around it.

**Which events of the parameters enter the logs that the score is a sum of.** These
(the log prevalence, and `Answers.logs`: cells of tables, chances to be right) are sums
of log probabilities that are the parameters, and of constants:

.. math::

   \log \theta_{pjkl} = c_{pjkl} + \sum_a \log \phi_{a, i_a(p, j, k, l)}.

So the expected count of each event is a sum of expected answers over the cells that it
enters, which :math:`i_a` says. It is read off the program itself, once, by passing it
numbers instead of parameters; so what a parameter is for does not depend on its name,
and a program of which this is not true is refused.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.model.by_tables import ByTables
from consilience.model.columns import log_prior_of_truth, told_by_columns
from consilience.model.contract import (
    PREVALENCE,
    WEIGHT,
    Dirichlet,
    Given,
    Parameters,
    Site,
)
from consilience.model.kinds import (
    Model,
    check_tables,
    dirichlet_priors,
    normal_priors,
    num_substates,
    takes_columns,
)
from consilience.model.language import logsumexp, run_by
from consilience.model.rows import TYPICAL
from consilience.truth import Space
from consilience.truth.response_matrix import ResponseMatrix, response_matrix

BLOCK = 100_000  # scores that are worked on at once: they stay near the processor
LARGEST_LOG = 80.0  # whose exponential single precision holds
type Logs = Mapping[str, Float[np.ndarray, "..."]]
type Assign = Callable[[Float[np.ndarray, "U M"]], Float[np.ndarray, "U M"]]
type Events = Callable[[Float[np.ndarray, "..."]], Float[np.ndarray, "..."]]


class Swept(NamedTuple):
    """What one pass over the answers gives."""

    log_likelihood: Float[np.ndarray, " U"]
    belief: Float[np.ndarray, "U M"]
    counts: dict[str, Float[np.ndarray, "..."]]


class HostModel:
    """A model with a program for NumPy, laid out for the answers of a study."""

    def __init__(self, model: Model[Any], space: Space) -> None:
        check_tables(model, space)
        self.model = model
        layout = None if model.layout is None else model.layout(space, model.prior)
        self.matrix: ResponseMatrix = response_matrix(space, layout)
        columns = takes_columns(model) and self.matrix.has_covariates
        # Of which there are columns.
        self.candidates: ResponseMatrix | None = self.matrix if columns else None
        self.priors: dict[str, Dirichlet] = dirichlet_priors(model, self.matrix)
        self._shapes = {name: prior.shape for name, prior in self.priors.items()}
        self.prevalence = (
            PREVALENCE if PREVALENCE in self.priors else self._prevalence_site()
        )
        self.imagined = self._imagined()
        if columns:  # which give it another prior
            self.priors.pop(self.prevalence, None)

    def posterior(
        self, logs: Logs
    ) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, "U M"]]:
        """Return the log-likelihood of each unit, and the posterior of its states."""
        return normalised(self.scores(logs))

    def scores(self, logs: Logs) -> Float[np.ndarray, "U M"]:
        """Return log p(state, the unit's answers | parameters)."""
        return self._scores(logs, self.answers(logs))

    def _scores(self, logs: Logs, answers: Any) -> Float[np.ndarray, "U M"]:
        weight = None if self.candidates is None else logs[WEIGHT]
        log_prior = log_prior_of_truth(self.matrix, answers.log_prevalence, weight)
        return answers.log_joint(self.matrix, log_prior)

    def sweep(
        self,
        logs: Logs,
        *,
        assign: Assign | None = None,
        deal: np.random.Generator | None = None,
    ) -> Swept:
        """Sum the truth out, and count the events.

        `assign` puts something else in place of the posterior, such as a draw from it,
        and `deal` deals answers of several parts to them at random.
        """
        answers = self.answers(logs)
        log_likelihood, belief = normalised(self._scores(logs, answers))
        weight = belief if assign is None else assign(belief)
        return Swept(log_likelihood, belief, self._counts(answers, weight, deal))

    def counts(
        self, logs: Logs, weight: Float[np.ndarray, "U M"]
    ) -> dict[str, Float[np.ndarray, "..."]]:
        """Count the events by what is believed of each unit, whatever is likely."""
        return self._counts(self.answers(logs), weight, None)

    def _counts(
        self,
        answers: Any,
        weight: Float[np.ndarray, "U M"],
        deal: np.random.Generator | None,
    ) -> dict[str, Float[np.ndarray, "..."]]:
        counted = self._of_states(weight), *answers.counts(self.matrix, weight, deal)
        counts = {}
        for name in self.priors:
            total: Any = 0.0
            for events, cells in zip(self._places[name], counted, strict=True):
                if events is not None:
                    total = total + events(cells)
            counts[name] = np.broadcast_to(total, self._shapes[name])
        return counts

    def first(
        self, logs: Logs, generator: np.random.Generator, *, shaken: bool
    ) -> Swept:
        """Count the events by a first guess of the truth, on request a shaken one.

        That is half the vote shares, half a point drawn evenly from the simplex of
        possible states: far enough to reach other optima, near enough to keep the
        labels' names. Finer states are alike by the prior: each unit is dealt to them
        at random.
        """
        guess = self.matrix.guess
        if shaken:
            noise = generator.standard_exponential(guess.shape) * (guess > 0)
            guess = 0.5 * guess + 0.5 * noise / noise.sum(1, keepdims=True)
        deal = generator.standard_exponential((*guess.shape, num_substates(self.model)))
        deal = guess[..., None] * deal / deal.sum(-1, keepdims=True)
        states = deal.reshape(len(deal), -1)
        return self.sweep(logs, assign=lambda _: states)

    def _of_states(self, weight: Float[np.ndarray, "U M"]) -> Float[np.ndarray, " K"]:
        """Return how many units of each state were drawn with the prevalence."""
        if len(self.matrix.prevalent) > 1:
            weight = weight * self.matrix.prevalent
        if self.matrix.ragged:
            return self.matrix.over_labels(self.truth(weight))
        # Several times as fast as a sum, and on one thread, as a product is not.
        total = np.einsum("us->s", weight)
        return total.reshape(self.matrix.num_states, -1).sum(1)

    def truth(self, belief: Float[np.ndarray, "U M"]) -> Float[np.ndarray, "U S"]:
        """Return the posterior of the truth: that of all states that share it."""
        split = num_substates(self.model)
        if split == 1:
            return belief
        # Several times as fast as a sum over so few.
        return np.einsum("uks->uk", belief.reshape(len(belief), -1, split))

    def derived(self, logs: Logs) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""
        with run_by(Given(logs)) as words:
            answers = self.model.program(self.matrix, self.model.prior)
        quantities = {name: value() for name, value in words.reported.items()}
        if isinstance(answers, ByTables):
            quantities |= answers.derived(
                self.matrix.num_annotators,
                {*logs, *quantities},
                share_confusion=self.model.share_confusion,
            )
        if self.candidates is not None:
            quantities |= told_by_columns(self.candidates, logs, answers)
        return quantities

    def answers(self, logs: Logs) -> Any:
        """Return how answers are distributed by one set of parameters."""
        log_prevalence = logs.get(PREVALENCE, np.zeros(self.matrix.num_states))
        return self.model.given(self.matrix, {self.prevalence: log_prevalence, **logs})

    def _prevalence_site(self) -> str:
        """Return the name of the vector that the log prevalence is."""
        vectors = [
            name
            for name, shape in self._shapes.items()
            if shape == (self.matrix.num_states,)
        ]
        if self.model.has_rows:  # these alone have no other
            return next(iter(vectors), PREVALENCE)
        of_states = (name for name in vectors if self._places[name][0] is not None)
        return next(of_states, PREVALENCE)

    def _imagined(self) -> Float[np.ndarray, " K"]:
        """Return how many units of each state the prior of the prevalence imagines."""
        prior = self.priors.get(self.prevalence)
        if prior is None:
            return np.ones(self.matrix.num_states)
        return np.broadcast_to(np.asarray(prior.concentration, float), prior.shape)

    def given_the_others(
        self, logs: Logs, responses: tuple[Int[np.ndarray, " N"], ...]
    ) -> Float[np.ndarray, " N"]:
        """Return log p(answer | the other answers of its unit, parameters).

        It is the log-likelihood of the unit with the answer less that without it, the
        truth summed out in both: all answers at the price of one, in single precision
        and not below -80.
        """
        # 1 / p(answer | others) is the mean of 1 / p(answer | state) by all answers.
        answers = self.answers(logs)
        _, posterior = normalised(self._scores(logs, answers))
        mean = np.einsum(
            "nm,nm->n",
            posterior.astype(np.float32)[responses[0]],
            answers.of_answers(self.matrix, responses, _inverse),
        )
        return -np.log(mean)

    def from_outside(
        self, logs: Logs, responses: tuple[Int[np.ndarray, " N"], ...]
    ) -> Float[np.ndarray, " N"]:
        """Return log p(answer | the observed answers of its unit, parameters).

        As `given_the_others`, of answers that are not among those observed.
        """
        unit = responses[0]
        answers = self.answers(logs)
        scores = self._scores(logs, answers)
        each = answers.of_answers(self.matrix, responses, np.array)
        each = np.add(scores[unit], each, out=each)
        return logsumexp(each.T, 0) - normalised(scores)[0][unit]

    @property
    def closed(self) -> Collection[str]:
        """Names of what is reported as probabilities: its logarithms are passed on."""
        return {*self._shapes, PREVALENCE, *((TYPICAL,) if self.model.has_rows else ())}

    @cached_property
    def normal(self) -> dict[str, Site]:
        """The priors of the parameters that are free numbers, by name."""
        return normal_priors(self.model, self.matrix)

    def step(
        self, logs: Logs, free: Parameters, belief: Float[np.ndarray, "U M"]
    ) -> Parameters:
        """Return the free numbers one step further up."""
        scales = {name: site.distribution.scale for name, site in self.normal.items()}
        return self.answers(logs).step(self.matrix, free, scales, belief)

    @property
    def total(self) -> float:
        """How many answers there are."""
        return float(self.matrix.by_pair.data.sum())

    @cached_property
    def _places(self) -> dict[str, tuple[Events | None, ...]]:
        """Of each parameter, how its counts are summed from those of the cells."""
        free = {name: np.zeros(site.shape) for name, site in self.normal.items()}
        even = np.zeros(self.matrix.num_states)

        def logs_of(logs: Logs) -> tuple[Float[np.ndarray, "..."], ...]:
            answers = self.model.given(self.matrix, {**free, **logs})
            prevalence = answers.log_prevalence
            return even if prevalence is None else prevalence, *answers.logs

        return events_in_cells(logs_of, self._shapes)


def _inverse(log_chance: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return one over a chance, in single precision."""
    single = log_chance.astype(np.float32)
    return np.exp(np.minimum(-single, LARGEST_LOG))


_NOT_LINEAR = (
    "the log probabilities of the program are no sums of the logarithms that it "
    "samples (LogDirichlet), as em and vb need; fit it by nuts, or state those sums as "
    "`mixture` or `subtypes`"
)


def events_in_cells(
    logs_of: Callable[[Logs], tuple[Float[np.ndarray, "..."], ...]],
    shapes: Mapping[str, tuple[int, ...]],
) -> dict[str, tuple[Events | None, ...]]:
    """Return of each parameter how its counts are summed from those of the cells."""
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    constant = logs_of(zeros)
    generator, places = np.random.default_rng(0), {}
    some = {name: generator.normal(size=shape) for name, shape in shapes.items()}
    expected = [np.array(part, float) for part in constant]
    for name, shape in shapes.items():
        numbers = 1.0 + np.arange(np.prod(shape)).reshape(shape)
        filled = logs_of({**zeros, name: numbers})
        place = [
            np.rint(with_it - without).astype(np.int64)
            for with_it, without in zip(filled, constant, strict=True)
        ]
        places[name] = tuple(_events(cells, shape) for cells in place)
        values = np.append(0.0, some[name].ravel())
        for number, cells in enumerate(place):
            expected[number] += values[np.clip(cells, 0, len(values) - 1)]
    for part, cells in zip(logs_of(some), expected, strict=True):
        if not np.allclose(part, cells):
            raise OptionError(_NOT_LINEAR)
    return places


def _events(place: Int[np.ndarray, "..."], shape: tuple[int, ...]) -> Events | None:
    """Return how counts are summed over all cells that each event enters, if any."""
    flat, number = place.ravel(), int(np.prod(shape))
    if not flat.any():
        return None
    if len(flat) == number and (flat == np.arange(1, number + 1)).all():
        return lambda counts: counts.reshape(shape)

    def summed(counts: Any) -> Any:
        whole = np.broadcast_to(counts, place.shape).ravel()
        return np.bincount(flat, whole, number + 1)[1:].reshape(shape)

    return summed


def normalised(
    scores: Float[np.ndarray, "U M"],
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, "U M"]]:
    """Return the log-likelihood of each unit, and the posterior of its states."""
    belief, log_likelihood = np.empty(scores.shape), np.empty(len(scores))
    size = max(BLOCK // max(scores.shape[1], 1), 1)
    for first in range(0, len(scores), size):
        block = slice(first, first + size)
        # States first: a sum over rows is several times as fast as over short rows.
        turned = np.ascontiguousarray(scores[block].T)
        largest = turned.max(0)
        turned -= largest
        np.exp(turned, out=turned)
        total = turned.sum(0)
        np.divide(turned.T, total[:, None], out=belief[block])
        log_likelihood[block] = largest + np.log(total)
    return log_likelihood, belief
