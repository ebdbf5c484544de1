"""Contains: a label is present in an item or absent; answers are no, maybe or yes.

The unit is a pair of item and label. With two states, absent and present, a *maybe*
is half a vote for each. With three, absent, unclear and present, an unclear pair counts
half towards P(present): of the pairs that raters call *maybe*, experts accept half.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import DataError, OptionError
from consilience.responses import Responses
from consilience.truth.coding import code_annotators, in_order_of_unit
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

ANSWERS = ("no", "maybe", "yes")
STATES = {2: ("absent", "present"), 3: ("absent", "unclear", "present")}
# What may make a label present; the first is what is reported.
MEANINGS = (
    "as reported",
    "nearer to labels that are there",
    "above the cut that tells most",
    "half of six say at least maybe",
    "half of six, a maybe as half a yes",
    "half of six say yes",
)
VOTES = {2: ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0)), 3: tuple(np.eye(3).tolist())}


def presence(
    responses: Responses,
    num_states: int = 2,
    gold: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
) -> ContainsSpace:
    """Return the space of every item and label that was asked about."""
    if num_states not in STATES:
        msg = f"a label is in one of 2 or 3 states, not {num_states}"
        raise OptionError(msg)
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
    states = STATES[num_states]
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
        log_prior=_gold_prior(gold, items, labels, num_states),
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
        msg = (
            f"candidates of contains responses have the columns {columns}; give item, "
            "label, and a column of numbers for each property of a label that is known"
        )
        raise DataError(msg)
    values = numbers(table, names)
    pairs = pd.MultiIndex.from_frame(table[["item", "label"]].astype(str))
    units = pd.MultiIndex.from_arrays([items.astype(str), labels.astype(str)])
    row = pairs.get_indexer(units)
    listed = row >= 0
    check_any(listed)
    return standardise(names, values[row[listed]], listed)


def _gold_prior(
    gold: pd.DataFrame | None, items: np.ndarray, labels: np.ndarray, num_states: int
) -> Float[np.ndarray, "#U S"]:
    if gold is None:
        return np.zeros((1, num_states))
    if "answer" not in gold or not gold["answer"].isin(["yes", "no"]).all():
        msg = "gold of contains responses needs a column 'answer' of yes and no"
        raise DataError(msg)
    units = pd.MultiIndex.from_arrays([items, labels])
    rows = pd.MultiIndex.from_arrays(
        [gold["item"].astype(str), gold["label"].astype(str)]
    )
    where = units.get_indexer(rows)
    state = np.where(gold["answer"].to_numpy() == "yes", num_states - 1, 0)
    log_prior = np.zeros((len(items), num_states))
    here = where >= 0
    log_prior[where[here]] = -np.inf
    log_prior[where[here], state[here]] = 0.0
    return log_prior
