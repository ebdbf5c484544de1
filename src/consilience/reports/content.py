"""The record that a page is made of; its facts, sentences, tables and charts.

Text is text; markup is made of it by the template alone, which escapes it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from consilience.analysis import Agreement
from consilience.errors import SourceError, UnavailableError
from consilience.figures import StudyFigures
from consilience.posterior import Fit
from consilience.posterior.stored import category, names
from consilience.responses import Cleaning, Description, Responses, read
from consilience.responses.sources.frames import readable
from consilience.responses.text import check_names
from consilience.tables.html import Table
from consilience.tables.vega import Drawn

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
    of_all : tuple of int, optional
        Items and answers that the run was fitted to, where it shows some of them alone.
    texts : mapping of str to str
        The beginning of what shows each item, where that is known.

    See Also
    --------
    Report : Holds the runs.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience import reports
    >>> made = cs.simulate(items=20, seed=0).responses
    >>> fit = cs.fit(made, model="majority")
    >>> reports.gather({"mine": fit}, resamples=0).runs[0].model
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
    of_all: tuple[int, int] | None = None
    texts: Mapping[str, str] = MappingProxyType({})

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; one that the run does not have is empty."""
        return self.tables.get(name, pd.DataFrame())


def _without_marks(sentence: str) -> str:
    """Return a sentence without the marks around arguments, which a page lacks."""
    return sentence.replace("`", "")


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
    spelled : callable
        Returns a sentence with arguments as the user types them; by default as in
        Python.

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
    >>> reports.gather({"mine": fit}, resamples=0).description.items
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
    spelled: Callable[[str], str] = _without_marks

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
        raise SourceError(f"{path}: there is no such file or folder; check the path")
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not paths:
            raise SourceError(
                f"{path}: holds no *.parquet or *.csv; name the folder that does"
            )
    elif path.suffix in SUFFIXES:
        paths = [path]
    else:
        raise SourceError(
            f"{path}: expected a table, *.parquet or *.csv, or a folder of them"
        )
    return {file.stem: _read(file) for file in paths}


def _read(path: Path) -> pd.DataFrame:
    read = csv.read_csv if path.suffix == ".csv" else parquet.read_table
    with readable(str(path), remedy="write it again"):
        whole = read(path)
        names = check_names(whole.column_names, str(path))
        for name, kind in zip(names, whole.schema.types, strict=True):
            if pa.types.is_binary(kind):
                raise SourceError(
                    f"{path}: column {name!r} is not UTF-8 text; write it again so"
                )
        table: pd.DataFrame = whole.rename_columns(names).to_pandas()
    return table


def can_draw() -> bool:
    """Say whether all of the extra is there."""
    return not _absent()


def check_installed() -> None:
    """Refuse before any work is done."""
    absent = _absent()
    if absent:
        raise UnavailableError(
            f"report: {', '.join(absent)} not found, which are needed to draw it; "
            f"{ADVICE}"
        )


def _absent() -> list[str]:
    return [name for name in NEEDS if find_spec(name) is None]


_MIN_PROBABILITY = 0.01  # of a confusion that is worth a row

type Part = Table | Chart | Drawing | Models | Findings | Facts | Note | Listing


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, what it shows in words, and what stands below it."""

    drawn: Drawn
    label: str
    caption: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of a study."""

    id: str
    title: str
    finding: str
    note: str
    frames: tuple[tuple[str, Drawn], ...]
    frames_of: str
    table: Table


@dataclass(frozen=True, slots=True)
class Models:
    """The legend of all drawings: models with their colours."""

    colours: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences that lead to drawings: the anchor of each, its title, the sentence."""

    entries: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence; `sort` says how loud it is."""

    text: str
    sort: Literal["plain", "good", "bad", "mind"] = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences or names below each other."""

    title: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page; `app` is the template of what is interactive in it."""

    id: str
    title: str
    parts: tuple[Part, ...]
    app: str = ""
    selects: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its title, what it is about, its sections, what their scripts read."""

    title: str
    about: str
    sections: Sequence[Section]
    content: Mapping[str, Any] = MappingProxyType({})
    pictures: Mapping[str, bytes] = MappingProxyType({})


def suffix(report: Report, run: Run) -> str:
    """Return what tells a run from others at the end of a title."""
    return f", {run.name}" if len(report.runs) > 1 else ""


def prefix(report: Report, run: Run) -> str:
    """Return what tells a run from others before a sentence."""
    return f"{run.name}: " if len(report.runs) > 1 else ""


def sentence(text: str) -> str:
    """Return a text as a sentence."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def mistaken(run: Run) -> pd.DataFrame:
    """Return confusions of the population, each pair once, with its reverse."""
    table = run.table("confusion")
    if run.kind == "contains" or table.empty:
        return pd.DataFrame()
    ends = ["true_label", "given_label"]
    table = table[table["annotator"].isna()].drop(columns="annotator")
    table = table.astype(dict.fromkeys(ends, str))
    table = table[table[ends[0]] != table[ends[1]]]
    back = table.rename(columns=dict(zip(ends, ends[::-1], strict=True)))
    both = table.merge(back, on=ends, how="left", suffixes=("", "_back"))
    both = both[both["probability"] >= _MIN_PROBABILITY]
    both = both.sort_values("probability", ascending=False, kind="stable")
    pairs = pd.DataFrame(np.sort(both[ends].to_numpy(str), axis=1), both.index)
    return both[~pairs.duplicated()]


def kept_answers(fit: Fit) -> pd.DataFrame | None:
    """Return the answers that a fit of choice or contains keeps."""
    data = fit.data
    kind = data.attrs["kind"]
    if "observed_data" not in data.children or kind not in ("choice", "contains"):
        return None
    observed, constant = data["observed_data"], data["constant_data"]
    unit = observed["item"].to_numpy()
    who = observed["annotator"].to_numpy()
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    given = category(observed["answer"].to_numpy(), names(data, "given_class"))
    label, answer = given, category(np.full(len(unit), -1), pd.Index([]))
    if kind == "contains":
        label, answer = _texts(constant["unit_label"].to_numpy(), unit), given
    people = np.where(identified[who], who, -1)
    columns: dict[str, Any] = {"item": _texts(constant["unit_item"].to_numpy(), unit)}
    columns |= {"annotator": category(people, names(data, "annotator"))}
    columns |= {"label": label, "answer": answer, "n": observed["n"].to_numpy()}
    return pd.DataFrame(columns)


def read_answers(responses: Responses) -> pd.DataFrame:
    """Return the answers as they were read, skipped questions left out."""
    table = responses.table
    given = table["answer" if responses.kind == "contains" else "label"].notna()
    table = table[given].reset_index(drop=True)
    columns = ["item", "annotator", "label", "answer", "n"]
    if responses.kind != "objects":
        return table[columns].copy()
    keys = ["item", "annotator", "response_id"]
    together = table.groupby(keys, observed=True, dropna=False, sort=False)
    return table[columns].assign(
        main=table["main"].astype("boolean").fillna(value=False).astype(bool),
        response=together.ngroup(),
    )


def as_responses(answers: pd.DataFrame, kind: str, labels: list[str]) -> Responses:
    """Make responses of a fit's answers, so that they can be described."""
    frame = answers.dropna(axis="columns", how="all")
    frame = frame.astype({name: "str" for name in frame if name != "n"})
    options = {"labels": labels} if labels else {}
    return read(frame, kind=kind, missing=(), **options)  # type: ignore[arg-type]


def _texts(names_of_units: np.ndarray, rows: np.ndarray) -> pd.Categorical:
    codes, levels = pd.factorize(names_of_units.astype(object))
    return category(codes[rows], levels)
