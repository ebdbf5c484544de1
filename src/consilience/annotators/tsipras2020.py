r"""The study's own rule: labels that are named together are different objects.

The rule by which the ImageNet multi-label study made its object sets, to the letter,
with its ties. It has no likelihood and no parameters; it is the baseline.

.. math::

   k = \operatorname{mode}_r |S_r|, \qquad
   \max_{b: \text{labels} \to \{0, \dots, k - 1\}} \;
   \sum_{x < y} \#\{r : x, y \in S_r\} \; [b_x \ne b_y]

with :math:`S_r` the labels that response :math:`r` names. As many objects as most
responses name: on a tie as many as the one that came first. One object: it holds
every label. Several: labels that were never named beside another are dropped, and the
rest is divided so that labels named together fall apart as far as they can (a maximum
k-cut). Of partitions that are as good, the one is taken that an enumeration meets last,
its labels in the order of a set of their codes. An object is called by the label
that was named most, of several by the one that comes first among the labels. The
main object has the most main votes, on a tie the first; the main label has the most
main votes of all, on a tie the one that was named first, and may lie elsewhere.

**What the tables say.** What the rule decides has probability 0 or 1: that a label is
the name of an object (`labels`), that an object is there (`objects`), how many there
are (`object_counts`; there is no `threshold`). What is voted on is a share, at face
value: `probability` and `entropy` of the main label (`items`), `main_probability` of an
object, and the further column `named`, the share of responses that name a label.

**Labels are in the order of a Python set**, by which the published aggregation broke
ties: CPython lays small integers out in a hash table, and each is its own hash.

**The partition into at most k parts that separates the most weight.** Of several
partitions that separate as much, the one is taken that an enumeration of all k^n
assignments of n nodes to parts 0 to k - 1, the first node slowest, meets last. That one
gives the first node part k - 1 and each part that is new the next lower number, so that
a search from k - 1 downwards over such assignments alone meets it first; a branch is
left when what it has separated, with all the weight that it could still separate, is at
most the best.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), From ImageNet to Image
Classification, section 4 and the released aggregates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import FitError
from consilience.model import Heuristic
from consilience.responses import Responses
from consilience.truth.named import named_sets

_COLUMNS = {
    "labels": ("item", "label", "probability", "lower", "upper", "named"),
    "items": (
        *("item", "label", "probability", "entropy", "responses", "tied", "objects"),
        "main_label",
    ),
    "objects": (
        *("item", "object", "label", "share", "probability", "main_probability"),
        "named",
    ),
    "object_counts": ("item", "threshold", "objects", "probability"),
}
# The search is exponential: so many nodes took seconds, as many again would take days.
MAX_NODES = 16


@dataclass(frozen=True, slots=True)
class Prior:
    """The rule has nothing to set."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What the rule says of one item; labels are codes."""

    responses: int
    main_votes: Mapping[int, int]
    sizes: Mapping[int, int]
    main_label: int | None
    num_objects: int
    objects: tuple[Mapping[int, tuple[float, float]], ...]
    main_object: int
    object_votes: tuple[int, ...]

    def names(self) -> tuple[int | None, ...]:
        """Return what each object is called; None for one without labels."""
        return tuple(
            min(each, key=lambda label: (-each[label][0], label), default=None)
            for each in self.objects
        )


def aggregate(
    named: Sequence[tuple[int, ...]], main: Sequence[int | None]
) -> Aggregate:
    """Apply the rule to one item."""
    number = len(named)
    votes = Counter(label for label in main if label is not None)
    sizes = Counter(map(len, named))
    count = Counter(chain.from_iterable(named))
    # Counter.most_common keeps, of equals, the one that was counted first.
    parts = sizes.most_common(1)[0][0]
    blocks = [list(count)] if parts == 1 else _parted(named, parts)
    objects = []
    for block in blocks:
        total = sum(count[label] for label in block)
        objects.append({x: (count[x] / total, count[x] / number) for x in block})
    of_object = tuple(sum(votes[label] for label in each) for each in objects)
    return Aggregate(
        responses=number,
        main_votes=votes,
        sizes=sizes,
        main_label=votes.most_common(1)[0][0] if votes else None,
        num_objects=parts,
        objects=tuple(objects),
        main_object=of_object.index(max(of_object)),
        object_votes=of_object,
    )


def _parted(named: Sequence[tuple[int, ...]], parts: int) -> list[list[int]]:
    together = [each for each in named if len(each) > 1]
    nodes = list(set(chain.from_iterable(together)))  # in the order of its hash table
    place = {label: i for i, label in enumerate(nodes)}
    weight = np.zeros((len(nodes), len(nodes)), np.int64)
    for one, other in chain.from_iterable(combinations(each, 2) for each in together):
        weight[[place[one], place[other]], [place[other], place[one]]] += 1
    cut = max_cut(weight, parts)
    return [
        [x for x, of in zip(nodes, cut, strict=True) if of == part]
        for part in range(parts)
    ]


def rule(responses: Responses) -> Mapping[str, pd.DataFrame]:
    """Return the tables of the run."""
    given = named_sets(responses)
    items = responses.table["item"].cat.categories
    labels = responses.table["label"].cat.categories
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in _COLUMNS}
    for item, those in enumerate(given.by_item(len(items))):
        repeated = np.repeat(those, given.n[those]).tolist()
        named = [given.labels_of(r) for r in repeated]
        main = [None if given.main[r] < 0 else int(given.main[r]) for r in repeated]
        if named:
            _fill(rows, item, named, aggregate(named, main))
        else:
            rows["items"].append((item, -1, np.nan, np.nan, 0, False, 0, -1))
    frames = {
        name: pd.DataFrame(rows[name], columns=list(columns))
        for name, columns in _COLUMNS.items()
    }
    categories = {"item": items, "label": labels, "main_label": labels}
    for frame in frames.values():
        for column in frame.columns.intersection(list(categories)):
            codes = frame[column].to_numpy(dtype=np.int64)
            frame[column] = pd.Categorical.from_codes(codes, categories[column])
    return frames


def _fill(
    rows: Mapping[str, list[tuple[object, ...]]],
    item: int,
    named: Sequence[tuple[int, ...]],
    aggregate: Aggregate,
) -> None:
    """Add the rows of one item to each table."""
    called, count = set(aggregate.names()), Counter(chain.from_iterable(named))
    rows["labels"] += [
        (item, label, float(label in called), np.nan, np.nan, times / len(named))
        for label, times in sorted(count.items())
    ]
    votes = np.array(list(aggregate.main_votes.values()), float)
    number = max(votes.sum(), 1)
    share = votes / number
    probability = share.max(initial=0) if len(votes) else np.nan
    entropy = max(0.0, -(share * np.log(share)).sum())
    tied = bool((votes == votes.max(initial=0)).sum() > 1)
    best = -1 if aggregate.main_label is None else aggregate.main_label
    objects = aggregate.num_objects
    rows["items"].append(
        (item, best, probability, entropy, len(named), tied, objects, best)
    )
    rows["objects"] += [
        (item, place, label, share, 1.0, main / number, named_by)
        for place, (each, main) in enumerate(
            zip(aggregate.objects, aggregate.object_votes, strict=True)
        )
        for label, (share, named_by) in each.items()
    ]
    rows["object_counts"].append((item, np.nan, objects, 1.0))


def max_cut(weight: Int[np.ndarray, "n n"], num_parts: int) -> tuple[int, ...]:
    """Return the part of each node."""
    nodes = len(weight)
    if nodes > MAX_NODES:
        raise FitError(
            f"{nodes} labels were named together about one item, and all partitions "
            f"can be tried for {MAX_NODES} at most; merge rare labels"
        )
    links = weight.tolist()
    later = np.triu(weight, 1).sum(0)  # what a node adds at most when it is placed
    ahead = np.append(np.cumsum(later[::-1])[::-1], 0).tolist()
    best: int = -1
    parts_of_best: tuple[int, ...] = ()
    stack: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while stack:
        cut, parts = stack.pop()
        depth = len(parts)
        if cut + ahead[depth] <= best:
            continue
        if depth == nodes:
            best, parts_of_best = cut, parts
            continue
        lowest = max(min(parts, default=num_parts) - 1, 0)
        # The last one pushed is the first one searched.
        stack += [
            (cut + _cut_weight(links[depth], parts, part), (*parts, part))
            for part in range(lowest, num_parts)
        ]
    return parts_of_best


def _cut_weight(links: Sequence[int], parts: tuple[int, ...], part: int) -> int:
    return sum(link for link, other in zip(links, parts, strict=False) if other != part)


MODEL = Heuristic(
    prior=Prior(),
    engines=("rule",),
    references=("Tsipras et al. (2020), section 4",),
    kinds=("objects",),
    tables=rule,
)
