"""The truth and the ease of every item, given the annotators, in all chains at once."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.model import (
    NODES,
    PREVALENCE,
    Parameters,
    RowEffectsModel,
    Tables,
    by_ease,
    logarithms,
    normal_nodes,
    thin,
)
from consilience.truth import ResponseMatrix, Space


class Scored(NamedTuple):
    """Posterior of the listed states of each unit and its ease, in each chain.

    Attributes
    ----------
    posterior
        Probability of each state and node of ease.
    log_likelihood
        log p(answers of the unit), both summed out.
    """

    posterior: Float[np.ndarray, "C U M"]
    log_likelihood: Float[np.ndarray, "C U"]

    def where(self, taken: Bool[np.ndarray, " C"], other: "Scored") -> "Scored":
        """Return those of the other in the chains where it is taken."""
        return Scored(
            np.where(taken[:, None, None], other.posterior, self.posterior),
            np.where(taken[:, None], other.log_likelihood, self.log_likelihood),
        )


class TruthDraws:
    """Draws of the truth, the ease of items, and the prior of the truth.

    Parameters
    ----------
    model, space
        A model of confusion rows with normal effects, and the answers.
    chains
        How many chains there are.
    generator
        Source of random numbers.
    """

    def __init__(
        self,
        model: RowEffectsModel[Any],
        space: Space,
        chains: int,
        generator: np.random.Generator,
    ) -> None:
        self.tables = Tables(model, space)
        self.matrix: ResponseMatrix = self.tables.matrix
        self.chains = chains
        self.pair = space.annotator * len(space.answers) + space.answer
        self.unit, self.n = space.unit, space.n.astype(float)
        self.by_pair = self.matrix.by_pair.astype(np.float32)
        self.imagined = np.asarray(model.priors(self.matrix)[PREVALENCE].concentration)
        units, lists = self.matrix.num_units, self.matrix.state.shape[1]
        self.state = np.broadcast_to(self.matrix.state, (units, lists))
        share = self.imagined + np.bincount(
            self.state.ravel(), self.matrix.guess.ravel(), len(self.imagined)
        )
        start: Parameters = {PREVALENCE: np.log(share / share.sum())}
        self.draw_logit: Callable[[int, int, Parameters, Any], Parameters] | None = None
        if self.tables.columns is not None:
            start, self.draw_logit = _of_columns(self.tables, chains, generator)
        self.logit: list[Parameters] = [start] * chains
        self.drawn = 0

    def at_first(
        self, generator: np.random.Generator
    ) -> Float[np.ndarray, "C J K T L"]:
        """Draw a first truth from the vote shares, all of average ease or near it."""
        _, log_share = normal_nodes(NODES)
        guess = self.matrix.guess[:, :, None] * np.exp(log_share)
        guess = guess.reshape(1, len(guess), -1)
        return self._counts(_slots(np.repeat(guess, self.chains, 0), generator))

    def scored(
        self,
        typical: Float[np.ndarray, "C J K L"],
        difficulty: Float[np.ndarray, " C"],
        ease: Float[np.ndarray, "K L"],
    ) -> Scored:
        """Return the posterior of the truth and the ease, given the annotators.

        Parameters
        ----------
        typical
            Logarithm of the confusions for an item of average ease.
        difficulty
            Standard deviation of the ease.
        ease
            As of `model.RowEffects`.
        """
        chains, annotators, states, answers = typical.shape
        flat = by_ease(
            typical.reshape(-1, states, answers),
            np.repeat(difficulty, annotators)[:, None, None, None],
            ease,
        )
        table = flat.log_confusion.astype(np.float32)
        table = table.reshape(chains, annotators, states * NODES, answers)
        table = table.transpose(1, 3, 0, 2).reshape(annotators * answers, -1)
        likelihood = (self.by_pair @ table).reshape(-1, chains, states, NODES)
        dense = np.moveaxis(likelihood, 1, 3)
        listed = np.moveaxis(self.matrix.listed(dense), 3, 0)
        scores = listed + flat.log_share.astype(np.float32)
        scores += self._log_prior()[..., None].astype(np.float32)
        scores = scores.reshape(*scores.shape[:2], -1)
        largest = scores.max(2, keepdims=True)
        scores -= largest
        np.exp(scores, out=scores)
        total = scores.sum(2, keepdims=True)
        scores /= total
        return Scored(scores, (largest + np.log(total))[..., 0])

    def draw(
        self, scored: Scored, generator: np.random.Generator
    ) -> Float[np.ndarray, "C J K T L"]:
        """Draw the truth and the ease, and the prior of the truth given them.

        Parameters
        ----------
        scored
            The posterior of both.
        generator
            Source of random numbers.

        Returns
        -------
        Answers of each annotator to items of each state and node of ease.
        """
        slot = _slots(scored.posterior, generator)
        state = np.take_along_axis(self.state[None], slot[:, :, None] // NODES, 2)[
            ..., 0
        ]
        if self.draw_logit is None:
            self.logit = [
                {PREVALENCE: _log_dirichlet(self.imagined, each, generator)}
                for each in state
            ]
        else:
            lists = np.arange(self.state.shape[1])
            self.logit = [
                self.draw_logit(
                    chain,
                    self.drawn,
                    logit,
                    (slot[chain, :, None] // NODES == lists).astype(float),
                )
                for chain, logit in enumerate(self.logit)
            ]
        self.drawn += 1
        return self._counts(slot)

    @staticmethod
    def belief(scored: Scored) -> Float[np.ndarray, "C U S"]:
        """Return the posterior of the listed states, whatever the ease."""
        chains, units, _ = scored.posterior.shape
        posterior = scored.posterior.reshape(chains, units, -1, NODES)
        return posterior.sum(3, dtype=float)

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
        """Return what follows from draws and is reported with them.

        Parameters
        ----------
        parameters
            Draws of each parameter, by name.
        """
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

    def _log_prior(self) -> Float[np.ndarray, "C #U S"]:
        if self.tables.columns is not None:
            priors = [self.tables.columns.log_prior(logit) for logit in self.logit]
            return np.stack(priors)
        prevalence = np.stack([logit[PREVALENCE] for logit in self.logit])
        return prevalence[:, self.matrix.state] + self.matrix.log_prior

    def _counts(self, slot: Int[np.ndarray, "C U"]) -> Float[np.ndarray, "C J K T L"]:
        matrix = self.matrix
        listed, node = np.divmod(slot, NODES)
        state = np.take_along_axis(self.state[None], listed[:, :, None], 2)[..., 0]
        cells = matrix.num_states * NODES
        code = (state * NODES + node)[:, self.unit] + self.pair * cells
        size = matrix.num_annotators * matrix.num_answers * cells
        counts = np.stack([np.bincount(each, self.n, size) for each in code])
        shape = (matrix.num_annotators, matrix.num_answers, matrix.num_states, NODES)
        return np.moveaxis(counts.reshape(-1, *shape), 2, 4)


def _slots(
    posterior: Float[np.ndarray, "C U M"], generator: np.random.Generator
) -> Int[np.ndarray, "C U"]:
    """Draw a column of each row."""
    below = np.cumsum(posterior, axis=2)
    point = generator.random(below.shape[:2], dtype=np.float32) * below[..., -1]
    return (below[..., :-1] < point[..., None]).sum(2)


def _log_dirichlet(
    imagined: Float[np.ndarray, " K"],
    state: Int[np.ndarray, " U"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " K"]:
    count = imagined + np.bincount(state, minlength=len(imagined))
    gamma = np.maximum(generator.standard_gamma(count), np.finfo(float).tiny)
    return np.log(gamma / gamma.sum())


def _of_columns(
    tables: Tables, chains: int, generator: np.random.Generator
) -> tuple[Parameters, Callable[[int, int, Parameters, Any], Parameters]]:
    """Return where prevalence and weights of columns start, and how they are drawn."""
    from consilience.inference.closed_form.prevalence import column_steps

    start = column_steps.first(tables)
    how = [column_steps.chain(tables, start, generator) for _ in range(chains)]

    def draw(chain: int, number: int, logit: Parameters, truth: Any) -> Parameters:
        return column_steps.draw(how[chain], number, logit, truth)

    return start, draw
