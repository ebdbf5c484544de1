r"""Answers drawn from tables, with the truth summed out, on the host.

One sparse product gives the scores of all units and another the expected answers
(`truth.response_matrix`), of which sums are the expected counts of events
(`model.tables`); nothing is compiled, whatever the model and the size of the
study.

**Which events of the parameters enter the cells of an emission's tables.** Of a model
of tables, log p(answer | state) of every part of its emission is a sum of log
probabilities that are its parameters (and of constants):

.. math::

   \log \theta_{pjkl} = c_{pjkl} + \sum_a \log \phi_{a, i_a(p, j, k, l)}.

So the expected count of each event is a sum of expected answers over the cells that it
enters, which :math:`i_a` says. It is read off the emission itself, once, by passing it
numbers instead of parameters.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from consilience.model.array_api import logsumexp
from consilience.model.by_tables import ByTables
from consilience.model.columns import log_logit, told_by_columns, told_in_tables
from consilience.model.contract import (
    PREVALENCE,
    Coding,
    Dirichlet,
    Given,
    Model,
    Site,
    check_tables,
    dirichlet_priors,
    num_substates,
    probabilities,
    takes_columns,
)
from consilience.model.language import run_by
from consilience.truth import Space
from consilience.truth.response_matrix import ResponseMatrix, response_matrix

LARGEST_LOG = 80.0  # whose exponential single precision holds
type Logs = Mapping[str, Float[np.ndarray, "..."]]
type Assign = Callable[[Float[np.ndarray, "U M"]], Float[np.ndarray, "U M"]]
type Events = Callable[[Float[np.ndarray, "..."]], Float[np.ndarray, "..."]]


class Swept(NamedTuple):
    """What one pass over the answers gives."""

    log_likelihood: Float[np.ndarray, " U"]
    belief: Float[np.ndarray, "U M"]
    counts: dict[str, Float[np.ndarray, "..."]]


class Tables:
    """A model of tables, laid out for the answers of a study."""

    def __init__(self, model: Model[Any], space: Space) -> None:
        check_tables(model, space)
        self.model = model
        self.matrix: ResponseMatrix = response_matrix(space)
        columns = takes_columns(model) and self.matrix.has_covariates
        # Of which there are columns.
        self.candidates: ResponseMatrix | None = self.matrix if columns else None
        self.priors: dict[str, Dirichlet] = dirichlet_priors(
            model, self.matrix, columns=columns
        )
        self._shapes = {name: prior.shape for name, prior in self.priors.items()}

    def scores(self, logs: Logs) -> Float[np.ndarray, "U M"]:
        """Return log p(state, the unit's answers | parameters)."""
        return self._scores(logs, self.answers(logs))

    def posterior(
        self, logs: Logs
    ) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, "U M"]]:
        """Return the log-likelihood of each unit, and the posterior of its states."""
        return normalised(self.scores(logs))

    def sweep(
        self,
        logs: Logs,
        *,
        assign: Assign | None = None,
        deal: np.random.Generator | None = None,
    ) -> Swept:
        """Sum the truth out, and count the events."""
        tables = self.answers(logs)
        parts, table, share = tables.log_parts, tables.log_table, tables.log_share
        log_likelihood, belief = normalised(self._scores(logs, tables))
        weight = belief if assign is None else assign(belief)
        states, subtypes = table.shape[1:3]
        dense = self.matrix.to_all_states(weight.reshape(len(weight), -1, subtypes))
        flat = dense.reshape(len(dense), -1)
        by_answer = (self.matrix.transposed @ flat).reshape(
            self.matrix.num_annotators, -1, states, subtypes
        )
        answers = np.moveaxis(by_answer, 1, 3)
        if len(table) == 1:
            answers = answers.sum(0, keepdims=True)
        of_parts = answers_by_part(answers, parts, table, deal)
        of_state = flat.sum(0).reshape(states, subtypes)
        of_share = of_state.sum(0, keepdims=True) if len(share) == 1 else of_state
        prevalent, of_prevalence = self.matrix.prevalent, of_state
        if len(prevalent) > 1:
            of_prevalence = np.tensordot(prevalent[:, 0], dense, 1)
        counts = {}
        for name, (in_parts, in_share) in self._places.items():
            total: Any = 0.0
            if in_parts is not None:
                total = in_parts(of_parts)
            if in_share is not None:
                total = total + in_share(of_share)
            if name == PREVALENCE:
                total = total + of_prevalence.sum(1)
            counts[name] = np.broadcast_to(total, self._shapes[name])
        return Swept(log_likelihood, belief, counts)

    def truth(self, belief: Float[np.ndarray, "U M"]) -> Float[np.ndarray, "U S"]:
        """Return the posterior of the truth: that of all states that share it."""
        split = num_substates(self.model)
        if split == 1:
            return belief
        return belief.reshape(len(belief), -1, split).sum(-1)

    def derived(self, logs: Logs) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""
        with run_by(Given(logs)) as words:
            answers = self.model.program(self.matrix, self.model.prior)
        quantities = {name: value() for name, value in words.reported.items()}
        if "confusion" not in {*logs, *quantities}:
            one = self.model.share_confusion
            quantities["confusion"] = answers.confusion[0] if one else answers.confusion
        if self.candidates is not None:
            of_answer = partial(told_in_tables, self.candidates, answers.confusion)
            quantities |= told_by_columns(self.candidates, logs, of_answer)
        return quantities

    def answers(self, logs: Logs) -> ByTables:
        """Return the tables of answers by one set of parameters."""
        logs = {PREVALENCE: np.zeros(self.matrix.num_states), **logs}
        tables: ByTables = self.model.given(self.matrix, logs)
        return tables

    def given_the_others(
        self,
        logs: Logs,
        responses: tuple[Int[np.ndarray, " N"], ...],
    ) -> Float[np.ndarray, " N"]:
        """Return log p(answer | the other answers of its unit, parameters).

        It is the log-likelihood of the unit with the answer less that without it, the
        truth summed out in both: all answers at the price of one, in single precision
        and not below -80.
        """
        # 1 / p(answer | others) is the mean of 1 / p(answer | state) by all answers.
        tables = self.answers(logs)
        log_table = tables.log_table.astype(np.float32)
        inverse = np.exp(np.minimum(-log_table, LARGEST_LOG))
        _, posterior = normalised(self._scores(logs, tables))
        mean = np.einsum(
            "nm,nm->n",
            posterior.astype(np.float32)[responses[0]],
            self._of_answers(inverse, responses),
        )
        return -np.log(mean)

    def from_outside(
        self,
        logs: Logs,
        responses: tuple[Int[np.ndarray, " N"], ...],
    ) -> Float[np.ndarray, " N"]:
        """Return log p(answer | the observed answers of its unit, parameters).

        As `given_the_others`, of answers that are not among those observed.
        """
        unit = responses[0]
        tables = self.answers(logs)
        scores = self._scores(logs, tables)
        each = self._of_answers(tables.log_table, responses)
        each = np.add(scores[unit], each, out=each)
        return logsumexp(each.T, 0) - normalised(scores)[0][unit]

    def _of_answers(
        self,
        table: Float[np.ndarray, "#J K T L"],
        responses: tuple[Int[np.ndarray, " N"], ...],
    ) -> Float[np.ndarray, "N M"]:
        """Return the entries of a table for each answer and the states of its unit."""
        unit, annotator, answer = responses
        by_answer = np.moveaxis(table, 3, 1)
        pair = answer if len(table) == 1 else annotator * by_answer.shape[1] + answer
        rows = by_answer.reshape(-1, *by_answer.shape[2:])[pair]
        if self.matrix.ragged:
            state = np.broadcast_to(
                self.matrix.state, (self.matrix.num_units, self.matrix.state.shape[1])
            )
            rows = np.take_along_axis(rows, state[unit][:, :, None], 1)
        return rows.reshape(len(unit), -1)

    def _scores(self, logs: Logs, tables: ByTables) -> Float[np.ndarray, "U M"]:
        if self.candidates is None:
            return scores_by_table(self.matrix, tables, tables.log_prevalence)
        listed_prior = log_logit(self.candidates, logs) + self.matrix.log_prior
        return scores_by_table(self.matrix, tables, None, listed_prior)

    @property
    def closed(self) -> Collection[str]:
        """Names of what is reported as probabilities: its logarithms are passed on."""
        return {*probabilities(self.model, self.matrix), PREVALENCE}

    @property
    def coding(self) -> Coding:
        """What the model was laid out for."""
        return self.matrix

    @property
    def normal(self) -> dict[str, Site]:
        """The priors of free numbers: a model of tables has none."""
        return {}

    def step(self, logs: Logs, free: Logs, belief: Float[np.ndarray, "U M"]) -> Logs:
        """Return the free numbers one step further up: there are none."""
        del logs, belief
        return free

    @property
    def total(self) -> float:
        """How many answers there are."""
        return float(self.matrix.by_pair.data.sum())

    @property
    def guess(self) -> Float[np.ndarray, "U S"]:
        """A first guess of the truth."""
        return self.matrix.guess

    @cached_property
    def _places(self) -> dict[str, tuple[Events | None, Events | None]]:
        """Of each parameter, which event enters each cell of the parts and shares."""
        return events_in_cells(self.answers, self._shapes)


def events_in_cells(
    answers: Callable[[Mapping[str, Float[np.ndarray, "..."]]], ByTables],
    shapes: Mapping[str, tuple[int, ...]],
) -> dict[str, tuple[Events | None, Events | None]]:
    """Return how the counts of parts and of shares are summed for each parameter."""
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    constant = answers(zeros)
    places = {}
    for name, shape in shapes.items():
        number = 1.0 + np.arange(np.prod(shape)).reshape(shape)
        filled = answers({**zeros, name: number})
        in_parts, in_share = (
            _events(np.rint(with_it - without).astype(np.int64), shape)
            for with_it, without in (
                (filled.log_parts, constant.log_parts),
                (filled.log_share, constant.log_share),
            )
        )
        places[name] = in_parts, in_share
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


def scores_by_table(
    matrix: ResponseMatrix,
    tables: ByTables,
    log_prevalence: Float[np.ndarray, " K"] | None,
    log_prior: Float[np.ndarray, "U S"] | None = None,
) -> Float[np.ndarray, "U M"]:
    """Return log p(state, the unit's answers), by the prevalence or a listed prior."""
    table = tables.log_table
    _, states, subtypes, _ = table.shape
    whole = np.broadcast_to(table, (matrix.num_annotators, *table.shape[1:]))
    rows = np.moveaxis(whole, 3, 1).reshape(-1, states * subtypes)
    likelihood = (matrix.by_pair @ rows).reshape(-1, states, subtypes)
    prior = np.broadcast_to(tables.log_share, (states, subtypes))
    if log_prevalence is not None:
        prior = prior + matrix.prevalent[:, :, None] * log_prevalence[:, None]
    likelihood += prior
    listed_prior = matrix.log_prior if log_prior is None else log_prior
    scores = matrix.listed(likelihood)
    scores += listed_prior[:, :, None]
    return scores.reshape(len(scores), -1)


def normalised(
    scores: Float[np.ndarray, "U M"],
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, "U M"]]:
    """Return the log-likelihood of each unit, and the posterior of its states."""
    # States first: a sum over rows is several times as fast as over short rows.
    belief = np.ascontiguousarray(scores.T)
    largest = belief.max(0)
    belief -= largest
    np.exp(belief, out=belief)
    total = belief.sum(0)
    belief /= total
    return largest + np.log(total), np.ascontiguousarray(belief.T)


def answers_by_part(
    answers: Float[np.ndarray, "#J K T L"],
    parts: Float[np.ndarray, "P #J K T L"],
    table: Float[np.ndarray, "#J K T L"],
    deal: np.random.Generator | None,
) -> Float[np.ndarray, "P #J K T L"]:
    """Return how many answers of each cell came from each part."""
    if len(parts) == 1:
        return answers[None]
    share = np.exp(parts - table)
    if deal is None:
        return share * answers
    chance = np.moveaxis(share, 0, -1)
    chance /= chance.sum(-1, keepdims=True)
    dealt = np.zeros(chance.shape)
    some = answers > 0
    whole = np.rint(answers[some]).astype(np.int64)
    dealt[some] = deal.multinomial(whole, chance[some])
    return np.moveaxis(dealt, -1, 0)
