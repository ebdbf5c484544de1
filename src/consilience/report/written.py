"""The page: one HTML file that needs nothing else and may ask for nothing.

Its policy allows no request at all, and of scripts and styles those alone whose hash it
names. Text is escaped by the template; what the page's program reads is compressed and
written in letters and digits, so that no label can end it.
"""

import base64
import hashlib
import json
import zlib
from importlib.resources import files
from pathlib import Path

from consilience.errors import FolderExistsError
from consilience.report.columns import columns
from consilience.report.content import sort_of
from consilience.report.record import Report
from consilience.report.sections import sections
from consilience.whole_folder import check_writable, whole_file

# In the order in which they are read: later ones use earlier ones.
SCRIPTS = (
    "elements",
    "columns",
    "sorting",
    "list",
    "detail",
    "items",
    "confusion",
    "main",
)
MARK = "consilience report"


def write(report: Report, out: str | Path, *, overwrite: bool = False) -> int:
    """Write the report as one HTML file; if that fails, nothing is left behind.

    Parameters
    ----------
    report : Report
        The contents of the page.
    out : str or Path
        The file to write.
    overwrite : bool, default False
        Replace a report that already exists. Any other file is never replaced.

    Returns
    -------
    int
        Number of bytes written.

    Raises
    ------
    FolderExistsError
        If the file exists, and is not a report or `overwrite` is false.
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
    >>> from consilience import report
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> contents = report.gather({"mine": fit}, responses=responses, bootstrap=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "report.html"
    ...     report.write(contents, file) == file.stat().st_size
    True
    """
    place = Path(out)
    check_place(place, overwrite=overwrite)
    content = page(report).encode()
    with whole_file(place, overwrite=overwrite) as partial:
        partial.write_bytes(content)
    return len(content)


def check_place(place: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken.

    Raises
    ------
    FolderExistsError
        The file already exists, and is not a report or `overwrite` is false.
    CannotWriteError
        The destination cannot be written.
    """
    check_writable(place)
    if not place.exists():
        return
    if not is_report(place):
        msg = (
            f"{place}: already exists and is not a report, so it is not replaced; "
            "choose another name"
        )
        raise FolderExistsError(msg)
    if not overwrite:
        msg = (
            f"{place}: already exists; choose another name, or pass "
            "`overwrite=True` to replace it"
        )
        raise FolderExistsError(msg)


def is_report(path: Path) -> bool:
    """Say whether a file is a page that this program wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return f'data-made-by="{MARK}"'.encode() in file.read(200)


def page(report: Report) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    report : Report
        The contents of the page.

    Returns
    -------
    str
        HTML; equal reports give equal pages.

    See Also
    --------
    write : Write the page to a file.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import report
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> contents = report.gather({"mine": fit}, responses=responses, bootstrap=0)
    >>> report.page(contents)[:15]
    '<!doctype html>'
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["a"] = lambda part, sort: sort_of(part) == sort
    style, scripts = _read("page.css"), [_read(f"{name}.js") for name in SCRIPTS]
    return environment.get_template("page.html.j2").render(
        mark=MARK,
        policy=_policy(style, scripts),
        report=report,
        sections=sections(report),
        style=style,
        scripts=scripts,
        columns=pack(columns(report)),
        thumbnails=pack(
            {
                item: base64.b64encode(picture).decode()
                for item, picture in report.thumbnails.items()
            }
        ),
    )


def pack(values: object) -> str:
    """Return plain values as JSON, deflated, in base64."""
    text = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _policy(style: str, scripts: list[str]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    )


def _read(name: str) -> str:
    return files("consilience.report").joinpath("page", name).read_text("utf-8")
