r"""Rates that are right whatever the model says: judges predict, people correct.

See `prediction_powered` for the estimate and its intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.analysis.prediction_powered import SHARED, Estimated, estimated
from consilience.analysis.references import Questions, questions_of
from consilience.errors import DataError, OptionError
from consilience.intervals import check_prob
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.responses.id_types import Types
from consilience.when_used import special

ALL = "all"
PEOPLE, CORRECTED, RANGE = "people", "corrected", "range of judges"
_FEWEST = 2  # items judged by people


@shown_as("table", "differences", title="Rates")
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rates:
    """Rates of groups of items, with intervals that people's answers give.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for all items and one for each group: the column that `by` names, label
        (where shares of several labels are estimated), items, judged (by people),
        estimate, lower, upper, mean_answer (mean of the judges' answers), model (what
        the posterior alone says) and method: `corrected` by people, `people` alone
        where no judge answers, or `range of judges`, which is no interval.
    differences : pandas.DataFrame
        Of each pair of groups difference, lower, upper and p_greater, the probability
        that the first is the greater.
    remarks : tuple of str
        Where the model alone disagrees, and what is missing.

    See Also
    --------
    rate : Compute them.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=6, classes=2, per_item=3, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> rates = cs.rate(fit, reference="annotator0")
    >>> rates.table.columns.tolist()[:4]
    ['label', 'items', 'judged', 'estimate']
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    remarks: tuple[str, ...] = ()
    types: Types = field(default_factory=dict, repr=False)
    deviations: tuple[float, ...] = field(default=(), repr=False)
    unjudged: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    prob: float = 0.9

    def needed(self, width: float) -> pd.DataFrame:
        """Return how many items of each group people have to judge.

        They are drawn at random within each group; those judged already count.

        Parameters
        ----------
        width : float
            Width of the intervals that is wanted, in units of the estimate.

        Returns
        -------
        pandas.DataFrame
            The groups with items, judged, needed (in all) and more (besides).

        Raises
        ------
        OptionError
            If the width is not above zero, people judged nothing yet, or several
            labels were asked about.
        """
        if not width > 0:
            raise OptionError(f"width {width:g}: give a number above zero")
        if not self.deviations:
            raise OptionError(
                "needed: this is of one question that people have judged some items "
                "of; name one label (`label=`), and let people judge thirty items or so"
            )
        some = self.table.iloc[-len(self.deviations) :].reset_index(drop=True)
        far = float(special.ndtri((1 + self.prob) / 2))
        square, items = np.array(self.deviations) ** 2, some["items"].to_numpy()
        number = items * square / (items * (width / (2 * far)) ** 2 + square)
        needed = np.clip(np.ceil(number).astype(int), np.minimum(2, items), items)
        names = list(map(str, some.columns))
        groups = names[: names.index("judged") + 1]
        more = np.maximum(needed - some["judged"], 0)
        return some[groups].assign(needed=needed, more=more)

    def to_judge(self, width: float, seed: int = 0) -> pd.DataFrame:
        """Draw the items that people have to judge next, at random in each group.

        What people judged so far and these are together a random sample of each group,
        if the former are; so no item needs a weight.

        Parameters
        ----------
        width : float
            Width of the intervals that is wanted, as in `needed`.
        seed : int, default 0
            Seed of the draw.

        Returns
        -------
        pandas.DataFrame
            The items with the column of their group, in the order of the draw; of kind
            contains, with the label that is asked about.

        Raises
        ------
        OptionError
            As `needed`.
        """
        more = self.needed(width)["more"].to_numpy()
        drawn = self.unjudged.sample(frac=1, random_state=seed)
        place = drawn.groupby("code").cumcount()
        chosen = drawn[place < more[drawn["code"]]]
        return chosen.drop(columns="code").reset_index(drop=True)


def rate(
    fit: Fit,
    *,
    reference: str | Sequence[str] | pd.DataFrame | None = None,
    by: str | pd.DataFrame | None = None,
    label: object = None,
    cluster: str | pd.DataFrame | None = None,
    population: bool = False,
    prob: float = 0.9,
) -> Rates:
    """Return the rate of each group of items: judges' answers, corrected by people's.

    Parameters
    ----------
    fit : Fit
        A fit to the answers of judges and of people.
    reference : str, sequence of str or pandas.DataFrame, optional
        Who is right on average: a group of annotators, one or several annotators, or a
        table of gold labels (item, label) that the fit was not given, with a column
        inclusion where items were drawn with known probabilities, as
        `consilience.analysis.gold_design` draws them. None: nobody is, and the range
        of the judges is stated in place of intervals.
    by : str or pandas.DataFrame, optional
        Column of the items, such as the system that an item is from, or a table of
        item and group.
    label : optional
        The label whose share is estimated. By default the mean of ordered labels, the
        share of the better of two (pass, yes, true, correct, 1), else of each label.
        Of objects, the share of annotators who name the label, whatever else they do.
    cluster : str or pandas.DataFrame, optional
        Column of the items (or table of item and group) whose values have residuals in
        common, such as the prompt that several systems answered. Of kind contains, the
        item by default.
    population : bool, default False
        Take the items for a sample of more of their kind: intervals are wider.
    prob : float, default 0.9
        Probability of the intervals.

    Returns
    -------
    Rates
        Tables `table` and `differences`, and `remarks`.

    Raises
    ------
    OptionError
        If there is no such group, annotator, column or label.
    DataError
        If people judged fewer than two items, or the reference has nothing in common
        with the fit.

    See Also
    --------
    consilience.analysis.judges : Which judge may replace a person.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=6, classes=2, per_item=3, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> rates = cs.rate(fit, reference="annotator0", label="class1")
    >>> rates.table[["items", "judged", "method"]]
       items  judged     method
    0     90      45  corrected
    """
    check_prob(prob)
    parts: list[Rates] = []
    unjudged = pd.DataFrame()
    for asked in questions_of(fit, reference, by, label, cluster):
        if not parts:  # of one question: units are the same for all
            unjudged = _unjudged(fit, asked)
        parts.append(_of_question(asked, prob, population=population))
    table = pd.concat([part.table for part in parts], ignore_index=True)
    differences = pd.concat([part.differences for part in parts], ignore_index=True)
    remarks = tuple(dict.fromkeys(text for part in parts for text in part.remarks))
    return Rates(
        table=table,
        differences=differences,
        remarks=remarks,
        types=fit.types,
        deviations=parts[0].deviations if len(parts) == 1 else (),
        unjudged=unjudged,
        prob=prob,
    )


def _of_question(asked: Questions, prob: float, *, population: bool) -> Rates:
    if asked.truth is None:
        return _of_judges_alone(asked)
    judged = np.isfinite(asked.truth)
    if judged.sum() < _FEWEST:
        raise DataError(
            f"people judged {judged.sum()} of {len(judged):,} items; a rate needs two "
            "or more, and some thirty for an interval of use"
        )
    some = estimated(asked, judged, population=population)
    table = _rows(asked, some, prob)
    apart = _differences(asked, some, prob)
    return Rates(
        table=table,
        differences=apart,
        remarks=_remarks(table),
        deviations=tuple(map(float, some.deviation)),
    )


def _unjudged(fit: Fit, asked: Questions) -> pd.DataFrame:
    """Return the units that people did not judge, with the code of their group."""
    left = np.ones(len(asked.unit), bool)
    if asked.truth is not None:
        left = ~np.isfinite(asked.truth)
    constant, table = fit.data["constant_data"], pd.DataFrame()
    for column, coordinate in (("item", "unit_item"), ("label", "unit_label")):
        if coordinate in constant.variables:
            table[column] = constant[coordinate].to_numpy()[asked.unit][left]
    code = asked.group[left]
    if asked.by and asked.by != "label":
        table.insert(0, asked.by, np.array(asked.groups, object)[code])
    return table.assign(code=code)


def _members(asked: Questions) -> list[tuple[str, Bool[np.ndarray, " I"]]]:
    """Return which items are in each row: all, then those of each group."""
    every = [(ALL, np.ones(len(asked.group), bool))]
    groups = enumerate(asked.groups if asked.by else ())
    return every + [(name, asked.group == code) for code, name in groups]


def _row(
    asked: Questions,
    group: str,
    chosen: Bool[np.ndarray, " I"],
    stated: Sequence[float],
    method: str,
) -> dict[str, object]:
    """Return a row of the table, of which estimate, lower and upper are stated."""
    head = {asked.by: group} if asked.by else {}
    truth = asked.truth if asked.truth is not None else np.full(len(chosen), np.nan)
    estimate, lower, upper = np.clip(stated, *asked.bounds)
    return {
        **head,
        **({"label": asked.label} if asked.label else {}),
        "items": int(chosen.sum()),
        "judged": int(np.isfinite(truth[chosen]).sum()),
        "estimate": estimate,
        "lower": lower,
        "upper": upper,
        "mean_answer": _mean(asked.answered[chosen]),
        "model": asked.model[chosen].mean(),
        "method": method,
    }


def _rows(asked: Questions, some: Estimated, prob: float) -> pd.DataFrame:
    """Return the table: all items, then each group."""
    groups = len(asked.groups)
    there = some.judged > 0
    if there.sum() >= SHARED:  # groups that nobody judged learn from the others
        there = np.ones(groups, bool)
    weights = [np.where(there, some.items, 0) / some.items[there].sum()]
    weights += [*np.eye(groups)] if asked.by else []
    method = CORRECTED if asked.predictions.shape[1] else PEOPLE
    members = zip(weights, _members(asked), strict=True)
    return pd.DataFrame(
        _row(asked, *which, some.sum_of(np.asarray(weight, float), prob)[:3], method)
        for weight, which in members
    )


def _mean(values: Float[np.ndarray, " I"]) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if len(seen) else np.nan


def _differences(asked: Questions, some: Estimated, prob: float) -> pd.DataFrame:
    """Return the difference of each two groups."""
    rows = []
    for one, other in combinations(range(len(asked.groups) if asked.by else 0), 2):
        weight = np.zeros(len(asked.groups))
        weight[[one, other]] = 1.0, -1.0
        pair = asked.groups[one], asked.groups[other]
        label = [asked.label] if asked.label else []
        rows.append((*pair, *label, *some.sum_of(weight, prob)))
    return _of_pairs(asked, rows)


def _of_pairs(asked: Questions, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    by = asked.by or "group"
    label = ["label"] if asked.label else []
    stated = ["difference", "lower", "upper", "p_greater"]
    return pd.DataFrame(rows, columns=[by, f"other_{by}", *label, *stated])


def _remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """Say where the model alone disagrees, and which groups nobody judged."""
    remarks = []
    outside = ~table["model"].between(table["lower"], table["upper"])
    outside &= table["lower"].notna()
    if outside.any():
        remarks.append(
            f"the model alone is outside {int(outside.sum())} of {len(table)} "
            "intervals: judges err in ways that it takes for the truth; believe the "
            "intervals"
        )
    nobody = table["judged"] == 0
    if nobody.any():
        remarks.append(
            f"people judged no item of {int(nobody.sum())} groups; the row of all "
            "leaves out those that have no estimate; let people judge some of each"
        )
    return tuple(remarks)


def _of_judges_alone(asked: Questions) -> Rates:
    """Return the range of the judges: without people no interval is one."""
    rows = []
    for group, chosen in _members(asked):
        model = asked.model[chosen].mean()
        each = [_mean(column[chosen]) for column in asked.of_each.T]
        each = [*filter(np.isfinite, each), model]
        rows.append(_row(asked, group, chosen, (model, min(each), max(each)), RANGE))
    remark = (
        "nobody is taken to be right on average, so the bounds are the range of the "
        "judges and no interval; name people or gold labels (`reference=`)"
    )
    table, apart = pd.DataFrame(rows), _of_pairs(asked, ())
    return Rates(table=table, differences=apart, remarks=(remark,))
