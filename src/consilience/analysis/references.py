"""What judges and a reference say of items, laid out for rates and for judges.

The reference is who is right on average: people of a group, some annotators, or gold
labels. A unit is an item, or of kind contains a pair of item and label. An answer is a
number: a rating, or whether the label is the one in question (*maybe* counts half), or,
of kind objects, is among those that it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import DataError, KindError, OptionError, not_among
from consilience.posterior import Fit
from consilience.posterior.flags import Answers
from consilience.posterior.spaces import item_column
from consilience.posterior.stored import label_values, names
from consilience.posterior.truth import candidates
from consilience.responses.id_types import text_of
from consilience.responses.side_columns import paired
from consilience.when_used import special, xr

_BETTER = ("pass", "passed", "yes", "true", "correct", "c", "good", "1", "1.0")
_LEAST = 1e-12
_MAYBE = 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Questions:
    """One question about all units: what people say, what judges do, and the groups."""

    label: str
    by: str | None
    groups: tuple[str, ...]
    unit: Int[np.ndarray, " I"]  # of the fit
    group: Int[np.ndarray, " I"]
    cluster: Int[np.ndarray, " I"] | None
    truth: Float[np.ndarray, " I"] | None  # of the reference; NaN: it says nothing
    weight: Float[np.ndarray, " I"]  # of its units: one over how probable they were
    noise: Float[np.ndarray, " I"]  # variance of people's own error; inf: not known
    predictions: Float[np.ndarray, "I P"]
    answered: Float[np.ndarray, " I"]  # mean of judges' answers; NaN: none
    of_each: Float[np.ndarray, "I J"]  # of each judge
    model: Float[np.ndarray, " I"]
    bounds: tuple[float, float]


class Measure(NamedTuple):
    """What one question makes of answers: numbers, and what is expected of units."""

    label: str
    value: Float[np.ndarray, " N"]  # of each answer
    model: Float[np.ndarray, " U"]  # by the posterior
    predicted: Float[np.ndarray, " U"] | None  # by judges alone
    gold: Mapping[str, float]  # of a label that gold states; others are 0
    bounds: tuple[float, float]


class NamedLabels:
    """Which labels each answer of a fit of objects names."""

    def __init__(self, data: xr.DataTree) -> None:
        evidence, objects = data["evidence"], data["objects"]
        self.labels = evidence["label"].to_numpy().astype(str)
        self.candidate = evidence["answers_candidate"].to_numpy()
        self.mask = evidence["answers_mask"].to_numpy().astype(np.int64)
        self.unit = data["observed_data"]["item"].to_numpy()
        self.listed = objects["candidate_label"].to_numpy()
        share = objects["share"].to_numpy()
        self.share = np.trapezoid(objects["beyond"].to_numpy(), share, axis=-1)

    def naming(self, code: int) -> Float[np.ndarray, " N"]:
        """Return whether each answer names a label."""
        at = self.candidate == code
        place = at.argmax(1)[self.unit]
        return ((self.mask >> place) & 1 & at.any(1)[self.unit]).astype(float)

    def by_candidate(
        self,
    ) -> tuple[Int[np.ndarray, " A"], Int[np.ndarray, " A"], Int[np.ndarray, " A"]]:
        """Return whether each answer names each candidate, as rows.

        They are the code of the answer, the place of the candidate, its item's
        candidates after those of the items before, and whether it is named.
        """
        answer, slot = np.nonzero((self.candidate >= 0)[self.unit])
        place = self.unit[answer] * self.candidate.shape[1] + slot
        return answer, place, (self.mask[answer] >> slot) & 1

    def expected(self, code: int) -> Float[np.ndarray, " U"]:
        """Return which share of annotators names a label of each item."""
        return np.where(self.listed == code, self.share, 0.0).sum(1)


def reference_codes(fit: Fit, reference: str | Sequence[str]) -> Int[np.ndarray, " R"]:
    """Return the annotators who are the reference: those of a group, or named ones."""
    constant, wanted = fit.data["constant_data"], reference
    people = [*map(str, names(fit.data, "annotator"))]
    if isinstance(wanted, str):
        groups: list[str] = []
        if "annotator_group" in constant.coords:
            groups = [*map(str, constant["annotator_group"].to_numpy())]
        if wanted in groups:
            code = constant["group_of_annotator"].to_numpy()
            return np.flatnonzero(code == groups.index(wanted))
        wanted = [wanted]
        if wanted[0] not in people:
            listed = not_among("group or annotator", wanted[0], [*groups, *people[:20]])
            raise OptionError(
                f"reference: {listed}; groups are named by a table of annotators "
                "(`annotators=` of `consilience.fit`)"
            )
    codes = pd.Index(people).get_indexer(pd.Index([str(name) for name in wanted]))
    if (codes < 0).any():
        missing = [*wanted][int((codes < 0).argmax())]
        raise OptionError(f"reference: {not_among('annotator', missing, people[:20])}")
    return codes


def questions_of(
    fit: Fit,
    reference: str | Sequence[str] | pd.DataFrame | None,
    by: str | pd.DataFrame | None,
    label: object,
    cluster: str | pd.DataFrame | None,
) -> Iterator[Questions]:
    """Give the questions that are asked of a fit."""
    data = fit.data
    if "observed_data" not in data.children or (
        data.attrs["kind"] == "objects" and "beyond" not in data["objects"]
    ):
        raise KindError(
            "rates are of fits that keep their answers, of objects by the model "
            "`objects`; fit the answers of one folder, not of shards"
        )
    constant = data["constant_data"]
    contains = data.attrs["kind"] == "contains"
    units = constant.sizes["item"]
    labels = constant["unit_label" if contains else "unit_item"].to_numpy().astype(str)
    chosen = np.ones(units, bool)
    if contains and label is not None:
        chosen = labels == str(label)
        if not chosen.any():
            raise OptionError(not_among("label", label, [*dict.fromkeys(labels)]))
    codes: Any = np.zeros(units, int)
    groups: tuple[str, ...] = ("",)
    named_by = by if isinstance(by, str) else None
    if by is not None:
        codes, groups, named_by = _column(fit, by, "by")
    elif contains and label is None:
        codes, values = pd.factorize(labels)
        groups, named_by = tuple(values), "label"
    chosen &= codes >= 0
    of_cluster = None
    if cluster is not None:
        of_cluster = _column(fit, cluster, "cluster")[0]
    elif contains:
        of_cluster = pd.factorize(constant["unit_item"].to_numpy())[0]
    answers = _Responses(fit, reference)
    for measure in _measures(data, label, answers.belief):
        yield answers.question(
            measure,
            by=named_by,
            groups=groups,
            codes=codes,
            cluster=of_cluster,
            chosen=chosen,
        )


def _measures(
    data: xr.DataTree, label: object, belief: Float[np.ndarray, "U K"] | None
) -> Iterator[Measure]:
    """Give what each question makes of the answers."""
    if data.attrs["kind"] == "objects":
        yield from _of_objects(data, label)
        return
    given = names(data, "given_class").astype(str)
    answer = data["observed_data"]["answer"].to_numpy()
    listed = candidates(data)
    for name, of_given, of_true in _values(data, label):
        states = np.where(listed.state >= 0, of_true[listed.state], 0.0)
        yield Measure(
            label=name,
            value=of_given[answer],
            model=(np.nan_to_num(listed.probability) * states).sum(1),
            predicted=None if belief is None else belief @ of_true,
            gold=dict(zip(given, of_given, strict=True)),
            bounds=(float(of_given.min()), float(of_given.max())),
        )


def _of_objects(data: xr.DataTree, label: object) -> Iterator[Measure]:
    """Give, for each label, whether answers name it: one of an object that they see."""
    named = NamedLabels(data)
    every = [*named.labels]
    if label is not None and str(label) not in every:
        raise OptionError(not_among("label", label, every))
    for name in every if label is None else [str(label)]:
        code = every.index(name)
        yield Measure(
            label=name,
            value=named.naming(code),
            model=named.expected(code),
            predicted=None,
            gold={name: 1.0},
            bounds=(0.0, 1.0),
        )


def _values(
    data: xr.DataTree, label: object
) -> Iterator[tuple[str, Float[np.ndarray, " L"], Float[np.ndarray, " K"]]]:
    """Give each question's name, and the values of answers and of the truth."""
    given, true = names(data, "given_class"), names(data, "true_class")
    if data.attrs["kind"] == "contains":
        worth = {"no": 0.0, "maybe": _MAYBE, "yes": 1.0}
        words = pd.Series(given.astype(str)).map(worth)
        present = data["constant_data"]["present"].to_numpy().astype(float)
        yield ("" if label is None else str(label)), words.to_numpy(), present
        return
    if data.attrs.get("ordered") and label is None:
        number = label_values(given)
        yield "", number, number
        return
    every = [*map(str, true)]
    wanted = every if label is None else [str(label)]
    if wanted[0] not in every:
        raise OptionError(not_among("label", label, every))
    if label is None and len(every) == 2:
        better = [name for name in every if name.strip().lower() in _BETTER]
        wanted = (better or every[-1:])[:1]
    for name in wanted:
        yield name, (given.astype(str) == name) * 1.0, (true.astype(str) == name) * 1.0


class _Responses:
    """What judges and the reference of a fit say, read once for all questions."""

    def __init__(
        self, fit: Fit, reference: str | Sequence[str] | pd.DataFrame | None
    ) -> None:
        data = fit.data
        observed = data["observed_data"]
        self.fit, self.data = fit, data
        self.unit, self.who, self.n = (
            observed[name].to_numpy() for name in ("item", "annotator", "n")
        )
        self.units = data["constant_data"].sizes["item"]
        people = len(names(data, "annotator"))
        self.gold = reference if isinstance(reference, pd.DataFrame) else None
        self.reference = np.zeros(people, bool)
        self.asked = reference is not None
        if reference is not None and not isinstance(reference, pd.DataFrame):
            self.reference[reference_codes(fit, reference)] = True
        self.by_people = self.reference[self.who]
        self.belief = self._belief()

    def _belief(self) -> Float[np.ndarray, "U K"] | None:
        """Return what judges alone let one believe, by their confusion in the fit."""
        if self.data.attrs["kind"] == "objects":
            return None
        answers = Answers.of(self.data)
        if answers is None:
            return None
        usual = np.log(np.maximum(answers.belief.mean(0), _LEAST))
        belief = np.tile(usual, (self.units, 1))
        rows = np.log(np.maximum(answers.rows, _LEAST))
        judges = ~self.reference[answers.annotator]
        unit, who = answers.unit[judges], answers.annotator[judges]
        stated = rows[who, :, answers.answer[judges]] * answers.power[unit, None]
        np.add.at(belief, unit, stated)
        return special.softmax(belief, 1)

    def question(
        self,
        asked: Measure,
        *,
        by: str | None,
        groups: tuple[str, ...],
        codes: Int[np.ndarray, " U"],
        cluster: Int[np.ndarray, " U"] | None,
        chosen: Bool[np.ndarray, " U"],
    ) -> Questions:
        """Return a question about the units that are chosen."""
        value = asked.value
        judges = np.flatnonzero(~self.reference)
        of_each = self._means(value, judges)
        centred = of_each - np.nanmean(of_each, 0) if of_each.size else of_each
        seen = np.isfinite(centred).sum(1)
        usual = np.nansum(centred, 1) / np.maximum(seen, 1)
        columns = [usual] if (seen > 0).any() else []
        if asked.predicted is not None and (seen > 0).any():
            columns.append(asked.predicted)
        truth, weight = self._truth(asked)
        stacked = np.stack(columns, 1) if columns else np.zeros((self.units, 0))
        return Questions(
            label=asked.label,
            by=by,
            groups=groups,
            unit=np.flatnonzero(chosen),
            group=codes[chosen],
            cluster=None if cluster is None else cluster[chosen],
            truth=None if truth is None else truth[chosen],
            weight=weight[chosen],
            noise=self._noise(value)[chosen],
            predictions=stacked[chosen],
            answered=self._mean(value, ~self.by_people)[chosen],
            of_each=of_each[chosen],
            model=asked.model[chosen],
            bounds=asked.bounds,
        )

    def _mean(
        self, value: Float[np.ndarray, " N"], some: Bool[np.ndarray, " N"]
    ) -> Float[np.ndarray, " U"]:
        unit, n = self.unit[some], self.n[some]
        whole = np.bincount(unit, n, self.units)
        total = np.bincount(unit, n * value[some], self.units)
        return np.divide(total, whole, np.full(self.units, np.nan), where=whole > 0)

    def _means(
        self, value: Float[np.ndarray, " N"], judges: Int[np.ndarray, " J"]
    ) -> Float[np.ndarray, "U J"]:
        """Return the mean answer of each judge to each unit."""
        place = np.full(len(self.reference), -1)
        place[judges] = np.arange(len(judges))
        some = place[self.who] >= 0
        cell = self.unit[some] * len(judges) + place[self.who[some]]
        size = self.units * len(judges)
        whole = np.bincount(cell, self.n[some], size)
        total = np.bincount(cell, self.n[some] * value[some], size)
        mean = np.divide(total, whole, np.full(size, np.nan), where=whole > 0)
        return mean.reshape(self.units, len(judges))

    def _noise(self, value: Float[np.ndarray, " N"]) -> Float[np.ndarray, " U"]:
        """Return the variance of the mean of people's answers about what all say."""
        if self.gold is not None:
            return np.zeros(self.units)
        some = self.by_people
        number = np.bincount(self.unit[some], self.n[some], self.units)
        repeated = np.maximum(number - 1, 0).sum()
        if not repeated:  # each item has one answer: nothing tells it apart
            return np.full(self.units, np.inf)
        apart = value[some] - self._mean(value, some)[self.unit[some]]
        return (self.n[some] @ apart**2) / repeated / np.maximum(number, 1)

    def _truth(
        self, asked: Measure
    ) -> tuple[Float[np.ndarray, " U"] | None, Float[np.ndarray, " U"]]:
        """Return what the reference says, and how its units weigh."""
        weight = np.ones(self.units)
        if not self.asked:
            return None, weight
        if self.gold is None:
            return self._mean(asked.value, self.by_people), weight
        place, stated, inclusion = gold_of_units(self.data, self.gold)
        worth = stated.map(asked.gold)
        if self.data.attrs["kind"] == "objects":  # a row for each label of an item
            worth = worth.fillna(0.0).groupby(place).transform("max")
        used = (place >= 0) & worth.notna().to_numpy()
        if not used.any():
            raise DataError("reference: no gold label is of an item of the fit")
        truth = np.full(self.units, np.nan)
        truth[place[used]] = worth[used]
        weight[place[used]] = 1 / inclusion[used]
        return truth, weight


def gold_of_units(
    data: xr.DataTree, gold: pd.DataFrame
) -> tuple[Int[np.ndarray, " G"], pd.Series, Float[np.ndarray, " G"]]:
    """Return of each gold label its unit (-1: none), what it states, its inclusion."""
    constant, contains = data["constant_data"], data.attrs["kind"] == "contains"
    needed = {"item", "label", *(["answer"] if contains else [])} - {*gold.columns}
    if needed:
        raise DataError(
            f"reference: the table of gold labels has no column {min(needed)}; it "
            f"has {', '.join(map(str, gold.columns))}"
        )
    keys = pd.Series(constant["unit_item"].to_numpy().astype(str))
    mine = pd.Series(text_of(gold["item"]))
    if contains:
        keys += "\0" + pd.Series(constant["unit_label"].to_numpy().astype(str))
        mine += "\0" + pd.Series(text_of(gold["label"]))
    place = pd.Index(keys).get_indexer(pd.Index(mine))
    inclusion = np.ones(len(gold))
    if "inclusion" in gold:
        inclusion = pd.to_numeric(gold["inclusion"]).to_numpy(float)
        if not ((inclusion > 0) & (inclusion <= 1))[place >= 0].all():
            raise DataError("reference: an inclusion is not above 0 and at most 1")
    return place, pd.Series(text_of(gold["answer" if contains else "label"])), inclusion


def _column(
    fit: Fit, given: str | pd.DataFrame, what: str
) -> tuple[Int[np.ndarray, " U"], tuple[str, ...], str]:
    """Return a column of the items by units, its values, and its name."""
    if isinstance(given, str):
        codes, values = item_column(fit.data, given)
        used = np.unique(codes[codes >= 0])
        order = np.full(len(values) + 1, -1)
        order[used] = np.arange(len(used))
        return order[codes], tuple(map(str, values[used])), given
    items = fit.data["constant_data"]["unit_item"].to_numpy().astype(str)
    table = paired(given, what, {"item": items}, roles=("item", "group"))
    name = next((str(c) for c in given.columns if str(c) != "item"), "group")
    of_row, named = pd.factorize(np.asarray(text_of(table["group"]), object))
    first = pd.Series(of_row, text_of(table["item"])).groupby(level=0).first()
    of_unit = first.reindex(items).fillna(-1).to_numpy(int)
    if (of_unit < 0).all():
        raise DataError(
            f"{what}: none of the items is in the fit; give the items by their ids"
        )
    return of_unit, tuple(map(str, named)), name
