"""What was read, kept, dropped, noted and assumed, written down where it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consilience.responses.columns.names import listing

_MAX_LISTED = 30  # unused columns that are listed by name


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows left out for one reason."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is written down from a reader's draft to responses, as in `Cleaning`."""

    unit: str = "rows"
    read: int
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """Report of what was kept and dropped when a source was read.

    Parameters
    ----------
    unit : str
        What the source counts in: rows, assignments, annotations ...
    read : int
        Number of units that were found.
    kept : int
        Number of units that gave at least one answer.
    answers : int
        Number of answers, each counted as often as it was given.
    dropped : tuple of Dropped
        What was left out, by reason.
    notes : tuple of str
        What was noticed and decided, one sentence each.
    columns : mapping of str to str
        Role of each column of the source that was used: item, annotator, label ...
    unused : mapping of str to str
        Columns of the source that were not used, and what each seems to hold.
    warnings : tuple of str
        What looks wrong, one sentence each.

    See Also
    --------
    consilience.read : Returns responses with this report.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> responses.cleaning.read, responses.cleaning.kept
    (180, 180)
    """

    unit: str = "rows"
    read: int
    kept: int
    answers: int
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Text of the account, one line per fact."""
        lines = self.account()
        if self.columns:
            lines.append(f"read column {self.roles()}")
        if self.unused:
            lines.append(f"not used: {self.rest()}")
        return "\n".join([*lines, *(f"warning: {each}" for each in self.warnings)])

    def roles(self) -> str:
        """Return the columns that were used, and as what."""
        by_role: dict[str, list[str]] = {}
        for name, role in self.columns.items():
            by_role.setdefault(role, []).append(name)
        return ", ".join(f"{listing(each)} as {role}" for role, each in by_role.items())

    def rest(self) -> str:
        """Return the columns that were not used, and what they seem to hold."""
        columns = [
            f"{n!r} ({look})" if look else repr(n) for n, look in self.unused.items()
        ]
        more = len(columns) - _MAX_LISTED
        shown = ", ".join(columns[:_MAX_LISTED])
        return shown + (f" and {more} more" if more > 0 else "")

    def account(self) -> list[str]:
        """Return what was kept, dropped and decided, a line for each fact."""
        kept = f"read {self.read:,} {self.unit}, kept {self.kept:,}"
        dropped = [
            f"dropped {part.count:,}: {part.reason} (first: {part.example})"
            for part in self.dropped
        ]
        return [f"{kept}: {self.answers:,} answers", *dropped, *self.notes]
