"""What is kept and dropped of a source, added up over the parts that it is read in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from consilience.responses import Cleaning, Responses
from consilience.responses.draft import Dropped

_NUMBER = re.compile(r"^\d[\d,]*(?= )|(?<=: )\d[\d,]*$")
_FIRST = re.compile(r" \(first: .*?\)(?=[;,.]|$)")
_ORDER = "labels are kept in the order"  # of a part, which may lack some


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPart:
    """What was read of a part, without its rows."""

    cleaning: Cleaning
    assumptions: tuple[str, ...]
    labels: list[str]
    annotators: list[str]
    anonymous: bool
    types: dict[str, str]

    @classmethod
    def of(cls, read: Responses) -> "ReadPart":
        """Return what was read."""
        annotator = read.table["annotator"]
        return cls(
            cleaning=read.cleaning,
            assumptions=tuple(read.assumptions),
            labels=read.labels["label"].astype(object).tolist(),
            annotators=annotator.cat.categories.astype(object).tolist(),
            anonymous=bool(annotator.isna().any()),
            types=dict(read.types),
        )


class Accounts:
    """What was read, kept and dropped, added up over the parts."""

    def __init__(self) -> None:
        self.read = self.kept = self.answers = 0
        self.dropped: dict[str, Dropped] = {}
        self.notes: dict[str, str] = {}
        self.warnings: dict[str, str] = {}
        self.assumptions: dict[str, str] = {}
        self.columns: Mapping[str, str] = {}
        self.unused: Mapping[str, str] = {}
        self.labels: set[str] = set()
        self.annotators: set[str] = set()
        self.anonymous = False
        self.types: Mapping[str, str] | None = None

    def add(self, part: ReadPart) -> None:
        """Add a part."""
        cleaning = part.cleaning
        self.read += cleaning.read
        self.kept += cleaning.kept
        self.answers += cleaning.answers
        for each in cleaning.dropped:
            before = self.dropped.setdefault(each.reason, replace(each, count=0))
            count = before.count + each.count
            self.dropped[each.reason] = replace(before, count=count)
        notes = (note for note in cleaning.notes if not note.startswith(_ORDER))
        _add(self.notes, notes)
        _add(self.warnings, cleaning.warnings)
        _add(self.assumptions, part.assumptions)
        self.columns, self.unused = cleaning.columns, cleaning.unused
        self.labels |= set(part.labels)
        self.annotators |= set(part.annotators)
        self.anonymous |= part.anonymous
        self.types = part.types if self.types in (None, part.types) else {}

    def stated(self) -> dict[str, Any]:
        """Return it as the folder keeps it."""
        account = {
            "unit": "rows",
            "read": self.read,
            "kept": self.kept,
            "answers": self.answers,
            "notes": list(self.notes.values()),
            "warnings": list(self.warnings.values()),
            "columns": dict(self.columns),
            "unused": dict(self.unused),
        }
        dropped = [asdict(each) for each in self.dropped.values()]
        return {
            "anonymous": self.anonymous,
            "assumptions": list(self.assumptions.values()),
            "types": dict(self.types or {}),
            "account": account,
            "dropped": dropped,
        }


def _add(before: dict[str, str], sentences: Iterable[str]) -> None:
    """Add sentences; of equal ones the numbers at one end are summed up."""
    for sentence in sentences:
        number = _NUMBER.search(sentence)
        key = _FIRST.sub("", sentence)
        if number is None:
            before.setdefault(key, sentence)
            continue
        key = _NUMBER.sub("", key)
        there = before.setdefault(key, sentence)
        if there is not sentence:
            summed = _as_number(there) + _as_number(sentence)
            before[key] = _NUMBER.sub(f"{summed:,}", there, count=1)


def _as_number(sentence: str) -> int:
    number = _NUMBER.search(sentence)
    return 0 if number is None else int(number[0].replace(",", ""))
