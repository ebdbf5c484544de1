"""The tables of a fit of kind objects, from the posterior of items.

**Confusion of main labels, given the one that most would give.** Each answer counts
towards a true main label by the probability that the fit gives it, so that the answers
about items of true label k are :math:`n_k` and those that give l are :math:`c_{kl}`.
The population's chance is :math:`c_{kl} / n_k`, with the bounds of a Beta distribution
with these counts and one answer more. An annotator's is drawn towards it, as closely as
annotators are found to keep to it (`consilience.posterior.shrinkage`). What is unknown
of the truth is in the counts, not in the bounds.

References
----------
Dawid and Skene (1979), section 2, for counts weighed by the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.intervals import beta_bounds
from consilience.objects.response_panels import SIZES
from consilience.posterior.item_posterior import GRID, PANELS, TAU, TAUS, ItemPosterior
from consilience.posterior.shrinkage import accuracy_table, confusion_table
from consilience.posterior.stored import category, holding
from consilience.responses.tools.work import NONE
from consilience.truth import ObjectsSpace
from consilience.truth.named import Named, label_groups
from consilience.when_used import xr


@dataclass(frozen=True, slots=True, eq=False)
class ItemTables:
    """The tables of a fit of kind objects, as frames and as a group of the tree."""

    space: ObjectsSpace
    posterior: ItemPosterior
    prob: float

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        space, main = self.space, self.posterior.main_label
        by_superclass = {}
        if (space.named.parents != "").any():
            table = main_confusion(space, space.named, main, self.prob, level=1)
            by_superclass = {"superclass_confusion": table}
        return {
            **by_superclass,
            "labels": self._labels(),
            "items": self._items(),
            "objects": self._objects(),
            "object_counts": self._counts(),
            "same_object": self._same(),
            "ambiguity": self._ambiguity(),
            "panels": self._panels(),
            "confusion": main_confusion(space, space.named, main, self.prob),
            "annotators": main_accuracy(space, space.named, main, self.prob),
        }

    def curves(self) -> xr.Dataset:
        """Return how often objects of labels are named, and totals over all items."""
        posterior, of_label = self.posterior, ("item", "candidate")
        beyond = posterior.beyond.astype(np.float32)
        by_panel = ("population_draw", "panel")
        return xr.Dataset(
            {
                "beyond": ((*of_label, "share"), beyond),
                "main_share": (of_label, posterior.main_share),
                "candidate_label": (of_label, self._candidate),
                "judged_several": (by_panel, posterior.judged_several),
                "differs": (by_panel, posterior.differs),
            },
            {
                "share": GRID,
                "panel": np.array([*PANELS, 0]),
                "label": self.space.named.labels,
            },
        )

    @property
    def _candidate(self) -> Int[np.ndarray, "U C"]:
        return self.space.named.candidate[:, : self.posterior.beyond.shape[1]]

    def _item(self, unit: Int[np.ndarray, " R"]) -> pd.Categorical:
        return category(unit, self.space.unit_item)

    def _label(self, code: Int[np.ndarray, " R"]) -> pd.Categorical:
        return category(code, self.space.named.labels)

    def _labels(self) -> pd.DataFrame:
        valid, candidate = self.posterior.valid, self._candidate
        at = np.nonzero(candidate >= 0)
        return pd.DataFrame(
            {
                "item": self._item(at[0]),
                "label": self._label(candidate[at]),
                "probability": valid[at],
                "lower": np.nan,
                "upper": np.nan,
            }
        )

    def _items(self) -> pd.DataFrame:
        space, candidate = self.space, self._candidate
        units = np.arange(len(candidate))
        chance = np.where(candidate >= 0, self.posterior.main_label, 0.0)
        # Most annotators may answer that it is none of these.
        if space.named.none.any():
            none = np.flatnonzero(space.named.labels == NONE)[0]
            rest = np.clip(1 - chance.sum(1, keepdims=True), 0.0, 1.0)
            chance = np.concatenate([chance, rest], 1)
            candidate = np.concatenate([candidate, np.full_like(rest, none, int)], 1)
        best = chance.argmax(1)
        highest = chance[units, best]
        names = self._label(candidate[units, best])
        at = int(np.argmin(np.abs(TAUS - TAU)))
        answers = np.bincount(space.unit, space.n, len(candidate)) + space.named.none
        return pd.DataFrame(
            {
                "item": self._item(units),
                "label": names,
                "probability": highest,
                "entropy": -(chance * np.log(np.where(chance > 0, chance, 1.0))).sum(1),
                "responses": answers.astype(np.int64),
                "tied": (chance >= highest[:, None]).sum(1) > 1,
                "objects": self.posterior.counts[:, at].argmax(1),
                "main_label": names,
            }
        )

    def _objects(self) -> pd.DataFrame:
        posterior, candidate = self.posterior, self._candidate
        at = unit, slot = np.nonzero(candidate >= 0)
        main, place = posterior.main, posterior.object_of[unit, slot]
        # Objects are numbered from one by how probably they are the main one.
        order = np.argsort(np.argsort(-main, axis=1, kind="stable"), axis=1)
        share, number = posterior.share[at], order[unit, place] + 1
        present = np.maximum(posterior.present[at], np.finfo(float).tiny)
        frame = pd.DataFrame(
            {
                "item": self._item(unit),
                "object": number,
                "label": self._label(candidate[at]),
                "share": share,
                "right_name": posterior.valid[at] / present,
                "probability": posterior.there[unit, place],
                "main_probability": main[unit, place],
            }
        )
        keys = np.lexsort([-share, number, unit])
        return frame.iloc[keys].reset_index(drop=True)

    def _counts(self) -> pd.DataFrame:
        at = unit, place, number = np.nonzero(self.posterior.counts > 0)
        return pd.DataFrame(
            {
                "item": self._item(unit),
                "threshold": TAUS[place].round(6),
                "objects": number,
                "probability": self.posterior.counts[at],
            }
        )

    def _same(self) -> pd.DataFrame:
        candidate = self._candidate
        named = candidate >= 0
        both = np.triu(named[:, :, None] & named[:, None, :], 1)
        at = unit, first, second = np.nonzero(both)
        same = np.clip(self.posterior.same[at], 0.0, 1.0)
        return pd.DataFrame(
            {
                "item": self._item(unit),
                "label": self._label(candidate[unit, first]),
                "other_label": self._label(candidate[unit, second]),
                "probability": same,
                "synonyms": np.minimum(self.posterior.synonyms[at], same),
            }
        )

    def _ambiguity(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "item": self._item(np.arange(self.space.num_units)),
                "structure": self.posterior.structure,
                "naming": self.posterior.naming,
                "salience": self.posterior.salience,
            }
        )

    def _panels(self) -> pd.DataFrame:
        sizes, units = np.array([*SIZES, 0]), self.space.num_units
        return pd.DataFrame(
            {
                "item": self._item(np.arange(units).repeat(len(sizes))),
                "annotators": np.tile(sizes, units),
                "several": self.posterior.panel_several.ravel(),
                "differs": self.posterior.panel_differs.ravel(),
            }
        )


_EDGE = 1e-9  # counts


def main_confusion(
    space: ObjectsSpace,
    named: Named,
    main: Float[np.ndarray, "U C"],
    prob: float,
    level: int = 0,
) -> pd.DataFrame:
    """Return P(main label given | true main label) of the population and of each."""
    parents = dict(zip(named.labels, named.parents, strict=True))
    group, names = label_groups(pd.Index(named.labels), parents, level)
    of_candidate, labels = group[named.candidate], len(names)
    unit, true = np.nonzero(main > _EDGE)
    chance = main[unit, true]
    # Each answer meets each true label of its item.
    answers = pd.DataFrame({"item": space.unit, "answer": np.arange(len(space.unit))})
    truths = pd.DataFrame({"item": unit, "cell": np.arange(len(unit))})
    cell, answer = truths.merge(answers, on="item")[["cell", "answer"]].to_numpy().T
    pair = of_candidate[unit, true][cell] * labels
    pair += of_candidate[unit[cell], named.main[answer]]
    count = chance[cell] * space.n[answer]
    pairs, place = np.unique(pair, return_inverse=True)
    total = np.bincount(place, count, len(pairs))
    of_true = pairs // labels
    true_total = np.bincount(of_true, total, labels)[of_true]
    everyone = total / true_total
    part, whole = total + everyone, true_total + 1
    square = _square(part, whole)
    population = holding(everyone, *beta_bounds(part, whole - part, prob))
    theirs = space.identified[space.annotator[answer]]
    who = space.annotator[answer][theirs].astype(np.int64)
    given = (who, pair[theirs], count[theirs])
    return confusion_table(
        pairs, population, square, given, space.annotators, names.to_numpy(), prob
    )


def main_accuracy(
    space: ObjectsSpace, named: Named, main: Float[np.ndarray, "U C"], prob: float
) -> pd.DataFrame:
    """Return how often each annotator with an id gives the label that most would."""
    right = main[space.unit, named.main] * space.n
    people = np.flatnonzero(space.identified)
    hits, answers = (
        np.bincount(space.annotator, weight, space.num_annotators)
        for weight in (right, space.n)
    )
    everyone = hits.sum() / answers.sum()
    square = float(_square(hits.sum() + everyone, answers.sum() + 1))
    return accuracy_table(
        people, space.annotators, hits, answers, (everyone, square), prob
    )


def _square(part: Any, whole: Any) -> Any:
    """Return the mean square of a Beta distribution with such counts."""
    return part * (part + 1) / (whole * (whole + 1))
