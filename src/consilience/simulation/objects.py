r"""Simulated responses of kind objects, with known partitions.

The generator shares no code with any model, so that estimates can be compared with an
independent truth. For each item

1. candidate labels are drawn from all labels and assigned to objects one after another:
   a label starts a new object with odds `new` against the number of labels before it,
   or joins an object with odds the number of its labels (a Chinese restaurant process);
2. objects have a salience, labels a share in the naming of their object (both
   Dirichlet), and objects a recall (Beta);
3. each annotator draws a main object by salience. A *single-label response* names it
   alone; an *exhaustive response* names it and each other object with the object's
   recall. An object is named by one of its labels, by their shares; with probability
   `twice`, an exhaustive response adds a second label of the same object;
4. the data-set label is the most frequent name of the most salient object or, with
   probability `mistaken`, another candidate.

Annotators differ in the rate of single-label responses and in recall (normal in
log-odds).

With `contains_answers`, each candidate also gets that many answers no, maybe or yes:
annotators endorse a label as often as they report its object, shifted by `leading` in
log-odds and by a normal draw for each label.

**What is true** stands in the tables of `truth`. An object is `reported` by the share
of all annotators that there might be (those of the study are a sample) that name it; a
label is `named` by so many. Gold holds the labels of objects that more than `tau`
report.

References
----------
Pitman (2006), Combinatorial stochastic processes, section 3.1, for the partitions.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import expit, logit

from consilience.errors import OptionError
from consilience.responses import Responses, read
from consilience.responses.options import ANSWERS

_COLUMNS = ["item", "annotator", "response_id", "label", "main"]


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Simulated responses and the truth behind them.

    Attributes
    ----------
    responses : Responses
        Responses as if read from a file; `responses.gold` holds the true labels.
    parameters : mapping of str to array
        The parameters drawn, by name; confusions have the axes annotator, true label
        and given label.
    truth : mapping of str to pandas.DataFrame
        Tables of the truth that gold labels cannot express, by name (objects).
    contains : Responses, optional
        Responses of kind contains about the same items (objects, where labels were
        asked about: ``prior={"contains_answers": 5}``).

    See Also
    --------
    consilience.simulate : Draw responses with known truth.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> sorted(study.truth)
    ['annotators', 'objects']
    >>> study.responses.gold[["item", "label"]].head(3)
        item   label
    0  item0  class5
    1  item0  class4
    2  item1  class0
    """

    responses: Responses
    parameters: Mapping[str, np.ndarray]
    truth: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    contains: Responses | None = None


def simulate_objects(
    *,
    items: int = 200,
    annotators: int = 20,
    classes: int = 20,
    per_item: int = 5,
    settings: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Simulated:
    """Draw responses of kind objects with known truth."""
    chosen = _settings(settings or {}, items, annotators, classes, per_item)
    generator = np.random.default_rng(seed)
    names = [f"class{number}" for number in range(classes)]
    effects = chosen.single_label_spread * generator.normal(size=annotators)
    people = pd.DataFrame(
        {
            "annotator": pd.Series([f"annotator{j}" for j in range(annotators)]),
            "single_label": expit(logit(chosen.single_label) + effects),
            "recall_shift": chosen.recall_spread * generator.normal(size=annotators),
        }
    )
    drawn_items = {
        f"item{i}": _draw_item(generator, classes, chosen) for i in range(items)
    }
    dataset_labels = [
        names[_draw_dataset_label(generator, item, chosen.mistaken)]
        for item in drawn_items.values()
    ]
    rows: list[tuple[object, ...]] = []
    for name, item in drawn_items.items():
        shown = people.iloc[generator.permutation(annotators)[:per_item]]
        main, named = _draw_responses(generator, item, shown, chosen.twice)
        for row, who in enumerate(shown["annotator"]):
            rows += [
                (name, who, f"{name}/{who}", names[item.labels[at]], at == main[row])
                for at in generator.permutation(np.flatnonzero(named[row]))
            ]
    truth = pd.concat(
        [_truth(name, item, names, chosen) for name, item in drawn_items.items()],
        ignore_index=True,
    )
    gold = truth.loc[truth["reported"] > chosen.tau, ["item", "label", "main"]]
    responses = read(
        pd.DataFrame(rows, columns=_COLUMNS),
        kind="objects",
        labels=names,
        offered=truth[["item", "label"]],
        gold=gold.astype({"main": "str"}),
    )
    item_table = pd.DataFrame(
        {"item": list(drawn_items), "dataset_label": dataset_labels}, dtype="str"
    )
    sentence = f"simulated object by object with seed {seed}"
    responses = replace(
        responses, items=item_table, assumptions=(*responses.assumptions, sentence)
    )
    return Simulated(
        responses,
        parameters={},
        truth={"objects": truth, "annotators": people},
        contains=_contains(truth, names, chosen, seed),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsSettings:
    """Settings of the simulation of items and annotators (kind objects).

    Attributes
    ----------
    fewest, most : float
        Bounds of the number of labels on offer for an item, which is uniform.
    new : float
        Odds of a new object against each label that is already assigned.
    salience, naming : float
        Concentration of the Dirichlet distribution of each.
    recall, recall_weight : float
        Mean of the recall of objects, and the prior sample size of its Beta
        distribution.
    single_label : float
        Share of single-label responses of the typical annotator.
    single_label_spread, recall_spread : float
        Standard deviation between annotators, in log-odds, of single-label responses
        and of recall.
    twice : float
        Probability that an exhaustive response adds a second label of an object that
        it has already named.
    mistaken : float
        Probability that the data set's label is not the main one.
    tau : float
        Objects that are reported more often than this are present in the gold labels.
    contains_answers : float
        How many annotators are asked about each label on offer; 0 for none.
    leading : float
        Log odds ratio between endorsing a label when asked and naming its object
        unasked.
    endorsement_spread : float
        Standard deviation of endorsement between labels of items, in log-odds.
    maybe : float
        Share of *maybe* among the answers where yes and no are equally likely.

    See Also
    --------
    consilience.simulate : Takes these settings as its argument `prior`.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.simulation import ObjectsSettings
    >>> ObjectsSettings().single_label
    0.5
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4,
    ...     prior={"single_label": 1.0, "single_label_spread": 0.001}, seed=0,
    ... )
    >>> len(study.responses.table) / study.responses.num_items
    4.0
    """

    fewest: float = 2.0
    most: float = 6.0
    new: float = 2.0
    salience: float = 1.5
    naming: float = 1.5
    recall: float = 0.45
    recall_weight: float = 4.0
    single_label: float = 0.5
    single_label_spread: float = 1.0
    recall_spread: float = 0.5
    twice: float = 0.05
    mistaken: float = 0.3
    tau: float = 0.5
    contains_answers: float = 0.0
    leading: float = 1.0
    endorsement_spread: float = 1.0
    maybe: float = 0.2


def _contains(
    truth: pd.DataFrame, names: list[str], chosen: ObjectsSettings, seed: int
) -> Responses | None:
    """Draw what is said of each label on offer, from random numbers of its own."""
    if not chosen.contains_answers:
        return None
    generator = np.random.default_rng([seed, 1])
    spread = chosen.endorsement_spread * generator.normal(size=len(truth))
    yes = expit(logit(truth["reported"].to_numpy()) + chosen.leading + spread)
    half = 2 * chosen.maybe * yes * (1 - yes)
    shares = np.stack([1 - yes - half, 2 * half, yes - half], axis=1)
    counts = generator.multinomial(int(chosen.contains_answers), shares)
    counted = truth[["item", "label"]].loc[np.repeat(truth.index, len(ANSWERS))]
    counted = counted.assign(answer=list(ANSWERS) * len(truth), n=counts.ravel())
    responses = read(
        counted[counted["n"] > 0].reset_index(drop=True), kind="contains", labels=names
    )
    sentence = f"simulated label by label with seed {seed}"
    return replace(responses, assumptions=(*responses.assumptions, sentence))


def _settings(
    settings: Mapping[str, float], items: int, people: int, classes: int, per_item: int
) -> ObjectsSettings:
    defaults = asdict(ObjectsSettings())
    for name, value in settings.items():
        if name not in defaults:
            raise OptionError(
                f"objects have no setting {name!r}; they have: {', '.join(defaults)}"
            )
        if not (np.isfinite(value) and value >= 0):
            raise OptionError(f"setting {name} is {value}; give a number from zero")
    chosen = ObjectsSettings(**{name: float(v) for name, v in settings.items()})
    shares = (
        *(chosen.recall, chosen.single_label, chosen.twice, chosen.mistaken),
        *(chosen.tau, chosen.maybe),
    )
    if max(shares) > 1 or not 1 <= chosen.fewest <= chosen.most <= classes:
        raise OptionError(
            "recall, single_label, twice, mistaken, tau and maybe are shares up to 1, "
            f"and fewest to most labels are on offer of the {classes} there are; "
            "change the settings"
        )
    if not (items > 0 and 0 < per_item <= people):
        raise OptionError(
            f"cannot ask {per_item} of {people} annotators about {items} items; ask "
            "for one item or more, and at most that many annotators per item"
        )
    return chosen


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """What is true of one item."""

    labels: Int[np.ndarray, " n"]
    block: Int[np.ndarray, " n"]
    share: Float[np.ndarray, " n"]
    salience: Float[np.ndarray, " b"]
    recall: Float[np.ndarray, " b"]

    @property
    def main(self) -> int:
        """Place of what the most salient object is most called."""
        of_main = self.block == self.salience.argmax()
        return int(np.where(of_main, self.share, -1.0).argmax())


def _draw_item(
    generator: np.random.Generator, classes: int, chosen: ObjectsSettings
) -> _Item:
    """Draw what is true of an item."""
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


def _draw_responses(
    generator: np.random.Generator, item: _Item, people: pd.DataFrame, twice: float
) -> tuple[Int[np.ndarray, " A"], Bool[np.ndarray, "A n"]]:
    """Return the place of the main label of each response, and which are named."""
    rate = people["single_label"].to_numpy()
    shift = people["recall_shift"].to_numpy()[:, None]
    number, block = (len(people), len(item.salience)), item.block
    exhaustive = generator.random((len(people), 1)) >= rate[:, None]
    detected = generator.random(number) < expit(logit(item.recall) + shift)
    adds = generator.random(number) < twice
    first = generator.choice(len(item.salience), len(people), p=item.salience)
    reported = exhaustive & detected
    reported[np.arange(len(people)), first] = True
    # The largest of log share + Gumbel is drawn by shares, the next from what is left.
    key = np.log(item.share) + generator.gumbel(size=(len(people), len(block)))
    start = np.flatnonzero(np.diff(block, prepend=-1))
    called = key == np.maximum.reduceat(key, start, axis=1)[:, block]
    rest = np.where(called, -np.inf, key)
    second = rest == np.maximum.reduceat(rest, start, axis=1)[:, block]
    second &= ~called & (exhaustive & adds)[:, block]
    main = (called & (block == first[:, None])).argmax(1)
    return main, reported[:, block] & (called | second)


def _draw_dataset_label(
    generator: np.random.Generator, item: _Item, mistaken: float
) -> int:
    others = np.delete(item.labels, item.main)
    if len(others) and generator.random() < mistaken:
        return int(generator.choice(others))
    return int(item.labels[item.main])


def _truth(
    name: str, item: _Item, names: list[str], chosen: ObjectsSettings
) -> pd.DataFrame:
    """Return what the population of annotators would say of an item."""
    node, weight = np.polynomial.hermite_e.hermegauss(41)
    weight /= weight.sum()
    spread = chosen.single_label_spread * node
    lists = 1 - expit(logit(chosen.single_label) + spread) @ weight
    odds = logit(item.recall)[:, None] + chosen.recall_spread * node
    by_lister = item.salience + (1 - item.salience) * (expit(odds) @ weight)
    reported = (1 - lists) * item.salience + lists * by_lister
    block, share = item.block, item.share
    alone = share >= 1
    # A second label is drawn from what is left when the first is taken.
    odds = np.where(alone, 0.0, share / np.where(alone, 1.0, 1 - share))
    second = share * (np.bincount(block, odds)[block] - odds)
    by_picker = (1 - lists) * item.salience[block] * share
    named = by_picker + lists * by_lister[block] * (share + chosen.twice * second)
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
            "main": np.arange(len(block)) == item.main,
        }
    )
