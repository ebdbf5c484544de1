r"""The confusion of people and of models, side by side.

With :math:`w_i` the weight of an item, of label g that is taken as the truth,

.. math::

   \Pr(\text{called } h \mid g) =
   \frac{\sum_i w_i \Pr(i \text{ is } g, \text{called } h)}
        {\sum_i w_i \Pr(i \text{ is } g)}.

A *call* is an item, what is taken as its truth, what it is called, and with which
probability; one of a model is certain, one of people has the posterior of a fit. Bounds
are of weightings of the items (`shares`). What never occurred has bounds of zero: they
are of what was seen, weighed otherwise.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 5.3 (human and model
confusion, between and within superclasses).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from consilience.analysis.proposals import Proposals
from consilience.analysis.shares import Resampling, Share, bounds, weighted_sums
from consilience.errors import KindError
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.labels import by_label
from consilience.posterior.labels import labels as posterior_labels
from consilience.posterior.objects import MAIN_LABEL, joint_draws
from consilience.posterior.stored import stored
from consilience.posterior.truth import MAX_DRAWS, drawn_truth
from consilience.responses.id_types import Types, restores_types
from consilience.truth.named import label_groups

PEOPLE, DATASET = "people", "dataset"
_MAX_CELLS = 4_000_000  # weightings x cells that are held at once
type Against = Literal["dataset", "truth"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calls:
    """Calls by one party; D draws of the parameters, N calls."""

    item: Int[np.ndarray, " N"]
    true: Int[np.ndarray, " N"]
    given: Int[np.ndarray, " N"]
    weight: Float[np.ndarray, "D N"]

    def merge_labels(self, group: Int[np.ndarray, " K"]) -> "Calls":
        """Return the same with groups of labels instead of labels."""
        return replace(self, true=group[self.true], given=group[self.given])

    def cells(
        self, size: int
    ) -> tuple[Int[np.ndarray, " C"], Float[np.ndarray, " C"], Float[np.ndarray, " K"]]:
        """Return cells, their probabilities, and the expected size of each row."""
        key, place = np.unique(self.true * size + self.given, return_inverse=True)
        weight = self.weight.mean(0)
        rows = np.bincount(self.true, weight, size)
        return key, np.bincount(place, weight) / rows[key // size], rows

    def rates(
        self, cells: Int[np.ndarray, " C"], size: int, resampling: Resampling
    ) -> Float[np.ndarray, "S C"]:
        """Return the probability of some cells: unweighted, then by each weighting."""
        if not len(cells):
            return np.zeros((1 + resampling.resamples, 0))
        # Targets are looked up in ascending order.
        order = np.argsort(cells)
        rows, row = np.unique(cells // size, return_inverse=True)
        key = self.true * size + self.given
        above = self._sums(key, cells[order], resampling)[:, np.argsort(order)]
        below = self._sums(self.true, rows, resampling)
        with np.errstate(invalid="ignore", divide="ignore"):
            return above / below[:, row]

    def share(
        self,
        named: Mapping[str, object],
        part: Bool[np.ndarray, " N"],
        whole: Bool[np.ndarray, " N"],
        items: int,
    ) -> Share:
        """Return the share that some calls have in others."""
        return Share(
            named,
            *(
                np.stack(
                    [np.bincount(self.item, row * kept, items) for row in self.weight]
                )[:, None]
                for kept in (part & whole, whole)
            ),
        )

    def _sums(
        self,
        key: Int[np.ndarray, " N"],
        target: Int[np.ndarray, " C"],
        resampling: Resampling,
    ) -> Float[np.ndarray, "S C"]:
        """Return the sums of the calls with each of some keys, in ascending order."""
        place = np.minimum(np.searchsorted(target, key), len(target) - 1)
        matched = target[place] == key
        cells = self.item[matched], place[matched]
        shape = (resampling.items, len(target))
        by_draw = [csr_array((row[matched], cells), shape=shape) for row in self.weight]
        return weighted_sums(by_draw, resampling.weightings)


@shown_as("table", "pairs", facts=("items", "labels", "prob"))
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ComparedConfusion:
    """The confusion of people and of models, side by side.

    Attributes
    ----------
    calls : mapping of str to Calls
        By party: `people` first where the data set's label is taken as the truth, else
        `dataset`; then the models.
    labels : pandas.Index
        Names of the labels, by code.
    parents : pandas.DataFrame, optional
        Columns label and parent; None where labels have no parents.
    items, prob
        Number of items, and probability of the intervals.

    See Also
    --------
    Evaluation.confusion : Compute it.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> dataset = study.responses.items.rename(columns={"dataset_label": "label"})
    >>> guesses = dataset.assign(rank=1, model="copy")
    >>> compared = cs.evaluate(fit, guesses, dataset_labels=dataset).confusion()
    >>> compared.items, list(compared.calls)
    (16, ['people', 'copy'])
    """

    calls: Mapping[str, Calls]
    labels: pd.Index
    parents: pd.DataFrame | None
    resampling: Resampling
    types: Types = field(default_factory=dict)

    @property
    def items(self) -> int:
        """Number of items."""
        return self.resampling.items

    @property
    def prob(self) -> float:
        """Probability of the intervals."""
        return self.resampling.prob

    @restores_types
    def table(self, level: int = 0, min_probability: float = 0.02) -> pd.DataFrame:
        """Return the cells whose probability is large enough for at least one party.

        Parameters
        ----------
        level : int, default 0
            Steps up the hierarchy of labels; 0 for the labels themselves.
        min_probability : float, default 0.02
            Smallest probability of a cell, for at least one party.

        Returns
        -------
        pandas.DataFrame
            Columns model, true_label, given_label, probability, lower, upper and items
            (expected number with true_label); each cell has a row for each party.

        Raises
        ------
        OptionError
            If there is no such level.
        """
        calls, names = self._at(level)
        size = len(names)
        cells = {who: each.cells(size) for who, each in calls.items()}
        often = [key[rate >= min_probability] for key, rate, _ in cells.values()]
        kept = np.unique(np.concatenate(often))
        true, given = np.divmod(kept, size)
        parts = []
        for who, (key, rate, rows) in cells.items():
            place = np.minimum(np.searchsorted(key, kept), len(key) - 1)
            value = np.where(key[place] == kept, rate[place], 0.0)
            lower, upper = self._bounds(calls[who], kept, size)
            columns = {"model": who, "true_label": names[true]}
            columns |= {"given_label": names[given], "probability": value}
            columns |= {"lower": lower, "upper": upper, "items": rows[true]}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    @restores_types
    def pairs(self, level: int = 0, min_probability: float = 0.2) -> pd.DataFrame:
        """Return pairs of labels of which a party mistakes one for the other.

        Parameters
        ----------
        level : int, default 0
            See `table`.
        min_probability : float, default 0.2
            Smallest probability of either mistake, for at least one party.

        Returns
        -------
        pandas.DataFrame
            Columns model, label, other_label, items_a, items_b, a_called_b, b_called_a,
            mutual (the smaller of the two) and one_sided (the difference), both with
            bounds (`mutual_lower` and so on); the most mutual pairs of the first party
            first.
        """
        calls, names = self._at(level)
        size, often = len(names), []
        for each in calls.values():
            key, rate, _ = each.cells(size)
            true, given = np.divmod(key[rate >= min_probability], size)
            low, high = np.minimum(true, given), np.maximum(true, given)
            often.append((low * size + high)[true != given])
        first, second = np.divmod(np.unique(np.concatenate(often)), size)
        parts = []
        for who, each in calls.items():
            rows = each.cells(size)[2]
            there, back = (
                np.nan_to_num(each.rates(a * size + b, size, self.resampling))
                for a, b in ((first, second), (second, first))
            )
            labels = {"model": who, "label": names[first], "other_label": names[second]}
            sizes = {"items_a": rows[first], "items_b": rows[second]}
            mistakes = mistaken_pairs(there, back, self.prob)
            parts.append(pd.DataFrame({**labels, **sizes, **mistakes}))
        rank = parts[0]["mutual"].rank(method="first", ascending=False).to_numpy()
        party = np.repeat(np.arange(len(parts)), len(first))
        order = np.lexsort([party, np.tile(rank, len(parts))])
        return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)

    @restores_types
    def within(self, level: int = 1) -> pd.DataFrame:
        """Return how often items get another label, and how often within their group.

        Parameters
        ----------
        level : int, default 1
            See `table`.

        Returns
        -------
        pandas.DataFrame
            Columns model, statistic, value, lower, upper and items. `called_otherwise`
            is the share of items that get another label; `inside`, the share of these
            whose label is in the same group; `group_kept`, the share of items that get
            a label of the group.
        """
        group, _ = label_groups(self.labels, self.parents, level)
        parts = []
        for who, calls in self.calls.items():
            other = calls.given != calls.true
            same = group[calls.given] == group[calls.true]
            every = np.ones_like(other)
            for statistic, part, whole in (
                ("called_otherwise", other, every),
                ("inside", same, other),
                ("group_kept", same, every),
            ):
                named = {"model": [who], "statistic": statistic}
                share = calls.share(named, part, whole, self.items)
                ratio = self.resampling.ratios(share.part, share.whole)
                parts.append(self.resampling.rows(share, ratio))
        return pd.concat(parts, ignore_index=True)

    def _at(self, level: int) -> tuple[dict[str, Calls], pd.Index]:
        """Return the calls of each party so many levels up, and the names there."""
        group, names = label_groups(self.labels, self.parents, level)
        calls = {who: each.merge_labels(group) for who, each in self.calls.items()}
        return calls, names

    def _bounds(
        self, calls: Calls, cells: Int[np.ndarray, " C"], size: int
    ) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
        """Return bounds of the probability of some cells, a block of them at a time."""
        step = max(1, _MAX_CELLS // (1 + self.resampling.resamples))
        blocks = np.split(cells, range(step, len(cells), step))
        rates = (calls.rates(block, size, self.resampling) for block in blocks)
        lower, upper = zip(*(bounds(rate, self.prob) for rate in rates), strict=True)
        return np.concatenate(lower), np.concatenate(upper)


def mistaken_pairs(
    there: Float[np.ndarray, "S P"], back: Float[np.ndarray, "S P"], prob: float
) -> dict[str, Float[np.ndarray, " P"]]:
    """Return columns of pairs that are mistaken either way; row 0 holds the values."""
    columns = {"a_called_b": there[0], "b_called_a": back[0]}
    both = {"mutual": np.minimum(there, back), "one_sided": np.abs(there - back)}
    for name, values in both.items():
        lower, upper = bounds(values, prob)
        columns |= {name: values[0], f"{name}_lower": lower, f"{name}_upper": upper}
    return columns


def compared(
    fit: Fit,
    proposals: Proposals,
    resampling: Resampling,
    parents: pd.DataFrame | None,
    against: Against,
) -> ComparedConfusion:
    """Return what people, the data set and models call items of each label."""
    main = _main_labels(fit, proposals)
    dataset = proposals.need_dataset("confusion")
    if against == "dataset":
        calls = {PEOPLE: replace(main, true=dataset[main.item])}
    else:
        calls = {DATASET: replace(main, given=dataset[main.item])}
    item = np.arange(resampling.items)
    for model, label in zip(proposals.models, proposals.label[:, :, 0], strict=True):
        if against == "dataset":
            ones = np.ones((1, len(item)))
            calls[model] = Calls(item=item, true=dataset, given=label, weight=ones)
        else:
            calls[model] = replace(main, given=label[main.item])
    return ComparedConfusion(
        calls=calls,
        labels=proposals.names,
        parents=parents,
        resampling=resampling,
        types=fit.types,
    )


def _main_labels(fit: Fit, proposals: Proposals) -> Calls:
    """Return the main label of each item as a fit of objects or choice has it."""
    kind = fit.data.attrs["kind"]
    if kind == "objects":
        joint = joint_draws(fit.data)
        names = pd.Index(joint.items), pd.Index(joint.labels)
        weight = ((joint.facts & MAIN_LABEL) > 0).mean(1)
        item, label = joint.item, joint.label
    elif kind == "choice":
        table = posterior_labels(fit.data)
        parts = [table[name].cat for name in ("item", "label")]
        names = tuple(pd.Index(part.categories.astype("str")) for part in parts)
        item, label = (part.codes.to_numpy() for part in parts)
        weight = table["probability"].to_numpy(dtype=float)[None]
        if stored(fit.data, "labels") is None:
            weight = by_label(fit.data, drawn_truth(fit.data, MAX_DRAWS))
    else:
        raise KindError("the fit is of kind contains, where no label is the main one")
    place = proposals.items.get_indexer(names[0])[item]
    code = proposals.names.get_indexer(names[1])[label]
    kept = np.flatnonzero((place >= 0) & (weight > 0).any(0))
    return Calls(
        item=place[kept], true=code[kept], given=code[kept], weight=weight[:, kept]
    )
