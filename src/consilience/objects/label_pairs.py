"""Effects of classes and labels of a study of kind objects, kept with its fit.

Items of one class are named alike, some labels attract votes
(`consilience.objects.pooling`). New items are believed by what the earlier study
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
from jaxtyping import Shaped

from consilience.objects.pooling import ItemCounts, Pool, Tally, count_items
from consilience.objects.space import Names, anonymous
from consilience.truth import ObjectsSpace
from consilience.truth.coding import some_units
from consilience.truth.named import NOBODY, LabelPairs, Named, no_pairs

GROUP = "evidence"
_KINDS = ("label", "slope", "block", "pair", "item", "endorsement")
_ITEM, _ANSWER, _SIMILAR = "answers_item_entry", "answers_entry", "similar_pair"
# What is kept of each answer and item: its axes, its type, and whether the space has
# it or what the space names.
_ANSWERS = {
    "unit": ((_ANSWER,), np.int32, False),
    "n": ((_ANSWER,), np.int64, False),
    "main": ((_ANSWER,), np.int8, True),
    "mask": ((_ANSWER,), np.int16, True),
    "dataset_label": ((_ITEM,), np.int32, True),
    "candidate": ((_ITEM, "place"), np.int32, True),
}
# Sums by a code of two labels; the others are by one.
_OF_TWO = ("share", "extra", "opportunities")
_TALLIES = tuple(field.name for field in fields(Pool) if field.name != "ability")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StudyEvidence:
    """What a study says."""

    pool: Pool
    names: Names
    answers: ObjectsSpace

    @property
    def labels(self) -> Shaped[np.ndarray, " L"]:
        """The labels of the study."""
        return self.answers.named.labels

    @property
    def similar(self) -> LabelPairs:
        """How alike two labels are, as the user said."""
        return self.answers.named.similar

    def with_labels(
        self, labels: Shaped[np.ndarray, " M"], parents: Shaped[np.ndarray, " M"]
    ) -> "StudyEvidence":
        """Return the same in a list of labels that begins with the one it has."""
        old, new = len(self.labels), len(labels)
        sums = {}
        for name in _OF_TWO:
            tally: Tally = getattr(self.pool, name)
            first, second = np.divmod(tally.code, old)
            sums[name] = replace(tally, code=first * new + second)
        usual = np.ones(new - old)
        ability = np.concatenate([self.pool.ability, usual])
        named = replace(self.answers.named, labels=labels, parents=parents)
        return replace(
            self,
            pool=replace(self.pool, **sums, ability=ability),
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
        nobody = np.full((1, before.shape[1]), NOBODY)
        before = np.append(before, nobody, axis=0)[unit]
        same = (now[:, :, None] == before[:, None, :]) & (now >= 0)[:, :, None]
        slot = np.where(same.any(2), same.argmax(2), -1)
        return count_items(answered).at(unit, slot)


def as_dataset(evidence: StudyEvidence) -> xr.Dataset:
    """Lay out what a study says, for the group `evidence` of its fit."""
    names, space, similar = evidence.names, evidence.answers, evidence.similar
    variables: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for name in _TALLIES:
        tally: Tally = getattr(evidence.pool, name)
        some = tally.total != 0
        variables[f"{name}_code"] = ((f"{name}_entry",), tally.code[some])
        variables[name] = ((f"{name}_entry",), tally.total[some])
    for kind in _KINDS:
        columns = np.asarray(getattr(names, kind), object)
        variables[f"{kind}_covariates"] = ((f"{kind}_covariate",), columns)
    codes = np.array(names.pairs, np.int64).reshape(-1, 2).T
    for side, labels in zip(("first", "second"), codes, strict=True):
        variables[f"pair_{side}"] = (("affinity_pair",), labels)
    if len(similar.first):
        for field in fields(LabelPairs):
            values = getattr(similar, field.name)
            variables[f"similar_{field.name}"] = ((_SIMILAR,), values)
    for name, (axes, kept_as, is_named) in _ANSWERS.items():
        values = getattr(space.named if is_named else space, name)
        variables[f"answers_{name}"] = (axes, values.astype(kept_as))
    variables |= {
        "answers_item": ((_ITEM,), space.unit_item.astype(object)),
        "ability": (("label",), evidence.pool.ability),
        "parent": (("label",), space.named.parents.astype(object)),
    }
    return xr.Dataset(variables, {"label": evidence.labels.astype(object)})


def evidence_of(data: xr.DataTree) -> StudyEvidence | None:
    """Return what the study of a fit says; None where it was not kept."""
    if GROUP not in data.children:
        return None
    group = {
        str(name): values.to_numpy()
        for name, values in data[GROUP].to_dataset().variables.items()
    }
    sums = {name: Tally(group[f"{name}_code"], group[name]) for name in _TALLIES}
    names = {kind: tuple(map(str, group[f"{kind}_covariates"])) for kind in _KINDS}
    first, second = (group[f"pair_{side}"].tolist() for side in ("first", "second"))
    similar = no_pairs()
    if "similar_value" in group:
        parts = (group[f"similar_{field.name}"] for field in fields(LabelPairs))
        similar = LabelPairs(*parts)
    kept = {name: group[f"answers_{name}"].astype(np.int64) for name in _ANSWERS}
    items = len(kept["candidate"])
    named = Named(
        labels=group["label"],
        parents=group["parent"],
        candidate=kept["candidate"],
        dataset_label=kept["dataset_label"],
        mask=kept["mask"],
        main=kept["main"],
        covariates=np.zeros((*kept["candidate"].shape, 0)),
        none=np.zeros(items, np.int64),
        observed=np.ones(items, bool),
        similar=similar,
    )
    return StudyEvidence(
        pool=Pool(**sums, ability=group["ability"]),
        names=Names(**names, pairs=tuple(zip(first, second, strict=True))),
        answers=anonymous(named, group["answers_item"], kept["unit"], kept["n"]),
    )
