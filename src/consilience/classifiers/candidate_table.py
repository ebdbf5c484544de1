r"""The candidates of each item, their covariates, and their sources.

Numbers are columns that annotator models learn weights for. `log_odds` is there only if
gold was: nobody knows what a softmax means for the question that annotators are asked
without some known truth.

**Confusion of two labels** is the probability that classifiers give to both. With
:math:`p_i(l)` the pooled probability of label l for item i,

.. math::

   f_{ll'} = \frac{\sum_i p_i(l)\, p_i(l')}
                  {\sqrt{\sum_i p_i(l)^2 \sum_i p_i(l')^2}}

the cosine of the two: 1 where both always have the same share of the probability, 0
where no item has both among its candidates.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from scipy.sparse import csr_array, triu

from consilience.classifiers.pooling import (
    DATASET,
    Pairs,
    Policy,
    Pool,
    candidate_features,
    choice_log_odds,
    choose_cells,
    choose_pairs,
    pool,
    presence_log_odds,
)
from consilience.classifiers.predictions import Predictions, finite_numbers
from consilience.errors import ConsilienceWarning, DataError, check_columns
from consilience.notebook import shown_as
from consilience.whole_folder import whole_folder

FILE, SOURCES, ACCOUNT = "candidates.parquet", "sources.parquet", "candidates.toml"
LABELS = "labels.parquet"
NEEDED = ("item", "label", "score")


@shown_as("table", "sources", "labels")
@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidate labels of items, pooled from classifiers.

    Attributes
    ----------
    table : pandas.DataFrame
        Columns item, label and the numeric columns, and `log_odds` where there is gold.
    sources : pandas.DataFrame
        Columns item, label, model and rank: which classifier lists the label at which
        rank. Labels that annotators used, and the data set's labels, have no rank.
    account : mapping
        How they were pooled: policy, classifiers and their weights, calibration.
    labels : pandas.DataFrame, optional
        Column label, and further names of it (name, wnid, ...).

    See Also
    --------
    consilience.images.candidates : Pool predictions.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> from consilience.classifiers.predictions import from_table
    >>> ranks = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
    ... )
    >>> pooled = cs.images.candidates([from_table(ranks, "net", "a list")])
    >>> pooled.sources
      item label model  rank
    0    a   cat   net     1
    1    a   dog   net     2
    """

    table: pd.DataFrame
    sources: pd.DataFrame
    account: Mapping[str, Any]
    labels: pd.DataFrame | None = None

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write a folder of candidates; if that fails, nothing is left behind.

        Parameters
        ----------
        folder : str or Path
            The folder to create.
        overwrite : bool, default False
            Replace an existing folder of candidates.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        FolderExistsError
            If the folder exists.
        CannotWriteError
            If the folder cannot be written.

        See Also
        --------
        consilience.images.candidates : Pool predictions.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import consilience as cs
        >>> import pandas as pd
        >>> from consilience.classifiers.predictions import from_table
        >>> ranks = pd.DataFrame(
        ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
        ... )
        >>> pooled = cs.images.candidates([from_table(ranks, "net", "a list")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     saved = pooled.save(Path(folder) / "candidates")
        ...     len(pd.read_parquet(saved / "candidates.parquet"))
        2
        """
        place = Path(folder)
        tables = {FILE: self.table, SOURCES: self.sources, LABELS: self.labels}
        with whole_folder(place, replaceable=ACCOUNT if overwrite else None) as partial:
            for file, table in tables.items():
                if table is not None:
                    table.to_parquet(partial / file, index=False, compression="zstd")
            (partial / ACCOUNT).write_text(tomli_w.dumps(self.account), "utf-8")
        return place


def candidates(
    predictions: Sequence[Predictions],
    *,
    policy: Policy = "union",
    top: int = 5,
    mass: float = 0.95,
    gold: pd.DataFrame | None = None,
    also: pd.DataFrame | None = None,
) -> Candidates:
    """Pool predictions of classifiers into candidate labels of each item.

    Parameters
    ----------
    predictions : sequence of Predictions
        Predictions of different classifiers with the same names of labels.
    policy : {"union", "ensemble", "mass"}, default "union"
        `union` of the best labels of each classifier, the best of the `ensemble`, or as
        many as have a total probability of `mass`.
    top : int, default 5
        Number of best labels.
    mass : float, default 0.95
        Total probability.
    gold : pandas.DataFrame, optional
        Columns item and label: the only true label of some items. Or item, label and
        answer (yes or no): whether labels are present. Calibrates `log_odds`.
    also : pandas.DataFrame, optional
        Columns item, label and source: pairs that are candidates whatever the
        classifiers predict.

    Returns
    -------
    Candidates
        The candidates with the columns of the pooled predictions.

    Raises
    ------
    DataError
        If there are no predictions, their items or labels have different names, or two
        classifiers have no label in common or the same name; or if gold is too small,
        or about no item that was classified.
    OptionError
        If a number is out of its range, or the policy does not exist.

    See Also
    --------
    read_predictions : Read the predictions of classifiers.
    fit : Takes candidates as covariates.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> from consilience.classifiers.predictions import from_table
    >>> ranks = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
    ... )
    >>> pooled = cs.images.candidates([from_table(ranks, "net", "a list")])
    >>> pooled.table[["item", "label", "reciprocal_rank"]]
      item label  reciprocal_rank
    0    a   cat              1.0
    1    a   dog              0.5
    >>> pooled.sources
      item label model  rank
    0    a   cat   net     1
    1    a   dog   net     2
    """
    if not predictions or all(source.table.empty for source in predictions):
        raise DataError("there are no predictions to pool; classify images first")
    several = gold is not None and "answer" in gold
    pooled = pool(predictions, None if several else gold)
    warned = _shared_labels(pooled)
    for sentence in warned:
        warnings.warn(sentence, ConsilienceWarning, stacklevel=2)
    _check_names(pooled, gold, "gold")
    _check_names(pooled, also, "responses")
    pooled = pooled.with_labels([also, gold if several else None])
    pairs = choose_pairs(pooled, choose_cells(pooled, policy, top, mass), also)
    dataset_labels = None if also is None else also[also["source"] == DATASET]
    features_of = partial(candidate_features, pooled, top, dataset_labels)
    features = features_of(pairs)
    calibration: dict[str, Any] = {}
    if gold is not None and several:
        calibration, features["log_odds"] = presence_log_odds(
            pooled, pairs, gold, features_of
        )
    elif gold is not None:
        calibration, features["log_odds"] = choice_log_odds(pooled, pairs, gold)
    names = {
        "item": pooled.items[pairs.item].astype(str),
        "label": pooled.labels[pairs.label].astype(str),
    }
    order = np.lexsort((pairs.label, -features["score"], pairs.item))
    table = pd.DataFrame({**names, **features}).iloc[order].reset_index(drop=True)
    number = table["item"].value_counts()
    weights = zip(pooled.models, pooled.weight, strict=True)
    return Candidates(
        table=table,
        sources=_sources(pooled, pairs, also),
        account={
            "schema": 1,
            "policy": policy,
            "top": top,
            "mass": mass,
            "items": len(number),
            "candidates": len(table),
            "per_item": {
                "mean": round(float(number.mean()), 2),
                "largest": int(number.max()),
            },
            "weights": {str(name): round(float(each), 6) for name, each in weights},
            **calibration,
            "warnings": warned,
        },
        labels=pd.concat([source.labels for source in predictions], ignore_index=True)
        .drop_duplicates("label", ignore_index=True)
        .astype("str"),
    )


def _shared_labels(pooled: Pool) -> list[str]:
    """Name classifiers of the same items that share few labels; refuse none."""
    asked, given = (
        np.zeros((len(pooled.models), len(names)), bool)
        for names in (pooled.items, pooled.labels)
    )
    asked[pooled.row_model, pooled.item[pooled.row_cell]] = True
    given[pooled.row_model, pooled.label[pooled.row_cell]] = True
    sentences = []
    for one, other in combinations(range(len(pooled.models)), 2):
        both = int((given[one] & given[other]).sum())
        sizes = given[one].sum(), given[other].sum()
        if 2 * both >= min(sizes) or not (asked[one] & asked[other]).any():
            continue
        first, second = pooled.models[one], pooled.models[other]
        alone = [
            ", ".join(map(repr, pooled.labels[labels][:3]))
            for labels in (given[one] & ~given[other], given[other] & ~given[one])
        ]
        sentence = (
            f"the classifiers {first} and {second} share {both or 'none'} of their "
            f"{sizes[0]:,} and {sizes[1]:,} labels: {first} alone has {alone[0]}, "
            f"{second} alone {alone[1]}; if they call a label by two names, name "
            "labels alike, by another column of the classifiers' labels "
            "(`label_column=`)"
        )
        if not both:
            raise DataError(sentence)
        sentences.append(sentence)
    return sentences


def _check_names(pooled: Pool, table: pd.DataFrame | None, what: str) -> None:
    """Refuse a table that names other items, or none of the labels."""
    for column, names, how in (
        ("item", pooled.items, "see `naming=` of classify"),
        ("label", pooled.labels, "see `label_column=`"),
    ):
        if table is None or table.empty:
            return
        theirs = table[column].astype("str")
        if not theirs.isin(names.astype(str)).any():
            raise DataError(
                f"{what}: no {column} is one of those of the predictions: {what} has "
                f"{theirs.iloc[0]!r}, predictions have {names[0]!r}; name them alike "
                f"({how})"
            )


def _sources(pooled: Pool, pairs: Pairs, also: pd.DataFrame | None) -> pd.DataFrame:
    """Return who lists each candidate where."""
    order = np.lexsort((pooled.row_model, pooled.row_rank, pooled.row_cell))
    order = order[np.isin(pooled.row_cell[order], pairs.cell)]
    cell = pooled.row_cell[order]
    rows = pd.DataFrame(
        {
            "item": pooled.items[pooled.item[cell]].astype(str),
            "label": pooled.labels[pooled.label[cell]].astype(str),
            "model": pooled.models[pooled.row_model[order]].astype(str),
            "rank": pd.array(pooled.row_rank[order], dtype="Int16"),
        }
    )
    if also is None:
        return rows
    more = also[also["item"].astype("str").isin(pooled.items)]
    more = more[["item", "label", "source"]].astype("str").drop_duplicates()
    more = more.rename(columns={"source": "model"})
    return pd.concat([rows, more], ignore_index=True)


def co_confusion(candidates: Candidates | pd.DataFrame | str | Path) -> pd.DataFrame:
    """Return how often classifiers confuse each pair of labels.

    The estimate improves with the number of items, which need not be those that
    annotators answered about.

    Parameters
    ----------
    candidates : Candidates, data frame or path
        Result of `candidates`, its table, or the folder of `Candidates.save`: columns
        item, label and score (log probability).

    Returns
    -------
    pandas.DataFrame
        Columns label, other_label and value (from 0 to 1) for all pairs of labels that
        are candidates of one item, the most confused first: a similarity of labels, as
        `fit` accepts it.

    Raises
    ------
    DataError
        If the file cannot be read, a column is missing, or a score is not finite.

    See Also
    --------
    leading_question : The effect of similar labels on annotators.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "score": [-0.5, -1.0]}
    ... )
    >>> cs.images.co_confusion(table).round(2)
      label other_label  value
    0   cat         dog    1.0
    """
    table = _table(candidates)
    label, labels = pd.factorize(table["label"].astype("str"), sort=True)
    item, items = pd.factorize(table["item"].astype("str"))
    shape = (len(items), len(labels))
    score = finite_numbers(table, "score", "candidates")
    share = csr_array((np.exp(score), (item, label)), shape=shape)
    both = triu(share.T @ share, k=1, format="coo")
    size = np.sqrt((share.multiply(share)).sum(0))
    value = both.data / (size[both.row] * size[both.col])
    pairs = pd.DataFrame(
        {"label": labels[both.row], "other_label": labels[both.col], "value": value}
    )
    order = ["value", "label", "other_label"]
    return pairs.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _table(candidates: Candidates | pd.DataFrame | str | Path) -> pd.DataFrame:
    if isinstance(candidates, Candidates):
        table = candidates.table
    elif isinstance(candidates, pd.DataFrame):
        table = candidates
    else:
        path = Path(candidates)
        path = path / FILE if path.is_dir() else path
        try:
            table = pd.read_parquet(path)
        except Exception as error:
            line = str(error).partition("\n")[0]
            raise DataError(
                f"{path}: cannot be read as Parquet ({line}); make it again"
            ) from error
    check_columns("candidates have", table.columns, NEEDED)
    return table
