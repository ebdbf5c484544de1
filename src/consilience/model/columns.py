r"""The prior of the truth where candidates have columns: a multinomial logit.

Where candidates have columns of numbers :math:`x_{us}`, the prior is a multinomial
logit over the list of the unit,

.. math::

   p(z_u = s) = \frac{\pi_s \exp(x_{us}^\top \beta)}
                     {\sum_{t \in C_u} \pi_t \exp(x_{ut}^\top \beta)}, \qquad
   \beta \sim N(0, 1)

per standard deviation of each column. Weights are learned with the annotators, from
their answers and from gold; they start at zero, so that no score of a classifier is
taken at face value. (:math:`C_u` here are all labels that might have been on the list:
those that are not in the table, of which the list has only what was answered, share one
more weight.) Prevalence is then that of a unit whose candidates are all labels,
of which the columns say nothing: what the columns know of labels being common is not
counted twice.

**The information of covariates, in answers of an annotator drawn at random.** Both are
information about the truth, given the list: that of the columns, and that of one answer
without them. Without columns each label has an attraction of its own, and the truth is
drawn from the list in proportion to it; the attractions are those that give each label
its share of the truths.

All is written for arrays of NumPy and of JAX: a fit by closed forms compiles nothing.

References
----------
McFadden (1974), Conditional logit analysis of qualitative choice behavior.
"""

from typing import Any

from jaxtyping import Float

from consilience.model.by_tables import ByTables
from consilience.model.contract import PREVALENCE, WEIGHT, Parameters
from consilience.model.language import logsumexp, namespace
from consilience.model.on_shortlists import OnShortlists

LEAST = 1e-12  # of a probability
ROUNDS = 10  # of Hunter (2004), section 2; from even attractions, each a step nearer
MAX_TOLD = 1_000_000  # numbers in the tables of answers of the units that are looked at
NEVER = -1e30  # log-odds of what cannot be; finite, so that slopes are
SPREAD = 1.0  # prior standard deviation of a weight, as in `contains`; judgement


# What is on the list of each unit: observations, or a matrix of responses.
type Candidates = Any


def log_prior_of_truth(data: Any, log_prevalence: Any, weight: Any) -> Any:
    """Return log p(state) of each listed state, up to what is the same for all units.

    Units whose truth is not drawn with the prevalence have the weight of the entry
    alone; there are none where candidates have columns, whose weights are given then.

    What gold excludes has a prior of its own, but is not believed: so gold says what
    columns weigh.
    """
    if log_prevalence is None:
        return data.log_prior
    if weight is None:
        return data.prevalent * data.listed(log_prevalence[None]) + data.log_prior
    logit = {PREVALENCE: log_prevalence, WEIGHT: weight}
    return log_logit(data, logit) + data.log_prior


def log_logit(candidates: Candidates, logit: Parameters) -> Float[Any, "U S"]:
    """Return the multinomial logit of each unit; gold is not looked at."""
    return _odds(candidates, logit) - log_total(candidates, logit)[:, None]


def log_total(candidates: Candidates, logit: Parameters) -> Float[Any, " U"]:
    """Return what the logit of each unit is divided by, as a logarithm.

    Labels that are not on the list for want of an answer count as well: which are on
    it must not depend on what was answered, or answers would count twice.
    """
    xp = namespace(logit[PREVALENCE])
    listed = logsumexp(_odds(candidates, logit), 1)
    rest, some = others(candidates, logit)
    distant = candidates.prior_covariates.unlisted @ logit[WEIGHT]
    beyond = xp.where(some, distant + xp.log(rest), NEVER)
    return xp.logaddexp(listed, beyond)


def others(candidates: Candidates, logit: Parameters) -> tuple[Float[Any, " U"], Any]:
    """Return the prevalence of what is on no list, and for which units it counts.

    Where it does not count it is one.
    """
    xp = namespace(logit[PREVALENCE])
    covariates, every = candidates.prior_covariates, xp.exp(logit[PREVALENCE])
    there = xp.where(covariates.real, candidates.listed(every[None]), 0.0).sum(1)
    rest = every.sum() - there
    some = covariates.open & (rest > 0)
    return xp.where(some, rest, 1.0), some


def share_of_list(candidates: Candidates, logit: Parameters) -> Float[Any, "U S"]:
    """Return the prior of each candidate, given that the truth is on the list."""
    odds = _odds(candidates, logit)
    return namespace(odds).exp(odds - logsumexp(odds, 1)[:, None])


def _odds(candidates: Candidates, logit: Parameters) -> Float[Any, "U S"]:
    covariates = candidates.prior_covariates
    flat = covariates.value.reshape(-1, len(logit[WEIGHT])) @ logit[WEIGHT]
    odds = candidates.listed(logit[PREVALENCE][None]) + flat.reshape(
        covariates.real.shape
    )
    return namespace(odds).where(covariates.real, odds, NEVER)


def told_by_columns(
    candidates: Candidates, logit: Parameters, answers: Any
) -> dict[str, Any]:
    """Return the mean prior of each label, and the information of columns by name.

    The latter is over that of one answer, by the prior of whoever has no columns, and
    left out where it is not known what an annotator would answer.
    """
    informed = share_of_list(candidates, logit)
    quantities = {"mean_prior": candidates.over_labels(informed) / len(informed)}
    if isinstance(answers, (ByTables, OnShortlists)):
        xp = namespace(informed)
        without = _without_columns(candidates, informed)
        gain = _negative_entropy(informed).sum() - (informed * _log(without)).sum()
        if isinstance(answers, ByTables):
            of_answer = _told_in_tables(candidates, answers.confusion, without)
        else:
            right = xp.exp(answers.log_skill[:, 0]).mean()
            of_answer = _told_on_lists(right, without)
        of_answer = xp.maximum(of_answer, LEAST)
        quantities["relative_information"] = gain / len(informed) / of_answer
    return quantities


def _without_columns(
    candidates: Candidates, informed: Float[Any, "U S"]
) -> Float[Any, "U S"]:
    """Return the prior that whoever has no columns would have, by label alone."""
    xp, real = namespace(informed), candidates.prior_covariates.real
    true = candidates.over_labels(informed)

    def listed(attraction: Float[Any, " K"]) -> Float[Any, "U S"]:
        return xp.where(real, candidates.listed(attraction[None]), 0.0)

    attraction = xp.ones_like(true)
    for _ in range(ROUNDS):
        whole = listed(attraction).sum(1, keepdims=True)
        stake = candidates.over_labels(real / whole)
        attraction = xp.where(stake > 0, true / xp.maximum(stake, LEAST), attraction)
    shares = listed(attraction)
    return shares / xp.maximum(shares.sum(1, keepdims=True), LEAST)


def _told_in_tables(
    candidates: Candidates, confusion: Float[Any, "*J K L"], prior: Float[Any, "U S"]
) -> Any:
    """Return the mean information of an answer over some units, evenly taken."""
    xp, (units, states) = namespace(prior), prior.shape
    every = max(units * states * confusion.shape[1] // MAX_TOLD, 1)
    confusion = confusion.reshape(-1, *confusion.shape[-2:]).mean(0)
    some, state = prior[::every], candidates.state[::every]
    answer = xp.einsum("us,usl->ul", some, confusion[state])
    given = (some * _negative_entropy(confusion)[state]).sum(1)
    return (given - _negative_entropy(answer)).mean()


def _told_on_lists(right: Any, prior: Float[Any, "U S"]) -> Any:
    """Return the mean information where errors fall evenly on the rest of the list."""
    xp, number = namespace(prior), (prior > 0).sum(1)
    wrong = (1 - right) / xp.maximum(number - 1, 1)
    each = wrong[:, None] + (right - wrong)[:, None] * prior
    given = right * _log(right) + (1 - right) * _log(wrong)
    gain = given - _negative_entropy(xp.where(prior > 0, each, 0))
    return xp.where(number == 1, 0.0, gain).mean()


def _negative_entropy(share: Float[Any, "*rows _"]) -> Float[Any, "*rows"]:
    return (share * _log(share)).sum(-1)


def _log(share: Any) -> Any:
    xp = namespace(share)
    return xp.log(xp.maximum(share, LEAST))
