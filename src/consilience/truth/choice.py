"""Choice over candidates: only the labels listed for an item can be its truth.

The prior of a state is the prevalence of its label times the weight of its list entry,
not divided by the sum over the list: that the truth is on the list counts as something
observed. So prevalence is the share of items whose truth is the label, which is right
where the other labels of a list are picked alike whichever listed label is the truth.
Labels that annotators gave, and gold labels, are always on the list.

Lists are held sparse: nothing here is as large as items times labels.

Columns of numbers are prior covariates of each candidate. Their weights are learned
with the annotators, and the prior is then another (`model.summed`); a
column `log_odds` is calibrated already, and taken as it is. One more column says which
candidates are not in the table: annotators gave them, or gold.

**Similarity**: how alike two labels are, as the user says, by a dictionary or a
classifier.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.errors import DataError, FitError, check_columns
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.responses.columns.names import listing
from consilience.truth.coding import (
    GoldRows,
    code_annotators,
    gold_codes,
    gold_rows,
    in_order_of_unit,
)
from consilience.truth.named import LabelPairs, no_pairs
from consilience.truth.space import (
    MAX_LISTED,
    ChoiceSpace,
    Space,
    check_any,
    check_lists,
    no_covariates,
    no_groups,
    numbers,
    standardise,
)


def candidates(
    responses: Responses,
    lists: pd.DataFrame,
    gold: pd.DataFrame | None = None,
    *,
    fixed: bool = True,
) -> ChoiceSpace:
    """Return the space in which each item has a list of labels of its own.

    Parameters
    ----------
    responses
        Responses of kind choice.
    lists
        Columns item, label, and optionally `log_odds`: prior log weight of the label
        for that item (0 where it is missing); or, where there is no `log_odds`, columns
        of prior covariates of the candidate. Items without rows may be any
        label.
    gold
        Columns item, label: the truth of some items.
    fixed
        Whether it is fixed; else its labels are on the lists, and that is all.

    Raises
    ------
    DataError
        A column is missing, no candidate is one of the labels, or a number is none.
    FitError
        The lists are too long for memory.
    """
    responses, sentences = with_candidates(responses, lists)
    space = answers_about(responses)
    items, labels = pd.Index(space.unit_item), pd.Index(space.states)
    entry, row = _entries(lists, items, labels)
    golden = np.zeros(0, np.int64)
    sentences.append("the truth of an item is assumed to be among its candidates")
    if gold is not None:
        given = gold_rows(gold, items, labels)
        item, label = gold_codes(gold, items, labels)
        golden = (item.astype(np.int64) * len(labels) + label)[item >= 0]
        sentences.insert(0, gold_sentence(given))
    code = _complete(space, entry, golden)
    unit, label = np.divmod(code, len(labels))
    weight = np.zeros(len(code))
    weight[np.searchsorted(code, entry)] = _log_odds(lists, row, entry)
    if gold is not None and fixed:
        place = pd.Index(given.item).get_indexer(unit)
        has = place >= 0
        weight[has] += given.log_likelihood[place[has], label[has]]
    length = np.bincount(unit, minlength=len(items))
    shape = (len(items), int(length.max()))
    check_lists(*shape)
    slot = places_within(length)
    # Only differences count: of a shift of all, no exponential need be taken.
    top = np.full(len(items), -np.inf)
    np.maximum.at(top, unit, weight)
    if not np.isfinite(top).all():
        first = items[int(np.argmin(np.isfinite(top)))]
        raise DataError(
            f"candidates: by their log_odds and gold no label of item {first!r} can be "
            "true, or one is infinitely likely; correct its log_odds or its gold label"
        )
    state, log_prior = np.zeros(shape, np.int32), np.full(shape, -np.inf)
    state[unit, slot], log_prior[unit, slot] = label, weight - top[unit]
    names = [name for name in lists.columns if name not in {"item", "label"}]
    if "log_odds" in names and len(names) > 1:
        sentences.append(
            "log_odds of candidates are used as they are, other columns are not used"
        )
    listed = replace(
        space,
        state=state,
        log_prior=log_prior,
        assumptions=(*space.assumptions, *sentences),
    )
    if not names or "log_odds" in names:
        return listed
    values = numbers(lists, names)[row]
    check_any(np.ones(len(row), bool))
    place = np.searchsorted(code, entry)
    return _with_columns(listed, names, values, unit[place], slot[place])


def with_candidates(
    responses: Responses, lists: pd.DataFrame
) -> tuple[Responses, list[str]]:
    """Return responses whose labels are those of candidates as well; say how many."""
    check_columns("candidates have", lists.columns, ("item", "label"))
    items = responses.table["item"].cat.categories.astype("str")
    listed = lists.loc[lists["item"].astype("str").isin(items), "label"].astype("str")
    labels = responses.labels["label"].astype("str")
    if len(listed) and not listed.isin(labels).any():
        raise DataError(
            f"no candidate is one of the labels of the answers: candidates have "
            f"{listing(listed.unique().tolist(), 3)}, answers have "
            f"{listing(labels.tolist(), 3)}; name them alike (`candidates` takes "
            "`label_column=NAME`: what the classifiers' labels are called)"
        )
    new = listed[~listed.isin(labels)].nunique()
    sentences = [f"{new:,} labels of candidates joined those of the answers"]
    return responses.with_labels(listed), sentences if new else []


def _with_columns(
    space: ChoiceSpace,
    names: list[str],
    values: Float[np.ndarray, "E P"],
    unit: Int[np.ndarray, " E"],
    slot: Int[np.ndarray, " E"],
) -> ChoiceSpace:
    """Return the space with what is known of its candidates, by their places."""
    shape = space.log_prior.shape
    size = shape[0] * shape[1] * len(names)
    if size > MAX_LISTED:
        raise FitError(
            f"{len(names)} columns of candidates for {shape[0]:,} items with up to "
            f"{shape[1]:,} labels each make {size:,} numbers, over the {MAX_LISTED:,} "
            "that fit in memory; give fewer columns, or few candidates for every item "
            "(one without any may be every label)"
        )
    observed = np.zeros(shape, bool)
    observed[unit, slot] = True
    order = np.lexsort((slot, unit))
    covariates = standardise(names, values[order], observed)
    has = observed.any(1)
    if (observed.sum(1)[has] == len(space.states)).all():
        return replace(space, covariates=covariates)
    unlisted = space.real & ~observed & has[:, None]
    return replace(space, covariates=covariates.with_unlisted(unlisted))


def offered_lists(responses: Responses) -> pd.DataFrame | None:
    """Return what was on screen for each item as candidates, or None if not listed.

    Where it differed between those who answered about an item, it is all of it.
    """
    if responses.offer != "listed" or responses.offered is None:
        return None
    offered = responses.offered
    if "item" not in offered:
        keys = [key for key in ("response_id", "annotator") if key in offered]
        where = responses.table[[*keys, "item"]].drop_duplicates()
        offered = offered.merge(where.astype("str"), on=keys)
    return offered[["item", "label"]].drop_duplicates()


def _entries(
    lists: pd.DataFrame, items: pd.Index, labels: pd.Index
) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """Return item x label codes of the entries of known items, and their rows."""
    label = labels.get_indexer(pd.Index(lists["label"].astype(str)))
    item = items.get_indexer(pd.Index(lists["item"].astype(str)))
    row = np.flatnonzero(item >= 0)
    return item[row].astype(np.int64) * len(labels) + label[row], row


def _log_odds(
    lists: pd.DataFrame, row: Int[np.ndarray, " E"], entry: Int[np.ndarray, " E"]
) -> Float[np.ndarray, " E"]:
    """Return the log odds of entries; a pair that has two of them is an error."""
    if "log_odds" not in lists:
        return np.zeros(len(row))
    given = lists["log_odds"]
    log_odds = pd.to_numeric(given, errors="coerce")
    wrong = (log_odds.isna() & given.notna()).to_numpy()
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f"candidates, column 'log_odds', row {first + 1}: found "
            f"{given.iloc[first]!r}, "
            "expected a number or nothing; fix it or leave the column out"
        )
    weight: Float[np.ndarray, " E"] = log_odds.fillna(0).to_numpy(float)[row]
    both = pd.DataFrame({"entry": entry, "weight": weight}).drop_duplicates()
    twice = both["entry"].duplicated()
    if twice.any():
        code = both.loc[twice, "entry"].iloc[0]
        one, other = both.loc[both["entry"] == code, "weight"].iloc[:2]
        listed = lists.iloc[row[np.flatnonzero(entry == code)[0]]]
        raise DataError(
            f"candidates: item {listed['item']!r} lists {listed['label']!r} twice, "
            f"with log_odds {one:g} and {other:g}; keep one"
        )
    return weight


def _complete(
    space: ChoiceSpace, entry: Int[np.ndarray, " E"], golden: Int[np.ndarray, " G"]
) -> Int[np.ndarray, " M"]:
    """Return the codes of all entries in order, each once.

    Answers and gold labels join the list of their item; an item without one gets all
    labels.
    """
    num_labels = len(space.states)
    has = np.zeros(space.num_units, bool)
    has[entry // num_labels] = True
    free = np.flatnonzero(~has)
    if len(free):
        check_lists(space.num_units, num_labels)
    answered = space.unit.astype(np.int64) * num_labels + space.answer
    joining = np.concatenate(
        [answered[has[space.unit]], golden[has[golden // num_labels]]]
    )
    whole = free[:, None] * num_labels + np.arange(num_labels)
    return np.unique(np.concatenate([entry, joining, whole.ravel()]))


def answer_slot(space: Space) -> Int[np.ndarray, " N"]:
    """Return the place of each answer on the list of its unit."""
    if space.answers != space.states or not space.ragged:
        return space.answer
    words = listed_answers(space)
    if words.shape[1] == 1:  # the class of each item, which answers need not name
        return np.zeros_like(space.answer)
    unit, slot = np.nonzero(words >= 0)
    listed = unit.astype(np.int64) * len(space.states) + words[unit, slot]
    row = space.unit if len(words) > 1 else np.zeros_like(space.unit)
    answered = row.astype(np.int64) * len(space.states) + space.answer
    return slot[np.searchsorted(listed, answered)].astype(np.int32)


def listed_answers(space: Space) -> Int[np.ndarray, "#U T"]:
    """Return the answers on each list, minus one in padding."""
    if space.answers != space.states:
        return np.arange(len(space.answers), dtype=np.int32)[None]
    return np.where(space.real, space.state, -1)


def classes(
    responses: Responses, gold: pd.DataFrame | None = None, *, fixed: bool = True
) -> ChoiceSpace:
    """Return the space in which any of the labels can be true of any item."""
    space = answers_about(responses)
    check_lists(space.num_units, len(space.states))
    if gold is None:
        return space
    given = gold_rows(gold, pd.Index(space.unit_item), pd.Index(space.states))
    space = replace(space, assumptions=(*space.assumptions, gold_sentence(given)))
    if not fixed:
        return space
    log_prior = np.zeros((space.num_units, len(space.states)))
    log_prior[given.item] = given.log_likelihood
    return replace(space, log_prior=log_prior)


def answers_about(responses: Responses) -> ChoiceSpace:
    """Return the answers of kind choice, with nothing known of the truth."""
    answered = responses.table[["item", "annotator", "label", "n"]]
    given = answered["label"].cat.codes.to_numpy() >= 0
    if not given.all():
        answered = answered[given]
    labels = responses.labels["label"].astype(str)
    if len(labels) == 1:
        raise DataError(
            f"all answers are {labels.iloc[0]!r}: with one label there is nothing to "
            "infer; list the other labels that were on offer with `labels=`"
        )
    items = answered["item"].cat.categories.to_numpy(dtype=object)
    annotator, names, identified = code_annotators(answered["annotator"])
    unit, annotator, answer, n = in_order_of_unit(
        answered["item"].cat.codes.to_numpy().astype(np.int32),
        annotator,
        answered["label"].cat.codes.to_numpy().astype(np.int32),
        answered["n"].to_numpy(),
    )
    return ChoiceSpace(
        unit_item=items,
        annotators=names,
        identified=identified,
        annotator_groups=no_groups(len(names)),
        states=tuple(labels),
        answers=tuple(labels),
        unit=unit,
        annotator=annotator,
        answer=answer,
        n=n,
        state=np.arange(len(labels), dtype=np.int32)[None],
        log_prior=np.zeros((1, len(labels))),
        votes=_own_votes(len(labels)),
        assumptions=responses.assumptions,
        parent=responses.labels["parent"].fillna("").to_numpy(dtype=object),
        similar=no_pairs(),
        covariates=no_covariates(len(items), 0),
    )


def _own_votes(labels: int) -> Float[np.ndarray, "K K"]:
    """Return that each answer is a vote for itself, in a view of 2 K numbers."""
    one = np.zeros(2 * labels - 1)
    one[labels - 1] = 1.0
    return np.lib.stride_tricks.sliding_window_view(one, labels)[::-1]


def gold_sentence(given: GoldRows) -> str:
    """Say of how many items the truth was given, and how many rows are unused."""
    sentence = f"the truth of {len(given.item):,} items was given as gold labels"
    if given.unknown:
        sentence += (
            f"; {given.unknown:,} gold rows name items without responses and are unused"
        )
    return sentence


def similarity(space: ChoiceSpace, table: pd.DataFrame) -> ChoiceSpace:
    """Return the space with the similarity of its labels."""
    labels = np.array(space.states, object)
    return replace(space, similar=similar_labels(labels, table))


def similar_labels(names: Shaped[np.ndarray, " L"], table: pd.DataFrame) -> LabelPairs:
    """Return how alike labels are."""
    pair = ("label", "other_label")
    check_columns("similarity has", table.columns, (*pair, "value"))
    labels = pd.Index(names)
    codes = [labels.get_indexer(table[column].astype(str)) for column in pair]
    value = pd.to_numeric(table["value"], errors="coerce").to_numpy(float)
    wrong = (codes[0] < 0) | (codes[1] < 0) | ~np.isfinite(value)
    if wrong.any():
        first = table.iloc[int(np.argmax(wrong))]
        raise DataError(
            f"similarity of {first['label']!r} and {first['other_label']!r} is "
            f"{first['value']!r}; expected two of the {len(labels)} labels and a number"
        )
    low, high = np.minimum(*codes), np.maximum(*codes)
    pairs = pd.DataFrame({"first": low, "second": high, "value": value})
    pairs = pairs[low != high].drop_duplicates()
    twice = pairs.duplicated(["first", "second"])
    if twice.any():
        one, other = labels[pairs.loc[twice, ["first", "second"]].to_numpy()[0]]
        raise DataError(
            f"similarity of {one!r} and {other!r} is given twice, with different "
            "values; keep one"
        )
    pairs = pairs.sort_values(["first", "second"])
    return LabelPairs(
        pairs["first"].to_numpy(np.int32),
        pairs["second"].to_numpy(np.int32),
        pairs["value"].to_numpy(float),
    )
