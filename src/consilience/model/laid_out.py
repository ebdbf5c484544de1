"""Answers of models that lay the data out in a form of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from consilience.model.contract import Parameters
from consilience.truth.arrays import pytree


class Arithmetic(NamedTuple):
    """What such a model computes, mostly of the data and the parameters.

    `score` is log p(state, the unit's answers) (U, M), with the prior of the data;
    `log_likelihood` that of the unit (U), the truth summed out; `derived` is what is
    reported beside the parameters; `simulate` draws truths and answers, by a key; and
    `new_annotator` is p(answer) of an annotator drawn at random (G, M, L), of the
    parameters alone.
    """

    score: Callable[..., Any]
    log_likelihood: Callable[..., Any]
    derived: Callable[..., Parameters]
    simulate: Callable[..., Any]
    new_annotator: Callable[..., Any] | None = None


@pytree("arithmetic")
@dataclass(frozen=True, slots=True)
class LaidOutAnswers:
    """Answers given the parameters, by arithmetic of the model's own."""

    parameters: Parameters
    arithmetic: Arithmetic
    log_prevalence: ClassVar[None] = None

    def log_joint(self, data: Any, log_prior: Any) -> Any:
        """Return log p(state, the unit's answers | parameters)."""
        del log_prior  # that of the data
        return self.arithmetic.score(data, self.parameters)

    def log_likelihood(self, data: Any) -> Any:
        """Return log p(the unit's answers | parameters)."""
        return self.arithmetic.log_likelihood(data, self.parameters)

    def derived(self, data: Any) -> Parameters:
        """Return what follows from the parameters and is reported with them."""
        return self.arithmetic.derived(data, self.parameters)

    def simulate(self, key: Any, data: Any) -> Any:
        """Draw truths and answers: a `Simulated`."""
        return self.arithmetic.simulate(key, data, self.parameters)

    def new_annotator(self) -> Any:
        """Return what anyone would answer; None where that is not known."""
        fresh = self.arithmetic.new_annotator
        return None if fresh is None else fresh(self.parameters)
