"""The page: one HTML file that needs nothing else and may ask for nothing.

Its policy allows no request at all, save for pictures in a folder beside it where they
are linked, and of scripts and styles those alone whose hash it names. Text is escaped
by the template; what the page's program reads is compressed and written in letters and
digits, so that no label can end it.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

from consilience.errors import OptionError
from consilience.figures.record import TABLES, write_figures
from consilience.progress import Progress, Reporter, silent
from consilience.reports.columns import columns
from consilience.reports.content import Page, Report
from consilience.reports.pictures import (
    Placing,
    check_folder,
    check_free,
    folder_of,
    is_ours,
    write_pictures,
)
from consilience.reports.sections import sections
from consilience.tables.vega import style
from consilience.whole_folder import check_writable, whole_file, whole_folder

# In the order in which they are read: later ones use earlier ones.
SCRIPTS = (
    *("elements", "columns", "sorting", "pictures", "list", "detail", "filters"),
    *("items", "matrices", "figures", "main"),
)
STYLES = ("page", "images", "figures")
MARK = "consilience report"
PAGE = "index.html"


def write(
    report: Report | Page,
    out: str | Path,
    *,
    pictures: Placing = "embedded",
    overwrite: bool = False,
) -> int:
    """Write the report as one HTML file; if that fails, nothing is left behind.

    Parameters
    ----------
    report : Report or Page
        The contents of the page.
    out : str or Path
        The file to write.
    pictures, overwrite
        As of `consilience.report`.

    Returns
    -------
    int
        Number of bytes written, without those of linked pictures.

    Raises
    ------
    OptionError
        If `pictures` is something else.
    FolderExistsError
        If the file or folder exists, and is not a report or `overwrite` is false.
    CannotWriteError
        If the file cannot be written.

    See Also
    --------
    page : Return the page as text.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "report.html"
    ...     reports.write(reports.gather({"mine": fit}), file) == file.stat().st_size
    True
    """
    place = Path(out)
    check_place(place, pictures=pictures, overwrite=overwrite)
    made = _page_of(report) if isinstance(report, Report) else report
    with ExitStack() as both:
        partial = both.enter_context(whole_file(place, overwrite=overwrite))
        folder = None
        if pictures == "linked" and made.pictures:
            folder = folder_of(place)
            may = is_ours if overwrite else None
            new = both.enter_context(whole_folder(folder, replaceable=may))
            write_pictures(new, made.pictures, made.content["items"])
        with partial.open("wb") as file:
            for piece in _pieces(made, folder):
                file.write(piece.encode())
            return file.tell()


def check_place(
    place: Path, *, pictures: Placing = "embedded", overwrite: bool
) -> None:
    """Refuse a place that is taken."""
    check_writable(place)
    check_folder(place, pictures, overwrite=overwrite)
    check_free(place, is_report, "is not a report", overwrite=overwrite)


def is_report(path: Path) -> bool:
    """Say whether a file is a page that this program wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f'data-made-by="{MARK}"'.encode() in file.read(200)


def page(report: Report) -> str:
    """Return the report as HTML, with its pictures; equal reports give equal pages.

    Parameters
    ----------
    report : Report
        The contents of the page.

    Returns
    -------
    str
        HTML.

    See Also
    --------
    write : Write the page to a file.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> reports.page(reports.gather({"mine": fit}))[:15]
    '<!doctype html>'
    """
    return "".join(_pieces(_page_of(report), None))


def _page_of(report: Report) -> Page:
    """Return what the page of runs shows."""
    number = len(report.runs)
    return Page(
        title=report.title,
        about=f"{report.kind} · {number} run{'s' if number > 1 else ''} · made by "
        f"consilience {report.runs[0].version}",
        sections=sections(report),
        content=columns(report),
        pictures=report.pictures,
    )


def _pieces(page: Page, folder: Path | None) -> Iterator[str]:
    """Give the page piece by piece: its pictures are never in memory all at once."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    styles = [*(_read(f"{name}.css") for name in STYLES), style()]
    scripts = [_read(f"{name}.js") for name in SCRIPTS]
    items = page.content.get("items", ())
    shown = [at for at, name in enumerate(items) if name in page.pictures]
    where = {"of": shown, "folder": None if folder is None else folder.name}
    embedded = (
        (at, base64.b64encode(page.pictures[items[at]]).decode())
        for at in (shown if folder is None else ())
    )
    yield from environment.get_template("page.html.j2").generate(
        mark=MARK,
        policy=_policy(styles, scripts, "data:" if folder is None else "'self'"),
        page=page,
        styles=styles,
        scripts=scripts,
        columns=pack({**page.content, "pictures": where}) if page.content else "",
        pictures=embedded,
    )


def pack(values: object) -> str:
    """Return plain values as JSON, deflated, in base64."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _policy(styles: list[str], scripts: list[str], pictures: str) -> str:
    return (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; "
        f"style-src {' '.join(map(_hash, styles))}; img-src {pictures}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _read(name: str) -> str:
    return files("consilience.reports").joinpath("page", name).read_text("utf-8")


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
        As of `consilience.report`.
    overwrite : bool, default False
        Replace a study that this function wrote. Any other folder is never replaced.
    progress : callable, optional
        Is called with the `Progress` after each figure.

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
    >>> made = cs.simulate(kind="objects", items=16, classes=6, seed=0).responses
    >>> fit = cs.fit(made, model="tsipras2020")
    >>> contents = reports.gather({"mine": fit}, study=cs.study(fit, made))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = reports.write_study(contents, Path(folder) / "study")
    ...     sorted(path.name for path in page.parent.iterdir())
    ['figures', 'index.html', 'tables']
    """
    study = report.study
    if study is None:
        raise OptionError(
            "the report has no study; gather it with study=consilience.study(...)"
        )
    may, number = is_study if overwrite else None, len(study.figures)
    with whole_folder(Path(out), replaceable=may) as partial:
        for done, name in enumerate(write_figures(study, partial), 1):
            progress(Progress("drawing", done, number, name.replace("_", " ")))
        write(report, partial / PAGE, pictures=pictures)
    return Path(out) / PAGE


def is_study(folder: Path) -> bool:
    """Say whether a folder is a study that this program wrote."""
    return is_report(folder / PAGE) and (folder / TABLES).is_dir()
