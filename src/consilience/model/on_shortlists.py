"""Answers on the short list of their unit: right, or one of the others on the list.

With a thousand labels neither a table of labels by labels for each annotator nor one of
units by labels fits in memory. But only a few labels are on the list of a unit, so all
that is needed has a place for each slot of the lists: T slots of answers, which for
choice are the S slots of the states. Arrays have the units last, so that a sum over
slots adds long rows.

**Newton steps for what draws errors.** Given the posterior of the truth, the expected
log-likelihood is concave in the free numbers. The Newton direction is solved for by
conjugate gradients, from products with the Hessian alone, so nothing is as large as
parameters squared; cut short, it still points upwards. The step is halved until the
objective does not fall (Dembo, Eisenstat and Steihaug 1982), so a sweep with such a
step is an ascent like one without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from consilience.model.language import logsumexp, namespace
from consilience.truth.choice import answer_slot, listed_answers
from consilience.truth.named import LabelPairs
from consilience.truth.space import Space
from consilience.when_used import linalg, sparse

NEVER = -1e30  # log of a chance of zero that can still be added to
STEPS = 6  # of conjugate gradients; the next sweep goes on from there
ACCURACY = 0.1  # to which the direction is solved for, relative to the gradient
HALVINGS = 6
type Free = Mapping[str, Float[np.ndarray, "..."]]


@dataclass(frozen=True, slots=True, eq=False)
class Shortlists:
    """The answers by unit and slot of its list, in NumPy or JAX.

    `by_slot` and `terms` are matrices that multiply columns of numbers: of SciPy, or
    `truth.Incidence`. A term takes its parameters to the log weight of errors at each
    slot of states and of answers.
    """

    by_slot: Any
    count: Float[Any, "T U"]
    right: Bool[Any, "S T"]
    word: Int[Any, "T _"]
    terms: Mapping[str, Any]

    @property
    def real(self) -> Bool[Any, "T _"]:
        """Whether there is an answer in the slot; lists are padded."""
        return self.word >= 0

    @property
    def wrong(self) -> Bool[Any, "S T #U"]:
        """Which answers are on the list and wrong, for each slot of a state."""
        return self.real[None] & ~self.right[:, :, None]

    def log_weight(self, term: str, value: Any) -> Float[Any, "#S T #U"]:
        """Return what the parameters of a term add to the log weight of each error."""
        column = self.terms[term] @ value.reshape(-1, 1)
        return column.reshape(-1, *self.word.shape)


def shortlists(
    space: Space,
    *,
    popularity: bool = False,
    parent: Shaped[np.ndarray, " K"] | None = None,
    similar: LabelPairs | None = None,
) -> Shortlists:
    """Lay out the answers of a space by unit and slot."""
    units, words = space.num_units, listed_answers(space)
    slots = words.shape[1]
    place = answer_slot(space).astype(np.int64) * units + space.unit
    right = np.eye(slots, dtype=bool)
    if space.answers != space.states:
        right = np.arange(slots) == space.votes.argmax(0)[:, None]
    state, answer = np.broadcast_arrays(words.T[:, None], words.T[None])
    terms: dict[str, Any] = {}
    if popularity:
        word = words.T.ravel()
        row = np.flatnonzero(word >= 0)
        terms["popularity"] = sparse.csr_array(
            (np.ones(len(row)), (row, word[row])), (len(word), len(space.answers))
        )
    if parent is not None:
        code = np.full(len(parent), -1)
        named = parent != ""
        code[named] = np.unique(parent[named].astype(str), return_inverse=True)[1]
        of = np.where(words >= 0, code[words], -1).T
        alike = (of[:, None] == of[None]) & (of >= 0)[None]
        terms["superclass"] = alike.reshape(-1, 1).astype(float)
    if similar is not None:
        terms["similarity"] = similar.at(state, answer).reshape(-1, 1)
    return Shortlists(
        by_slot=sparse.csr_array(
            (space.n.astype(float), (place, space.annotator)),
            shape=(slots * units, space.num_annotators),
        ),
        count=np.bincount(place, space.n, slots * units).reshape(slots, units),
        right=right,
        word=words.T,
        terms=terms,
    )


@dataclass(frozen=True, slots=True, eq=False)
class OnShortlists:
    """Answers that are right, or else one of the wrong ones on the list of the unit.

    A wrong answer is drawn from those on the list, in proportion to its weight: the
    weights are divided by their sum over that list. On a list of one there is no wrong
    answer, so the answer says nothing. `log_skill` are the logs of each annotator's
    chance to be right, and wrong.
    """

    log_prevalence: Float[Any, " K"]
    log_skill: Float[Any, "J 2"]
    log_weight: Float[Any, "#S T #U"] | None

    @property
    def logs(self) -> tuple[Any]:
        """The logs of chances that the score is a sum of."""
        return (self.log_skill,)

    def log_joint(self, data: Any, log_prior: Any) -> Any:
        """Return log p(state, the unit's answers | parameters)."""
        lists = lists_of(data)
        xp = namespace(self.log_skill)
        log_chance = (lists.by_slot @ self.log_skill).reshape(*lists.count.shape, 2)
        right, wrong = log_chance[..., 0], log_chance[..., 1]
        hit = lists.right.astype(right.dtype)
        likely = wrong.sum(0) + hit @ (right - wrong) + self._errors(lists)
        return log_prior + xp.where(_alone(lists), 0.0, likely).T

    def counts(self, data: Any, weight: Any, deal: object) -> tuple[Any]:
        """Return how many answers of each annotator are right, and wrong."""
        del deal  # it is known of each answer which it is
        lists = lists_of(data)
        believed = np.where(_alone(lists), 0.0, weight.T)
        right = lists.right.astype(float).T @ believed
        every = np.broadcast_to(believed.sum(0), right.shape)
        whole = np.stack([right, every - right], axis=2).reshape(-1, 2)
        return (lists.by_slot.T @ whole,)

    def of_answers(
        self, data: Any, responses: tuple[Any, ...], change: Callable[[Any], Any]
    ) -> Any:
        """Return log p(answer | state) of each answer and state, changed."""
        lists = lists_of(data)
        unit, annotator, word = responses
        of_list = 0 if lists.word.shape[1] == 1 else unit
        places = word[:, None] == lists.word[:, of_list].T
        answer, listed = places.argmax(1), places.any(1)
        right = lists.right[:, answer].T
        units = lists.count.shape[1]
        weights = np.broadcast_to(self._weights(lists), (*lists.right.shape, units))
        error = (weights - logsumexp(weights, 1)[:, None])[:, answer, unit].T
        skill = self.log_skill[annotator]
        each = np.where(right, skill[:, :1], skill[:, 1:] + error)
        alone = np.broadcast_to(_alone(lists), units)[unit]
        each = np.where(alone[:, None], 0.0, each)
        return change(np.where(listed[:, None], each, NEVER))

    def simulate_answers(self, key: Any, data: Any, state: Any) -> Any:
        """Draw each answer (N), given the true state of each unit (U)."""
        import jax
        import jax.numpy as jnp

        of_right, of_wrong = jax.random.split(key)
        lists, unit = lists_of(data), data.unit
        listed = jnp.broadcast_to(data.state, (data.num_units, data.state.shape[1]))
        slot = jnp.argmax(listed == state[:, None], axis=1)[unit]
        chance = jnp.exp(self.log_skill[data.annotator, 0])
        alone = jnp.broadcast_to(_alone(lists), data.num_units)
        is_right = jax.random.bernoulli(of_right, chance) | alone[unit]
        shape = (*lists.right.shape, data.num_units)
        weight = jnp.broadcast_to(self._weights(lists), shape)[slot, :, unit]
        error = jax.random.categorical(of_wrong, weight)
        chosen = jnp.where(is_right, jnp.argmax(lists.right, axis=1)[slot], error)
        return jnp.broadcast_to(lists.word, shape[1:])[chosen, unit]

    def step(
        self, data: Any, free: Free, scale: Mapping[str, float], belief: Any
    ) -> Free:
        """Return the parameters of the terms one Newton step further up.

        `scale` are the standard deviations of their priors.
        """
        lists = lists_of(data)
        terms, hit = _Terms(lists, free), lists.right.astype(float)
        believed = np.where(_alone(lists), 0.0, belief.T)
        missed = believed * (lists.count.sum(0) - hit @ lists.count)
        chosen = believed[:, None] * np.where(lists.wrong, lists.count, 0.0)
        sizes = [np.size(value) for value in free.values()]
        precision = np.repeat([scale[name] ** -2.0 for name in free], sizes)
        start = np.concatenate([np.ravel(value) for value in free.values()])

        def rise(flat: Any) -> Any:
            weight = terms.log_weight(flat)
            value = (chosen * np.where(lists.wrong, weight, 0.0)).sum()
            value -= (missed * logsumexp(weight, 1)).sum()
            return value - 0.5 * (precision * flat**2).sum()

        weight = terms.log_weight(start)
        share = np.exp(weight - logsumexp(weight, 1)[:, None])
        gradient = terms.transposed(chosen - missed[:, None] * share)

        def curvature(way: Any) -> Any:
            moved = np.where(lists.wrong, terms.log_weight(way), 0.0)
            apart = moved - (share * moved).sum(1)[:, None]
            return terms.transposed(missed[:, None] * share * apart) + precision * way

        way, _ = linalg.cg(
            linalg.LinearOperator((len(start), len(start)), matvec=curvature),
            gradient - precision * start,
            rtol=ACCURACY,
            maxiter=STEPS,
        )
        value = rise(start)
        for halvings in range(HALVINGS + 1):
            there = start + way / 2**halvings
            if rise(there) >= value:
                return terms.by_name(there)
        return free

    def _errors(self, lists: Shortlists) -> Float[Any, "S U"]:
        hit = lists.right.astype(lists.count.dtype)
        missed = lists.count.sum(0) - hit @ lists.count
        xp = namespace(self.log_skill)
        if self.log_weight is None:
            return -missed * xp.log(xp.maximum(lists.real.sum(0) - 1, 1))
        weight = self._weights(lists)
        chosen = xp.where(lists.wrong, weight, 0.0) * lists.count[None]
        return chosen.sum(1) - missed * logsumexp(weight, 1)

    def _weights(self, lists: Shortlists) -> Float[Any, "S T #U"]:
        weight = 0.0 if self.log_weight is None else self.log_weight
        return namespace(self.log_skill).where(lists.wrong, weight, NEVER)


class _Terms:
    """The log weights of errors as a linear map of all parameters of the terms."""

    def __init__(self, lists: Shortlists, free: Free) -> None:
        self.lists = lists
        self.shapes = {name: np.shape(value) for name, value in free.items()}
        self.ends = np.cumsum([np.size(value) for value in free.values()])[:-1]

    def by_name(self, flat: Float[np.ndarray, " F"]) -> Free:
        """Return the parameters by name."""
        parts = zip(self.shapes.items(), np.split(flat, self.ends), strict=True)
        return {name: part.reshape(shape) for (name, shape), part in parts}

    def log_weight(self, flat: Float[np.ndarray, " F"]) -> Float[np.ndarray, "S T #U"]:
        """Return the log weight of every wrong answer, and NEVER of others."""
        added: Any = 0.0
        for name, value in self.by_name(flat).items():
            added = added + self.lists.log_weight(name, value)
        return np.where(self.lists.wrong, added, NEVER)

    def transposed(self, cells: Float[np.ndarray, "S T U"]) -> Float[np.ndarray, " F"]:
        """Return the sums over cells that each parameter enters."""
        slots, units = self.lists.word.shape
        if units == 1:
            cells = cells.sum(2, keepdims=True)
        sums = []
        for name in self.shapes:
            matrix = self.lists.terms[name]
            of_answers = matrix.shape[0] == slots * units
            sums.append(matrix.T @ (cells.sum(0) if of_answers else cells).ravel())
        return np.concatenate(sums)


def lists_of(data: Any) -> Shortlists:
    """Return the short lists that the model has laid out."""
    if not isinstance(data.layout, Shortlists):
        raise TypeError("a model of short lists needs them: use lay_out(model, space)")
    return data.layout


def _alone(lists: Shortlists) -> Any:
    """Return of which lists there is one label alone."""
    return lists.real.sum(0) == 1
