"""Agreement of annotators: the usual coefficients, with two kinds of interval.

`lower` and `upper` are quantiles over resamples of the items (the item bootstrap), all
answers about an item together. `se`, `se_lower` and `se_upper` are of the published
linearised variance over items, with Student's t. What is not defined is NaN, and
`reason` says why; nothing that is undefined is called perfect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.analysis import pairs
from consilience.analysis.chance import lay_out_margins
from consilience.analysis.coefficients import (
    ONE,
    Study,
    coefficient_table,
    estimators,
    label_table,
    resample,
)
from consilience.analysis.pairs import NOBODY_MEETS, nobody_meets, too_many
from consilience.analysis.ratings import (
    Counts,
    Distance,
    Ratings,
    Similarity,
    count_answers,
    lay_out,
    numeric,
    ordinal,
    set_similarity,
)
from consilience.errors import OptionError
from consilience.intervals import check_prob
from consilience.notebook import shown_as
from consilience.responses import Responses
from consilience.responses.id_types import restores_types

_OF_ANSWERS = ("nominal", "ordinal", "interval", "ratio")
type By = Literal["label", "pair"]
USUAL: Mapping[str, Distance] = {
    "choice": "nominal",
    "contains": "ordinal",
    "objects": "masi",
}


@shown_as(
    "coefficients",
    "labels",
    "pairs",
    facts=("kind", "distance", "answers", "items", "annotators", "categories", "prob"),
)
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Agreement:
    """Coefficients of agreement between annotators.

    Attributes
    ----------
    kind, distance : str
        Kind of question, and the distance between two answers.
    answers : int
        Number of votes: answers, where those that share a vote count once.
    items, questions, paired : int
        Numbers of items, of questions about them (the same, except for contains), and
        of questions that at least two annotators answered.
    annotators, anonymous : int
        Number of annotators with an id, and of answers without one.
    categories : int
        K, the number of different answers that could be given (for sets: were given).
    prob, resamples, seed
        Probability of the intervals, number of bootstrap resamples, and their seed.
    coefficients : pandas.DataFrame
        Columns coefficient, value, lower, upper, se, se_lower, se_upper, observed and
        expected agreement, and reason where it is undefined.
    labels : pandas.DataFrame, optional
        On request: label, share of the answers, specific agreement and kappa with
        bounds.
    pairs : pandas.DataFrame, optional
        On request: annotator, other, questions that both answered, percent, kappa
        (Cohen's), se, se_lower, se_upper.
    notes : tuple of str
        Further remarks, one sentence each.

    See Also
    --------
    consilience.agreement : Compute the coefficients.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> agreement = cs.agreement(responses, resamples=0)
    >>> agreement.annotators, agreement.questions, agreement.categories
    (25, 30, 5)
    """

    kind: str
    distance: Distance
    answers: int
    items: int
    questions: int
    paired: int
    annotators: int
    anonymous: int
    categories: int
    prob: float
    resamples: int
    seed: int
    coefficients: pd.DataFrame
    labels: pd.DataFrame | None
    pairs: pd.DataFrame | None
    notes: tuple[str, ...]

    def __getitem__(self, coefficient: str) -> float:
        """Value of one coefficient by its name."""
        table = self.coefficients.set_index("coefficient")["value"]
        return float(table[coefficient])


@restores_types
def agreement(
    responses: Responses,
    *,
    distance: Distance | None = None,
    by: Sequence[By] = (),
    prob: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Compute coefficients of agreement between annotators.

    Parameters
    ----------
    responses : Responses
        Answers of one kind. An annotator's repeated answers to one question share one
        vote; each anonymous answer counts as an annotator of its own.
    distance : str, optional
        nominal, ordinal, interval or ratio; for objects nominal (equal sets), jaccard
        or masi. By default nominal for choice, ordinal (no, maybe, yes) for contains,
        and masi for objects.
    by : sequence of {"label", "pair"}
        Further tables: agreement on each label, or of each pair of annotators.
    prob : float, default 0.9
        Probability of the intervals.
    resamples : int, default 1000
        Number of resamples of the items; 0 for none.
    seed : int, default 0
        Seed of the resamples.

    Returns
    -------
    Agreement
        The coefficients percent, cohen, scott, fleiss, conger, brennan_prediger,
        gwet_ac1 (with a distance gwet_ac2) and krippendorff, and the tables that `by`
        asks for.

    Raises
    ------
    KindError, SourceError
        If there are several kinds of question, or no question was answered.
    OptionError
        If the distance does not suit the answers, or an option is out of range.
    FitError
        If there are too many different answers for the distance.

    See Also
    --------
    describe : Counts of the responses.

    References
    ----------
    Gwet (2014), Handbook of inter-rater reliability, 4th edition. Krippendorff (2019),
    Content analysis, 4th edition, chapter 12. Efron and Tibshirani (1993), chapter 13.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> table = cs.agreement(responses, resamples=0).coefficients
    >>> table[["coefficient", "value"]].round(2).head(4)
      coefficient  value
    0     percent   0.56
    1       cohen   0.31
    2       scott    NaN
    3      fleiss   0.44
    """
    _check(by, prob, resamples)
    ratings = lay_out(responses)
    chosen: Distance = distance or USUAL[responses.kind]
    similarity = _similarity(ratings, responses.kind, chosen)
    counts = count_answers(ratings, similarity)
    why = _reasons(ratings, counts)
    study = Study(
        ratings=ratings,
        counts=counts,
        similarity=similarity,
        margins=None if "conger" in why else lay_out_margins(ratings, similarity),
        meetings=pairs.find_meetings(ratings, similarity)
        if "cohen" not in why or "pair" in by
        else None,
        by_rank=chosen == "ordinal",
        labels="label" in by,
    )
    whole = estimators(study, np.zeros_like(ratings.item))
    kappas = None if whole.kappas is None else whole.kappas(ONE)
    few = kappas is not None and kappas.few
    drawn = resample(study, resamples, seed, few=few)
    table = coefficient_table(study, whole, drawn, why, prob)
    table["coefficient"] = table["coefficient"].replace(
        "gwet", "gwet_ac1" if chosen == "nominal" else "gwet_ac2"
    )
    by_label = by_pair = None
    if whole.labels is not None:
        by_label = label_table(ratings.labels, whole.labels(ONE), drawn, prob)
    if "pair" in by:
        by_pair = pairs.pair_table(study.meetings, kappas, ratings, prob)
    return Agreement(
        kind=responses.kind,
        distance=chosen,
        answers=int(counts.raters.sum()),
        items=int(ratings.item.max()) + 1,
        questions=len(ratings.item),
        paired=int(counts.paired.sum()),
        annotators=len(np.unique(ratings.annotator[ratings.annotator >= 0])),
        anonymous=ratings.anonymous,
        categories=len(ratings.answers),
        prob=prob,
        resamples=resamples,
        seed=seed,
        coefficients=table,
        labels=by_label,
        pairs=by_pair,
        notes=_notes(ratings, counts, few=few),
    )


def _check(by: Sequence[By], prob: float, resamples: int) -> None:
    """Refuse options that are out of range."""
    check_prob(prob)
    msg = ""
    if resamples < 0:
        msg = f"resamples {resamples}: give a number of resamples, 0 for none"
    unknown = sorted(set(by) - {"label", "pair"})
    if unknown:
        msg = f"by {unknown[0]!r}: choose label, pair or both"
    if msg:
        raise OptionError(msg)


def _similarity(ratings: Ratings, kind: str, distance: Distance) -> Similarity:
    """Return how alike the answers are."""
    suited = ("nominal", "jaccard", "masi") if kind == "objects" else _OF_ANSWERS
    if distance not in suited:
        what = "sets of labels" if kind == "objects" else "single answers"
        raise OptionError(
            f"distance {distance!r}: for {what} choose {', '.join(suited)}"
        )
    size = len(ratings.answers)
    match distance:
        case "ordinal":
            return ordinal(size)
        case "interval" | "ratio":
            return numeric(_numbers(ratings, kind, distance), distance)
        case "jaccard" | "masi" if ratings.sets is not None:
            return set_similarity(ratings.sets, distance)
        case _:
            return Similarity(size)


def _numbers(
    ratings: Ratings, kind: str, distance: Distance
) -> Float[np.ndarray, " L"]:
    """Labels as numbers; no, maybe and yes are 0, 1 and 2."""
    if kind == "contains":
        return np.arange(len(ratings.answers), dtype=np.float64)
    numbers = pd.to_numeric(pd.Series(ratings.answers), errors="coerce").to_numpy()
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise OptionError(
            f"distance {distance!r}: label {ratings.answers[int(bad.argmax())]!r} is "
            "no number; choose nominal, or ordinal with the labels in order (`labels=`)"
        )
    return numbers.astype(np.float64)


def _reasons(ratings: Ratings, counts: Counts) -> Mapping[str, str]:
    """Say which coefficients (all: but percent) are undefined, and why."""
    if not counts.paired.any():
        why = "no question was answered by two annotators"
        return {"percent": why, "all": why, "cohen": why, "conger": why}
    undefined = {}
    num = len(np.unique(ratings.annotator[ratings.annotator >= 0]))
    if ratings.anonymous:
        who = f"{ratings.anonymous:,} answers have" if num else "the answers have"
        undefined = dict.fromkeys(
            ("cohen", "conger", "scott"), f"{who} no annotator's id"
        )
    elif num != 2:
        undefined["scott"] = f"is for two annotators, here are {num:,}: see Fleiss"
    if too_many(ratings):
        undefined.setdefault("cohen", "too many pairs of annotators: see Conger")
    elif nobody_meets(ratings):
        undefined.setdefault("cohen", NOBODY_MEETS)
    if ratings.sets is not None:
        why = "needs the list of all possible answers; sets have none"
        undefined |= {"brennan_prediger": why, "gwet": why}
    given = np.unique(ratings.answer)
    if len(given) == 1:
        undefined["all"] = (
            f"everybody answered {ratings.answers[given[0]]!r}: nothing shows that "
            "they can tell answers apart"
        )
    return undefined


def _notes(ratings: Ratings, counts: Counts, *, few: bool) -> tuple[str, ...]:
    """Return further remarks."""
    remarks = []
    if ratings.repeated:
        remarks.append(
            f"{ratings.repeated:,} times an annotator answered a question more than "
            "once; these answers share one vote"
        )
    whole = counts.over_pairs(counts.agreed)
    if counts.paired.any() and np.allclose(whole, counts.paired):
        remarks.append("no two annotators disagree, so there is no interval")
    alone = int((counts.raters < 2).sum())
    if alone:
        remarks.append(
            f"{alone:,} questions have one annotator only: they inform the "
            "frequencies of answers, not the agreement"
        )
    if few:
        remarks.append(
            "most pairs of annotators share fewer than thirty questions, too few for "
            "a kappa of each pair: use Conger's kappa, not the mean of Cohen's"
        )
    if ratings.anonymous:
        remarks.append(
            f"{ratings.anonymous:,} answers without an id count as an annotator each"
        )
    return tuple(remarks)
