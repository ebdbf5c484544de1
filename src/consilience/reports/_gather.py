"""A report in one step, and its contents: runs, responses and tables of models."""

import contextlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from consilience.analysis import (
    Agreement,
    By,
    agreement,
    cooccurring,
    predictive_checks,
)
from consilience.comparisons import Ranking
from consilience.errors import ConsilienceError, OptionError
from consilience.figures import StudyFigures
from consilience.figures import study as make_study
from consilience.posterior import Fit
from consilience.posterior.labels import item_texts
from consilience.posterior.loading import check_responses
from consilience.posterior.tables import ASKED, SEEN, TABLES, asked, names_of
from consilience.progress import Reporter, reporter
from consilience.reports.content import (
    Report,
    Run,
    as_responses,
    check_installed,
    kept_answers,
    read_answers,
)
from consilience.reports.pictures import SIDE, Placing, make_pictures
from consilience.reports.ranking import write_ranking
from consilience.reports.written import check_place, write
from consilience.responses import Description, Responses, describe
from consilience.responses.label_names import label_names, rename_labels, short_names

NONE: Mapping[str, pd.DataFrame] = MappingProxyType({})


def report(  # noqa: PLR0913 (each option stands alone)
    fits: Fit | Mapping[str, Fit] | Ranking,
    out: str | Path,
    *,
    responses: Responses | None = None,
    study: StudyFigures | None = None,
    evaluation: Mapping[str, pd.DataFrame] = NONE,
    names: pd.DataFrame | None = None,
    images: str | Path | None = None,
    pictures: Placing = "embedded",
    picture_size: int = SIDE,
    title: str | None = None,
    resamples: int = 1000,
    prob: float | None = None,
    overwrite: bool = False,
    progress: bool | Reporter = False,
) -> Path:
    """Write one HTML file that shows fits: to search, to sort, to print.

    Parameters
    ----------
    fits : Fit, mapping of str to Fit, or Ranking
        A fit, or fits of one kind by name, to show side by side; or a ranking
        (`consilience.comparisons.fit`), of which there are only `title`, `overwrite`.
    out : str or Path
        The HTML file to write.
    responses : Responses, optional
        What the fits were fitted to: adds what was read, kept and dropped, and the
        findings and figures of the study. Without them, the answers are those that the
        first fit keeps.
    study : StudyFigures, optional
        The study of the first fit (`study`), whose findings and figures lead the page;
        by default that of the responses alone.
    evaluation : mapping of str to pandas.DataFrame
        Tables about models, by name.
    names : pandas.DataFrame, optional
        Columns label and name: names of labels on the page. By default those of the
        responses.
    images : str or Path, optional
        Folder of pictures named as the items are.
    pictures : {"embedded", "linked"}, default "embedded"
        Where the pictures are: inside the file, or files of the folder NAME_files
        beside NAME.html, which has to go where the page goes.
    picture_size : int, default 320
        Pixels of the longer side of a picture.
    title : str, optional
        Title of the page; by default the names of the fits.
    resamples : int, default 1000
        Number of resamples of the items for the intervals of agreement.
    prob : float, optional
        Probability of the intervals of the fits; by default their own
        (`Fit.with_`).
    overwrite : bool, default False
        Replace a report that already exists, with its folder. Any other file or folder
        is never replaced.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UnavailableError
        If the packages of the extra `report` are missing.
    OptionError
        If there is no fit, the fits are of different kinds, the responses are not
        theirs, pictures are smaller than 32 pixels or larger than 4096, or a ranking
        is given what belongs to fits.
    FolderExistsError
        If the file exists, and is not a report or `overwrite` is false.
    CannotWriteError
        If the file cannot be written.

    See Also
    --------
    consilience.reports.gather : The contents of the page, to look at before.
    export : Write tables for other programs.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> responses = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(responses, model="majority")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cs.report(fit, Path(folder) / "report.html", responses=responses).name
    'report.html'
    """
    place = Path(out)
    if isinstance(fits, Ranking):
        beside = (responses, study, evaluation or None, names, images, prob)
        if any(each is not None for each in beside):
            raise OptionError(
                "report: a ranking is shown as it is; give no responses, study, "
                "evaluation, names, images or prob beside it"
            )
        write_ranking(fits, place, title=title, overwrite=overwrite)
        return place
    if isinstance(fits, Fit):
        fits = {model_of(fits): fits}
    if prob is not None:
        fits = {name: fit.with_(prob=prob) for name, fit in fits.items()}
    check_installed()
    check_place(place, pictures=pictures, overwrite=overwrite)
    if responses is not None and fits and study is None:
        study = make_study(next(iter(fits.values())), responses, names=names)
    with reporter(progress) as tell:
        for step in () if study is None else study.make():
            tell(step)
        contents = gather(
            fits,
            responses=responses,
            evaluation=evaluation,
            study=study,
            names=names,
            images=images,
            picture_size=picture_size,
            title=title,
            resamples=resamples,
            progress=tell,
        )
        write(contents, place, pictures=pictures, overwrite=overwrite)
    return place


def gather(  # noqa: PLR0913 (each option stands alone)
    fits: Mapping[str, Fit],
    *,
    responses: Responses | None = None,
    evaluation: Mapping[str, pd.DataFrame] = NONE,
    study: StudyFigures | None = None,
    names: pd.DataFrame | None = None,
    images: str | Path | None = None,
    picture_size: int = SIDE,
    title: str | None = None,
    resamples: int = 1000,
    progress: bool | Reporter = False,
) -> Report:
    """Collect the contents of a report.

    Parameters
    ----------
    fits : mapping of str to Fit
        Runs of one kind by name; several are shown side by side.
    responses, evaluation, study, names, images, picture_size, title, resamples
        As of `consilience.report`; without `study` there are no figures.
    progress : bool or callable, default False
        True shows a progress bar of the pictures. A function is called with each
        `Progress`.

    Returns
    -------
    Report
        The contents of the page.

    Raises
    ------
    OptionError
        As of `consilience.report`.

    See Also
    --------
    write : Write the report as one HTML file.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> contents = reports.gather({"mine": fit}, responses=made, resamples=0)
    >>> contents.title, contents.kind
    ('Report of mine', 'choice')
    """
    if not fits:
        raise OptionError(
            "report: there is no run to show; name the folder of at least one"
        )
    runs = tuple(_run(name, fit, responses) for name, fit in fits.items())
    kinds = sorted({run.kind for run in runs})
    if len(kinds) > 1:
        raise OptionError(
            f"report: the runs are of the kinds {' and '.join(kinds)}; runs side by "
            "side are of one kind, so write a report for each"
        )
    if responses is not None:
        for fit in fits.values():
            check_responses(fit, responses)
    given = responses if responses is not None else _kept_responses(runs[0])
    measured, why = _agreement(given, resamples)
    pairs = _pairs(next(iter(fits.values())), responses)
    called: dict[str, str] = {}
    if study is not None:
        called = dict(study.names)
    elif names is not None:
        called = label_names(names)
    elif responses is not None:
        called = short_names(label_names(responses.labels))
    if measured is not None and measured.labels is not None:
        measured = replace(measured, labels=rename_labels(measured.labels, called))
    runs = tuple(_rename_labels(run, called) for run in runs)
    items = [str(name) for name in runs[0].table("items")["item"]]
    pictures: Mapping[str, bytes] = {}
    if images is not None:
        with reporter(progress) as report:
            pictures = make_pictures(
                Path(images), items, size=picture_size, report=report
            )
    return Report(
        title=title or f"Report of {', '.join(fits)}",
        runs=runs,
        description=None if given is None else _description(given, called),
        cleaning=None if responses is None else responses.cleaning,
        cleaned_assumptions=() if responses is None else responses.assumptions,
        dataset_labels=_dataset_labels(responses, called),
        agreement=measured,
        no_agreement=why,
        pairs=_named(pairs, called),
        evaluation=_named(evaluation, called),
        study=study,
        pictures=pictures,
        images_missing=0 if images is None else len(items) - len(pictures),
    )


def _run(name: str, fit: Fit, responses: Responses | None) -> Run:
    attributes = fit.data.attrs
    answers = kept_answers(fit)
    if answers is None and responses is not None:
        answers = read_answers(responses)
    truth = fit.data.children.get("truth")
    reported = "raw" if truth is None else str(truth.attrs.get("reported", "raw"))
    return Run(
        name=name,
        kind=str(attributes["kind"]),
        model=model_of(fit),
        engine=str(attributes["engine"]),
        engine_reason=str(attributes["engine_reason"]),
        version=str(attributes["version"]),
        seed=int(attributes["seed"]),
        prob=float(attributes["prob"]),
        seconds=float(attributes["seconds"]),
        reported_posterior=reported,
        assumptions=tuple(json.loads(attributes["assumptions"])),
        sources=json.loads(attributes["sources"]),
        tables=_tables(fit),
        answers=answers,
        of_all=tuple(json.loads(attributes["of_all"]))
        if "of_all" in attributes
        else None,
        texts=item_texts(fit.data),
    )


def model_of(fit: Fit) -> str:
    """Return the name of a fit's model; the default may be a mean of several."""
    name, weights = str(fit.data.attrs["model"]), fit.comparison()["weight"]
    several = int((weights >= SEEN).sum())
    return name if several < 2 else f"auto, a mean of {several} models"


def _description(responses: Responses, called: dict[str, str]) -> Description:
    """Return counts, of labels by name."""
    description = describe(responses)
    if description.kind == "contains":  # of answers, not of labels
        return description
    frequencies = {
        called.get(name, name): n for name, n in description.frequencies.items()
    }
    return replace(description, frequencies=frequencies)


def _named(
    tables: Mapping[str, pd.DataFrame],
    called: dict[str, str],
    kept: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return tables with names of labels, save those that are kept as they are."""
    return {
        name: table if name in kept else rename_labels(table, called)
        for name, table in tables.items()
    }


def _rename_labels(run: Run, called: dict[str, str]) -> Run:
    """Return a run with names of labels; states of presence are not labels."""
    kept = {"confusion", "predictive_checks"} if run.kind == "contains" else ()
    answers = None if run.answers is None else rename_labels(run.answers, called)
    return replace(run, tables=_named(run.tables, called, kept), answers=answers)


def _tables(fit: Fit) -> dict[str, pd.DataFrame]:
    """Return the tables that the run has."""
    made = {**TABLES, **ASKED}
    of_run = (*names_of(fit.data), *asked(fit.data))
    tables = {name: made[name](fit.data) for name in of_run}
    with contextlib.suppress(ConsilienceError):
        tables["predictive_checks"] = predictive_checks(fit)
    return tables


def _kept_responses(run: Run) -> Responses | None:
    """Return the answers that a run keeps as responses, so that they can be counted."""
    if run.answers is None or run.answers.empty:
        return None
    labels = []
    if run.kind == "choice":
        labels = [str(name) for name in run.table("labels")["label"].cat.categories]
    try:
        return as_responses(run.answers, run.kind, labels)
    except ConsilienceError:
        return None


def _agreement(
    responses: Responses | None, resamples: int
) -> tuple[Agreement | None, str]:
    if resamples < 0:
        raise OptionError(f"resamples is {resamples}; give 0 or more resamples")
    if responses is None:
        return None, "the run does not keep its answers; give the responses as well"
    breakdowns: tuple[tuple[By, ...], ...] = (("label", "pair"), ("label",), ())
    for breakdown in breakdowns:
        try:
            return agreement(responses, by=breakdown, resamples=resamples), ""
        except ConsilienceError as error:
            why = str(error)
    return None, why


def _pairs(fit: Fit, responses: Responses | None) -> dict[str, pd.DataFrame]:
    """Return pairs of labels of objects, where items have the data set's own label."""
    if responses is None or fit.data.attrs["kind"] != "objects":
        return {}
    try:
        return {"objects_that_come_together": cooccurring(fit, responses)}
    except OptionError:
        return {}


def _dataset_labels(
    responses: Responses | None, called: dict[str, str]
) -> dict[str, str]:
    items = None if responses is None else responses.items
    if items is None or "dataset_label" not in items:
        return {}
    rows = items.dropna(subset="dataset_label").astype("str")
    labels = [called.get(label, label) for label in rows["dataset_label"]]
    return dict(zip(rows["item"], labels, strict=True))
