"""Effects of classes and labels of a study of kind objects, kept with its fit.

Items of one class are named alike, some labels attract votes
(`consilience.objects.layout.pooling`). New items are believed by what the earlier study
says of these, so it is kept, as sums: their number is bounded by the pairs of class and
label that occur. Kept as well is which pairs of labels have an affinity of their own,
and how alike the user said that labels are. With it stands what each item has said
itself, so that an item asked about again does not hear itself: the answers, equal ones
counted.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Int, Shaped

from consilience.objects.layout.covariate_names import Names, Pairs
from consilience.objects.layout.pooling import (
    ItemCounts,
    Pool,
    Tally,
    count_items,
    pool,
)
from consilience.objects.layout.space import assembled
from consilience.truth import ObjectsSpace
from consilience.truth.coding import some_units
from consilience.truth.named import LabelPairs, Named, no_pairs

GROUP = "evidence"
_KINDS = ("label", "slope", "block", "pair", "item", "endorsement")
_SIDES = ("first", "second")  # labels of a pair with an affinity of its own
# Sums by a code of two labels; the others are by one.
_OF_TWO = {"share", "extra", "opportunities"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StudyEvidence:
    """What a study says."""

    pool: Pool
    labels: Shaped[np.ndarray, " L"]
    parents: Shaped[np.ndarray, " L"]
    names: Names
    answers: ObjectsSpace

    @property
    def similar(self) -> LabelPairs:
        """How alike two labels are, as the user said."""
        return self.answers.named.similar

    def with_labels(
        self, labels: Shaped[np.ndarray, " M"], parents: Shaped[np.ndarray, " M"]
    ) -> "StudyEvidence":
        """Return the same in a list of labels that begins with the one it has."""
        old, new = len(self.labels), len(labels)
        sums = {
            name: replace(tally, code=tally.code // old * new + tally.code % old)
            for name, tally in _tallies(self.pool).items()
            if name in _OF_TWO
        }
        usual = np.ones(new - old)
        ability = np.concatenate([self.pool.ability, usual])
        named = replace(self.answers.named, labels=labels, parents=parents)
        return StudyEvidence(
            pool=replace(self.pool, **sums, ability=ability),
            labels=labels,
            parents=parents,
            names=self.names,
            answers=replace(self.answers, named=named),
        )

    def about(self, items: Shaped[np.ndarray, " U"]) -> "StudyEvidence":
        """Return the same with the answers about some items alone."""
        place = pd.Index(self.answers.unit_item).get_indexer(items)
        return replace(
            self, answers=some_units(self.answers, np.unique(place[place >= 0]))
        )

    def item_counts(self, space: ObjectsSpace) -> ItemCounts:
        """Return what each item of a space has added to the sums itself."""
        answered = self.about(space.unit_item).answers
        unit = pd.Index(answered.unit_item).get_indexer(space.unit_item)
        now, before = space.named.candidate, answered.named.candidate
        unit, matched = np.maximum(unit, 0), unit >= 0
        if not len(answered.unit):
            return _nothing(now.shape)
        earlier = count_items(answered)
        same = (now[:, :, None] == before[unit][:, None, :]) & (now >= 0)[:, :, None]
        slot, listed = same.argmax(2), same.any(2) & matched[:, None]
        one = unit[:, None]
        sums = {}
        for name in (field.name for field in fields(ItemCounts)):
            value = getattr(earlier, name)
            if value.ndim == 1:
                sums[name] = np.where(matched, value[unit], 0.0)
            else:
                sums[name] = np.where(listed, value[one, slot], 0.0)
        return ItemCounts(**sums)


def evidence_from(space: ObjectsSpace, names: Names) -> StudyEvidence:
    """Return what the answers of a space say."""
    named = space.named
    return StudyEvidence(
        pool=pool(space),
        labels=named.labels,
        parents=named.parents,
        names=names,
        answers=space,
    )


def as_dataset(evidence: StudyEvidence) -> xr.Dataset:
    """Lay out what a study says, for the group `evidence` of its fit."""
    variables: dict[str, tuple[tuple[str, ...] | str, np.ndarray]] = {}
    for name, tally in _tallies(evidence.pool).items():
        some = tally.total != 0
        variables[f"{name}_code"] = (f"{name}_entry", tally.code[some])
        variables[name] = (f"{name}_entry", tally.total[some])
    answered, named = evidence.answers, evidence.answers.named
    for kind in _KINDS:
        names = np.asarray(getattr(evidence.names, kind), object)
        variables[f"{kind}_covariates"] = (f"{kind}_covariate", names)
    for side, which in enumerate(_SIDES):
        codes = [pair[side] for pair in evidence.names.pairs]
        variables[f"pair_{which}"] = ("affinity_pair", np.array(codes, np.int64))
    if len(evidence.similar.first):
        for name in ("first", "second", "value"):
            values = getattr(evidence.similar, name)
            variables[f"similar_{name}"] = ("similar_pair", values)
    variables |= {
        "ability": ("label", evidence.pool.ability),
        "parent": ("label", evidence.parents.astype(object)),
        "answers_item": ("answers_item_entry", answered.unit_item.astype(object)),
        "answers_dataset_label": (
            "answers_item_entry",
            named.dataset_label.astype(np.int32),
        ),
        "answers_candidate": (
            ("answers_item_entry", "place"),
            named.candidate.astype("i4"),
        ),
        "answers_unit": ("answers_entry", answered.unit.astype(np.int32)),
        "answers_main": ("answers_entry", named.main.astype(np.int8)),
        "answers_mask": ("answers_entry", named.mask.astype(np.int16)),
        "answers_n": ("answers_entry", answered.n.astype(np.int64)),
    }
    return xr.Dataset(variables, {"label": evidence.labels.astype(object)})


def evidence_of(data: xr.DataTree) -> StudyEvidence | None:
    """Return what the study of a fit says; None where it was not kept."""
    if GROUP not in data.children:
        return None
    group = data[GROUP].to_dataset()
    labels, parents = (group[name].to_numpy() for name in ("label", "parent"))
    sums = {
        name: Tally(group[f"{name}_code"].to_numpy(), group[name].to_numpy())
        for name in (field.name for field in fields(Pool))
        if f"{name}_code" in group
    }
    covariates = {
        kind: tuple(map(str, group[f"{kind}_covariates"].to_numpy()))
        for kind in _KINDS
        if f"{kind}_covariates" in group
    }
    return StudyEvidence(
        pool=Pool(**sums, ability=group["ability"].to_numpy()),
        labels=labels,
        parents=parents,
        names=Names(**covariates, pairs=_pairs(group)),
        answers=_label_sums(group, labels, parents),
    )


def _pairs(group: xr.Dataset) -> Pairs:
    if "pair_first" not in group:
        return ()
    first, second = (group[f"pair_{which}"].to_numpy().tolist() for which in _SIDES)
    return tuple(zip(first, second, strict=True))


def _similar(group: xr.Dataset) -> LabelPairs:
    if "similar_value" not in group:
        return no_pairs()
    names = ("first", "second", "value")
    return LabelPairs(*(group[f"similar_{name}"].to_numpy() for name in names))


def _label_sums(
    group: xr.Dataset,
    labels: Shaped[np.ndarray, " L"],
    parents: Shaped[np.ndarray, " L"],
) -> ObjectsSpace:
    def integers(name: str) -> Int[np.ndarray, "..."]:
        return np.asarray(group[f"answers_{name}"].to_numpy().astype(np.int64))

    candidate, unit = integers("candidate"), integers("unit")
    named = Named(
        labels=labels,
        parents=parents,
        candidate=candidate,
        dataset_label=integers("dataset_label"),
        mask=integers("mask"),
        main=integers("main"),
        covariates=np.zeros((*candidate.shape, 0)),
        none=np.zeros(len(candidate), np.int64),
        observed=np.ones(len(candidate), bool),
        similar=_similar(group),
    )
    return assembled(
        named,
        group["answers_item"].to_numpy(),
        np.array(["(all)"], object),
        np.zeros(1, bool),
        unit=unit,
        annotator=np.zeros(len(unit), np.int64),
        n=integers("n"),
    )


def _nothing(shape: tuple[int, ...]) -> ItemCounts:
    units, _ = shape
    axes: dict[str, tuple[int, ...]] = dict.fromkeys(
        ("effective_votes", "alone", "answered"), (units,)
    )
    names = (field.name for field in fields(ItemCounts))
    return ItemCounts(**{name: np.zeros(axes.get(name, shape)) for name in names})


def _tallies(pool: Pool) -> dict[str, Tally]:
    every = {field.name: getattr(pool, field.name) for field in fields(pool)}
    return {name: value for name, value in every.items() if isinstance(value, Tally)}
