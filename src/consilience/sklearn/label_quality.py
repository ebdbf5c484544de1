"""Quality of the labels of items with several annotators, as cleanlab returns it.

References
----------
Goh, Tkachenko and Mueller (2022), CROWDLAB: supervised learning to infer consensus
labels and quality scores for data with multiple annotators.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError, not_a
from consilience.responses import Responses
from consilience.sklearn.answers import Aggregated, aggregate

LEAST = 1e-6  # a probability, so that its logarithm is finite


def label_quality_multiannotator(
    labels_multiannotator: pd.DataFrame | np.ndarray | Responses,
    pred_probs: pd.DataFrame | np.ndarray | None = None,
    *,
    model: str = "auto",
    engine: str = "auto",
    prior: Mapping[str, float] | None = None,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Return how likely the consensus label of each item is to be right.

    The result is laid out as that of cleanlab's `get_label_quality_multiannotator`. Its
    scores are posterior probabilities of `consilience.fit`.

    Parameters
    ----------
    labels_multiannotator : DataFrame, Responses or array (n_items, n_annotators)
        The label that each annotator gave each item, missing where it gave none. A data
        frame with the columns task, worker and label (or item, annotator and label) is
        taken for a long one, with a row for each answer.
    pred_probs : pandas.DataFrame or array of shape (n_items, n_labels), optional
        Probabilities by a classifier, as a prior of the truth: their weight is learned
        from the answers, so that they need not be calibrated. The columns of an array
        are the labels in sorted order, or the whole numbers from zero. For a long data
        frame give a data frame indexed by item.
    model, engine, prior, seed : optional
        As for `consilience.fit`.

    Returns
    -------
    dict of str to pandas.DataFrame
        label_quality : one row per item, in the order of the input: consensus_label,
        consensus_quality_score (its probability), annotator_agreement, num_annotations,
        rank (1: the label most likely to be wrong) and active_learning_score (one less
        the entropy over its maximum: the lower, the sooner to ask again).

        detailed_label_quality : the probability of each label that was given, one row
        per item and one column `quality_annotator_NAME` per annotator.

        annotator_stats : one row per annotator, the worst first: annotator_quality
        (accuracy), agreement_with_consensus, worst_class (the true label that it
        recognizes least) and num_examples_labeled.

    Raises
    ------
    OptionError
        If an item has no label, or the probabilities do not fit the labels.

    See Also
    --------
    consilience.fit : The fit behind it, with intervals and diagnostics.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> wide = answers.pivot(index="photo", columns="annotator", values="animal")
    >>> quality = cs.sklearn.label_quality_multiannotator(wide, model="dawid_skene")
    >>> columns = ["consensus_label", "consensus_quality_score", "num_annotations"]
    >>> quality["label_quality"][columns].head(2).round(2)
              consensus_label  consensus_quality_score  num_annotations
    photo
    photo-001        malamute                      1.0                6
    photo-002           husky                      1.0                6
    """
    data, items, people = _long(labels_multiannotator)
    stated = _probabilities(pred_probs, data, items)
    result = aggregate(
        data, pred_probs=stated, model=model, engine=engine, prior=prior, seed=seed
    )
    given = data.set_axis(["item", "annotator", "label"], axis=1)
    of_item = result.probas.index.get_indexer(pd.Index(given["item"]))
    of_label = result.probas.columns.get_indexer(pd.Index(given["label"]))
    given["quality"] = result.probas.to_numpy()[of_item, of_label]
    best = result.labels.to_numpy(object)[of_item]
    given["agrees"] = given["label"].to_numpy(object) == best
    detailed = given.pivot_table(
        index="item", columns="annotator", values="quality", sort=False
    ).reindex(index=items, columns=people)
    return {
        "label_quality": _of_items(result, given, items),
        "detailed_label_quality": detailed.rename_axis(columns=None).add_prefix(
            "quality_annotator_"
        ),
        "annotator_stats": _of_annotators(result, given),
    }


def _long(
    given: pd.DataFrame | np.ndarray | Responses,
) -> tuple[pd.DataFrame, pd.Index, pd.Index]:
    """Return item, annotator and label of each answer, and all items and annotators."""
    if isinstance(given, Responses):
        table = given.of_kind("choice").table
        table = table.loc[table.index.repeat(table["n"])]
        given = table[["item", "annotator", "label"]].astype("str")
    if isinstance(given, np.ndarray) and given.ndim == 2:
        given = pd.DataFrame(given)
    if not isinstance(given, pd.DataFrame):
        expected = "a data frame or an array of items by annotators"
        raise OptionError(not_a("labels_multiannotator", given, expected))
    for names in (["task", "worker", "label"], ["item", "annotator", "label"]):
        if set(names) <= set(given.columns):
            data = given[names].reset_index(drop=True)
            items, people = (
                pd.Index(data[name].unique(), name=name) for name in names[:2]
            )
            return data, items, people
    for axis, what in ((given.index, "items"), (given.columns, "annotators")):
        if not axis.is_unique:
            twice = axis[axis.duplicated()][0]
            raise OptionError(
                f"labels_multiannotator: two {what} are {twice!r}; rename one"
            )
    row, column = np.nonzero(given.notna().to_numpy())
    missing = np.setdiff1d(np.arange(len(given)), row)
    if len(missing):
        raise OptionError(
            f"labels_multiannotator: item {given.index[missing[0]]!r} has no label; "
            "leave it out"
        )
    label = pd.Series(given.to_numpy(object)[row, column]).infer_objects()
    if pd.api.types.is_float_dtype(label) and (label % 1 == 0).all():
        label = label.astype(int)  # whole numbers beside gaps
    data = pd.DataFrame(
        {
            "item": given.index.take(row),
            "annotator": given.columns.take(column),
            "label": label,
        }
    )
    return data, given.index, given.columns


def _probabilities(
    given: pd.DataFrame | np.ndarray | None, data: pd.DataFrame, items: pd.Index
) -> pd.DataFrame | None:
    if given is None:
        return None
    labels = pd.Index(data["label"].unique()).sort_values()
    if not isinstance(given, pd.DataFrame):
        width = np.shape(given)[1] if np.ndim(given) == 2 else 0
        if pd.api.types.is_integer_dtype(labels) and labels.max() < width:
            labels = pd.Index(range(width))
        if np.shape(given) != (len(items), len(labels)):
            raise OptionError(
                f"pred_probs has shape {np.shape(given)}; the labels have "
                f"{len(items):,} items and {len(labels)} different labels: give a row "
                "for each item and a column for each label"
            )
        given = pd.DataFrame(given, index=items, columns=labels)
    lacking = items.difference(given.index)
    if len(lacking) or not labels.isin(given.columns).all():
        raise OptionError(
            f"pred_probs lacks {len(lacking):,} items and "
            f"{(~labels.isin(given.columns)).sum()} labels that annotators name; give "
            "a row for each item and a column for each label"
        )
    probabilities = given.loc[items].astype(float)
    bad = ~((probabilities >= 0) & (probabilities <= 1))
    if bad.any(axis=None):
        item = bad.index[int(bad.any(axis=1).to_numpy().argmax())]
        raise OptionError(
            f"pred_probs of item {item!r} are not probabilities; give numbers to 1"
        )
    return probabilities.clip(lower=LEAST)


def _of_items(result: Aggregated, given: pd.DataFrame, items: pd.Index) -> pd.DataFrame:
    by_item = given.groupby("item", sort=False, observed=True)["agrees"]
    probas: Float[np.ndarray, "I K"] = result.probas.to_numpy()
    logs = np.log(np.maximum(probas, np.finfo(float).tiny))
    entropy = -(probas * logs).sum(1) / np.log(max(probas.shape[1], 2))
    table = pd.DataFrame(
        {
            "consensus_label": result.labels,
            "consensus_quality_score": probas.max(1),
            "annotator_agreement": by_item.mean(),
            "num_annotations": by_item.size(),
            "rank": pd.Series(probas.max(1), result.labels.index).rank(method="first"),
            "active_learning_score": 1 - entropy,
        },
        index=result.labels.index,
    )
    table = table.astype({"rank": int}).reindex(items)
    return table.set_axis(items)


def _of_annotators(result: Aggregated, given: pd.DataFrame) -> pd.DataFrame:
    people = result.people
    agrees = given.groupby("annotator", sort=False, observed=True)["agrees"]
    labels = result.probas.columns
    worst: pd.Index | float = np.nan
    if result.errors is not None:
        square = result.errors.to_numpy().reshape(-1, len(labels), len(labels))
        worst = labels.take(np.einsum("jkk->jk", square).argmin(1))
    table = pd.DataFrame(
        {
            "annotator_quality": result.fit.annotators()["accuracy"].to_numpy(),
            "agreement_with_consensus": agrees.mean().reindex(people).to_numpy(),
            "worst_class": worst,
            "num_examples_labeled": agrees.size().reindex(people).to_numpy(),
        },
        index=people,
    )
    return table.sort_values("annotator_quality", kind="stable")
