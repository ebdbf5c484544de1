r"""Fit responses of kind contains: whether a label is present in an item.

The model `auto` is two models by halves: tables of two states and of three, each
tempered, whose P(present) are averaged. They are not weighed by how well they predict
answers: on sentences whose relations experts know, the latent trait predicts answers
best and the truth worst (log-loss .41, by halves .39), and equal shares of any two are
below both nearly everywhere.

**What else is known of a pair.** Labels have prevalences of their own. Those are
learned from the same answers, whose errors go together within a label too: a part of
what they add to the log-odds is taken. Covariates of pairs, which depend on no
annotator, have weights that are learned, and all of what they add is taken.

**Votes.** Smoothed shares of votes have a share in the posterior, less where answers of
a pair are many, as in `auto` of choice.

**What present means** is no part of the answers. So P(present) of all pairs may be off
together, and draws of annotators' tables are given the truth after such a move:

.. math::

   \delta \sim N(0, \tau^2), \quad
   z_u \sim \mathrm{Bernoulli}(\mathrm{logit}^{-1}(\mathrm{logit}\, P_u + \delta)),
   \quad \theta \mid z, y,

the last as in data augmentation. Bounds of P(present) hold the same move.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from consilience import annotators
from consilience.checks.independence import COMMON, mixed_effect
from consilience.checks.leave_one_out import (
    LeaveOneOut,
    given_two_states,
    leave_one_response_out,
)
from consilience.checks.presence import beyond_habit
from consilience.contains.space import MEANINGS, PRESENT, shares_by_meaning
from consilience.errors import OptionError
from consilience.fitting.comparing import mixture_of
from consilience.fitting.request import Request, Study
from consilience.fitting.single import (
    Single,
    fit_one,
    fit_outcome,
    prior_at_full_strength,
)
from consilience.inference.augmentation import draw_parameters, one_of
from consilience.inference.options import generator_of, seed_for
from consilience.intervals import log_odds, move_bound
from consilience.model import PREVALENCE, HostModel, stack_chains
from consilience.posterior.tree import Outcome, reported_truth
from consilience.posterior.truth import Truth, mix, temper
from consilience.progress import Reporter, reporter
from consilience.truth import ContainsSpace, tally
from consilience.when_used import special

# Models by halves: tables of two states, whose annotators are reported, and of three.
HALVES = ("hierarchical_dawid_skene", "contains_states")
# Part of what a label's prevalence adds to log-odds, and the share of votes of a pair
# with one answer. Of 0 to 1 and 0 to .3: on relations in sentences, images, simulated
# findings and 26 simulated kinds, each left out in turn, the rest choose .75 or more
# and .1 to .3. All of the former costs .011 where images have five raters and more, and
# more votes than .2 lose .004 on relations that experts have judged twice.
LABELS, VOTES = 0.6, 0.2
# Standard deviation of what all pairs may be off together, in log-odds. In 26 simulated
# kinds, two studies each, 90 % intervals hold sensitivity and specificity .65 and .73
# of the time with 0, .75 and .85 with .7, and .86 and .94 with 1.4.
OFF = 1.4
CONCENTRATIONS = np.geomspace(2, 500, 30)  # pairs that a label's prevalence may weigh
ROUNDS = 15  # of prevalences and posteriors, which then change by less than .001
LEAST = 1e-6  # precision of what is free, so that a matrix can be inverted
BURN_IN = 5  # sweeps: the truth is drawn afresh each time, whatever the tables


def fit_contains(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" mixes two by halves."""
    name, why = request.model, None
    scores: LeaveOneOut | None
    with reporter(request.progress) as report:
        if name == "auto":
            name, why = which_contains(study.space(), request)
        if name == "auto":
            if request.prior:
                msg = (
                    "prior settings belong to a model, and auto mixes two; name the "
                    f"model they are meant for: {' or '.join(HALVES)}"
                )
                raise OptionError(msg)
            space = study.space()
            single = _by_halves(study, request, report)
            confusion = stack_chains(single.result.parameters["confusion"]).mean(0)
            truth = reported_truth(single.result, single.tempering).probability
            scores = given_two_states(space, truth, confusion)
        else:
            space = study.space(request.states or annotators.fittable(name).states)
            single = fit_one(name, space, request, report)
            draws = single.result.parameters
            scores = leave_one_response_out(single.model, space, draws)
            if why is not None:
                single = replace(single, reason=f"{why}; {single.reason}")
    remarks = _meaning(space, single, mixed=name == "auto")
    outcome = fit_outcome(study, request, space, single, remarks)
    return replace(outcome, attributes=_with(outcome, space, scores))


def which_contains(space: ContainsSpace, request: Request) -> tuple[str, str]:
    """Return the name of the model that suits, or "auto" where two do, and why."""
    if not space.identified.any():
        return "contains_counts", "no annotator has an id, so counts are all there is"
    if request.engine not in ("auto", "vb"):
        return "contains_states", f"the engine {request.engine} fits one model"
    if request.states is not None:
        which = HALVES[request.states == 3]
        return which, f"{request.states} states were asked for"
    return "auto", ""


def _by_halves(study: Study, request: Request, report: Reporter) -> Single:
    """Fit both models, and mix what they say of presence."""
    fits, parts = [], []
    for name in HALVES:
        space = study.space(annotators.fittable(name).states)
        seed = None if name == HALVES[0] else seed_for(request.seed, name)
        fits.append(fit_one(name, space, request, report, seed=seed))
        parts.append(_present(fits[-1], space))
    space, first = study.space(), fits[0]
    belief, weight = _with_known(space, mix(parts, np.full(2, 0.5)))
    number = np.bincount(space.unit, space.n, space.num_units)
    of_votes = VOTES / mixed_effect(number, COMMON)
    tempered = _may_be_off(
        mix([belief, _votes(space)], np.stack([1 - of_votes, of_votes])[:, :, None]),
        request.effort.prob,
    )
    single = _with_draws(first, space, tempered, weight, generator_of(request.seed))
    kept = prior_at_full_strength(space, single.result)
    effects = [each.tempering.design_effect for each in fits if each.tempering]
    effect = np.mean(effects, 0)
    raw = temper(tempered, kept, 1 / effect)
    tempering = first.tempering and replace(
        first.tempering, raw=raw, tempered=tempered, design_effect=effect
    )
    share = of_votes.mean()
    shares = [*((name, (1 - share) / 2) for name in HALVES), ("votes", share)]
    reason = f"{mixture_of(shares)}; annotators are those of {first.name}"
    return replace(single.believing(raw), tempering=tempering, reason=reason)


def _present(single: Single, space: ContainsSpace) -> Truth:
    """Return absent and present as a model has them, tempered."""
    truth = reported_truth(single.result, single.tempering)
    low, mean, high = (
        each @ space.present for each in (truth.lower, truth.probability, truth.upper)
    )
    # Of several states, the sums of their bounds are wider than the bounds of the sum.
    return _of_present(low, mean, np.minimum(high, 1.0))


def _of_present(
    low: Float[np.ndarray, " U"],
    mean: Float[np.ndarray, " U"],
    high: Float[np.ndarray, " U"],
) -> Truth:
    return Truth(
        np.stack([1 - mean, mean], 1),
        np.stack([1 - high, low], 1),
        np.stack([1 - low, high], 1),
    )


def _with_known(
    space: ContainsSpace, truth: Truth
) -> tuple[Truth, Float[np.ndarray, "2 P"]]:
    """Give each pair the prevalence of its label, and what its covariates add.

    Returned are also the weights of the covariates and their standard errors. The
    prevalence is the mean of a Beta whose concentration makes the expected counts of
    all labels most probable.
    """
    given = truth.probability[:, 1]
    _, label = np.unique(space.unit_label.astype(str), return_inverse=True)
    pairs, column = np.bincount(label), space.covariates.value
    design = np.column_stack([np.ones(len(given)), column])
    ridge = np.diag([LEAST, *np.ones(column.shape[1])])
    evidence = log_odds(given) - log_odds(given.mean(keepdims=True))
    present, weight = given, np.zeros(design.shape[1])
    weight[:1] = log_odds(given.mean(keepdims=True))
    for _ in range(ROUNDS):
        mean, count = present.mean(keepdims=True), np.bincount(label, present)
        most = CONCENTRATIONS[:, None]
        likely = special.betaln(count + most * mean, pairs - count + most * (1 - mean))
        likely -= special.betaln(most * mean, most * (1 - mean))
        best = CONCENTRATIONS[likely.sum(1).argmax()]
        share = (count + best * mean) / (pairs + best)
        of_label = LABELS * (log_odds(share) - log_odds(mean))[label]
        prior = special.expit(design @ weight + of_label)
        slope = design.T @ (present - prior) - ridge @ weight
        curvature = (design.T * (prior * (1 - prior))) @ design + ridge
        weight += np.linalg.solve(curvature, slope)
        moved = design @ weight + of_label
        present = special.expit(evidence + moved)
    certain = (given <= 0) | (given >= 1)  # gold labels
    after = np.where(certain, given, present)
    low, high = (
        np.where(
            certain, bound[:, 1], move_bound(bound[:, 1], given, after, np.ones(1))
        )
        for bound in (truth.lower, truth.upper)
    )
    error = np.sqrt(np.diag(np.linalg.inv(curvature)))
    known = np.stack([weight, error])[:, 1:]
    return _of_present(np.minimum(low, after), after, np.maximum(high, after)), known


def _votes(space: ContainsSpace) -> Truth:
    """Return smoothed shares of votes: two of the mean vote are added to each pair."""
    votes = tally(space)
    votes = votes + 2 * votes.sum(0) / votes.sum()
    votes = votes * np.exp(space.log_prior)
    votes /= votes.sum(1, keepdims=True)
    return Truth(votes, votes, votes)


def _may_be_off(truth: Truth, prob: float) -> Truth:
    """Return bounds that hold what all pairs may be off together."""
    reach = OFF * NormalDist().inv_cdf((1 + prob) / 2)
    present = truth.probability[:, 1]
    middle = log_odds(present)
    low, high = (
        special.expit(middle + sign * np.hypot(reach, log_odds(bound[:, 1]) - middle))
        for sign, bound in ((-1, truth.lower), (1, truth.upper))
    )
    certain = (present <= 0) | (present >= 1)
    return _of_present(
        np.where(certain, present, low), present, np.where(certain, present, high)
    )


def _with_draws(
    single: Single,
    space: ContainsSpace,
    truth: Truth,
    known: Float[np.ndarray, "2 P"],
    generator: np.random.Generator,
) -> Single:
    """Draw tables of annotators given draws of what the mixture says is present.

    The truth of all pairs moves together, from draw to draw.
    """
    parameters = single.result.parameters
    number = stack_chains(parameters[PREVALENCE]).shape[0]
    if number < 2:  # none were asked for
        return single
    tables = HostModel(single.model, space)
    logs = {
        name: np.broadcast_to(np.log(prior.concentration), prior.shape)
        for name, prior in tables.priors.items()
    }
    concentration = {
        name: np.asarray(prior.concentration, float)
        for name, prior in tables.priors.items()
    }
    middle, present = log_odds(truth.probability[:, 1]), truth.probability[:, 1]
    certain = (present <= 0) | (present >= 1)
    kept: dict[str, list[Float[np.ndarray, ...]]] = {name: [] for name in logs}
    for draw in range(BURN_IN + number):
        moved = special.expit(middle + OFF * generator.standard_normal())
        moved = np.where(certain, present, moved)
        states = one_of(generator, np.stack([1 - moved, moved], 1))
        counts = tables.sweep(logs, assign=lambda _, states=states: states).counts
        concentration, logs = draw_parameters(
            generator, tables.priors, concentration, counts
        )
        if draw >= BURN_IN:
            for name, values in logs.items():
                kept[name].append(np.exp(values).astype(np.float32))
    drawn = {name: np.stack(values)[None] for name, values in kept.items()}
    if known.shape[1]:
        weight, error = known
        noise = generator.standard_normal((1, number, len(weight)))
        drawn["weight"] = (weight + error * noise).astype(np.float32)
    result = replace(single.result, parameters=drawn, log_likelihood=None)
    return replace(single, result=result)


def _meaning(space: ContainsSpace, single: Single, *, mixed: bool) -> list[str]:
    """Say what makes a label present, and how many are by other meanings."""
    parameters = single.result.parameters
    shares = parameters.get("share_present")
    panel = getattr(single.model.prior, "panel", 0)
    if shares is not None:
        how = (
            f"at least half of {panel:g} new annotators would endorse it, a maybe "
            f"counting {single.model.prior.maybe:g}"
            if panel
            else "it looks more like labels that are there than like labels that are "
            "not (the upper of two components of equal spread, and in part the cut "
            "that tells most about an answer)"
        )
        mean = np.asarray(shares, float).mean((0, 1))
    else:
        names = {"confusion", PREVALENCE}
        if not names <= parameters.keys():
            return []
        two = "it is in the upper of two states that tell most about the answers"
        three = "the upper of three, an unclear one counting half"
        how = f"it is in {three}" if len(space.states) > 2 else two
        if mixed:
            how = f"{two}; or, with equal weight, in {three}"
        asked = np.bincount(space.annotator, space.n, space.num_annotators)
        drawn = (stack_chains(parameters[name]) for name in ("confusion", PREVALENCE))
        truth = reported_truth(single.result, single.tempering)
        reported = float((truth.probability @ space.present).mean())
        shares = shares_by_meaning(*drawn, asked, space.present, reported)
        mean = shares.mean(0)
    (_, share), *others = (
        (meaning, share)
        for meaning, share in zip(MEANINGS, mean, strict=True)
        if np.isfinite(share)
    )
    shown = "; ".join(f"{meaning} {other:.0%}" for meaning, other in others)
    sentence = f"{PRESENT} {how}: {share:.0%} of the pairs. By other meanings: {shown}"
    return [sentence]


def _with(
    outcome: Outcome, space: ContainsSpace, scores: LeaveOneOut | None
) -> dict[str, object]:
    """Add what the checks of answers left out look at."""
    attributes = dict(outcome.attributes)
    if scores is None:
        return attributes
    if scores.copied is not None:
        attributes["most_alike"] = scores.copied._asdict()
    if space.identified.any():
        attributes["beyond_habit"] = beyond_habit(space, scores.elpd)._asdict()
    return attributes
