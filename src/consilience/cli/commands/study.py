"""The commands that draw pages: `report`, of runs, and `study`, with every figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Json,
    Overwrite,
    Paths,
    Prob,
    Reading,
    Run,
    read_all,
    read_responses,
)
from consilience.cli.outcome import load_run
from consilience.cli.terminal import check_free, finish, judge, screen
from consilience.console import Console
from consilience.errors import KindError, OptionError, as_options

if TYPE_CHECKING:
    import pandas as pd

    from consilience.figures import StudyFigures
    from consilience.posterior import Fit
    from consilience.progress import Progress, Reporter
    from consilience.responses import Responses


_FINDINGS = 5  # on the screen; the page has all


@Parameter(name="*", group="Study")
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What a study is made of, beside a run and its responses.

    Attributes
    ----------
    predictions
        Predictions of models: folders that `classify` wrote, tables, or the folder of
        ImageNetV2.
    contains
        Yes-or-no answers about one label at a time, of items of the same study: a run
        of contains_counts, or responses, to which it is fitted.
    prediction_items
        Of predictions that are arrays, a file with the names of their rows.
    prediction_labels
        The same of their columns.
    of
        Number of items in the study; by default those that the responses list. Items
        that nobody was asked about count as having one object.
    threshold
        An object counts if more than this share of annotators name it.
    resamples
        How many times the items get random weights, for the bounds.
    seed
        Seed of the random number generator.
    allow_circular
        Evaluate also models whose predictions the run was given as candidates.
    """

    predictions: Paths = ()
    contains: Path | None = None
    prediction_items: Path | None = None
    prediction_labels: Path | None = None
    of: Annotated[int | None, Parameter(name="--of")] = None
    threshold: float = 0.5
    prob: Prob = 0.9
    resamples: int = 1000
    seed: int = 0
    allow_circular: Flag = False


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What a page shows beside results.

    Attributes
    ----------
    names
        Names of labels: a table of label and name, or a JSON object of names by label.
        By default as the responses name them (--labels).
    images
        Folder of pictures named as the items are, or a list or Parquet file of images
        as `classify` takes: adds a picture to each item.
    pictures
        Where they are: inside the page, or files in a folder beside it, for many
        images. Beside NAME.html that is NAME_files.
    picture_size
        Pixels of the longer side of a picture.
    title
        Title of the page; by default the names of the runs.
    """

    names: Path | None = None
    images: Path | None = None
    pictures: Literal["embedded", "linked"] = "embedded"
    picture_size: int = 320
    title: str | None = None

    def check(self) -> None:
        """Refuse a place of images that is none, before any work is done."""
        if self.images is not None:
            from consilience.reports.pictures import check_images

            check_images(self.images, self.picture_size)

    def label_names(self) -> "pd.DataFrame | None":
        """Return the table of names that was given."""
        from consilience.responses.label_names import read_names

        return None if self.names is None else read_names(self.names)


USUAL, PLAIN = StudyOptions(), PageOptions()


def report(  # noqa: PLR0913 (each option stands alone)
    runs: list[Path],
    /,
    *,
    out: Path,
    responses: Path | None = None,
    options: StudyOptions = USUAL,
    evaluation: Paths = (),
    page: PageOptions = PLAIN,
    resamples: int = 1000,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Flag = False,
    json: Json = False,
) -> None:
    """Write one HTML file that shows runs: to search, to sort, to print.

    The file works offline. Needs consilience[report].

    Parameters
    ----------
    runs
        Folder of a run, or folders of several of one kind, to show side by side; or the
        folder of a ranking.
    out
        HTML file to write.
    responses
        What the runs were fitted to (a folder of responses or any readable file): adds
        what was read, kept and dropped, the data set's own labels, and with these the
        findings and figures of the study (of the first run).
    evaluation
        Tables about models, such as `evaluate` writes: CSV or Parquet files, or
        folders of them.
    resamples
        Resamples of the items for the intervals of agreement.
    overwrite
        Replace an existing report, and its folder of pictures.

    Examples
    --------
    consilience report run --responses responses --out report.html
    consilience report run --images photos --pictures linked --out report.html
    """
    check_free(out, marker=None, overwrite=overwrite)
    from consilience.comparisons.ranking import MARKER
    from consilience.reports import check_installed, check_place, gather, write
    from consilience.reports.content import evaluation_tables
    from consilience.reports.pictures import folder_of

    check_installed()
    check_place(out, pictures=page.pictures, overwrite=overwrite)
    page.check()
    if any((run / MARKER).is_file() for run in runs):
        others = (responses, *evaluation, len(runs) > 1, options != USUAL)
        if any(others) or page != replace(PLAIN, title=page.title):
            raise OptionError(
                "report: the page of a ranking shows it alone; give no other run, and "
                "no option but --title and --overwrite"
            )
        _of_ranking(runs[0], page.title, screen(as_json=json), out)
        return
    tables: dict[str, pd.DataFrame] = {}
    for path in evaluation:
        tables |= evaluation_tables(path)
    called = page.label_names()
    show = screen(as_json=json)
    with _steps(show, "gathering what the runs say") as tell:
        names = [run.resolve().name for run in runs]
        if len(set(names)) < len(names):
            names = [str(run) for run in runs]
        fits = {name: load_run(run) for name, run in zip(names, runs, strict=True)}
        given = made = None
        if responses is not None:
            given = read_responses([responses], reading)
            made = _made(fits[next(iter(fits))], given, options, called, tell)
        contents = gather(
            fits,
            responses=given,
            evaluation=tables,
            study=made,
            names=called,
            images=page.images,
            picture_size=page.picture_size,
            title=page.title,
            resamples=resamples,
            progress=tell,
        )
        contents = replace(contents, spelled=as_options)
        size = write(contents, out, pictures=page.pictures, overwrite=overwrite)
    show.print(f"written to {out} ({size / 1e6:.1f} MB); open it in a browser")
    if page.pictures == "linked" and contents.pictures:
        beside = f"its pictures are in {folder_of(out)}, which goes where the page goes"
        show.print(beside, soft_wrap=True)
    if page.images is not None and contents.images_missing:
        missing = contents.images_missing
        show.print(f"{missing:,} items have no picture in {page.images}")
    items = len(contents.runs[0].table("items"))
    result = {"out": out, "bytes": size, "items": items, "runs": runs}
    finish(show, result, "export", runs[0], "--out", out.parent / "tables")


def _of_ranking(run: Path, title: str | None, show: Console, out: Path) -> None:
    """Write the page of a ranking, whose place was checked."""
    from consilience.comparisons import load
    from consilience.reports.ranking import write_ranking

    ranking = load(run)
    judge(ranking, run)
    size = write_ranking(ranking, out, title=title, overwrite=True)
    show.print(f"written to {out} ({size / 1e6:.1f} MB); open it in a browser")
    finish(show, {"out": out, "bytes": size, "runs": [run]})


def study(
    run: Run,
    /,
    *,
    responses: Path,
    out: Path,
    options: StudyOptions = USUAL,
    page: PageOptions = PLAIN,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Write every figure of a study as tables, pictures and a page.

    Needs consilience[report].

    Parameters
    ----------
    responses
        What the run was fitted to (a folder of responses or any readable file), with
        the data set's own labels.
    out
        Folder to write: index.html, the page; tables, each figure as CSV and Parquet;
        figures, each as SVG and PNG.

    Examples
    --------
    consilience study run --responses responses --predictions predictions --out
        study
    """
    from consilience.reports import PAGE, check_installed, gather, write_study

    check_installed()
    check_free(out, marker=PAGE, overwrite=overwrite)
    page.check()
    called = page.label_names()
    show = screen(as_json=json)
    with _steps(show, "reading") as tell:
        fitted = load_run(run)
        given = read_responses([responses], reading)
        made = _made(fitted, given, options, called, tell)
        contents = gather(
            {run.resolve().name: fitted},
            responses=given,
            study=made,
            images=page.images,
            picture_size=page.picture_size,
            title=page.title,
            progress=tell,
        )
        contents = replace(contents, spelled=as_options)
        index = write_study(
            contents, out, pictures=page.pictures, overwrite=overwrite, progress=tell
        )
    for figure in made.findings[:_FINDINGS]:
        show.print(figure.finding, soft_wrap=True)
    for why, figures in made.lacking.items():
        show.print(f"not drawn: {', '.join(figures)}: {why}", soft_wrap=True)
    number = len(made.figures)
    show.print(
        f"{number} figures written to {out}; open {index} in a browser", soft_wrap=True
    )
    findings = {each.name: each.finding for each in made.findings}
    result = {"out": out, "findings": findings, "left_out": made.left_out}
    finish(show, result, "export", run, "--out", out.parent / "tables")


@contextmanager
def _steps(show: Console, first: str) -> Iterator["Reporter"]:
    """Show the step that is being done, in place of the one before."""
    with show.status(first) as status:

        def tell(step: "Progress") -> None:
            status.update(step.sentence())

        yield tell


def _made(
    fit: "Fit",
    responses: "Responses",
    options: StudyOptions,
    names: "pd.DataFrame | None",
    tell: "Reporter",
) -> "StudyFigures":
    """Make the figures of a study from a run, what it was fitted to, and options."""
    import pandas as pd

    from consilience.figures import study

    predicted = alone = None
    if options.predictions:
        sources = read_all(
            options.predictions,
            options.prediction_items,
            options.prediction_labels,
            fit.labels(),
        )
        predicted = pd.concat([one.table for one in sources], ignore_index=True)
    if options.contains is not None:
        alone = _fit_alone(options.contains, responses)
    made = study(
        fit,
        responses,
        predictions=predicted,
        contains=alone,
        of=options.of,
        threshold=options.threshold,
        prob=options.prob,
        resamples=options.resamples,
        seed=options.seed,
        allow_circular=options.allow_circular,
        names=names,
    )
    for step in made.make():
        tell(step)
    return made


def _fit_alone(path: Path, responses: "Responses") -> "Fit":
    """Load a run of kind contains, or fit the answers about items of the study."""
    from consilience.fitting import fit
    from consilience.posterior.store import is_run

    if is_run(path):
        return load_run(path)
    answers = read_responses([path], READ_AS_IT_IS)
    if answers.kind != "contains":
        raise KindError(
            f"{path}: holds answers of kind {answers.kind}; --contains takes yes or no "
            "for one label at a time"
        )
    if responses.items is not None:
        listed = responses.items["item"].astype("str")
        of_study = answers.table["item"].astype("str").isin(listed)
        answers = answers.where(of_study) if of_study.any() else answers
    return fit(answers, model="contains_counts", engine="em")
