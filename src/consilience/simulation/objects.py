r"""Simulated responses of kind objects, with known partitions.

A second hand: it shares no line with any model, so that what a model finds can be held
against what was done. For each item

1. labels are put on offer, drawn from all; they are parted into objects one by one: a
   label founds an object with odds `new` against the number of labels before it, or
   joins an object with odds the labels that it has (a Chinese restaurant);
2. objects get a salience, labels a share in the naming of their object (both
   Dirichlet), and objects a recall (Beta);
3. each annotator finds one object the main one, by salience. A *picker* names this one
   alone; a *lister* names it and each other object with the object's recall. An object
   is named by one of its labels, by their shares; now and then a lister adds a second
   label of the same object;
4. the data set's own label is what the most salient object is most called, or, with
   chance `mistaken`, another label on offer.

Annotators differ in how often they pick, and in recall (normal in log-odds).

**What is true** stands in the tables of `truth`. An object is `reported` by the share
of all annotators that there might be (those of the study are a sample) that name it; a
label is `named` by so many. Gold holds the labels of objects that more than `tau`
report.

References
----------
Pitman (2006), Combinatorial stochastic processes, section 3.1, for the partitions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import expit, logit

from consilience.errors import OptionError
from consilience.responses import Responses, read


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsSettings:
    """How items and annotators are drawn.

    Attributes
    ----------
    fewest, most
        Labels on offer for an item, uniformly between.
    new
        Odds of a new object against each label that is parted already.
    salience, naming
        Concentration of the Dirichlet of each.
    recall, recall_weight
        Mean of the recall of objects, and of how many looks its Beta is worth.
    picker
        Share of responses by pickers, for the typical annotator.
    picker_spread, recall_spread
        Standard deviation of annotators in log-odds, of picking and of recall.
    twice
        Chance that a lister adds a second label to an object that has one.
    mistaken
        Chance that the data set's label is not the main one.
    tau
        Objects that are reported more often than this are there, for gold.
    """

    fewest: float = 2.0
    most: float = 6.0
    new: float = 2.0
    salience: float = 1.5
    naming: float = 1.5
    recall: float = 0.45
    recall_weight: float = 4.0
    picker: float = 0.5
    picker_spread: float = 1.0
    recall_spread: float = 0.5
    twice: float = 0.05
    mistaken: float = 0.3
    tau: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedObjects:
    """Simulated responses and the truth behind them.

    Attributes
    ----------
    responses
        As if read from a file, with the labels offered, the data set's labels, and gold
        with the column main.
    truth
        Tables: `objects` (item, object, label, naming, salience, recall, reported,
        named, main) and `annotators` (annotator, picker, recall_shift).
    """

    responses: Responses
    truth: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    labels: Int[np.ndarray, " n"]
    block: Int[np.ndarray, " n"]
    share: Float[np.ndarray, " n"]
    salience: Float[np.ndarray, " b"]
    recall: Float[np.ndarray, " b"]


_COLUMNS = ["item", "annotator", "response_id", "label", "main"]


def simulate_objects(
    *,
    items: int = 200,
    annotators: int = 20,
    classes: int = 20,
    per_item: int = 5,
    settings: Mapping[str, float] | None = None,
    seed: int = 0,
) -> SimulatedObjects:
    """Draw responses of kind objects with known truth.

    Parameters
    ----------
    items, annotators, classes, per_item
        The design; each item is shown to `per_item` annotators picked at random.
    settings
        Of `ObjectsSettings`, those that are to differ.
    seed
        One seed gives one study.

    Raises
    ------
    OptionError
        The design is impossible, or there is no such setting.
    """
    chosen = _chosen(settings or {}, items, annotators, classes, per_item)
    generator = np.random.default_rng(seed)
    names = [f"class{number}" for number in range(classes)]
    people = _people(generator, annotators, chosen)
    each = {f"item{i}": _item(generator, classes, chosen) for i in range(items)}
    own = [names[_own_label(generator, item, chosen)] for item in each.values()]
    rows: list[tuple[object, ...]] = []
    for name, item in each.items():
        shown = people.iloc[generator.permutation(annotators)[:per_item]]
        main, named = _responses(generator, item, shown, chosen)
        for row, who in enumerate(shown["annotator"]):
            rows += [
                (name, who, f"{name}/{who}", names[item.labels[at]], at == main[row])
                for at in generator.permutation(np.flatnonzero(named[row]))
            ]
    truth = pd.concat(
        [_truth(name, item, names, chosen) for name, item in each.items()],
        ignore_index=True,
    )
    gold = truth.loc[truth["reported"] > chosen.tau, ["item", "label", "main"]]
    told = read(
        pd.DataFrame(rows, columns=_COLUMNS),
        kind="objects",
        labels=names,
        offered=truth[["item", "label"]],
        gold=gold.astype({"main": "str"}),
    )
    known = pd.DataFrame({"item": list(each), "dataset_label": own}, dtype="str")
    sentence = f"simulated object by object with seed {seed}"
    told = replace(told, items=known, assumptions=(*told.assumptions, sentence))
    return SimulatedObjects(told, {"objects": truth, "annotators": people})


def _chosen(
    settings: Mapping[str, float], items: int, people: int, classes: int, per_item: int
) -> ObjectsSettings:
    known = asdict(ObjectsSettings())
    for name, value in settings.items():
        if name not in known:
            msg = f"objects have no setting {name!r}; they have: {', '.join(known)}"
            raise OptionError(msg)
        if not (np.isfinite(value) and value >= 0):
            msg = f"setting {name} is {value}; give a number from zero"
            raise OptionError(msg)
    chosen = ObjectsSettings(
        **{name: float(value) for name, value in {**known, **settings}.items()}
    )
    shares = (chosen.recall, chosen.picker, chosen.twice, chosen.mistaken, chosen.tau)
    if max(shares) > 1 or not 1 <= chosen.fewest <= chosen.most <= classes:
        msg = (
            "recall, picker, twice, mistaken and tau are shares up to 1, and fewest to "
            f"most labels are on offer of the {classes} there are; change the settings"
        )
        raise OptionError(msg)
    if not (items > 0 and 0 < per_item <= people):
        msg = (
            f"cannot ask {per_item} of {people} annotators about {items} items; ask "
            "for one item or more, and at most that many annotators per item"
        )
        raise OptionError(msg)
    return chosen


def _people(
    generator: np.random.Generator, number: int, chosen: ObjectsSettings
) -> pd.DataFrame:
    picks = logit(chosen.picker) + chosen.picker_spread * generator.normal(size=number)
    return pd.DataFrame(
        {
            "annotator": pd.Series([f"annotator{j}" for j in range(number)]),
            "picker": expit(picks),
            "recall_shift": chosen.recall_spread * generator.normal(size=number),
        }
    )


def _item(
    generator: np.random.Generator, classes: int, chosen: ObjectsSettings
) -> _Item:
    size = int(generator.integers(int(chosen.fewest), int(chosen.most) + 1))
    labels = generator.permutation(classes)[:size]
    block = np.zeros(size, int)
    for place in range(1, size):
        odds = np.append(np.bincount(block[:place]), chosen.new)
        block[place] = generator.choice(len(odds), p=odds / odds.sum())
    block.sort()  # labels are in no order: those of an object may stand together
    share = generator.gamma(chosen.naming, size=size)
    number = int(block.max()) + 1
    weight = chosen.recall_weight
    return _Item(
        labels=labels,
        block=block,
        share=share / np.bincount(block, share)[block],
        salience=generator.dirichlet(np.full(number, chosen.salience)),
        recall=generator.beta(
            chosen.recall * weight, (1 - chosen.recall) * weight, number
        ),
    )


def _responses(
    generator: np.random.Generator,
    item: _Item,
    people: pd.DataFrame,
    chosen: ObjectsSettings,
) -> tuple[Int[np.ndarray, " A"], Bool[np.ndarray, "A n"]]:
    """Return the place of the main label of each response, and which are named."""
    picker = people["picker"].to_numpy()
    shift = people["recall_shift"].to_numpy()[:, None]
    number, block = (len(people), len(item.salience)), item.block
    lister = generator.random((len(people), 1)) >= picker[:, None]
    seen = generator.random(number) < expit(logit(item.recall) + shift)
    twice = generator.random(number) < chosen.twice
    first = generator.choice(len(item.salience), len(people), p=item.salience)
    told = lister & seen
    told[np.arange(len(people)), first] = True
    # The largest of log share + Gumbel is drawn by shares, the next from what is left.
    key = np.log(item.share) + generator.gumbel(size=(len(people), len(block)))
    start = np.flatnonzero(np.diff(block, prepend=-1))
    called = key == np.maximum.reduceat(key, start, axis=1)[:, block]
    rest = np.where(called, -np.inf, key)
    second = rest == np.maximum.reduceat(rest, start, axis=1)[:, block]
    second &= ~called & (lister & twice)[:, block]
    main = (called & (block == first[:, None])).argmax(1)
    return main, told[:, block] & (called | second)


def _own_label(
    generator: np.random.Generator, item: _Item, chosen: ObjectsSettings
) -> int:
    best = _main_place(item)
    others = np.delete(item.labels, best)
    if len(others) and generator.random() < chosen.mistaken:
        return int(generator.choice(others))
    return int(item.labels[best])


def _main_place(item: _Item) -> int:
    """Return the place of what the most salient object is most called."""
    of_main = item.block == item.salience.argmax()
    return int(np.where(of_main, item.share, -1.0).argmax())


def _truth(
    name: str, item: _Item, names: list[str], chosen: ObjectsSettings
) -> pd.DataFrame:
    """Return what the population of annotators would say of an item."""
    lists = 1 - _averaged(np.array([chosen.picker]), chosen.picker_spread)[0]
    recall = _averaged(item.recall, chosen.recall_spread)
    by_lister = item.salience + (1 - item.salience) * recall
    reported = (1 - lists) * item.salience + lists * by_lister
    block, share = item.block, item.share
    alone = share >= 1
    # A second label is drawn from what is left when the first is taken.
    odds = np.where(alone, 0.0, share / np.where(alone, 1.0, 1 - share))
    second = share * (np.bincount(block, odds)[block] - odds)
    given = share + chosen.twice * second
    named = (1 - lists) * item.salience[block] * share + lists * by_lister[
        block
    ] * given
    return pd.DataFrame(
        {
            "item": name,
            "object": block,
            "label": [names[label] for label in item.labels],
            "naming": share,
            "salience": item.salience[block],
            "recall": item.recall[block],
            "reported": reported[block],
            "named": named,
            "main": np.arange(len(block)) == _main_place(item),
        }
    )


def _averaged(
    probability: Float[np.ndarray, " b"], spread: float
) -> Float[np.ndarray, " b"]:
    """Average over annotators whose log-odds differ by so much."""
    node, weight = np.polynomial.hermite_e.hermegauss(41)
    odds = logit(probability)[:, None] + spread * node
    averaged: Float[np.ndarray, " b"] = expit(odds) @ (weight / weight.sum())
    return averaged
