"""The frozen record that a page is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from consilience.analysis import Agreement
from consilience.errors import (
    SourceError,
    UnavailableError,
)
from consilience.figures import StudyFigures
from consilience.responses import Cleaning, Description
from consilience.responses.sources.library_errors import readable
from consilience.responses.text import check_names

SUFFIXES = (".parquet", ".csv")
NEEDS = ("altair", "jinja2", "PIL", "vl_convert")
ADVICE = 'pip install "consilience[report]"'


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Run:
    """One run of a report.

    Attributes
    ----------
    name : str
        Name of the run on the page.
    kind, model, engine, engine_reason, version, seed, prob, seconds
        As in the fit; `prob` is the probability of its intervals.
    reported_posterior : {"raw", "tempered"}
        Which posterior of the truth the tables give.
    assumptions, sources
        One sentence each; SHA-256 of each file that was read.
    tables : mapping of str to pandas.DataFrame
        The tables of the run by name.
    answers : pandas.DataFrame, optional
        Columns item, annotator (null: anonymous), label, answer (contains, else null)
        and n; for objects also main and response. None where the run does not keep
        them.

    See Also
    --------
    Report : Holds the runs.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> reports.gather({"mine": fit}, bootstrap=0).runs[0].model
    'majority'
    """

    name: str
    kind: str
    model: str
    engine: str
    engine_reason: str
    version: str
    seed: int
    prob: float
    seconds: float
    reported_posterior: str
    assumptions: tuple[str, ...]
    sources: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]
    answers: pd.DataFrame | None

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; one that the run does not have is empty."""
        return self.tables.get(name, pd.DataFrame())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Report:
    """The contents of a report.

    Attributes
    ----------
    title : str
        Title of the page.
    runs : tuple of Run
        One or several runs of one kind, side by side.
    description, cleaning, cleaned_assumptions
        Counts of the responses; what was read, kept and dropped; what was assumed then.
        None or empty where it is unknown.
    dataset_labels : mapping of str to str
        The data set's label by item, where the responses have it.
    agreement, no_agreement
        Agreement of the annotators, or why it cannot be computed.
    pairs, evaluation : mapping of str to pandas.DataFrame
        Tables about pairs of labels of the first run, and about models, by name.
    study : StudyFigures, optional
        The study whose findings and figures lead the page.
    pictures, images_missing
        JPEG images by item; number of items without one, where images were given.

    See Also
    --------
    gather : Collect the contents.
    write : Write the report.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> reports.gather({"mine": fit}, bootstrap=0).description.items
    20
    """

    title: str
    runs: tuple[Run, ...]
    description: Description | None
    cleaning: Cleaning | None
    cleaned_assumptions: tuple[str, ...]
    dataset_labels: Mapping[str, str]
    agreement: Agreement | None
    no_agreement: str
    pairs: Mapping[str, pd.DataFrame]
    evaluation: Mapping[str, pd.DataFrame]
    study: StudyFigures | None
    pictures: Mapping[str, bytes]
    images_missing: int

    @property
    def kind(self) -> str:
        """The kind of question."""
        return self.runs[0].kind

    @property
    def prob(self) -> float:
        """Probability that an interval holds."""
        return self.runs[0].prob


def evaluation_tables(path: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of an evaluation."""
    if not path.exists():
        msg = f"{path}: there is no such file or folder; check the path"
        raise SourceError(msg)
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not paths:
            msg = f"{path}: holds no *.parquet or *.csv; name the folder that does"
            raise SourceError(msg)
    elif path.suffix in SUFFIXES:
        paths = [path]
    else:
        msg = f"{path}: expected a table, *.parquet or *.csv, or a folder of them"
        raise SourceError(msg)
    return {file.stem: _read(file) for file in paths}


def _read(path: Path) -> pd.DataFrame:
    read = csv.read_csv if path.suffix == ".csv" else parquet.read_table
    with readable(str(path), remedy="write it again"):
        whole = read(path)
        names = check_names(whole.column_names, str(path))
        for name, kind in zip(names, whole.schema.types, strict=True):
            if pa.types.is_binary(kind):
                msg = f"{path}: column {name!r} is not UTF-8 text; write it again so"
                raise SourceError(msg)
        table: pd.DataFrame = whole.rename_columns(names).to_pandas()
    return table


def can_draw() -> bool:
    """Say whether all of the extra is there."""
    return not _absent()


def check_installed() -> None:
    """Refuse before any work is done."""
    absent = _absent()
    if absent:
        msg = (
            f"report: {', '.join(absent)} not found, which are needed to draw it; "
            f"{ADVICE}"
        )
        raise UnavailableError(msg)


def _absent() -> list[str]:
    return [name for name in NEEDS if find_spec(name) is None]
