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
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.responses import Responses, read
from consilience.responses.table import ANSWERS
from consilience.simulation.one_item import (
    ObjectsSettings,
    draw_contains,
    draw_dataset_label,
    draw_item,
    draw_people,
    draw_responses,
    item_truth,
)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedObjects:
    """Simulated responses and the truth behind them."""

    responses: Responses
    truth: Mapping[str, pd.DataFrame]
    contains: Responses | None = None


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
    """Draw responses of kind objects with known truth."""
    chosen = _settings(settings or {}, items, annotators, classes, per_item)
    generator = np.random.default_rng(seed)
    names = [f"class{number}" for number in range(classes)]
    people = draw_people(generator, annotators, chosen)
    drawn_items = {
        f"item{i}": draw_item(generator, classes, chosen) for i in range(items)
    }
    dataset_labels = [
        names[draw_dataset_label(generator, item, chosen)]
        for item in drawn_items.values()
    ]
    rows: list[tuple[object, ...]] = []
    for name, item in drawn_items.items():
        shown = people.iloc[generator.permutation(annotators)[:per_item]]
        main, named = draw_responses(generator, item, shown, chosen)
        for row, who in enumerate(shown["annotator"]):
            rows += [
                (name, who, f"{name}/{who}", names[item.labels[at]], at == main[row])
                for at in generator.permutation(np.flatnonzero(named[row]))
            ]
    truth = pd.concat(
        [item_truth(name, item, names, chosen) for name, item in drawn_items.items()],
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
    return SimulatedObjects(
        responses,
        {"objects": truth, "annotators": people},
        _contains(truth, names, chosen, seed) if chosen.contains_answers else None,
    )


def _contains(
    truth: pd.DataFrame, names: list[str], chosen: ObjectsSettings, seed: int
) -> Responses:
    """Draw what is said of each label on offer, from random numbers of its own."""
    generator = np.random.default_rng([seed, 1])
    counts = draw_contains(generator, truth["reported"].to_numpy(), chosen)
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
            msg = f"objects have no setting {name!r}; they have: {', '.join(defaults)}"
            raise OptionError(msg)
        if not (np.isfinite(value) and value >= 0):
            msg = f"setting {name} is {value}; give a number from zero"
            raise OptionError(msg)
    chosen = ObjectsSettings(
        **{name: float(value) for name, value in {**defaults, **settings}.items()}
    )
    shares = (
        *(chosen.recall, chosen.single_label, chosen.twice, chosen.mistaken),
        *(chosen.tau, chosen.maybe),
    )
    if max(shares) > 1 or not 1 <= chosen.fewest <= chosen.most <= classes:
        msg = (
            "recall, single_label, twice, mistaken, tau and maybe are shares up to 1, "
            f"and fewest to most labels are on offer of the {classes} there are; "
            "change the settings"
        )
        raise OptionError(msg)
    if not (items > 0 and 0 < per_item <= people):
        msg = (
            f"cannot ask {per_item} of {people} annotators about {items} items; ask "
            "for one item or more, and at most that many annotators per item"
        )
        raise OptionError(msg)
    return chosen
