"""The truth and the ease of every item, given the annotators, in all chains at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.inference.prevalence import column_prior
from consilience.model import (
    PREVALENCE,
    HostModel,
    Model,
    Parameters,
    logarithms,
    normal_nodes,
    row_effects,
    thin,
)
from consilience.model.columns import log_logit
from consilience.truth import ResponseMatrix, Space

BLOCK = 300_000  # scores that are worked on at once: they stay near the processor
DENSE = 25  # cells for each answer up to which products of whole arrays are faster
UNITS = 40  # whose votes say which states are confused
FEWEST, MANY = 64, 8  # units of a block; blocks from which threads are started


class Scored(NamedTuple):
    """Posterior of the listed states of each unit and its ease, in each chain."""

    posterior: Float[np.ndarray, "C M U"]
    log_likelihood: Float[np.ndarray, "C U"]

    def where(self, taken: Bool[np.ndarray, " C"], other: "Scored") -> "Scored":
        """Return those of the other in the chains where it is taken, in its place."""
        for chain in np.flatnonzero(~taken):
            other.posterior[chain] = self.posterior[chain]
            other.log_likelihood[chain] = self.log_likelihood[chain]
        return other


def is_dense(space: Space) -> bool:
    """Return whether products with an array of all possible answers are fast."""
    cells = space.num_units * space.num_annotators * len(space.answers)
    return cells < DENSE * len(space.unit)


def eased(
    typical: Float[np.ndarray, "C J K L"],
    difficulty: Float[np.ndarray, " C"],
    ease: Float[np.ndarray, "K L"],
    node: Float[np.ndarray, " T"],
) -> Float[np.ndarray, "J L C K T"]:
    """Return the log confusions at each node of ease, of log-odds at average ease."""
    moved = (node[:, None] * ease[:, None]).transpose(2, 0, 1)[:, None]
    moved = (difficulty[:, None, None] * moved).astype(np.float32)
    tables = typical.transpose(1, 3, 0, 2).astype(np.float32, "C")
    tables = tables[..., None] + moved  # annotator, answer, chain, state, node
    tables -= tables.max(1, keepdims=True)
    tables -= np.log(np.exp(tables).sum(1, keepdims=True))
    return tables


class TruthDraws:
    """Draws of the truth, the ease of items, and the prior of the truth."""

    CHANGES = ("logit",)

    def __init__(self, model: Model[Any], space: Space, chains: int) -> None:
        self.tables = HostModel(model, space)
        self.matrix: ResponseMatrix = self.tables.matrix
        self.chains = chains
        self.nodes = row_effects(model, self.matrix).nodes
        self.node, self.log_share = normal_nodes(self.nodes)
        self.cells = self.matrix.num_states * self.nodes
        pair = space.annotator.astype(np.int64) * len(space.answers) + space.answer
        self.first_cell = pair * self.cells
        self.unit, self.n = space.unit, space.n.astype(float)
        by_pair = self.matrix.by_pair.astype(np.float32)
        by_pair = by_pair.toarray() if is_dense(space) else by_pair
        size = max(BLOCK // (chains * self.cells), FEWEST)
        self.blocks = [
            (slice(first, first + size), by_pair[first : first + size])
            for first in range(0, by_pair.shape[0], size)
        ]
        self.turned = by_pair.T if is_dense(space) else by_pair.T.tocsr()
        self.imagined = self.tables.imagined
        units, lists = self.matrix.num_units, self.matrix.state.shape[1]
        self.state = np.broadcast_to(self.matrix.state, (units, lists))
        share = self.imagined + np.bincount(
            self.state.ravel(), self.matrix.guess.ravel(), len(self.imagined)
        )
        start: Parameters = {PREVALENCE: np.log(share / share.sum())}
        self.draw_logit: Callable[..., Parameters] | None = None
        columns = column_prior(self.tables)
        if columns is not None:
            start = columns.first()
            self.draw_logit = partial(columns.draw, columns.walk(start))
        self.logit: list[Parameters] = [start] * chains

    def at_first(
        self, generator: np.random.Generator
    ) -> Float[np.ndarray, "C J K T L"]:
        """Draw a first truth from the vote shares, all of average ease or near it."""
        guess = self.matrix.guess.T[:, None] * np.exp(self.log_share)[:, None]
        guess = guess.reshape(1, -1, guess.shape[2])
        return self._counts(_slots(np.repeat(guess, self.chains, 0), generator))

    def confused(self, generator: np.random.Generator) -> Int[np.ndarray, " 2"] | None:
        """Draw two states that votes confuse, if there are any: those that often meet.

        None where the prior of the truth depends on columns.
        """
        units = generator.integers(len(self.state), size=UNITS)
        below = self.matrix.guess[units].cumsum(1)[:, None, :-1]
        slots = (below < generator.random((UNITS, 2, 1))).sum(2)
        pairs = np.sort(self.state[units[:, None], slots], 1)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        if not len(pairs) or self.draw_logit is not None:
            return None
        pairs, number = np.unique(pairs, axis=0, return_counts=True)
        drawn: Int[np.ndarray, " 2"]
        drawn = pairs[(number + generator.random(len(pairs))).argmax()]
        return drawn

    def scored(
        self,
        tables: Float[np.ndarray, "J L C K T"],
        logit: list[Parameters] | None = None,
    ) -> Scored:
        """Return the posterior of the truth and the ease, given log confusions."""
        annotators, answers, chains, states, _ = tables.shape
        table = tables.reshape(annotators * answers, -1)
        prior = (
            np.moveaxis(self._log_prior(logit or self.logit), 1, 2)[:, :, None]
            + self.log_share[:, None]
        ).astype(np.float32)
        shared = prior.shape[3] == 1
        units, slots = self.state.shape
        posterior = np.empty((chains, slots * self.nodes, units), np.float32)
        log_likelihood = np.empty((chains, units), np.float32)

        def one(block: slice, by_pair: Any) -> None:
            likelihood = (table.T @ by_pair.T).reshape(chains, states, self.nodes, -1)
            listed = self.matrix.listed(likelihood.transpose(3, 1, 2, 0), block)
            whole = np.empty((chains, slots, self.nodes, len(listed)), np.float32)
            of_block = prior if shared else prior[..., block]
            np.add(listed.transpose(3, 1, 2, 0), of_block, out=whole)
            scores = whole.reshape(chains, -1, len(listed))
            largest = scores.max(1)
            scores -= largest[:, None]
            np.exp(scores, out=scores)
            total = scores.sum(1)
            np.divide(scores, total[:, None], out=posterior[:, :, block])
            log_likelihood[:, block] = largest + np.log(total)

        if len(self.blocks) < MANY:
            for each in self.blocks:
                one(*each)
        else:  # as fast as there are cores
            with ThreadPoolExecutor(cpu_count()) as pool:
                list(pool.map(one, *zip(*self.blocks, strict=True)))
        return Scored(posterior, log_likelihood)

    def expected(
        self, scored: Scored
    ) -> tuple[Float[np.ndarray, "J L C K T"], Float[np.ndarray, "C K"]]:
        """Return how often each answer is expected, and an item, in each state."""
        matrix, (chains, _, units) = self.matrix, scored.posterior.shape
        belief = scored.posterior.reshape(chains, -1, self.nodes, units)
        if matrix.ragged:
            listed, every = belief, np.arange(units)
            size = chains, matrix.num_states, self.nodes, units
            belief = np.zeros(size, np.float32)
            for slot, state in enumerate(self.state.T):
                belief[:, state, :, every] += listed[:, slot].transpose(2, 0, 1)
        answers = self.turned @ belief.reshape(-1, units).T
        prevalent = np.broadcast_to(matrix.prevalent[:, 0], units).astype(np.float32)
        shape = matrix.num_annotators, matrix.num_answers, *belief.shape[:3]
        return answers.reshape(shape), (belief @ prevalent).sum(2, dtype=float)

    def draw(
        self, scored: Scored, generator: np.random.Generator
    ) -> Float[np.ndarray, "C J K T L"]:
        """Draw the truth and the ease, and the prior of the truth given them."""
        slot = _slots(scored.posterior, generator)
        if self.draw_logit is None:
            self.logit = [
                {PREVALENCE: _log_dirichlet(self.imagined + each, generator)}
                for each in self._of_states(slot)
            ]
        else:
            lists = np.arange(self.state.shape[1])
            self.logit = [
                self.draw_logit(
                    logit,
                    (slot[chain, :, None] // self.nodes == lists).astype(float),
                    generator,
                )
                for chain, logit in enumerate(self.logit)
            ]
        return self._counts(slot)

    def counted(
        self, scored: Scored, generator: np.random.Generator
    ) -> tuple[Float[np.ndarray, "C J K T L"], Float[np.ndarray, "C K"]]:
        """Draw the truth and the ease; count answers, and items of each state."""
        slot = _slots(scored.posterior, generator)
        return self._counts(slot), self._of_states(slot)

    def log_odds(self) -> Float[np.ndarray, "C Q"]:
        """Return the prevalence as log-odds; none where it depends on columns."""
        if self.draw_logit is not None:
            return np.zeros((self.chains, 0))
        return np.stack([logit[PREVALENCE] for logit in self.logit])

    def at(self, log_odds: Float[np.ndarray, "C Q"]) -> list[Parameters]:
        """Return the prior of the truth at log-odds of the prevalence."""
        if self.draw_logit is not None:
            return self.logit
        odds = log_odds - log_odds.max(1, keepdims=True)
        odds -= np.log(np.exp(odds).sum(1, keepdims=True))
        return [{PREVALENCE: each} for each in odds]

    def pull(
        self, states: Float[np.ndarray, "C K"], logit: list[Parameters]
    ) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, "C Q"]]:
        """Return the log prior of the prevalence, and the slope of its log-odds."""
        if self.draw_logit is not None:
            return np.zeros(self.chains), np.zeros((self.chains, 0))
        log_share = np.stack([each[PREVALENCE] for each in logit])
        count = states + self.imagined
        slope = count - np.exp(log_share) * count.sum(1, keepdims=True)
        return log_share @ self.imagined, slope

    def restart(self, source: Int[np.ndarray, " C"]) -> None:
        """Let chains go on from the prior of the truth where others stand."""
        self.logit = [self.logit[chain] for chain in source]

    def belief(self, scored: Scored) -> Float[np.ndarray, "C U S"]:
        """Return the posterior of the listed states, whatever the ease."""
        chains, _, units = scored.posterior.shape
        posterior = scored.posterior.reshape(chains, -1, self.nodes, units)
        return posterior.sum(2, dtype=float).transpose(0, 2, 1)

    def parameters(self) -> dict[str, Float[np.ndarray, "C ..."]]:
        """Return the prior of the truth in each chain, as it is reported."""
        stacked = {
            name: np.stack([np.asarray(logit[name]) for logit in self.logit])
            for name in self.logit[0]
        }
        stacked[PREVALENCE] = np.exp(stacked[PREVALENCE])
        return stacked

    def derived(
        self, parameters: Mapping[str, Float[np.ndarray, "C D ..."]]
    ) -> dict[str, Float[np.ndarray, "C D ..."]]:
        """Return what follows from draws and is reported with them."""
        closed, chains = self.tables.closed, []
        for chain in range(self.chains):
            one = {name: value[chain : chain + 1] for name, value in parameters.items()}
            number = next(iter(one.values())).shape[1]
            derived = [
                self.tables.derived(logarithms(draw, closed))
                for draw in thin(one, number)
            ]
            chains.append(derived)
        return {
            name: np.stack(
                [[np.float32(each[name]) for each in derived] for derived in chains]
            )
            for name in chains[0][0]
        }

    def _log_prior(self, logit: list[Parameters]) -> Float[np.ndarray, "C #U S"]:
        if self.tables.candidates is not None:
            each = [log_logit(self.tables.candidates, one) for one in logit]
            return np.stack(each) + self.matrix.log_prior
        prevalence = np.stack([each[PREVALENCE] for each in logit])
        listed = self.matrix.prevalent * prevalence[:, self.matrix.state]
        return listed + self.matrix.log_prior

    def _state(self, listed: Int[np.ndarray, "C U"]) -> Int[np.ndarray, "C U"]:
        return self.state[np.arange(len(self.state)), listed]

    def _of_states(self, slot: Int[np.ndarray, "C U"]) -> Float[np.ndarray, "C K"]:
        """Count the items of each state that were drawn with the prevalence."""
        state = self._state(slot // self.nodes)
        prevalent = np.broadcast_to(self.matrix.prevalent[:, 0] > 0, state.shape[1])
        number = len(self.imagined)
        counts = [np.bincount(each[prevalent], minlength=number) for each in state]
        return np.array(counts, float)

    def _counts(self, slot: Int[np.ndarray, "C U"]) -> Float[np.ndarray, "C J K T L"]:
        matrix = self.matrix
        listed, node = np.divmod(slot, self.nodes)
        cell = (self._state(listed) * self.nodes + node)[:, self.unit] + self.first_cell
        shape = (
            matrix.num_annotators,
            matrix.num_answers,
            matrix.num_states,
            self.nodes,
        )
        size = int(np.prod(shape))
        counts = np.stack([np.bincount(each, self.n, size) for each in cell])
        return np.moveaxis(counts.reshape(-1, *shape), 2, 4)


def _slots(
    posterior: Float[np.ndarray, "C M U"], generator: np.random.Generator
) -> Int[np.ndarray, "C U"]:
    """Draw a row of each column."""
    chains, rows, units = posterior.shape
    point = generator.random((chains, units), dtype=np.float32)
    slot = np.zeros((chains, units), np.int64)
    below = np.zeros((chains, units), posterior.dtype)
    for row in range(rows - 1):
        below += posterior[:, row]
        slot += below <= point
    return slot


def _log_dirichlet(
    count: Float[np.ndarray, " K"], generator: np.random.Generator
) -> Float[np.ndarray, " K"]:
    gamma = np.maximum(generator.standard_gamma(count), np.finfo(float).tiny)
    return np.log(gamma / gamma.sum())
