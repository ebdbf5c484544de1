"""Contains: a label is present in an item or absent; answers are no, maybe or yes.

The unit is a pair of item and label. With two states, absent and present, a *maybe*
is half a vote for each. With three, absent, unclear and present, an unclear pair counts
half towards P(present): of the pairs that raters call *maybe*, experts accept half.

**Similar labels of one item in sets, and which were shown together.** Two labels are in
one set if they are similar, or linked by labels of that item that are. Of a set, two
were shown together if at least half of the annotators of either were asked about both,
or if labels that were link them.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array, csr_array

from consilience.errors import DataError, OptionError, check_columns
from consilience.responses import Responses
from consilience.truth.coding import code_annotators, gold_chances, in_order_of_unit
from consilience.truth.named import LabelPairs
from consilience.truth.space import (
    ContainsSpace,
    Covariates,
    Groups,
    SimilarSets,
    check_any,
    no_covariates,
    no_groups,
    numbers,
    standardise,
)
from consilience.when_used import csgraph, special

ANSWERS = ("no", "maybe", "yes")
STATES = {2: ("absent", "present"), 3: ("absent", "unclear", "present")}
PRESENT = "a label is present if"  # begins what is said of the meaning
# What may make a label present; the first is what is reported.
MEANINGS = (
    "as reported",
    "nearer to labels that are there",
    "above the cut that tells most",
    "half of six say at least maybe",
    "half of six, a maybe as half a yes",
    "half of six say yes",
)
# Answers that endorse a label, by the last three.
ENDORSING = np.array([[0.0, 0.0, 0.0], [1.0, 0.5, 0.0], [1.0, 1.0, 1.0]])
PANEL = 6
VOTES = {2: ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0)), 3: tuple(np.eye(3).tolist())}


def shares_by_meaning(
    answers: Float[np.ndarray, "D K L"],
    prevalence: Float[np.ndarray, "D K"],
    present: Float[np.ndarray, " K"],
    reported: float,
) -> Float[np.ndarray, "D V"]:
    """Return the share of pairs that are present by each meaning that tables have.

    The first is that of the reported probabilities, whose mean the draws are moved to.
    That half of a panel of new annotators would endorse a label has the probability of
    a binomial tail, given the state of the label.
    """
    endorsed = np.clip(answers @ ENDORSING, 0.0, 1.0)
    half = PANEL // 2
    panels = special.betainc(half, PANEL - half + 1, endorsed)
    shares = np.full((len(prevalence), len(MEANINGS)), np.nan)
    shares[:, 0] = prevalence @ present
    shares[:, 0] += reported - shares[:, 0].mean()
    shares[:, -ENDORSING.shape[1] :] = np.einsum("dk,dkm->dm", prevalence, panels)
    return shares


def presence(
    responses: Responses,
    num_states: int = 2,
    gold: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
    *,
    fixed: bool = True,
) -> ContainsSpace:
    """Return the space of every item and label that was asked about.

    The truth of pairs with gold labels is fixed, or not.
    """
    if num_states not in STATES:
        raise OptionError(f"a label is in one of 2 or 3 states, not {num_states}")
    table = responses.table
    num_labels = len(table["label"].cat.categories)
    pair = table["item"].cat.codes.to_numpy().astype(np.int64) * num_labels
    pair += table["label"].cat.codes.to_numpy()
    pairs, unit = np.unique(pair, return_inverse=True)
    answered = table["answer"].notna().to_numpy()
    annotator, names, identified = code_annotators(table.loc[answered, "annotator"])
    word = table["answer"].astype(pd.CategoricalDtype(list(ANSWERS)))
    unit, annotator, answer, n = in_order_of_unit(
        unit[answered].astype(np.int32),
        annotator,
        word.cat.codes.to_numpy()[answered].astype(np.int32),
        table["n"].to_numpy()[answered],
    )
    items = table["item"].cat.categories.to_numpy(dtype=object)[pairs // num_labels]
    labels = table["label"].cat.categories.to_numpy(dtype=object)[pairs % num_labels]
    states, log_prior = STATES[num_states], np.zeros((1, num_states))
    if gold is not None and fixed:
        log_prior = _gold_prior(gold, items, labels, num_states)
    units = np.arange(len(pairs), dtype=np.int32)
    return ContainsSpace(
        unit_item=items,
        unit_label=labels,
        annotators=names,
        identified=identified,
        annotator_groups=no_groups(len(names)),
        states=states,
        answers=ANSWERS,
        unit=unit,
        annotator=annotator,
        answer=answer,
        n=n,
        state=np.arange(num_states, dtype=np.int32)[None],
        log_prior=log_prior,
        votes=np.asarray(VOTES[num_states]),
        present=np.linspace(0.0, 1.0, num_states),
        assumptions=responses.assumptions,
        groups=_groups(responses.labels, labels),
        similar_sets=SimilarSets(units, units),
        covariates=(
            no_covariates(len(pairs))
            if covariates is None
            else _covariates(covariates, items, labels)
        ),
    )


def _groups(table: pd.DataFrame, labels: np.ndarray) -> Groups:
    parent = table.set_index(table["label"].astype(str))["parent"]
    of_unit = parent.reindex(labels.astype(str)).fillna("").astype(str)
    names, code = np.unique(of_unit.to_numpy(dtype=object), return_inverse=True)
    if list(names) == [""]:
        names = names[:0]
    return Groups(code.astype(np.int32), names.astype(object))


def _covariates(
    table: pd.DataFrame, items: np.ndarray, labels: np.ndarray
) -> Covariates:
    names = [name for name in table.columns if name not in {"item", "label"}]
    if not {"item", "label"} <= set(table.columns) or not names:
        columns = ", ".join(map(str, table.columns))
        raise DataError(
            f"candidates of contains responses have the columns {columns}; give item, "
            "label, and a column of numbers for each property of a label that is known"
        )
    values = numbers(table, names)
    pairs = pd.MultiIndex.from_frame(table[["item", "label"]].astype(str))
    units = pd.MultiIndex.from_arrays([items.astype(str), labels.astype(str)])
    row = pairs.get_indexer(units)
    listed = row >= 0
    check_any(listed)
    return standardise(names, values[row[listed]], listed)


def _gold_prior(
    gold: pd.DataFrame, items: np.ndarray, labels: np.ndarray, num_states: int
) -> Float[np.ndarray, "U S"]:
    """Return what gold says of presence: the mean of the rows about each pair."""
    if "answer" not in gold or not gold["answer"].isin(["yes", "no"]).all():
        raise DataError(
            "gold of contains responses needs a column 'answer' of yes and no"
        )
    units = pd.MultiIndex.from_arrays([items, labels])
    rows = pd.MultiIndex.from_arrays(
        [gold["item"].astype(str), gold["label"].astype(str)]
    )
    if not {"annotator", "probability"} & {*gold.columns}:
        answers = gold.drop_duplicates(["item", "label", "answer"])
        twice = answers[answers.duplicated(["item", "label"])]
        if len(twice):
            item, label = twice.iloc[0][["item", "label"]]
            raise DataError(
                f"gold: item {item!r}, label {label!r} is answered both yes and no; "
                "keep one of the rows, or say in a column annotator which expert said "
                "which"
            )
    where, chance = units.get_indexer(rows), gold_chances(gold)
    yes = np.where(gold["answer"].to_numpy() == "yes", chance, 1 - chance)
    number = np.bincount(where[where >= 0], minlength=len(items))
    present = np.bincount(where[where >= 0], yes[where >= 0], len(items))
    share = present / np.maximum(number, 1)
    likelihood = np.zeros((len(items), num_states))
    likelihood[:, 0], likelihood[:, -1] = 1 - share, share
    with np.errstate(divide="ignore"):
        return np.where(number[:, None] > 0, np.log(likelihood), 0.0)


# Similarity from which a label leads: that at which the leading question was measured
# on the reassessed ImageNet labels, as a share of classifiers' guesses.
SIMILAR = 0.05
SHOWN = 0.5  # share of the annotators of either label that were asked about both


def similar_sets(space: ContainsSpace, table: pd.DataFrame | None) -> ContainsSpace:
    """Return the space with its similar labels in sets."""
    groups, number = space.groups, space.num_units
    if table is None and not len(groups.names):
        return space
    first, second = _of_one_item(space)
    if table is not None:
        alike = _similarity(space, table, first, second) >= SIMILAR
    else:
        alike = groups.code[first] == groups.code[second]
        alike &= groups.names[groups.code[first]] != ""
    of_set = _linked(first[alike], second[alike], number)
    inside = of_set[first] == of_set[second]
    first, second = first[inside], second[inside]
    shown_together = _shown(space, first, second)
    shown = _linked(first[shown_together], second[shown_together], number)
    return replace(space, similar_sets=SimilarSets(of_set, shown))


def _of_one_item(
    space: ContainsSpace,
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Return all pairs of units of one item, each once, the first below the second."""
    units = pd.DataFrame({"item": pd.factorize(space.unit_item)[0]})
    pairs = units.reset_index().merge(units.reset_index(), on="item")
    first, second = pairs["index_x"].to_numpy(), pairs["index_y"].to_numpy()
    once = first < second
    return first[once], second[once]


def _linked(
    first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"], number: int
) -> Int[np.ndarray, " U"]:
    """Return which units are linked, by a code each."""
    links = coo_array((np.ones(len(first), bool), (first, second)), (number, number))
    return csgraph.connected_components(links, directed=False)[1]


def _shown(
    space: ContainsSpace, first: Int[np.ndarray, " P"], second: Int[np.ndarray, " P"]
) -> Bool[np.ndarray, " P"]:
    """Return whether enough annotators of either unit were asked about both."""
    shape = (space.num_units, space.num_annotators)
    count = csr_array((np.ones(len(space.unit)), (space.unit, space.annotator)), shape)
    was_asked = (count > 0).astype(np.int32)
    num_annotators = np.asarray(was_asked.sum(1)).ravel()
    both = np.asarray((was_asked[first] * was_asked[second]).sum(1)).ravel()
    fewer = np.minimum(num_annotators[first], num_annotators[second])
    return both >= SHOWN * np.maximum(fewer, 1)


def _similarity(
    space: ContainsSpace,
    table: pd.DataFrame,
    first: Int[np.ndarray, " P"],
    second: Int[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    """Return how alike the labels of each two units are; zero where none says so."""
    check_columns("similarity has", table.columns, ("label", "other_label"))
    label, names = pd.factorize(space.unit_label.astype(str), sort=True)
    pair = [
        pd.Index(names).get_indexer(pd.Index(table[name].astype(str)))
        for name in ("label", "other_label")
    ]
    value = np.ones(len(table))
    if "value" in table:
        value = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    wrong = ~(np.isfinite(value) & (value >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"similarity, row {row + 1}: found {table['value'].iloc[row]!r}, expected "
            "a number of zero or more; fix it or leave the row out"
        )
    low, high = np.minimum(*pair).astype(np.int64), np.maximum(*pair)
    if not (low >= 0).any():
        raise DataError(
            "similarity names no two labels of the responses; check that both name "
            "them alike"
        )
    code = (low * len(names) + high)[low >= 0]
    largest = pd.Series(value[low >= 0]).groupby(code).max()
    listed = LabelPairs(
        *np.divmod(largest.index.to_numpy(), len(names)), largest.to_numpy()
    )
    return listed.at(label[first], label[second])
