"""What a section of the page is made of: facts, sentences, tables and charts.

Text is text; markup is made of it by the template alone, which escapes it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from consilience.posterior import Fit
from consilience.posterior.stored import category, names
from consilience.reports.record import Report, Run
from consilience.responses import Responses, read
from consilience.tables.html import Table

_MIN_PROBABILITY = 0.01  # of a confusion that is worth a row

type Part = Table | Chart | Drawing | Models | Findings | Facts | Note | Listing


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing as SVG, what it shows in words, and what stands below it."""

    svg: str
    label: str
    caption: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure of a study."""

    id: str
    title: str
    finding: str
    note: str
    frames: tuple[tuple[str, str], ...]
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


def sort_of(part: Part) -> str:
    """Return the name of the macro that draws a part."""
    return type(part).__name__.lower()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page; `app` is the template of what is interactive in it."""

    id: str
    title: str
    parts: tuple[Part, ...]
    app: str = ""
    selects: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def suffix(report: Report, run: Run) -> str:
    """Return what tells a run from others at the end of a title."""
    return f", {run.name}" if len(report.runs) > 1 else ""


def prefix(report: Report, run: Run) -> str:
    """Return what tells a run from others before a sentence."""
    return f"{run.name}: " if len(report.runs) > 1 else ""


def mistaken(run: Run) -> pd.DataFrame:
    """Return confusions of the population between labels, each with its reverse."""
    table = run.table("confusion")
    if run.kind == "contains" or table.empty:
        return pd.DataFrame()
    ends = ["true_label", "given_label"]
    table = table[table["annotator"].isna()].drop(columns="annotator")
    table = table.astype(dict.fromkeys(ends, str))
    table = table[table[ends[0]] != table[ends[1]]]
    back = table.rename(columns=dict(zip(ends, ends[::-1], strict=True)))
    both = table.merge(back, on=ends, how="left", suffixes=("", "_back"))
    return both[both["probability"] >= _MIN_PROBABILITY]


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
