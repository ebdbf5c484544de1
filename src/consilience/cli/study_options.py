"""Options about a study that the commands `study` and `report` share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Prob,
    read_options,
    read_responses,
)
from consilience.errors import MissingColumnError, OptionError, SourceNotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from consilience.classifiers import Predictions
    from consilience.figures import StudyFigures
    from consilience.posterior import Fit
    from consilience.responses import Responses


KINDS = (".npy", ".csv", ".tsv", ".parquet")


@Parameter(name="*", group="Study")
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What a study is made of, beside a run and its responses."""

    predictions: Annotated[tuple[Path, ...], Parameter(show_default=False)] = ()
    contains: Path | None = None
    prediction_items: Path | None = None
    prediction_labels: Path | None = None
    of: Annotated[int | None, Parameter(name="--of")] = None
    tau: float = 0.5
    prob: Prob = 0.9
    resamples: int = 1000
    seed: int = 0
    allow_circular: Flag = False


def make_study(
    fit: "Fit",
    responses: "Responses",
    options: StudyOptions,
    names: "pd.DataFrame | None",
) -> "StudyFigures":
    """Collect the figures of a study from what a person names.

    Parameters
    ----------
    fit, responses
        The run and what it was fitted to.
    options
        The rest.
    names
        Names of labels; None: those of the responses.
    """
    import pandas as pd

    from consilience.figures import study

    predicted = None
    if options.predictions:
        sources = read_all(
            options.predictions, options.prediction_items, options.prediction_labels
        )
        predicted = pd.concat([one.table for one in sources], ignore_index=True)
    alone = None
    if options.contains is not None:
        alone = _fit_alone(options.contains, responses)
    return study(
        fit,
        responses,
        predictions=predicted,
        contains=alone,
        of=options.of,
        tau=options.tau,
        prob=options.prob,
        resamples=options.resamples,
        seed=options.seed,
        allow_circular=options.allow_circular,
        names=names,
    )


def _fit_alone(path: Path, responses: "Responses") -> "Fit":
    """Load a run of kind contains, or fit the answers about items of the study."""
    from consilience.errors import KindError
    from consilience.fitting import fit
    from consilience.posterior import load
    from consilience.posterior.stored_fit.store import is_run

    if is_run(path):
        return load(path)
    answers = read_responses([path], READ_AS_IT_IS)
    if answers.kind != "contains":
        msg = (
            f"{path}: holds answers of kind {answers.kind}; --contains takes yes or no "
            "for one label at a time"
        )
        raise KindError(msg)
    if responses.items is not None:
        listed = responses.items["item"].astype("str")
        of_study = answers.table["item"].astype("str").isin(listed)
        answers = answers.where(of_study) if of_study.any() else answers
    return fit(answers, model="contains_counts", engine="em")


def read_all(
    paths: Sequence[Path], items: Path | None, labels: Path | None = None
) -> "list[Predictions]":
    """Read predictions of any kind.

    Parameters
    ----------
    paths
        Folders that `classify` wrote; folders of files, such as that of ImageNetV2;
        tables of item, label, rank; NumPy files.
    items, labels
        Tables that name the rows of NumPy files, and the labels that they count.

    Raises
    ------
    OptionError
        A NumPy file is there, and nothing names its rows.
    SourceNotFoundError
        A folder holds no predictions.
    MissingColumnError, PredictionsError
        A table or file is not what it should be.
    """
    return [
        one
        for path in paths
        for file in _files(path, whole=items is None)
        for one in [_read(file, items, labels)]
    ]


def dataset_labels(sources: "Sequence[Predictions]") -> "pd.DataFrame | None":
    """Return the data set's labels of images, where the predictions come with them."""
    import pandas as pd

    tables = [one.dataset_labels for one in sources if one.dataset_labels is not None]
    return pd.concat(tables).drop_duplicates("item") if tables else None


def _files(path: Path, *, whole: bool) -> list[Path]:
    from consilience.classifiers.predictions import is_folder
    from consilience.validation_images import lists_validation_images

    if not path.is_dir() or is_folder(path):
        return [path]
    if whole and lists_validation_images(path):
        return [path]
    files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in KINDS]
    if not files:
        msg = (
            f"{path}: holds neither what classify writes nor a file of predictions "
            f"({', '.join(KINDS)})"
        )
        raise SourceNotFoundError(msg)
    return files


def _read(path: Path, items: Path | None, labels: Path | None) -> "Predictions":
    from consilience.classifiers import read_predictions
    from consilience.classifiers.predictions import from_arrays, from_table

    if path.is_dir():
        return read_predictions(path)
    if path.suffix.lower() == ".npy":
        if items is None:
            msg = f"{path}: name the item of each of its rows with --items"
            raise OptionError(msg)
        names = None if labels is None else _column(labels, "label")
        return from_arrays([path], _column(items, "item"), names)
    return from_table(_table(path), path.stem, str(path))


def _column(path: Path, name: str) -> Sequence[str]:
    table = _table(path)
    if name not in table:
        columns = ", ".join(map(repr, table.columns))
        msg = f"{path}: there is no column {name!r}; found {columns}"
        raise MissingColumnError(msg)
    return table[name].tolist()


def _table(path: Path) -> "pd.DataFrame":
    from consilience.responses.side_tables import side_table, text_frame

    table = side_table(path, read_options(READ_AS_IT_IS), "predictions")
    return text_frame(table, {name: name for name in table.columns})


USUAL = StudyOptions()
