"""The command `candidates`: predictions pooled into candidates with prior log-odds."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from consilience.cli.options import (
    READ_AS_IT_IS,
    Json,
    Overwrite,
    read_gold,
    read_responses,
)
from consilience.cli.predictions import CountedLabels, RowItems, read_all
from consilience.cli.terminal import check_free, finish, screen
from consilience.errors import ConsilienceWarning, as_options

if TYPE_CHECKING:
    import pandas as pd


def candidates(  # noqa: PLR0913 (each option stands alone)
    predictions: list[Path],
    /,
    *,
    out: Path,
    policy: Literal["union", "ensemble", "mass"] = "union",
    top: int = 5,
    mass: float = 0.95,
    gold: Path | None = None,
    responses: Path | None = None,
    label_column: str = "label",
    items: RowItems = None,
    labels: CountedLabels = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Pool classifiers' predictions into candidates of items, for `fit --candidates`.

    Classifiers of one family count as one. With gold, candidates get log-odds that are
    calibrated to it; without, annotator models learn the weight of the scores.

    Parameters
    ----------
    predictions
        Folders that `classify` wrote; tables of item, label, rank; NumPy files of the
        best labels of each image (.npy, with --items); the folder of ImageNetV2.
    out
        Folder of candidates to write.
    policy
        union: the best labels of each classifier; ensemble: the best of all classifiers
        together; mass: as many of these as it takes to reach the probability --mass.
    top
        How many of the best labels are taken (union, ensemble).
    mass
        Probability that the candidates reach together (mass).
    gold
        Table of true labels: item, label; or item, label, answer (yes or no).
    responses
        Responses whose labels, with those of the data set, are candidates too.
    label_column
        Name of labels in the responses: label, or another column of the classifiers'
        labels, such as name or wnid.

    Examples
    --------
    consilience candidates predictions --out candidates
    consilience candidates predictions --policy ensemble --top 6 --gold gold.csv
        --out candidates
    """
    from consilience.classifiers import candidates as pool
    from consilience.classifiers.candidate_table import ACCOUNT
    from consilience.classifiers.predictions import rename_labels

    check_free(out, marker=ACCOUNT, overwrite=overwrite)
    loaded = read_all(predictions, items, labels)
    # Labels of tables go by the one name that they have.
    named = [
        rename_labels(one, label_column) if len(one.labels.columns) > 1 else one
        for one in loaded
    ]
    truth = None if gold is None else read_gold(gold)
    also = None if responses is None else _used(responses)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConsilienceWarning)  # printed below
        pooled = pool(named, policy=policy, top=top, mass=mass, gold=truth, also=also)
    pooled.save(out, overwrite=overwrite)
    show = screen(as_json=json)
    for sentence in pooled.account["warnings"]:
        show.say(f"warning: {as_options(sentence)}", style="color(130)")
    for sentence in _sentences(pooled.account):
        show.print(sentence)
    following = ("fit", responses or "RESPONSES", "--candidates", out, "--out", "run")
    finish(show, {"out": out, **pooled.account}, *following, written=out)


def _used(path: Path) -> "pd.DataFrame":
    """Return the labels that annotators used, and the data set's, of each item."""
    import pandas as pd

    from consilience.classifiers.pooling import ANNOTATORS, DATASET

    responses = read_responses([path], READ_AS_IT_IS)
    used = responses.table[["item", "label"]].dropna().drop_duplicates().astype("str")
    tables = [used.assign(source=ANNOTATORS)]
    if responses.items is not None and "dataset_label" in responses.items:
        of_set = responses.items[["item", "dataset_label"]].dropna().astype("str")
        of_set = of_set.rename(columns={"dataset_label": "label"})
        tables.append(of_set.assign(source=DATASET))
    return pd.concat(tables, ignore_index=True)


def _sentences(account: Mapping[str, Any]) -> list[str]:
    number = account["per_item"]
    counts = (
        f"{account['candidates']:,} candidates of {account['items']:,} items: "
        f"{number['mean']:g} each, at most {number['largest']:,}"
    )
    if "temperature" in account:
        of = account["temperature"]
        weights = (
            f"temperature {of['value']:.2f}, from {of['gold_items']:,} gold items: "
            f"log-loss {of['log_loss_before']:.3f} to {of['log_loss_after']:.3f}"
        )
    elif "presence" in account:
        of = account["presence"]
        weights = (
            f"log-odds from {of['gold_pairs']:,} gold pairs: log-loss "
            f"{of['log_loss_held_out']:.3f} on pairs left out, "
            f"{of['log_loss_of_the_share_alone']:.3f} by their share alone"
        )
    else:
        weights = (
            "no log-odds without gold labels: annotator models learn the weights of "
            "the columns"
        )
    return [counts, weights]
