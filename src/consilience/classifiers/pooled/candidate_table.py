"""The candidates of each item, their covariates, and their sources.

Numbers are columns that annotator models learn weights for: how many
classifiers have the label among their best, how high, how often first, and the log of
its pooled probability. `log_odds` is there only if gold was: nobody knows what a
softmax means for the question that annotators are asked without some known truth.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
from jaxtyping import Float, Int

from consilience.classifiers.pooled.calibration import (
    Presence,
    Temperature,
    apply_temperature,
    fit_presence,
    fit_temperature,
)
from consilience.classifiers.pooled.candidate_features import (
    Pairs,
    Vocabulary,
    candidate_features,
)
from consilience.classifiers.pooled.pooling import Policy, Pool, choose_cells, pool
from consilience.classifiers.pooled.predictions import Predictions
from consilience.errors import CandidatesError, ConsilienceWarning, GoldError
from consilience.notebook import shown_as
from consilience.whole_folder import whole_folder

FILE, SOURCES, ACCOUNT = "candidates.parquet", "sources.parquet", "candidates.toml"
LABELS = "labels.parquet"


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
    consilience.candidates : Pool predictions.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> from consilience.classifiers.pooled.rank_lists import from_table
    >>> ranks = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
    ... )
    >>> pooled = cs.candidates([from_table(ranks, "net", "a list")])
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
        consilience.candidates : Pool predictions.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import consilience as cs
        >>> import pandas as pd
        >>> from consilience.classifiers.pooled.rank_lists import from_table
        >>> ranks = pd.DataFrame(
        ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
        ... )
        >>> pooled = cs.candidates([from_table(ranks, "net", "a list")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     saved = pooled.save(Path(folder) / "candidates")
        ...     len(pd.read_parquet(saved / "candidates.parquet"))
        2
        """
        place = Path(folder)
        with whole_folder(place, replaceable=_ours if overwrite else None) as partial:
            self.table.to_parquet(partial / FILE, index=False, compression="zstd")
            self.sources.to_parquet(partial / SOURCES, index=False, compression="zstd")
            if self.labels is not None:
                self.labels.to_parquet(
                    partial / LABELS, index=False, compression="zstd"
                )
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
    CandidatesError
        If there are no predictions, their items or labels have different names, or
        two classifiers have no label in common.
    PredictionsError
        If two classifiers have the same name.
    GoldError
        If gold is too small, or about no item that was classified.
    OptionError
        If a number is out of its range, or the policy does not exist.

    See Also
    --------
    read_predictions : Read the predictions of classifiers.
    fit : Takes candidates as covariates.

    References
    ----------
    Clemen and Winkler (1999), Combining probability distributions from experts in risk
    analysis.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> from consilience.classifiers.pooled.rank_lists import from_table
    >>> ranks = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
    ... )
    >>> pooled = cs.candidates([from_table(ranks, "net", "a list")])
    >>> pooled.table[["item", "label", "reciprocal_rank"]]
      item label  reciprocal_rank
    0    a   cat              1.0
    1    a   dog              0.5
    """
    if not predictions or all(source.table.empty for source in predictions):
        msg = "there are no predictions to pool; classify images first"
        raise CandidatesError(msg)
    several = gold is not None and "answer" in gold
    pooled = pool(predictions, None if several else gold)
    warned = _shared_labels(pooled)
    for sentence in warned:
        warnings.warn(sentence, ConsilienceWarning, stacklevel=2)
    _check_names(pooled, gold, "gold")
    _check_names(pooled, also, "responses")
    vocabulary = Vocabulary(pooled, [also, gold if several else None])
    pairs = vocabulary.pairs(pooled, choose_cells(pooled, policy, top, mass), also)
    features = candidate_features(pooled, pairs, top, also, vocabulary)
    calibrated: Temperature | Presence | None = None
    log_odds = None
    if gold is not None and several:
        calibrated, log_odds = _presence(
            pooled, pairs, features, gold, (top, also, vocabulary)
        )
    elif gold is not None:
        item, label = _gold_codes(pooled, gold)
        calibrated = fit_temperature(pooled, item, label)
        log_odds = _choice_log_odds(pooled, pairs, calibrated.value)
    table = pd.DataFrame(
        {
            "item": vocabulary.items[pairs.item].astype(str),
            "label": vocabulary.labels[pairs.label].astype(str),
            **features,
        }
    )
    if log_odds is not None:
        table["log_odds"] = log_odds
    order = np.lexsort((pairs.label, -features["score"], pairs.item))
    table = table.iloc[order].reset_index(drop=True)
    return Candidates(
        table=table,
        sources=_sources(pooled, pairs, vocabulary, also),
        account={
            **_account(pooled, table, (policy, top, mass), calibrated, features),
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
            raise CandidatesError(sentence)
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
            msg = (
                f"{what}: no {column} is one of those of the predictions: {what} has "
                f"{theirs.iloc[0]!r}, predictions have {names[0]!r}; name them alike "
                f"({how})"
            )
            raise CandidatesError(msg)


def _gold_codes(
    pooled: Pool, gold: pd.DataFrame
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    item = pd.Index(pooled.items).get_indexer(pd.Index(gold["item"].astype("str")))
    label = pd.Index(pooled.labels).get_indexer(pd.Index(gold["label"].astype("str")))
    return item[item >= 0], label[item >= 0]


def _choice_log_odds(
    pooled: Pool, pairs: Pairs, temperature: float
) -> Float[np.ndarray, " C"]:
    """Return the log of each label's share against a uniform share."""
    share = apply_temperature(pooled, temperature)
    listed = np.bincount(pooled.item, share, len(pooled.items))
    cells = np.bincount(pooled.item, minlength=len(pooled.items))
    others = np.maximum(pooled.num_labels - cells, 1)
    rest = np.maximum(1 - listed, 1e-12) / others
    here = np.where(pairs.cell >= 0, share[pairs.cell], rest[pairs.item])
    odds: Float[np.ndarray, " C"] = np.log(np.maximum(here, 1e-12) * pooled.num_labels)
    return odds


def _presence(
    pooled: Pool,
    pairs: Pairs,
    features: Mapping[str, np.ndarray],
    gold: pd.DataFrame,
    context: tuple[int, pd.DataFrame | None, Vocabulary],
) -> tuple[Presence, Float[np.ndarray, " C"]]:
    """Return the regression, and log-odds; those of gold pairs are left out in turn."""
    top, also, vocabulary = context
    answer = gold["answer"].astype("str")
    if not answer.isin(["yes", "no"]).all():
        odd = answer[~answer.isin(["yes", "no"])].iloc[0]
        msg = f"gold has the answer {odd!r}; expected yes or no"
        raise GoldError(msg)
    once = gold.assign(answer=answer).drop_duplicates(["item", "label"])
    item, label, here = vocabulary.codes(once)
    about = vocabulary.locate(pooled, item, label, unique=False)
    columns = candidate_features(pooled, about, top, also, vocabulary)
    fitted = fit_presence(
        np.stack(list(columns.values()), 1),
        (once["answer"] == "yes").to_numpy()[here],
        item,
    )
    log_odds = fitted.intercept + np.stack(list(features.values()), 1) @ fitted.weights
    size = len(vocabulary.labels)
    ours = pairs.item * size + pairs.label
    theirs = item.astype(np.int64) * size + label
    at = np.searchsorted(ours, theirs)
    listed = np.append(ours, -1)[at] == theirs
    log_odds[at[listed]] = fitted.held_out[listed]
    return fitted, log_odds


def _sources(
    pooled: Pool,
    pairs: Pairs,
    vocabulary: Vocabulary,
    also: pd.DataFrame | None,
) -> pd.DataFrame:
    """Return who lists each candidate where."""
    kept = np.isin(pooled.row_cell, pairs.cell)
    cell, model = pooled.row_cell[kept], pooled.row_model[kept]
    rank = pooled.row_rank[kept]
    order = np.lexsort((model, rank, cell))
    rows = pd.DataFrame(
        {
            "item": pooled.items[pooled.item[cell[order]]].astype(str),
            "label": pooled.labels[pooled.label[cell[order]]].astype(str),
            "model": pooled.models[model[order]].astype(str),
            "rank": pd.array(rank[order], dtype="Int16"),
        }
    )
    if also is None:
        return rows
    _, _, here = vocabulary.codes(also)
    more = also[here][["item", "label", "source"]].astype("str")
    more = more.rename(columns={"source": "model"}).drop_duplicates()
    more = more.assign(rank=pd.array([pd.NA] * len(more), dtype="Int16"))
    return pd.concat([rows, more], ignore_index=True)


def _account(
    pooled: Pool,
    table: pd.DataFrame,
    how: tuple[str, int, float],
    calibrated: Temperature | Presence | None,
    features: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    policy, top, mass = how
    number = table.groupby("item").size()
    account: dict[str, Any] = {
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
        "weights": {
            str(name): round(float(weight), 6)
            for name, weight in zip(pooled.models, pooled.weight, strict=True)
        },
    }
    if isinstance(calibrated, Temperature):
        account["temperature"] = {
            "value": calibrated.value,
            "gold_items": calibrated.items,
            "log_loss_before": calibrated.before,
            "log_loss_after": calibrated.after,
        }
    if isinstance(calibrated, Presence):
        account["presence"] = {
            "gold_pairs": calibrated.pairs,
            "present": calibrated.present,
            "log_loss_held_out": calibrated.log_loss,
            "log_loss_of_the_share_alone": calibrated.base,
            "intercept": calibrated.intercept,
            "weights": dict(zip(features, calibrated.weights.tolist(), strict=True)),
        }
    return account


def _ours(folder: Path) -> bool:
    return (folder / ACCOUNT).is_file()
