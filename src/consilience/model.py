"""What an annotator model is, and what follows from it for every model alike.

A model says how parameters are drawn and, given them, what each answer looks like under
each state of the truth: the *emission*. From it comes the **score**: for each unit and
each state listed for it, log p(state, the unit's answers | parameters). From the score
follow, here and once, the likelihood with the truth summed out, the posterior of the
truth, exact leave-one-answer-out, expected counts, and simulation.

A model that integrates something out (item difficulty on quadrature nodes, partitions
of names into objects) gives the score itself, and its own simulation.

Parameters are passed on by name. Those with a Dirichlet prior are passed as logarithms
of probabilities, which is what makes closed forms fall out: the gradient of the log
likelihood in log p is the expected count of the event that has probability p. So one
function serves sampling (log of a draw), EM (log of an estimate) and variational Bayes
(expected log), and an M-step is a gradient.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import logsumexp, softmax
from jaxtyping import Array, Float, Int, Key

from consilience.errors import DivergedError
from consilience.truth import Observations, Space, observe

type Parameters = Mapping[str, Array]

SCORE = "score"  # the site under which `joint` leaves the score of a draw


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """A Dirichlet prior on one or more probability vectors.

    Attributes
    ----------
    concentration
        Imagined counts; the last axis is the vector's, leading axes broadcast.
    shape
        Shape of the parameter, the vector's axis last.
    held
        None where the concentration is fixed. Else it is learned from all vectors that
        share it, held at its start with the weight of this many vectors.
    """

    concentration: Float[Array, "*shared L"]
    shape: tuple[int, ...]
    held: float | None = None


@runtime_checkable
class Emission(Protocol):
    """How answers look under each state, given parameters."""

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        ...

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " N"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state behind it."""
        ...


@dataclass(frozen=True, slots=True)
class ByConfusion:
    """Answers drawn from a row of the annotator's confusion.

    Attributes
    ----------
    log_confusion
        log p(answer | state) of each annotator; one row where all share it.
    """

    log_confusion: Float[Array, "#J K L"]

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        _, states, answers = self.log_confusion.shape
        whole = jnp.broadcast_to(
            self.log_confusion, (observations.num_annotators, states, answers)
        )
        table = whole.swapaxes(1, 2).reshape(-1, states)
        return observations.listed(observations.by_pair @ table)

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " N"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state behind it."""
        shared = self.log_confusion.shape[0] == 1
        annotator = 0 if shared else observations.annotator
        return jax.random.categorical(key, self.log_confusion[annotator, state])


@dataclass(frozen=True, slots=True)
class PerAnswer:
    """Answers each with a distribution of their own.

    Attributes
    ----------
    distribution
        Of each answer under each listed state; batch shape (N, S), values 0 to L - 1.
    """

    distribution: dist.Distribution

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        said: Float[Array, "N S"] = self.distribution.log_prob(
            observations.answer[:, None]
        )
        if observations.by_answer is None:
            msg = "a model that looks at each answer must say so: per_answer=True"
            raise TypeError(msg)
        return observations.by_answer @ said

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " N"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state behind it."""
        each = self.distribution.sample(key)
        lists = jnp.broadcast_to(
            observations.state, (observations.num_units, observations.state.shape[1])
        )[observations.unit]
        slot = jnp.argmax(lists == state[:, None], axis=1)
        return jnp.take_along_axis(each, slot[:, None], axis=1)[:, 0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnotatorModel[P]:
    """One model: a record made by a file of `annotators`.

    Attributes
    ----------
    prior
        Hyperparameters, a frozen record.
    dims
        Axes of each parameter by name, for the coordinates of the posterior.
    engines
        Names of the engines that can fit it, the best first.
    references
        Who proposed it: author, year, section.
    dirichlet
        The parameters' Dirichlet priors by name, among them `prevalence`; gives the
        model the closed forms of `em` and `vb`, if the score takes the logarithms as
        they are: linear in them, or a log of sums of exponentials of such. (A NumPyro
        distribution that normalises its logits does not.) None where priors are others.
    parameters
        A NumPyro program that samples the parameters and returns them as the emission
        wants them. None: sampled from the Dirichlet priors.
    prepare
        Arrays that depend on the data alone, computed once before sampling; the program
        finds them in `observations.prepared`, or None there when it is to draw from the
        prior.
    emission
        How answers look under each state, given parameters.
    own_score
        In the emission's stead: log p(state, answers) itself.
    own_simulation
        Draws answers; owed by a model with a score of its own.
    per_answer
        Whether the emission looks at each answer on its own.
    finer
        Into how many states of its own a score splits each listed state, given the
        prior: subtypes of a class, say, or nodes of a quadrature. They are adjacent
        columns of the score, and summed when the truth is asked for. None: one.
    """

    prior: P
    dims: Mapping[str, tuple[str, ...]]
    engines: tuple[str, ...]
    references: tuple[str, ...]
    dirichlet: Callable[[Observations, P], Mapping[str, Dirichlet]] | None = None
    parameters: Callable[[Observations, P], Parameters] | None = None
    prepare: Callable[[Observations, P], Any] | None = None
    emission: Callable[[Observations, Parameters], Emission] | None = None
    own_score: Callable[[Observations, Parameters], Float[Array, "U M"]] | None = None
    own_simulation: (
        Callable[[Key[Array, ""], Observations, Parameters], "Simulated"] | None
    ) = None
    per_answer: bool = False
    finer: Callable[[P], int] | None = None


@dataclass(frozen=True, slots=True)
class Simulated:
    """A draw from a model.

    Attributes
    ----------
    parameters
        As sampled, and what the model derives from them, by name.
    state
        The true state of each unit.
    answer
        The answers given.
    """

    parameters: Parameters
    state: Int[Array, " U"]
    answer: Int[Array, " N"]


def score(
    model: AnnotatorModel[Any], observations: Observations, parameters: Parameters
) -> Float[Array, "U M"]:
    """Return log p(state, the unit's answers | parameters).

    There is a column for each listed state, or several where the model is `finer`.
    Summed over all answers that could have been given, its exponential is the prior of
    the state; a test holds every model to that.
    """
    if model.own_score is not None:
        return model.own_score(observations, parameters)
    emission = _emission(model, observations, parameters)
    prior = _log_prior(observations, parameters)
    return prior + emission.log_likelihood(observations)


def marginal(scores: Float[Array, "U M"]) -> Float[Array, " U"]:
    """Return log p(the unit's answers | parameters), the truth summed out."""
    return logsumexp(scores, axis=-1)


def belief(scores: Float[Array, "U M"]) -> Float[Array, "U M"]:
    """Return the posterior of each unit's state, given parameters."""
    return softmax(scores, axis=-1)


def posterior_of_truth(
    model: AnnotatorModel[Any], beliefs: Float[Array, "U M"]
) -> Float[Array, "U S"]:
    """Return the posterior of the truth: that of all states that share it."""
    split = splits(model)
    return beliefs.reshape(len(beliefs), -1, split).sum(-1)


def splits(model: AnnotatorModel[Any]) -> int:
    """Return into how many states the score splits each listed one."""
    return 1 if model.finer is None else model.finer(model.prior)


def expected_counts(
    model: AnnotatorModel[Any],
    observations: Observations,
    parameters: Parameters,
    weight: Float[Array, "U M"],
) -> Parameters:
    """Return how often each event of each parameter is expected, states weighted.

    Parameters
    ----------
    weight
        Probability of each state of the score: a belief, or zeros and ones.
    """
    _, pull = jax.vjp(lambda logs: score(model, observations, logs), parameters)
    counts: Parameters = pull(observations.scale * weight)[0]
    return counts


def sample_parameters(
    model: AnnotatorModel[Any], observations: Observations
) -> Parameters:
    """Sample the parameters inside a NumPyro program."""
    if model.parameters is not None:
        return model.parameters(observations, model.prior)
    if model.dirichlet is None:
        msg = "the model has neither a program of its parameters nor Dirichlet priors"
        raise TypeError(msg)
    logs = {}
    for name, prior in model.dirichlet(observations, model.prior).items():
        batch = prior.shape[:-1]
        whole = jnp.broadcast_to(prior.concentration, prior.shape)
        drawn = numpyro.sample(name, dist.Dirichlet(whole).to_event(len(batch)))
        logs[name] = jnp.log(jnp.maximum(drawn, np.finfo(drawn.dtype).tiny))
    return logs


def joint(model: AnnotatorModel[Any], observations: Observations) -> None:
    """Joint density of parameters and answers as a NumPyro program.

    The truth is summed out by hand: NumPyro's own enumeration took 15 to 66 times as
    long for the gradient of the same density.
    """
    parameters = sample_parameters(model, observations)
    scores = score(model, observations, parameters)
    numpyro.factor("answers", observations.scale * marginal(scores).sum())
    numpyro.deterministic(SCORE, scores)


def simulate(
    model: AnnotatorModel[Any], space: Space, key: Key[Array, ""]
) -> Simulated:
    """Draw parameters, truths and answers; only the design of `space` is read.

    Parameters
    ----------
    model
        The model to draw from.
    space
        Who answers about what; its answers are not looked at.
    key
        Random key.

    Raises
    ------
    DivergedError
        The prior is improper, so that nothing can be drawn from it.
    """
    first, second, third = jax.random.split(key, 3)
    observations = observe(space, per_answer=True)
    seeded = numpyro.handlers.seed(sample_parameters, first)
    trace = numpyro.handlers.trace(seeded).get_trace(model, observations)
    drawn = {
        name: site["value"]
        for name, site in trace.items()
        if site["type"] in ("sample", "deterministic")
    }
    with numpyro.handlers.substitute(data=drawn), numpyro.handlers.seed(rng_seed=first):
        parameters = sample_parameters(model, observations)
    if not all(bool(jnp.isfinite(value).all()) for value in drawn.values()):
        msg = (
            "the prior cannot be drawn from; simulate from a model with a proper prior"
        )
        raise DivergedError(msg)
    if model.own_simulation is not None:
        return model.own_simulation(second, observations, parameters)
    log_prior = jnp.broadcast_to(
        _log_prior(observations, parameters),
        (observations.num_units, observations.state.shape[1]),
    )
    slot = jax.random.categorical(second, log_prior)
    lists = jnp.broadcast_to(observations.state, log_prior.shape)
    state = jnp.take_along_axis(lists, slot[:, None], axis=1)[:, 0]
    emission = _emission(model, observations, parameters)
    answer = emission.sample(third, observations, state[observations.unit])
    return Simulated(drawn, state, answer)


def _emission(
    model: AnnotatorModel[Any], observations: Observations, parameters: Parameters
) -> Emission:
    if model.emission is None:
        msg = "the model has neither an emission nor a score of its own"
        raise TypeError(msg)
    return model.emission(observations, parameters)


def _log_prior(
    observations: Observations, parameters: Parameters
) -> Float[Array, "#U S"]:
    return observations.listed(parameters["prevalence"][None]) + observations.log_prior
