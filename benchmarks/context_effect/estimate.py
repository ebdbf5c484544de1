"""Shifts of log-odds estimated: the highest likelihood, errors clustered two ways.

The optimiser takes the information from the scores of the pairs (Berndt, Hall, Hall
and Hausman 1974), the standard errors take it from the curvature.
Answers are looked at in blocks of whole twos, all laid out alike, so that memory is
bounded and one compiled function serves all. What each answer adds to the score is kept
apart: summed by item and by annotator, it gives the covariance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from benchmarks.context_effect.likelihood import Risk, Scale, Shifts, slopes
from consilience.progress import Progress, Reporter, silent
from consilience.truth.incidence import incidences

BLOCK = 20_000  # answers looked at together: 10 MB for each table of nodes
STEP = 1e-4  # of the differences that the curvature is taken from
TOLERANCE = 1e-4  # twice the gain to be expected, in nats: a hundredth of an error
MAX_STEPS, MIN_STEP = 100, 1e-3  # steps, and the smallest share of one
USUAL_EVALUATIONS = 12  # of the likelihood, beside one for each shift
PRIOR_SCALE = 4.0  # of a shift in log-odds: an odds ratio of fifty


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Design:
    """Answers about labels with a rival, and what shifts each.

    Attributes
    ----------
    names
        Of the parameters; the last two are those of `odds` and `both`.
    side, annotator, group, answer, n
        Of each answer, in order of side: its side, and so on.
    item
        Of each two.
    odds, side_group
        Of each side: prior log-odds of presence, and group of labels.
    without, with_rival
        What shifts the log-odds of each answer, without and with a rival.
    """

    names: tuple[str, ...]
    side: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    group: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    n: Int[np.ndarray, " N"]
    item: Int[np.ndarray, " E"]
    odds: Float[np.ndarray, "E 2"]
    side_group: Int[np.ndarray, "E 2"]
    without: Float[np.ndarray, "N P"]
    with_rival: Float[np.ndarray, "N P"]

    @property
    def item_of_answer(self) -> Int[np.ndarray, " N"]:
        """The item of each answer."""
        item: Int[np.ndarray, " N"] = self.item[self.side // 2]
        return item


@dataclass(frozen=True, slots=True, eq=False)
class ShiftEstimate:
    """Estimated shifts and their covariance.

    Attributes
    ----------
    theta
        The shifts.
    by_item, by_annotator
        Covariance of their errors, clustered by item, and what annotators add to it.
    led
        P(absent, rival there) of each side.
    """

    theta: Float[np.ndarray, " P"]
    by_item: Float[np.ndarray, "P P"]
    by_annotator: Float[np.ndarray, "P P"]
    led: Float[np.ndarray, "E 2"]

    def error(self, slope: Float[np.ndarray, " P"]) -> float:
        """Return the standard error of what has such a slope in the shifts.

        What annotators add may come out below zero by chance; it then counts as zero.
        """
        added = max(float(slope @ self.by_annotator @ slope), 0.0)
        return float(np.sqrt(slope @ self.by_item @ slope + added))


def estimate(scale: Scale, design: Design, report: Reporter = silent) -> ShiftEstimate:
    """Find the most probable shifts and their precision.

    Parameters
    ----------
    scale
        Annotators and mixture components as fitted.
    design
        The answers, and what may shift them.
    report
        Called with the progress made.
    """
    evaluate = _with_progress(_score_function(scale, design), design, report)
    theta = np.zeros(len(design.names))
    value, score, led = evaluate(theta)
    for _ in range(MAX_STEPS):
        rise = _penalised_score(theta, score)
        direction = np.linalg.solve(_information(score, design), rise)
        if rise @ direction < TOLERANCE:
            break
        size = 1.0
        while True:
            further = theta + size * direction
            reached, score, led = evaluate(further)
            better = reached - _penalty(further) > value - _penalty(theta)
            if better or size < MIN_STEP:
                break
            size /= 2
        theta, value = further, reached
    gradient = _penalised_score(theta, score)
    moves = STEP * np.eye(len(theta))
    falls = [
        gradient - _penalised_score(theta + move, evaluate(theta + move)[1])
        for move in moves
    ]
    curvature = np.stack(falls) / STEP
    bread = np.linalg.inv((curvature + curvature.T) / 2)
    by_item, added = (
        bread @ meat @ bread for meat in clustered_covariance(score, design)
    )
    return ShiftEstimate(theta, by_item, added, led)


def _penalty(theta: Float[np.ndarray, " P"]) -> float:
    return float(theta @ theta) / (2 * PRIOR_SCALE**2)


def _penalised_score(
    theta: Float[np.ndarray, " P"], score: Float[np.ndarray, "N P"]
) -> Float[np.ndarray, " P"]:
    rise: Float[np.ndarray, " P"] = score.sum(0) - theta / PRIOR_SCALE**2
    return rise


def _information(
    score: Float[np.ndarray, "N P"], design: Design
) -> Float[np.ndarray, "P P"]:
    """Return the information, by what each two add to the score."""
    twos = design.side // 2
    sums = np.stack([np.bincount(twos, column) for column in score.T], 1)
    information: Float[np.ndarray, "P P"] = (
        sums.T @ sums + np.eye(sums.shape[1]) / PRIOR_SCALE**2
    )
    return information


def clustered_covariance(
    score: Float[np.ndarray, "N P"], design: Design
) -> tuple[Float[np.ndarray, "P P"], Float[np.ndarray, "P P"]]:
    """Return the covariance of the score by item, and what annotators add to it.

    They add what is clustered by annotator, less what is by annotator and item both.

    Parameters
    ----------
    score
        What each answer adds to it.
    design
        Says whose each answer is.
    """
    item = design.item_of_answer
    both = item.astype(np.int64) * (design.annotator.max() + 1) + design.annotator
    added = _covariance_by(score, design.annotator) - _covariance_by(score, both)
    return _covariance_by(score, item), added


def _covariance_by(
    score: Float[np.ndarray, "N P"], owner: Int[np.ndarray, " N"]
) -> Float[np.ndarray, "P P"]:
    _, place = np.unique(owner, return_inverse=True)
    sums = np.stack([np.bincount(place, column) for column in score.T], 1)
    number = len(sums)
    meat: Float[np.ndarray, "P P"] = sums.T @ sums * number / max(number - 1, 1)
    return meat


def _with_progress(
    evaluate: "ScoreFunction", design: Design, report: Reporter
) -> "ScoreFunction":
    """Report each evaluation over all answers."""
    number = 0
    usual = USUAL_EVALUATIONS + len(design.names)
    note = f"{design.n.sum():,} answers"

    def counted(theta: Float[np.ndarray, " P"]) -> Any:
        nonlocal number
        number += 1
        report(Progress("leading question", min(number, usual), usual, note))
        return evaluate(theta)

    return counted


type ScoreFunction = Callable[
    [Float[np.ndarray, " P"]],
    tuple[float, Float[np.ndarray, "N P"], Float[np.ndarray, "E 2"]],
]


def _score_function(scale: Scale, design: Design) -> ScoreFunction:
    """Return a function that gives likelihood, score of each answer, and `led`."""
    blocks = list(_blocks(design))
    share = 1 / np.bincount(design.side, minlength=design.odds.size)

    def evaluate(
        theta: Float[np.ndarray, " P"],
    ) -> tuple[float, Float[np.ndarray, "N P"], Float[np.ndarray, "E 2"]]:
        shift = (design.without @ theta, design.with_rival @ theta)
        total, led, score = 0.0, [], []
        for risk, answers, twos in blocks:
            without, with_rival = (
                _pad(values[answers], len(risk.answer)) for values in shift
            )
            shifts = Shifts(
                without=without,
                with_rival=with_rival,
                odds=jnp.full(risk.odds.shape, theta[-2]),
                both=jnp.full(len(risk.odds), theta[-1]),
            )
            value, away, rise = slopes(scale, risk, shifts)
            total += float(value)
            number = len(answers)
            slope, led_slope, odds, both = map(np.asarray, rise)
            added = slope[:number, None] * design.without[answers]
            added += led_slope[:number, None] * design.with_rival[answers]
            side = design.side[answers]
            added[:, -2] = (odds.ravel()[side - 2 * twos[0]]) * share[side]
            added[:, -1] = both[side // 2 - twos[0]] * share[side] / 2
            score.append(added)
            led.append(np.asarray(away)[: len(twos)])
        return total, np.concatenate(score), np.concatenate(led)

    return evaluate


def _blocks(
    design: Design,
) -> Iterator[tuple[Risk, Int[np.ndarray, " n"], Int[np.ndarray, " e"]]]:
    """Cut the answers into blocks of whole twos; give also which answers and twos."""
    number = max(-(-len(design.side) // BLOCK), 1)
    twos = np.array_split(np.arange(len(design.item)), number)
    start = np.searchsorted(design.side, 2 * np.arange(len(design.item) + 1))
    answers = [np.arange(start[e[0]], start[e[-1] + 1]) for e in twos]
    size, width = max(map(len, twos)), max(map(len, answers))
    layouts = incidences(
        [design.side[a] - 2 * e[0] for a, e in zip(answers, twos, strict=True)],
        [np.arange(len(a), dtype=np.int32) for a in answers],
        [design.n[a].astype(float) for a in answers],
        (2 * size, width),
    )
    for matrix, a, e in zip(layouts, answers, twos, strict=True):
        risk = Risk(
            of_side=matrix,
            annotator=_pad(design.annotator[a], width),
            group=_pad(design.group[a], width),
            answer=_pad(design.answer[a], width),
            side_group=_pad(design.side_group[e], size),
            odds=_pad(design.odds[e], size),
            weight=_pad(np.ones(len(e)), size),
        )
        yield risk, a, e


def _pad(values: np.ndarray, size: int) -> Array:
    padding = [(0, size - len(values))] + [(0, 0)] * (values.ndim - 1)
    return jnp.asarray(np.pad(values, padding))
