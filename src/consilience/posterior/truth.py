r"""The posterior of the truth: raw or tempered, at a probability, and draw by draw.

**Tempered: as of fewer answers than there are.** Answers whose errors are correlated
carry less information than independent ones. With the design effect D of an item, what
was learned from its answers is raised to the power 1 / D:

.. math::

   q_k^{(D)} \propto p_k \, (q_k / p_k)^{1/D},

where q is the posterior and p the part of the prior that stays at full strength. For
*choice* it is what is known of candidates (their columns, such as a classifier's
scores, and their log-odds), which does not depend on the annotators whose errors are
correlated. The prevalence does not stay: learned from the same answers, at full
strength it pulls labels towards common classes. Without candidates labels keep their
order. For *contains* it stays: it is the share of pairs that hold, and without it the
log-loss of many answers to a pair is far worse. Bounds move with the probability: their
distance in log-odds is divided by D.

**By draw of the parameters.** Sums over many items vary with the parameters more than
any one item shows, since these are the same for all items: whoever sums has to know
:math:`p^{(d)}_{uk} = p(z_u = k \mid y, \phi^{(d)})`. The parameters are put back into
the model, one draw after the other. A tempered posterior moves with its draws:
distances in log-odds are divided by the design effect. All are weighted at last by one
number for each state of each unit and normalised, so that each draw is a distribution
and their mean is what the fit gives (which `vb` has by other means than by its draws).

**Intervals of another probability than the fit was made with.** Bounds of the posterior
of the truth are moved when the table of labels is asked for. Those of `gibbs` and `vb`
are of log-odds taken as normal: bounds at probability p are at the distance
:math:`\Phi^{-1}((1 + p) / 2)` standard deviations from the middle, before tempering and
after it. Other engines take quantiles over draws, which are computed again from the
draws of the parameters. Where a fit keeps bounds alone (mixtures of models, the tables
of objects) there are none at another probability, which is an error.

**Joint draws.** Given a draw of the parameters, the truth of every item is drawn. So
what all items have in common, such as how lenient annotators are, moves all of them
together, as no table of single probabilities shows.

References
----------
Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table
when the expected marginal totals are known: the weights, by iterative proportional
fitting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.errors import OptionError, not_among
from consilience.intervals import bounds, check_prob, deviations, log_odds, move_bound
from consilience.model import HostModel, Model, logarithms, thin
from consilience.model.language import logsumexp
from consilience.posterior.spaces import candidate_states, restored_space
from consilience.posterior.stored import (
    KEPT_PROB,
    is_of_classes,
    label_values,
    names,
    restored_draws,
    restored_model,
    with_tables,
)
from consilience.truth import Space, merge_identical
from consilience.when_used import special, xr

type Which = Literal["raw", "tempered"]
MIXTURE = "the truth is a mixture"  # in the reason of a fit of several models
MIN_PROBABILITY = 1e-300  # of a probability, so that it has a logarithm
FIELDS = ("probability", "lower", "upper")
MAX_DRAWS = 40  # draws: quantiles of a thousand weightings vary by more than they do
_LEAST, _CLOSE, _SWEEPS = 1e-300, 1e-6, 500
NUMBERS = 2**25  # held at once: 256 MiB
_NORMAL = ("gibbs", "vb")  # engines whose bounds are of log-odds taken as normal
_FIRST = "first_reported"  # which posterior the engine stated bounds of


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is believed of each unit."""

    probability: Float[np.ndarray, "U S"]
    lower: Float[np.ndarray, "U S"]
    upper: Float[np.ndarray, "U S"]


@dataclass(frozen=True, slots=True, eq=False)
class Tempering:
    """A posterior of the truth, raw and tempered."""

    raw: Truth
    tempered: Truth
    design_effect: Float[np.ndarray, " U"]
    reported: Which
    correlation: float
    z: float
    shrunk: float
    common: float


def temper(
    truth: Truth,
    kept: Float[np.ndarray, "#U S"],
    design_effect: Float[np.ndarray, " U"],
    log_truth: Float[np.ndarray, "U S"] | None = None,
) -> Truth:
    """Temper a posterior of the truth; logarithms may say more than its numbers."""
    power = 1 / design_effect[:, None]
    possible = kept > 0
    log_kept = np.log(np.where(possible, kept, 1.0))
    if log_truth is None:
        log_truth = np.log(np.maximum(truth.probability, MIN_PROBABILITY))
    log_weight = power * log_truth + (1 - power) * log_kept
    log_weight = np.where(possible, log_weight, -np.inf)
    probability = np.exp(log_weight - logsumexp(log_weight, 1)[:, None])
    lower, upper = (
        move_bound(bound, truth.probability, probability, power)
        for bound in (truth.lower, truth.upper)
    )
    return Truth(
        probability, np.minimum(lower, probability), np.maximum(upper, probability)
    )


def mix(truths: list[Truth], weights: Float[np.ndarray, "A ..."]) -> Truth:
    """Mix what several models believe, each with its weight, or one for each unit."""
    return Truth(
        *(
            sum(
                weight * getattr(truth, name)
                for weight, truth in zip(weights, truths, strict=True)
            )
            for name in FIELDS
        )
    )


def halfway(one: Truth, other: Truth) -> Truth:
    """Return the geometric mean of two posteriors, with bounds halfway in log-odds."""
    both = np.sqrt(one.probability * other.probability)
    middle = both / np.maximum(both.sum(1, keepdims=True), _LEAST)
    lower, upper = (
        special.expit(
            (log_odds(getattr(one, name)) + log_odds(getattr(other, name))) / 2
        )
        for name in ("lower", "upper")
    )
    return Truth(middle, np.minimum(lower, middle), np.maximum(upper, middle))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What may be true of each unit, and how probable that is; NaN at padding."""

    state: Int[np.ndarray, "#U M"]  # -1 is padding; one row where units share it
    probability: Float[np.ndarray, "U M"]
    lower: Float[np.ndarray, "U M"]
    upper: Float[np.ndarray, "U M"]


def candidates(data: xr.DataTree) -> Candidates:
    """Return the candidates of every unit, padded where it has fewer than the most."""
    truth = data["truth"].to_dataset().transpose("item", "candidate", ...)
    values = [truth[name].to_numpy() for name in FIELDS]
    listed = candidate_states(data)
    state = np.broadcast_to(listed, values[0].shape)
    if (listed < 0).any():
        values = [np.where(state >= 0, value, np.nan) for value in values]
    return Candidates(state, *values)


def given_truth(data: xr.DataTree) -> Bool[np.ndarray, " U"]:
    """Return of which units a fit was given the truth: gold rules candidates out."""
    constant = data["constant_data"]
    given = np.zeros(constant.sizes["item"], bool)
    of_objects = data.attrs["kind"] == "objects"  # numbers of which are ruled out
    if "log_prior" in constant and not of_objects:
        prior = constant["log_prior"].transpose("item", "candidate").to_numpy()
        given = (np.isneginf(prior) & (candidates(data).state >= 0)).any(axis=1)
    if "gold" in data.children:
        given[data["gold"]["given"].to_numpy()] = True
    return given


def at_prob(data: xr.DataTree) -> Candidates:
    """Return the candidates with bounds at the probability of the fit's intervals."""
    truth, prob = candidates(data), float(data.attrs["prob"])
    kept = float(data.attrs.get(KEPT_PROB, prob))
    if prob == kept or np.isnan(truth.lower).all():
        return truth
    group = data["truth"].to_dataset().transpose("item", "candidate", ...)
    reported = group.attrs.get("reported", "raw")

    def stated(which: str) -> list[Float[np.ndarray, "U S"]]:
        before = "" if which == reported else f"{which}_"
        return [group[f"{before}{name}"].to_numpy().astype(float) for name in FIELDS]

    moved: tuple[Float[np.ndarray, "U S"], ...]
    first, factor = reported, deviations(prob, kept)
    mixed = MIXTURE in data.attrs["engine_reason"]
    drawn = None if mixed else _truth_by_draw(data)
    if not mixed and data.attrs["engine"] in _NORMAL:
        first = group.attrs.get(_FIRST, reported)
        _, lower, upper = stated(first)
        moved = _scaled(lower, upper, factor)
    elif drawn is None:
        # Of a mixture no draws are kept: each side is taken for a normal's.
        middle, lower, upper = stated(first)
        moved = tuple(
            move_bound(bound, middle, middle, np.array(factor))
            for bound in (lower, upper)
        )
    else:
        first = "raw"
        real = truth.state >= 0
        lower, upper = bounds(drawn, prob)
        moved = np.where(real, lower, np.nan), np.where(real, upper, np.nan)
    if first != reported:
        old, new = (stated(which)[0] for which in (first, reported))
        effect = group["design_effect"].to_numpy()[:, None]
        power = effect if reported == "raw" else 1 / effect
        moved = tuple(move_bound(bound, old, new, power) for bound in moved)
    # Bounds hold the probability, as all do.
    return replace(
        truth,
        lower=np.minimum(moved[0], truth.probability).astype(truth.lower.dtype),
        upper=np.maximum(moved[1], truth.probability).astype(truth.upper.dtype),
    )


def _scaled(
    lower: Float[np.ndarray, "U S"], upper: Float[np.ndarray, "U S"], factor: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    """Return bounds at another distance from their middle, in log-odds."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = special.logit(lower), special.logit(upper)
        middle, reach = (low + high) / 2, factor * (high - low) / 2
        below, above = special.expit(middle - reach), special.expit(middle + reach)
    # A bound of exactly 0 or 1 has no log-odds: it stays.
    sure = ~np.isfinite(middle)
    return np.where(sure, lower, below), np.where(sure, upper, above)


def with_prob(data: xr.DataTree, prob: float) -> xr.DataTree:
    """Return a fit whose intervals have another probability."""
    prob, stated = check_prob(prob), float(data.attrs["prob"])
    if prob == stated:
        return data
    changed = data.copy()
    changed.attrs = {KEPT_PROB: stated, **data.attrs, "prob": prob}
    if not is_of_classes(data):
        return changed
    # It needs JAX, which only fits of classes do.
    from consilience.posterior.class_confusion import class_tables

    changed.attrs[KEPT_PROB] = prob
    return with_tables(changed, class_tables(changed))


def with_truth(data: xr.DataTree, which: Which) -> xr.DataTree:
    """Return a fit with the raw or the tempered posterior of the truth."""
    if which not in ("raw", "tempered"):
        raise OptionError(
            not_among("posterior of the truth", which, ("raw", "tempered"))
        )
    truth = data["truth"].to_dataset()
    reported = truth.attrs.get("reported", "raw")
    if reported == which:
        return data
    if f"{which}_probability" not in truth:
        raise OptionError(
            f"this fit has no {which} posterior of the truth, only the {reported} one: "
            "its model has no confusions to take residuals from"
        )
    swapped = {
        name: truth[f"{which}_{name}"].astype(truth[name].dtype) for name in FIELDS
    }
    kept = {f"{reported}_{name}": truth[name] for name in FIELDS}
    new = truth.drop_vars([f"{which}_{name}" for name in FIELDS]).assign(
        {**swapped, **kept}
    )
    first = truth.attrs.get(_FIRST, reported)
    rest = {name: value for name, value in truth.attrs.items() if name != _FIRST}
    of_other = {} if first == which else {_FIRST: first}
    new.attrs = {**of_other, **rest, "reported": which}
    changed = data.copy()
    changed["truth"] = xr.DataTree(new)
    return changed


def drawn_truth(
    data: xr.DataTree, max_draws: int = MAX_DRAWS
) -> Float[np.ndarray, "D U S"]:
    """Return P(state) of each unit, draw by draw; NaN at padding."""
    reported = candidates(data).probability
    drawn = _truth_by_draw(data, max_draws)
    if drawn is None:
        return reported[None]
    truth = data["truth"]
    if truth.attrs.get("reported") == "tempered":
        drawn = _tempered(drawn, reported, truth["design_effect"].to_numpy())
    return with_mean(drawn, reported)


def _truth_by_draw(
    data: xr.DataTree, max_draws: int | None = None
) -> Float[np.ndarray, "D U S"] | None:
    """Return P(state) by draw, not tempered; None where fewer than two draws say it."""
    values = restored_draws(data)
    if not values or "similarity" in values:
        return None
    sizes = data["posterior"].sizes
    draws = sizes["chain"] * sizes["draw"]
    most = min(max_draws or draws, NUMBERS // max(data["truth"]["probability"].size, 1))
    if min(most, draws) < 2:
        return None
    return _read_draws(restored_model(data), restored_space(data), values, most)


def _read_draws(
    model: Model[Any], space: Space, values: dict[str, Any], max_draws: int
) -> Float[np.ndarray, "D U S"] | None:
    place: slice | Int[np.ndarray, " U"] = slice(None)
    if not model.whole_items:
        merged = merge_identical(space)
        space, place = merged.space, merged.place
    if model.on_host:
        tables = HostModel(model, space)
        if not {*tables.priors} <= values.keys():
            return None
        logs = (logarithms(draw, tables.closed) for draw in thin(values, max_draws))
        beliefs = (tables.posterior(each)[1] for each in logs)
        return np.stack([tables.truth(belief)[place] for belief in beliefs])
    from consilience.model.program import compiled_reader

    read = compiled_reader(model, space, values.keys())
    if read is None:
        return None
    return np.stack([read(draw)[0][place] for draw in thin(values, max_draws)])


def with_mean(
    drawn: Float[np.ndarray, "D U S"], mean: Float[np.ndarray, "U S"]
) -> Float[np.ndarray, "D U S"]:
    """Weight the states of each unit so that the mean of the draws is a given one."""
    padding = np.isnan(drawn) | np.isnan(mean)
    weighted = np.where(padding, 0.0, np.maximum(drawn, _LEAST))
    aim = np.where(np.isnan(mean), 0.0, mean)
    for _ in range(_SWEEPS):
        weighted /= weighted.sum(2, keepdims=True)
        factor = aim / np.maximum(weighted.mean(0), _LEAST)
        if np.abs(factor * weighted.mean(0) - weighted.mean(0)).max() < _CLOSE:
            break
        weighted *= factor
    return np.where(padding, np.nan, weighted / weighted.sum(2, keepdims=True))


def _tempered(
    drawn: Float[np.ndarray, "D U S"],
    reported: Float[np.ndarray, "U S"],
    design_effect: Float[np.ndarray, " U"],
) -> Float[np.ndarray, "D U S"]:
    """Move the tempered posterior as the raw one moves, by less."""
    small = np.finfo(float).eps
    raw = special.logit(np.clip(drawn, small, 1 - small))
    distance = (raw - raw.mean(0)) / design_effect[:, None]
    odds = special.expit(special.logit(np.clip(reported, small, 1 - small)) + distance)
    total = np.nansum(odds, axis=2, keepdims=True)
    return odds / total


TRUTH = "truth"


def state_draws(data: xr.DataTree, number: int, seed: int) -> Int[np.ndarray, "D U"]:
    """Draw the state of every unit so many times."""
    drawn, listed = drawn_truth(data, number), candidates(data).state
    generator = np.random.default_rng(seed)
    states = np.empty((number, len(listed)), np.int32)
    for draw in range(number):
        cumulative = np.nancumsum(drawn[draw % len(drawn)], 1)
        point = generator.random((len(listed), 1)) * cumulative[:, -1:]
        slot = np.minimum((cumulative <= point).sum(1), listed.shape[1] - 1)
        states[draw] = np.take_along_axis(listed, slot[:, None], 1)[:, 0]
    return states


def joint_draws_of(
    data: xr.DataTree, name: str, number: int, seed: int
) -> xr.DataArray:
    """Return draws of the truth, or of a parameter, along the dimension `draw`."""
    if "posterior" in data.children and name in data["posterior"].data_vars:
        drawn = data["posterior"][name].drop_vars(["chain", "draw"], errors="ignore")
        drawn = drawn.stack(of_all=("chain", "draw"), create_index=False)
        return drawn.rename(of_all="draw").transpose("draw", ...)
    if name != TRUTH:
        there = [*map(str, data["posterior"].data_vars)] if "posterior" in data else []
        raise OptionError(not_among("draws", name, [TRUTH, *there]))
    if number < 1:
        raise OptionError(
            f"draws: {number} draws of the truth were asked for; give 1 or more"
        )
    if data.attrs["kind"] == "objects" or "truth" not in data.children:
        raise OptionError(
            "draws: the truth can be drawn of kind choice and contains; shares of "
            "objects with intervals are in `study_summary`"
        )
    states, constant = state_draws(data, number, seed), data["constant_data"]
    items = constant["unit_item"].to_numpy()
    if data.attrs["kind"] == "contains":
        values: Float[np.ndarray, "D U"] = constant["present"].to_numpy()[states]
        labels = constant["unit_label"].to_numpy()
        coords = {"item": ("pair", items), "label": ("pair", labels)}
        return xr.DataArray(values, coords, ("draw", "pair"), name=TRUTH)
    classes = names(data, "true_class")
    if data.attrs.get("ordered"):
        classes = label_values(classes)
    return xr.DataArray(classes[states], {"item": items}, ("draw", "item"), name=TRUTH)
