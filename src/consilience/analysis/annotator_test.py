r"""Which judge may replace a person: judges held against people, item by item.

A judge and a person are compared through the *other* people: with :math:`S(a, i, j)`
how far answer a to item i agrees with those of all people but j (the share of the same
label; of ordered labels the root mean squared distance, negated), the judge is as good
as person j on an item where :math:`S(\text{judge}) \ge S(j)`. The **advantage** is the
share of such items, the mean over people; the **winning rate** the share of people whom
the judge beats by a one-sided test that grants it `epsilon` for being cheaper
(Benjamini-Yekutieli at .05). A judge passes the alternative annotator test from one
half. `p_at_least` is the probability that the judge agrees with the others at least as
well as a person drawn from the group, items being weighted anew (Bayesian bootstrap).

Agreement, bias and kappa are of pairs of an answer of the judge and one of a person
about the same item. People have rows as well: each is held against the others. The
**effective number of judges** is how many that err independently would know as much as
all: the number squared over the sum of the correlations of their errors.

References
----------
Calderon et al. (2025), The alternative annotator test, section 3. Kish (1965).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.references import (
    NamedLabels,
    gold_of_units,
    questions_of,
    reference_codes,
)
from consilience.analysis.shares import weights as weightings
from consilience.errors import DataError, OptionError
from consilience.intervals import bounds, check_prob
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.stored import label_values, names
from consilience.responses.id_types import Types
from consilience.when_used import special

ALL = "all"
_LEVEL = 0.05
_HALF = 0.5
_NOTHING = "no item has answers of a judge and of a person of the group"


@shown_as("table", title="Judges")
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judges:
    """Judges, and people, held against people.

    Attributes
    ----------
    table : pandas.DataFrame
        Columns annotator, role (judge or person; judges alone where gold labels are the
        reference), the column that `by` names, items
        (that people answered too), agreement, bias, kappa, sensitivity and specificity
        with their bounds (the last two where one label of two is asked about), and of
        judges over all items advantage, winning_rate, passes and p_at_least.
    effective : float
        Effective number of judges; NaN where there is one or none.

    See Also
    --------
    judges : Compute them.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=5, classes=3, per_item=5, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> made = cs.analysis.judges(fit, reference=["annotator0", "annotator1"])
    >>> made.table["role"].tolist()
    ['person', 'person', 'judge', 'judge', 'judge']
    """

    table: pd.DataFrame
    effective: float
    types: Types = field(default_factory=dict, repr=False)


def judges(
    fit: Fit,
    *,
    reference: str | Sequence[str] | pd.DataFrame,
    by: str | pd.DataFrame | None = None,
    label: object = None,
    epsilon: float = 0.2,
    prob: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
) -> Judges:
    """Return how far each judge agrees with people, and which may replace a person.

    Parameters
    ----------
    fit : Fit
        A fit to the answers of judges and of people.
    reference : str, sequence of str or pandas.DataFrame
        The people: a group of annotators, or annotators. Or gold labels (columns item
        and label; of contains, answer as well; inclusion weighs), against which no
        judge can be compared with a person: the test is left out.
    by : str or pandas.DataFrame, optional
        Column of the items (or table of item and group): each value has rows of its
        own, such as the systems, a judge's own among them.
    label : optional
        The label of which sensitivity and specificity are; as in `consilience.rate`.
    epsilon : float, default 0.2
        What the test grants a judge for being cheaper than people: .1 where the people
        are crowd workers, .2 where they are trained, .3 where they are experts.
    prob : float, default 0.9
        Probability of the intervals.
    resamples : int, default 1000
        Weightings of the items.
    seed : int, default 0
        Of the weightings.

    Returns
    -------
    Judges
        The table, and the effective number of judges.

    Raises
    ------
    OptionError
        If there is no such group, annotator, column or label.
    DataError
        If no item has answers of a judge and of a person.

    See Also
    --------
    consilience.rate : Rates that people's answers correct.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=5, classes=3, per_item=5, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> people = ["annotator0", "annotator1", "annotator2"]
    >>> table = cs.analysis.judges(fit, reference=people).table
    >>> table[["annotator", "role", "passes"]].tail(2)
        annotator   role passes
    3  annotator3  judge   True
    4  annotator4  judge  False
    """
    check_prob(prob)
    if not 0 <= epsilon < 1:
        raise OptionError(f"epsilon {epsilon:g}: give a number from 0 to below 1")
    answers = _Answers(fit, reference, label)
    asked = next(iter(questions_of(fit, reference, by, label, None)))
    if not answers.units:
        raise DataError(_NOTHING)
    weights = np.concatenate([*weightings(answers.units, resamples, seed)])
    weights *= answers.weight
    parts = [(ALL, answers.among(asked.unit))]
    if asked.by and asked.by != "label":
        parts += [
            (name, answers.among(asked.unit[asked.group == code]))
            for code, name in enumerate(asked.groups)
        ]
    rows = []
    for name, chosen in parts:
        for who in (*answers.people, *answers.judges):
            row = answers.row(who, chosen, weights, prob)
            if row is not None:
                head = {"annotator": answers.names[who], "role": answers.role(who)}
                rows.append({**head, **({asked.by: name} if asked.by else {}), **row})
                if name == ALL and who in answers.judges:
                    rows[-1] |= answers.test(who, epsilon, weights)
    if not any(row["role"] == "judge" for row in rows):
        raise DataError(_NOTHING)
    return Judges(
        table=pd.DataFrame(rows), effective=answers.effective(), types=fit.types
    )


class _Answers:
    """The mean answer of each annotator to each unit, as shares of labels."""

    def __init__(
        self, fit: Fit, reference: str | Sequence[str] | pd.DataFrame, label: object
    ) -> None:
        data = fit.data
        observed, constant = data["observed_data"], data["constant_data"]
        kind = data.attrs["kind"]
        self.names = names(data, "annotator").astype(str)
        gold = reference if isinstance(reference, pd.DataFrame) else None
        self.people: list[int] = []
        if not isinstance(reference, pd.DataFrame):
            self.people += map(int, reference_codes(fit, reference))
        everyone = np.flatnonzero(constant["annotator_identified"].to_numpy())
        self.judges = [int(j) for j in everyone if j not in self.people]
        who, unit, answer, n = (
            observed[name].to_numpy() for name in ("annotator", "item", "answer", "n")
        )
        labels = len(names(data, "given_class"))
        self.item = np.arange(constant.sizes["item"])  # of each unit
        self.weight = np.ones(constant.sizes["item"])
        if gold is not None:
            place, stated, inclusion = gold_of_units(data, gold)
            self.weight[place[place >= 0]] = 1 / inclusion[place >= 0]
            truth = pd.Index(names(data, "given_class").astype(str)).get_indexer(stated)
        if kind == "objects":  # whether each candidate of an item is named
            named = NamedLabels(data)
            row, unit, answer = named.by_candidate()
            candidate = named.candidate.ravel()
            if gold is not None:
                place, truth = _of_candidates(named, place, stated)
            if label is not None:
                kept = named.labels[candidate[unit]] == str(label)
                row, unit, answer = row[kept], unit[kept], answer[kept]
            who, n, labels = who[row], n[row], 2
            self.item = np.repeat(self.item, named.candidate.shape[1])
            self.weight = self.weight[self.item]
        if gold is not None:  # as the answers of one more annotator
            usable = (place >= 0) & (truth >= 0)
            self.people = [len(self.names)]
            self.names = np.append(self.names.astype(object), "gold")
            who = np.append(who, np.full(usable.sum(), self.people[0]))
            unit, answer = (
                np.append(unit, place[usable]),
                np.append(answer, truth[usable]),
            )
            n = np.append(n, np.ones(usable.sum()))
        judged, rows = _beside_people((who, unit, answer, n), self.people)
        who, unit, answer, n = rows
        self.item, self.weight, self.units = (
            *(each[judged] for each in (self.item, self.weight)),
            len(judged),
        )
        shape = (len(self.names), self.units, labels)
        cell = np.ravel_multi_index((who, unit, answer), shape)
        counts = np.bincount(cell, n, int(np.prod(shape))).reshape(shape)
        self.there = counts.sum(2) > 0
        self.share = counts / np.maximum(counts.sum(2, keepdims=True), 1)
        self.ordered = bool(data.attrs.get("ordered")) or kind == "contains"
        self.value: Float[np.ndarray, " L"] = (
            np.linspace(0, 1, labels)
            if kind != "choice"
            else label_values(names(data, "given_class"))
        )
        self.binary = labels == 2 or kind == "contains"
        apart = self.value[:, None] - self.value
        self.worth = -(apart**2) if self.ordered else np.eye(labels)

    def among(self, items: Int[np.ndarray, " I"]) -> Float[np.ndarray, " U"]:
        """Return which units are of some items, as weights."""
        return np.isin(self.item, items).astype(float)

    def role(self, who: int) -> str:
        """Say what an annotator is."""
        return "person" if who in self.people else "judge"

    def others(
        self, who: int
    ) -> tuple[Float[np.ndarray, "U L"], Int[np.ndarray, " U"]]:
        """Return what people but one say of each unit, and how many they are."""
        people = [person for person in self.people if person != who]
        number = self.there[people].sum(0)
        total = (self.share[people] * self.there[people][:, :, None]).sum(0)
        return total / np.maximum(number, 1)[:, None], number

    def row(
        self,
        who: int,
        chosen: Float[np.ndarray, " U"],
        weights: Float[np.ndarray, "S U"],
        prob: float,
    ) -> dict[str, Any] | None:
        """Return what an annotator's answers are beside those of people."""
        others, number = self.others(who)
        both = self.there[who] & (number > 0) & (chosen > 0)
        if not both.any():
            return None
        mine, theirs = self.share[who][both], others[both]
        weight = np.concatenate([self.weight[None, both], weights[:, both]])
        weight /= weight.sum(1, keepdims=True)
        same = (mine * theirs).sum(1)
        measures = {"agreement": weight @ same}
        if self.ordered or self.binary:
            measures["bias"] = weight @ ((mine - theirs) @ self.value)
        worth = self.worth - self.worth.min()
        worth = worth / worth.max()
        agreed = weight @ np.einsum("ul,lm,um->u", mine, worth, theirs)
        chance = np.einsum("sl,lm,sm->s", weight @ mine, worth, weight @ theirs)
        with np.errstate(invalid="ignore", divide="ignore"):
            measures["kappa"] = (agreed - chance) / (1 - chance)
            if self.binary and not (self.ordered and len(self.value) > 3):
                yes, says = theirs[:, -1], mine[:, -1]
                measures["sensitivity"] = (weight @ (yes * says)) / (weight @ yes)
                no = theirs[:, 0]
                measures["specificity"] = (weight @ (no * mine[:, 0])) / (weight @ no)
        row: dict[str, Any] = {"items": int(both.sum())}
        for name, values in measures.items():
            drawn = values[1:][np.isfinite(values[1:])]
            low, high = bounds(drawn, prob) if len(drawn) else (np.nan, np.nan)
            row |= {name: float(values[0])}
            row |= {f"{name}_lower": float(low), f"{name}_upper": float(high)}
        return row

    def scores(
        self, who: int, person: int
    ) -> tuple[Float[np.ndarray, " V"], Float[np.ndarray, " V"], np.ndarray]:
        """Return how a judge and a person agree with the other people, by unit."""
        others, number = self.others(person)
        both = self.there[who] & self.there[person] & (number > 0)
        judge, human = (
            np.einsum("ul,lm,um->u", self.share[j][both], self.worth, others[both])
            for j in (who, person)
        )
        return judge, human, both

    def test(
        self, who: int, epsilon: float, weights: Float[np.ndarray, "S U"]
    ) -> dict[str, object]:
        """Return the alternative annotator test of a judge."""
        advantages, chances, at_least = [], [], []
        for person in self.people:
            judge, human, both = self.scores(who, person)
            if len(judge) < 2:
                continue
            wins, losses = judge >= human - 1e-9, human >= judge - 1e-9
            apart = losses.astype(float) - wins - epsilon
            error = apart.std(ddof=1) / np.sqrt(len(apart))
            reach = (
                apart.mean() / error if error > 0 else np.sign(apart.mean()) * np.inf
            )
            chances.append(float(special.stdtr(len(apart) - 1, reach)))
            advantages.append(wins.mean())
            weight = weights[:, both]
            at_least.append((weight @ (judge - human) >= -1e-9).mean())
        if not chances:
            return {}
        beaten = _rejected(np.array(chances))
        return {
            "advantage": float(np.mean(advantages)),
            "winning_rate": float(beaten.mean()),
            "passes": bool(beaten.mean() >= _HALF),
            "p_at_least": float(np.mean(at_least)),
        }

    def effective(self) -> float:
        """Return how many judges that err independently know as much as all."""
        others, number = self.others(-1)
        expected = others @ self.value
        errors = [
            np.where(
                self.there[j] & (number > 0),
                self.share[j] @ self.value - expected,
                np.nan,
            )
            for j in self.judges
        ]
        table = pd.DataFrame(np.array(errors).T).dropna(axis=1, how="all")
        if not self.ordered:  # whether they are wrong, where labels have no order
            wrong = [
                np.where(
                    self.there[j] & (number > 0),
                    1 - (self.share[j] * others).sum(1),
                    np.nan,
                )
                for j in self.judges
            ]
            table = pd.DataFrame(np.array(wrong).T).dropna(axis=1, how="all")
        alike = table.corr(min_periods=10).fillna(0.0).to_numpy(copy=True)
        if len(alike) < 2:
            return np.nan
        np.fill_diagonal(alike, 1.0)
        return float(len(alike) ** 2 / max(alike.sum(), 1.0))


def _beside_people(
    rows: tuple[np.ndarray, ...], people: Sequence[int]
) -> tuple[Int[np.ndarray, " U"], tuple[np.ndarray, ...]]:
    """Return the units that people judged, and answers to them; judges' may be more."""
    who, unit, *_ = rows
    judged = np.unique(unit[np.isin(who, people)])
    kept = np.isin(unit, judged)
    who, unit, *rest = (each[kept] for each in rows)
    return judged, (who, np.searchsorted(judged, unit), *rest)


def _of_candidates(
    named: NamedLabels, place: Int[np.ndarray, " G"], stated: pd.Series
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, " V"]]:
    """Return the candidates of items with gold labels, and which of them are gold."""
    true = set(zip(place.tolist(), stated, strict=True))
    slots = named.candidate.shape[1]
    items = np.unique(place[place >= 0])
    unit = (items[:, None] * slots + np.arange(slots)).ravel()
    code = named.candidate.ravel()[unit]
    unit, code = unit[code >= 0], code[code >= 0]
    pairs = zip((unit // slots).tolist(), named.labels[code], strict=True)
    return unit, np.array([pair in true for pair in pairs], int)


def _rejected(chance: Float[np.ndarray, " P"]) -> np.ndarray:
    """Return which hypotheses are rejected, by Benjamini and Yekutieli."""
    number = len(chance)
    order = np.argsort(chance)
    rank = np.arange(1, number + 1)
    limit = rank / number * _LEVEL / (1 / rank).sum()
    below = np.flatnonzero(chance[order] <= limit)
    rejected = np.zeros(number, bool)
    if len(below):
        rejected[order[: below[-1] + 1]] = True
    return rejected
