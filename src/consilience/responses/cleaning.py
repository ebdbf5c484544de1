"""What a reader kept, what it dropped, and why: said before any number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows left out for one reason.

    Parameters
    ----------
    reason
        Why, as a phrase.
    count
        How many rows.
    example
        The first of them: file and row.
    """

    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """The account of one reading.

    Parameters
    ----------
    unit
        What the source counts in: rows, assignments, annotations ...
    read
        How many of them were found.
    kept
        How many of them gave at least one answer.
    answers
        Rows of the canonical table that came of it.
    dropped
        What was left out, by reason.
    notes
        What was noticed and decided, one sentence each.
    """

    unit: str = "rows"
    read: int
    kept: int
    answers: int
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Text of the account, one line per fact."""
        lines = [f"read {self.read:,} {self.unit}, kept {self.kept:,}"]
        lines[0] += f": {self.answers:,} answers"
        lines += [
            f"dropped {part.count:,}: {part.reason} (first: {part.example})"
            for part in self.dropped
        ]
        return "\n".join([*lines, *self.notes])
