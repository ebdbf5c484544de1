"""Earlier answers to questions of known truth, as units behind those of a study.

They say what annotators are like, by the same likelihood as all other answers; so for
every model and engine they are the prior that Bayes makes of them. Each is a unit of
its own, because it is not known which of them were about the same item; and the truth
of none is drawn with the prevalence, because whoever chose the questions chose it.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from consilience.truth.padding import with_units
from consilience.truth.space import ChoiceSpace


def with_earlier_answers(
    space: ChoiceSpace,
    annotator: Int[np.ndarray, " E"],
    state: Int[np.ndarray, " E"],
    answer: Int[np.ndarray, " E"],
) -> ChoiceSpace:
    """Return the space with one more unit for each earlier answer, behind others."""
    more, units = len(state), space.num_units
    joined = with_units(space, more)
    lists = joined.state
    log_prior = np.broadcast_to(joined.log_prior, (units + more, lists.shape[1])).copy()
    if space.ragged:
        lists = np.broadcast_to(lists, log_prior.shape).copy()
        lists[units:] = 0
        lists[units:, 0] = state
        log_prior[units:, 1:] = -np.inf
        log_prior[units:, 0] = 0.0
    else:
        log_prior[units:] = np.where(state[:, None] == lists[0], 0.0, -np.inf)
    return replace(
        joined,
        unit=_followed(space.unit, units + np.arange(more)),
        annotator=_followed(space.annotator, annotator),
        answer=_followed(space.answer, answer),
        n=_followed(space.n, np.ones(more, int)),
        state=lists,
        log_prior=log_prior,
        in_population=np.arange(units + more) < units,
    )


def _followed(
    first: Int[np.ndarray, " N"], then: Int[np.ndarray, " E"]
) -> Int[np.ndarray, " M"]:
    return np.append(first, then.astype(first.dtype))
