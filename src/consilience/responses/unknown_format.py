"""Advice for a file that no reader recognizes."""

import re

from consilience.errors import UnknownFormatError
from consilience.responses.columns.names import find, listing
from consilience.responses.sources.probe import Probe

_ROLES = ("item", "annotator", "label")


def unknown_format(probed: Probe, formats: list[str]) -> UnknownFormatError:
    """Return the error: the columns there are, and the call that may be meant."""
    names = list(probed.names)
    if len(names) < 2:
        what = f"the one column {names[0]!r}" if names else "no columns"
        msg = (
            f"{probed.name}: no reader knows it, as it has {what}; name the format "
            f"(`format=NAME`), one of {', '.join(formats)}"
        )
    elif looks_wide(names):
        item = find(names, "item", None, probed.name) or names[0]
        msg = (
            f"{probed.name}: no column looks like the label; the columns "
            f"{listing(names, 6)} look like one for each annotator: if they are, read "
            f'it with `format="wide"` {_argument("item", item)}'
        )
    else:
        guess = " ".join(_argument(*role) for role in _guessed(names).items())
        msg = (
            f"{probed.name}: which column is which does not show from the names "
            f"{listing(names, 6)}; name them, such as {guess}, or read it with "
            '`format="wide"` if all columns but the item\'s are annotators'
        )
    return UnknownFormatError(msg)


def looks_wide(names: list[str]) -> bool:
    """Say whether most columns are numbered ones of one name, such as rater_1."""
    stems = [re.sub(r"[\W_]*\d+$", "", name) for name in names]
    numbered = [stem for stem, name in zip(stems, names, strict=True) if stem != name]
    most = max(map(numbered.count, numbered), default=0)
    return most >= 2 and most >= len(names) - 2


def _guessed(names: list[str]) -> dict[str, str]:
    """Return a column for each role: by its usual name, else the next that is free."""
    columns = {role: find(names, role, None, "") for role in _ROLES}
    free = [name for name in names if name not in columns.values()]
    roles = _ROLES if len(names) > 2 else ("item", "label")
    return {
        role: columns[role] or free.pop(0) for role in roles if columns[role] or free
    }


def _argument(role: str, name: str) -> str:
    return f'`{role}="{name}"`'
