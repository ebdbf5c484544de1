"""The command `evaluate`: models evaluated against the posterior of the truth."""

from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.table import Table

from consilience.cli.options import (
    CountedLabels,
    Flag,
    Json,
    Overwrite,
    Paths,
    Prob,
    Reading,
    RowItems,
    Run,
    Seed,
    Truth,
    labels_beside,
    read_all,
    read_columns,
    read_gold,
)
from consilience.cli.outcome import load_run
from consilience.cli.terminal import check_free, finish, screen
from consilience.errors import as_options
from consilience.whole_folder import whole_folder

if TYPE_CHECKING:
    import pandas as pd

    from consilience.analysis import Evaluation

_MARKER = "models.parquet"
_FIRST = {
    "top": "One of the model's first labels is true",
    "dataset_top": "One of the model's first labels is the data set's",
}
_PAIRS = 6  # of models that are compared in words
_SUBSETS = 5  # subsets beside each metric; all are in the table that --out writes


def evaluate(  # noqa: PLR0913 (each option stands alone)
    run: Run,
    /,
    *,
    predictions: Paths,
    dataset_labels: Path | None = None,
    item: str | None = None,
    label: str | None = None,
    items: RowItems = None,
    labels: CountedLabels = None,
    parents: Path | None = None,
    top: int = 5,
    threshold: float = 0.5,
    unasked: Literal["wrong", "left_out"] = "wrong",
    allow_circular: Flag = False,
    truth: Truth = None,
    seed: Seed = 0,
    resamples: int = 1000,
    prob: Prob = 0.9,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Evaluate models by a run's posterior of what items show.

    Parameters
    ----------
    predictions
        Folders that `classify` wrote, or of files of one model each; tables of item,
        label, and model, where there are several, with rank or a score where an item
        has several labels, or of item and a column of scores for each label; NumPy
        files of the best labels of each image or of scores for all (.npy, with
        --items). The folder of ImageNetV2 names its items, labels and the data set's
        labels itself.
    dataset_labels
        Table of item and label: the one that each item has in the data set.
    item
        Column of the item in these tables, where its name is not recognised.
    label
        Column of the label in these tables, where its name is not recognised.
    parents
        Table of label and parent: superclasses, or a hierarchy of labels.
    top
        Report also how often one of this many first labels of a model is true.
    threshold
        Of objects: one counts if more than this share of annotators name it.
    unasked
        Of contains: a predicted label that nobody was asked about counts as wrong, or
        the item is left out for all models.
    allow_circular
        Evaluate also models whose predictions the run was given as candidates, or that
        are among its annotators.
    resamples
        How many times the items get random weights, for the bounds.
    out
        Folder for the tables, each a Parquet file: models, differences, labels; of
        objects also baselines; with --dataset-labels also confusion and pairs, the
        confusion of people and of models (with --parents also
        superclass_confusion and within); of contains also frequencies, how often people
        select what models predict.

    Examples
    --------
    consilience evaluate run --predictions predictions --out evaluation
    """
    check_free(out, marker=_MARKER, overwrite=overwrite)
    show = screen(as_json=json)
    import pandas as pd

    from consilience import analysis

    fitted = load_run(run, truth)
    columns, alone = Reading(item=item, label=label), dataset_labels is None
    answers = fitted.labels()
    sources = read_all(predictions, items, labels, answers, columns, strict=alone)
    predicted = pd.concat([one.table for one in sources], ignore_index=True)
    dataset = labels_beside(sources)
    if dataset_labels is not None:
        dataset = read_gold(dataset_labels, answers, columns)
    evaluation = analysis.evaluate(
        fitted,
        predicted,
        dataset_labels=dataset,
        top=top,
        threshold=threshold,
        resamples=resamples,
        prob=prob,
        seed=seed,
        unasked=unasked,
        allow_circular=allow_circular,
    )
    tables = _tables(evaluation)
    if out is not None:
        human = _human_tables(evaluation, parents)
        with whole_folder(out, replaceable=_MARKER if overwrite else None) as partial:
            for name, table in {**tables, **human}.items():
                table.to_parquet(partial / f"{name}.parquet", index=False)
    for shown in _shown(evaluation):
        show.print(shown)
    for sentence in _sentences(evaluation):
        show.print(sentence)
    page = (out or run).parent / "report.html"
    report = ("report", run, "--evaluation", out or "EVALUATION", "--out", page)
    finish(show, tables, *report, written=out)


def _tables(evaluation: "Evaluation") -> "dict[str, pd.DataFrame]":
    tables = {
        "models": evaluation.models,
        "differences": evaluation.differences,
        "labels": evaluation.labels,
    }
    if len(evaluation.baselines):
        tables["baselines"] = evaluation.baselines
    return tables


def _human_tables(
    evaluation: "Evaluation", parents: Path | None
) -> "dict[str, pd.DataFrame]":
    """Return what people answer beside what models predict, as the kind allows."""
    if evaluation.fit.data.attrs["kind"] == "contains":
        return {"frequencies": evaluation.frequencies()}
    if evaluation.proposals.dataset is None:
        return {}
    above = None if parents is None else read_columns(parents, ("label", "parent"))
    confusion = evaluation.confusion(above)
    tables = {"confusion": confusion.table(), "pairs": confusion.pairs()}
    if confusion.parents is not None:
        tables["superclass_confusion"] = confusion.table(1)
        tables["within"] = confusion.within()
    return tables


def _shown(evaluation: "Evaluation") -> list[Table]:
    from consilience.tables import CATALOGUE

    parts, words = [], CATALOGUE["models"].column("subset").values
    meaning = CATALOGUE["models"].column("metric").values
    for metric, rows in evaluation.models.groupby("metric", sort=False):
        subsets = list(dict.fromkeys(rows["subset"]))[: 1 + _SUBSETS]
        value = {(row.model, row.subset): row for row in rows.itertuples(index=False)}
        of_all = rows[rows["subset"] == "all"].sort_values("value", ascending=False)
        says = meaning.get(str(metric)) or _FIRST[str(metric).rpartition("_")[0]]
        title = f"{metric}: {says} (of {of_all['items'].max():,.0f} items)"
        table = Table(title=title, title_justify="left")
        table.add_column("model")
        heads = [words.get(name, name) for name in subsets]
        for name in (heads[0], f"{evaluation.prob:.0%} interval", *heads[1:]):
            table.add_column(name, justify="right")
        for row in of_all.itertuples(index=False):
            rest = [f"{value[row.model, name].value:.4f}" for name in subsets[1:]]
            bounds = f"{row.lower:.4f} to {row.upper:.4f}"
            table.add_row(str(row.model), f"{row.value:.4f}", bounds, *rest)
        parts.append(table)
    return parts


def _sentences(evaluation: "Evaluation") -> list[str]:
    of_all = evaluation.models.query("metric == 'accuracy' and subset == 'all'")
    number = of_all["items"].max()
    sentences = [f"of {number:,.0f} items; bounds are of items like these"]
    unasked = {model: count for model, count in evaluation.unasked.items() if count}
    if unasked:
        every = len(evaluation.proposals.items)
        counts = ", ".join(
            f"{model} {count:,} ({count / every:.0%})"
            for model, count in unasked.items()
        )
        wrong = evaluation.unasked_are == "wrong"
        how = "counted as wrong" if wrong else "left out for all models"
        sentences.append(
            f"items of whose predicted label nobody was asked, {how}: {counts}"
        )
    sentences += [
        f"naming one of the objects at random would be right in {row.value:.4f} "
        f"({row.lower:.4f} to {row.upper:.4f}) of {row.items:,.0f} items: "
        f"{str(row.subset).replace('_', ' ')}"
        for row in evaluation.baselines.itertuples(index=False)
    ]
    rows = evaluation.differences.query("metric == 'accuracy' and subset == 'all'")
    for row in rows.head(_PAIRS).to_dict("records"):
        ahead = row["p_greater"]
        behind = ahead < 0.5
        ends = [row["model"], row["other_model"]]
        ends = ends[::-1] if behind else ends
        sign = -1.0 if behind else 1.0
        numbers = [sign * float(row[name]) for name in ("difference", "lower", "upper")]
        apart, *reach = numbers
        low, high = sorted(reach)
        sentences.append(
            f"{ends[0]} is better than {ends[1]} with probability "
            f"{max(ahead, 1 - ahead):.3f} (accuracy {apart:+.4f}, "
            f"{low:+.4f} to {high:+.4f})"
        )
    if len(rows) > _PAIRS:
        sentences.append(f"{len(rows) - _PAIRS:,} more pairs are in the differences")
    assumed = loads(evaluation.fit.data.attrs.get("assumptions", "[]"))
    return sentences + [f"assumed: {as_options(sentence)}" for sentence in assumed]
