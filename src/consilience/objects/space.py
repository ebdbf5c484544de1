"""Objects: which of an item's candidate labels are names of one thing.

The unit is an item. Its truth is a partition of its candidates into objects; the states
are how many objects that makes, and models sum over the partitions of each number. Each
response names some candidates, one of them as the main object. Responses that are alike
are counted, where annotators have no ids.

Items that nobody answered about are left out. Candidates of an item are the labels that
somebody named, those on screen where the responses list them, those of a table of
candidates, and the data set's own label. Answers to the question whether a label is
there (kind contains) are counted for those of them that are candidates.

*None of these* is an answer and no name: it says that an annotator named no candidate,
and nothing of which candidates are one object. It is counted by item.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.errors import DataError, SourceError
from consilience.objects.contains_counts import contains_counts
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.responses.tools.work import NONE
from consilience.truth.choice import offered_lists, similar_labels, with_candidates
from consilience.truth.coding import code_annotators
from consilience.truth.named import MAX_LABELS, NOBODY, LabelPairs, Named, no_pairs
from consilience.truth.space import ObjectsSpace, no_groups, numbers

# Pairs on fewer items say so little of themselves that they are left to their features.
ENOUGH = 5
type Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What each column is called; part of the program, so it has a hash.

    Those of `endorsement` are what makes annotators say yes when they are asked; none
    where nobody was asked. `pairs` are the codes of the labels of those pairs that have
    an affinity of their own; which they are is no part of the program.
    """

    label: tuple[str, ...]
    slope: tuple[str, ...]
    block: tuple[str, ...]
    pair: tuple[str, ...]
    item: tuple[str, ...]
    endorsement: tuple[str, ...] = ()
    pairs: Pairs = field(default=(), compare=False)


def frequent_pairs(named: Named, enough: int = ENOUGH) -> Pairs:
    """Return the pairs of labels that are candidates together of enough items."""
    low, high = np.sort(candidate_pairs(named), axis=0).astype(np.int64)
    code = np.where(low >= 0, low * len(named.labels) + high, -1)
    code, number = np.unique(_each(named, code), return_counts=True)
    first, second = np.divmod(code[number >= enough], len(named.labels))
    return tuple(zip(first.tolist(), second.tolist(), strict=True))


def places(named: Named, pairs: Pairs) -> Int[np.ndarray, "U C C"]:
    """Return which of some pairs each two candidates are; -1 for none."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    frequent = LabelPairs(first, second, np.zeros(len(pairs)))
    place = frequent.place(*candidate_pairs(named))
    return np.where(place < len(pairs), place, -1)


def items_with(named: Named, pairs: Pairs) -> Int[np.ndarray, " P"]:
    """Return on how many items whose answers count each pair is."""
    pair = _each(named, places(named, pairs))
    num_items: Int[np.ndarray, " P"] = np.bincount(pair + 1, minlength=len(pairs) + 1)
    return num_items[1:]


def candidate_pairs(
    named: Named,
) -> tuple[Int[np.ndarray, "U C C"], Int[np.ndarray, "U C C"]]:
    """Return the labels of each two candidates."""
    one = named.candidate[:, :, None]
    first, second = np.broadcast_arrays(one, one.swapaxes(1, 2))
    return first, second


def _each(named: Named, what: Int[np.ndarray, "U C C"]) -> Int[np.ndarray, " _"]:
    """Return what is said of each two candidates, once, of the items that count."""
    first, second = np.triu_indices(named.candidate.shape[1], 1)
    both = (named.candidate[:, second] >= 0) & named.observed[:, None]
    return what[:, first, second][both]


ALIKE = (
    "a similarity of labels was given: where a classifier gave it, "
    "classifiers were used, and the result cannot judge them"
)


def objects(
    responses: Responses,
    lists: pd.DataFrame | None = None,
    contains: Responses | None = None,
    alike: pd.DataFrame | None = None,
) -> ObjectsSpace:
    """Return the space of the partitions of each item's candidates."""
    sentences = list[str]()
    if lists is not None:
        responses, sentences = with_candidates(responses, lists)
    table = responses.table[responses.table["label"].notna()]
    if table.empty:
        raise SourceError("no answer names a label: every question was skipped")
    given = offered_lists(responses) if lists is None else lists
    if given is not None:
        given = given[given["label"].astype(str) != NONE]
    table, unnamed = _nameable(table, responses, given)
    table = table.assign(item=table["item"].cat.remove_unused_categories())
    annotator, annotators, people = code_annotators(table["annotator"])
    rows, none = _without_none(_rows(table, annotator), table)
    items = table["item"].cat.categories.to_numpy(dtype=object)
    labels = responses.labels["label"].astype(str).to_numpy(dtype=object)
    dataset_label = dataset_labels(responses, items, labels)
    listed, covariates, names = _listed(given, items, labels)
    candidate, dropped = _candidates(rows, dataset_label, listed, len(labels))
    named, left_out = _responses(rows, candidate)
    sentences += _sentences(responses, dropped, left_out, int(none.sum()), unnamed)
    counts = None
    if contains is not None:
        counts, counts_sentences = contains_counts(
            contains, items, labels, candidate, dataset_label
        )
        sentences += [f"of contains: {sentence}" for sentence in contains.assumptions]
        sentences += counts_sentences
    similar = no_pairs()
    if alike is not None:
        similar = similar_labels(labels, alike)
        first, second = np.triu_indices(candidate.shape[1], 1)
        values = similar.at(candidate[:, first], candidate[:, second])
        values = values[candidate[:, second] >= 0]
        deviation = values.std() if len(values) else 0.0
        similar = replace(similar, value=similar.value / (deviation or 1.0))
        sentences.append(ALIKE)
    pair = np.arange(len(items))[:, None] * len(labels) + candidate
    pair = np.where(candidate >= 0, pair, -1).ravel()
    of_pairs = pd.DataFrame(covariates, listed).reindex(pair, fill_value=0.0)
    layout = Named(
        labels=labels,
        parents=responses.labels["parent"].fillna("").to_numpy(dtype=object),
        candidate=candidate,
        dataset_label=dataset_label,
        mask=named["mask"].to_numpy(),
        main=named["main"].to_numpy(),
        covariates=of_pairs.to_numpy().reshape(*candidate.shape, len(names)),
        covariate_names=names,
        none=none,
        observed=np.ones(len(items), bool),
        contains_counts=counts,
        similar=similar,
    )
    return assembled(
        layout,
        items,
        annotators,
        people,
        unit=named["unit"].to_numpy(),
        annotator=named["annotator"].to_numpy(),
        n=named["n"].to_numpy(),
        assumptions=(*responses.assumptions, *sentences),
    )


def anonymous(
    named: Named,
    items: Shaped[np.ndarray, " U"],
    unit: Int[np.ndarray, " N"],
    n: Int[np.ndarray, " N"],
) -> ObjectsSpace:
    """Return the space of responses that are coded already, no matter whose."""
    return assembled(
        named,
        items,
        np.array(["(all)"], object),
        np.zeros(1, bool),
        unit=unit,
        annotator=np.zeros(len(unit), np.int64),
        n=n,
    )


def assembled(
    named: Named,
    items: Shaped[np.ndarray, " U"],
    annotators: Shaped[np.ndarray, " J"],
    people: Shaped[np.ndarray, " J"],
    *,
    unit: Int[np.ndarray, " N"],
    annotator: Int[np.ndarray, " N"],
    n: Int[np.ndarray, " N"],
    assumptions: Sequence[str] = (),
) -> ObjectsSpace:
    """Return the space of responses that are coded already; equal ones are counted."""
    most = max(int(named.size.max()), 1)
    code = [unit, annotator, named.main, named.mask]
    counted = pd.Series(n).groupby(code).sum()
    unit, annotator, main, mask = counted.index.to_frame().to_numpy().T
    states = tuple(str(number) for number in range(1, most + 1))
    possible = np.arange(1, most + 1) <= named.size[:, None]
    answer = np.maximum(np.bitwise_count(mask), 1) - 1
    return ObjectsSpace(
        unit_item=items,
        annotators=annotators,
        identified=people,
        annotator_groups=no_groups(len(people)),
        states=states,
        answers=states,
        unit=unit.astype(np.int32),
        annotator=annotator.astype(np.int32),
        answer=answer.astype(np.int32),
        n=counted.to_numpy(np.int64),
        state=np.arange(most, dtype=np.int32)[None],
        log_prior=np.where(possible, 0.0, -np.inf),
        votes=np.eye(most),
        assumptions=tuple(assumptions),
        named=replace(named, main=main, mask=mask),
    )


def dataset_labels(
    responses: Responses,
    items: Shaped[np.ndarray, " U"],
    labels: Shaped[np.ndarray, " L"],
) -> Int[np.ndarray, " U"]:
    """Return the code of each item's own label in the data set; -1: it has none."""
    table = responses.items
    if table is None or "dataset_label" not in table:
        return np.full(len(items), NOBODY)
    rows = table.drop_duplicates("item").set_index(table["item"].astype(str))
    given = rows["dataset_label"].reindex(items.astype(str)).astype(object)
    return pd.Index(labels).get_indexer(given)


def _rows(table: pd.DataFrame, annotator: Int[np.ndarray, " N"]) -> pd.DataFrame:
    """Return codes of the rows in order of response, of which one label is main."""
    response, person = (
        table[name].cat.codes.to_numpy().astype(np.int64)
        for name in ("response_id", "annotator")
    )
    # Rows are of one response by its id, else by their annotator; else each is its own.
    each = 2 * len(table) + np.arange(len(table))
    whose = np.where(person >= 0, len(table) + person, each)
    whose = np.where(response >= 0, response, whose)
    columns = {
        "response": table.groupby([table["item"].cat.codes, whose]).ngroup().to_numpy(),
        "unit": table["item"].cat.codes.to_numpy(),
        "annotator": annotator,
        "label": table["label"].cat.codes.to_numpy().astype(np.int64),
        "n": table["n"].to_numpy(),
        "main": table["main"].astype("boolean").fillna(value=False).to_numpy(bool),
        "row": np.arange(len(table)),
    }
    rows = pd.DataFrame(columns).sort_values(
        "response", kind="stable", ignore_index=True
    )
    by_response = rows.groupby("response")
    rows["main"] |= by_response["main"].transform("size") == 1
    number = by_response["main"].transform("sum")
    if (number != 1).any():
        first = int((number != 1).to_numpy().argmax())
        bad = table.iloc[rows["row"].to_numpy()[first]]
        raise DataError(
            f"an answer about item {bad['item']!r} (response {bad['response_id']!r}) "
            f"marks {int(number.iloc[first])} of its labels as the main object; "
            "expected one: fix it, or name the column of the main object (`main=NAME`)"
        )
    return rows


def _nameable(
    table: pd.DataFrame, responses: Responses, given: pd.DataFrame | None
) -> tuple[pd.DataFrame, int]:
    """Leave out items of which no candidate is known, and return how many they are."""
    is_none = table["label"] == NONE
    if not is_none.any():
        return table, 0
    named = set(table.loc[~is_none, "item"].astype(str))
    if not named:
        raise SourceError(f"no answer names a label: all of them are {NONE!r}")
    if given is not None:
        named |= set(given["item"].astype(str))
    items = responses.items
    if items is not None and "dataset_label" in items:
        named |= set(items.loc[items["dataset_label"].notna(), "item"].astype(str))
    kept = table["item"].astype(str).isin(named)
    return table[kept], table.loc[~kept, "item"].nunique()


def _without_none(
    rows: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.DataFrame, Int[np.ndarray, " U"]]:
    """Leave out answers whose main object is none of the candidates, and count them."""
    units = len(table["item"].cat.categories)
    is_none = (
        rows["label"] == table["label"].cat.categories.get_indexer(pd.Index([NONE]))[0]
    )
    is_empty = (is_none & rows["main"]).groupby(rows["response"]).transform("any")
    empty = rows[is_empty].drop_duplicates("response")
    none = np.bincount(empty["unit"], empty["n"], units).astype(np.int64)
    left = rows[~is_empty & ~is_none].reset_index(drop=True)
    return left.assign(response=pd.factorize(left["response"])[0]), none


def _listed(
    given: pd.DataFrame | None,
    items: Shaped[np.ndarray, " U"],
    labels: Shaped[np.ndarray, " L"],
) -> tuple[Int[np.ndarray, " P"], Float[np.ndarray, "P X"], tuple[str, ...]]:
    """Return item and label of each listed candidate, and numbers known of them."""
    if given is None:
        return np.zeros(0, np.int64), np.zeros((0, 0)), ()
    names = tuple(str(name) for name in given.columns if name not in ("item", "label"))
    item, label = (
        pd.Index(codes.astype(str)).get_indexer(given[column].astype(str))
        for codes, column in ((items, "item"), (labels, "label"))
    )
    matched = item >= 0
    pair = item[matched].astype(np.int64) * len(labels) + label[matched]
    return pair, numbers(given, names)[matched], names


def _candidates(
    rows: pd.DataFrame,
    dataset_label: Int[np.ndarray, " U"],
    listed: Int[np.ndarray, " P"],
    num_labels: int,
) -> tuple[Int[np.ndarray, "U C"], int]:
    """Return candidates of each item, the most named where they are too many."""
    num_items = len(dataset_label)
    has_label = np.flatnonzero(dataset_label >= 0)
    pairs = np.concatenate(
        [
            rows["unit"].astype(np.int64) * num_labels + rows["label"],
            has_label * num_labels + dataset_label[has_label],
            listed,
        ]
    )
    votes = np.concatenate(
        [rows["n"] + 1.0, np.full(len(has_label), 1e6), np.ones(len(listed))]
    )
    code, where = np.unique(pairs, return_inverse=True)
    weight = np.bincount(where.ravel(), votes)
    unit, label = np.divmod(code, num_labels)
    rank = places_within(np.bincount(unit, minlength=num_items))
    order = np.lexsort([label, -weight, unit])
    kept = np.sort(order[rank < MAX_LABELS])
    dropped = len(np.unique(unit[order[rank >= MAX_LABELS]]))
    unit, label = unit[kept], label[kept]
    rank = places_within(np.bincount(unit, minlength=num_items))
    candidates = np.full((num_items, max(int(rank.max(initial=0)) + 1, 1)), NOBODY)
    candidates[unit, rank] = label
    return candidates, dropped


def _responses(
    rows: pd.DataFrame, candidate: Int[np.ndarray, "U C"]
) -> tuple[pd.DataFrame, float]:
    """Return mask and main slot of each response, and the share of names left out."""
    hit = candidate[rows["unit"]] == rows["label"].to_numpy()[:, None]
    here, slot = hit.any(1), hit.argmax(1)
    responses = rows.drop_duplicates("response")
    mask = np.bitwise_or.reduceat(np.where(here, 1 << slot, 0), responses.index)
    main = np.full(len(responses), NOBODY)
    marked = rows["main"] & here
    main[rows["response"][marked]] = slot[marked]
    left_out = rows["n"][~here].sum() / rows["n"].sum()
    return responses.assign(mask=mask, main=main)[main >= 0], float(left_out)


def _sentences(
    responses: Responses, dropped: int, left_out: float, none: int, unnamed: int
) -> list[str]:
    sentences = []
    if responses.offer == "unknown":
        sentences.append(
            "labels that nobody named, and that are not the data set's own, were taken "
            "to be absent"
        )
    if dropped:
        sentences.append(
            f"{dropped:,} items have more than {MAX_LABELS} candidates: the most "
            f"named are kept, and with the others {left_out:.2%} of all names given "
            "are left out"
        )
    if none:
        sentences.append(
            f"{none:,} answers are {NONE!r}: they name no object, and count where it "
            "is asked how many annotators name one"
        )
    if unnamed:
        sentences.append(
            f"{unnamed:,} items are left out, because all answers about them are "
            f"{NONE!r} and no candidate is known"
        )
    return sentences
