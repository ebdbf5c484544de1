"""One response about objects held out, and what the others about its item say.

The outcome space of a held-out response is blind to it: the labels that the observed
responses name, the data set's own label, and one outcome for all else. (What was on
screen is not released, and the labels that anybody named would give the held-out
response away: one that nobody else named must be its answer.)
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from consilience.truth.named import NamedSets, named_sets

FOLDS = 5
OTHER = -1


@dataclass(frozen=True, eq=False)
class Study:
    """Responses about objects, with the data set's own label of each item.

    Items stand in the order of their first rows; `code` is theirs in the responses.
    """

    sets: NamedSets
    own: np.ndarray
    code: np.ndarray
    by_item: list
    num_labels: int

    @property
    def fold(self):
        """Folds by item; 7,919 is a prime, so that neighbours part."""
        return np.arange(len(self.own)) * 7_919 % FOLDS

    @cached_property
    def votes(self):
        """Main votes of each item, items x labels."""
        votes = np.zeros((len(self.own), self.num_labels))
        np.add.at(votes, (self.sets.item, self.sets.main), 1)
        return votes


def study(responses) -> Study:
    """Code the responses, the items in the order of their first rows."""
    sets = named_sets(responses)
    items = responses.table["item"].cat.categories
    own = responses.items.set_index("item").loc[items, "dataset_label"]
    labels = responses.table["label"].cat.categories
    first = list(dict.fromkeys(sets.item.tolist()))
    rank = np.empty(len(items), int)
    rank[first] = np.arange(len(items))
    coded = NamedSets(
        rank[sets.item], sets.annotator, sets.main, sets.n, sets.label, sets.start
    )
    return Study(
        sets=coded,
        own=labels.get_indexer(own)[first],
        code=np.array(first),
        by_item=coded.by_item(len(items)),
        num_labels=len(labels),
    )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Every response in its turn held out.

    H responses are held out; R rows list the outcomes of each, the last one all else.

    Attributes
    ----------
    item, held
        The item and the response, of each held out.
    seen
        The observed responses of each, as a list of arrays.
    start
        Where the outcomes of each begin.
    label
        The label of an outcome; `OTHER` for all else.
    main, named, named_beside
        Observed main votes of it, responses that name it, and those of them that name
        more than one label.
    is_own
        Whether it is the data set's own label.
    is_main, is_named
        Whether the held-out response says so; named of all else: a label not listed.
    """

    item: np.ndarray
    held: np.ndarray
    seen: list
    start: np.ndarray
    label: np.ndarray
    main: np.ndarray
    named: np.ndarray
    named_beside: np.ndarray
    is_own: np.ndarray
    is_main: np.ndarray
    is_named: np.ndarray

    @property
    def of(self):
        """Which held-out response each outcome belongs to."""
        sizes = np.diff(np.append(self.start, len(self.label)))
        return np.repeat(np.arange(len(self.item)), sizes)

    @property
    def other(self):
        """Which outcomes are all else."""
        return self.label == OTHER

    def part(self, kept):
        """Only some of the held-out responses."""
        rows = kept[self.of]
        sizes = np.diff(np.append(self.start, len(self.label)))[kept]
        columns = {
            name: getattr(self, name)[rows]
            for name in (
                *("label", "main", "named", "named_beside"),
                *("is_own", "is_main", "is_named"),
            )
        }
        return HeldOut(
            item=self.item[kept],
            held=self.held[kept],
            seen=[self.seen[place] for place in np.flatnonzero(kept)],
            start=np.cumsum(sizes) - sizes,
            **columns,
        )


def held_out(given: Study, observed: int | None = None, seed: int = 1) -> HeldOut:
    """Hold every response out in its turn.

    Parameters
    ----------
    given
        The study.
    observed
        How many of the others are observed, drawn anew for each; None: all.
    seed
        Of the drawing.
    """
    generator = np.random.default_rng(seed)
    sets = given.sets
    named = [part.tolist() for part in np.split(sets.label, sets.start[1:-1])]
    rows, items, held, seen, sizes = [], [], [], [], []
    for item, those in enumerate(given.by_item):
        own = int(given.own[item])
        for out in those:
            others = those[those != out]
            if observed is not None and observed < len(others):
                others = generator.choice(others, observed, replace=False)
            main = Counter(int(sets.main[r]) for r in others)
            every = Counter(label for r in others for label in named[r])
            beside = Counter(
                label for r in others if len(named[r]) > 1 for label in named[r]
            )
            listed = list(dict.fromkeys([*every, own]))
            truth, answer = set(named[out]), int(sets.main[out])
            rows += [
                (x, main[x], every[x], beside[x], x == own, x == answer, x in truth)
                for x in listed
            ]
            new = bool(truth - set(listed))
            rows.append((OTHER, 0, 0, 0, False, answer not in listed, new))
            items.append(item)
            held.append(out)
            seen.append(others)
            sizes.append(len(listed) + 1)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    ends = np.cumsum(sizes)
    return HeldOut(np.array(items), np.array(held), seen, ends - sizes, *columns)


def clustered(values, item) -> float:
    """Return the standard error of a mean whose values go together by item."""
    sums = np.bincount(item, values)[np.unique(item)]
    return float(np.sqrt(sums.var(ddof=1) * len(sums)) / len(values))


def hits(score, given: HeldOut):
    """Return the chance that the best outcome is right; ties are split."""
    best = np.maximum.reduceat(score, given.start)[given.of]
    top = score >= best - 1e-12
    right = np.add.reduceat((top & given.is_main).astype(float), given.start)
    return right / np.add.reduceat(top.astype(float), given.start)
