"""The report in one step: what the command `report` does, as a function."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from consilience.figures import StudyFigures
from consilience.figures import study as make_study
from consilience.fitting.inputs import reporter
from consilience.posterior import Fit
from consilience.progress import Reporter
from consilience.reports._gather import NONE, gather
from consilience.reports.pictures import SIDE, Placing
from consilience.reports.record import Report, check_installed
from consilience.reports.written import check_place, write
from consilience.responses import Responses


def report(  # noqa: PLR0913 (each option stands alone)
    fits: Fit | Mapping[str, Fit],
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
    bootstrap: int = 1000,
    prob: float | None = None,
    overwrite: bool = False,
    progress: bool | Reporter = False,
) -> Path:
    """Write one HTML file that shows fits: to search, to sort, to print.

    Parameters
    ----------
    fits : Fit or mapping of str to Fit
        A fit, or fits of one kind by name, to show side by side.
    out : str or Path
        The HTML file to write.
    responses : Responses, optional
        What the fits were fitted to: adds what was read, kept and dropped, and the
        findings and figures of the study.
    study : StudyFigures, optional
        The study of the first fit (`study`); by default that of the responses alone.
    evaluation : mapping of str to pandas.DataFrame
        Tables about models, by name.
    names : pandas.DataFrame, optional
        Columns label and name: names of labels on the page. By default those of the
        responses.
    images : str or Path, optional
        Folder of pictures named as the items are.
    pictures : {"embedded", "linked"}, default "embedded"
        Where the pictures are: inside the file, or files of a folder beside it.
    picture_size : int, default 320
        Pixels of the longer side of a picture.
    title : str, optional
        Title of the page; by default the names of the fits.
    bootstrap : int, default 1000
        Number of resamples of the items for the intervals of agreement.
    prob : float, optional
        Probability of the intervals of the fits; by default their own
        (`Fit.with_prob`).
    overwrite : bool, default False
        Replace a report that already exists.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingExtraError
        If the packages of the extra `report` are missing.
    OptionError
        If there is no fit, the fits are of different kinds, or the responses are not
        theirs.
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
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = cs.report(fit, Path(folder) / "report.html", bootstrap=0)
    ...     file.name
    'report.html'
    """
    if isinstance(fits, Fit):
        fits = {str(fits.data.attrs["model"]): fits}
    if prob is not None:
        fits = {name: fit.with_prob(prob) for name, fit in fits.items()}
    with reporter(progress) as tell:
        write_report(
            fits,
            Path(out),
            responses=responses,
            study=study,
            evaluation=evaluation,
            names=names,
            images=images,
            pictures=pictures,
            picture_size=picture_size,
            title=title,
            bootstrap=bootstrap,
            overwrite=overwrite,
            tell=tell,
        )
    return Path(out)


def write_report(  # noqa: PLR0913 (each option stands alone)
    fits: Mapping[str, Fit],
    out: Path,
    *,
    responses: Responses | None,
    study: StudyFigures | None,
    evaluation: Mapping[str, pd.DataFrame],
    names: pd.DataFrame | None,
    images: str | Path | None,
    pictures: Placing,
    picture_size: int,
    title: str | None,
    bootstrap: int,
    overwrite: bool,
    tell: Reporter,
) -> tuple[Report, int]:
    """Write a report, and return the contents of the page and the number of bytes.

    The arguments are those of `report`.
    """
    check_installed()
    check_place(out, pictures=pictures, overwrite=overwrite)
    if responses is not None and fits:
        if study is None:
            study = make_study(next(iter(fits.values())), responses, names=names)
        for step in study.make():
            tell(step)
    page = gather(
        fits,
        responses=responses,
        evaluation=evaluation,
        study=study,
        names=names,
        images=images,
        picture_size=picture_size,
        title=title,
        bootstrap=bootstrap,
        progress=tell,
    )
    return page, write(page, out, pictures=pictures, overwrite=overwrite)
