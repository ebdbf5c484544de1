"""Which of several tables in one file holds the answers."""

from collections.abc import Mapping, Sequence

from consilience.errors import MissingColumnError, NoResponsesError, not_among
from consilience.responses.columns.names import usual
from consilience.responses.columns.vocabulary import likely

_ENOUGH = 3  # an item and a label


def choose_part(
    parts: Mapping[str, Sequence[str]],
    source: str,
    what: str,
    option: str,
    given: str | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Choose the table that was named, or the one that can be one of answers."""
    if given is not None:
        if given not in parts:
            msg = f"{source}: {not_among(what, given, parts)}"
            raise MissingColumnError(msg)
        return given, ()
    filled = {name: columns for name, columns in parts.items() if columns}
    if not filled:
        msg = f"{source}: every {what} is empty; export the file again"
        raise NoResponsesError(msg)
    whole = {name: columns for name, columns in filled.items() if len(columns) > 2}
    grades = {name: _grade(list(columns)) for name, columns in filled.items()}
    if len(whole) == 1:
        grades = dict.fromkeys(filled, 0) | dict.fromkeys(whole, _ENOUGH)
    best = [name for name in filled if grades[name] == max(grades.values())]
    if len(best) > 1 or (len(filled) > 1 and grades[best[0]] < _ENOUGH):
        listed = "; ".join(
            f"{name!r} ({', '.join(columns[:6])}{', ...' * (len(columns) > 6)})"
            for name, columns in list(filled.items())[:12]
        )
        msg = (
            f"{source}: there are several {what}s that may hold the answers: {listed}; "
            f'name one (`{option}="{best[0]}"`)'
        )
        raise MissingColumnError(msg)
    if len(filled) == 1:
        return best[0], ()
    others = ", ".join(repr(name) for name in filled if name != best[0])
    sentence = (
        f"The answers of {source} are those of the {what} {best[0]!r}; not read: "
        f"{others}."
    )
    return best[0], (sentence,)


def _grade(names: list[str]) -> int:
    """Grade columns: an annotator says most, then an item and a label."""
    return sum(
        points * bool(usual(names, role) or likely(names, role))
        for role, points in (("annotator", 4), ("item", 2), ("label", 1))
    )
