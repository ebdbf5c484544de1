"""What is kept and dropped of a source, added up over the parts that it is read in."""

import re
from collections import Counter
from collections.abc import Iterable
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
        self.labels: set[str] = set()
        self.annotators: set[str] = set()
        self._parts: list[ReadPart] = []

    def add(self, part: ReadPart) -> None:
        """Add a part, whose labels and annotators are kept once for all parts."""
        self.labels |= set(part.labels)
        self.annotators |= set(part.annotators)
        self._parts.append(replace(part, labels=[], annotators=[]))

    def stated(self) -> dict[str, Any]:
        """Return it as the folder keeps it."""
        parts = self._parts
        cleanings = [part.cleaning for part in parts]
        notes = (n for c in cleanings for n in c.notes if not n.startswith(_ORDER))
        account = {
            "unit": "rows",
            "read": sum(each.read for each in cleanings),
            "kept": sum(each.kept for each in cleanings),
            "answers": sum(each.answers for each in cleanings),
            "notes": _summed(notes),
            "warnings": _summed(w for each in cleanings for w in each.warnings),
            "columns": dict(cleanings[-1].columns),
            "unused": dict(cleanings[-1].unused),
        }
        types = parts[0].types
        return {
            "anonymous": any(part.anonymous for part in parts),
            "assumptions": _summed(s for part in parts for s in part.assumptions),
            "types": types if all(part.types == types for part in parts) else {},
            "account": account,
            "dropped": _dropped(each for c in cleanings for each in c.dropped),
        }


def _dropped(parts: Iterable[Dropped]) -> list[dict[str, Any]]:
    """Return what was dropped for each reason, with the first example."""
    by_reason: dict[str, dict[str, Any]] = {}
    for part in parts:
        before = by_reason.setdefault(part.reason, asdict(part) | {"count": 0})
        before["count"] += part.count
    return list(by_reason.values())


def _summed(sentences: Iterable[str]) -> list[str]:
    """Return each sentence once; of equal ones the numbers at one end are summed up."""
    sums: Counter[str] = Counter()
    first: dict[str, str] = {}
    for sentence in sentences:
        key = _FIRST.sub("", sentence)
        if number := _NUMBER.search(sentence):
            key = _NUMBER.sub("", key)
            sums[key] += int(number[0].replace(",", ""))
        first.setdefault(key, sentence)
    return [
        _NUMBER.sub(f"{sums[key]:,}", sentence, count=1) if key in sums else sentence
        for key, sentence in first.items()
    ]
