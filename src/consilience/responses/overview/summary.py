"""What was understood of a source, in a few lines to check at a glance."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from consilience.responses.options import Kind, Offer

if TYPE_CHECKING:
    from consilience.responses.table import Responses

_FIRST = 10  # labels that are listed
_COLUMNS = 30  # columns that are listed
_WIDTH = 40  # characters of a label that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was understood of a source."""

    kinds: tuple[Kind, ...]
    offer: Offer
    answers: int
    items: int
    annotators: int
    anonymous: int
    labels: int
    first_labels: tuple[str, ...]
    answers_per_item: tuple[int, float, int]
    gold: int
    columns: Mapping[str, str]
    unused: Mapping[str, str]
    warnings: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """Return the facts by name, as they are printed."""
        least, middle, most = self.answers_per_item
        labels = ", ".join(map(_shown, self.first_labels))
        more = ", …" if self.labels > len(self.first_labels) else ""
        people = f"{self.annotators:,}"
        if self.anonymous:
            people += f" known, {self.anonymous:,} answers without annotator"
        facts = {
            "kind": ", ".join(self.kinds),
            "items": f"{self.items:,}",
            "annotators": people,
            "labels": f"{self.labels:,}: {labels}{more}",
            "answers": f"{self.answers:,}",
            "answers per item": f"{least:,} to {most:,}, median {middle:g}",
            "gold rows": f"{self.gold:,}",
        }
        if self.columns or self.unused:
            facts["columns used"] = _columns(self.columns, ": {}") or "none"
            facts["columns not used"] = _columns(self.unused, " ({})") or "none"
        return facts

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Text of the summary, one line per fact and per warning."""
        facts = self.facts()
        width = max(map(len, facts)) + 2
        lines = [f"{name:<{width}}{value}" for name, value in facts.items()]
        return "\n".join(
            [*lines, *(f"warning: {warning}" for warning in self.warnings)]
        )


def summarize(responses: "Responses") -> Summary:
    """Summarize responses."""
    table, account = responses.table, responses.cleaning
    given = is_given(table)
    n = table["n"].to_numpy()
    labels = responses.labels["label"]
    return Summary(
        kinds=responses.kinds,
        offer=responses.offer,
        answers=int(n[given].sum()),
        items=responses.num_items,
        annotators=responses.num_annotators,
        anonymous=int(n[given & table["annotator"].isna().to_numpy()].sum()),
        labels=len(labels),
        first_labels=tuple(map(str, labels.head(_FIRST))),
        answers_per_item=_per_item(responses, given),
        gold=0 if responses.gold is None else len(responses.gold),
        columns=dict(account.columns),
        unused=dict(account.unused),
        warnings=account.warnings,
    )


def is_given(table: pd.DataFrame) -> np.ndarray:
    """Return of which rows the question was answered, and not skipped."""
    contains = (table["kind"] == "contains").to_numpy()
    given: np.ndarray = np.where(
        contains, table["answer"].notna(), table["label"].notna()
    )
    return given


def _per_item(responses: "Responses", given: np.ndarray) -> tuple[int, float, int]:
    """Fewest, median and most answers of an item; objects: responses."""
    table = responses.table[given]
    n = table["n"].to_numpy()
    objects = (table["kind"] == "objects").to_numpy()
    names = ("item", "annotator", "response_id")
    parts = pd.DataFrame({name: table[name].cat.codes for name in names})
    again = objects & parts.duplicated().to_numpy()
    item = parts["item"].to_numpy()[~again]
    counts = np.bincount(item, n[~again], minlength=responses.num_items)
    if not len(counts):
        return 0, 0.0, 0
    return int(counts.min()), float(np.median(counts)), int(counts.max())


def _columns(columns: Mapping[str, str], form: str) -> str:
    shown = [_shown(c) + (form.format(r) if r else "") for c, r in columns.items()]
    more = f"; and {len(shown) - _COLUMNS} more" if len(shown) > _COLUMNS else ""
    return "; ".join(shown[:_COLUMNS]) + more


def _shown(text: str) -> str:
    short = text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
    return short if short.isprintable() and short else repr(short)
