"""Answers drawn from tables: a row for each annotator, state and substate.

Arrays are of NumPy or of JAX, as the program was given, through the array API.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from consilience.model.language import (
    Gamma,
    LogDirichlet,
    logsumexp,
    namespace,
    one_hot,
    sample,
)

# Log of a chance of zero that can still be added to.
NEVER = -1e30
# Of imagined wrong answers, together, for a right one. Of public sets of 6, 8 and 10
# labels, 1 costs .01 to .18 of log-loss; 3 leaves up to 13 labels as published.
MOST_OTHERS = 3.0


@dataclass(frozen=True, eq=False)
class ByTables:
    """How answers look that are drawn from tables.

    Attributes
    ----------
    log_prevalence
        Log p(state) (K).
    log_parts
        Log p(part, answer | annotator, state, substate) (P, #J, K, T, L): an answer
        comes from one of several parts, chosen anew each time; mostly there is one.
    log_share
        Log p(substate | state) (#K, T): a unit stays in its substate.
    """

    log_prevalence: Any
    log_parts: Any
    log_share: Any

    @cached_property
    def log_table(self) -> Any:
        """Log p(answer | annotator, state, substate) (#J, K, T, L)."""
        parts = self.log_parts
        return parts[0] if len(parts) == 1 else logsumexp(parts, 0)

    @property
    def confusion(self) -> Any:
        """p(answer | annotator, state) (#J, K, L)."""
        table = self.log_table + self.log_share[..., None]
        return namespace(table).exp(logsumexp(table, 2))

    def derived(
        self, num_annotators: int, reported: Collection[str], *, share_confusion: bool
    ) -> dict[str, Any]:
        """Return confusion and prevalence by name, but for what is reported already."""
        quantities, xp = {}, namespace(self.log_table)
        if "confusion" not in reported:
            confusion = self.confusion
            whole = xp.broadcast_to(confusion, (num_annotators, *confusion.shape[1:]))
            quantities["confusion"] = confusion[0] if share_confusion else whole
        if "prevalence" not in reported:
            quantities["prevalence"] = xp.exp(self.log_prevalence)
        return quantities

    def log_joint(self, data: Any, log_prior: Any) -> Any:
        """Return log p(state, substate, the unit's answers | parameters)."""
        _, states, substates, _ = self.log_table.shape
        xp = namespace(self.log_parts)
        share = xp.broadcast_to(self.log_share, (states, substates))
        prior = log_prior[:, :, None] + data.listed(share[None])
        scores = over_answers(data, self.log_table)
        scores += prior  # in place where NumPy has just made them
        return scores.reshape(len(scores), -1)

    @property
    def logs(self) -> tuple[Any, Any]:
        """The logs of chances that the score is a sum of."""
        return self.log_parts, self.log_share

    def counts(
        self, data: Any, weight: Any, deal: np.random.Generator | None
    ) -> tuple[Any, Any]:
        """Return how many answers of each cell came from each part, and substates.

        `weight` (U, M) is what is believed of each unit. Answers are dealt to parts at
        random where there is a generator, and else by their shares.
        """
        table = self.log_table
        states, substates = table.shape[1:3]
        dense = data.to_all_states(weight.reshape(len(weight), -1, substates))
        flat = dense.reshape(len(dense), -1)
        by_answer = (data.transposed @ flat).reshape(
            data.num_annotators, -1, states, substates
        )
        answers = np.moveaxis(by_answer, 1, 3)
        if len(table) == 1:
            answers = answers.sum(0, keepdims=True)
        of_state = np.einsum("us->s", flat).reshape(states, substates)
        if len(self.log_share) == 1:
            of_state = of_state.sum(0, keepdims=True)
        return self._of_parts(answers, deal), of_state

    def _of_parts(self, answers: Any, deal: np.random.Generator | None) -> Any:
        if len(self.log_parts) == 1:
            return answers[None]
        share = np.exp(self.log_parts - self.log_table)
        if deal is None:
            return share * answers
        chance = np.moveaxis(share, 0, -1)
        chance /= chance.sum(-1, keepdims=True)
        dealt = np.zeros(chance.shape)
        some = answers > 0
        whole = np.rint(answers[some]).astype(np.int64)
        dealt[some] = deal.multinomial(whole, chance[some])
        return np.moveaxis(dealt, -1, 0)

    def of_answers(
        self, data: Any, responses: tuple[Any, ...], change: Callable[[Any], Any]
    ) -> Any:
        """Return log p(answer | state) of each answer and state of its unit, changed.

        What changes it is applied to the tables, which are smaller.
        """
        unit, annotator, answer = responses
        table = change(self.log_table)
        by_answer = np.moveaxis(table, 3, 1)
        pair = answer if len(table) == 1 else annotator * by_answer.shape[1] + answer
        rows = by_answer.reshape(-1, *by_answer.shape[2:])[pair]
        if data.ragged:
            shape = data.num_units, data.state.shape[1]
            state = np.broadcast_to(data.state, shape)
            rows = np.take_along_axis(rows, state[unit][:, :, None], 1)
        return rows.reshape(len(unit), -1)

    def simulate_answers(self, key: Any, data: Any, state: Any) -> Any:
        """Draw each answer (N), given the true state of each unit (U)."""
        import jax

        table, unit = self.log_table, data.unit
        _, states, substates, _ = table.shape
        annotator = 0 if len(table) == 1 else data.annotator
        if substates == 1:
            return jax.random.categorical(key, table[annotator, state[unit], 0])
        of_substate, of_answer = jax.random.split(key)
        share = jax.numpy.broadcast_to(self.log_share, (states, substates))
        substate = jax.random.categorical(of_substate, share[state])
        rows = table[annotator, state[unit], substate[unit]]
        return jax.random.categorical(of_answer, rows)


def over_answers(data: Any, table: Any) -> Any:
    """Sum over the answers of each unit what a table (#J, K, T, L) says of each.

    Returned are the columns of the states that are listed for each unit (U, S, T).
    """
    xp = namespace(table)
    _, states, substates, _ = table.shape
    whole = xp.broadcast_to(table, (data.num_annotators, *table.shape[1:]))
    rows = xp.moveaxis(whole, 3, 1).reshape(-1, states * substates)
    return data.listed((data.by_pair @ rows).reshape(-1, states, substates))


def sample_prevalence(data: Any, items: float) -> Any:
    """Sample the log prevalence, with so many imagined items of each state."""
    imagined = np.full(data.num_states, items)
    return sample("prevalence", LogDirichlet(imagined), "true_class")


def sample_skill(prior: Any) -> Any:
    """Sample the logs of each annotator's chance to be right, and wrong (J, 2).

    Their Beta distribution is learned from all; it starts at `prior.right` and
    `prior.wrong`, held there with the weight of `prior.held` annotators.
    """
    usual = np.array([prior.right, prior.wrong])
    learned = sample(
        "skill_prior", Gamma(1 + prior.held * usual, prior.held), "right_wrong"
    )
    return sample("skill", LogDirichlet(learned), "annotator", "right_wrong")


def imagined_answers(data: Any, prior: Any) -> Any:
    """Return how many answers of each word the prior imagines in each state (K, L).

    One that is a vote for the state counts `prior.own`, each other one `prior.other`;
    of many, all others together count MOST_OTHERS times as much as that one, unless
    others count more by the prior. (Were each of 300 labels to count one, annotators
    who are right would be taken for guessing.)
    """
    shared = MOST_OTHERS * prior.own / max(data.num_answers - 1, 1)
    other = min(prior.other, shared) if prior.other <= prior.own else prior.other
    return other + (prior.own - other) * data.votes.T


def confusions(log_prevalence: Any, log_confusion: Any) -> ByTables:
    """Return answers drawn from the confusion of each annotator.

    Parameters
    ----------
    log_prevalence : array (K,)
        Log p(state).
    log_confusion : array (J, K, L) or (1, K, L)
        Log p(answer | annotator, state); that of all annotators where there is one.

    Returns
    -------
    ByTables
        What the program of a model returns.

    See Also
    --------
    mixture : Each answer is drawn from one of several confusions.
    subtypes : Units differ in what they are answered.

    Examples
    --------
    >>> import numpy as np
    >>> from consilience.model import confusions
    >>> halves = np.log(np.full((1, 2, 2), 0.5))
    >>> confusions(np.log([0.3, 0.7]), halves).confusion
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    alone = namespace(log_confusion).zeros((1, 1))
    return ByTables(log_prevalence, log_confusion[None, :, :, None], alone)


def mixture(log_prevalence: Any, log_parts: Any) -> ByTables:
    """Return answers each of which is drawn from one of several confusions.

    Parameters
    ----------
    log_prevalence : array (K,)
        Log p(state).
    log_parts : array (P, J, K, L) or (P, 1, K, L)
        Log p(part, answer | annotator, state): the parts of a cell sum to its
        probability.

    Returns
    -------
    ByTables
        What the program of a model returns.

    See Also
    --------
    confusions : Each annotator has one confusion.

    Examples
    --------
    >>> import numpy as np
    >>> from consilience.model import mixture
    >>> halves = np.log(np.full((1, 1, 2, 2), 0.5))
    >>> mixture(np.log([0.3, 0.7]), halves).confusion
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    alone = namespace(log_parts).zeros((1, 1))
    return ByTables(log_prevalence, log_parts[:, :, :, None], alone)


def subtypes(log_prevalence: Any, log_confusion: Any, log_share: Any) -> ByTables:
    """Return answers drawn from the confusion for the subtype of the unit.

    Parameters
    ----------
    log_prevalence : array (K,)
        Log p(state).
    log_confusion : array (J, K, T, L) or (1, K, T, L)
        Log p(answer | annotator, state, subtype).
    log_share : array (K, T) or (1, T)
        Log p(subtype | state).

    Returns
    -------
    ByTables
        What the program of a model returns.

    See Also
    --------
    confusions : Units are answered alike, given their state.

    Examples
    --------
    >>> import numpy as np
    >>> from consilience.model import subtypes
    >>> halves = np.log(np.full((1, 2, 1, 2), 0.5))
    >>> subtypes(np.log([0.3, 0.7]), halves, np.zeros((1, 1))).confusion
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    return ByTables(log_prevalence, log_confusion[None], log_share)


def correct_answer(data: Any) -> Any:
    """Return one at the right answer of each state (K, L), that most a vote for it."""
    return one_hot(data.votes.argmax(0), data.num_answers)


def right_and_wrong(data: Any, right: Any, wrong: Any) -> Any:
    """Lay out log p(answer | state) (#J, K, L) from right and wrong answers.

    The right answer of a state is the one that is most a vote for it; the wrong ones
    follow it in the order of the answers, from the last back to the first.
    """
    xp = namespace(right)
    answers = data.num_answers
    correct = data.votes.argmax(0)
    place = (np.arange(answers) - correct[:, None] - 1) % answers
    batch = np.broadcast_shapes(right.shape, wrong.shape[:-1])
    batch = (batch[0], data.num_states)
    wrongs = xp.broadcast_to(wrong, (*batch, answers - 1))
    rights = xp.broadcast_to(right, batch)[..., None]
    table = xp.concat([wrongs, rights], axis=-1)
    places = xp.broadcast_to(place, table.shape)
    return xp.take_along_axis(table, places, axis=-1)
