"""The command `evaluate`: models evaluated against the posterior of the truth."""

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from consilience.cli.options import READ_AS_IT_IS, Flag, Prob, read_options
from consilience.cli.study_options import dataset_labels as labels_beside
from consilience.cli.study_options import read_all
from consilience.cli.terminal import check_free, finish, print_json, screen
from consilience.errors import as_options

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from consilience.analysis import ComparedConfusion, Evaluation
    from consilience.posterior import Fit


def evaluate(  # noqa: PLR0913 (each option stands alone)
    run: Path,
    /,
    *,
    predictions: list[Path],
    dataset_labels: Path | None = None,
    items: Path | None = None,
    labels: Path | None = None,
    parents: Path | None = None,
    top: int = 5,
    tau: float = 0.5,
    allow_circular: Annotated[
        bool, Parameter(name=("--allow-circular", "--circular"), show_default=False)
    ] = False,
    truth: Literal["raw", "tempered"] | None = None,
    seed: int = 0,
    resamples: int = 1000,
    prob: Prob = 0.9,
    out: Path | None = None,
    overwrite: Flag = False,
    json: Flag = False,
) -> None:
    """Evaluate models by a run's posterior of what items show.

    Parameters
    ----------
    run
        Folder of the run.
    predictions
        Folders that `classify` wrote, or of files of one model each; tables of item,
        label, rank, and model where there are several; NumPy files of the best labels
        of each image or of scores for all (.npy, with --items). The folder of
        ImageNetV2 names its items, labels and the data set's labels itself.
    dataset_labels
        Table of item and label: the one that each item has in the data set.
    items
        Table that names the item of each row of the NumPy files.
    labels
        Table that names the labels that NumPy files count from 0.
    parents
        Table of label and parent: superclasses, or a hierarchy of labels.
    top
        Report also how often one of this many first labels of a model is true.
    tau
        Of objects: one counts if more than this share of annotators name it.
    allow_circular
        Evaluate also models whose predictions the run was given as candidates.
    truth
        Which posterior of the truth, raw or tempered; by default the one that the run
        reports.
    seed
        Seed of the random weights of the items.
    resamples
        How many times the items get random weights, for the bounds.
    prob
        Probability between the bounds.
    out
        Folder for the tables, each a Parquet file: models, differences, labels; of
        objects also baselines; with --dataset-labels also confusion and pairs, the
        confusion of people and of models (with --parents also
        superclass_confusion and within); of contains also frequencies, how often people
        select what models predict.
    overwrite
        Replace an existing evaluation.
    json
        Print the result as JSON.

    Examples
    --------
    consilience evaluate run --predictions predictions --out evaluation
    """
    if out is not None:
        check_free(out, marker=MARKER, overwrite=overwrite)
    show = screen(as_json=json)
    import pandas as pd

    from consilience import analysis
    from consilience.posterior import load
    from consilience.responses.side_tables import gold_table

    fitted = load(run) if truth is None else load(run).with_truth(truth)
    sources = read_all(predictions, items, labels)
    predicted = pd.concat([one.table for one in sources], ignore_index=True)
    dataset = labels_beside(sources)
    if dataset_labels is not None:
        dataset = gold_table(dataset_labels, read_options(READ_AS_IT_IS))
    settings: dict[str, Any] = {
        "dataset_labels": dataset,
        "resamples": resamples,
        "prob": prob,
        "seed": seed,
        "allow_circular": allow_circular,
    }
    evaluation = analysis.evaluate(fitted, predicted, top=top, tau=tau, **settings)
    if out is not None:
        human = _human_tables(fitted, predicted, parents, settings)
        _save({**dict(_parts(evaluation)), **human}, out, overwrite=overwrite)
    for table in _tables(evaluation):
        show.print(table)
    for sentence in _sentences(fitted, evaluation):
        show.print(sentence)
    report = ("report", run, "--evaluation", out or "EVALUATION", "--out")
    finish(show, out, *report, (out or run).parent / "report.html")
    if json:
        print_json({name: _records(table) for name, table in _parts(evaluation)})


MARKER = "models.parquet"


def _parts(evaluation: "Evaluation") -> "list[tuple[str, pd.DataFrame]]":
    names = ("models", "differences", "labels", "baselines")
    tables = [(name, getattr(evaluation, name)) for name in names]
    return [part for part in tables if len(part[1]) or part[0] != "baselines"]


def _human_tables(
    fitted: "Fit",
    predicted: "pd.DataFrame",
    parents: Path | None,
    settings: dict[str, Any],
) -> "dict[str, pd.DataFrame]":
    """Return what people answer beside what models predict, as the kind allows."""
    from consilience import analysis

    if fitted.data.attrs["kind"] == "contains":
        table = analysis.predicted_frequencies(fitted, predicted, **settings)
        return {"frequencies": table}
    if settings["dataset_labels"] is None:
        return {}
    above = None if parents is None else _column_pair(parents)
    return _columns(
        analysis.compare_confusion(fitted, predicted, labels=above, **settings)
    )


def _columns(confusion: "ComparedConfusion") -> "dict[str, pd.DataFrame]":
    tables = {"confusion": confusion.table(), "pairs": confusion.pairs()}
    if confusion.parents is not None:
        tables["superclass_confusion"] = confusion.table(1)
        tables["within"] = confusion.within()
    return tables


def _column_pair(path: Path) -> "pd.DataFrame":
    from consilience.errors import MissingColumnError
    from consilience.responses.side_tables import side_table, text_frame

    table = side_table(path, read_options(READ_AS_IT_IS), "labels")
    for name in ("label", "parent"):
        if name not in table.columns:
            columns = ", ".join(map(repr, table.columns))
            msg = f"{path}: there is no column {name!r}; found {columns}"
            raise MissingColumnError(msg)
    return text_frame(table, {"label": "label", "parent": "parent"})


def _save(tables: "dict[str, pd.DataFrame]", out: Path, *, overwrite: bool) -> None:
    from consilience.whole_folder import whole_folder

    with whole_folder(out, replaceable=_ours if overwrite else None) as partial:
        for name, table in tables.items():
            table.to_parquet(partial / f"{name}.parquet", index=False)


def _ours(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def _records(table: "pd.DataFrame") -> list[dict[Hashable, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


_SHOWN = 5  # subsets beside each metric; all are in the table that --out writes


def _tables(evaluation: "Evaluation") -> "list[Table]":
    from rich.table import Table

    from consilience.tables import CATALOGUE

    parts, words = [], CATALOGUE["models"].column("subset").values
    for metric, rows in evaluation.models.groupby("metric", sort=False):
        subsets = list(dict.fromkeys(rows["subset"]))[: 1 + _SHOWN]
        value = {(row.model, row.subset): row for row in rows.itertuples(index=False)}
        of_all = rows[rows["subset"] == "all"].sort_values("value", ascending=False)
        table = Table(title=str(metric), title_justify="left")
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


def _sentences(fitted: "Fit", evaluation: "Evaluation") -> list[str]:
    import json as text

    of_all = evaluation.models.query("metric == 'accuracy' and subset == 'all'")
    number = of_all["items"].max()
    sentences = [f"of {number:,.0f} items; bounds are of items like these"]
    skipped = {model: count for model, count in evaluation.left_out.items() if count}
    if skipped:
        counts = ", ".join(f"{model} {count:,}" for model, count in skipped.items())
        sentences.append(
            "left out, because no annotator was asked about the predicted label: "
            f"{counts}"
        )
    sentences += [
        f"naming one of the objects at random would be right in {row.value:.4f} "
        f"({row.lower:.4f} to {row.upper:.4f}) of {row.items:,.0f} items: "
        f"{str(row.subset).replace('_', ' ')}"
        for row in evaluation.baselines.itertuples(index=False)
    ]
    rows = evaluation.differences.query("metric == 'accuracy' and subset == 'all'")
    unsure = rows[rows["better"].between(0.05, 0.95)]
    if len(unsure):
        pairs = ", ".join(
            f"{one} and {other}"
            for one, other in unsure[["model", "against"]].head(5).to_numpy()
        )
        more = " and others" if len(unsure) > 5 else ""
        sentences.append(f"which is better is not clear for {pairs}{more}")
    assumed = text.loads(fitted.data.attrs.get("assumptions", "[]"))
    return sentences + [f"assumed: {as_options(sentence)}" for sentence in assumed]
