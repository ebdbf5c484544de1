"""The commands `candidates`, which pools predictions, and `tasks`, which shows them."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from consilience.cli.options import (
    READ_AS_IT_IS,
    CountedLabels,
    Flag,
    Json,
    Overwrite,
    RowItems,
    read_all,
    read_gold,
    read_responses,
)
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
    consilience images candidates predictions --out candidates
    consilience images candidates predictions --policy ensemble --top 6 --gold gold.csv
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
    also = None if responses is None else _used(responses)
    truth = None if gold is None else read_gold(gold, also)
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


def tasks(  # noqa: PLR0913 (each option stands alone)
    candidates: Path,
    /,
    *,
    tool: Annotated[
        Literal["label-studio", "mturk", "zooniverse"], Parameter(name="--for")
    ],
    out: Path,
    kind: Literal["choice", "contains", "objects"] = "choice",
    images: Path | None = None,
    image_prefix: str | None = None,
    question: str | None = None,
    top: int | None = None,
    no_none: Flag = False,
    seed: int = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Write the tasks of a labelling tool: images with their candidates.

    `read` reads what the tool exports, with the labels that were on screen. The folder
    has a README.txt that says how to import the tasks.

    Parameters
    ----------
    candidates
        Folder that `candidates` wrote, or a table of item and label, and name where
        labels are codes.
    tool
        The labelling tool.
    out
        Folder of tasks to write.
    kind
        Kind of question: which label is it (choice), which labels are present
        (contains), or a label for each object and the main one (objects).
    images
        Folder of the images; items are named after the path of their image in it, its
        name, or its name without ending.
    image_prefix
        Beginning of the images' addresses, which mturk needs; by default label-studio
        serves images from its own machine, and zooniverse uploads them.
    question
        The question; by default a usual one.
    top
        Number of candidates of each item, the first ones; by default all.
    no_none
        Do not offer "none of these".
    seed
        Seed of the order in which the candidates of an item are shown.

    Examples
    --------
    consilience images tasks candidates --for label-studio --images photos --out tasks
    """
    import pandas as pd

    from consilience.tasks import write_tasks
    from consilience.tasks.writing import OFFERED, README

    check_free(out, marker=OFFERED, overwrite=overwrite)
    write_tasks(
        candidates,
        out,
        tool=tool,
        kind=kind,
        images=images,
        image_prefix=image_prefix,
        question=question,
        top=top,
        none=not no_none,
        seed=seed,
        overwrite=overwrite,
    )
    offered = pd.read_parquet(out / OFFERED)
    number = offered.groupby("item").size()
    few, many = int(number.min()), int(number.max())
    alone = kind == "contains"
    what = "labels to say yes, maybe or no to" if alone else "answers to choose from"
    show = screen(as_json=json)
    show.print(
        f"{len(number):,} tasks, each with {few:,}{f' to {many:,}' * (few < many)} "
        f"{what}; their order is drawn for each item (seed {seed})",
        soft_wrap=True,
    )
    show.print(f"how to import them: {out / README}", soft_wrap=True)
    result = {"out": out, "tasks": len(number), "answers": len(offered)}
    following = ("read", "EXPORT", "--out", out.parent / "responses")
    finish(show, result, *following, written=out)
