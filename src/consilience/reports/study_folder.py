"""The folder of a study: a page, and every figure as tables and pictures."""

from pathlib import Path

from consilience.errors import OptionError
from consilience.figures.folder import TABLES, write_figures
from consilience.progress import Progress, Reporter, silent
from consilience.reports.picture_files import Placing
from consilience.reports.record import Report
from consilience.reports.written import is_report, write
from consilience.whole_folder import whole_folder

PAGE = "index.html"


def write_study(
    report: Report,
    out: str | Path,
    *,
    pictures: Placing = "embedded",
    overwrite: bool = False,
    progress: Reporter = silent,
) -> Path:
    """Write the figures of a study, and a page of them, into a folder.

    Parameters
    ----------
    report : Report
        The contents of the page, with a study.
    out : str or Path
        The folder to make. It holds `index.html`, `tables` (each figure as CSV and
        Parquet) and `figures` (as SVG and PNG). If writing fails, nothing is left
        behind.
    pictures : {"embedded", "linked"}, default "embedded"
        Where pictures of items are: inside the page, or in a folder beside it.
    overwrite : bool, default False
        Replace a study that this function wrote. Any other folder is never replaced.
    progress : callable, optional
        Is told of each figure that is written.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OptionError
        If the report has no study.
    FolderExistsError
        If the folder exists, and is not a study or `overwrite` is false.
    CannotWriteError
        If the folder cannot be written.

    See Also
    --------
    consilience.study : Collect the figures.
    gather : Collect the contents of the page.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> fit = cs.fit(made.responses, model="tsipras2020")
    >>> study = cs.study(fit, made.responses)
    >>> contents = reports.gather({"mine": fit}, responses=made.responses, study=study)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = reports.write_study(contents, Path(folder) / "study")
    ...     sorted(path.name for path in page.parent.iterdir())
    ['figures', 'index.html', 'tables']
    """
    study = report.study
    if study is None:
        msg = "the report has no study; gather it with study=consilience.study(...)"
        raise OptionError(msg)
    number = len(study.figures)
    with whole_folder(
        Path(out), replaceable=is_study if overwrite else None
    ) as partial:
        for done, name in enumerate(write_figures(study, partial), 1):
            progress(Progress("drawing", done, number, name.replace("_", " ")))
        write(report, partial / PAGE, pictures=pictures)
    return Path(out) / PAGE


def is_study(folder: Path) -> bool:
    """Say whether a folder is a study that this program wrote."""
    return is_report(folder / PAGE) and (folder / TABLES).is_dir()
